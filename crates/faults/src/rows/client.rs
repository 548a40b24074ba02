//! Clients and the network between them and a node: doubled sends, lost replies, deaf ears, long absences, storms.

use crate::client::{Manner, Via};
use crate::dice::Dice;
use crate::ledger::Intent;
use crate::people::{Person, ack_in};
use crate::proxy::{Proxy, Weather};
use crate::stage::{Cast, LIMIT, Lag, Orders, Outcome, Rate, Stage, percentile};
use crate::system::Wiring;
use crate::wire::{self, Ending};
use anyhow::{Context, Result, bail, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use natter_shared::id::{ClientId, Seq};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Delays of a few milliseconds are compared with some more of them.
const NOISE: Duration = Duration::from_millis(25);

/// X14.
pub async fn sent_three_times(orders: Orders) -> Result<Outcome> {
    let cast = Cast { writers: 0, readers: orders.scaled(6, 20), rooms: 2 };
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let senders: Vec<Arc<Person>> = stage.people[1..=orders.scaled(4, 12)].to_vec();
    let mut sockets = Vec::new();
    for (number, person) in senders.iter().enumerate() {
        let room = stage.rooms[(number + 1) % stage.rooms.len()];
        // Two sockets beside the one that reads: with two nodes, one on each.
        let one = stage.enters(Manner::new(person, &stage.gates_from(0), &[room], Via::Socket));
        let two = stage.enters(Manner::new(person, &stage.gates_from(1), &[room], Via::Socket));
        sockets.push((room, one, two));
    }
    stage.all_connected(LIMIT).await?;
    let gates = stage.system.gates();
    let mut sent = Vec::new();
    for number in 0..orders.scaled(40, 200) {
        let calls = senders.iter().zip(&sockets).map(|(person, (room, one, two))| {
            let client_id = stage.dice.client_id();
            let body = format!("{client_id} three times {number}");
            stage.clients[*one].says_as(*room, client_id, &body);
            stage.clients[*two].says_as(*room, client_id, &body);
            sent.push(client_id);
            let gate = gates[number % gates.len()];
            let ledger = stage.ledger.clone();
            async move {
                let answer = person.tries_to_say(gate, *room, client_id, &body).await?;
                ledger.ack(client_id, ack_in(&answer).with_context(|| format!("no promise: {answer:?}"))?);
                Ok::<_, anyhow::Error>(())
            }
        });
        let calls: Vec<_> = calls.collect();
        futures_util::future::try_join_all(calls).await?;
    }
    let ledger = stage.ledger.clone();
    let thrice = |id: &ClientId| ledger.acks_of(*id) >= 3;
    let waited = stage.eventually("each has three acks", LIMIT, || sent.iter().all(thrice)).await;
    let answered = sent.iter().filter(|id| thrice(id)).count();
    stage.check(
        waited.is_ok(),
        format!("{answered} of {} messages acked three times, with one seq and time", sent.len()),
    );
    stage.finish().await
}

/// X15.
pub async fn reply_lost(orders: Orders) -> Result<Outcome> {
    let cast = Cast { writers: 8, readers: 8, rooms: 2 };
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let load = stage.load(Rate::of(40));
    // By REST: the request is carried, the answer thrown away, and the client asks again later, with a fresh token too.
    let node = stage.system.addresses()[0];
    let bad = Proxy::start(node, stage.dice.fork()).await?;
    let (sender, room) = (Arc::clone(&stage.people[1]), stage.clients[0].rooms()[0]);
    let waits = orders.scaled(&[1_u64, 1, 1][..], &[1, 10, 1, 10, 1, 10][..]);
    for (number, wait) in waits.iter().enumerate() {
        let head = sender.entries(node, room, Seq::ZERO, 1).await?.head;
        bad.set(Weather { deaf: true, ..Weather::default() });
        let client_id = stage.dice.client_id();
        let body = format!("{client_id} the answer is lost");
        stage.ledger.intent(Intent { room, author: sender.id, client_id, body: body.clone() });
        tokio::select! {
            stored = stage.is_stored(room, client_id, head) => stored?,
            answer = sender.tries_to_say(bad.address(), room, client_id, &body) => {
                bail!("an answer came through a proxy that throws answers away: {answer:?}");
            }
        }
        bad.heal();
        bad.reset();
        sleep(Duration::from_secs(*wait)).await;
        if number % 2 == 1 {
            sender.renew(node, &sender.tokens()).await?;
        }
        let answer = sender.tries_to_say(node, room, client_id, &body).await?;
        ensure!(answer.status.as_u16() == 200, "a repeat is answered with 200 and the first entry: {answer:?}");
        stage.ledger.ack(client_id, ack_in(&answer).context("no promise")?);
    }
    // By socket: connections are cut in the middle of what the server says.
    let cuts = orders.scaled(6, 30);
    for _ in 0..cuts {
        let after = 1 + u64::try_from(stage.dice.below(40_000)).unwrap_or(0);
        let node = stage.dice.below(stage.system.nodes.len());
        stage.system.nodes[node].front.set(Weather { cut_after: Some(after), ..Weather::default() });
        sleep(stage.dice.between(Duration::from_millis(300), Duration::from_millis(1_200))).await;
        stage.system.nodes[node].front.heal();
    }
    stage.recovers(Instant::now()).await;
    drop(load);
    stage.check(true, format!("{} answers thrown away, {cuts} times connections cut within a frame", waits.len()));
    stage.finish().await
}

/// X16.
pub async fn deaf_readers(orders: Orders) -> Result<Outcome> {
    let cast = Cast { writers: 10, readers: orders.scaled(10, 40), rooms: 1 };
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let node = stage.system.addresses()[0];
    let rate = Rate { per_s: orders.scaled(100, 200), bytes: 1_000 };
    let load = stage.load(rate);
    let calm = orders.scaled(Duration::from_secs(5), Duration::from_secs(20));
    let since = Instant::now();
    sleep(calm).await;
    let before = delays(&stage, since);

    let memory = stage.system.watch_memory(0)?;
    let count = 20;
    let mut deaf = Vec::new();
    for number in 0..count {
        // Ten connections a person.
        let person = &stage.people[1 + number % 10];
        let mut stream = wire::upgrade(node, Some(4_096)).await?;
        tokio::io::AsyncWriteExt::write_all(&mut stream, &wire::hello(&person.tokens().access)).await?;
        deaf.push(stream);
    }
    let since = Instant::now();
    let lag = Lag::watch();
    sleep(Duration::from_secs(35)).await;
    let during = delays(&stage, since);
    // Only now they listen: whatever was in the kernel's buffers, and then the end.
    let listening =
        stream::iter(deaf).map(|mut stream| async move { wire::ending(&mut stream, Duration::from_secs(5)).await });
    let endings: Vec<Ending> = listening.buffer_unordered(count).collect().await;
    drop(load);
    let closed = endings.iter().filter(|ending| **ending != Ending::Open).count();
    let told = endings.iter().filter(|ending| ending.code() == Some(1013)).count();
    stage.check(
        closed == count,
        format!("{closed} of {count} that never read are closed within 35 s ({told} read 1013)"),
    );
    let grown = memory.grown_kib();
    let allowed = 1_024 * u64::try_from(count).unwrap_or(0) + 8_192;
    stage.check(grown <= allowed, format!("memory +{} MiB at most ({} MiB)", grown / 1_024, allowed / 1_024));
    slower(&mut stage, before, during, 120, &lag);
    stage.recovers(Instant::now()).await;
    stage.finish().await
}

/// The 95th percentile of what readers waited for messages since then.
pub fn delays(stage: &Stage, since: Instant) -> Duration {
    percentile(stage.clients.iter().flat_map(|client| client.delays_since(since)).collect(), 95)
}

/// Notes whether the others' delays stayed below so many per cent of what they were, beside what the machine itself was
/// late meanwhile.
pub fn slower(stage: &mut Stage, before: Duration, during: Duration, percent: u32, lag: &Lag) {
    let allowed = before * percent / 100 + NOISE + lag.allowance();
    let shown = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1_000.0);
    stage.time(
        during <= allowed,
        format!(
            "others' p95 {} → {} (≤ {}, of which the machine {})",
            shown(before),
            shown(during),
            shown(allowed),
            shown(lag.allowance())
        ),
    );
}

/// X22.
pub async fn reconnect_storm(orders: Orders) -> Result<Outcome> {
    let sockets = orders.scaled(200, 1_000);
    // Ten sockets a person, each read by a client of its own; the others stay.
    let cast = Cast { writers: 10, readers: sockets / 10, rooms: 5 };
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let storm = Proxy::start(stage.system.addresses()[0], stage.dice.fork()).await?;
    let mut cut = Vec::new();
    for person in &stage.people[11..].to_vec() {
        let room = stage.clients.iter().find(|client| client.person().id == person.id).context("no client")?.rooms()[0];
        // One connection of each person is there already.
        for _ in 0..9 {
            cut.push(stage.enters(Manner::new(person, &[storm.address()], &[room], Via::Socket)));
        }
    }
    stage.all_connected(LIMIT).await?;
    let load = stage.load(Rate::of(20));
    sleep(Duration::from_secs(2)).await;
    let welcomes = |stage: &Stage| -> Vec<u32> { cut.iter().map(|place| stage.clients[*place].welcomes()).collect() };
    let before = welcomes(&stage);
    let since = Instant::now();
    storm.reset();
    let back =
        |stage: &Stage| cut.iter().zip(&before).all(|(place, before)| stage.clients[*place].welcomes() > *before);
    let took = stage.eventually("all are back", LIMIT, || back(&stage)).await;
    let all = cut.len();
    stage.check(took.is_ok(), format!("{all} sockets cut at once are back"));
    let took = took.unwrap_or(LIMIT);
    stage.time(took <= Duration::from_mins(1), format!("after {:.1} s (60 s)", took.as_secs_f64()));
    let stayed: Vec<Duration> = stage.clients[..10].iter().flat_map(|client| client.delays_since(since)).collect();
    let p95 = percentile(stayed, 95);
    stage.time(p95 < Duration::from_secs(1), format!("p95 of those who stayed {} ms (1 s)", p95.as_millis()));
    // And clients that come back at once, again and again, because what is before them cuts them off at once.
    let since = Instant::now();
    let hostile = Proxy::start(stage.system.addresses()[0], stage.dice.fork()).await?;
    let mut pests = Vec::new();
    for person in &stage.people[1..=10].to_vec() {
        let room = stage.clients.iter().find(|client| client.person().id == person.id).context("no client")?.rooms()[0];
        for _ in 0..orders.scaled(2, 5) {
            let manner = Manner { hostile: true, ..Manner::new(person, &[hostile.address()], &[room], Via::Socket) };
            pests.push(stage.enters(manner));
        }
    }
    while since.elapsed() < orders.scaled(Duration::from_secs(5), Duration::from_secs(20)) {
        sleep(Duration::from_millis(50)).await;
        hostile.reset();
    }
    let p95 = percentile(stage.clients[..10].iter().flat_map(|client| client.delays_since(since)).collect(), 95);
    stage.time(
        p95 < Duration::from_secs(1),
        format!("p95 beside {} without backoff {} ms (1 s)", pests.len(), p95.as_millis()),
    );
    drop(load);
    // What became of them is theirs: a person may be shut out who comes again and again.
    for place in pests {
        stage.clients[place].leaves();
    }
    stage.recovers(Instant::now()).await;
    stage.finish().await
}

/// X13.
pub async fn long_absence(orders: Orders) -> Result<Outcome> {
    absence::play(orders).await
}

mod absence;

/// Messages of several people by REST, so many at once, each acknowledged.
async fn say_all(stage: &Stage, says: Vec<(Arc<Person>, natter_shared::id::RoomId)>, dice: &mut Dice) -> Result<()> {
    let gate = stage.system.gates()[0];
    let calls = says.into_iter().map(|(person, room)| {
        let client_id = dice.client_id();
        let body = format!("{client_id} while somebody was away");
        stage.ledger.intent(Intent { room, author: person.id, client_id, body: body.clone() });
        let ledger = stage.ledger.clone();
        async move {
            let answer = person.tries_to_say(gate, room, client_id, &body).await?;
            ledger.ack(client_id, ack_in(&answer).with_context(|| format!("no promise: {answer:?}"))?);
            Ok::<_, anyhow::Error>(())
        }
    });
    let calls: Vec<_> = calls.collect();
    stream::iter(calls).buffer_unordered(32).try_collect::<Vec<()>>().await.map(|_| ())
}
