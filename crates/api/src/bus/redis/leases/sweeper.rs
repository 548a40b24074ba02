//! Clears away what a dead node left behind, and tells who is offline because of it. Of all nodes that see a lease end, one
//! does it.

use super::super::wire::Wire;
use super::scripts::{self, Standing};
use super::{Leases, PEOPLE_A_WRITE, lock};
use crate::bus::News;
use natter_shared::id::UserId;
use redis::RedisResult;
use std::sync::Arc;
use tokio::sync::mpsc;

pub struct Sweeper {
    leases: Arc<Leases>,
    died: mpsc::Receiver<String>,
    news: mpsc::Sender<News>,
}

impl Sweeper {
    pub(super) fn new(leases: Arc<Leases>, died: mpsc::Receiver<String>, news: mpsc::Sender<News>) -> Self {
        Self { leases, died, news }
    }

    pub async fn run(mut self) {
        while let Some(node) = self.died.recv().await {
            // The living clear nothing away that is their own; should this be it, its next renewal finds out.
            if node == *lock(&self.leases.lease) {
                continue;
            }
            let Some(wire) = self.leases.link.wire_soon().await else { continue };
            match self.sweep(&wire, &node).await {
                Ok(None) => {}
                Ok(Some(offline)) => tracing::info!(%node, offline, "a node is gone, and its people with it"),
                // The claim ends, and somebody goes on from where this one stopped.
                Err(why) => {
                    tracing::debug!(%why, %node, "the people of a dead node are not cleared away yet");
                    self.leases.link.doubt();
                }
            }
        }
    }

    /// How many people are offline now; `None` if another node does it.
    async fn sweep(&self, wire: &Wire, node: &str) -> RedisResult<Option<usize>> {
        let (names, own) = (&self.leases.names, lock(&self.leases.lease).clone());
        let mut commands = wire.clone();
        let claim = scripts::claim(&names.claim(node), &own, self.leases.times.lease / 2);
        let claimed: Option<String> = claim.query_async(&mut commands).await?;
        if claimed.is_none() {
            return Ok(None);
        }
        let set = names.people_of(node);
        let (mut cursor, mut offline) = (0, 0);
        loop {
            let scan = scripts::scan(&set, cursor, PEOPLE_A_WRITE);
            let (next, people): (u64, Vec<String>) = scan.query_async(&mut commands).await?;
            let people: Vec<UserId> = people.iter().filter_map(|user| user.parse().ok()).collect();
            let departed = self.take_out(wire, node, &people).await?;
            offline += departed.len();
            if !departed.is_empty() && self.news.send(News::Departed(departed)).await.is_err() {
                return Ok(Some(offline));
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        // The name goes last: until then another node would go on, should this one die.
        scripts::forget_key(&set).exec_async(&mut commands).await?;
        scripts::forget_node(&names.nodes(), node).exec_async(&mut commands).await?;
        Ok(Some(offline))
    }

    /// Takes a dead node out of these people's sets, and returns who is online nowhere now. Each is returned to one caller.
    async fn take_out(&self, wire: &Wire, node: &str, people: &[UserId]) -> RedisResult<Vec<UserId>> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let commands: Vec<_> =
            people.iter().map(|user| scripts::go(&self.leases.names.nodes_of(*user), node)).collect();
        let answers = wire.each(&commands).await?;
        let live = self.leases.live(wire).await?;
        let mut departed = Vec::new();
        for (user, answer) in people.iter().zip(answers) {
            let standing = Standing::read(answer)?;
            if standing.changed && !standing.nodes.iter().any(|node| live.contains(node)) {
                departed.push(*user);
            }
        }
        Ok(departed)
    }
}
