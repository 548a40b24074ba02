//! The only map from a failure to what a client is told: its code, its status and its sentence. Nothing of a failure's
//! inside (a query, a path, a driver's words) leaves through here; it goes to the log, beside the request id.

use crate::bus::TooOften;
use crate::service::accounts::AccountError;
use crate::service::admin::AdminError;
use crate::service::deletion::DeletionError;
use crate::service::guests::GuestError;
use crate::service::integrations::IntegrationError;
use crate::service::log_writer::WriteError;
use crate::service::marks::MarkError;
use crate::service::messages::MessageError;
use crate::service::password::PasswordError;
use crate::service::pictures::PictureError;
use crate::service::presence::PresenceError;
use crate::service::rooms::RoomError;
use crate::service::sessions::SessionError;
use crate::store::StoreError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use natter_shared::error::{ErrorBody, ErrorCode, ErrorDetail, Fields};
use natter_shared::frame::ServerFrame;
use natter_shared::id::ClientId;
use natter_shared::limits;
use natter_shared::text::RoomName;
use std::fmt;

/// A refusal or failure on its way to a client.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub code: ErrorCode,
    /// One sentence for people.
    pub message: String,
    pub fields: Option<Fields>,
    /// Milliseconds until the same call is worth trying.
    pub retry_after_ms: Option<u64>,
    /// For the log only.
    cause: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: None, retry_after_ms: None, cause: None }
    }

    /// A form whose fields hold something that is not accepted.
    pub fn invalid(fields: Fields) -> Self {
        let message = match fields.iter().next() {
            Some((field, why)) => format!("{field}: {why}"),
            None => "This is not accepted".to_owned(),
        };
        Self { fields: Some(fields), ..Self::new(ErrorCode::Invalid, message) }
    }

    /// A request that is not in the form that the contract says.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// The answer for what does not exist and, word for word, for what this caller may not know of.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing here")
    }

    pub fn not_signed_in() -> Self {
        Self::new(ErrorCode::NotSignedIn, "Sign in first")
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    fn archived() -> Self {
        Self::new(ErrorCode::RoomArchived, "This room is archived: it can be read, not written")
    }

    /// The outcome is unknown or the server is busy.
    pub fn retry(cause: impl fmt::Display) -> Self {
        let error = Self::new(ErrorCode::Retry, "The server could not finish this just now. Try again");
        Self { retry_after_ms: Some(1_000), ..error }.because(cause)
    }

    /// A defect.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, "Something went wrong on the server").because(cause)
    }

    /// Keeps what lies behind it for the log.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says after how many milliseconds the same call is worth trying.
    #[must_use]
    pub const fn after(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    #[must_use]
    pub fn with_field(mut self, field: &str, why: impl fmt::Display) -> Self {
        self.fields.get_or_insert_default().insert(field.to_owned(), why.to_string());
        self
    }

    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The body of the answer.
    pub fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            error: ErrorDetail {
                code: self.code,
                message: self.message.clone(),
                request_id: request_id.to_owned(),
                retry_after_ms: self.retry_after_ms,
                fields: self.fields.clone(),
            },
        }
    }

    /// The same failure as a frame of a socket.
    pub fn frame(&self, client_id: Option<ClientId>) -> ServerFrame {
        ServerFrame::Error {
            code: self.code,
            message: self.message.clone(),
            client_id,
            retry: matches!(self.code, ErrorCode::Retry | ErrorCode::RateLimited | ErrorCode::Timeout),
            retry_after_ms: self.retry_after_ms,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The status of each code.
pub const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest | ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::NotSignedIn | ErrorCode::BadCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::BadOrigin => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::UsernameTaken
        | ErrorCode::RoomNameTaken
        | ErrorCode::RoomArchived
        | ErrorCode::LastOwner
        | ErrorCode::LimitReached => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::Retry => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Internal | ErrorCode::Other => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The body is written by the middleware, which knows the request id.
impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status(self.code)
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unknown(_) | StoreError::Unwritable(_) => Self::retry(error),
            StoreError::Broken(_) => Self::internal(error),
        }
    }
}

impl From<TooOften> for ApiError {
    fn from(TooOften { retry_after_ms }: TooOften) -> Self {
        let error = Self::new(ErrorCode::RateLimited, "Too often in too short a time. Wait a little");
        Self { retry_after_ms: Some(retry_after_ms), ..error }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match &error {
            WriteError::Busy | WriteError::Stopping | WriteError::Unknown(_) => Self::retry(error),
            WriteError::Unwritable(_) => Self {
                message: "The server cannot store anything right now. Try again later".into(),
                ..Self::retry(error)
            },
            WriteError::Broken(_) => Self::internal(error),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match &error {
            PasswordError::Busy(_) => Self {
                message: "Many people are signing in right now. Try again in a moment".into(),
                ..Self::retry(error)
            },
            PasswordError::Broken(_) => Self::internal(error),
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NotSignedIn => Self::not_signed_in(),
            SessionError::BadCredentials => Self::new(ErrorCode::BadCredentials, "Wrong username or password"),
            SessionError::NotFound => Self::not_found(),
            SessionError::TooOften(wait) => wait.into(),
            SessionError::Password(error) => error.into(),
            SessionError::Token(error) => Self::internal(error),
            SessionError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Invalid(fields) => Self::invalid(fields),
            AccountError::UsernameTaken => Self::new(ErrorCode::UsernameTaken, "This username is taken")
                .with_field("username", "This username is taken"),
            AccountError::NotFound => Self::not_found(),
            AccountError::Forbidden(why) => Self::forbidden(why),
            AccountError::Gone => Self::not_signed_in(),
            AccountError::WrongPassword => {
                Self::invalid([("current".to_owned(), "This is not your current password".to_owned())].into())
            }
            AccountError::TooOften(wait) => wait.into(),
            AccountError::Password(error) => error.into(),
            AccountError::Store(error) => error.into(),
            AccountError::Sessions(error) => error.into(),
        }
    }
}

impl From<DeletionError> for ApiError {
    fn from(error: DeletionError) -> Self {
        match error {
            DeletionError::Gone => Self::not_signed_in(),
            DeletionError::WrongPassword => {
                Self::invalid([("password".to_owned(), "This is not your password".to_owned())].into())
            }
            DeletionError::LastOwner(rooms) => {
                let names = rooms.iter().map(RoomName::as_str).collect::<Vec<_>>().join(", ");
                let message = "Others would be left in rooms without an owner. Make somebody else owner there first";
                Self::new(ErrorCode::LastOwner, message).with_field("rooms", names)
            }
            DeletionError::TooOften(wait) => wait.into(),
            DeletionError::Password(error) => error.into(),
            DeletionError::Sessions(error) => error.into(),
            DeletionError::Store(error) => error.into(),
            DeletionError::Write(error) => error.into(),
        }
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Forbidden(why) => Self::forbidden(why),
            AdminError::NotFound => Self::not_found(),
            AdminError::Invalid(fields) => Self::invalid(fields),
            AdminError::TooOften(wait) => wait.into(),
            AdminError::Sessions(error) => error.into(),
            AdminError::Store(error) => error.into(),
        }
    }
}

impl From<RoomError> for ApiError {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Unknown => Self::not_found(),
            RoomError::Forbidden(why) => Self::forbidden(why),
            RoomError::NameTaken => Self::new(ErrorCode::RoomNameTaken, "Another room has this name")
                .with_field("name", "Another room has this name"),
            RoomError::Archived => Self::archived(),
            RoomError::LastOwner => Self::new(
                ErrorCode::LastOwner,
                "The last owner cannot go while others are here. Make somebody else owner",
            ),
            RoomError::LimitReached(why) => Self::new(ErrorCode::LimitReached, why),
            RoomError::Invalid(fields) => Self::invalid(fields),
            RoomError::TooOften(wait) => wait.into(),
            RoomError::Write(error) => error.into(),
            RoomError::Store(error) => error.into(),
        }
    }
}

impl From<GuestError> for ApiError {
    fn from(error: GuestError) -> Self {
        match error {
            GuestError::Room(error) => error.into(),
            GuestError::Session(error) => error.into(),
            GuestError::Store(error) => error.into(),
        }
    }
}

impl From<IntegrationError> for ApiError {
    fn from(error: IntegrationError) -> Self {
        match error {
            IntegrationError::NoSuchHook => Self::not_found(),
            IntegrationError::NotSignedIn => Self::not_signed_in(),
            IntegrationError::Forbidden(why) => Self::forbidden(why),
            IntegrationError::Invalid(fields) => Self::invalid(fields),
            IntegrationError::TooOften(wait) => wait.into(),
            IntegrationError::Room(error) => error.into(),
            IntegrationError::Message(error) => error.into(),
            IntegrationError::Store(error) => error.into(),
        }
    }
}

impl From<MessageError> for ApiError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Unknown => Self::not_found(),
            MessageError::Forbidden(why) => Self::forbidden(why),
            MessageError::Archived => Self::archived(),
            MessageError::TooManyReactions => {
                Self::new(ErrorCode::LimitReached, "This message takes no more different reactions")
            }
            MessageError::TooManyPins => {
                let most = limits::PINS_PER_ROOM;
                Self::new(
                    ErrorCode::LimitReached,
                    format!("A room has at most {most} pinned messages. Unpin one first"),
                )
            }
            MessageError::Invalid(fields) => Self::invalid(fields),
            MessageError::TooOften(wait) => wait.into(),
            MessageError::Write(error) => error.into(),
            MessageError::Store(error) => error.into(),
        }
    }
}

impl From<PictureError> for ApiError {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Unknown => Self::not_found(),
            PictureError::Refused(why) => Self::invalid([("file".to_owned(), why.to_string())].into()),
            PictureError::Full => Self::new(
                ErrorCode::LimitReached,
                "Your images take 200 MiB already. Delete messages with images first",
            ),
            PictureError::Forbidden(why) => Self::forbidden(why),
            PictureError::TooOften(wait) => wait.into(),
            PictureError::Busy(error) => Self {
                message: "Many images are being sent right now. Try again in a moment".into(),
                ..Self::retry(error)
            },
            PictureError::Files(error) => Self {
                message: "The server cannot store images right now. Try again later".into(),
                ..Self::retry(error)
            },
            PictureError::Store(error) => error.into(),
        }
    }
}

impl From<MarkError> for ApiError {
    fn from(error: MarkError) -> Self {
        match error {
            MarkError::Unknown => Self::not_found(),
            MarkError::Write(error) => error.into(),
            MarkError::Store(error) => error.into(),
        }
    }
}

impl From<PresenceError> for ApiError {
    fn from(error: PresenceError) -> Self {
        match error {
            PresenceError::Unknown => Self::not_found(),
            PresenceError::TooOften(wait) => wait.into(),
            PresenceError::Store(error) => error.into(),
        }
    }
}
