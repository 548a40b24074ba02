//! Transactions, for the few writes that change more than one document: begun, then committed or aborted, with the
//! durability of every other write.

use super::Shared;
use super::open::majority;
use mongodb::ClientSession;
use mongodb::error::{Error, Result, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use mongodb::options::ReadConcern;
use std::time::Duration;
use tokio::time::sleep;

/// A commit whose answer was lost is asked for again so often; it is the same commit.
const COMMITS: u32 = 3;
/// The first pause before what met another node is tried again, and the longest: it doubles.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// An open transaction. Dropping it aborts it.
pub(super) struct Transaction {
    pub session: ClientSession,
}

impl Transaction {
    pub async fn begin(shared: &Shared) -> Result<Self> {
        let mut session = shared.client.start_session().await?;
        session.start_transaction().read_concern(ReadConcern::snapshot()).write_concern(majority()).await?;
        Ok(Self { session })
    }

    /// Commits. An error with [`is_transient`] says that nothing was written; another one that nothing is known.
    pub async fn commit(mut self) -> Result<()> {
        for _ in 1..COMMITS {
            match self.session.commit_transaction().await {
                Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => {}
                result => return result,
            }
        }
        self.session.commit_transaction().await
    }

    pub async fn abort(mut self) {
        // The server gives up what nobody commits; there is nothing to learn from how that went.
        let _ = self.session.abort_transaction().await;
    }
}

/// Whether a transaction met another one, or a change of the primary, and can simply be tried again.
pub(super) fn is_transient(error: &Error) -> bool {
    error.contains_label(TRANSIENT_TRANSACTION_ERROR)
}

/// The pause before each further try.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub const fn new() -> Self {
        Self(PAUSE)
    }

    pub async fn pause(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(PAUSE_MAX);
    }
}
