//! Who people are, as the writer last read it: what the entries that it returns carry.

use super::accounts::guest_or_deleted;
use super::column;
use natter_shared::account::User;
use natter_shared::entry::Author;
use natter_shared::id::UserId;
use natter_shared::text::{DisplayName, Username};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use std::collections::BTreeMap;

/// People that are remembered; past this, all are forgotten and read again.
const MOST: usize = 10_000;

/// A memory in front of the `users` table. Whoever changes a profile forgets that person here.
pub(super) struct Authors(BTreeMap<UserId, Author>);

impl Authors {
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn forget(&mut self, id: UserId) {
        self.0.remove(&id);
    }

    /// The person as an author; `None` if there is none of that id.
    pub fn find(&mut self, conn: &Connection, id: UserId) -> Result<Option<&Author>> {
        if !self.0.contains_key(&id) {
            let sql = "SELECT u.id, u.username, u.display_name, u.avatar_url, u.gender, u.guest + 2 * (u.deletion <> 0), u.bot
                       FROM users u WHERE u.id = ?1";
            let found = conn.prepare_cached(sql)?.query_row([id.as_bytes()], |row| author(row, 0)).optional()?;
            let Some(found) = found else { return Ok(None) };
            if self.0.len() >= MOST {
                self.0.clear();
            }
            self.0.insert(id, found);
        }
        Ok(self.0.get(&id))
    }
}

/// How many columns an author has.
pub(super) const AUTHOR_COLUMNS: usize = 7;

/// An author in seven columns: `id, username, display_name, avatar_url, gender`, what [`guest_or_deleted`] reads, and `bot`.
pub(super) fn author(row: &Row<'_>, at: usize) -> Result<Author> {
    let id = column::id(row, at)?;
    let (guest, deleted) = guest_or_deleted(row, at + 5)?;
    if deleted {
        return Ok(User::erased(id).into());
    }
    Ok(Author {
        id,
        username: column::text(row, at + 1, Username::from_stored)?,
        display_name: column::text(row, at + 2, DisplayName::from_stored)?,
        avatar_url: row.get(at + 3)?,
        gender: column::code_or_none(row, at + 4)?,
        guest,
        deleted,
        bot: row.get(at + 6)?,
    })
}
