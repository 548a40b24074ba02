//! Receiving bytes that are no JSON: lazily, for a service says when there is room for them, and within bounds of size and
//! time.

use super::error::ApiError;
use actix_multipart::{Field, Multipart as Parts, MultipartError};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, mime};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use natter_shared::error::ErrorCode;
use std::future::{Ready, ready};
use std::time::Duration;
use tokio::time::timeout;

/// All of it must be there within this time, and something of it within the shorter one.
const WHOLE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_secs(10);
/// What a form may hold beside the file: its names and borders, in bytes.
const AROUND: u64 = 16 * 1024;

fn declared(req: &HttpRequest) -> Option<u64> {
    req.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(ErrorCode::TooLarge, format!("An image may have at most {} MiB here", limit / (1024 * 1024)))
}

fn too_slow() -> ApiError {
    ApiError::new(ErrorCode::Timeout, "The image took too long to come. Try again")
}

fn breaks_off() -> ApiError {
    ApiError::bad_request("The image breaks off")
}

/// All bytes of a stream, at most `limit`.
async fn collect<E>(
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limit: usize,
    why: impl Fn(E) -> ApiError,
) -> Result<Bytes, ApiError> {
    let mut all = BytesMut::new();
    loop {
        let Some(chunk) = timeout(PAUSE, stream.next()).await.map_err(|_| too_slow())? else { return Ok(all.freeze()) };
        let chunk = chunk.map_err(&why)?;
        if all.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        all.extend_from_slice(&chunk);
    }
}

/// The body as it is.
pub struct Raw {
    payload: Payload,
    declared: Option<u64>,
    image: bool,
}

impl FromRequest for Raw {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        use actix_web::HttpMessage as _;
        // Also what a program sends that does not know better; what it is shows in the bytes.
        let image = matches!(req.mime_type(), Ok(Some(it)) if it.type_() == mime::IMAGE || it == mime::APPLICATION_OCTET_STREAM);
        ready(Ok(Self { payload: payload.take(), declared: declared(req), image }))
    }
}

impl Raw {
    pub async fn receive(self, limit: usize) -> Result<Bytes, ApiError> {
        if !self.image {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "Send the image itself as the body"));
        }
        if self.declared.is_some_and(|length| length > limit as u64) {
            return Err(too_large(limit));
        }
        let all = collect(self.payload, limit, |_: PayloadError| breaks_off());
        timeout(WHOLE, all).await.map_err(|_| too_slow())?
    }
}

/// A form with one field, `file`.
pub struct Multipart {
    parts: Parts,
    declared: Option<u64>,
}

impl FromRequest for Multipart {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { parts: Parts::new(req.headers(), payload.take()), declared: declared(req) }))
    }
}

impl Multipart {
    pub async fn receive(self, limit: usize) -> Result<Bytes, ApiError> {
        if self.declared.is_some_and(|length| length > limit as u64 + AROUND) {
            return Err(too_large(limit));
        }
        timeout(WHOLE, one_field(self.parts, limit)).await.map_err(|_| too_slow())?
    }
}

async fn one_field(mut parts: Parts, limit: usize) -> Result<Bytes, ApiError> {
    let field = next(&mut parts).await?.ok_or_else(|| ApiError::bad_request("The form has no field `file`"))?;
    if field.name() != Some("file") {
        return Err(ApiError::bad_request("The form has one field, `file`"));
    }
    let bytes = collect(field, limit, refused).await?;
    match next(&mut parts).await? {
        None => Ok(bytes),
        Some(_) => Err(ApiError::bad_request("The form has one field, `file`")),
    }
}

async fn next(parts: &mut Parts) -> Result<Option<Field>, ApiError> {
    let field = timeout(PAUSE, parts.next()).await.map_err(|_| too_slow())?;
    field.transpose().map_err(refused)
}

fn refused(error: MultipartError) -> ApiError {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible
        | MultipartError::BoundaryMissing => {
            let message = "Send a form with one field, `file`, as multipart/form-data";
            ApiError::new(ErrorCode::UnsupportedMediaType, message)
        }
        MultipartError::Incomplete | MultipartError::Payload(_) => breaks_off().because(error),
        _ => ApiError::bad_request("The form cannot be read").because(error),
    }
}
