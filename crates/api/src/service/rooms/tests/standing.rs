//! Who may do what: every operation in a room, tried by everybody from the owner to a stranger.

use crate::service::Caller;
use crate::service::marks::{MarkError, Marks};
use crate::service::messages::MessageError;
use crate::service::presence::{Presence, PresenceError};
use crate::service::rooms::RoomError;
use crate::stage::Stage;
use futures_util::future::join_all;
use natter_shared::entry::{EditForm, MessageForm};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::page::{EntriesQuery, MessagesQuery, SearchQuery};
use natter_shared::room::{Role, RoomPatch, Visibility};
use std::fmt::Write;

#[derive(Debug, Clone, Copy)]
enum Op {
    Get,
    Change,
    Join,
    Leave,
    Code,
    RenewCode,
    DropCode,
    Members,
    SetRole,
    RemoveMember,
    BanAdmin,
    Send,
    Reply,
    Whisper,
    Edit,
    Delete,
    React,
    Unreact,
    Page,
    Entries,
    Search,
    Read,
    Typing,
}

/// What becomes of it for owner, administrator, member, former member, banned, stranger, in a public room and in a private
/// one: `+` done, `3` forbidden, `4` not found, `L` refused to the last owner.
const TABLE: &[(Op, &str, &str)] = &[
    (Op::Get, "++++3+", "+++444"),
    (Op::Change, "++3333", "++3444"),
    (Op::Join, "++++3+", "+++444"),
    (Op::Leave, "L++333", "L++444"),
    (Op::Code, "++3333", "++3444"),
    (Op::RenewCode, "++3333", "++3444"),
    (Op::DropCode, "++3333", "++3444"),
    (Op::Members, "+++333", "+++444"),
    (Op::SetRole, "+33333", "+33444"),
    (Op::RemoveMember, "++3333", "++3444"),
    (Op::BanAdmin, "+33333", "+33444"),
    (Op::Send, "+++333", "+++444"),
    (Op::Reply, "+++333", "+++444"),
    (Op::Whisper, "+++333", "+++444"),
    (Op::Edit, "333333", "333444"),
    (Op::Delete, "++3333", "++3444"),
    (Op::React, "+++333", "+++444"),
    (Op::Unreact, "+++333", "+++444"),
    (Op::Page, "+++333", "+++444"),
    (Op::Entries, "+++333", "+++444"),
    (Op::Search, "+++333", "+++444"),
    (Op::Read, "+++444", "+++444"),
    (Op::Typing, "+++444", "+++444"),
];

/// The letter of a refusal in the table.
struct Refused(char);

impl From<RoomError> for Refused {
    fn from(error: RoomError) -> Self {
        Self(match error {
            RoomError::Forbidden(_) => '3',
            RoomError::Unknown => '4',
            RoomError::LastOwner => 'L',
            other => panic!("{other}"),
        })
    }
}

impl From<MessageError> for Refused {
    fn from(error: MessageError) -> Self {
        Self(match error {
            MessageError::Forbidden(_) => '3',
            MessageError::Unknown => '4',
            other => panic!("{other:?}"),
        })
    }
}

impl From<MarkError> for Refused {
    fn from(error: MarkError) -> Self {
        assert!(matches!(error, MarkError::Unknown), "{error}");
        Self('4')
    }
}

impl From<PresenceError> for Refused {
    fn from(error: PresenceError) -> Self {
        assert!(matches!(error, PresenceError::Unknown), "{error}");
        Self('4')
    }
}

struct Scene<'a> {
    stage: &'a Stage,
    marks: &'a Marks,
    presence: &'a Presence,
    room: RoomId,
    /// A member and an administrator whom things are done to.
    subject: Caller,
    second: Caller,
    /// A message of the subject.
    said: Seq,
}

impl Scene<'_> {
    async fn attempt(&self, op: Op, who: &Caller) -> Result<(), Refused> {
        let Self { stage, room, subject, second, said, .. } = *self;
        let (rooms, messages) = (&stage.rooms, &stage.messages);
        let form = stage.form("hello");
        let edit = EditForm { client_id: ClientId::from_random_bytes(stage.bytes()), body: "changed".into() };
        let topic = RoomPatch { topic: Some("Beans".into()), ..RoomPatch::default() };
        let words = SearchQuery { q: Some("said".into()), room: Some(room), ..SearchQuery::default() };
        match op {
            Op::Get => drop(rooms.get(who, room).await?),
            Op::Change => drop(rooms.change(who, room, topic).await?),
            Op::Join => drop(rooms.join(who, room).await?),
            Op::Leave => rooms.leave(who, room).await?,
            Op::Code => drop(rooms.code(who, room).await?),
            Op::RenewCode => drop(rooms.renew_code(who, room).await?),
            Op::DropCode => rooms.drop_code(who, room).await?,
            Op::Members => drop(rooms.members(who, room).await?),
            Op::SetRole => drop(rooms.set_role(who, room, subject.user, Role::Admin).await?),
            Op::RemoveMember => rooms.remove(who, room, subject.user, false).await?,
            Op::BanAdmin => rooms.remove(who, room, second.user, true).await?,
            Op::Send => drop(messages.send(who, room, form).await?),
            Op::Reply => drop(messages.send(who, room, MessageForm { reply_to: Some(said), ..form }).await?),
            Op::Whisper => drop(messages.send(who, room, MessageForm { to: Some(subject.user), ..form }).await?),
            Op::Edit => drop(messages.edit(who, room, said, edit).await?),
            Op::Delete => drop(messages.delete(who, room, said).await?),
            Op::React => drop(messages.react(who, room, said, "👍").await?),
            Op::Unreact => {
                // Who may not react has nothing to take back, and must not learn so.
                let _ = messages.react(who, room, said, "👍").await;
                drop(messages.unreact(who, room, said, "👍").await?);
            }
            Op::Page => drop(messages.page(who, room, MessagesQuery::default()).await?),
            Op::Entries => drop(messages.entries(who, room, EntriesQuery::default()).await?),
            Op::Search => drop(messages.search(who, words).await?),
            Op::Read => self.marks.read_durably(who, room, said).await?,
            Op::Typing => self.presence.typing(who, room).await?,
        }
        Ok(())
    }
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_no_more() {
    let stage = Stage::new();
    let (marks, presence) = (Marks::start(&stage.parts), Presence::new(&stage.parts));
    let names = ["owner-1", "admin-1", "member-1", "former-1", "banned-1", "stranger", "subject", "second"];
    let people = join_all(names.map(|name| stage.person(name))).await;
    let [owner, admin, _, former, banned, stranger, subject, second] = people[..] else { unreachable!() };
    let mut wrong = String::new();
    for (visibility, &(op, public, private)) in
        [Visibility::Public, Visibility::Private].into_iter().flat_map(|v| TABLE.iter().map(move |row| (v, row)))
    {
        let expected = if visibility == Visibility::Public { public } else { private };
        let mut found = String::new();
        for (n, who) in people[..expected.len()].iter().enumerate() {
            // A room for each attempt, for many of them change it.
            let room = stage.room(&owner, &format!("{op:?} {visibility:?} {n}"), visibility).await.id;
            let let_in = people[1..].iter().filter(|who| who.user != stranger.user);
            join_all(let_in.map(|who| stage.lets_in(&owner, who, room))).await;
            for administrator in [admin, second] {
                stage.rooms.set_role(&owner, room, administrator.user, Role::Admin).await.unwrap();
            }
            stage.rooms.leave(&former, room).await.unwrap();
            stage.rooms.remove(&owner, room, banned.user, true).await.unwrap();
            let said = stage.says(&subject, room, "said before").await.seq;
            let (marks, presence, stage) = (&marks, &presence, &stage);
            let scene = Scene { stage, marks, presence, room, subject, second, said };
            found.push(match scene.attempt(op, who).await {
                Ok(()) => '+',
                Err(Refused(letter)) => letter,
            });
        }
        if found != expected {
            writeln!(wrong, "{op:?} in a {visibility:?} room: {found}, expected {expected}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
