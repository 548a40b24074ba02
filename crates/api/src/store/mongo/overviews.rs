//! The rooms that somebody is in, each with what its line in the list shows: one aggregation whose lookups go by indexes,
//! then, of the same moment, how much is unread, counted in an index alone; and the newest messages as they stand and the
//! people of direct conversations.

use super::document::{EntryDoc, Id, MEMBER, MESSAGE, RoomDoc, Word, seq};
use super::{PATIENCE, Shared, messages};
use crate::store::{OverviewRecord, Stored};
use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, Uuid, doc};
use mongodb::options::ReadConcern;
use natter_shared::account::User;
use natter_shared::entry::Message;
use natter_shared::id::{RoomId, UserId};
use natter_shared::limits;
use natter_shared::room::{Notify, Role};
use serde::Deserialize;
use std::collections::HashMap;

/// Rooms whose unread messages are counted in one call.
const TOGETHER: usize = 50;

/// What one document of the aggregation says: of a room, or who is in one as well.
#[derive(Deserialize)]
struct Found {
    line: Option<Line>,
    other: Option<Uuid>,
}

/// What the aggregation says of a room.
#[derive(Deserialize)]
struct Line {
    of: RoomDoc,
    role: String,
    delivered: i64,
    read: i64,
    #[serde(default)]
    notify: Option<String>,
    head: i64,
    /// One message, or none.
    newest: Vec<EntryDoc>,
}

/// How many messages of a room are unread, or how many of these mention the reader.
#[derive(Deserialize)]
struct Count {
    room: Uuid,
    n: u32,
    #[serde(default)]
    mentions: bool,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    unread: u32,
    mentions: u32,
}

/// Nothing above the head that is answered is counted or shown: a client goes on from there.
pub(super) fn pipeline(user: UserId) -> Vec<Document> {
    let user = user.stored();
    let entries = |with: Document, pipeline: Vec<Document>, name: &str| {
        doc! { "$lookup": {
            "from": "entries", "localField": "room", "foreignField": "room", "let": with, "pipeline": pipeline, "as": name,
        } }
    };
    let newest = doc! { "$sort": { "seq": -1 } };
    let up_to_head = doc! { "$lte": ["$seq", "$$head"] };
    let head = vec![newest.clone(), doc! { "$limit": 1 }, doc! { "$project": { "_id": 0, "seq": 1 } }];
    let mut seen = messages::seen_by(UserId::of(user));
    seen.insert("$expr", up_to_head);
    let last = vec![doc! { "$match": seen }, newest, doc! { "$limit": 1 }];
    vec![
        doc! { "$match": { "user": user, "state": MEMBER } },
        doc! { "$lookup": { "from": "rooms", "localField": "room", "foreignField": "_id", "as": "of" } },
        doc! { "$unwind": "$of" },
        entries(doc! {}, head, "head"),
        doc! { "$set": { "head": { "$ifNull": [{ "$first": "$head.seq" }, 0_i64] } } },
        entries(doc! { "head": "$head" }, last, "newest"),
    ]
}

/// The others in the rooms of somebody, each once.
fn others(user: UserId) -> Vec<Document> {
    let user = user.stored();
    let there = vec![
        doc! { "$match": { "state": MEMBER, "user": { "$ne": user } } },
        doc! { "$project": { "_id": 0, "user": 1 } },
    ];
    let there = doc! {
        "from": "members", "localField": "room", "foreignField": "room", "pipeline": there, "as": "other",
    };
    vec![
        doc! { "$match": { "user": user, "state": MEMBER } },
        doc! { "$lookup": there },
        doc! { "$unwind": "$other" },
        doc! { "$group": { "_id": "$other.user" } },
        doc! { "$project": { "_id": 0, "other": "$_id" } },
    ]
}

pub(super) async fn overviews(shared: &Shared, user: UserId) -> Stored<Vec<OverviewRecord>> {
    let mut lines = pipeline(user);
    lines.push(doc! { "$project": { "_id": 0, "line": "$$ROOT" } });
    Ok(read(shared, user, lines).await?.0)
}

/// The overviews, and the others in these rooms.
pub(super) async fn surroundings(shared: &Shared, user: UserId) -> Stored<(Vec<OverviewRecord>, Vec<UserId>)> {
    let mut all = pipeline(user);
    all.push(doc! { "$project": { "_id": 0, "line": "$$ROOT" } });
    all.push(doc! { "$unionWith": { "coll": "members", "pipeline": others(user) } });
    read(shared, user, all).await
}

/// How many messages of a room somebody has not read, none or one document. All that it asks of a message is in the index
/// `log`, so that not one is read; in a `$lookup` each would be, for there the bounds are expressions.
pub(super) fn unread(user: UserId, room: Uuid, read: i64, head: i64) -> Vec<Document> {
    let user = user.stored();
    let unread = doc! {
        "room": room,
        "seq": { "$gt": read, "$lte": head },
        "kind": MESSAGE,
        "author": { "$ne": user },
        "other": { "$in": [Bson::Null, user] },
        "deleted": Bson::Null,
    };
    vec![
        doc! { "$match": unread },
        doc! { "$limit": limits::UNREAD_MAX },
        doc! { "$count": "n" },
        doc! { "$set": { "room": room } },
    ]
}

/// How many of them mention somebody. The index `room_mentioned` finds them; only they are read.
pub(super) fn mentions(user: UserId, room: Uuid, read: i64, head: i64) -> Vec<Document> {
    let called = [user.stored(), UserId::EVERYBODY.stored()];
    let mentions = doc! {
        "room": room,
        "mentioned": { "$in": &called[..] },
        "seq": { "$gt": read, "$lte": head },
        "author": { "$ne": user.stored() },
    };
    vec![
        doc! { "$match": mentions },
        doc! { "$limit": limits::UNREAD_MAX },
        doc! { "$count": "n" },
        doc! { "$set": { "room": room, "mentions": true } },
    ]
}

/// What is unread in these rooms, where anything is.
async fn count(
    shared: &Shared,
    session: &mut ClientSession,
    user: UserId,
    behind: &[(Uuid, i64, i64)],
) -> Stored<HashMap<RoomId, Counts>> {
    let mut counts: HashMap<RoomId, Counts> = HashMap::with_capacity(behind.len());
    for some in behind.chunks(TOGETHER) {
        let of = |(room, read, head): &(Uuid, i64, i64)| {
            [unread(user, *room, *read, *head), mentions(user, *room, *read, *head)]
        };
        let mut each = some.iter().flat_map(of);
        let mut all = each.next().unwrap_or_default();
        all.extend(each.map(|one| doc! { "$unionWith": { "coll": shared.entries.name(), "pipeline": one } }));
        let found = shared.entries.aggregate(all).session(&mut *session).read_concern(ReadConcern::snapshot());
        let mut found = found.max_time(PATIENCE).with_type::<Count>().await?;
        while let Some(Count { room, n, mentions }) = found.next(session).await.transpose()? {
            let counts = counts.entry(RoomId::of(room)).or_default();
            *(if mentions { &mut counts.mentions } else { &mut counts.unread }) = n;
        }
    }
    Ok(counts)
}

async fn read(shared: &Shared, user: UserId, all: Vec<Document>) -> Stored<(Vec<OverviewRecord>, Vec<UserId>)> {
    // All that is read in it is of the moment of its first read.
    let mut session = shared.client.start_session().snapshot(true).await?;
    let found = shared.members.aggregate(all).session(&mut session).read_concern(ReadConcern::snapshot());
    let mut found = found.max_time(PATIENCE).with_type::<Found>().await?;
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    while let Some(Found { line, other }) = found.next(&mut session).await.transpose()? {
        lines.extend(line);
        others.extend(other.map(UserId::of));
    }

    let behind = lines.iter().filter(|line| line.read < line.head);
    let behind: Vec<(Uuid, i64, i64)> = behind.map(|line| (line.of.id, line.read, line.head)).collect();
    let newest = lines.iter_mut().flat_map(|line| line.newest.drain(..)).collect();
    let peers: Vec<UserId> = lines.iter().filter_map(|line| peer(&line.of, user)).collect();
    let (counts, newest, peers) = tokio::try_join!(
        count(shared, &mut session, user, &behind),
        messages::as_they_stand(shared, newest),
        shared.people(peers),
    )?;
    let for_user = |message: Message| (message.room, messages::for_reader(message, user));
    let mut newest: HashMap<RoomId, Message> = newest.into_iter().map(for_user).collect();
    let peers: HashMap<UserId, User> = peers.into_iter().map(|person| (person.id, person)).collect();

    let overview = |line: Line| {
        let peer = peer(&line.of, user).and_then(|peer| peers.get(&peer)).cloned();
        let room = line.of.record(seq(line.head)?)?;
        let Counts { unread, mentions } = counts.get(&room.id).copied().unwrap_or_default();
        Ok(OverviewRecord {
            role: Role::of(&line.role)?,
            delivered: seq(line.delivered)?,
            read: seq(line.read)?,
            unread,
            mentions,
            notify: line.notify.as_deref().map_or(Ok(Notify::default()), Notify::of)?,
            last_message: newest.remove(&room.id),
            peer,
            room,
        })
    };
    Ok((lines.into_iter().map(overview).collect::<Stored<_>>()?, others))
}

/// The other one of a direct conversation.
fn peer(room: &RoomDoc, user: UserId) -> Option<UserId> {
    let [a, b] = room.peers?.map(UserId::of);
    Some(if a == user { b } else { a })
}
