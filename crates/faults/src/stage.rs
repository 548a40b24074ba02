//! What every row needs: a running system, people in rooms, their clients, load, and the measuring of recovery. A row does
//! its harm here and says what else it expects; the verdict over the messages is the same for all.

mod lag;
mod load;

pub use lag::Lag;
pub use load::Rate;

use crate::client::{Client, Manner, Via};
use crate::dice::Dice;
use crate::ledger::{Ledger, Verdict, client_id_in};
use crate::people::{Answer, Person, ack_in};
use crate::system::{Programs, Store, System, Wiring};
use anyhow::{Context as _, Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::limits;
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::Member;
use reqwest::Method;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How often something that is waited for is looked at.
pub const LOOK: Duration = Duration::from_millis(20);
/// What a node has taken, it stores or gives up within this time.
const GIVEN_UP: Duration = Duration::from_secs(15);
/// Registrations and joins at once.
const AT_ONCE: usize = 8;
/// What must come, such as the recovery from a fault, comes within this time, however busy the machine is. How soon it
/// should come is each row's to say.
pub const LIMIT: Duration = Duration::from_mins(2);

/// How much of a row is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Reduced: all of it in some minutes on two cores.
    Ci,
    Full,
}

/// What a run was asked for.
#[derive(Debug, Clone)]
pub struct Orders {
    pub seed: u64,
    pub profile: Profile,
    pub store: Store,
    pub programs: Programs,
    /// A bug that the server is to have.
    pub plant: Option<&'static str>,
}

impl Orders {
    /// One figure for `ci`, another one for `full`.
    pub fn scaled<T>(&self, ci: T, full: T) -> T {
        match self.profile {
            Profile::Ci => ci,
            Profile::Full => full,
        }
    }
}

/// Who is there.
#[derive(Debug, Clone, Copy)]
pub struct Cast {
    /// People with a client that also writes; every fourth by REST.
    pub writers: usize,
    /// People with a client that only reads.
    pub readers: usize,
    pub rooms: usize,
}

/// Something that must hold beside the messages, with its figure.
#[derive(Debug, Clone)]
pub struct Check {
    pub held: Held,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Yes,
    /// Too late. It is said and fails nothing, for on a busy machine everything is late.
    Late,
    No,
}

/// What came of a row.
pub struct Outcome {
    pub verdict: Verdict,
    pub slowest: Option<Duration>,
    pub checks: Vec<Check>,
    /// Where the logs were kept, if something failed.
    pub kept: Option<PathBuf>,
}

impl Outcome {
    pub fn holds(&self) -> bool {
        self.verdict.holds() && self.checks.iter().all(|check| check.held != Held::No)
    }

    pub fn is_late(&self) -> bool {
        self.checks.iter().any(|check| check.held == Held::Late)
    }
}

pub struct Stage {
    pub system: System,
    pub ledger: Ledger,
    pub dice: Dice,
    /// The owner of every room first.
    pub people: Vec<Arc<Person>>,
    pub rooms: Vec<RoomId>,
    pub clients: Vec<Arc<Client>>,
    /// The first so many clients write.
    writers: usize,
    pub slowest: Option<Duration>,
    checks: Vec<Check>,
    /// Panics that the row asks for.
    pub panics_expected: usize,
    /// Messages of the measuring of recovery.
    marker: Option<Marker>,
}

/// Says the fresh message after a fault, and is no client: it reads nothing.
struct Marker {
    dice: Dice,
}

impl Stage {
    pub async fn open(orders: &Orders, wiring: Wiring, cast: Cast) -> Result<Self> {
        let mut dice = Dice::new(orders.seed);
        let mut wiring = wiring;
        if let Some(plant) = orders.plant {
            wiring.planted = true;
            wiring = wiring.with("NATTER_TEST_PLANT", plant);
        }
        let system = System::start(&wiring, &orders.programs, &mut dice).await?;
        let ledger = Ledger::with_file(&system.folder().join("ledger.log"))?;
        let marker = Some(Marker { dice: dice.fork() });
        let mut stage = Self {
            system,
            ledger,
            dice,
            people: Vec::new(),
            rooms: Vec::new(),
            clients: Vec::new(),
            writers: cast.writers,
            slowest: None,
            checks: Vec::new(),
            panics_expected: 0,
            marker,
        };
        stage.gather(cast).await?;
        Ok(stage)
    }

    /// Registers people, makes rooms, and has everybody come into theirs by its code.
    async fn gather(&mut self, cast: Cast) -> Result<()> {
        let gates = self.system.gates();
        let count = 1 + cast.writers + cast.readers;
        let people = stream::iter(0..count).map(|number| {
            let gate = gates[number % gates.len()];
            async move { Person::register(gate, &format!("person{number}")).await.map(Arc::new) }
        });
        self.people = people.buffered(AT_ONCE).try_collect().await?;
        let owner = Arc::clone(&self.people[0]);
        let mut codes = Vec::new();
        for number in 0..cast.rooms {
            let room = owner.makes_room(gates[0], &format!("Room {number}")).await?.id;
            codes.push(owner.code(gates[0], room).await?);
            self.rooms.push(room);
        }
        let joins = stream::iter(self.people.iter().enumerate().skip(1))
            .map(|(number, person)| person.joins_by(gates[number % gates.len()], &codes[number % codes.len()]));
        joins.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        for number in 1..count {
            let writes = number <= cast.writers;
            let via = if writes && number % 4 == 0 { Via::Rest } else { Via::Socket };
            let room = self.rooms[number % self.rooms.len()];
            let person = Arc::clone(&self.people[number]);
            self.enters(Manner::new(&person, &self.gates_from(number), &[room], via));
        }
        self.all_connected(LIMIT).await
    }

    /// All gates, beginning with another one for each number.
    pub fn gates_from(&self, number: usize) -> Vec<SocketAddr> {
        let mut gates = self.system.gates();
        let first = number % gates.len();
        gates.rotate_left(first);
        gates
    }

    /// Starts a client and returns its place.
    pub fn enters(&mut self, manner: Manner) -> usize {
        let dice = self.dice.fork();
        self.clients.push(Arc::new(Client::start(manner, &self.ledger, dice)));
        self.clients.len() - 1
    }

    pub fn owner(&self) -> Arc<Person> {
        Arc::clone(&self.people[0])
    }

    pub fn writers(&self) -> &[Arc<Client>] {
        &self.clients[..self.writers.min(self.clients.len())]
    }

    /// Notes something that must hold beside the messages.
    pub fn check(&mut self, holds: bool, what: impl Into<String>) {
        let held = if holds { Held::Yes } else { Held::No };
        self.checks.push(Check { held, what: what.into() });
    }

    /// Notes a time, and whether it is as short as it should be.
    pub fn time(&mut self, in_time: bool, what: impl Into<String>) {
        let held = if in_time { Held::Yes } else { Held::Late };
        self.checks.push(Check { held, what: what.into() });
    }

    pub async fn all_connected(&self, limit: Duration) -> Result<()> {
        self.eventually("all clients are connected", limit, || {
            self.clients.iter().filter(|client| !client.has_left()).all(|client| client.is_connected())
        })
        .await
        .map(|_| ())
    }

    /// Waits, with a bound, until something holds.
    pub async fn eventually(&self, what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Result<Duration> {
        let since = Instant::now();
        while !holds() {
            ensure!(since.elapsed() < limit, "after {limit:?} still not: {what}");
            sleep(LOOK).await;
        }
        Ok(since.elapsed())
    }

    /// Measures, from `since` on, how long it takes until a fresh message in every room is acknowledged and every client
    /// that has not left has it. Notes the slowest; what takes longer than [`LIMIT`] fails the row.
    pub async fn recovers(&mut self, since: Instant) -> Duration {
        match self.tries_to_recover(since).await {
            Ok(took) => {
                self.slowest = Some(self.slowest.map_or(took, |slowest| slowest.max(took)));
                took
            }
            Err(error) => {
                self.check(false, format!("{error:#}"));
                LIMIT
            }
        }
    }

    async fn tries_to_recover(&mut self, since: Instant) -> Result<Duration> {
        let gates = self.system.gates();
        let mut marks = Vec::new();
        for room in self.rooms.clone() {
            let seq = timeout(LIMIT, self.mark(&gates, room)).await.context("no fresh message is acknowledged")??;
            marks.push((room, seq));
        }
        let left = LIMIT.saturating_sub(since.elapsed());
        let caught_up = |client: &Client| {
            client.has_left()
                || marks
                    .iter()
                    .filter(|(room, _)| client.rooms().contains(room))
                    .all(|(room, seq)| client.cursor(*room) >= *seq)
        };
        let waited = self.eventually("every client has the fresh message", left, || {
            self.clients.iter().all(|client| caught_up(client))
        });
        if let Err(error) = waited.await {
            let behind: Vec<String> =
                self.clients.iter().filter(|client| !caught_up(client)).map(|client| describe(client)).collect();
            return Err(error.context(first_few(&behind)));
        }
        Ok(since.elapsed())
    }

    /// One message of the owner by REST, tried at every gate until it is acknowledged. Returns its seq.
    async fn mark(&mut self, gates: &[SocketAddr], room: RoomId) -> Result<u64> {
        let owner = self.owner();
        let marker = self.marker.as_mut().context("no marker")?;
        let client_id = marker.dice.client_id();
        let body = format!("{client_id} a fresh message");
        let intent = crate::ledger::Intent { room, author: owner.id, client_id, body: body.clone() };
        self.ledger.intent(intent);
        for gate in gates.iter().cycle() {
            let tokens = owner.tokens();
            let answer = timeout(Duration::from_secs(7), owner.tries_to_say(*gate, room, client_id, &body)).await;
            if let Ok(Ok(answer)) = answer {
                if let Some(ack) = ack_in(&answer) {
                    self.ledger.ack(client_id, ack);
                    return Ok(ack.seq);
                }
                if answer.status.as_u16() == 401 {
                    let _ = owner.renew(*gate, &tokens).await;
                } else {
                    ensure!(answer.may_be_retried() || answer.status.is_server_error(), "{answer:?}");
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
        unreachable!("a cycle has no end")
    }

    /// Waits until everybody's being online is shown as it is, and notes whether that was soon enough.
    pub async fn presence_is_right(&mut self, soon: Duration) {
        let (since, owner, gate) = (Instant::now(), self.owner(), self.system.addresses()[0]);
        loop {
            let mut wrong = Vec::new();
            for room in &self.rooms {
                let members = owner.surely(gate, Method::GET, &path::members(*room), None).await;
                let members = members.and_then(|answer| answer.read::<Page<Member>>());
                match members {
                    Ok(members) => wrong.extend(members.items.into_iter().filter_map(|member| {
                        let there = self
                            .clients
                            .iter()
                            .any(|client| client.person().id == member.user.id && client.is_connected());
                        (there != member.online).then(|| member.user.username.to_string())
                    })),
                    Err(error) => wrong.push(format!("{error:#}")),
                }
            }
            if wrong.is_empty() {
                let took = since.elapsed();
                let said = format!("presence right after {:.1} s ({} s)", took.as_secs_f64(), soon.as_secs());
                return self.time(took <= soon, said);
            }
            if since.elapsed() > LIMIT {
                return self.check(false, format!("presence still wrong after {LIMIT:?}: {wrong:?}"));
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Asks a node's health; `None` without an answer.
    pub async fn health(&self, node: usize, path: &str) -> Option<Answer> {
        let address = self.system.addresses()[node];
        timeout(Duration::from_secs(10), self.people[0].once(address, Method::GET, path, None)).await.ok()?.ok()
    }

    /// Waits until the next acknowledgement has come to any client.
    pub async fn next_ack(&self) {
        let before = self.ledger.acks();
        while self.ledger.acks() == before {
            sleep(Duration::from_micros(200)).await;
        }
    }

    /// Waits until a message stands in the log of a room, after the entry of that seq.
    pub async fn is_stored(&self, room: RoomId, client_id: ClientId, after: Seq) -> Result<()> {
        let (since, owner, gate) = (Instant::now(), self.owner(), self.system.addresses()[0]);
        loop {
            let page = owner.entries(gate, room, after, limits::ENTRIES_MAX).await?;
            if page.entries.iter().any(|entry| client_id_in(entry) == Some(client_id)) {
                return Ok(());
            }
            ensure!(since.elapsed() < LIMIT, "after {LIMIT:?} {client_id} is still not stored");
            sleep(LOOK).await;
        }
    }

    /// For a row that compares histories by itself, because more than the ledger allows may be lost in it.
    pub fn judged(mut self, verdict: Verdict) -> Outcome {
        let mut outcome = Outcome { verdict, slowest: self.slowest, checks: self.checks, kept: None };
        if !outcome.holds() {
            outcome.kept = self.system.keep();
        }
        outcome
    }

    /// Lets the outboxes empty and the readers catch up, reads the history from every node, and judges.
    pub async fn finish(mut self) -> Result<Outcome> {
        let empty = |client: &Client| client.has_left() || client.waiting() == 0;
        let settled =
            self.eventually("all outboxes are empty", LIMIT, || self.clients.iter().all(|client| empty(client))).await;
        if let Err(error) = settled {
            let stuck: Vec<String> =
                self.clients.iter().filter(|client| !empty(client)).map(|client| describe(client)).collect();
            self.check(false, format!("{error:#}: {}", first_few(&stuck)));
        }
        if let Err(error) = self.tries_to_recover(Instant::now()).await {
            self.check(false, format!("{error:#}"));
        }
        if self.checks.iter().any(|check| check.held == Held::No) {
            // Histories that grow while they are read differ, and would be taken for wrong ones.
            self.clients.iter().for_each(|client| client.leaves());
            sleep(GIVEN_UP).await;
        }
        let mut histories = Vec::new();
        let owner = self.owner();
        for (number, node) in self.system.addresses().into_iter().enumerate() {
            let logs = stream::iter(self.rooms.clone()).map(|room| {
                let owner = Arc::clone(&owner);
                async move { owner.whole_log(node, room).await.map(|log| (room, log)) }
            });
            let history = logs.buffer_unordered(AT_ONCE).try_collect().await?;
            histories.push((format!("node {}", number + 1), history));
        }
        let verdict = self.ledger.verdict(&histories);
        let panics = self.system.panics();
        if panics.len() != self.panics_expected {
            self.check(false, format!("{} panics in the logs: {:?}", panics.len(), panics.first()));
        }
        Ok(self.judged(verdict))
    }
}

fn first_few(said: &[String]) -> String {
    format!("{} of them: {}", said.len(), said[..said.len().min(3)].join("; "))
}

fn describe(client: &Client) -> String {
    format!(
        "{} (connected {}, {} welcomes, {} unsent, stopped {:?}, last refusals {:?}, last ends {:?})",
        client.person().name,
        client.is_connected(),
        client.welcomes(),
        client.waiting(),
        client.stopped(),
        client.refusals().iter().rev().take(2).collect::<Vec<_>>(),
        client.ended().iter().rev().take(2).map(|ended| ended.code).collect::<Vec<_>>(),
    )
}

/// The value that so many per cent do not exceed; zero of nothing.
pub fn percentile(mut values: Vec<Duration>, percent: usize) -> Duration {
    values.sort_unstable();
    let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or_default()
}

/// A close code, a status or an exit code, or that there was none.
pub fn code(code: Option<impl std::fmt::Display>) -> String {
    code.map_or_else(|| "nothing".to_owned(), |code| code.to_string())
}
