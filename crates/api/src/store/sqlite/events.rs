//! The log of events: the `events` table.

use super::Sqlite;
use super::column;
use crate::store::{EventSearch, Events, Stored, Tally, TallySearch};
use async_trait::async_trait;
use natter_shared::event::{Event, EventKind};
use natter_shared::id::{RoomId, SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row, params, params_from_iter};

/// Events that one call of [`Events::prune_events`] forgets: a write that others do not wait long for.
const PRUNED_AT_ONCE: i64 = 5_000;

fn event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        at: column::time(row, 0)?,
        id: column::id(row, 1)?,
        kind: EventKind::of(row.get_ref(2)?.as_str()?),
        user: column::id_or_none(row, 3)?,
        other: column::id_or_none(row, 4)?,
        room: column::id_or_none(row, 5)?,
        session: column::id_or_none(row, 6)?,
        ip: row.get(7)?,
        what: row.get(8)?,
        count: row.get::<_, i64>(9)?.unsigned_abs(),
    })
}

fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn append(conn: &Connection, events: &[Event]) -> Stored<()> {
    let sql = "INSERT INTO events (at, id, kind, user, other, room, session, ip, what, count)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (at, id) DO NOTHING";
    let mut insert = conn.prepare_cached(sql)?;
    for event in events {
        insert.execute(params![
            event.at.millis(),
            event.id.as_bytes(),
            event.kind.word(),
            event.user.as_ref().map(UserId::as_bytes),
            event.other.as_ref().map(UserId::as_bytes),
            event.room.as_ref().map(RoomId::as_bytes),
            event.session.as_ref().map(SessionId::as_bytes),
            event.ip,
            event.what,
            int(event.count),
        ])?;
    }
    Ok(())
}

/// Conditions that all hold, and their values in the order of their question marks.
#[derive(Default)]
struct Which {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Which {
    fn and(&mut self, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.sql.push(sql.into());
        self.values.extend(values);
    }

    fn of_kinds(&mut self, kinds: &[EventKind]) {
        let marks = vec!["?"; kinds.len()].join(", ");
        self.and(format!("kind IN ({marks})"), kinds.iter().map(|kind| Value::from(kind.word().to_owned())));
    }

    fn clause(&self) -> String {
        if self.sql.is_empty() { "true".to_owned() } else { self.sql.join(" AND ") }
    }
}

fn search(conn: &Connection, search: &EventSearch) -> Stored<Vec<Event>> {
    let mut which = Which::default();
    if !search.kinds.is_empty() {
        which.of_kinds(&search.kinds);
    }
    if let Some(person) = search.person {
        let person = Value::from(person.as_bytes().to_vec());
        which.and("(user = ? OR other = ?)", [person.clone(), person]);
    }
    if let Some(from) = search.from {
        which.and("at >= ?", [Value::from(from.millis())]);
    }
    if let Some(to) = search.to {
        which.and("at < ?", [Value::from(to.millis())]);
    }
    if let Some((at, id)) = search.after {
        which.and("(at, id) < (?, ?)", [Value::from(at.millis()), Value::from(id.as_bytes().to_vec())]);
    }
    let sql = format!(
        "SELECT at, id, kind, user, other, room, session, ip, what, count FROM events
         WHERE {} ORDER BY at DESC, id DESC LIMIT {}",
        which.clause(),
        search.limit
    );
    let mut found = conn.prepare_cached(&sql)?;
    let events = found.query_map(params_from_iter(which.values), event)?;
    Ok(events.collect::<Result<_>>()?)
}

fn tally(conn: &Connection, search: &TallySearch) -> Stored<Vec<Tally>> {
    let mut which = Which::default();
    which.of_kinds(&search.kinds);
    which.and("at >= ?", [Value::from(search.from.millis())]);
    which.and("at < ?", [Value::from(search.to.millis())]);
    let step = search.step_ms.max(1);
    let sql = format!(
        "SELECT at / {step} * {step} AS stretch, kind, sum(total), max(total)
         FROM (SELECT at, kind, sum(count) AS total FROM events WHERE {} GROUP BY kind, at)
         GROUP BY stretch, kind ORDER BY stretch",
        which.clause()
    );
    let mut found = conn.prepare_cached(&sql)?;
    let tallies = found.query_map(params_from_iter(which.values), |row| {
        Ok(Tally {
            at: column::time(row, 0)?,
            kind: EventKind::of(row.get_ref(1)?.as_str()?),
            sum: row.get::<_, i64>(2)?.unsigned_abs(),
            most: row.get::<_, i64>(3)?.unsigned_abs(),
        })
    })?;
    Ok(tallies.collect::<Result<_>>()?)
}

#[async_trait]
impl Events for Sqlite {
    async fn append_events(&self, events: Vec<Event>) -> Stored<()> {
        self.write(move |desk| append(&desk.conn, &events)).await
    }

    async fn events(&self, ask: EventSearch) -> Stored<Vec<Event>> {
        self.read(move |conn| search(conn, &ask)).await
    }

    async fn tally_events(&self, ask: TallySearch) -> Stored<Vec<Tally>> {
        self.read(move |conn| tally(conn, &ask)).await
    }

    async fn prune_events(&self, before: Timestamp) -> Stored<u64> {
        self.write(move |desk| {
            let sql = "DELETE FROM events WHERE (at, id) IN (SELECT at, id FROM events WHERE at < ?1 LIMIT ?2)";
            let gone = desk.conn.prepare_cached(sql)?.execute(params![before.millis(), PRUNED_AT_ONCE])?;
            Ok(u64::try_from(gone).unwrap_or(u64::MAX))
        })
        .await
    }
}
