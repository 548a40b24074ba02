//! The database in trouble: killed, without a primary, slow, cut in the middle of an answer, without space.

use crate::ledger::Intent;
use crate::people::ack_in;
use crate::proxy::Weather;
use crate::report::Played;
use crate::stage::{Cast, Orders, Outcome, Rate, Stage};
use crate::system::Wiring;
use anyhow::{Context, Result, ensure};
use natter_shared::path;
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// The send path answers within six seconds, whatever the database does; one more is the machine's.
const ANSWER: Duration = Duration::from_secs(7);

fn cast(orders: &Orders) -> Cast {
    orders.scaled(Cast { writers: 10, readers: 10, rooms: 2 }, Cast { writers: 30, readers: 60, rooms: 5 })
}

/// What single sends by REST met.
#[derive(Default)]
struct Tries {
    acked: usize,
    retry: usize,
    wrong: Vec<String>,
    slowest: Duration,
}

/// Says one message and waits for its answer, whatever that is.
async fn try_once(stage: &mut Stage, gate: SocketAddr, tries: &mut Tries) {
    let (person, room) = (stage.owner(), stage.rooms[0]);
    let client_id = stage.dice.client_id();
    let body = format!("{client_id} said in trouble");
    stage.ledger.intent(Intent { room, author: person.id, client_id, body: body.clone() });
    let since = Instant::now();
    let answer = person.tries_to_say(gate, room, client_id, &body).await;
    tries.slowest = tries.slowest.max(since.elapsed());
    match answer {
        Ok(answer) => match ack_in(&answer) {
            Some(ack) => {
                stage.ledger.ack(client_id, ack);
                tries.acked += 1;
            }
            None if matches!(answer.status.as_u16(), 503 | 429) => tries.retry += 1,
            None => tries.wrong.push(format!("{} {}", answer.status, answer.text)),
        },
        Err(error) => tries.wrong.push(format!("{error:#}")),
    }
}

fn answered_in_time(stage: &mut Stage, tries: &Tries) {
    stage.check(
        tries.wrong.is_empty(),
        format!(
            "{} sends meanwhile: {} acked, {} told to retry{}",
            tries.acked + tries.retry + tries.wrong.len(),
            tries.acked,
            tries.retry,
            tries.wrong.first().map(|wrong| format!(", and {wrong}")).unwrap_or_default()
        ),
    );
    stage.time(tries.slowest <= ANSWER, format!("within {:.1} s (7 s)", tries.slowest.as_secs_f64()));
}

async fn lives(stage: &Stage) -> bool {
    let mut lives = true;
    for node in 0..stage.system.nodes.len() {
        lives &= stage.health(node, path::LIVE).await.is_some_and(|answer| answer.status.is_success());
    }
    lives
}

/// X05.
pub async fn database_killed(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    let load = stage.load(Rate::of(40));
    sleep(stage.dice.between(Duration::from_secs(1), Duration::from_secs(3))).await;
    stage.system.mongo.as_mut().context("a row for MongoDB")?.kill().await?;
    let gate = stage.system.addresses()[0];
    let (since, down) = (Instant::now(), orders.scaled(Duration::from_secs(8), Duration::from_secs(20)));
    let mut tries = Tries::default();
    let mut alive = true;
    while since.elapsed() < down {
        try_once(&mut stage, gate, &mut tries).await;
        alive &= lives(&stage).await;
    }
    answered_in_time(&mut stage, &tries);
    stage.check(alive, if alive { "/health/live says 200 throughout" } else { "/health/live failed" });
    stage.system.mongo.as_mut().context("a row for MongoDB")?.restart().await?;
    let took = stage.recovers(Instant::now()).await;
    stage.time(
        took <= Duration::from_secs(15),
        format!("recovered {:.1} s after mongod accepts (15 s)", took.as_secs_f64()),
    );
    let ended = stage.system.nodes.iter_mut().filter_map(|node| node.has_ended().then_some(())).count();
    stage.check(ended == 0, format!("{ended} nodes ended"));
    drop(load);
    stage.finish().await
}

/// X06.
pub async fn primary_changes(orders: Orders) -> Result<Outcome> {
    let mut wiring = Wiring::new(orders.store);
    wiring.mongods = 3;
    let mut stage = Stage::open(&orders, wiring, cast(&orders)).await?;
    let load = stage.load(Rate::of(40));
    let mut gaps = Vec::new();
    for round in 0..orders.scaled(2, 4) {
        sleep(Duration::from_secs(3)).await;
        let mongo = stage.system.mongo.as_ref().context("a row for MongoDB")?;
        let stopped = if round % 2 == 0 {
            mongo.steps_down().await?;
            None
        } else {
            let primary = mongo.has_primary().await?;
            mongo.signal(primary, Signal::SIGSTOP);
            Some(primary)
        };
        let since = Instant::now();
        let gap = longest_gap(&stage, orders.scaled(Duration::from_secs(15), Duration::from_secs(30))).await;
        gaps.push((if stopped.is_some() { "stopped" } else { "stepped down" }, gap));
        if let (Some(stopped), Some(mongo)) = (stopped, &stage.system.mongo) {
            mongo.signal(stopped, Signal::SIGCONT);
        }
        stage.recovers(Instant::now().max(since)).await;
    }
    drop(load);
    for (how, gap) in gaps {
        stage.time(
            gap <= Duration::from_secs(20),
            format!("primary {how}: no ack for {:.1} s (20 s)", gap.as_secs_f64()),
        );
    }
    stage.finish().await
}

/// The longest time without a new ack while so much time passes.
async fn longest_gap(stage: &Stage, time: Duration) -> Duration {
    let since = Instant::now();
    let (mut acks, mut last, mut longest) = (stage.ledger.acks(), since, Duration::ZERO);
    while since.elapsed() < time {
        sleep(Duration::from_millis(50)).await;
        let now = stage.ledger.acks();
        if now > acks {
            longest = longest.max(last.elapsed());
            (acks, last) = (now, Instant::now());
        }
    }
    longest.max(last.elapsed())
}

fn weather(stage: &Stage, weather: Weather) {
    stage.system.nodes.iter().filter_map(|node| node.store.as_ref()).for_each(|proxy| proxy.set(weather));
}

/// X07.
pub async fn database_slow(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    let load = stage.load(Rate::of(40));
    sleep(Duration::from_secs(1)).await;
    let memory = stage.system.watch_memory(0)?;
    let gate = stage.system.addresses()[0];
    let time = orders.scaled(Duration::from_secs(10), Duration::from_secs(30));
    let late = Weather { latency: Duration::from_secs(2), jitter: Duration::from_millis(500), ..Weather::default() };
    let narrow = Weather { bytes_per_s: Some(10_000), ..Weather::default() };
    let (mut tries, mut alive) = (Tries::default(), true);
    for bad in [late, narrow] {
        weather(&stage, bad);
        let since = Instant::now();
        while since.elapsed() < time {
            try_once(&mut stage, gate, &mut tries).await;
            alive &= lives(&stage).await;
        }
    }
    weather(&stage, Weather::default());
    stage.recovers(Instant::now()).await;
    drop(load);
    answered_in_time(&mut stage, &tries);
    stage.check(alive, if alive { "/health/live says 200 throughout" } else { "/health/live failed" });
    let grown = memory.grown_kib() / 1_024;
    stage.check(grown < 100, format!("memory +{grown} MiB (100 MiB)"));
    stage.finish().await
}

/// X08.
pub async fn database_reply_cut(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    let load = stage.load(Rate::of(40));
    let cuts = orders.scaled(8, 40);
    for _ in 0..cuts {
        let after = 1 + u64::try_from(stage.dice.below(3_000)).unwrap_or(0);
        let node = stage.dice.below(stage.system.nodes.len());
        let proxy = stage.system.nodes[node].store.as_ref().context("a row for MongoDB")?;
        proxy.set(Weather { cut_after: Some(after), ..Weather::default() });
        sleep(stage.dice.between(Duration::from_millis(200), Duration::from_millis(600))).await;
        if let Some(proxy) = &stage.system.nodes[node].store {
            proxy.heal();
        }
        sleep(stage.dice.between(Duration::from_millis(100), Duration::from_millis(600))).await;
    }
    stage.recovers(Instant::now()).await;
    drop(load);
    stage.check(true, format!("{cuts} times MongoDB's replies cut in the middle"));
    stage.finish().await
}

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    async fn mount(at: &Path, mebi: u32) -> Result<Self> {
        std::fs::create_dir_all(at).context("no folder to mount at")?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebi}m"), "natter-faults"]).arg(at);
        let done = mount.output().await.context("there is no mount")?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr).trim());
        Ok(Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still have files open, and ends right after.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// X18.
pub async fn disk_full(orders: Orders) -> Result<Played> {
    let folder = tempfile::tempdir().context("no scratch folder")?;
    let disk = match SmallDisk::mount(&folder.path().join("disk"), 64).await {
        Ok(disk) => disk,
        Err(why) => return Ok(Played::Skipped(format!("needs a small disk, which takes root: {why:#}"))),
    };
    let mut wiring = Wiring::new(orders.store);
    wiring.data = Some(disk.0.clone());
    let mut stage = Stage::open(&orders, wiring, Cast { writers: 6, readers: 6, rooms: 2 }).await?;
    let load = stage.load(Rate::of(30));
    sleep(Duration::from_secs(2)).await;
    let ballast = disk.0.join("ballast");
    fill(&ballast)?;
    let gate = stage.system.addresses()[0];
    let (since, mut tries) = (Instant::now(), Tries::default());
    while since.elapsed() < orders.scaled(Duration::from_secs(6), Duration::from_secs(30)) {
        try_once(&mut stage, gate, &mut tries).await;
        // What the server frees, such as a log of its database that it begins anew, is taken as well.
        fill(&ballast)?;
    }
    answered_in_time(&mut stage, &tries);
    stage.check(tries.retry > 0, format!("{} sends were refused for want of space", tries.retry));
    std::fs::remove_file(&ballast).context("the ballast stays")?;
    let took = stage.recovers(Instant::now()).await;
    stage.time(
        took < Duration::from_secs(30),
        format!("goes on by itself {:.1} s after there is space", took.as_secs_f64()),
    );
    drop(load);
    let outcome = stage.finish().await?;
    drop(disk);
    Ok(outcome.into())
}

/// Takes all space that is left.
fn fill(ballast: &Path) -> Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(ballast).context("no ballast")?;
    for piece in [1 << 20, 1 << 12, 1] {
        let zeros = vec![0; piece];
        while file.write_all(&zeros).is_ok() {}
    }
    Ok(())
}
