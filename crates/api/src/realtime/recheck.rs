//! Closes connections whose login has ended without this node hearing of it: on another node while the two could not talk.
//! The store is asked, a bounded read at a time; what it cannot answer is asked again in the next round.

use super::hub::Hub;
use crate::service::sessions::Sessions;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Short enough that a dead login is noticed within ten seconds.
const EVERY: Duration = Duration::from_secs(8);
const SESSIONS_A_READ: usize = 500;

/// The one task of a node; runs until it is dropped.
pub async fn run(hub: Arc<Hub>, sessions: Sessions) {
    let mut rounds = tokio::time::interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        for some in hub.sessions().chunks(SESSIONS_A_READ) {
            match sessions.recheck(some).await {
                Ok(0) => {}
                Ok(ended) => tracing::info!(ended, "connections were closed whose logins had ended elsewhere"),
                Err(error) => {
                    tracing::warn!(%error, "the logins of open connections could not be checked; tried again soon");
                    break;
                }
            }
        }
    }
}
