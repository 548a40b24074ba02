//! People: the `users` table.

use super::column::{self, Code};
use super::{Sqlite, integrations};
use crate::store::{Accounts, CreatedUser, Deletion, Kept, KeptGuest, NewUser, Stored, UserRecord};
use async_trait::async_trait;
use natter_shared::account::{ProfileChange, User};
use natter_shared::id::UserId;
use natter_shared::text::{DisplayName, Email, Username};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

/// The columns of a [`User`], of `users AS u`.
pub(super) const USER: &str =
    "u.id, u.username, u.display_name, u.gender, u.avatar_url, u.guest + 2 * (u.deletion <> 0), u.bot";
/// How many columns [`USER`] has.
pub(super) const USER_COLUMNS: usize = 7;

/// Whether somebody is a guest, and whether their account was deleted, out of one number: 1 and 2.
pub(super) fn guest_or_deleted(row: &Row<'_>, at: usize) -> Result<(bool, bool)> {
    let number: i64 = row.get(at)?;
    Ok((number & 1 != 0, number & 2 != 0))
}

/// A user out of the columns [`USER`], the first of which is at `at`.
pub(super) fn user(row: &Row<'_>, at: usize) -> Result<User> {
    let id = column::id(row, at)?;
    let (guest, deleted) = guest_or_deleted(row, at + 5)?;
    if deleted {
        return Ok(User::erased(id));
    }
    Ok(User {
        id,
        username: column::text(row, at + 1, Username::from_stored)?,
        display_name: column::text(row, at + 2, DisplayName::from_stored)?,
        gender: column::code_or_none(row, at + 3)?,
        avatar_url: row.get(at + 4)?,
        guest,
        deleted,
        bot: row.get(at + 6)?,
    })
}

/// The columns of a [`UserRecord`].
pub(super) const RECORD: &str =
    "u.id, u.username, u.display_name, u.gender, u.avatar_url, u.guest + 2 * (u.deletion <> 0), u.bot, u.email,
     u.password_hash, u.created_at, u.disabled, u.admin, u.last_login_at, i.room, i.kind, i.scopes, i.secret, i.made_by,
     i.last_used_at, i.revoked_at, u.deletion";
/// Where the columns of [`RECORD`] are.
pub(super) const RECORDS: &str = "users u LEFT JOIN integrations i ON i.user = u.id";

/// How [`Deletion`] is stored; 0 is none.
pub(super) const fn deletion_code(deletion: Option<Deletion>) -> i64 {
    match deletion {
        None => 0,
        Some(Deletion::UnderWay) => 1,
        Some(Deletion::Done) => 2,
    }
}

fn deletion(row: &Row<'_>, at: usize) -> Result<Option<Deletion>> {
    let code: i64 = row.get(at)?;
    let all = [None, Some(Deletion::UnderWay), Some(Deletion::Done)];
    all.into_iter().find(|it| deletion_code(*it) == code).ok_or(rusqlite::Error::IntegralValueOutOfRange(at, code))
}

/// A person out of the columns [`RECORD`].
pub(super) fn record_of(row: &Row<'_>) -> Result<UserRecord> {
    // The name that stays taken, also of somebody whose account was deleted.
    let username = column::text(row, 1, Username::from_stored)?;
    Ok(UserRecord {
        user: User { username, ..user(row, 0)? },
        email: column::text_or_none(row, 7, Email::from_stored)?,
        password_hash: row.get(8)?,
        created_at: column::time(row, 9)?,
        disabled: row.get(10)?,
        admin: row.get(11)?,
        last_login_at: column::time_or_none(row, 12)?,
        integration: integrations::integration(row, 13)?,
        deletion: deletion(row, 20)?,
    })
}

fn record(conn: &Connection, which: &str, value: &dyn rusqlite::ToSql) -> Stored<Option<UserRecord>> {
    let sql = format!("SELECT {RECORD} FROM {RECORDS} WHERE {which} = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([value], record_of).optional()?)
}

pub(super) fn by_id(conn: &Connection, id: UserId) -> Stored<Option<UserRecord>> {
    record(conn, "u.id", id.as_bytes())
}

pub(super) fn user_of(conn: &Connection, id: UserId) -> Stored<Option<User>> {
    let sql = format!("SELECT {USER} FROM users u WHERE u.id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([id.as_bytes()], |row| user(row, 0)).optional()?)
}

fn create(conn: &Connection, new: &NewUser) -> Stored<CreatedUser> {
    // A repeat whose first answer was lost.
    if let Some(there) = by_id(conn, new.id)? {
        let same = there.user.username == new.username;
        return Ok(if same { CreatedUser::Created(there.user) } else { CreatedUser::UsernameTaken });
    }
    let sql = "INSERT INTO users (id, username, display_name, email, gender, guest, password_hash, created_at, bot)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (username) DO NOTHING";
    let made = conn.prepare_cached(sql)?.execute(params![
        new.id.as_bytes(),
        new.username.as_str(),
        new.display_name.as_str(),
        new.email.as_ref().map(Email::as_str),
        new.gender.map(Code::code),
        new.guest,
        new.password_hash,
        new.created_at.millis(),
        new.integration.is_some(),
    ])?;
    if made == 0 {
        return Ok(CreatedUser::UsernameTaken);
    }
    if let Some(integration) = &new.integration {
        integrations::put(conn, new.id, integration)?;
    }
    Ok(CreatedUser::Created(User {
        id: new.id,
        username: new.username.clone(),
        display_name: new.display_name.clone(),
        gender: new.gender,
        avatar_url: None,
        guest: new.guest,
        deleted: false,
        bot: new.integration.is_some(),
    }))
}

fn keep(conn: &Connection, account: &KeptGuest) -> Stored<Kept> {
    let Some(there) = by_id(conn, account.id)?.filter(|there| there.deletion.is_none()) else {
        return Ok(Kept::NoGuest);
    };
    if !there.user.guest {
        return Ok(if account.is_done(&there) { Kept::Kept(Box::new(there)) } else { Kept::NoGuest });
    }
    let sql =
        "UPDATE OR IGNORE users SET username = ?2, display_name = ?3, email = ?4, gender = ?5, password_hash = ?6,
               guest = 0 WHERE id = ?1";
    let kept = conn.prepare_cached(sql)?.execute(params![
        account.id.as_bytes(),
        account.username.as_str(),
        account.display_name.as_str(),
        account.email.as_str(),
        account.gender.map(Code::code),
        account.password_hash,
    ])?;
    if kept == 0 {
        return Ok(Kept::UsernameTaken);
    }
    Ok(by_id(conn, account.id)?.map_or(Kept::NoGuest, |record| Kept::Kept(Box::new(record))))
}

const SET_ADMIN: &str = "UPDATE users SET admin = ?2 WHERE id = ?1 AND deletion = 0";
const SET_DISABLED: &str = "UPDATE users SET disabled = ?2 WHERE id = ?1 AND deletion = 0";

fn set_flag(conn: &Connection, id: UserId, sql: &str, flag: bool) -> Stored<Option<UserRecord>> {
    conn.prepare_cached(sql)?.execute(params![id.as_bytes(), flag])?;
    there(conn, id)
}

/// The person, unless their account was deleted.
fn there(conn: &Connection, id: UserId) -> Stored<Option<UserRecord>> {
    Ok(by_id(conn, id)?.filter(|record| record.deletion.is_none()))
}

/// Overwrites all that is known of a person but the username.
fn erase(conn: &Connection, id: UserId) -> Stored<Option<UserRecord>> {
    let sql = "UPDATE users SET display_name = ?2, email = NULL, gender = NULL, avatar_url = NULL, guest = 0,
               password_hash = NULL, disabled = 1, admin = 0, last_login_at = NULL, deletion = 1
               WHERE id = ?1 AND deletion = 0";
    let name = User::erased(id).display_name;
    conn.prepare_cached(sql)?.execute(params![id.as_bytes(), name.as_str()])?;
    by_id(conn, id)
}

pub(super) fn records(conn: &Connection, sql: &str, values: impl rusqlite::Params) -> Stored<Vec<UserRecord>> {
    let mut found = conn.prepare_cached(sql)?;
    let people = found.query_map(values, record_of)?;
    Ok(people.collect::<Result<_>>()?)
}

#[async_trait]
impl Accounts for Sqlite {
    async fn create_user(&self, user: NewUser) -> Stored<CreatedUser> {
        self.write(move |desk| create(&desk.conn, &user)).await
    }

    async fn user(&self, id: UserId) -> Stored<Option<UserRecord>> {
        self.read(move |conn| by_id(conn, id)).await
    }

    async fn user_by_name(&self, username: &Username) -> Stored<Option<UserRecord>> {
        let name = username.as_str().to_owned();
        self.read(move |conn| Ok(record(conn, "u.username", &name)?.filter(|record| record.deletion.is_none()))).await
    }

    async fn users(&self, ids: &[UserId]) -> Stored<Vec<User>> {
        let ids = ids.to_vec();
        self.read(move |conn| {
            let found: Stored<Vec<_>> = ids.into_iter().map(|id| user_of(conn, id)).collect();
            Ok(found?.into_iter().flatten().collect())
        })
        .await
    }

    async fn taken_usernames(&self, names: &[Username]) -> Stored<Vec<Username>> {
        let names = names.to_vec();
        self.read(move |conn| {
            let mut taken = conn.prepare_cached("SELECT 1 FROM users WHERE username = ?1")?;
            let mut found = Vec::new();
            for name in names {
                if taken.exists([name.as_str()])? {
                    found.push(name);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn search_users(&self, prefix: &str, after: Option<&str>, limit: u32) -> Stored<Vec<User>> {
        let first = prefix.to_owned();
        // Usernames are ASCII: all that start with the prefix lie below it followed by the last character there is.
        let last = format!("{prefix}\u{10FFFF}");
        let after = after.map(str::to_owned);
        self.read(move |conn| {
            let sql = format!(
                "SELECT {USER} FROM users u
                 WHERE u.username >= ?1 AND u.username < ?2 AND (?3 IS NULL OR u.username > ?3)
                   AND u.guest = 0 AND u.bot = 0 AND u.disabled = 0
                 ORDER BY u.username LIMIT ?4"
            );
            let mut found = conn.prepare_cached(&sql)?;
            let users = found.query_map(params![first, last, after, limit], |row| user(row, 0))?;
            Ok(users.collect::<Result<_>>()?)
        })
        .await
    }

    async fn update_profile(&self, id: UserId, change: &ProfileChange) -> Stored<Option<UserRecord>> {
        let change = change.clone();
        self.write(move |desk| {
            let sql = "UPDATE users SET display_name = coalesce(?2, display_name), email = coalesce(?3, email),
                       gender = coalesce(?4, gender) WHERE id = ?1 AND deletion = 0";
            desk.conn.prepare_cached(sql)?.execute(params![
                id.as_bytes(),
                change.display_name.as_ref().map(DisplayName::as_str),
                change.email.as_ref().map(Email::as_str),
                change.gender.map(Code::code),
            ])?;
            desk.authors.forget(id);
            there(&desk.conn, id)
        })
        .await
    }

    async fn keep_guest(&self, account: KeptGuest) -> Stored<Kept> {
        self.write(move |desk| {
            desk.authors.forget(account.id);
            keep(&desk.conn, &account)
        })
        .await
    }

    async fn set_admin(&self, id: UserId, admin: bool) -> Stored<Option<UserRecord>> {
        self.write(move |desk| set_flag(&desk.conn, id, SET_ADMIN, admin)).await
    }

    async fn set_disabled(&self, id: UserId, disabled: bool) -> Stored<Option<UserRecord>> {
        self.write(move |desk| set_flag(&desk.conn, id, SET_DISABLED, disabled)).await
    }

    async fn set_avatar(&self, id: UserId, url: Option<&str>) -> Stored<Option<UserRecord>> {
        let url = url.map(str::to_owned);
        self.write(move |desk| {
            desk.authors.forget(id);
            let sql = "UPDATE users SET avatar_url = ?2 WHERE id = ?1";
            desk.conn.prepare_cached(sql)?.execute(params![id.as_bytes(), url])?;
            by_id(&desk.conn, id)
        })
        .await
    }

    async fn administrators(&self) -> Stored<Vec<UserRecord>> {
        let sql = format!("SELECT {RECORD} FROM {RECORDS} WHERE u.admin = 1 ORDER BY u.username");
        self.read(move |conn| records(conn, &sql, [])).await
    }

    async fn search_accounts(&self, prefix: &str, after: Option<&str>, limit: u32) -> Stored<Vec<UserRecord>> {
        let (first, last) = (prefix.to_owned(), format!("{prefix}\u{10FFFF}"));
        let after = after.map(str::to_owned);
        self.read(move |conn| {
            let sql = format!(
                "SELECT {RECORD} FROM {RECORDS}
                 WHERE u.username >= ?1 AND u.username < ?2 AND (?3 IS NULL OR u.username > ?3) AND u.deletion = 0
                 ORDER BY u.username LIMIT ?4"
            );
            records(conn, &sql, params![first, last, after, limit])
        })
        .await
    }

    async fn set_password(&self, id: UserId, password_hash: &str) -> Stored<()> {
        let hash = password_hash.to_owned();
        self.write(move |desk| {
            let sql = "UPDATE users SET password_hash = ?2 WHERE id = ?1 AND deletion = 0";
            desk.conn.prepare_cached(sql)?.execute(params![id.as_bytes(), hash])?;
            Ok(())
        })
        .await
    }

    async fn erase_person(&self, id: UserId) -> Stored<Option<UserRecord>> {
        self.write(move |desk| {
            desk.authors.forget(id);
            erase(&desk.conn, id)
        })
        .await
    }

    async fn deletions_under_way(&self, limit: u32) -> Stored<Vec<UserId>> {
        self.read(move |conn| {
            let mut found = conn.prepare_cached("SELECT id FROM users WHERE deletion = 1 ORDER BY id LIMIT ?1")?;
            let people = found.query_map([limit], |row| column::id(row, 0))?;
            Ok(people.collect::<Result<_>>()?)
        })
        .await
    }

    async fn finish_deletion(&self, id: UserId) -> Stored<()> {
        self.write(move |desk| {
            let sql = "UPDATE users SET deletion = 2 WHERE id = ?1 AND deletion = 1";
            desk.conn.prepare_cached(sql)?.execute([id.as_bytes()])?;
            Ok(())
        })
        .await
    }
}
