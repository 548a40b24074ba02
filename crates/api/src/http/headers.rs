//! What every answer carries: a request id, the headers that keep browsers safe, and, if it is a failure, the body of the
//! contract. Every failure stands in the log with its request id.

use super::error::ApiError;
use super::pace;
use super::page::Page;
use super::unread::Rest;
use crate::clock::random;
use crate::service::events::{Events, Note};
use crate::state::AppState;
use crate::telemetry;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use natter_shared::error::ErrorCode;
use natter_shared::event::EventKind;
use natter_shared::{integration, path};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use tokio::time::Instant;
use tracing::Instrument as _;

/// What comes before the secret of a webhook, wherever in a path it stands.
const HOOKS: &str = "/hooks/";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of an id that a proxy gives.
const GIVEN_ID_MAX: usize = 64;

/// By what the lines of the log, and the answer, name a request.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id of a request that is being answered.
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self("-".into()))
    }

    /// The id that a proxy which is trusted has given the request, so that its log and this one name it alike; or a new one.
    /// What anybody else writes is not even looked at, for it would stand in the log under somebody else's id.
    fn given_or_new(request: &ServiceRequest, state: &AppState) -> Self {
        let mut given = request.headers().get_all(REQUEST_ID);
        let given = given.next().filter(|_| given.next().is_none()).and_then(|id| id.to_str().ok());
        let id = given.filter(|id| is_well_formed(id) && state.config.trusted_proxies.trusts(request.peer_addr()));
        Self(id.map_or_else(|| new_id(state).into(), Into::into))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_well_formed(id: &str) -> bool {
    (1..=GIVEN_ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Headers with one value for all answers.
pub(super) const FIXED: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// A year; browsers that came by TLS come by nothing else any more.
pub(super) const HSTS: &str = "max-age=31536000";

/// The content security policy, with the hashes of the inline scripts of the served page.
pub fn content_security_policy(script_hashes: &[String]) -> String {
    let mut scripts = String::from("'self' 'wasm-unsafe-eval'");
    for hash in script_hashes {
        let _ = write!(scripts, " 'sha256-{hash}'");
    }
    format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' blob:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

/// The outermost middleware.
pub async fn finish(mut req: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse, Error> {
    let state = req.app_data::<web::Data<AppState>>().cloned();
    let page = req.app_data::<web::Data<Page>>().cloned();
    let (Some(state), Some(page)) = (state, page) else {
        return Ok(next.call(req).await?.map_into_boxed_body());
    };
    let id = RequestId::given_or_new(&req, &state);
    req.extensions_mut().insert(id.clone());
    let rest = Rest::of(&mut req);
    // The level of errors, so that whatever is logged has it.
    let span = tracing::error_span!("request", request_id = %id, method = %req.method());
    // What a route fails with is an answer already. The request must not be held here: the router needs it alone.
    let begun = Instant::now();
    let response = next.call(req).instrument(span.clone()).await?.map_into_boxed_body();
    let id = id.as_str();
    pace::answered(&state, id, &response, begun.elapsed());
    telemetry::answered(&span, response.request().match_pattern(), response.status().as_u16());
    let mut response = with_body(response, id, &state.events);
    if let Some(rest) = rest {
        response = response.map_body(|_, body| rest.held_by(body));
    }
    let is_page = response.headers().contains_key(header::CACHE_CONTROL);
    let headers = response.headers_mut();
    set(headers, page.policy(), id, state.origins.is_https());
    if !is_page {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn new_id(state: &AppState) -> String {
    random::<12>(&*state.entropy).iter().fold(String::with_capacity(24), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

fn set(headers: &mut HeaderMap, policy: &HeaderValue, id: &str, https: bool) {
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // An image has a stricter one of its own.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}

/// Gives a failure its body and its line in the log.
fn with_body(response: ServiceResponse, id: &str, events: &Events) -> ServiceResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        tracing::debug!(request_id = id, status = status.as_u16(), path = &*shown_path(&response), "answered");
        return response;
    }
    let error = match response.response().error() {
        Some(error) => error.as_error::<ApiError>().cloned().unwrap_or_else(|| plain(status).because(error)),
        // A handler that answers a failure by itself has its own body (health).
        None if !matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0)) => {
            tracing::info!(request_id = id, status = status.as_u16(), path = &*shown_path(&response), "refused");
            return response;
        }
        None => plain(status),
    };
    log(&error, status, id, &response);
    events.count(EventKind::Errors, error.code.word(), 1);
    if matches!(error.code, ErrorCode::Internal | ErrorCode::Other) {
        events.note(Note::of(EventKind::Failed).saying(id.to_owned()));
    }
    let (req, mut response) = response.into_parts();
    let body = serde_json::to_vec(&error.body(id)).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = error.retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.div_ceil(1_000).max(1)));
    }
    if matches!(error.code, ErrorCode::NotSignedIn) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if matches!(error.code, ErrorCode::Timeout | ErrorCode::TooLarge) {
        // The rest of the body is not waited for.
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    ServiceResponse::new(req, response.set_body(BoxBody::new(body)))
}

/// What the framework refused by itself.
fn plain(status: StatusCode) -> ApiError {
    match status {
        StatusCode::NOT_FOUND => ApiError::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            ApiError::new(ErrorCode::MethodNotAllowed, "This path does not take that method")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::TooLarge, "This is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::new(ErrorCode::UnsupportedMediaType, "This is not JSON"),
        StatusCode::REQUEST_TIMEOUT => ApiError::new(ErrorCode::Timeout, "The request took too long"),
        status if status.is_client_error() => ApiError::bad_request("The server cannot read this request"),
        _ => ApiError::internal("an answer without a cause"),
    }
}

/// A request's path as it may stand in a log: where a secret is part of it, the route's template, and of a path that only
/// looks like one nothing behind the place where the secret would begin.
fn shown_path(response: &ServiceResponse) -> Cow<'_, str> {
    let path = response.request().path();
    if response.request().match_pattern().is_some_and(|route| route == path::HOOK) {
        return path::HOOK.into();
    }
    let looks_like = |prefix: &str| path.find(prefix).map(|at| at + prefix.len());
    match [integration::WEBHOOK_PREFIX, integration::BOT_PREFIX, HOOKS].into_iter().filter_map(looks_like).min() {
        Some(end) => format!("{}…", &path[..end]).into(),
        None => path.into(),
    }
}

fn log(error: &ApiError, status: StatusCode, id: &str, response: &ServiceResponse) {
    let (method, path) = (response.request().method(), &*shown_path(response));
    let (code, status, cause) = (error.code, status.as_u16(), error.cause().unwrap_or("-"));
    if matches!(error.code, ErrorCode::Internal | ErrorCode::Other) {
        tracing::error!(request_id = id, status, ?code, %method, path, cause, "failed");
    } else {
        tracing::info!(request_id = id, status, ?code, %method, path, cause, "refused");
    }
}
