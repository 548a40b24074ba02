//! Entries and messages as rows of `entries`: which column holds what, and reading them back.

use super::authors::{self, AUTHOR_COLUMNS};
use super::column::{self, Code, Id};
use crate::store::Stored;
use natter_shared::entry::{Entry, EntryKind, Message, MessageContent, Reaction};
use natter_shared::id::{FileId, RoomId, Seq, UserId};
use natter_shared::room::{Role, Visibility};
use natter_shared::text::{Emoji, MessageBody, RoomName, Topic};
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

// The partial indexes of the schema name these numbers.
pub(super) const MESSAGE: i64 = 0;
pub(super) const EDITED: i64 = 1;
const DELETED: i64 = 2;
const REACTED: i64 = 3;
pub(super) const UNREACTED: i64 = 4;
const JOINED: i64 = 5;
const LEFT: i64 = 6;
const REMOVED: i64 = 7;
const RENAMED: i64 = 8;
const TOPIC: i64 = 9;
const VISIBILITY: i64 = 10;
const ARCHIVED: i64 = 11;
const ROLE: i64 = 12;
const PINNED: i64 = 13;
pub(super) const UNPINNED: i64 = 14;
/// The flag of a removal that takes back a ban; the others are whether it is one.
const UNBANNED: i64 = 2;

/// What is stored of an [`EntryKind`].
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub kind: i64,
    pub target: Option<Seq>,
    pub reply_to: Option<Seq>,
    pub other: Option<UserId>,
    pub flag: Option<i64>,
    pub files: Option<Vec<u8>>,
    pub text: Option<&'a str>,
    pub mentions: Option<Vec<u8>>,
}

impl<'a> Columns<'a> {
    /// `None` for the kinds that are never stored.
    pub fn of(what: &'a EntryKind) -> Option<Self> {
        let on = |kind, target: &Seq| Self { kind, target: Some(*target), ..Self::default() };
        let says = |kind, text: &'a str| Self { kind, text: Some(text), ..Self::default() };
        let flags = |kind, flag: i64| Self { kind, flag: Some(flag), ..Self::default() };
        Some(match what {
            EntryKind::Message(content) => Self {
                reply_to: content.reply_to,
                other: content.to,
                files: column::blob(content.attachments.iter().map(FileId::as_bytes)),
                mentions: column::blob(content.mentions.iter().map(UserId::as_bytes)),
                ..says(MESSAGE, content.body.as_str())
            },
            EntryKind::Edited { target, body, mentions } => Self {
                text: Some(body.as_str()),
                mentions: column::blob(mentions.iter().map(UserId::as_bytes)),
                ..on(EDITED, target)
            },
            EntryKind::Deleted { target } => on(DELETED, target),
            EntryKind::Reacted { target, emoji } => Self { text: Some(emoji.as_str()), ..on(REACTED, target) },
            EntryKind::Unreacted { target, emoji } => Self { text: Some(emoji.as_str()), ..on(UNREACTED, target) },
            EntryKind::Joined => Self { kind: JOINED, ..Self::default() },
            EntryKind::Left => Self { kind: LEFT, ..Self::default() },
            EntryKind::Removed { user, banned } => Self { other: Some(*user), ..flags(REMOVED, i64::from(*banned)) },
            EntryKind::Unbanned { user } => Self { other: Some(*user), ..flags(REMOVED, UNBANNED) },
            EntryKind::Renamed { name } => says(RENAMED, name.as_str()),
            EntryKind::Topic { topic } => says(TOPIC, topic.as_str()),
            EntryKind::Visibility { visibility } => flags(VISIBILITY, visibility.code()),
            EntryKind::Archived { archived } => flags(ARCHIVED, i64::from(*archived)),
            EntryKind::Role { user, role } => Self { other: Some(*user), ..flags(ROLE, role.code()) },
            EntryKind::Pinned { target } => on(PINNED, target),
            EntryKind::Unpinned { target } => on(UNPINNED, target),
            EntryKind::Withheld | EntryKind::Unknown => return None,
        })
    }
}

/// The columns of an entry, of `entries AS e JOIN users AS u`.
pub(super) const ENTRY: &str =
    "e.room, e.seq, e.at, e.client_id, e.kind, e.target, e.reply_to, e.other, e.flag, e.files, e.text,
     u.id, u.username, u.display_name, u.avatar_url, u.gender, u.guest + 2 * (u.deletion <> 0), u.bot, e.mentions";

/// The same with the text that a message has now, and what else has become of it.
pub(super) const AS_IT_STANDS: &str =
    "e.room, e.seq, e.at, e.client_id, e.kind, e.target, e.reply_to, e.other, e.flag, e.files,
     CASE WHEN e.edit IS NULL THEN e.text
          ELSE (SELECT x.text FROM entries x WHERE x.room = e.room AND x.seq = e.edit) END,
     u.id, u.username, u.display_name, u.avatar_url, u.gender, u.guest + 2 * (u.deletion <> 0), u.bot, e.edited_at, e.deleted, e.pinned,
     CASE WHEN e.edit IS NULL THEN e.mentions
          ELSE (SELECT x.mentions FROM entries x WHERE x.room = e.room AND x.seq = e.edit) END";

/// Where `mentions` is in each of the two.
const OF_ENTRY: usize = 11 + AUTHOR_COLUMNS;
const AS_THEY_STAND: usize = 14 + AUTHOR_COLUMNS;

fn content(row: &Row<'_>, mentions: usize) -> Result<MessageContent> {
    Ok(MessageContent {
        body: column::text(row, 10, MessageBody::from_stored)?,
        reply_to: column::seq_or_none(row, 6)?,
        attachments: column::id_list(row, 9)?,
        to: column::id_or_none(row, 7)?,
        mentions: column::id_list(row, mentions)?,
    })
}

fn kind(row: &Row<'_>) -> Result<EntryKind> {
    let target = || column::seq(row, 5);
    let user = || column::id(row, 7);
    let emoji = || column::text(row, 10, Emoji::from_stored);
    Ok(match row.get(4)? {
        MESSAGE => EntryKind::Message(content(row, OF_ENTRY)?),
        EDITED => EntryKind::Edited {
            target: target()?,
            body: column::text(row, 10, MessageBody::from_stored)?,
            mentions: column::id_list(row, OF_ENTRY)?,
        },
        DELETED => EntryKind::Deleted { target: target()? },
        REACTED => EntryKind::Reacted { target: target()?, emoji: emoji()? },
        UNREACTED => EntryKind::Unreacted { target: target()?, emoji: emoji()? },
        JOINED => EntryKind::Joined,
        LEFT => EntryKind::Left,
        REMOVED if row.get::<_, i64>(8)? == UNBANNED => EntryKind::Unbanned { user: user()? },
        REMOVED => EntryKind::Removed { user: user()?, banned: row.get(8)? },
        RENAMED => EntryKind::Renamed { name: column::text(row, 10, RoomName::from_stored)? },
        TOPIC => EntryKind::Topic { topic: column::text(row, 10, Topic::from_stored)? },
        VISIBILITY => EntryKind::Visibility { visibility: column::code::<Visibility>(row, 8)? },
        ARCHIVED => EntryKind::Archived { archived: row.get(8)? },
        ROLE => EntryKind::Role { user: user()?, role: column::code::<Role>(row, 8)? },
        PINNED => EntryKind::Pinned { target: target()? },
        UNPINNED => EntryKind::Unpinned { target: target()? },
        other => return Err(Error::IntegralValueOutOfRange(4, other)),
    })
}

/// An entry out of the columns [`ENTRY`].
pub(super) fn entry(row: &Row<'_>) -> Result<Entry> {
    Ok(Entry {
        room: column::id(row, 0)?,
        seq: column::seq(row, 1)?,
        at: column::time(row, 2)?,
        author: authors::author(row, 11)?,
        client_id: column::id_or_none(row, 3)?,
        what: kind(row)?,
    })
}

/// A message out of the columns [`AS_IT_STANDS`], still without its reactions.
pub(super) fn message(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        room: column::id(row, 0)?,
        seq: column::seq(row, 1)?,
        at: column::time(row, 2)?,
        author: authors::author(row, 11)?,
        client_id: column::id_or_none(row, 3)?,
        content: content(row, AS_THEY_STAND)?,
        edited_at: column::time_or_none(row, 11 + AUTHOR_COLUMNS)?,
        deleted: row.get::<_, Option<i64>>(12 + AUTHOR_COLUMNS)?.is_some(),
        pinned: row.get::<_, Option<i64>>(13 + AUTHOR_COLUMNS)?.is_some(),
        reactions: Vec::new(),
    })
}

/// One entry of a log.
pub(super) fn entry_at(conn: &Connection, room: RoomId, seq: Seq) -> Stored<Option<Entry>> {
    let sql = format!("SELECT {ENTRY} FROM entries e JOIN users u ON u.id = e.author WHERE e.room = ?1 AND e.seq = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row(params![room.as_bytes(), column::int(seq)], entry).optional()?)
}

/// Fills in the reactions of messages of one room, which are sorted by seq.
pub(super) fn fill_reactions(conn: &Connection, room: RoomId, messages: &mut [Message]) -> Stored<()> {
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
    let sql = "SELECT target, emoji, user FROM reactions WHERE room = ?1 AND target BETWEEN ?2 AND ?3
               ORDER BY target, place, seq";
    let mut found = conn.prepare_cached(sql)?;
    let mut rows = found.query(params![room.as_bytes(), column::int(first.seq), column::int(last.seq)])?;
    while let Some(row) = rows.next()? {
        let target = column::seq(row, 0)?;
        // Messages that the reader may not see are not in the list.
        let Ok(at) = messages.binary_search_by_key(&target, |message| message.seq) else { continue };
        let emoji = column::text(row, 1, Emoji::from_stored)?;
        let user = UserId::from_stored(row.get(2)?);
        let reactions = &mut messages[at].reactions;
        match reactions.last_mut().filter(|reaction| reaction.emoji == emoji) {
            Some(reaction) => reaction.users.push(user),
            None => reactions.push(Reaction { emoji, users: vec![user] }),
        }
    }
    Ok(())
}
