//! The documents of each collection, and how ids, seqs, times and small enums are spelled in them.
//!
//! Ids are BSON UUIDs, times are BSON dates, seqs are 64-bit integers, enums are the words that the wire uses.

use crate::store::{Deletion, NewEntry, StoreError, Stored};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Uuid};
use natter_shared::account::{Gender, User};
use natter_shared::entry::{Author, EntryKind, MessageContent};
use natter_shared::file::ImageKind;
use natter_shared::id::{ClientId, EventId, FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::integration::{IntegrationKind, Scope};
use natter_shared::room::{Notify, Role, RoomKind, Visibility};
use natter_shared::text::{DisplayName, Emoji, MessageBody, RoomName, Topic, Username};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A value that is an id of ours on one side and a BSON UUID on the other.
pub(super) trait Id: Copy {
    fn stored(self) -> Uuid;
    fn of(uuid: Uuid) -> Self;
}

macro_rules! ids {
    ($($name:ident),*) => {
        $(impl Id for $name {
            fn stored(self) -> Uuid {
                Uuid::from_bytes(*self.as_bytes())
            }
            fn of(uuid: Uuid) -> Self {
                Self::from_bytes(uuid.bytes())
            }
        })*
    };
}
ids!(ClientId, EventId, FileId, RoomId, SessionId, UserId);

/// A seq as BSON's integer; every seq fits.
pub(super) const fn int(seq: Seq) -> i64 {
    seq.get().cast_signed()
}

pub(super) fn seq(number: i64) -> Stored<Seq> {
    let seq = u64::try_from(number).ok().and_then(Seq::new);
    seq.ok_or_else(|| StoreError::Broken(format!("{number} is stored where a seq should be")))
}

pub(super) const fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.millis())
}

pub(super) fn time(date: DateTime) -> Timestamp {
    Timestamp::from_millis(date.timestamp_millis())
}

/// A small enum that is stored as a word.
pub(super) trait Word: Copy + Sized + 'static {
    const ALL: &'static [(Self, &'static str)];
    fn word(self) -> &'static str;
    fn of(word: &str) -> Stored<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(value, _)| *value).ok_or_else(|| StoreError::Broken(format!("the word {word:?} is not known")))
    }
}

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),* })*) => {
        $(impl Word for $name {
            const ALL: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),*];
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        })*
    };
}
words! {
    Gender { Female = "female", Male = "male", Other = "other" }
    ImageKind { Png = "png", Jpeg = "jpeg", Gif = "gif" }
    RoomKind { Room = "room", Direct = "direct" }
    Visibility { Public = "public", Private = "private" }
    Role { Member = "member", Admin = "admin", Owner = "owner" }
    Deletion { UnderWay = "under_way", Done = "done" }
    Notify { Everything = "everything", Mentions = "mentions", Nothing = "nothing" }
    IntegrationKind { Webhook = "webhook", Bot = "bot" }
    Scope { MessagesRead = "messages:read", MessagesWrite = "messages:write", MembersRead = "members:read" }
}

/// A person. Unique: `username`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UserDoc {
    #[serde(rename = "_id")]
    pub id: Uuid,
    pub username: String,
    pub display_name: String,
    pub email: Option<String>,
    pub gender: Option<String>,
    pub avatar_url: Option<String>,
    pub guest: bool,
    pub password_hash: Option<String>,
    pub created_at: DateTime,
    pub disabled: bool,
    /// Not there for people of earlier versions.
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub last_login_at: Option<DateTime>,
    /// Of an account that was deleted: how far that has got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<String>,
    /// There for bots only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationDoc>,
}

/// What makes a bot of a person. Unique: `secret`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IntegrationDoc {
    pub room: Uuid,
    pub kind: String,
    pub scopes: Vec<String>,
    /// Its 32 bytes.
    pub secret: Binary,
    pub made_by: Uuid,
    pub last_used_at: Option<DateTime>,
    pub revoked_at: Option<DateTime>,
}

impl UserDoc {
    pub fn user(self) -> Stored<User> {
        let id = UserId::of(self.id);
        if self.deletion.is_some() {
            return Ok(User::erased(id));
        }
        Ok(User {
            id,
            username: Username::from_stored(self.username),
            display_name: DisplayName::from_stored(self.display_name),
            gender: self.gender.as_deref().map(Gender::of).transpose()?,
            avatar_url: self.avatar_url,
            guest: self.guest,
            deleted: false,
            bot: self.integration.is_some(),
        })
    }

    pub fn author(self) -> Stored<Author> {
        self.user().map(Author::from)
    }
}

/// A login. Hashes are their 32 bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionDoc {
    #[serde(rename = "_id")]
    pub id: Uuid,
    pub user: Uuid,
    pub created_at: DateTime,
    pub last_used_at: DateTime,
    pub expires_at: DateTime,
    pub user_agent: String,
    pub generation: i64,
    pub current: Binary,
    pub previous: Option<Binary>,
    pub rotated_at: Option<DateTime>,
    pub revoked_at: Option<DateTime>,
}

/// A room. Unique: `name_key`, `code`, `pair`, each where it is there. Its head is the newest of its entries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RoomDoc {
    #[serde(rename = "_id")]
    pub id: Uuid,
    pub kind: String,
    pub name: String,
    /// Not there for a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_key: Option<String>,
    pub topic: String,
    pub visibility: String,
    pub archived: bool,
    pub created_at: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Uuid>,
    pub member_count: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The two of a direct conversation, in the order of their ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<[Uuid; 2]>,
    /// The ids of the two as one string: a field of its own, because an index over `peers` would hold each alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
}

pub(super) const MEMBER: &str = "member";
pub(super) const FORMER: &str = "former";
pub(super) const BANNED: &str = "banned";

/// How somebody stands to a room. Stays when they go. Unique: `room` with `user`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MemberDoc {
    pub room: Uuid,
    pub user: Uuid,
    /// [`MEMBER`], [`FORMER`] or [`BANNED`].
    pub state: String,
    pub role: String,
    /// The seq of the entry that made the member; none in direct conversations.
    pub joined: Option<i64>,
    pub delivered: i64,
    pub read: i64,
    /// What of the room calls for their attention; everything if it is not there.
    #[serde(default)]
    pub notify: Option<String>,
}

/// An entry of a log. Unique: `_id`, which is `room` with `seq`; `room` with `author` and `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryDoc {
    /// Written only, see [`id_at`]; `room` and `seq` say the same.
    #[serde(rename = "_id", skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub id: Option<Binary>,
    pub room: Uuid,
    pub seq: i64,
    pub kind: String,
    pub at: DateTime,
    pub author: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// The seq of the message that this entry changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// The person spoken to, removed, or given a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Uuid>,
    /// `banned`, `archived`, a visibility or a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Uuid>,
    /// Body, emoji, name or topic. Empty once the message is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whom the text mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Uuid>,
    /// Of a message: whom it mentions now, its edits counted. What an index over mentions alone goes by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentioned: Vec<Uuid>,
    /// Of a message: the seq of its deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<i64>,
    /// There, and true, where [`EntryKind::is_event`]: what an index over events alone goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<bool>,
}

/// The id of the entry at this place: its room and its seq, as bytes in the order of the log. That ids are unique is what
/// lets one entry have a seq, without an index for that alone.
fn id_at(room: RoomId, seq: Seq) -> Binary {
    let bytes = [&room.as_bytes()[..], &seq.get().to_be_bytes()].concat();
    Binary { subtype: BinarySubtype::Generic, bytes }
}

pub(super) const MESSAGE: &str = "message";
pub(super) const EDITED: &str = "edited";

/// The ids of people as they are stored.
pub(super) fn people(ids: &[UserId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.stored()).collect()
}

const YES: &str = "yes";
const NO: &str = "no";

fn yes(flag: bool) -> String {
    if flag { YES } else { NO }.to_owned()
}

impl EntryDoc {
    /// An entry's kind as fields, for its place in a log still to be given; `None` for the kinds that are never stored.
    pub fn of(what: &EntryKind) -> Option<Self> {
        let plain = |kind: &str| Self {
            id: None,
            room: Uuid::from_bytes([0; 16]),
            seq: 0,
            kind: kind.to_owned(),
            at: DateTime::from_millis(0),
            author: Uuid::from_bytes([0; 16]),
            client_id: None,
            target: None,
            reply_to: None,
            other: None,
            flag: None,
            files: Vec::new(),
            text: None,
            mentions: Vec::new(),
            mentioned: Vec::new(),
            deleted: None,
            event: None,
        };
        let on = |kind, target: &Seq| Self { target: Some(int(*target)), ..plain(kind) };
        let says = |kind, text: &str| Self { text: Some(text.to_owned()), ..plain(kind) };
        let about =
            |kind, user: &UserId, flag: Option<String>| Self { other: Some(user.stored()), flag, ..plain(kind) };
        let mut doc = match what {
            EntryKind::Message(content) => Self {
                reply_to: content.reply_to.map(int),
                other: content.to.map(Id::stored),
                files: content.attachments.iter().map(|id| id.stored()).collect(),
                mentions: people(&content.mentions),
                mentioned: people(&content.mentions),
                ..says(MESSAGE, content.body.as_str())
            },
            EntryKind::Edited { target, body, mentions } => {
                Self { text: Some(body.as_str().to_owned()), mentions: people(mentions), ..on(EDITED, target) }
            }
            EntryKind::Deleted { target } => on("deleted", target),
            EntryKind::Reacted { target, emoji } => {
                Self { text: Some(emoji.as_str().to_owned()), ..on("reacted", target) }
            }
            EntryKind::Unreacted { target, emoji } => {
                Self { text: Some(emoji.as_str().to_owned()), ..on("unreacted", target) }
            }
            EntryKind::Joined => plain("joined"),
            EntryKind::Left => plain("left"),
            EntryKind::Removed { user, banned } => about("removed", user, Some(yes(*banned))),
            EntryKind::Unbanned { user } => about("unbanned", user, None),
            EntryKind::Renamed { name } => says("renamed", name.as_str()),
            EntryKind::Topic { topic } => says("topic", topic.as_str()),
            EntryKind::Visibility { visibility } => {
                Self { flag: Some(visibility.word().to_owned()), ..plain("visibility") }
            }
            EntryKind::Archived { archived } => Self { flag: Some(yes(*archived)), ..plain("archived") },
            EntryKind::Role { user, role } => about("role", user, Some(role.word().to_owned())),
            EntryKind::Pinned { target } => on("pinned", target),
            EntryKind::Unpinned { target } => on("unpinned", target),
            EntryKind::Withheld | EntryKind::Unknown => return None,
        };
        doc.event = what.is_event().then_some(true);
        Some(doc)
    }

    /// An entry at its place in its log.
    pub fn at(entry: &NewEntry, seq: Seq) -> Stored<Self> {
        let what = Self::of(&entry.what);
        let what = what.ok_or_else(|| StoreError::Broken("an entry of a kind that is never stored".into()))?;
        Ok(Self {
            id: Some(id_at(entry.room, seq)),
            room: entry.room.stored(),
            seq: int(seq),
            at: date(entry.at),
            author: entry.author.stored(),
            client_id: entry.client_id.map(Id::stored),
            ..what
        })
    }

    /// What happened, read back.
    pub fn what(&self) -> Stored<EntryKind> {
        let missing = |field: &str| {
            StoreError::Broken(format!("entry {} of room {} has no {field}", self.seq, RoomId::of(self.room)))
        };
        let target = || self.target.ok_or_else(|| missing("target")).and_then(seq);
        let user = || self.other.map(UserId::of).ok_or_else(|| missing("person"));
        let text = || self.text.clone().ok_or_else(|| missing("text"));
        let mentions = || self.mentions.iter().map(|id| UserId::of(*id)).collect();
        let flag = || self.flag.as_deref().ok_or_else(|| missing("flag"));
        Ok(match self.kind.as_str() {
            MESSAGE => EntryKind::Message(MessageContent {
                body: MessageBody::from_stored(text()?),
                reply_to: self.reply_to.map(seq).transpose()?,
                attachments: self.files.iter().map(|id| FileId::of(*id)).collect(),
                to: self.other.map(UserId::of),
                mentions: mentions(),
            }),
            EDITED => {
                EntryKind::Edited { target: target()?, body: MessageBody::from_stored(text()?), mentions: mentions() }
            }
            "deleted" => EntryKind::Deleted { target: target()? },
            "reacted" => EntryKind::Reacted { target: target()?, emoji: Emoji::from_stored(text()?) },
            "unreacted" => EntryKind::Unreacted { target: target()?, emoji: Emoji::from_stored(text()?) },
            "joined" => EntryKind::Joined,
            "left" => EntryKind::Left,
            "removed" => EntryKind::Removed { user: user()?, banned: flag()? == YES },
            "unbanned" => EntryKind::Unbanned { user: user()? },
            "renamed" => EntryKind::Renamed { name: RoomName::from_stored(text()?) },
            "topic" => EntryKind::Topic { topic: Topic::from_stored(text()?) },
            "visibility" => EntryKind::Visibility { visibility: Visibility::of(flag()?)? },
            "archived" => EntryKind::Archived { archived: flag()? == YES },
            "role" => EntryKind::Role { user: user()?, role: Role::of(flag()?)? },
            "pinned" => EntryKind::Pinned { target: target()? },
            "unpinned" => EntryKind::Unpinned { target: target()? },
            other => return Err(StoreError::Broken(format!("an entry of the unknown kind {other:?} is stored"))),
        })
    }
}

/// An image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UploadDoc {
    #[serde(rename = "_id")]
    pub id: Uuid,
    pub owner: Uuid,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    pub bytes: i64,
    pub created_at: DateTime,
    pub avatar: bool,
    /// There once it is sent, as is `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// There, and true, until it is sent or somebody's picture: what an index over these alone goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<bool>,
}

/// The words of a message as they are found. Written after the message, from the log; see `words.rs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WordsDoc {
    pub room: Uuid,
    pub seq: i64,
    pub at: DateTime,
    /// The seq of the entry that these words are from: the message, its newest edit, or its deletion.
    pub from: i64,
    pub words: Vec<String>,
}

/// How far a room's log is in the index of words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IndexedDoc {
    #[serde(rename = "_id")]
    pub room: Uuid,
    pub upto: i64,
}

/// Something that has happened, for operators.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EventDoc {
    #[serde(rename = "_id")]
    pub id: Uuid,
    pub at: DateTime,
    /// The word that the wire uses.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    pub count: i64,
}
