//! Load: writers taking turns by the dice, at a steady rate.

use super::Stage;
use crate::client::Client;
use crate::dice::Dice;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// What is said.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub per_s: u32,
    /// Length of a message's text in bytes, beside its client id.
    pub bytes: usize,
}

impl Rate {
    pub const fn of(per_s: u32) -> Self {
        Self { per_s, bytes: 24 }
    }
}

/// Goes on until it is dropped.
pub struct Load(JoinHandle<()>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Stage {
    pub fn load(&mut self, rate: Rate) -> Load {
        let writers = self.writers().to_vec();
        let dice = self.dice.fork();
        Load(tokio::spawn(speak(rate, writers, dice)))
    }
}

async fn speak(rate: Rate, writers: Vec<Arc<Client>>, mut dice: Dice) {
    let mut ticks = interval(Duration::from_secs(1) / rate.per_s.max(1));
    // After a pause of this machine there is no burst.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let text = "x".repeat(rate.bytes);
    loop {
        ticks.tick().await;
        let Some(writer) = writers.get(dice.below(writers.len())) else { return };
        let rooms = writer.rooms();
        if let Some(room) = rooms.get(dice.below(rooms.len())) {
            // A full outbox says no more, as a page that is offline for long does.
            let _ = writer.says(*room, &text);
        }
    }
}
