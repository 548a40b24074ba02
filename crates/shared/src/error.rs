//! Everything that may fail, as a client sees it: one code, one sentence, and what is wrong with which field.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a call was refused. The set is closed on the server; a client reads an unknown code as [`ErrorCode::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not in the form that the contract says; `fields` names the place if there is one.
    BadRequest,
    /// The request is well formed, but fields hold something that is not accepted.
    Invalid,
    /// No login, or one that has ended.
    NotSignedIn,
    BadCredentials,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    UsernameTaken,
    RoomNameTaken,
    /// The room is archived: it can be read, not written.
    RoomArchived,
    /// The last owner can neither leave nor step down while others are in the room.
    LastOwner,
    /// A limit of the contract is reached (rooms, members, connections, reactions).
    LimitReached,
    /// Too many in too short a time; `retry_after_ms` says when to come back.
    RateLimited,
    TooLarge,
    UnsupportedMediaType,
    /// The request comes from a page that is not this server's.
    BadOrigin,
    /// The outcome is unknown or the server is busy: try again with the same `client_id`.
    Retry,
    Timeout,
    Internal,
    #[serde(other)]
    Other,
}

impl ErrorCode {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Invalid => "invalid",
            Self::NotSignedIn => "not_signed_in",
            Self::BadCredentials => "bad_credentials",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UsernameTaken => "username_taken",
            Self::RoomNameTaken => "room_name_taken",
            Self::RoomArchived => "room_archived",
            Self::LastOwner => "last_owner",
            Self::LimitReached => "limit_reached",
            Self::RateLimited => "rate_limited",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::BadOrigin => "bad_origin",
            Self::Retry => "retry",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::Other => "other",
        }
    }
}

/// What is wrong with which field of a form, in words for the person who filled it in.
pub type Fields = BTreeMap<String, String>;

/// The body of every error answer: `{"error": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    pub code: ErrorCode,
    /// One sentence for people.
    pub message: String,
    /// Stands in the server's log beside the cause.
    pub request_id: String,
    /// Milliseconds to wait before the same call is worth trying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Fields>,
}

/// Collects what is wrong with a form, so that a person is told everything at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Fields);

impl FieldErrors {
    /// Keeps the value, or notes why `field` is refused.
    pub fn check<T, E: std::fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(why) => {
                self.add(field, why);
                None
            }
        }
    }

    /// Like [`FieldErrors::check`] for a value that may be left out.
    pub fn check_optional<S, T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        value: Option<S>,
        parse: impl FnOnce(S) -> Result<T, E>,
    ) -> Option<T> {
        value.and_then(|value| self.check(field, parse(value)))
    }

    pub fn add(&mut self, field: &str, why: impl std::fmt::Display) {
        self.0.insert(field.to_owned(), why.to_string());
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parsed form if every field was accepted. `parsed` is `None` only where a field was refused.
    pub fn finish<T>(self, parsed: Option<T>) -> Result<T, Fields> {
        match parsed {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::{self, IntoDeserializer};

    #[test]
    fn the_word_of_a_code_is_the_one_on_the_wire() {
        let read = |word: &str| {
            let word: de::value::StrDeserializer<'_, de::value::Error> = word.into_deserializer();
            ErrorCode::deserialize(word)
        };
        for code in [
            ErrorCode::BadRequest,
            ErrorCode::Invalid,
            ErrorCode::NotSignedIn,
            ErrorCode::BadCredentials,
            ErrorCode::Forbidden,
            ErrorCode::NotFound,
            ErrorCode::MethodNotAllowed,
            ErrorCode::UsernameTaken,
            ErrorCode::RoomNameTaken,
            ErrorCode::RoomArchived,
            ErrorCode::LastOwner,
            ErrorCode::LimitReached,
            ErrorCode::RateLimited,
            ErrorCode::TooLarge,
            ErrorCode::UnsupportedMediaType,
            ErrorCode::BadOrigin,
            ErrorCode::Retry,
            ErrorCode::Timeout,
            ErrorCode::Internal,
        ] {
            assert_eq!(read(code.word()), Ok(code));
        }
    }
}
