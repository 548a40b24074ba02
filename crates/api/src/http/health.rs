//! Whether the process lives, and whether it can do its work.

use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::Data;
use natter_shared::path;
use serde::Serialize;
use std::time::Duration;

/// How long the store may take to answer before this node counts as not ready.
const PING_TIME: Duration = Duration::from_secs(3);

#[derive(Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, `stopping`, or `store` if the store does not do its work.
    status: &'static str,
    /// It works, but does without something that it depends on for working well with other nodes.
    degraded: bool,
    /// What that is: `redis`.
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<&'static str>,
}

impl Health {
    const fn of(status: &'static str) -> Self {
        Self { status, degraded: false, without: None }
    }
}

/// The process lives.
#[utoipa::path(get, path = path::LIVE, tag = "health", security(()), responses(
    (status = 200, description = "It lives", body = Health),
))]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health::of("ok"))
}

/// This node can do its work.
#[utoipa::path(get, path = path::READY, tag = "health", security(()), responses(
    (status = 200, description = "It can, maybe alone", body = Health),
    (status = 503, description = "It stops, or the store does not answer or cannot be written", body = Health),
))]
pub async fn ready(state: Data<AppState>) -> HttpResponse {
    if state.stopping.has_begun() {
        return HttpResponse::ServiceUnavailable().json(Health::of("stopping"));
    }
    match tokio::time::timeout(PING_TIME, state.store.ping()).await {
        Ok(Ok(())) => {
            let without = state.bus.without();
            HttpResponse::Ok().json(Health { status: "ok", degraded: without.is_some(), without })
        }
        failed => {
            let why =
                failed.map_or_else(|_| "no answer".to_owned(), |r| r.err().map_or_else(String::new, |e| e.to_string()));
            tracing::warn!(%why, "not ready");
            HttpResponse::ServiceUnavailable().json(Health::of("store"))
        }
    }
}
