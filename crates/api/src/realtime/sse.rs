//! One event stream: the same frames as a socket, for networks that let no WebSocket through. Sending goes by REST.

use super::dispatch;
use super::link::Link;
use super::opening::{self, Opened};
use super::outbox::{End, Taken};
use super::outgoing::Outgoing;
use super::shard::Shard;
use super::ws::refused;
use crate::http::error::ApiError;
use crate::http::extract::{From, Login};
use crate::state::AppState;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_shared::error::ErrorBody;
use natter_shared::frame::Cursors;
use natter_shared::id::{RoomId, Seq};
use natter_shared::{limits, path};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// A reader of more rooms is told where it stands with each `heads` frame only: an id names every room.
const ROOMS_IN_EVERY_ID: usize = 32;

/// The server's frames as an event stream: `event:` is the frame's type, `id:` where the reader stands afterwards.
#[utoipa::path(get, path = path::EVENTS, tag = "real time", params(
    ("Last-Event-ID" = Option<String>, Header, description = "The last id of an earlier stream: what came after it follows"),
), responses(
    (status = 200, description = "The stream", content_type = "text/event-stream"),
    (status = 400, description = "bad_request: not an id of such a stream", body = ErrorBody),
    (status = 409, description = "limit_reached: too many connections of this person", body = ErrorBody),
    (status = 429, description = "rate_limited: too many connections from this address", body = ErrorBody),
    (status = 503, description = "retry: the server stops", body = ErrorBody),
))]
pub async fn events(
    login: Login,
    from: From,
    state: Data<AppState>,
    shard: Data<Arc<Shard>>,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    if state.stopping.has_begun() {
        return Err(ApiError::retry("the server stops"));
    }
    let cursors = match req.headers().get("last-event-id").map(|id| id.to_str().unwrap_or("?")) {
        None | Some("") => Cursors::new(),
        Some(id) => read_cursors(id).ok_or_else(|| {
            ApiError::bad_request("Last-Event-ID is not an id of such a stream")
                .with_field("Last-Event-ID", "not one of ours")
        })?,
    };
    let pass = state.doors.enter(from.0.ip).map_err(refused)?;
    let link = Arc::new(Link::stream(Instant::now()));
    let opened = opening::open(&state, &shard, &link, pass, login.0, None, &cursors).await?;
    let told = opened.told.clone();
    let body = StreamBody { state, link, opened: Some(opened), told, end: End::Gone(None) };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        // Buffering proxies would hold events back.
        .insert_header(("x-accel-buffering", "no"))
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        .body(BoxBody::new(body)))
}

struct StreamBody {
    state: Data<AppState>,
    link: Arc<Link>,
    opened: Option<Opened>,
    told: Cursors,
    end: End,
}

impl StreamBody {
    fn write(&mut self, frames: &[Outgoing]) -> Bytes {
        let mut out = BytesMut::with_capacity(frames.iter().map(|frame| frame.len() + 64).sum());
        for frame in frames {
            if frame.json().is_empty() {
                out.extend_from_slice(b":\n\n");
                continue;
            }
            if let Some((room, _, last)) = frame.span {
                self.told.insert(room, last);
                // The reader of a stream cannot say that it has received something.
                if let Some(opened) = &self.opened {
                    dispatch::received(&self.state, &opened.caller, room, last);
                }
            }
            let says_where = match frame.kind() {
                "entries" => self.told.len() <= ROOMS_IN_EVERY_ID,
                "welcome" | "heads" | "resync" => true,
                _ => false,
            };
            if says_where {
                out.extend_from_slice(b"id: ");
                out.extend_from_slice(write_cursors(&self.told).as_bytes());
                out.extend_from_slice(b"\n");
            }
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(frame.kind().as_bytes());
            // JSON as it is written here has no line breaks.
            out.extend_from_slice(b"\ndata: ");
            out.extend_from_slice(frame.json());
            out.extend_from_slice(b"\n\n");
        }
        out.freeze()
    }
}

impl MessageBody for StreamBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let link = Arc::clone(&self.link);
        link.outbox.poll_take(cx).map(|taken| match taken? {
            Taken::Frames(frames) => Some(Ok(self.write(&frames))),
            Taken::End(end) => {
                self.end = end;
                None
            }
        })
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.link.outbox.writer_gone();
        if let Some(opened) = self.opened.take() {
            opened.close(self.end);
        }
    }
}

/// Where a reader stands, as short as it goes: for each room its 16 bytes and the seq in groups of seven bits.
fn write_cursors(cursors: &Cursors) -> String {
    let mut bytes = Vec::with_capacity(cursors.len() * 19);
    for (room, seq) in cursors {
        bytes.extend_from_slice(room.as_bytes());
        let mut rest = seq.get();
        while rest >= 0x80 {
            bytes.push((rest & 0x7F) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push((rest & 0x7F) as u8);
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursors(text: &str) -> Option<Cursors> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut rest = &bytes[..];
    let mut cursors = Cursors::new();
    while !rest.is_empty() {
        let (room, behind) = rest.split_first_chunk::<16>()?;
        rest = behind;
        let mut seq = 0_u64;
        for shift in (0..=49).step_by(7) {
            let (byte, behind) = rest.split_first()?;
            rest = behind;
            seq |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            if shift == 49 {
                return None;
            }
        }
        cursors.insert(RoomId::from_bytes(*room), Seq::new(seq)?);
        if cursors.len() > limits::CURSORS_MAX {
            return None;
        }
    }
    Some(cursors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_where_a_reader_stands() {
        let cursors: Cursors = [(1, 0), (2, 127), (3, 128), (4, Seq::MAX.get())]
            .map(|(room, seq)| (RoomId::from_bytes([room; 16]), Seq::new(seq).unwrap()))
            .into();
        assert_eq!(read_cursors(&write_cursors(&cursors)), Some(cursors));
        assert_eq!(read_cursors(""), Some(Cursors::new()));
        for bad in ["?", "AAAA", "====", &write_cursors(&[(RoomId::from_bytes([1; 16]), Seq::ZERO)].into())[..21]] {
            assert_eq!(read_cursors(bad), None, "{bad}");
        }
    }
}
