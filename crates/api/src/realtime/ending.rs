//! The ways in which a connection comes to its end, as its writer and its reader tell each other.

use natter_shared::frame::CloseCode;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server ends it, with this close frame.
    Close(CloseCode),
    /// Its login has ended: whoever signed out is offline at once.
    SignedOut,
    /// The reader is gone, or has said goodbye with this code: it is answered in kind.
    Gone(Option<u16>),
}

/// What the task that reads from a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Ended(End),
    /// Finish what is under way, then close with this code.
    Asked(CloseCode),
}

/// How a peer took the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parted {
    /// It has hung up.
    Quietly,
    /// It goes on sending, or says nothing: the connection is cut.
    Cut,
}
