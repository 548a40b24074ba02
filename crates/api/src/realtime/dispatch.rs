//! From a client's frame to the one service call that it means. REST calls the same functions.

use super::outgoing::Outgoing;
use crate::http::error::ApiError;
use crate::http::{self, pace};
use crate::service::Caller;
use crate::state::AppState;
use natter_shared::frame::{SendFrame, ServerFrame};
use natter_shared::id::{RoomId, Seq};
use tokio::time::Instant;

/// Says a message; the answer is an `ack` or an `error`, and the error for the log.
///
/// The first time this is polled it queues the message, so polling each once in the order in which they came keeps that
/// order in the log.
pub async fn send(state: &AppState, caller: &Caller, frame: SendFrame) -> (Outgoing, Option<ApiError>) {
    #[cfg(feature = "planted-bugs")]
    crate::planted::before_dispatch();
    let client_id = frame.client_id;
    let (room, form) = frame.into_form();
    let begun = Instant::now();
    let sent = state.messages.send(caller, room, form).await.map_err(ApiError::from);
    pace::spoken(state, pace::SEND, sent.as_ref().map_or_else(http::status, |_| 200), begun.elapsed());
    match sent {
        Ok(sent) => {
            let ack = ServerFrame::Ack { client_id, room, seq: sent.entry.seq, at: sent.entry.at };
            (Outgoing::new(&ack), None)
        }
        Err(error) => (Outgoing::new(&error.frame(Some(client_id))), Some(error)),
    }
}

pub async fn typing(state: &AppState, caller: &Caller, room: RoomId) -> Result<(), ApiError> {
    let begun = Instant::now();
    let told = state.presence.typing(caller, room).await.map_err(ApiError::from);
    pace::spoken(state, pace::TYPING, told.as_ref().map_or_else(http::status, |()| 200), begun.elapsed());
    told
}

pub fn read(state: &AppState, caller: &Caller, room: RoomId, seq: Seq) {
    state.marks.read(caller, room, seq);
}

pub fn received(state: &AppState, caller: &Caller, room: RoomId, seq: Seq) {
    state.marks.received(caller, room, seq);
}

/// A fresh access token of the same login.
pub async fn token(state: &AppState, caller: &Caller, token: &str) -> Result<Caller, ApiError> {
    let fresh = state.sessions.authenticate(token).await?;
    if (fresh.user, fresh.session) == (caller.user, caller.session) {
        Ok(fresh)
    } else {
        Err(ApiError::not_signed_in())
    }
}
