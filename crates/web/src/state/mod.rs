//! What the page knows, as plain structs with pure methods: no browser, no framework, no clock. `apply` is the only
//! writer for what the server pushes.

mod apply;
mod belonging;
mod drafts;
mod gaps;
mod loading;
pub mod map;
mod members;
mod naming;
pub mod order;
mod outbox;
mod people;
mod pins;
mod presence;
mod rooms;
mod rows;
mod saved;
mod session;
mod timeline;
mod toasts;
mod unread;
mod view;

pub use apply::{Effect, apply};
pub use drafts::Drafts;
pub use members::{Members, Reached};
pub use naming::offered;
pub use outbox::{Outbox, Sending, Unsent};
pub use people::People;
pub use pins::Pins;
pub use presence::{Presence, Typing};
pub use rooms::Rooms;
pub use rows::{Day, GROUP_MS, Row, RowKey};
pub use saved::{SAVED_MESSAGES, SAVED_ROOMS, Saved, Unsaved, keep_rooms};
pub use session::{Auth, Status};
pub use timeline::{KEPT, Load, Timeline};
pub use toasts::{TOAST_MS, Toast, ToastKind, Toasts};
pub use unread::{Waiting, calls};
pub use view::{MessageView, ReplyView, Tick, TimelineView};

use crate::state::map::{Map, Set};
use natter_shared::account::User;
use natter_shared::id::{RoomId, Seq, UserId};

#[expect(clippy::struct_excessive_bools, reason = "each stands for a part that is drawn by itself")]
/// Which parts changed since they were last asked for, so that only what shows them is drawn anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub auth: bool,
    pub status: bool,
    pub rooms: bool,
    pub presence: bool,
    pub typing: bool,
    pub people: bool,
    pub toasts: bool,
    /// Timelines, and the unsent messages that stand below them.
    pub timelines: Set<RoomId>,
    pub members: Set<RoomId>,
}

/// Everything that one tab knows.
#[derive(Debug, Clone, Default)]
pub struct ChatState {
    pub auth: Auth,
    /// Whether who is signed in administers the server: what that decides is what is shown, not what is allowed.
    pub admin: bool,
    pub status: Status,
    pub rooms: Rooms,
    pub presence: Presence,
    pub typing: Typing,
    pub people: People,
    pub members: Map<RoomId, Members>,
    pub timelines: Map<RoomId, Timeline>,
    pub pins: Map<RoomId, Pins>,
    pub outbox: Outbox,
    pub drafts: Drafts,
    pub toasts: Toasts,
    /// The room whose newest message is in view in a visible tab: what comes there is read at once.
    pub attended: Option<RoomId>,
    /// The room whose end the person is at, in view or not.
    pub at_end: Option<RoomId>,
    /// The room that the person last went into.
    pub opened: Option<RoomId>,
    /// A room that was opened before its line in the list was known: the new-messages line is still to be drawn.
    line_due: Option<RoomId>,
    /// Rooms that the person is leaving: that they go is no news.
    pub leaving: Set<RoomId>,
    /// Rooms whose missing entries are being read.
    catching_up: Set<RoomId>,
    /// How far the log of rooms goes whose line in the list is behind.
    behind: Map<RoomId, Seq>,
    /// Rooms whose unread count is in doubt.
    uncounted: Set<RoomId>,
    /// Whether the connection that is being made was told where this tab stands, so that it sends what is missing.
    pub resuming: bool,
    /// What is shown was saved, and the server has not said anything to it yet.
    pub restored: bool,
    /// Minutes by which this place's clocks are ahead of UTC.
    pub offset_min: i32,
    pub changes: Changes,
}

impl ChatState {
    /// Nothing known yet, where clocks are so many minutes ahead of UTC.
    pub fn new(offset_min: i32) -> Self {
        Self { offset_min, ..Self::default() }
    }

    pub fn me(&self) -> Option<&User> {
        match &self.auth {
            Auth::SignedIn { user } => Some(user),
            Auth::Unknown | Auth::SignedOut { .. } => None,
        }
    }

    pub fn my_id(&self) -> Option<UserId> {
        self.me().map(|user| user.id)
    }

    /// The parts that changed since the last call.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Signs somebody in. Another person's rooms and texts leave the screen first.
    pub fn sign_in(&mut self, user: User) {
        if self.my_id() != Some(user.id) {
            self.forget();
        }
        self.people.learn(&user);
        self.auth = Auth::SignedIn { user };
        self.changes.auth = true;
    }

    /// Notes whether who is signed in administers the server.
    pub fn set_admin(&mut self, admin: bool) {
        self.changes.auth |= self.admin != admin;
        self.admin = admin;
    }

    /// Signs out; `ended` says that the server ended the login, not the person.
    pub fn sign_out(&mut self, ended: bool) {
        self.forget();
        self.auth = Auth::SignedOut { ended };
        self.changes.auth = true;
    }

    /// Empties everything that belongs to one person.
    fn forget(&mut self) {
        let rooms: Set<RoomId> = self.timelines.keys().chain(self.members.keys()).copied().collect();
        *self = Self { status: self.status, ..Self::new(self.offset_min) };
        self.changes = Changes {
            auth: true,
            status: true,
            rooms: true,
            presence: true,
            typing: true,
            people: true,
            toasts: true,
            timelines: rooms.clone(),
            members: rooms,
        };
    }
}
