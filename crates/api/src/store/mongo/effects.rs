//! What an entry changes besides standing in the log: members, the room, the text of a deleted message. All of it in the
//! transaction that inserts the entry.

use super::Shared;
use super::document::{BANNED, EDITED, FORMER, Id, MEMBER, Word, int};
use super::facts::Rooms;
use crate::store::NewEntry;
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};
use mongodb::error::Result;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::Role;
use std::collections::BTreeSet;

/// Whether an entry changes anything but the log. What it changes about a message is found out when that is read.
pub(super) const fn has_effect(what: &EntryKind) -> bool {
    matches!(what, EntryKind::Deleted { .. }) || what.is_event()
}

/// Does what these entries say, each of which stands at its seq. `rooms` is how the rooms are after all of them.
pub(super) async fn take_effect(
    shared: &Shared,
    session: &mut ClientSession,
    entries: &[(&NewEntry, Seq)],
    rooms: &Rooms,
) -> Result<()> {
    let mut crowds = BTreeSet::new();
    for (entry, seq) in entries {
        let room = entry.room;
        match &entry.what {
            EntryKind::Deleted { target } => delete(shared, session, room, *target, *seq).await?,
            EntryKind::Joined => {
                join(shared, session, room, entry.author, *seq).await?;
                crowds.insert(room);
            }
            EntryKind::Left => {
                set_member(shared, session, room, entry.author, doc! { "state": FORMER }).await?;
                crowds.insert(room);
            }
            EntryKind::Removed { user, banned } => {
                let state = if *banned { BANNED } else { FORMER };
                set_member(shared, session, room, *user, doc! { "state": state }).await?;
                crowds.insert(room);
            }
            EntryKind::Role { user, role } => {
                set_member(shared, session, room, *user, doc! { "role": role.word() }).await?;
            }
            EntryKind::Renamed { name } => {
                set_room(shared, session, room, doc! { "name": name.as_str(), "name_key": name.key() }).await?;
            }
            EntryKind::Topic { topic } => set_room(shared, session, room, doc! { "topic": topic.as_str() }).await?,
            EntryKind::Visibility { visibility } => {
                set_room(shared, session, room, doc! { "visibility": visibility.word() }).await?;
            }
            EntryKind::Archived { archived } => {
                set_room(shared, session, room, doc! { "archived": archived }).await?;
            }
            _ => {}
        }
    }
    for room in crowds {
        let members = rooms.get(&room).map_or(0, |state| i64::try_from(state.members).unwrap_or(i64::MAX));
        set_room(shared, session, room, doc! { "member_count": members }).await?;
    }
    Ok(())
}

async fn set_room(shared: &Shared, session: &mut ClientSession, room: RoomId, set: Document) -> Result<()> {
    shared.rooms.update_one(doc! { "_id": room.stored() }, doc! { "$set": set }).session(session).await?;
    Ok(())
}

async fn set_member(
    shared: &Shared,
    session: &mut ClientSession,
    room: RoomId,
    user: UserId,
    set: Document,
) -> Result<()> {
    let which = doc! { "room": room.stored(), "user": user.stored() };
    shared.members.update_one(which, doc! { "$set": set }).session(session).await?;
    Ok(())
}

/// Makes a member, or a former member one again, who has seen all up to here.
async fn join(shared: &Shared, session: &mut ClientSession, room: RoomId, user: UserId, seq: Seq) -> Result<()> {
    let which = doc! { "room": room.stored(), "user": user.stored() };
    let seq = int(seq);
    let set = doc! {
        "state": MEMBER, "role": Role::Member.word(), "joined": seq, "delivered": seq, "read": seq,
    };
    shared.members.update_one(which, doc! { "$set": set }).upsert(true).session(session).await?;
    Ok(())
}

/// Blanks a message and all its edits, in the log.
async fn delete(shared: &Shared, session: &mut ClientSession, room: RoomId, target: Seq, seq: Seq) -> Result<()> {
    let message = doc! { "room": room.stored(), "seq": int(target) };
    let blank = doc! { "$set": { "text": "", "deleted": int(seq) }, "$unset": { "files": "" } };
    shared.entries.update_one(message, blank).session(&mut *session).await?;
    let edits = doc! { "room": room.stored(), "target": int(target), "kind": EDITED };
    shared.entries.update_many(edits, doc! { "$set": { "text": "" } }).session(session).await?;
    Ok(())
}
