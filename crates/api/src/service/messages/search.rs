//! Searching messages in one's own rooms, newest first.

use super::{MessageError, Messages, field};
use crate::service::{Caller, access, rate};
use crate::store::Search;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_shared::entry::Message;
use natter_shared::id::{RoomId, Seq};
use natter_shared::limits;
use natter_shared::page::{Page, SearchQuery, parse_limit};
use natter_shared::text::parse_query;
use natter_shared::timestamp::Timestamp;

/// The place of a message in the order of results.
type Place = (Timestamp, RoomId, Seq);

impl Messages {
    /// Messages that the caller may see and in which every word of the query begins a word.
    pub async fn search(&self, caller: &Caller, query: SearchQuery) -> Result<Page<Message>, MessageError> {
        let text = parse_query(query.q.as_deref().unwrap_or("")).map_err(|why| field("q", why.to_string()))?;
        let limit =
            parse_limit(query.limit, limits::PAGE_MAX, limits::PAGE_DEFAULT).map_err(|why| field("limit", why))?;
        let after = match query.cursor.as_deref() {
            Some(cursor) => Some(read_cursor(cursor).ok_or_else(|| field("cursor", "not a cursor of this list"))?),
            None => None,
        };
        self.parts.take_for_user("search", caller.user, rate::SEARCH).await.map_err(MessageError::TooOften)?;
        if let Some(room) = query.room {
            access::member(&self.parts, caller, room, "search a room").await?;
        }
        let search = Search { reader: caller.user, query: text, room: query.room, after, limit: limit + 1 };
        let mut messages = self.parts.store.search(search).await?;
        let more = messages.len() > limit as usize;
        messages.truncate(limit as usize);
        let cursor = messages.last().filter(|_| more).map(|last| write_cursor((last.at, last.room, last.seq)));
        let items = messages.into_iter().map(|message| access::shown(message, caller.user)).collect();
        Ok(Page { items, cursor })
    }
}

fn write_cursor((at, room, seq): Place) -> String {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend_from_slice(&at.millis().to_be_bytes());
    bytes.extend_from_slice(room.as_bytes());
    bytes.extend_from_slice(&seq.get().to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(cursor: &str) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (at, rest) = bytes.split_first_chunk::<8>()?;
    let (room, seq) = rest.split_first_chunk::<16>()?;
    let at = Timestamp::from_millis(i64::from_be_bytes(*at));
    let seq = Seq::new(u64::from_be_bytes(seq.try_into().ok()?))?;
    Some((at, RoomId::from_bytes(*room), seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let place = (Timestamp::from_millis(1_790_000_000_123), RoomId::from_bytes([7; 16]), Seq::new(42).unwrap());
        assert_eq!(read_cursor(&write_cursor(place)), Some(place));
        for bad in ["", "x", "====", &write_cursor(place)[1..], &(write_cursor(place) + "AAAA"), &"A".repeat(10_000)] {
            assert_eq!(read_cursor(bad), None, "{bad}");
        }
    }
}
