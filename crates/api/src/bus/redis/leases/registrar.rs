//! The one task of a node that writes who is online through it, and renews its lease. It writes what is true at that
//! moment, not what was asked, so that a departure that is overtaken by an arrival does no harm.

use super::super::condition::is_refusal;
use super::super::seldom::Seldom;
use super::super::wire::Wire;
use super::scripts::{self, Standing};
use super::{Ask, Leases, PEOPLE_A_WRITE, lock};
use crate::bus::News;
use natter_shared::id::UserId;
use redis::{RedisError, RedisResult, from_redis_value};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

/// Leases of this node that it ends itself when it has another one.
const GIVEN_UP_MAX: usize = 64;

pub struct Registrar {
    leases: Arc<Leases>,
    node: String,
    asked: mpsc::Receiver<Ask>,
    news: mpsc::Sender<News>,
    /// Leases that have ended.
    dead: mpsc::Sender<String>,
    /// How many leases this node has had.
    turn: u64,
    /// When the lease was renewed last; `None` before the first one.
    renewed: Option<Instant>,
    /// The lease under which everybody was registered last.
    complete: String,
    /// Leases that were given up since then, that one among them.
    given_up: Vec<String>,
    /// The lease of now was taken; its name must not be taken again once it has ended.
    taken: bool,
    refusals: Seldom,
    /// Others may have taken this node for dead since then.
    taken_for_dead: bool,
}

impl Registrar {
    pub(super) fn new(
        leases: Arc<Leases>,
        node: String,
        asked: mpsc::Receiver<Ask>,
        news: mpsc::Sender<News>,
        dead: mpsc::Sender<String>,
    ) -> Self {
        Self {
            leases,
            node,
            asked,
            news,
            dead,
            turn: 0,
            renewed: None,
            complete: String::new(),
            given_up: Vec::new(),
            taken: false,
            refusals: Seldom::default(),
            taken_for_dead: false,
        }
    }

    pub async fn run(mut self) {
        let mut wire = self.leases.link.watch();
        let mut renew = tokio::time::interval(self.leases.times.renew);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut register = tokio::time::interval(self.leases.times.register);
        register.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asks = Vec::new();
        loop {
            tokio::select! {
                got = self.asked.recv_many(&mut asks, PEOPLE_A_WRITE) => {
                    if got == 0 {
                        return;
                    }
                    self.settle(std::mem::take(&mut asks)).await;
                }
                _ = renew.tick() => self.renew().await,
                Ok(()) = wire.changed() => {
                    // There again: whatever happened meanwhile, the lease may be gone.
                    if wire.borrow_and_update().is_some() {
                        self.renew().await;
                    }
                }
                _ = register.tick() => self.register_again().await,
            }
        }
    }

    fn must_begin(&self) -> bool {
        self.renewed.is_none() || self.leases.stale.load(Ordering::Acquire)
    }

    fn own(&self) -> String {
        lock(&self.leases.lease).clone()
    }

    /// Something did not get through: all is written anew as soon as that is possible, or, should Redis have refused it,
    /// when the lease is due again.
    fn failed(&self, why: &RedisError) {
        self.leases.stale.store(true, Ordering::Release);
        if is_refusal(why) {
            self.refusals.say(|missed| {
                tracing::warn!(%why, missed, "redis refuses to hold presence; this node goes by its own people");
            });
        } else {
            self.leases.link.doubt();
        }
    }

    async fn renew(&mut self) {
        if self.leases.closed.load(Ordering::Acquire) {
            return;
        }
        let Some(wire) = self.leases.link.wire_soon().await else { return };
        let held = if self.must_begin() { Ok(false) } else { self.hold(&wire, false).await };
        let done = match held {
            Ok(true) => Ok(()),
            Ok(false) => self.begin(&wire).await,
            Err(why) => Err(why),
        };
        if let Err(why) = done {
            self.failed(&why);
        }
    }

    /// Renews the lease, or takes a first one; `false` if it has ended.
    async fn hold(&mut self, wire: &Wire, first: bool) -> RedisResult<bool> {
        let (leases, own) = (&self.leases, self.own());
        let commands = [
            scripts::renew(&leases.names.nodes(), &own, leases.times.lease, first),
            scripts::keep(&leases.names.people_of(&own), leases.kept()),
        ];
        let answer = wire.each(&commands).await?.into_iter().next().unwrap_or(redis::Value::Nil);
        let mut dead: Vec<String> = from_redis_value(answer)?;
        if dead.is_empty() || dead.remove(0) != "1" {
            return Ok(false);
        }
        self.renewed = Some(Instant::now());
        for node in dead {
            // Should so many have died at once, the next round sees the rest.
            let _ = self.dead.try_send(node);
        }
        Ok(true)
    }

    /// Takes a lease under a new name and registers everybody under it. The old name is left to be cleared away.
    async fn begin(&mut self, wire: &Wire) -> RedisResult<()> {
        // Nobody can have taken this node for dead before its lease had ended.
        self.taken_for_dead |= self.renewed.is_some_and(|renewed| renewed.elapsed() >= self.leases.times.lease);
        if std::mem::take(&mut self.taken) {
            self.given_up.push(self.own());
            // Older ones end by themselves.
            self.given_up.drain(..self.given_up.len().saturating_sub(GIVEN_UP_MAX));
        }
        self.turn += 1;
        *lock(&self.leases.lease) = format!("{}.{}", self.node, self.turn);
        // From here on, whatever else goes wrong asks for another beginning.
        self.leases.stale.store(false, Ordering::Release);
        self.hold(wire, true).await?;
        self.taken = true;
        let mut returned = Vec::new();
        for people in self.leases.settled().chunks(PEOPLE_A_WRITE) {
            let standings = self.register(wire, people).await?;
            let live = self.leases.live(wire).await?;
            for (user, standing) in people.iter().zip(standings) {
                let was_taken_out = self.taken_for_dead && !standing.nodes.contains(&self.complete);
                if was_taken_out && !self.is_elsewhere(&standing, &live) {
                    returned.push(*user);
                }
            }
        }
        if !self.given_up.is_empty() {
            tracing::info!(people = self.leases.alone.people().len(), "presence is registered anew");
        }
        while let Some(old) = self.given_up.last() {
            let shorten = scripts::shorten(&self.leases.names.nodes(), old, Duration::ZERO);
            shorten.exec_async(&mut wire.clone()).await?;
            let _ = self.dead.try_send(old.clone());
            self.given_up.pop();
        }
        self.complete = self.own();
        self.taken_for_dead = false;
        let said_gone: Vec<UserId> = lock(&self.leases.said_gone).drain().collect();
        if !said_gone.is_empty() {
            returned.extend(self.leases.online(&said_gone).await);
        }
        for people in returned.chunks(PEOPLE_A_WRITE) {
            if self.news.try_send(News::Returned(people.to_vec())).is_err() {
                tracing::warn!("too much news of presence waits; some people may be shown as offline until they move");
            }
        }
        Ok(())
    }

    /// Whether somebody is online through another node that lives.
    fn is_elsewhere(&self, standing: &Standing, live: &HashSet<String>) -> bool {
        standing.nodes.iter().any(|node| !node.starts_with(&self.node) && live.contains(node))
    }

    /// Registers everybody under the name that this node has, in case something was forgotten there.
    async fn register_again(&mut self) {
        if self.must_begin() || self.leases.closed.load(Ordering::Acquire) {
            return;
        }
        let Some(wire) = self.leases.link.wire_soon().await else { return };
        for people in self.leases.settled().chunks(PEOPLE_A_WRITE) {
            if let Err(why) = self.register(&wire, people).await {
                return self.failed(&why);
            }
        }
    }

    async fn register(&self, wire: &Wire, people: &[UserId]) -> RedisResult<Vec<Standing>> {
        let (names, own, kept) = (&self.leases.names, self.own(), self.leases.kept());
        let set = names.people_of(&own);
        let mut commands = vec![scripts::add(&set, people), scripts::keep(&set, kept)];
        commands.extend(people.iter().map(|user| scripts::come(&names.nodes_of(*user), &own, kept)));
        wire.each(&commands).await?.into_iter().skip(2).map(Standing::read).collect()
    }

    /// Writes what became of some people, and answers who asked.
    async fn settle(&mut self, asks: Vec<Ask>) {
        if self.must_begin() {
            self.renew().await;
        }
        let wire = if self.must_begin() { None } else { self.leases.link.wire_soon().await };
        let changed = match wire {
            Some(wire) => self.write(&wire, &asks).await,
            None => return self.leases.stale.store(true, Ordering::Release),
        };
        // Without an answer each judges alone.
        let (here, mut changed) = match changed {
            Ok(changed) => changed,
            Err(why) => return self.failed(&why),
        };
        for Ask { user, came, answer } in asks {
            // The first who asked is the one who announces it.
            let is_news = here.contains(&user) == came && changed.remove(&user);
            let _ = answer.send(is_news);
        }
    }

    /// Returns who of those asked about is here, and for whom that changed something for everybody.
    async fn write(&self, wire: &Wire, asks: &[Ask]) -> RedisResult<(HashSet<UserId>, HashSet<UserId>)> {
        let (names, own, kept) = (&self.leases.names, self.own(), self.leases.kept());
        let users: HashSet<UserId> = asks.iter().map(|ask| ask.user).collect();
        let (here, gone): (Vec<UserId>, Vec<UserId>) =
            users.into_iter().partition(|user| self.leases.alone.is_here(*user));
        let set = names.people_of(&own);
        let mut commands = Vec::with_capacity(here.len() + gone.len() + 3);
        if !here.is_empty() {
            commands.extend([scripts::add(&set, &here), scripts::keep(&set, kept)]);
        }
        let skip = commands.len();
        commands.extend(here.iter().map(|user| scripts::come(&names.nodes_of(*user), &own, kept)));
        commands.extend(gone.iter().map(|user| scripts::go(&names.nodes_of(*user), &own)));
        if !gone.is_empty() {
            commands.push(scripts::remove(&set, &gone));
        }
        let answers = wire.each(&commands).await?.into_iter().skip(skip);
        let standings = answers.take(here.len() + gone.len()).map(Standing::read).collect::<RedisResult<Vec<_>>>()?;
        // Asked afterwards: a node is in this list before anybody is online through it.
        let others = standings.iter().any(|standing| standing.nodes.iter().any(|node| *node != own));
        let live = if others { self.leases.live(wire).await? } else { HashSet::new() };
        let is_news = |standing: &Standing| standing.changed && !self.is_elsewhere(standing, &live);
        let everybody = here.iter().chain(&gone).copied();
        let changed = everybody.zip(&standings).filter(|(_, standing)| is_news(standing)).map(|(user, _)| user);
        let changed = changed.collect();
        Ok((here.into_iter().collect(), changed))
    }
}
