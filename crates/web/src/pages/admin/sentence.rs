//! An event in words.

use crate::locale::{t, tf};
use crate::plot::number;
use natter_shared::account::User;
use natter_shared::admin::NamedRoom;
use natter_shared::event::{Event, EventKind};
use natter_shared::id::{RoomId, UserId};
use std::collections::HashMap;

/// Who and what events name.
#[derive(Clone, Default)]
pub struct Names {
    people: HashMap<UserId, String>,
    rooms: HashMap<RoomId, String>,
}

impl Names {
    pub fn learn(&mut self, people: Vec<User>, rooms: Vec<NamedRoom>) {
        self.people.extend(people.into_iter().map(|user| (user.id, called(&user))));
        self.rooms.extend(rooms.into_iter().map(|room| (room.id, room.name.to_string())));
    }

    fn person(&self, user: Option<UserId>) -> &str {
        user.and_then(|user| self.people.get(&user)).map_or_else(|| t("event.somebody"), String::as_str)
    }

    fn room(&self, room: Option<RoomId>) -> &str {
        room.and_then(|room| self.rooms.get(&room)).map_or_else(|| t("log.some_room"), String::as_str)
    }
}

/// People by the name that is theirs alone; guests have none that anybody would know.
fn called(user: &User) -> String {
    match (user.deleted, user.guest) {
        (true, _) => t("person.deleted").to_owned(),
        (false, true) => format!("{} ({})", user.display_name, t("role.guest")),
        (false, false) => format!("@{}", user.username),
    }
}

pub fn sentence(event: &Event, names: &Names) -> String {
    let count = number(event.count);
    let values = [
        ("by", names.person(event.user)),
        ("who", names.person(event.other)),
        ("room", names.room(event.room)),
        ("what", event.what.as_deref().unwrap_or_else(|| t("log.something"))),
        ("n", count.as_str()),
    ];
    let text = tf(key(event), &values);
    let is_sum = matches!(
        event.kind,
        EventKind::MessagesSent
            | EventKind::EntriesDelivered
            | EventKind::Online
            | EventKind::Errors
            | EventKind::EventsDropped
            | EventKind::RevokeAll
    );
    if event.count > 1 && !is_sum { format!("{text} {}", tf("log.times", &[("n", &count)])) } else { text }
}

fn key(event: &Event) -> &'static str {
    match event.kind {
        EventKind::Registered => "log.registered",
        EventKind::Guest => "log.guest",
        EventKind::GuestKept => "log.guest_kept",
        EventKind::Login => "log.login",
        EventKind::LoginFailed => "log.login_failed",
        EventKind::LoginThrottled => "log.login_throttled",
        EventKind::Logout => "log.logout",
        EventKind::Refresh => "log.refresh",
        EventKind::RefreshRefused => "log.refresh_refused",
        EventKind::RefreshTokenReused => "log.refresh_token_reused",
        EventKind::TokenRefused => "log.token_refused",
        EventKind::Revoke => "log.revoke",
        EventKind::RevokeAll if event.count == 1 => "log.revoke_one",
        EventKind::RevokeAll => "log.revoke_all",
        EventKind::PasswordChanged => "log.password_changed",
        EventKind::PasswordChangeFailed => "log.password_change_failed",
        EventKind::PasswordRehashed => "log.password_rehashed",
        EventKind::AccountDeleted if event.user.is_none() => "log.account_deleted_there",
        EventKind::AccountDeleted => "log.account_deleted",
        EventKind::AccountDeletionFailed => "log.account_deletion_failed",
        EventKind::Denied => "log.denied",
        EventKind::RateLimited => "log.rate_limited",
        EventKind::ForeignOriginRefused => "log.foreign_origin",
        EventKind::SocketAbuse => "log.socket_abuse",
        EventKind::RoomCreated => "log.room_created",
        EventKind::RoomJoined => "log.room_joined",
        EventKind::RoomLeft => "log.room_left",
        EventKind::RoomRenamed => "log.room_renamed",
        EventKind::RoomTopic => "log.room_topic",
        EventKind::RoomVisibility if event.what.as_deref() == Some("private") => "log.room_private",
        EventKind::RoomVisibility => "log.room_public",
        EventKind::RoomArchived => "log.room_archived",
        EventKind::RoomReopened => "log.room_reopened",
        EventKind::RoomRole => "log.room_role",
        EventKind::RoomCodeRenewed => "log.room_code_renewed",
        EventKind::RoomCodeDropped => "log.room_code_dropped",
        EventKind::MemberRemoved => "log.member_removed",
        EventKind::MemberBanned => "log.member_banned",
        EventKind::MemberUnbanned => "log.member_unbanned",
        EventKind::MessageRemoved => "log.message_removed",
        EventKind::UploadRefused => "log.upload_refused",
        EventKind::IntegrationMade => "log.integration_made",
        EventKind::IntegrationRevoked => "log.integration_revoked",
        EventKind::IntegrationRefused => "log.integration_refused",
        EventKind::AdminGranted => "log.admin_granted",
        EventKind::AdminRevoked => "log.admin_revoked",
        EventKind::UserDisabled => "log.user_disabled",
        EventKind::UserEnabled => "log.user_enabled",
        EventKind::UserSignedOut => "log.user_signed_out",
        EventKind::MessagesSent => "log.messages_sent",
        EventKind::EntriesDelivered => "log.entries_delivered",
        EventKind::Online => "log.online",
        EventKind::Errors => "log.errors",
        EventKind::Failed => "log.failed",
        EventKind::EventsDropped => "log.events_dropped",
        EventKind::Other => "log.other",
    }
}
