//! The fault matrix: one row a fault, one file a group. A row does its harm on a stage and says what must hold beside the
//! messages; over the messages the ledger judges.

mod bus;
mod client;
mod kill;
mod protocol;
mod session;
mod store;

use crate::report::Played;
use crate::stage::{Orders, Outcome};
use crate::system::Store;
use anyhow::Result;
use futures_util::future::LocalBoxFuture;

type Play = fn(Orders) -> LocalBoxFuture<'static, Result<Played>>;

pub struct Row {
    pub id: &'static str,
    pub what: &'static str,
    /// The only store that it can be played on; `None`: both.
    pub store: Option<Store>,
    /// Whether the profile `ci` has it.
    pub in_ci: bool,
    pub play: Play,
}

const fn row(id: &'static str, what: &'static str, in_ci: bool, play: Play) -> Row {
    Row { id, what, store: None, in_ci, play }
}

const fn cluster(id: &'static str, what: &'static str, in_ci: bool, play: Play) -> Row {
    Row { id, what, store: Some(Store::Cluster), in_ci, play }
}

/// Turns `module::function`, which is an `async fn(Orders) -> Result<Outcome>`, into what the table of rows holds.
macro_rules! play {
    ($module:ident :: $function:ident) => {
        |orders| Box::pin(async move { $module::$function(orders).await.map(Into::into) })
    };
}

impl From<Outcome> for Played {
    fn from(outcome: Outcome) -> Self {
        Self::Done(outcome)
    }
}

/// Every row, in the order of the matrix.
pub fn all() -> Vec<Row> {
    vec![
        row("X01", "kill -9 of a node under load, at offsets that the seed throws", true, play!(kill::killed)),
        row("X03", "SIGTERM under load: everybody is told, nothing is cut mid-commit", true, play!(kill::terminated)),
        row("X13", "a client is away for long: what it sees afterwards equals a fresh load", true, play!(client::long_absence)),
        row("X14", "each message is sent three times at once, by two sockets and REST", true, play!(client::sent_three_times)),
        row("X15", "the answer is lost after the commit, and connections are cut within a frame", true, play!(client::reply_lost)),
        row("X16", "twenty sockets that never read, in a busy room", false, play!(client::deaf_readers)),
        row("X22", "a storm of reconnects, and clients without any backoff", true, play!(client::reconnect_storm)),
    ]
}
