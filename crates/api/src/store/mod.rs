//! What is kept, and what every store promises. A store holds no rules: it does what its contract says, atomically and
//! durably, and leaves judgement to the services.
//!
//! # The contract in words
//!
//! - **Durable means acknowledged.** A write that returned `Ok` survives `kill -9` and power loss. A write that returned
//!   [`StoreError::Unknown`] may or may not have happened; repeating it with the same ids is always safe.
//! - **Absence is not an error.** A lookup returns `Ok(None)` or an empty list.
//! - **The log is the room.** Whatever happens in a room goes through [`Log::append`], which gives the next seq of that
//!   room (1, 2, 3, … without gaps) and, in the same atomic step, does what the entry says: a `joined` makes a member, a
//!   `renamed` renames, an `edited` changes the materialised message. So the materialised view always equals the log applied.
//! - **Nothing appears below a cursor.** Once any read has returned an entry of seq *n* or a head *n*, no entry with a seq
//!   ≤ *n* of that room becomes visible later.
//! - **Once.** (room, author, `client_id`) is unique: appending it again returns the first entry, whatever else it holds.
//! - **Mentions follow the text.** Whom a message mentions is what its newest text says, and a deleted one mentions nobody.
//! - **Deletion blanks.** A `deleted` entry empties the text of its target and of all edits of it, in the log, in the
//!   materialised message and in the search index.
//! - **Nothing from outside is a query.** Every value is bound as a value.
//!
//! `conformance.rs` is this contract as tests; every store passes all of them.

pub mod archive;
mod events;
mod integrations;
mod judge;
mod measured;
pub mod mongo;
pub mod sqlite;
mod uploads;

#[cfg(test)]
pub(crate) mod conformance;

pub use events::{EventSearch, Events, Tally, TallySearch};
pub use integrations::{IntegrationRecord, Integrations};
pub use measured::Measured;
pub use uploads::{Posted, UploadRecord, Uploads};

use async_trait::async_trait;
use natter_shared::account::{Gender, ProfileChange, User};
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::id::{ClientId, RoomId, Seq, SessionId, UserId};
use natter_shared::page::Window;
use natter_shared::room::{Notify, Role, RoomKind, Visibility};
use natter_shared::text::{DisplayName, Email, JoinCode, RoomName, Topic, Username};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a store could not do what it was asked. What a caller may conclude is in the variant; the text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The outcome of a write is not known, or a read did not answer in time: try again with the same ids.
    #[error("the store did not answer in time: {0}")]
    Unknown(String),
    /// Nothing was written, and nothing will be until somebody acts: the disk is full, the folder is read-only, ….
    #[error("the store cannot write: {0}")]
    Unwritable(String),
    /// A defect: what is stored cannot be understood, or a statement is wrong.
    #[error("the store is broken: {0}")]
    Broken(String),
}

pub type Stored<T> = Result<T, StoreError>;

/// Everything that is kept, as one object.
pub trait Store: Accounts + Sessions + Integrations + Rooms + Log + Marks + Uploads + Events + Health {}
impl<T: Accounts + Sessions + Integrations + Rooms + Log + Marks + Uploads + Events + Health> Store for T {}

/// Whether the store can do its work.
#[async_trait]
pub trait Health: Send + Sync + 'static {
    /// Reads something and checks that a write could be made; returns within a second or two.
    async fn ping(&self) -> Stored<()>;
}

/// A person as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    pub user: User,
    pub email: Option<Email>,
    /// In the form that `service::password` reads; guests have none.
    pub password_hash: Option<String>,
    pub created_at: Timestamp,
    pub disabled: bool,
    /// An administrator of the server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// When their newest login began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<Timestamp>,
    /// Of an account that was deleted. Then `user` holds the username that stays taken; wherever else a store tells of the
    /// person it says [`User::erased`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    /// What makes a bot of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationRecord>,
}

/// How far the deletion of an account has got. All that is known of the person is gone before the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// They may still be in rooms, and logins of theirs may live.
    UnderWay,
    Done,
}

/// A person to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: UserId,
    pub username: Username,
    pub display_name: DisplayName,
    pub email: Option<Email>,
    pub gender: Option<Gender>,
    pub password_hash: Option<String>,
    pub guest: bool,
    /// For a bot.
    pub integration: Option<IntegrationRecord>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreatedUser {
    Created(User),
    UsernameTaken,
}

/// What makes an account of a guest.
#[derive(Debug, Clone)]
pub struct KeptGuest {
    pub id: UserId,
    pub username: Username,
    pub display_name: DisplayName,
    pub email: Email,
    pub gender: Option<Gender>,
    pub password_hash: String,
}

impl KeptGuest {
    /// Whether the person is what this made of them: then it is a repeat whose first answer was lost.
    fn is_done(&self, there: &UserRecord) -> bool {
        there.user.username == self.username && there.password_hash.as_deref() == Some(self.password_hash.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Kept(Box<UserRecord>),
    UsernameTaken,
    /// There is no such person, or they have an account.
    NoGuest,
}

#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Makes a person. Of any number of calls with one username, whenever they come, exactly one creates.
    async fn create_user(&self, user: NewUser) -> Stored<CreatedUser>;
    async fn user(&self, id: UserId) -> Stored<Option<UserRecord>>;
    /// The person of that name; nobody, if their account was deleted.
    async fn user_by_name(&self, username: &Username) -> Stored<Option<UserRecord>>;
    /// The people among `ids` that exist, in no order.
    async fn users(&self, ids: &[UserId]) -> Stored<Vec<User>>;
    /// Which of these usernames are taken, also by people whose accounts were deleted.
    async fn taken_usernames(&self, names: &[Username]) -> Stored<Vec<Username>>;
    /// People (no guests, no bots, nobody disabled) whose username starts with `prefix`, by username, after `after`.
    async fn search_users(&self, prefix: &str, after: Option<&str>, limit: u32) -> Stored<Vec<User>>;
    /// Changes what is given and returns the person; `None` if there is none.
    async fn update_profile(&self, id: UserId, change: &ProfileChange) -> Stored<Option<UserRecord>>;
    async fn set_password(&self, id: UserId, password_hash: &str) -> Stored<()>;
    /// Gives a person a picture of their own by its URL, or the drawn one again; `None` if there is no such person.
    async fn set_avatar(&self, id: UserId, url: Option<&str>) -> Stored<Option<UserRecord>>;
    /// Makes an account of a guest, once; a repeat of the same call is answered like the first.
    async fn keep_guest(&self, account: KeptGuest) -> Stored<Kept>;
    /// Makes a person an administrator of the server, or one of the others again; `None` if there is no such person.
    async fn set_admin(&self, id: UserId, admin: bool) -> Stored<Option<UserRecord>>;
    /// Marks a person as one who is not let in, or as one who is; `None` if there is no such person. Ends no login.
    async fn set_disabled(&self, id: UserId, disabled: bool) -> Stored<Option<UserRecord>>;
    /// The administrators of the server, also disabled ones, by username.
    async fn administrators(&self) -> Stored<Vec<UserRecord>>;
    /// Everybody, also guests, bots and who is disabled, whose username starts with `prefix`, by username, after `after`; nobody
    /// whose account was deleted.
    async fn search_accounts(&self, prefix: &str, after: Option<&str>, limit: u32) -> Stored<Vec<UserRecord>>;
    /// Begins the deletion of an account, in one atomic step: names, address, password, picture and all else that is known of
    /// the person are gone, and they are disabled, for good: from here on no call of this trait changes them but
    /// [`Accounts::finish_deletion`]. The username stays taken. A repeat changes nothing; `None` if there is no such person.
    async fn erase_person(&self, id: UserId) -> Stored<Option<UserRecord>>;
    /// People whose deletion is under way.
    async fn deletions_under_way(&self, limit: u32) -> Stored<Vec<UserId>>;
    /// There is nothing left to do for a deletion that is under way.
    async fn finish_deletion(&self, id: UserId) -> Stored<()>;
}

/// SHA-256 of a refresh token.
pub type TokenHash = [u8; 32];

/// A login as stored: a family of refresh tokens of which one, or for a moment two, are good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    /// The end of the family; rotation does not move it.
    pub expires_at: Timestamp,
    pub user_agent: String,
    /// How often the token was rotated.
    pub generation: u32,
    pub current: TokenHash,
    pub previous: Option<TokenHash>,
    pub revoked_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub user_agent: String,
    pub token: TokenHash,
}

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It was the current one; `next` is current now and the session stands at this generation.
    Rotated { generation: u32 },
    /// It was the current one's immediate predecessor, the current one has not been used, and at most the grace time has
    /// passed since the rotation: the current token of this generation is the answer again.
    Again { generation: u32 },
    /// It was good once: the whole family is revoked by this call.
    Reused,
    /// No such session, revoked before, expired, or a token that never was one of it.
    Unknown,
}

#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Begins a login, and notes when on its person.
    async fn create_session(&self, session: NewSession) -> Stored<()>;
    /// The login and whose it is, in one read.
    async fn session(&self, id: SessionId) -> Stored<Option<(SessionRecord, UserRecord)>>;
    /// One atomic step: see [`Rotation`]. `next` becomes current only if the session still stands at `generation` (else the
    /// presented token cannot be current any more and is judged as predecessor or reuse). A hash that is neither current
    /// nor previous counts as reuse if `was_ours` (the caller verified that this server made it), else as unknown.
    async fn rotate(&self, rotate: Rotate) -> Stored<Rotation>;
    /// Logins of a person that are neither revoked nor expired, newest first.
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Stored<Vec<SessionRecord>>;
    /// Ends one login of `user`; `false` if there is no live one of that id and person.
    async fn revoke_session(&self, user: UserId, id: SessionId, now: Timestamp) -> Stored<bool>;
    /// Ends all logins of a person but `except`, and returns those that were ended.
    async fn revoke_sessions_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
        now: Timestamp,
    ) -> Stored<Vec<SessionId>>;
    /// Those of these logins (at most 500) that are dead: revoked, past their end, forgotten, or of a person who is
    /// disabled. In no order.
    async fn ended_among(&self, ids: &[SessionId], now: Timestamp) -> Stored<Vec<SessionId>>;
    /// Forgets logins that ended before `before`; returns how many.
    async fn prune_sessions(&self, before: Timestamp) -> Stored<u64>;
}

#[derive(Debug, Clone, Copy)]
pub struct Rotate {
    pub id: SessionId,
    pub presented: TokenHash,
    pub generation: u32,
    pub next: TokenHash,
    pub was_ours: bool,
    pub now: Timestamp,
    pub grace_ms: i64,
}

/// A room as stored, the same for every viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRecord {
    pub id: RoomId,
    pub kind: RoomKind,
    /// Empty for a direct conversation.
    pub name: RoomName,
    pub topic: Topic,
    pub visibility: Visibility,
    pub archived: bool,
    pub created_at: Timestamp,
    /// Who made it.
    pub owner: Option<UserId>,
    pub member_count: u32,
    pub code: Option<JoinCode>,
    pub head: Seq,
    /// The two of a direct conversation, in the order of their ids.
    pub peers: Option<(UserId, UserId)>,
}

#[derive(Debug, Clone)]
pub struct NewRoomRecord {
    pub id: RoomId,
    pub name: RoomName,
    pub topic: Topic,
    pub visibility: Visibility,
    pub owner: UserId,
    pub code: JoinCode,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made once for a room, and taken apart at once")]
pub enum CreatedRoom {
    /// The room, and its first entry: the owner's `joined`, seq 1.
    Created(RoomRecord, Entry),
    NameTaken,
    /// Another room has this code: make another one.
    CodeTaken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetCode {
    Set,
    CodeTaken,
    NoRoom,
}

/// How a person stands to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Stranger,
    Member(Role),
    /// Was in it, went or was removed.
    Former,
    Banned,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    pub user: User,
    pub role: Role,
    pub delivered: Seq,
    pub read: Seq,
}

/// A room that somebody is in, as [`Rooms::overviews`] reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewRecord {
    pub room: RoomRecord,
    pub role: Role,
    pub delivered: Seq,
    pub read: Seq,
    /// Messages of others, seen by this person, not deleted, above `read`; counted up to `limits::UNREAD_MAX`.
    pub unread: u32,
    /// Those of them that mention this person as they stand now, or everybody; counted to the same limit.
    pub mentions: u32,
    pub notify: Notify,
    /// The newest message that this person may see.
    pub last_message: Option<Message>,
    /// The other one of a direct conversation.
    pub peer: Option<User>,
}

#[async_trait]
pub trait Rooms: Send + Sync + 'static {
    /// Makes a room with its owner as first member. Names are unique without case ([`RoomName::key`]).
    async fn create_room(&self, room: NewRoomRecord) -> Stored<CreatedRoom>;
    /// The direct conversation of two people, made with this id if there is none yet: two calls at once give one room.
    /// Both are members from the start; its log starts empty. `true` if this call made it.
    async fn direct(&self, a: UserId, b: UserId, id: RoomId, now: Timestamp) -> Stored<(RoomRecord, bool)>;
    async fn room(&self, id: RoomId) -> Stored<Option<RoomRecord>>;
    async fn room_by_code(&self, code: &JoinCode) -> Stored<Option<RoomRecord>>;
    async fn set_code(&self, id: RoomId, code: Option<&JoinCode>) -> Stored<SetCode>;
    /// Public rooms, not archived, whose name contains `query` (any case), by name key, after the name key `after`.
    async fn directory(&self, query: Option<&str>, after: Option<&str>, limit: u32) -> Stored<Vec<RoomRecord>>;
    /// The same of all rooms, also private and archived ones; no direct conversations.
    async fn every_room(&self, query: Option<&str>, after: Option<&str>, limit: u32) -> Stored<Vec<RoomRecord>>;
    async fn standing(&self, room: RoomId, user: UserId) -> Stored<Standing>;
    /// The room and how the person stands to it, in one read.
    async fn room_for(&self, room: RoomId, user: UserId) -> Stored<Option<(RoomRecord, Standing)>>;
    /// The members by role (owners first) and username.
    async fn members(&self, room: RoomId) -> Stored<Vec<MemberRecord>>;
    /// Who was banned from a room, by username.
    async fn banned(&self, room: RoomId) -> Stored<Vec<User>>;
    async fn member(&self, room: RoomId, user: UserId) -> Stored<Option<MemberRecord>>;
    /// The rooms that a person is in.
    async fn rooms_of(&self, user: UserId) -> Stored<Vec<RoomId>>;
    /// Keeps what of a room calls for a member's attention, also for when they have left and come back; `false` if they are
    /// not a member.
    async fn set_notify(&self, room: RoomId, user: UserId, notify: Notify) -> Stored<bool>;
    /// All that `GET /me/rooms` shows, in one read; a consistent snapshot.
    async fn overviews(&self, user: UserId) -> Stored<Vec<OverviewRecord>>;
    /// The same with the others in these rooms, each once, in no order: all that a sign-in shows of a person's world, in one
    /// read; a consistent snapshot.
    async fn surroundings(&self, user: UserId) -> Stored<(Vec<OverviewRecord>, Vec<UserId>)>;
}

/// An entry to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub room: RoomId,
    pub author: UserId,
    pub at: Timestamp,
    pub client_id: Option<ClientId>,
    pub what: EntryKind,
}

/// What became of a [`NewEntry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It has the next seq.
    New(Entry),
    /// It is there already: the same `client_id`, or an effect that holds (deleted already, the reaction is there, a member
    /// already). This is the first entry.
    Again(Entry),
    Refused(Refused),
}

/// Why an entry has no place in its log at this point. Judged inside the write, so no race can get around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    NoRoom,
    /// The author (or the `user` of a `removed` or `role`) is not a member now.
    NotMember,
    /// A `joined` by somebody who is banned.
    Banned,
    /// The room is archived; only `archived {archived: false}`, `left` and `removed` are possible.
    Archived,
    /// No message that the author may see has that seq, or it is deleted.
    NoTarget,
    /// An `edited` by somebody else than the target's author.
    NotAuthor,
    /// An `unreacted` without the reaction and without an earlier `unreacted` of it.
    NoReaction,
    TooManyReactions,
    /// The room has `limits::PINS_PER_ROOM` pinned messages.
    TooManyPins,
    /// `renamed` to a name that another room has.
    NameTaken,
    /// `left`, `removed` or `role` that would leave other members without an owner.
    LastOwner,
    /// The room has `limits::MEMBERS_PER_ROOM` members, or the person is in `limits::ROOMS_PER_USER` rooms.
    Full,
    /// `reply_to` names no message that the author may see (a whisper between others is none), or `to` no member.
    NoReference,
}

/// Names that an entry to be calls in its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub room: RoomId,
    /// Who calls.
    pub author: UserId,
    /// As they stand in the text, each once; they may name nobody.
    pub names: Vec<String>,
}

/// Who hears a [`Call`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// How many are in the room; 0 if there is none.
    pub members: u32,
    /// What the caller is there; nothing if they are not a member.
    pub role: Option<Role>,
    /// The members whom the names name, in the order of the names.
    pub people: Vec<UserId>,
}

/// A stretch of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntrySlice {
    /// Consecutive seqs, the first one after the cursor.
    pub entries: Vec<Entry>,
    pub head: Seq,
}

/// A stretch of messages as they stand now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSlice {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Entries that are events ([`EntryKind::is_event`]) in the same stretch, oldest first, so that pages tile: from the
    /// first message (`After`: from after the cursor; from the room's beginning if there are no older messages) to the last
    /// one (`Before`: to before the cursor; to the head if there are no newer). At most the newest `limits::ENTRIES_MAX`.
    pub events: Vec<Entry>,
    pub head: Seq,
    /// Whether there are more messages in the direction asked for: newer ones for `After`, older ones otherwise.
    pub has_more: bool,
}

#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends a batch in its order, in one durable commit, and says for each what became of it. Either the whole call
    /// succeeds or it is an error and nothing may be acknowledged.
    async fn append(&self, batch: Vec<NewEntry>) -> Stored<Vec<Appended>>;
    /// Who hears each of these calls now, in one read.
    async fn heard(&self, calls: &[Call]) -> Stored<Vec<Heard>>;
    /// Up to `limit` entries after a cursor, whole (whispers and client ids included), and the head at the same moment.
    /// `None` if there is no such room.
    async fn entries_after(&self, room: RoomId, after: Seq, limit: u32) -> Stored<Option<EntrySlice>>;
    /// The same for many rooms in one read. For a room that has more than `limit` entries after its cursor, or whose cursor
    /// lies beyond its head, only the head comes, with no entries. Rooms that do not exist are left out.
    async fn entries_after_many(&self, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>>;
    async fn heads(&self, rooms: &[RoomId]) -> Stored<Vec<(RoomId, Seq)>>;
    /// A page of messages that `reader` may see: whispers between others are left out and not counted, and a client id is
    /// shown to its author only, here as in all that is read for one reader.
    async fn messages(&self, room: RoomId, reader: UserId, window: Window, limit: u32) -> Stored<Option<MessageSlice>>;
    async fn message(&self, room: RoomId, seq: Seq) -> Stored<Option<Message>>;
    /// The message that somebody sent to a room as `client_id`, as it stands now.
    async fn sent(&self, room: RoomId, author: UserId, client_id: ClientId) -> Stored<Option<Message>>;
    /// The pinned messages of a room that `reader` may see, what was pinned last first; at most `limits::PINS_PER_ROOM`.
    async fn pins(&self, room: RoomId, reader: UserId) -> Stored<Vec<Message>>;
    /// Messages in rooms that `reader` is in, that `reader` may see, not deleted, in which every word of `query` begins a
    /// word, newest first by (at, room, seq), continuing after `after`.
    async fn search(&self, search: Search) -> Stored<Vec<Message>>;
}

#[derive(Debug, Clone)]
pub struct Search {
    pub reader: UserId,
    pub query: String,
    pub room: Option<RoomId>,
    pub after: Option<(Timestamp, RoomId, Seq)>,
    pub limit: u32,
}

/// A watermark to be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMark {
    pub room: RoomId,
    pub user: UserId,
    pub delivered: Seq,
    pub read: Seq,
}

/// Where a member stands after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    pub room: RoomId,
    pub user: UserId,
    pub delivered: Seq,
    pub read: Seq,
}

#[async_trait]
pub trait Marks: Send + Sync + 'static {
    /// Raises watermarks in one commit: never down, never above the room's head; what is read is delivered. Returns those
    /// that moved; marks of people who are not members are passed over.
    async fn raise_marks(&self, marks: Vec<NewMark>) -> Stored<Vec<Marked>>;
}
