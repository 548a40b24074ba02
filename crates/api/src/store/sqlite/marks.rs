//! Watermarks: how far each member has received and read.

use super::Sqlite;
use super::column::{self, int};
use crate::store::{Marked, Marks, NewMark, Stored};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

fn raise(conn: &Connection, mark: NewMark) -> Stored<Option<Marked>> {
    let sql = "SELECT r.head, m.delivered, m.read FROM members m JOIN rooms r ON r.id = m.room
               WHERE m.room = ?1 AND m.user = ?2 AND m.state = 0";
    let stands = conn
        .prepare_cached(sql)?
        .query_row([mark.room.as_bytes(), mark.user.as_bytes()], |row| {
            Ok((column::seq(row, 0)?, column::seq(row, 1)?, column::seq(row, 2)?))
        })
        .optional()?;
    let Some((head, was_delivered, was_read)) = stands else { return Ok(None) };
    let read = mark.read.min(head).max(was_read);
    let delivered = mark.delivered.min(head).max(was_delivered).max(read);
    if (delivered, read) == (was_delivered, was_read) {
        return Ok(None);
    }
    let sql = "UPDATE members SET delivered = ?3, read = ?4 WHERE room = ?1 AND user = ?2";
    conn.prepare_cached(sql)?.execute(params![
        mark.room.as_bytes(),
        mark.user.as_bytes(),
        int(delivered),
        int(read)
    ])?;
    Ok(Some(Marked { room: mark.room, user: mark.user, delivered, read }))
}

#[async_trait]
impl Marks for Sqlite {
    async fn raise_marks(&self, marks: Vec<NewMark>) -> Stored<Vec<Marked>> {
        self.write(move |desk| {
            let moved: Stored<Vec<_>> = marks.into_iter().map(|mark| raise(&desk.conn, mark)).collect();
            Ok(moved?.into_iter().flatten().collect())
        })
        .await
    }
}
