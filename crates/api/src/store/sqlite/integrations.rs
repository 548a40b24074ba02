//! Integrations: the `integrations` table, a row beside that of the person as whom each speaks.

use super::Sqlite;
use super::accounts::{RECORD, RECORDS, record_of, records};
use super::column::{self, Code};
use crate::store::{IntegrationRecord, Integrations, Stored, TokenHash, UserRecord};
use async_trait::async_trait;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::{IntegrationKind, Scope, Scopes};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

impl Code for IntegrationKind {
    const ALL: &'static [Self] = &[Self::Webhook, Self::Bot];
    fn code(self) -> i64 {
        match self {
            Self::Webhook => 0,
            Self::Bot => 1,
        }
    }
}

impl Code for Scope {
    const ALL: &'static [Self] = &Self::ALL;
    fn code(self) -> i64 {
        match self {
            Self::MessagesRead => 1,
            Self::MessagesWrite => 2,
            Self::MembersRead => 4,
        }
    }
}

fn bits(scopes: Scopes) -> i64 {
    Vec::from(scopes).into_iter().map(Code::code).sum()
}

fn scopes(bits: i64) -> Scopes {
    Scope::ALL.into_iter().filter(|scope| bits & scope.code() != 0).collect::<Vec<_>>().into()
}

/// An integration out of the last columns of [`RECORD`], if the person is one.
pub(super) fn integration(row: &Row<'_>, at: usize) -> Result<Option<IntegrationRecord>> {
    let Some(room) = column::id_or_none(row, at)? else { return Ok(None) };
    Ok(Some(IntegrationRecord {
        room,
        kind: column::code(row, at + 1)?,
        scopes: scopes(row.get(at + 2)?),
        secret: row.get(at + 3)?,
        made_by: column::id(row, at + 4)?,
        last_used_at: column::time_or_none(row, at + 5)?,
        revoked_at: column::time_or_none(row, at + 6)?,
    }))
}

/// Puts the integration that makes a bot of a person, or puts it as it is by now.
pub(super) fn put(conn: &Connection, user: UserId, of: &IntegrationRecord) -> Stored<()> {
    let sql = "INSERT INTO integrations (user, room, kind, scopes, secret, made_by, last_used_at, revoked_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (user) DO UPDATE SET last_used_at = ?7, revoked_at = ?8";
    conn.prepare_cached(sql)?.execute(params![
        user.as_bytes(),
        of.room.as_bytes(),
        of.kind.code(),
        bits(of.scopes),
        of.secret,
        of.made_by.as_bytes(),
        of.last_used_at.map(Timestamp::millis),
        of.revoked_at.map(Timestamp::millis),
    ])?;
    Ok(())
}

#[async_trait]
impl Integrations for Sqlite {
    async fn integration_by_secret(&self, secret: TokenHash) -> Stored<Option<UserRecord>> {
        self.read(move |conn| {
            let sql = format!("SELECT {RECORD} FROM {RECORDS} WHERE i.secret = ?1");
            Ok(conn.prepare_cached(&sql)?.query_row([secret], record_of).optional()?)
        })
        .await
    }

    async fn integrations_of(&self, room: RoomId, limit: u32) -> Stored<Vec<UserRecord>> {
        self.read(move |conn| {
            let sql = format!(
                "SELECT {RECORD} FROM {RECORDS} WHERE i.room = ?1
                 ORDER BY i.revoked_at IS NOT NULL, u.created_at DESC, u.id LIMIT ?2"
            );
            records(conn, &sql, params![room.as_bytes(), limit])
        })
        .await
    }

    async fn touch_integration(&self, id: UserId, at: Timestamp) -> Stored<()> {
        self.write(move |desk| {
            let sql = "UPDATE integrations SET last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE user = ?1";
            desk.conn.prepare_cached(sql)?.execute(params![id.as_bytes(), at.millis()])?;
            Ok(())
        })
        .await
    }

    async fn revoke_integration(&self, id: UserId, at: Timestamp) -> Stored<bool> {
        self.write(move |desk| {
            let sql = "UPDATE integrations SET revoked_at = ?2 WHERE user = ?1 AND revoked_at IS NULL";
            Ok(desk.conn.prepare_cached(sql)?.execute(params![id.as_bytes(), at.millis()])? > 0)
        })
        .await
    }
}
