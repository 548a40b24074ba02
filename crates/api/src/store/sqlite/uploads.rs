//! Images: the `uploads` table.

use super::Sqlite;
use super::column::{self, Code};
use crate::store::{Posted, Stored, UploadRecord, Uploads};
use async_trait::async_trait;
use natter_shared::id::{ClientId, FileId, RoomId, UserId};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Result, Row, params};

/// The columns of an [`UploadRecord`].
pub(super) const UPLOAD: &str = "id, owner, kind, preview, bytes, created_at, avatar, room, client_id";

/// An image out of the columns [`UPLOAD`].
pub(super) fn record(row: &Row<'_>) -> Result<UploadRecord> {
    let (room, client_id) = (column::id_or_none(row, 7)?, column::id_or_none(row, 8)?);
    Ok(UploadRecord {
        id: column::id(row, 0)?,
        owner: column::id(row, 1)?,
        kind: column::code(row, 2)?,
        preview: column::code_or_none(row, 3)?,
        bytes: row.get::<_, i64>(4)?.unsigned_abs(),
        created_at: column::time(row, 5)?,
        avatar: row.get(6)?,
        posted: room.zip(client_id).map(|(room, client_id)| Posted { room, client_id }),
    })
}

pub(super) fn add(conn: &Connection, upload: &UploadRecord) -> Stored<()> {
    let sql = format!(
        "INSERT INTO uploads ({UPLOAD}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING"
    );
    conn.prepare_cached(&sql)?.execute(params![
        upload.id.as_bytes(),
        upload.owner.as_bytes(),
        upload.kind.code(),
        upload.preview.map(Code::code),
        i64::try_from(upload.bytes).unwrap_or(i64::MAX),
        upload.created_at.millis(),
        upload.avatar,
        upload.posted.as_ref().map(|posted| RoomId::as_bytes(&posted.room)),
        upload.posted.as_ref().map(|posted| ClientId::as_bytes(&posted.client_id)),
    ])?;
    Ok(())
}

fn upload(conn: &Connection, id: FileId) -> Stored<Option<UploadRecord>> {
    let sql = format!("SELECT {UPLOAD} FROM uploads WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([id.as_bytes()], record).optional()?)
}

fn post(conn: &Connection, ids: &[FileId], owner: UserId, posted: Posted) -> Stored<bool> {
    for id in ids {
        let free = upload(conn, *id)?
            .is_some_and(|it| it.owner == owner && !it.avatar && it.posted.is_none_or(|already| already == posted));
        if !free {
            return Ok(false);
        }
    }
    let mut set = conn.prepare_cached("UPDATE uploads SET room = ?2, client_id = ?3 WHERE id = ?1")?;
    for id in ids {
        set.execute(params![id.as_bytes(), posted.room.as_bytes(), posted.client_id.as_bytes()])?;
    }
    Ok(true)
}

fn drop_all(conn: &Connection, ids: &[FileId]) -> Stored<Vec<UploadRecord>> {
    let mut dropped = Vec::new();
    for id in ids {
        dropped.extend(upload(conn, *id)?);
        conn.prepare_cached("DELETE FROM uploads WHERE id = ?1")?.execute([id.as_bytes()])?;
    }
    Ok(dropped)
}

fn drop_idle(conn: &Connection, before: Timestamp, limit: u32) -> Stored<Vec<UploadRecord>> {
    let sql = "SELECT id FROM uploads WHERE room IS NULL AND avatar = 0 AND created_at < ?1 LIMIT ?2";
    drop_found(conn, sql, params![before.millis(), limit])
}

fn drop_own(conn: &Connection, owner: UserId) -> Stored<Vec<UploadRecord>> {
    drop_found(conn, "SELECT id FROM uploads WHERE owner = ?1 AND room IS NULL", params![owner.as_bytes()])
}

fn drop_found(conn: &Connection, sql: &str, values: impl Params) -> Stored<Vec<UploadRecord>> {
    let mut found = conn.prepare_cached(sql)?;
    let ids: Vec<FileId> = found.query_map(values, |row| column::id(row, 0))?.collect::<Result<_>>()?;
    drop_all(conn, &ids)
}

#[async_trait]
impl Uploads for Sqlite {
    async fn add_upload(&self, upload: UploadRecord) -> Stored<()> {
        self.write(move |desk| add(&desk.conn, &upload)).await
    }

    async fn upload(&self, id: FileId) -> Stored<Option<UploadRecord>> {
        self.read(move |conn| upload(conn, id)).await
    }

    async fn post_uploads(&self, ids: &[FileId], owner: UserId, posted: Posted) -> Stored<bool> {
        let ids = ids.to_vec();
        self.write(move |desk| post(&desk.conn, &ids, owner, posted)).await
    }

    async fn uploaded_bytes(&self, owner: UserId) -> Stored<u64> {
        self.read(move |conn| {
            let sql = "SELECT coalesce(sum(bytes), 0) FROM uploads WHERE owner = ?1";
            let bytes: i64 = conn.prepare_cached(sql)?.query_row([owner.as_bytes()], column::plain)?;
            Ok(bytes.unsigned_abs())
        })
        .await
    }

    async fn drop_uploads(&self, ids: &[FileId]) -> Stored<Vec<UploadRecord>> {
        let ids = ids.to_vec();
        self.write(move |desk| drop_all(&desk.conn, &ids)).await
    }

    async fn drop_own_uploads(&self, owner: UserId) -> Stored<Vec<UploadRecord>> {
        self.write(move |desk| drop_own(&desk.conn, owner)).await
    }

    async fn drop_idle_uploads(&self, before: Timestamp, limit: u32) -> Stored<Vec<UploadRecord>> {
        self.write(move |desk| drop_idle(&desk.conn, before, limit)).await
    }
}
