//! The writing side of a WebSocket: the body of the answer to its handshake, which is what the outbox holds.

use crate::realtime::link::Link;
use crate::realtime::outbox::{End, Parted, Taken};
use crate::realtime::outgoing::{Outgoing, joined};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use natter_shared::frame::CloseCode;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The peer did not hang up by itself.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(super) struct Cut;

/// Writes what the outbox holds: all of it in one piece each time.
pub(super) struct SocketBody {
    link: Arc<Link>,
    closing: bool,
    /// actix-ws' own body, which is never asked for anything: dropped with this one, it tells the reading side.
    _alive: BoxBody,
}

impl SocketBody {
    pub(super) const fn new(link: Arc<Link>, alive: BoxBody) -> Self {
        Self { link, closing: false, _alive: alive }
    }
}

impl MessageBody for SocketBody {
    type Error = Cut;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        if self.closing {
            return self.link.outbox.poll_parted(cx).map(|how| match how {
                Parted::Quietly => None,
                // An end of the body would have actix read on for a while; an error ends the connection.
                Parted::Cut => Some(Err(Cut)),
            });
        }
        self.link.outbox.poll_take(cx).map(|taken| match taken? {
            Taken::Frames(frames) => Some(Ok(joined(&frames))),
            Taken::End(end) => {
                self.closing = true;
                match end {
                    End::Close(code) => Some(Ok(Outgoing::close(code.code(), "").websocket())),
                    End::SignedOut => Some(Ok(Outgoing::close(CloseCode::SignIn.code(), "").websocket())),
                    End::Gone(Some(code)) => Some(Ok(Outgoing::close(code, "").websocket())),
                    End::Gone(None) => None,
                }
            }
        })
    }
}

impl Drop for SocketBody {
    fn drop(&mut self) {
        self.link.outbox.writer_gone();
    }
}
