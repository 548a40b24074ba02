//! Rooms as people see them: each viewer has a role of their own, and a direct conversation is called after the other one.

use super::{RoomError, Rooms};
use crate::bus::Notice;
use crate::service::access;
use crate::store::{OverviewRecord, RoomRecord};
use natter_shared::account::User;
use natter_shared::frame::ServerFrame;
use natter_shared::id::UserId;
use natter_shared::room::{Role, Room, RoomOverview};
use natter_shared::text::RoomName;
use std::collections::BTreeMap;

/// The room as somebody with this role sees it.
pub(in crate::service) fn room(record: &RoomRecord, role: Option<Role>, peer: Option<User>) -> Room {
    let name = match &peer {
        Some(peer) => RoomName::from_stored(peer.display_name.as_str().to_owned()),
        None => record.name.clone(),
    };
    Room {
        id: record.id,
        kind: record.kind,
        name,
        topic: record.topic.clone(),
        visibility: record.visibility,
        archived: record.archived,
        created_at: record.created_at,
        owner: record.owner,
        member_count: record.member_count,
        role,
        peer,
    }
}

pub(super) fn overview(overview: OverviewRecord, viewer: UserId) -> RoomOverview {
    let OverviewRecord { room: record, role, delivered, read, unread, mentions, notify, last_message, peer } = overview;
    RoomOverview {
        room: room(&record, Some(role), peer),
        head: record.head,
        read,
        delivered,
        unread,
        mentions,
        notify,
        last_message: last_message.map(|message| access::shown(message, viewer)),
    }
}

impl Rooms {
    /// The room as the viewer sees it; reads the other one of a direct conversation.
    pub(super) async fn view(
        &self,
        record: &RoomRecord,
        viewer: UserId,
        role: Option<Role>,
    ) -> Result<Room, RoomError> {
        let peer = match record.peers {
            Some((a, b)) => {
                let other = if a == viewer { b } else { a };
                self.parts.store.users(&[other]).await?.into_iter().next()
            }
            None => None,
        };
        Ok(room(record, role, peer))
    }

    /// Tells all connections of somebody that they are in a room (no direct conversation), and returns what they see.
    pub(super) fn tell(&self, record: &RoomRecord, user: UserId, role: Role) -> Room {
        let seen = room(record, Some(role), None);
        let frame = ServerFrame::Room { room: seen.clone() };
        self.parts.bus.publish(Notice::Users { users: vec![user], frame });
        seen
    }

    /// Tells all members that the room has changed, each with their own role.
    pub(super) async fn tell_members(&self, record: &RoomRecord) -> Result<(), RoomError> {
        let mut by_role: BTreeMap<Role, Vec<UserId>> = BTreeMap::new();
        for member in self.parts.store.members(record.id).await? {
            by_role.entry(member.role).or_default().push(member.user.id);
        }
        for (role, users) in by_role {
            let frame = ServerFrame::Room { room: room(record, Some(role), None) };
            self.parts.bus.publish(Notice::Users { users, frame });
        }
        Ok(())
    }

    /// Tells everybody of a room that has become public. Members are told with their role right after it.
    pub(super) fn tell_everyone(&self, record: &RoomRecord) {
        if access::is_open(record) {
            self.parts.bus.publish(Notice::Everyone { frame: ServerFrame::Room { room: room(record, None, None) } });
        }
    }
}
