//! Peers that do not keep to the rules: bad frames, huge ones, slow ones, and a message that makes the server panic.

use super::client::{delays, slower};
use crate::dice::Dice;
use crate::people;
use crate::processes::Memory;
use crate::stage::{Cast, LIMIT, Lag, Orders, Outcome, Rate, Stage, code, percentile};
use crate::system::Wiring;
use crate::wire::{self, Ending};
use anyhow::Result;
use futures_util::stream::{self, StreamExt};
use natter_shared::path;
use reqwest::Method;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const KIB_OF_MIB: u64 = 1_024;

/// X20.
pub async fn bad_frames(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 8, readers: 8, rooms: 1 }).await?;
    let load = stage.load(Rate::of(40));
    let calm = Instant::now();
    sleep(Duration::from_secs(4)).await;
    let before = delays(&stage, calm);
    let resident = stage.system.resident_kib(0)?;
    let address = stage.system.addresses()[0];
    let since = Instant::now();
    let lag = Lag::watch();
    let (connections, frames) = (100, 100);
    let mut attackers = Vec::new();
    for number in 0..connections {
        let mut dice = stage.dice.fork();
        // Half of them have signed in first; ten connections a person.
        let token = (number % 2 == 0).then(|| stage.people[1 + number / 2 % 16].tokens().access);
        attackers.push(async move {
            let mut stream = wire::upgrade(address, None).await?;
            if let Some(token) = token {
                stream.write_all(&wire::hello(&token)).await?;
                let _ = wire::server_frame(&mut stream).await;
            }
            // The first one is a violation for certain; after it anything may come.
            let bytes: Vec<u8> = (0..frames).flat_map(|_| violation(&mut dice)).collect();
            let _ = stream.write_all(&bytes).await;
            Ok::<_, anyhow::Error>(wire::ending(&mut stream, LIMIT).await)
        });
    }
    let endings: Vec<Result<Ending>> = stream::iter(attackers).buffer_unordered(25).collect().await;
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = 0;
    for ending in endings {
        let ending = ending?;
        // A reset may overtake the close frame where the peer goes on sending.
        if !matches!(ending, Ending::Cut | Ending::Closed(1002 | 1007 | 1008 | 1009)) {
            wrong += 1;
        }
        *codes.entry(ending.code().map_or_else(|| format!("{ending:?}"), |code| code.to_string())).or_default() += 1;
    }
    let during = delays(&stage, since);
    stage.check(wrong == 0, format!("{connections} connections with {frames} bad frames each ended: {codes:?}"));
    slower(&mut stage, before, during, 200, &lag);
    drop(load);
    // Memory is given back when the last answers are written.
    sleep(Duration::from_secs(2)).await;
    let grown = stage.system.resident_kib(0)?.saturating_sub(resident);
    stage.check(grown <= 20 * KIB_OF_MIB, format!("memory +{} MiB (20 MiB)", grown / KIB_OF_MIB));
    stage.finish().await
}

/// A frame that RFC 6455 or the contract forbids.
fn violation(dice: &mut Dice) -> Vec<u8> {
    match dice.below(12) {
        0 => wire::frame(0x81, false, 2, b"{}"),
        1 => wire::good_frame(0xC1, b"{}"),
        2 => wire::good_frame(0x83, b"opcode 3"),
        3 => wire::good_frame(0x8B, b"opcode 11"),
        4 => wire::good_frame(0x81, b"\xC3\x28 \xFF"),
        5 => wire::good_frame(0x88, &1_005_u16.to_be_bytes()),
        6 => wire::good_frame(0x88, &[3]),
        7 => wire::good_frame(0x89, &[0; 126]),
        8 => wire::good_frame(0x80, b"nothing before"),
        9 => [wire::good_frame(0x01, b"begun"), wire::good_frame(0x81, b"and another")].concat(),
        10 => wire::frame(0x81, true, 1 << 62, b"very long"),
        _ => wire::good_frame(0x82, b"bytes"),
    }
}

/// X21.
pub async fn huge(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 4, readers: 4, rooms: 1 }).await?;
    let load = stage.load(Rate::of(20));
    let address = stage.system.addresses()[0];
    let token = stage.people[1].tokens().access;
    let memory = stage.system.watch_memory(0)?;
    let mebi = vec![b'x'; 1 << 20];

    let mut stream = wire::upgrade(address, None).await?;
    stream.write_all(&wire::hello(&token)).await?;
    let _ = wire::server_frame(&mut stream).await;
    stream.write_all(&wire::frame(0x81, true, 1 << 30, b"")).await?;
    let (sent, ending) = pours(stream, &mebi, 200).await;
    stage.check(
        sent < 200 && matches!(ending, Ending::Closed(1009) | Ending::Cut),
        format!("1 GiB claimed: closed with {} after {sent} of 200 MiB", code(ending.code())),
    );
    fits(&mut stage, "a frame", &memory);
    let memory = stage.system.watch_memory(0)?;

    let mut stream = wire::upgrade(address, None).await?;
    stream.write_all(&wire::hello(&token)).await?;
    let _ = wire::server_frame(&mut stream).await;
    let mut pieces = wire::good_frame(0x01, b"begun");
    for _ in 0..10_000 {
        pieces.extend(wire::good_frame(0x00, &[b'x'; 32]));
    }
    let _ = stream.write_all(&pieces).await;
    let ending = wire::ending(&mut stream, LIMIT).await;
    stage.check(
        matches!(ending, Ending::Closed(1009 | 1008) | Ending::Cut),
        format!("10 000 continuations: closed with {}", code(ending.code())),
    );
    fits(&mut stage, "continuations", &memory);
    let memory = stage.system.watch_memory(0)?;

    let mut stream = wire::line(address, None).await?;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        path::LOGIN,
        50 << 20
    );
    stream.write_all(head.as_bytes()).await?;
    let (status, sent) = answered(stream, &mebi, 50).await;
    stage.check(status == Some(413), format!("50 MiB of JSON: {} after {sent} MiB (413)", code(status)));
    fits(&mut stage, "a body", &memory);
    let memory = stage.system.watch_memory(0)?;

    let mut stream = wire::line(address, None).await?;
    stream.write_all(format!("GET {} HTTP/1.1\r\nHost: {address}\r\nX-Long: ", path::LIVE).as_bytes()).await?;
    let (status, sent) = answered(stream, &mebi, 2).await;
    stage
        .check(matches!(status, Some(400 | 431) | None), format!("a head of 2 MiB: {} after {sent} MiB", code(status)));
    fits(&mut stage, "a head", &memory);
    drop(load);
    stage.finish().await
}

fn fits(stage: &mut Stage, what: &str, memory: &Memory) {
    let grown = memory.grown_kib();
    stage.check(grown <= 8 * KIB_OF_MIB, format!("{what}: memory +{grown} KiB (8 MiB)"));
}

/// Pours up to so many MiB into a socket and looks how it ends.
async fn pours(stream: TcpStream, mebi: &[u8], most: usize) -> (usize, Ending) {
    let (mut from, mut to) = stream.into_split();
    let mut sent = 0;
    while sent < most {
        match timeout(LIMIT, to.write_all(mebi)).await {
            Ok(Ok(())) => sent += 1,
            _ => break,
        }
    }
    let mut rest = Vec::new();
    let read = timeout(LIMIT, from.read_to_end(&mut rest)).await;
    // The close frame is the last that a server says: two bytes of head, two of code.
    let code = rest.windows(4).rev().find(|window| window[0] == 0x88).map(|w| u16::from_be_bytes([w[2], w[3]]));
    let ending = match (code, read) {
        (Some(code), _) => Ending::Closed(code),
        (None, Ok(_)) => Ending::Cut,
        (None, Err(_)) => Ending::Open,
    };
    (sent, ending)
}

/// Pours until there is an answer; its status, and how much was taken.
async fn answered(stream: TcpStream, mebi: &[u8], most: usize) -> (Option<u16>, usize) {
    let (from, mut to) = stream.into_split();
    let sent = Arc::new(AtomicU64::new(0));
    let pouring = {
        let (sent, mebi) = (Arc::clone(&sent), mebi.to_vec());
        tokio::spawn(async move {
            for _ in 0..most {
                if to.write_all(&mebi).await.is_err() {
                    break;
                }
                sent.fetch_add(1, Ordering::Relaxed);
            }
            // Held open until the answer is read.
            to
        })
    };
    let mut from = from;
    let mut head = [0; 12];
    let read = timeout(LIMIT, from.read_exact(&mut head)).await;
    pouring.abort();
    let status = matches!(read, Ok(Ok(_))).then(|| String::from_utf8_lossy(&head[9..]).parse().ok()).flatten();
    (status, usize::try_from(sent.load(Ordering::Relaxed)).unwrap_or(usize::MAX))
}

/// X28.
pub async fn slow_peers(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 6, readers: 6, rooms: 1 }).await?;
    let load = stage.load(Rate::of(20));
    let address = stage.system.addresses()[0];
    let (heads, bodies, idle) = orders.scaled((100, 40, 100), (500, 200, 500));
    let body = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{",
        path::LOGIN
    );
    let head = format!("GET {} HTTP/1.1\r\nHost: {address}\r\nX-Slow: ", path::LIVE);
    let heads = (0..heads).map(|_| drips(address, head.clone()));
    let bodies = (0..bodies).map(|_| drips(address, body.clone()));
    let idle = (0..idle).map(|_| says_nothing(address));
    let (probe, lag) = (Probe::start(address)?, Lag::watch());
    let (heads, bodies, idle) = tokio::join!(
        futures_util::future::join_all(heads),
        futures_util::future::join_all(bodies),
        futures_util::future::join_all(idle)
    );
    let p95 = percentile(probe.delays(), 95);
    cut_in_time(&mut stage, "slow heads", &heads, Duration::from_millis(6_500));
    cut_in_time(&mut stage, "slow bodies", &bodies, Duration::from_millis(31_500));
    cut_in_time(&mut stage, "silent sockets", &idle, Duration::from_millis(6_500));
    let allowed = Duration::from_millis(100) + lag.allowance();
    stage.time(p95 < allowed, format!("health p95 meanwhile {} ms ({} ms)", p95.as_millis(), allowed.as_millis()));
    drop(load);
    stage.finish().await
}

/// How long a slow peer was borne; an error if it could not even begin.
type Borne = Result<Duration>;

fn cut_in_time(stage: &mut Stage, what: &str, borne: &[Borne], limit: Duration) {
    let times: Vec<Duration> = borne.iter().filter_map(|borne| borne.as_ref().ok().copied()).collect();
    let failed = borne.len() - times.len();
    let slowest = times.iter().max().copied().unwrap_or_default();
    let why = borne.iter().find_map(|borne| borne.as_ref().err()).map(|error| format!(": {error:#}"));
    let said = format!("{} of {} {what} cut{}", times.len(), borne.len(), why.unwrap_or_default());
    stage.check(slowest < LIMIT && failed == 0, said);
    let said = format!("after {:.1} s at the latest ({:.1} s)", slowest.as_secs_f64(), limit.as_secs_f64());
    stage.time(slowest <= limit, said);
}

/// Says `begin` and then a byte a second, until the server has enough.
async fn drips(address: SocketAddr, begin: String) -> Borne {
    let mut stream = wire::line(address, None).await?;
    stream.write_all(begin.as_bytes()).await?;
    let since = Instant::now();
    let (mut from, mut to) = stream.split();
    let mut answer = Vec::new();
    let dripping = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            if to.write_all(b"a").await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        // The end, or a reset: either way it is over.
        _ = from.read_to_end(&mut answer) => {}
        () = dripping => {}
        () = sleep(LIMIT) => {}
    }
    Ok(since.elapsed())
}

/// Opens a socket and never signs in.
async fn says_nothing(address: SocketAddr) -> Borne {
    let mut stream = wire::upgrade(address, None).await?;
    let since = Instant::now();
    let _ = wire::ending(&mut stream, LIMIT).await;
    Ok(since.elapsed())
}

/// Asks for the health of a node again and again.
struct Probe {
    delays: Arc<std::sync::Mutex<Vec<Duration>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Probe {
    fn start(address: SocketAddr) -> Result<Self> {
        let http = people::http()?;
        let delays: Arc<std::sync::Mutex<Vec<Duration>>> = Arc::default();
        let noted = Arc::clone(&delays);
        let task = tokio::spawn(async move {
            loop {
                let since = Instant::now();
                let answer = people::call(&http, address, Method::GET, path::LIVE, &[], None).await;
                let good = answer.is_ok_and(|answer| answer.status.is_success());
                let took = if good { since.elapsed() } else { LIMIT };
                noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(took);
                sleep(Duration::from_millis(50)).await;
            }
        });
        Ok(Self { delays, task })
    }

    fn delays(&self) -> Vec<Duration> {
        self.delays.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// X31.
pub async fn panics(orders: Orders) -> Result<Outcome> {
    let mut wiring = Wiring::new(orders.store).with("NATTER_TEST_FAIL", "panic-in-dispatch:100");
    wiring.planted = true;
    let mut stage = Stage::open(&orders, wiring, Cast { writers: 9, readers: 9, rooms: 2 }).await?;
    stage.panics_expected = stage.system.nodes.len();
    let load = stage.load(Rate::of(60));
    let wanted = stage.panics_expected;
    let came = stage.eventually("the message that panics", LIMIT, || stage.system.panics().len() >= wanted).await;
    came?;
    // The client whose connection it was is told, and does not have to find out by the silence.
    let told = stage.recovers(Instant::now()).await;
    stage.time(
        told < Duration::from_secs(15),
        format!("the others' and its own messages go on after {:.1} s (15 s)", told.as_secs_f64()),
    );
    drop(load);
    let ended: usize = stage.clients.iter().map(|client| client.ended().len()).sum();
    stage.check(ended == wanted, format!("{ended} of {} connections ended by {wanted} panics", stage.clients.len()));
    let alive = stage.system.nodes.iter_mut().all(|node| !node.has_ended());
    stage.check(alive, if alive { "no process ended" } else { "a process ended" });
    stage.finish().await
}
