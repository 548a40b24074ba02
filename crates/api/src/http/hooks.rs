//! What webhooks post: JSON with a `text`, a form that holds such JSON, or plain text. The secret stands in the path, so
//! nothing here may write the path down (`headers.rs` logs the template of the route).

use super::error::ApiError;
use super::extract::{From, Path, parse_json, whole_body};
use crate::service::messages::Sent;
use crate::state::AppState;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use natter_shared::entry::Entry;
use natter_shared::error::{ErrorBody, ErrorCode};
use natter_shared::integration::HookForm;
use natter_shared::path;
use std::pin::Pin;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What a webhook says, and by what a repeat of it is known.
pub struct Said {
    form: HookForm,
    key: Option<String>,
}

impl FromRequest for Said {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = req.mime_type().ok().flatten().map(|mime| mime.essence_str().to_owned()).unwrap_or_default();
        let encoded = req.headers().contains_key(header::CONTENT_ENCODING);
        let key = req.headers().get(IDEMPOTENCY_KEY).map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        let body = whole_body(req, payload.take());
        Box::pin(async move {
            let read: fn(&[u8]) -> Result<HookForm, ApiError> = match kind.as_str() {
                _ if encoded => return Err(unsupported()),
                "application/json" => parse_json,
                "application/x-www-form-urlencoded" => form,
                "text/plain" => plain,
                _ => return Err(unsupported()),
            };
            Ok(Self { form: read(&body.await?)?, key })
        })
    }
}

fn unsupported() -> ApiError {
    let message = "Send JSON with a text, or plain text, and say which with Content-Type";
    ApiError::new(ErrorCode::UnsupportedMediaType, message)
}

fn plain(body: &[u8]) -> Result<HookForm, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| ApiError::bad_request("The text is not UTF-8"))?;
    Ok(HookForm { text: text.to_owned(), client_id: None })
}

/// A form with the JSON in `payload`, or with the `text` alone.
fn form(body: &[u8]) -> Result<HookForm, ApiError> {
    let field = |name: &str| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value);
    match (field("payload"), field("text")) {
        (Some(payload), _) => parse_json(payload.as_bytes()),
        (None, Some(text)) => Ok(HookForm { text: text.into_owned(), client_id: None }),
        (None, None) => Err(ApiError::bad_request("The form has neither a payload nor a text")),
    }
}

/// Say something as a webhook. With a `client_id` or an `Idempotency-Key` a repeat is answered with the first entry;
/// without, each call is a message.
#[utoipa::path(post, path = path::HOOK, tag = "integrations", security(()),
    params(("secret" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "At most 255 bytes")),
    request_body(content((HookForm = "application/json"), (String = "text/plain"))), responses(
    (status = 201, description = "The entry, stored durably", body = Entry),
    (status = 200, description = "A repeat: the first entry again", body = Entry),
    (status = 400, description = "invalid or bad_request", body = ErrorBody),
    (status = 404, description = "not_found: no webhook has this secret, or it was revoked", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
    (status = 413, description = "too_large", body = ErrorBody),
    (status = 415, description = "unsupported_media_type", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry: the outcome is unknown", body = ErrorBody),
))]
pub async fn post(
    state: Data<AppState>,
    secret: Path<String>,
    origin: From,
    said: Said,
) -> Result<HttpResponse, ApiError> {
    let Sent { entry, again } = state.integrations.post(&secret.0, said.form, said.key, &origin.0).await?;
    let mut answer = if again { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(answer.json(entry))
}
