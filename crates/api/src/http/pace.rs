//! How long requests take, by the template of their route: never by the path, which says who asks for what. A slow one is a
//! line in the log; all are counted for administrators.

use super::ROUTES;
use crate::service::operations::Name;
use crate::state::AppState;
use actix_web::dev::ServiceResponse;
use std::time::Duration;

/// What has no route of its own: the page's files, and what leads nowhere.
const OTHERS: Name = ("*", "/*");
/// What comes over a socket and is counted like a request.
pub const FRAME: &str = "frame";
pub const SEND: &str = "send";
pub const TYPING: &str = "typing";

/// Everything that is counted.
pub fn all() -> impl Iterator<Item = Name> {
    let routes = ROUTES.iter().map(|(method, route)| (upper(method), *route));
    routes.chain([OTHERS, (FRAME, SEND), (FRAME, TYPING)])
}

fn upper(method: &str) -> &'static str {
    match method {
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        _ => OTHERS.0,
    }
}

/// Counts a request that was answered so long after its head was there; how long the answer's body then takes is the
/// reader's doing.
pub fn answered(state: &AppState, id: &str, response: &ServiceResponse, took: Duration) {
    let request = response.request();
    let method = request.method().as_str();
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or(OTHERS.1);
    let status = response.status().as_u16();
    if !state.operations.record(method, route, status, took) {
        state.operations.record(OTHERS.0, OTHERS.1, status, took);
    }
    if let Some(ms) = slow(state, took) {
        tracing::warn!(request_id = id, method, route, status, ms, "a slow request");
    }
}

/// Counts a frame of a socket that was answered, with the status that a request would have been given.
pub fn spoken(state: &AppState, frame: &'static str, status: u16, took: Duration) {
    state.operations.record(FRAME, frame, status, took);
    if let Some(ms) = slow(state, took) {
        tracing::warn!(status, ms, "a slow frame");
    }
}

/// The milliseconds of what took too long.
fn slow(state: &AppState, took: Duration) -> Option<u64> {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    (ms >= state.config.slow_ms).then_some(ms)
}
