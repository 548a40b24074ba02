//! The log of events: what has happened on the server, for its administrators. Never a text that somebody wrote, never a
//! password, token or code.

use crate::id::{EventId, RoomId, SessionId, UserId};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What kind of thing has happened. A reader takes a word that it does not know for [`EventKind::Other`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
            #[serde(other, rename = "other")]
            Other,
        }

        impl EventKind {
            /// All that are ever written.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire and in stores.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other => "other",
                }
            }
        }
    };
}

kinds! {
    Registered = "registered",
    /// Somebody came by a room's code, without an account.
    Guest = "guest",
    /// A guest made an account.
    GuestKept = "guest_kept",
    Login = "login",
    /// `what` is the username that was tried, if anybody can have it.
    LoginFailed = "login_failed",
    /// Too many wrong passwords; `what` is the username.
    LoginThrottled = "login_throttled",
    Logout = "logout",
    Refresh = "refresh",
    RefreshRefused = "refresh_refused",
    /// A refresh token was shown that had been used before: it may have been stolen, and its login has ended.
    RefreshTokenReused = "refresh_token_reused",
    /// A bad access token that had not merely expired; `what` is why.
    TokenRefused = "token_refused",
    /// Somebody ended one of their own logins.
    Revoke = "revoke",
    /// All logins of a person but at most one were ended; `count` says how many.
    RevokeAll = "revoke_all",
    /// An image that was not taken; `what` is why.
    UploadRefused = "upload_refused",
    PasswordChanged = "password_changed",
    /// The current password was wrong.
    PasswordChangeFailed = "password_change_failed",
    /// A password was hashed anew, under today's settings.
    PasswordRehashed = "password_rehashed",
    /// Somebody deleted their account, or, without a `user`, whoever runs the server did it at the machine for `other`.
    AccountDeleted = "account_deleted",
    /// Somebody who wanted to delete their account did not know its password.
    AccountDeletionFailed = "account_deletion_failed",
    /// Somebody tried what is not for them; `what` is the attempt.
    Denied = "denied",
    /// `what` is what was done too often.
    RateLimited = "rate_limited",
    /// A browser called from another site's page.
    ForeignOriginRefused = "foreign_origin_refused",
    /// A socket was closed for what came over it.
    SocketAbuse = "socket_abuse",
    RoomCreated = "room_created",
    RoomJoined = "room_joined",
    RoomLeft = "room_left",
    RoomRenamed = "room_renamed",
    RoomTopic = "room_topic",
    /// `what` is `public` or `private`.
    RoomVisibility = "room_visibility",
    RoomArchived = "room_archived",
    RoomReopened = "room_reopened",
    /// `other` was given the role `what`.
    RoomRole = "room_role",
    RoomCodeRenewed = "room_code_renewed",
    RoomCodeDropped = "room_code_dropped",
    /// `other` was removed from the room.
    MemberRemoved = "member_removed",
    /// `other` was removed for good.
    MemberBanned = "member_banned",
    /// The ban of `other` was taken back.
    MemberUnbanned = "member_unbanned",
    /// An administrator of the room made an integration, which is `other`; `what` is its kind.
    IntegrationMade = "integration_made",
    /// Its secret is good no longer.
    IntegrationRevoked = "integration_revoked",
    /// A secret was shown that is not good; `what` is the kind of integration that it would be of.
    IntegrationRefused = "integration_refused",
    /// An administrator of the room deleted a message of `other`.
    MessageRemoved = "message_removed",
    /// At the machine, by who runs the server.
    AdminGranted = "admin_granted",
    AdminRevoked = "admin_revoked",
    /// An administrator disabled the account of `other`.
    UserDisabled = "user_disabled",
    UserEnabled = "user_enabled",
    /// An administrator ended all logins of `other`.
    UserSignedOut = "user_signed_out",
    /// Messages that people sent, `count` of them in this minute.
    MessagesSent = "messages_sent",
    /// Entries that went out to connections.
    EntriesDelivered = "entries_delivered",
    /// People who are online, `count` of them in this minute, as one node tells: whoever is connected to several is counted by
    /// one of them.
    Online = "online",
    /// Calls and frames that were refused or failed with the code `what`, `count` of them in this minute.
    Errors = "errors",
    /// A defect showed; `what` is the id of the request, which stands in the server's log.
    Failed = "failed",
    /// Events that this log had no room for.
    EventsDropped = "events_dropped",
}

impl EventKind {
    /// The kind of a stored word.
    pub fn of(word: &str) -> Self {
        Self::ALL.iter().copied().find(|kind| kind.word() == word).unwrap_or(Self::Other)
    }
}

/// Something that has happened, or how often something has in a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub id: EventId,
    pub at: Timestamp,
    pub kind: EventKind,
    /// Who did it, or whose login it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// To whom it was done, if that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// More about it; the kind says what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// How often; 1 for a single event.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::of(kind.word()), *kind);
        }
        assert_eq!(EventKind::of("a kind of tomorrow"), EventKind::Other);
    }
}
