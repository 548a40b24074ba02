//! Logins: the `sessions` table. A rotation is judged and done in one transaction.

use super::column;
use super::{Sqlite, accounts};
use crate::store::{NewSession, Rotate, Rotation, SessionRecord, Sessions, StoreError, Stored, UserRecord};
use async_trait::async_trait;
use natter_shared::id::{SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

/// The columns of a [`SessionRecord`].
pub(super) const SESSION: &str =
    "id, user, created_at, last_used_at, expires_at, user_agent, generation, current, previous, revoked_at";
/// How many columns [`SESSION`] has.
pub(super) const SESSION_COLUMNS: usize = 10;

/// A login out of the columns [`SESSION`].
pub(super) fn record(row: &Row<'_>) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: column::id(row, 0)?,
        user: column::id(row, 1)?,
        created_at: column::time(row, 2)?,
        last_used_at: column::time(row, 3)?,
        expires_at: column::time(row, 4)?,
        user_agent: row.get(5)?,
        generation: row.get(6)?,
        current: row.get(7)?,
        previous: row.get(8)?,
        revoked_at: column::time_or_none(row, 9)?,
    })
}

fn session(conn: &Connection, id: SessionId) -> Stored<Option<SessionRecord>> {
    let sql = format!("SELECT {SESSION} FROM sessions WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([id.as_bytes()], record).optional()?)
}

fn revoke(conn: &Connection, id: SessionId, now: Timestamp) -> Stored<()> {
    let sql = "UPDATE sessions SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    conn.prepare_cached(sql)?.execute(params![id.as_bytes(), now.millis()])?;
    Ok(())
}

fn rotate(conn: &Connection, ask: &Rotate) -> Stored<Rotation> {
    let Some(session) = session(conn, ask.id)? else { return Ok(Rotation::Unknown) };
    if session.revoked_at.is_some() || session.expires_at <= ask.now {
        return Ok(Rotation::Unknown);
    }
    if session.current == ask.presented {
        if session.generation != ask.generation {
            // The caller read the session before the rotation that made this token; `next` was made for another place.
            return Err(StoreError::Unknown("the session has moved on meanwhile".into()));
        }
        let generation = session.generation.saturating_add(1);
        let sql = "UPDATE sessions SET generation = ?2, previous = current, current = ?3, rotated_at = ?4,
                   last_used_at = ?4 WHERE id = ?1";
        conn.prepare_cached(sql)?.execute(params![ask.id.as_bytes(), generation, ask.next, ask.now.millis()])?;
        return Ok(Rotation::Rotated { generation });
    }
    if session.previous == Some(ask.presented) {
        // Whoever uses the current token makes another one current, so this predecessor's successor is unused.
        let sql = "SELECT rotated_at FROM sessions WHERE id = ?1";
        let rotated: i64 = conn.prepare_cached(sql)?.query_row([ask.id.as_bytes()], column::plain)?;
        if ask.now.millis().saturating_sub(rotated) <= ask.grace_ms {
            return Ok(Rotation::Again { generation: session.generation });
        }
    } else if !ask.was_ours {
        return Ok(Rotation::Unknown);
    }
    revoke(conn, ask.id, ask.now)?;
    Ok(Rotation::Reused)
}

fn live_sessions(conn: &Connection, user: UserId, now: Timestamp) -> Stored<Vec<SessionRecord>> {
    let sql = format!(
        "SELECT {SESSION} FROM sessions WHERE user = ?1 AND revoked_at IS NULL AND expires_at > ?2
         ORDER BY created_at DESC, id"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let sessions = found.query_map(params![user.as_bytes(), now.millis()], record)?;
    Ok(sessions.collect::<Result<_>>()?)
}

#[async_trait]
impl Sessions for Sqlite {
    async fn create_session(&self, new: NewSession) -> Stored<()> {
        self.write(move |desk| {
            // A repeat whose first answer was lost changes nothing.
            let sql =
                "INSERT INTO sessions (id, user, created_at, last_used_at, expires_at, user_agent, generation, current)
                       VALUES (?1, ?2, ?3, ?3, ?4, ?5, 0, ?6) ON CONFLICT (id) DO NOTHING";
            desk.conn.prepare_cached(sql)?.execute(params![
                new.id.as_bytes(),
                new.user.as_bytes(),
                new.created_at.millis(),
                new.expires_at.millis(),
                new.user_agent,
                new.token,
            ])?;
            let sql = "UPDATE users SET last_login_at = max(coalesce(last_login_at, 0), ?2) WHERE id = ?1";
            desk.conn.prepare_cached(sql)?.execute(params![new.user.as_bytes(), new.created_at.millis()])?;
            Ok(())
        })
        .await
    }

    async fn session(&self, id: SessionId) -> Stored<Option<(SessionRecord, UserRecord)>> {
        self.read(move |conn| {
            let Some(session) = session(conn, id)? else { return Ok(None) };
            let person = accounts::by_id(conn, session.user)?;
            Ok(person.map(|person| (session, person)))
        })
        .await
    }

    async fn rotate(&self, ask: Rotate) -> Stored<Rotation> {
        self.write(move |desk| rotate(&desk.conn, &ask)).await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Stored<Vec<SessionRecord>> {
        self.read(move |conn| live_sessions(conn, user, now)).await
    }

    async fn revoke_session(&self, user: UserId, id: SessionId, now: Timestamp) -> Stored<bool> {
        self.write(move |desk| {
            let sql = "UPDATE sessions SET revoked_at = ?3
                       WHERE id = ?1 AND user = ?2 AND revoked_at IS NULL AND expires_at > ?3";
            let ended =
                desk.conn.prepare_cached(sql)?.execute(params![id.as_bytes(), user.as_bytes(), now.millis()])?;
            Ok(ended > 0)
        })
        .await
    }

    async fn revoke_sessions_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
        now: Timestamp,
    ) -> Stored<Vec<SessionId>> {
        self.write(move |desk| {
            let mut ended = Vec::new();
            for session in live_sessions(&desk.conn, user, now)? {
                if Some(session.id) != except {
                    revoke(&desk.conn, session.id, now)?;
                    ended.push(session.id);
                }
            }
            Ok(ended)
        })
        .await
    }

    async fn ended_among(&self, ids: &[SessionId], now: Timestamp) -> Stored<Vec<SessionId>> {
        let ids = ids.to_vec();
        self.read(move |conn| {
            let sql = "SELECT 1 FROM sessions JOIN users ON users.id = sessions.user
                       WHERE sessions.id = ?1 AND revoked_at IS NULL AND expires_at > ?2 AND NOT users.disabled";
            let mut alive = conn.prepare_cached(sql)?;
            let mut ended = Vec::new();
            for id in ids {
                if !alive.exists(params![id.as_bytes(), now.millis()])? {
                    ended.push(id);
                }
            }
            Ok(ended)
        })
        .await
    }

    async fn prune_sessions(&self, before: Timestamp) -> Stored<u64> {
        self.write(move |desk| {
            let sql = "DELETE FROM sessions WHERE expires_at < ?1 OR revoked_at < ?1";
            let gone = desk.conn.prepare_cached(sql)?.execute([before.millis()])?;
            Ok(u64::try_from(gone).unwrap_or(u64::MAX))
        })
        .await
    }
}
