//! Short notices that go away by themselves. Words are made where they are drawn; here is only what happened.

use natter_shared::account::User;
use natter_shared::id::RoomId;

/// How long a toast stays, in milliseconds.
pub const TOAST_MS: i64 = 5_000;
/// So many are shown at most; the oldest go first.
const TOASTS_MAX: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToastKind {
    Joined {
        user: User,
        room: RoomId,
    },
    Left {
        user: User,
        room: RoomId,
    },
    CameOnline {
        user: User,
    },
    WentOffline {
        user: User,
    },
    /// One was taken out of a room, or it is gone.
    RoomGone {
        name: String,
    },
    /// A sentence for the person.
    Told(String),
    /// Something failed; a sentence for the person.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub id: u64,
    pub kind: ToastKind,
    /// When it goes, in milliseconds since 1970.
    pub until: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toasts {
    shown: Vec<Toast>,
    next: u64,
}

impl Toasts {
    /// Shows a notice. Failures stay twice as long: they ask for something.
    pub fn push(&mut self, kind: ToastKind, now: i64) {
        let stays = if matches!(kind, ToastKind::Failed(_)) { 2 * TOAST_MS } else { TOAST_MS };
        self.shown.push(Toast { id: self.next, kind, until: now.saturating_add(stays) });
        self.next += 1;
        let over = self.shown.len().saturating_sub(TOASTS_MAX);
        self.shown.drain(..over);
    }

    pub fn dismiss(&mut self, id: u64) -> bool {
        let before = self.shown.len();
        self.shown.retain(|toast| toast.id != id);
        before != self.shown.len()
    }

    /// Drops what has been shown long enough; says whether anything was.
    pub fn expire(&mut self, now: i64) -> bool {
        let before = self.shown.len();
        self.shown.retain(|toast| toast.until > now);
        before != self.shown.len()
    }

    pub fn next_expiry(&self) -> Option<i64> {
        self.shown.iter().map(|toast| toast.until).min()
    }

    pub fn shown(&self) -> &[Toast] {
        &self.shown
    }
}
