//! Watermarks: how far each member has received and read. A call is two reads and one write, however many marks it brings.

use super::document::{Id, MEMBER, MemberDoc, int, seq};
use super::{Mongo, Shared};
use crate::store::{Marked, Marks, NewMark, Stored};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use natter_shared::id::{RoomId, Seq, UserId};
use std::collections::{BTreeMap, HashMap};

/// How far a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stand {
    delivered: Seq,
    read: Seq,
}

impl Shared {
    async fn raise_marks(&self, marks: Vec<NewMark>) -> Stored<Vec<Marked>> {
        let mut stands = self.stands(&marks).await?;
        if stands.is_empty() {
            return Ok(Vec::new());
        }
        let mut rooms: Vec<RoomId> = stands.keys().map(|(room, _)| *room).collect();
        rooms.sort_unstable();
        rooms.dedup();
        let heads = self.heads(&rooms).await?;
        let mut moved = Vec::new();
        for mark in marks {
            let Some(stand) = stands.get_mut(&(mark.room, mark.user)) else { continue };
            let head = heads.get(&mark.room).copied().unwrap_or_default();
            let read = mark.read.min(head).max(stand.read);
            let delivered = mark.delivered.min(head).max(stand.delivered).max(read);
            let raised = Stand { delivered, read };
            if raised != *stand {
                *stand = raised;
                moved.push(Marked { room: mark.room, user: mark.user, delivered, read });
            }
        }
        if !moved.is_empty() {
            self.write_marks(&moved).await?;
        }
        Ok(moved)
    }

    /// Where those of these people stand who are members.
    async fn stands(&self, marks: &[NewMark]) -> Stored<HashMap<(RoomId, UserId), Stand>> {
        let mut people: BTreeMap<RoomId, Vec<_>> = BTreeMap::new();
        for mark in marks {
            people.entry(mark.room).or_default().push(mark.user.stored());
        }
        let in_room = |(room, users): (RoomId, Vec<_>)| doc! { "room": room.stored(), "user": { "$in": users } };
        let which: Vec<Document> = people.into_iter().map(in_room).collect();
        if which.is_empty() {
            return Ok(HashMap::new());
        }
        let mut found = self.members.find(doc! { "$or": which, "state": MEMBER }).await?;
        let mut stands = HashMap::with_capacity(marks.len());
        while let Some(MemberDoc { room, user, delivered, read, .. }) = found.try_next().await? {
            let stand = Stand { delivered: seq(delivered)?, read: seq(read)? };
            stands.insert((RoomId::of(room), UserId::of(user)), stand);
        }
        Ok(stands)
    }

    /// One command. `$max` keeps what another node has raised further meanwhile.
    async fn write_marks(&self, moved: &[Marked]) -> Stored<()> {
        let statement = |marked: &Marked| {
            doc! {
                "q": { "room": marked.room.stored(), "user": marked.user.stored(), "state": MEMBER },
                "u": { "$max": { "delivered": int(marked.delivered), "read": int(marked.read) } },
            }
        };
        let updates: Vec<Document> = moved.iter().map(statement).collect();
        self.update_all(self.members.name(), updates).await
    }
}

#[async_trait]
impl Marks for Mongo {
    async fn raise_marks(&self, marks: Vec<NewMark>) -> Stored<Vec<Marked>> {
        self.run(|shared| async move { shared.raise_marks(marks).await }).await
    }
}
