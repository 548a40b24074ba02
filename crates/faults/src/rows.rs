//! The fault matrix: one row a fault, one file a group. A row does its harm on a stage and says what must hold beside the
//! messages; over the messages the ledger judges.

mod bus;
mod client;
mod clocks;
mod containers;
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
    /// The only store that it can be played on; `None`: SQLite and a cluster.
    pub store: Option<Store>,
    /// Whether the profile `ci` has it.
    pub in_ci: bool,
    pub play: Play,
}

impl Row {
    /// Whether it can be played on a store. What is for both is for one process and for two nodes, not for containers.
    pub fn fits(&self, store: Store) -> bool {
        self.store.map_or(store != Store::Compose, |only| only == store)
    }
}

const fn row(id: &'static str, what: &'static str, in_ci: bool, play: Play) -> Row {
    Row { id, what, store: None, in_ci, play }
}

const fn cluster(id: &'static str, what: &'static str, in_ci: bool, play: Play) -> Row {
    Row { id, what, store: Some(Store::Cluster), in_ci, play }
}

const fn containers(id: &'static str, what: &'static str, play: Play) -> Row {
    Row { id, what, store: Some(Store::Compose), in_ci: true, play }
}

/// Turns `module::function`, which is an `async fn(Orders) -> Result<Outcome>`, into what the table of rows holds.
macro_rules! play {
    ($module:ident :: $function:ident) => {
        |orders| Box::pin(async move { $module::$function(orders).await.map(Into::into) })
    };
}

impl From<Outcome> for Played {
    fn from(outcome: Outcome) -> Self {
        Self::Done(Box::new(outcome))
    }
}

/// Every row, in the order of the matrix. Its numbers are those of the list of faults that the project was planned with:
/// X19 and X27 (uploads, buffering proxies) are not played by this harness; X32 is C04.
pub fn all() -> Vec<Row> {
    vec![
        containers(
            "C01",
            "what the containers may do, and what is seen of them from outside",
            play!(containers::looked_at),
        ),
        containers("C02", "every api container is replaced under load, one after the other", play!(containers::rolled)),
        containers("C03", "all containers are killed and started again", play!(containers::rebooted)),
        containers("C04", "backed up under load, destroyed, restored (X32)", play!(containers::restored)),
        row("X01", "kill -9 of a node under load, at offsets that the seed throws", true, play!(kill::killed)),
        row("X02", "a node dies between the commit and telling anybody", true, play!(kill::killed_before_publish)),
        row("X03", "SIGTERM under load: everybody is told, nothing is cut mid-commit", true, play!(kill::terminated)),
        cluster("X04", "both nodes are restarted, one after the other", true, play!(kill::rolled)),
        cluster("X05", "kill -9 of MongoDB, which stays away for a while", true, play!(store::database_killed)),
        cluster(
            "X06",
            "a replica set of three loses its primary: told to step down, frozen",
            false,
            play!(store::primary_changes),
        ),
        cluster("X07", "MongoDB is slow, then narrow", false, play!(store::database_slow)),
        cluster("X08", "MongoDB's replies are cut in the middle", false, play!(store::database_reply_cut)),
        cluster("X09", "kill -9 of Redis, which stays away for a while", true, play!(bus::redis_killed)),
        cluster("X10", "FLUSHALL in Redis under load", true, play!(bus::redis_emptied)),
        cluster("X11", "one node and Redis cannot reach each other", false, play!(bus::node_without_redis)),
        cluster("X12", "a node is frozen while the other ones are busy", false, play!(bus::node_frozen)),
        row(
            "X13",
            "a client is away for long: what it sees afterwards equals a fresh load",
            false,
            play!(client::long_absence),
        ),
        row(
            "X14",
            "each message is sent three times at once, by two sockets and REST",
            true,
            play!(client::sent_three_times),
        ),
        row(
            "X15",
            "answers are lost after the commit, connections are cut within a frame",
            true,
            play!(client::reply_lost),
        ),
        row("X16", "twenty sockets that never read, in a busy room", false, play!(client::deaf_readers)),
        row("X17", "clocks that are five minutes early and late", false, play!(clocks::wrong)),
        Row { store: Some(Store::Sqlite), ..row("X18", "the disk is full", false, play!(store::disk_full)) },
        row("X20", "bad frames by the thousand", true, play!(protocol::bad_frames)),
        row("X21", "huge frames, bodies and heads", true, play!(protocol::huge)),
        row("X22", "a storm of reconnects, and clients without any backoff", true, play!(client::reconnect_storm)),
        row("X23", "access tokens run out while connected", true, play!(session::token_runs_out)),
        row("X24", "two tabs refresh with the same cookie at once", true, play!(session::two_tabs)),
        row("X25", "a stolen refresh token is used again", true, play!(session::stolen_token)),
        row("X26", "logins and membership are revoked while connected", true, play!(session::revoked)),
        row("X28", "heads, bodies and sign-ins that never come to an end", false, play!(protocol::slow_peers)),
        row("X29", "two hundred logins at once", false, play!(session::login_storm)),
        row("X30", "everything is killed and started again, the database late", false, play!(kill::rebooted)),
        row("X31", "a message makes the server panic", true, play!(protocol::panics)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_there_once_and_in_order() {
        let ids: Vec<&str> = all().iter().map(|row| row.id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
