//! Direct conversations: one room for each pair of people.

use super::Shared;
use super::document::{Id, MEMBER, MemberDoc, RoomDoc, Word, date};
use super::rooms::Tried;
use super::transaction::Pauses;
use crate::store::{RoomRecord, Stored};
use mongodb::bson::doc;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Role, RoomKind, Visibility};
use natter_shared::timestamp::Timestamp;

/// What a pair of people, given in the order of their ids, is found by.
pub(super) fn pair((a, b): (UserId, UserId)) -> String {
    format!("{a} {b}")
}

/// The conversation of two people, given in the order of their ids; `true` if it was made for this call.
pub(super) async fn find_or_make(
    shared: &Shared,
    (a, b): (UserId, UserId),
    id: RoomId,
    now: Timestamp,
) -> Stored<(RoomRecord, bool)> {
    let pair = pair((a, b));
    let mut users = vec![a, b];
    users.dedup();
    let room = RoomDoc {
        id: id.stored(),
        kind: RoomKind::Direct.word().to_owned(),
        name: String::new(),
        name_key: None,
        topic: String::new(),
        visibility: Visibility::Private.word().to_owned(),
        archived: false,
        created_at: date(now),
        owner: None,
        member_count: if a == b { 1 } else { 2 },
        code: None,
        peers: Some([a.stored(), b.stored()]),
        pair: Some(pair.clone()),
    };
    let member = |user: UserId| MemberDoc {
        room: id.stored(),
        user: user.stored(),
        state: MEMBER.to_owned(),
        role: Role::Member.word().to_owned(),
        joined: None,
        delivered: 0,
        read: 0,
        notify: None,
    };
    let members: Vec<MemberDoc> = users.into_iter().map(member).collect();
    let mut pauses = Pauses::new();
    loop {
        if let Some(there) = shared.room_where(doc! { "pair": &pair }).await? {
            return Ok((there, false));
        }
        match shared.try_room(&room, &members, None).await? {
            Tried::Made => return Ok((room.record(Seq::ZERO)?, true)),
            // Somebody else's conversation of these two is there, or about to be.
            Tried::Met(_) | Tried::Nothing => pauses.pause().await,
        }
    }
}
