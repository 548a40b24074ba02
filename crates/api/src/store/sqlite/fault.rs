//! What SQLite's errors mean for a caller: try again, somebody must act, or a defect.

use crate::store::StoreError;
use rusqlite::{Error, ErrorCode};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let Error::SqliteFailure(failure, _) = &error else {
            return Self::Broken(error.to_string());
        };
        match failure.code {
            ErrorCode::DiskFull => {
                Self::Unwritable("the disk is full (or the file has reached its largest size)".into())
            }
            ErrorCode::ReadOnly => Self::Unwritable("the file, its folder or its disk is read-only".into()),
            ErrorCode::PermissionDenied => Self::Unwritable("access to the file is denied".into()),
            ErrorCode::SystemIoFailure => Self::Unwritable(format!("the disk failed: {error}")),
            ErrorCode::CannotOpen => {
                Self::Unwritable(format!("a file that belongs to the store cannot be opened: {error}"))
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Self::Unknown("another program holds the file".into())
            }
            ErrorCode::OperationInterrupted | ErrorCode::OutOfMemory => Self::Unknown(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// What a failed COMMIT means. If the disk failed while it was made durable, the commit may be found after a crash.
pub(super) fn of_commit(error: Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::Unknown(format!("the disk failed during a commit: {error}")),
        _ => error.into(),
    }
}
