//! What administrators of the server see and do.

use super::client::{Api, Method};
use super::error::ApiError;
use natter_shared::account::Empty;
use natter_shared::admin::{Account, AccountPatch, AdminRoom, EventPage, EventsQuery, Figures, Operations, Step};
use natter_shared::id::UserId;
use natter_shared::page::Page;
use natter_shared::path::{self, with_query};

pub async fn figures(api: &Api, step: Step) -> Result<Figures, ApiError> {
    let word = match step {
        Step::Minute => "minute",
        Step::Hour => "hour",
        Step::Day => "day",
    };
    api.get(&with_query(path::ADMIN_FIGURES, &[("step", Some(word.to_owned()))])).await
}

/// How long what a node is asked for takes: that of the node that answers.
pub async fn operations(api: &Api) -> Result<Operations, ApiError> {
    api.get(path::ADMIN_OPERATIONS).await
}

/// The log of events, newest first.
pub async fn events(api: &Api, query: EventsQuery) -> Result<EventPage, ApiError> {
    let EventsQuery { kind, person, from, to, limit, cursor } = query;
    let query = [
        ("kind", kind),
        ("person", person),
        ("from", from.map(|at| at.to_string())),
        ("to", to.map(|at| at.to_string())),
        ("limit", limit.map(|limit| limit.to_string())),
        ("cursor", cursor),
    ];
    api.get(&with_query(path::ADMIN_EVENTS, &query)).await
}

/// Everybody whose username begins with `q`.
pub async fn users(api: &Api, q: Option<String>, cursor: Option<String>) -> Result<Page<Account>, ApiError> {
    api.get(&with_query(path::ADMIN_USERS, &[("q", q), ("cursor", cursor)])).await
}

/// Keeps somebody out, or lets them in again.
pub async fn disable(api: &Api, user: UserId, disabled: bool) -> Result<Account, ApiError> {
    api.send(Method::Patch, &path::admin_user(user), Some(&AccountPatch { disabled })).await
}

/// Ends all logins of somebody.
pub async fn sign_out(api: &Api, user: UserId) -> Result<(), ApiError> {
    api.send(Method::Post, &path::admin_sign_out(user), Some(&Empty {})).await
}

/// All rooms whose name holds `q`.
pub async fn rooms(api: &Api, q: Option<String>, cursor: Option<String>) -> Result<Page<AdminRoom>, ApiError> {
    api.get(&with_query(path::ADMIN_ROOMS, &[("q", q), ("cursor", cursor)])).await
}
