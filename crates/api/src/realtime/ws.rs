//! One WebSocket: its handshake. Then the body of the answer writes (`writing`) and a task reads (`reading`).

mod reading;
mod writing;

use super::doors::Full;
use super::frame_guard::Guarded;
use super::link::Link;
use super::patience::Patience;
use super::shard::Shard;
use crate::http::error::ApiError;
use crate::http::extract::From;
use crate::http::headers::RequestId;
use crate::state::AppState;
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use natter_shared::error::{ErrorBody, ErrorCode};
use natter_shared::{limits, path};
use reading::Socket;
use std::sync::Arc;
use tokio::time::Instant;
use writing::SocketBody;

/// The request's payload, untouched.
pub struct Raw(Payload);

impl FromRequest for Raw {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self(payload.take())))
    }
}

/// A WebSocket. The first frame is `hello`; docs/protocol.md lists the frames.
#[utoipa::path(get, path = path::WEBSOCKET, tag = "real time", security(()), responses(
    (status = 101, description = "Switched to WebSocket"),
    (status = 400, description = "bad_request: not a WebSocket handshake", body = ErrorBody),
    (status = 403, description = "bad_origin", body = ErrorBody),
    (status = 429, description = "rate_limited: too many connections from this address", body = ErrorBody),
    (status = 503, description = "retry: the server stops, or too many are signing in", body = ErrorBody),
))]
pub async fn connect(
    from: From,
    state: Data<AppState>,
    shard: Data<Arc<Shard>>,
    req: HttpRequest,
    raw: Raw,
) -> Result<HttpResponse, ApiError> {
    check_origin(&req, &state)?;
    if state.stopping.has_begun() {
        return Err(ApiError::retry("the server stops"));
    }
    let pass = state.doors.enter(from.0.ip).map_err(refused)?;
    let (mut payload, rest) = Guarded::around(raw.0);
    let payload = web::Payload::from_request(&req, &mut payload).await.map_err(ApiError::internal)?;
    let (response, session, messages) = actix_ws::handle(&req, payload)
        .map_err(|error| ApiError::bad_request("This path speaks WebSocket").because(error))?;
    // Frames go from the outbox into the response's body, without a channel between.
    drop(session);
    let link = Arc::new(Link::socket(Instant::now()));
    let messages = messages.max_frame_size(limits::FRAME_MAX_BYTES).aggregate_continuations();
    let messages = messages.max_continuation_size(limits::FRAME_MAX_BYTES);
    let socket = Socket {
        state: Data::clone(&state),
        shard: Arc::clone(&shard),
        link: Arc::clone(&link),
        messages,
        rest,
        patience: Patience::new(Instant::now()),
        ip: from.0.ip.to_string(),
    };
    actix_web::rt::spawn(socket.run(pass, RequestId::of(&req)));
    Ok(response.map_body(|_, alive| BoxBody::new(SocketBody::new(link, alive))))
}

/// Browsers say which page they come from, and only this server's own may. A program that is no browser says nothing; it
/// signs in by token like everybody.
fn check_origin(req: &HttpRequest, state: &AppState) -> Result<(), ApiError> {
    let mut origins = req.headers().get_all(header::ORIGIN);
    let own = match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| state.origins.allows(origin)),
        (Some(_), Some(_)) => false,
    };
    if own { Ok(()) } else { Err(ApiError::new(ErrorCode::BadOrigin, "This socket is for this server's own page")) }
}

pub(super) fn refused(full: Full) -> ApiError {
    let (code, message) = match full {
        Full::Address => (ErrorCode::RateLimited, "Too many connections from this address"),
        Full::Person => (ErrorCode::LimitReached, "Too many connections of one person"),
        Full::Unsigned => (ErrorCode::Retry, "Too many are signing in just now. Try again"),
    };
    ApiError::new(code, message).after(10_000)
}
