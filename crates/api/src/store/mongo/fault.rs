//! What the driver's errors mean for a caller: try again, somebody must act, or a defect. Values of documents are never part
//! of the text.

use crate::store::StoreError;
use mongodb::error::{Error, ErrorKind, IndexedWriteError, WriteFailure};

pub(super) const DUPLICATE_KEY: i32 = 11_000;
const OUT_OF_DISK: i32 = 14_031;
const UNAUTHORIZED: i32 = 13;
const AUTHENTICATION_FAILED: i32 = 18;
/// The server ended the call because its time was up (`maxTimeMS`), because it stops, or because the moment that is read is
/// gone (another node is making an index).
const INTERRUPTED: &[i32] = &[50, 262, 91, 11_600, 11_601, 11_602, 10_107, 13_435, 13_436, 189, 239, 246];

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let transient = error.contains_label("TransientTransactionError")
            || error.contains_label("UnknownTransactionCommitResult")
            || error.contains_label("RetryableWriteError");
        match code(&error) {
            Some(OUT_OF_DISK) => return Self::Unwritable("the disk of MongoDB is full".into()),
            Some(UNAUTHORIZED | AUTHENTICATION_FAILED) => {
                return Self::Unwritable(
                    "MongoDB refuses this user: check the name, password and rights in NATTER_STORE".into(),
                );
            }
            Some(code) if INTERRUPTED.contains(&code) => {
                return Self::Unknown(format!("MongoDB interrupted the call (code {code})"));
            }
            _ if transient => return Self::Unknown(short(&error)),
            _ => {}
        }
        match error.kind.as_ref() {
            ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Shutdown
            | ErrorKind::Write(WriteFailure::WriteConcernError(_)) => Self::Unknown(short(&error)),
            // Without errors of single documents, it is the write concern that was not met.
            ErrorKind::InsertMany(many) if many.write_errors.is_none() => Self::Unknown(short(&error)),
            ErrorKind::Authentication { .. } => Self::Unwritable(short(&error)),
            _ => Self::Broken(short(&error)),
        }
    }
}

/// The error without the values of documents that the server quotes.
fn short(error: &Error) -> String {
    let mut text = error.kind.to_string();
    if let Some(at) = text.find("dup key") {
        text.truncate(at);
    }
    if let Some((at, _)) = text.char_indices().nth(300) {
        text.truncate(at);
    }
    text
}

/// The server's code of a failed command or write.
fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::InsertMany(many) => many.write_errors.as_ref()?.first().map(|write| write.code),
        _ => None,
    }
}

/// A write that an index of unique keys did not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Duplicate {
    /// Which of the documents of an `insert_many`; 0 for a single one.
    pub at: usize,
    /// The name of the index.
    pub index: String,
}

/// Whether this is a duplicate key, and of which index.
pub(super) fn duplicate(error: &Error) -> Option<Duplicate> {
    let (at, message) = match error.kind.as_ref() {
        ErrorKind::Command(command) if command.code == DUPLICATE_KEY => (0, &command.message),
        ErrorKind::Write(WriteFailure::WriteError(write)) if write.code == DUPLICATE_KEY => (0, &write.message),
        ErrorKind::InsertMany(many) => {
            let first = many.write_errors.as_ref()?.first()?;
            if first.code != DUPLICATE_KEY {
                return None;
            }
            (first.index, &first.message)
        }
        _ => return None,
    };
    Some(Duplicate { at, index: index_of(message).to_owned() })
}

/// The index out of `E11000 duplicate key error collection: natter.entries index: room_seq dup key: { … }`.
pub(super) fn index_of(message: &str) -> &str {
    message.split(" index: ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default()
}

/// Whether all that an `insert_many` met is documents that were there before.
pub(super) fn is_of_duplicates_only(error: &Error) -> bool {
    let ErrorKind::InsertMany(many) = error.kind.as_ref() else { return false };
    let duplicates = |write: &IndexedWriteError| write.code == DUPLICATE_KEY;
    many.write_concern_error.is_none() && many.write_errors.as_ref().is_some_and(|all| all.iter().all(duplicates))
}
