//! Full-text search. What people type is only ever quoted words; the index's own query language is never theirs.

use super::append::first_id;
use super::effects::room_word;
use super::entry::{AS_IT_STANDS, fill_reactions, message as read_message};
use super::messages::for_reader;
use super::rooms;
use crate::store::{Search, StoreError, Stored};
use natter_shared::entry::Message;
use natter_shared::id::{RoomId, Seq};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::Instant;
use unicode_normalization::char::is_combining_mark;

/// How long one search may take.
const BUDGET: Duration = Duration::from_millis(500);
/// Up to so many rooms the index itself looks into the reader's rooms only; above, hits are sorted out afterwards.
const ROOMS_IN_QUERY: usize = 100;
/// Words of a query that count.
const WORDS: usize = 16;

/// Newest first, in rooms that the reader is in.
pub(super) fn search(conn: &Connection, ask: &Search) -> Stored<Vec<Message>> {
    let mut own: HashSet<RoomId> = rooms::rooms_of(conn, ask.reader)?.into_iter().collect();
    own.retain(|room| ask.room.is_none_or(|only| only == *room));
    let Some(query) = query(&ask.query, &own) else { return Ok(Vec::new()) };
    let limit = usize::try_from(ask.limit).unwrap_or(usize::MAX);
    // Ids run in the order of time: what comes after a cursor lies before the end of the cursor's millisecond.
    let below = ask.after.map_or(i64::MAX, |(at, ..)| first_id(at.plus_millis(1)));
    let deadline = Instant::now() + BUDGET;

    let mut found: Vec<Message> = Vec::new();
    let mut hits =
        conn.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC")?;
    let mut rows = hits.query(params![query, below])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        // Messages of one millisecond are sorted by room; all of them have to be here before the last one can be cut off.
        if found.len() >= limit && found.last().is_none_or(|last| id < first_id(last.at)) {
            break;
        }
        if Instant::now() > deadline {
            return Err(StoreError::Unknown("the search took too long".into()));
        }
        let Some(message) = visible(conn, id, ask)? else { continue };
        let after = ask.after.is_none_or(|cursor| place(&message) < cursor);
        if after && own.contains(&message.room) {
            found.push(message);
        }
    }
    found.sort_by_key(|message| std::cmp::Reverse(place(message)));
    found.truncate(limit);
    for message in &mut found {
        let room = message.room;
        fill_reactions(conn, room, std::slice::from_mut(message))?;
    }
    Ok(found)
}

fn place(message: &Message) -> (Timestamp, RoomId, Seq) {
    (message.at, message.room, message.seq)
}

/// The message of that row, if the reader may see it and it is not deleted.
fn visible(conn: &Connection, id: i64, ask: &Search) -> Stored<Option<Message>> {
    let sql = format!(
        "SELECT {AS_IT_STANDS} FROM entries e JOIN users u ON u.id = e.author
         WHERE e.id = ?1 AND e.deleted IS NULL AND (e.other IS NULL OR e.other = ?2 OR e.author = ?2)"
    );
    let found = conn.prepare_cached(&sql)?.query_row(params![id, ask.reader.as_bytes()], read_message).optional()?;
    Ok(found.map(|message| for_reader(message, ask.reader)))
}

/// The text as the index's query: every word in quotes and open at its end; `None` if nothing can be found.
fn query(text: &str, rooms: &HashSet<RoomId>) -> Option<String> {
    if rooms.is_empty() {
        return None;
    }
    let words: Vec<_> = text
        .split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    if words.is_empty() {
        return None;
    }
    let mut query = format!("body : ({})", words.join(" "));
    if rooms.len() <= ROOMS_IN_QUERY {
        let places: Vec<_> = rooms.iter().map(|room| format!("\"{}\"", room_word(*room))).collect();
        query.push_str(" AND place : (");
        query.push_str(&places.join(" OR "));
        query.push(')');
    }
    Some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_words_and_nothing_else() {
        let rooms = HashSet::from([RoomId::from_bytes([1; 16])]);
        let words = |text| query(text, &rooms).map(|query| query.split(" AND place").next().unwrap().to_owned());
        assert_eq!(words("one two").unwrap(), r#"body : ("one"* "two"*)"#);
        assert_eq!(words(r#"a" OR b NEAR(c) -d*"#).unwrap(), r#"body : ("a"* "OR"* "b"* "NEAR"* "c"* "d"*)"#);
        assert_eq!(words("(a+)+$").unwrap(), r#"body : ("a"*)"#);
        assert_eq!(words("\"*^:(){}"), None);
        assert_eq!(query("one", &HashSet::new()), None);
    }
}
