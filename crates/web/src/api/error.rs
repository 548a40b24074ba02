//! Why a call failed, in words for the person and in facts for the page.

use crate::json;
use crate::locale::said;
use natter_shared::error::{ErrorBody, ErrorCode, ErrorDetail, Fields};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server answered, and said no.
    Refused { status: u16, detail: ErrorDetail },
    /// The server answered in a way that nobody expected: often something between it and the browser did.
    Garbled { status: u16 },
    /// No answer: no network, or no server.
    Unreachable,
    /// No answer in time. Whether the call had an effect is unknown.
    Timeout,
}

impl ApiError {
    /// The error in an answer with a status of 400 or more.
    pub fn from_answer(status: u16, body: &str) -> Self {
        match json::read::<ErrorBody>(body) {
            Ok(body) => Self::Refused { status, detail: body.error },
            Err(_) => Self::Garbled { status },
        }
    }

    /// One sentence that says what is wrong, and where there is something to do, what.
    pub fn message(&self) -> String {
        match self {
            Self::Refused { detail, .. } => said(&detail.message),
            Self::Garbled { status } => {
                said(&format!("The server answered in an unexpected way ({status}). Try again."))
            }
            Self::Unreachable => said("The server can't be reached. Check the connection and try again."),
            Self::Timeout => said("The server took too long to answer. Try again."),
        }
    }

    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { detail, .. } => Some(detail.code),
            Self::Garbled { .. } | Self::Unreachable | Self::Timeout => None,
        }
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::Garbled { status } => Some(*status),
            Self::Unreachable | Self::Timeout => None,
        }
    }

    /// What is wrong with which field of the form.
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Refused { detail, .. } => detail.fields.as_ref(),
            Self::Garbled { .. } | Self::Unreachable | Self::Timeout => None,
        }
    }

    /// What is wrong with one field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields().and_then(|fields| fields.get(name)).map(|why| said(why))
    }

    /// Milliseconds to wait before the same call is worth trying, if the server said so.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Refused { detail, .. } => detail.retry_after_ms,
            Self::Garbled { .. } | Self::Unreachable | Self::Timeout => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Refused { status, detail } => {
                *status >= 500 || matches!(detail.code, ErrorCode::Retry | ErrorCode::RateLimited | ErrorCode::Timeout)
            }
            Self::Garbled { status } => *status >= 500 || *status == 429 || *status < 400,
            Self::Unreachable | Self::Timeout => true,
        }
    }

    /// Whether the login has ended.
    pub fn is_signed_out(&self) -> bool {
        self.status() == Some(401) && self.code() != Some(ErrorCode::BadCredentials)
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(403 | 404))
    }

    /// The request's id in the server's log, to be told to whoever looks into it.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused { detail, .. } => Some(&detail.request_id),
            Self::Garbled { .. } | Self::Unreachable | Self::Timeout => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_are_taken_as_they_are() {
        let body = r#"{"error":{"code":"invalid","message":"Look at the fields","request_id":"r1","fields":{"name":"Too long"}}}"#;
        let error = ApiError::from_answer(400, body);
        assert_eq!(error.message(), "Look at the fields");
        assert_eq!(error.field("name").as_deref(), Some("Too long"));
        assert!(!error.may_retry());
    }

    #[test]
    fn an_answer_of_something_in_between_is_an_error_too() {
        let error = ApiError::from_answer(502, "<html>Bad Gateway</html>");
        assert_eq!(error, ApiError::Garbled { status: 502 });
        assert!(error.may_retry());
        assert!(error.message().contains("502"));
    }

    #[test]
    fn a_wrong_password_is_not_an_ended_login() {
        let answer = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"m","request_id":"r"}}}}"#);
        assert!(!ApiError::from_answer(401, &answer("bad_credentials")).is_signed_out());
        assert!(ApiError::from_answer(401, &answer("not_signed_in")).is_signed_out());
    }
}
