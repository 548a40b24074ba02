//! What an entry changes besides standing in the log: members, the room, the text of a deleted message. All of it in the
//! transaction that inserts the entry, as one command a collection.

use super::Shared;
use super::bulk::refused;
use super::document::{BANNED, EDITED, FORMER, Id, MEMBER, Word, int, people};
use super::facts::Rooms;
use super::fault::Duplicate;
use crate::store::NewEntry;
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::Role;
use std::collections::BTreeSet;

/// Whether an entry changes anything but the log. What it changes about a message is found out when that is read, but for
/// whom it mentions: see [`mentions`].
pub(super) const fn has_effect(what: &EntryKind) -> bool {
    matches!(what, EntryKind::Deleted { .. } | EntryKind::Unpinned { .. }) || what.is_event()
}

/// Why effects did not take place.
pub(super) enum Failed {
    Driver(Error),
    /// A unique key was there: another room has the name.
    Met(Duplicate),
    /// The server refused a statement for another reason.
    Code(i32),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

/// The statements of three `update` commands.
#[derive(Default)]
struct Statements {
    members: Vec<Document>,
    rooms: Vec<Document>,
    entries: Vec<Document>,
}

/// Does what these entries say, each of which stands at its seq. `rooms` is how the rooms are after all of them.
pub(super) async fn take_effect(
    shared: &Shared,
    session: &mut ClientSession,
    entries: &[(&NewEntry, Seq)],
    rooms: &Rooms,
) -> Result<(), Failed> {
    let Statements { members, rooms, entries } = statements(entries, rooms);
    for (collection, updates) in [("members", members), ("rooms", rooms), ("entries", entries)] {
        if updates.is_empty() {
            continue;
        }
        // The write concern is the commit's.
        let command = doc! { "update": collection, "updates": updates, "ordered": true };
        let reply = shared.db.run_command(command).session(&mut *session).await?;
        if let Some(refused) = refused(&reply) {
            return Err(refused.duplicate().map_or(Failed::Code(refused.code), Failed::Met));
        }
    }
    Ok(())
}

fn statements(entries: &[(&NewEntry, Seq)], rooms: &Rooms) -> Statements {
    let mut all = Statements::default();
    let mut crowds = BTreeSet::new();
    for (entry, seq) in entries {
        let room = entry.room;
        match &entry.what {
            EntryKind::Edited { target, mentions: whom, .. } => all.entries.push(mentions(room, *target, whom)),
            EntryKind::Deleted { target } => all.entries.extend(blanks(room, *target, *seq)),
            EntryKind::Pinned { target } => all.entries.push(pin(room, *target, Some(*seq))),
            EntryKind::Unpinned { target } => all.entries.push(pin(room, *target, None)),
            EntryKind::Joined => {
                all.join(room, entry.author, *seq);
                crowds.insert(room);
            }
            EntryKind::Left => {
                all.set_member(room, entry.author, doc! { "state": FORMER });
                crowds.insert(room);
            }
            EntryKind::Removed { user, banned } => {
                all.set_member(room, *user, doc! { "state": if *banned { BANNED } else { FORMER } });
                crowds.insert(room);
            }
            EntryKind::Unbanned { user } => all.set_member(room, *user, doc! { "state": FORMER }),
            EntryKind::Role { user, role } => all.set_member(room, *user, doc! { "role": role.word() }),
            EntryKind::Renamed { name } => {
                all.set_room(room, doc! { "name": name.as_str(), "name_key": name.key() });
            }
            EntryKind::Topic { topic } => all.set_room(room, doc! { "topic": topic.as_str() }),
            EntryKind::Visibility { visibility } => all.set_room(room, doc! { "visibility": visibility.word() }),
            EntryKind::Archived { archived } => all.set_room(room, doc! { "archived": archived }),
            _ => {}
        }
    }
    for room in crowds {
        let members = rooms.get(&room).map_or(0, |state| i64::try_from(state.members).unwrap_or(i64::MAX));
        all.set_room(room, doc! { "member_count": members });
    }
    all
}

impl Statements {
    fn set_room(&mut self, room: RoomId, set: Document) {
        self.rooms.push(doc! { "q": { "_id": room.stored() }, "u": { "$set": set } });
    }

    fn set_member(&mut self, room: RoomId, user: UserId, set: Document) {
        self.members.push(doc! { "q": { "room": room.stored(), "user": user.stored() }, "u": { "$set": set } });
    }

    /// Makes a member, or a former member one again, who has seen all up to here.
    fn join(&mut self, room: RoomId, user: UserId, seq: Seq) {
        let which = doc! { "room": room.stored(), "user": user.stored() };
        let seq = int(seq);
        let set = doc! {
            "state": MEMBER, "role": Role::Member.word(), "joined": seq, "delivered": seq, "read": seq,
        };
        self.members.push(doc! { "q": which, "u": { "$set": set }, "upsert": true });
    }
}

/// The statement that says by which entry a message is pinned, if by one.
pub(super) fn pin(room: RoomId, target: Seq, by: Option<Seq>) -> Document {
    let unpin = || doc! { "$unset": { "pinned": "" } };
    let change = by.map_or_else(unpin, |seq| doc! { "$set": { "pinned": int(seq) } });
    doc! { "q": { "room": room.stored(), "seq": int(target) }, "u": change }
}

/// The statements that blank a message and all its edits, in the log; the deletion stands at `seq`.
pub(super) fn blanks(room: RoomId, target: Seq, seq: Seq) -> [Document; 2] {
    let message = doc! { "room": room.stored(), "seq": int(target) };
    let gone = doc! { "files": "", "mentions": "", "mentioned": "", "pinned": "" };
    let blank = doc! { "$set": { "text": "", "deleted": int(seq) }, "$unset": gone };
    let edits = doc! { "room": room.stored(), "target": int(target), "kind": EDITED };
    let blank_edits = doc! { "$set": { "text": "" }, "$unset": { "mentions": "" } };
    [doc! { "q": message, "u": blank }, doc! { "q": edits, "u": blank_edits, "multi": true }]
}

/// The statement that says whom a message mentions since its newest edit. Nothing but counting goes by it: what an edit
/// changes for a reader stands in its entry.
pub(super) fn mentions(room: RoomId, target: Seq, whom: &[UserId]) -> Document {
    let change = if whom.is_empty() {
        doc! { "$unset": { "mentioned": "" } }
    } else {
        doc! { "$set": { "mentioned": people(whom) } }
    };
    doc! { "q": { "room": room.stored(), "seq": int(target) }, "u": change }
}
