//! Nodes that end: killed, told to stop, restarted one after the other, all at once.

use crate::client::{Manner, Via};
use crate::ledger::Intent;
use crate::people::ack_in;
use crate::stage::{Cast, LIMIT, Orders, Outcome, Rate, Stage, code};
use crate::system::Wiring;
use crate::wire;
use anyhow::{Context, Result, ensure};
use natter_shared::frame::CloseCode;
use natter_shared::id::Seq;
use natter_shared::path;
use nix::sys::signal::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// X01.
pub async fn killed(orders: Orders) -> Result<Outcome> {
    let cast =
        orders.scaled(Cast { writers: 12, readers: 24, rooms: 3 }, Cast { writers: 50, readers: 200, rooms: 10 });
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let load = stage.load(Rate::of(orders.scaled(80, 100)));
    let (kills, pause) = orders.scaled((3, Duration::from_secs(3)), (5, Duration::from_secs(10)));
    for kill in 0..kills {
        sleep(stage.dice.between(pause / 4, pause)).await;
        if kill % 2 == 0 {
            // The worst moment for a server that promises before it has stored.
            timeout(pause, stage.next_ack()).await.context("nothing is acknowledged under load")?;
        }
        let node = stage.dice.below(stage.system.nodes.len());
        stage.system.kill_node(node).await?;
        stage.system.start_node(node)?;
        stage.system.is_up(node).await?;
        stage.recovers(Instant::now()).await;
    }
    drop(load);
    let slowest = stage.slowest.unwrap_or(LIMIT);
    stage.time(
        slowest <= Duration::from_secs(10),
        format!("all back {:.1} s after the listener at the latest (10 s)", slowest.as_secs_f64()),
    );
    stage.presence_is_right(Duration::from_mins(1)).await;
    stage.finish().await
}

/// X03.
pub async fn terminated(orders: Orders) -> Result<Outcome> {
    let cast =
        orders.scaled(Cast { writers: 12, readers: 24, rooms: 3 }, Cast { writers: 50, readers: 200, rooms: 10 });
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let load = stage.load(Rate::of(80));
    sleep(stage.dice.between(Duration::from_secs(1), Duration::from_secs(3))).await;
    let node = stage.dice.below(stage.system.nodes.len());
    let address = stage.system.addresses()[node];
    let before: Vec<usize> = stage.clients.iter().map(|client| client.ended().len()).collect();
    let gate = stage.system.gates()[node];
    let there: Vec<bool> = stage.clients.iter().map(|client| client.gate() == Some(gate)).collect();

    let told = Instant::now();
    stage.system.signal_node(node, Signal::SIGTERM);
    let mut unready = None;
    while unready.is_none() && told.elapsed() < Duration::from_secs(10) {
        let ready = stage.health(node, path::READY).await;
        unready = ready.filter(|answer| answer.status.as_u16() == 503).map(|_| told.elapsed());
    }
    let knock = wire::upgrade(address, None).await;
    match unready {
        Some(after) => {
            let said = format!("/health/ready says 503 after {} ms (1 s)", after.as_millis());
            stage.time(after < Duration::from_secs(1), said);
        }
        None => stage.check(false, "/health/ready never says 503"),
    }
    match knock.err().map(|error| format!("{error:#}")) {
        Some(why) if why.contains("503") => stage.check(true, "a new socket is refused with 503"),
        // It is asked after a second in which this machine did other things.
        Some(why) => stage.time(false, format!("a new socket finds that nobody listens any more: {why}")),
        None => stage.check(false, "a new socket is let in"),
    }
    let status = stage.system.node_ends(node, LIMIT).await?;
    let took = told.elapsed();
    stage.check(status.code() == Some(0), format!("exit {} (0)", code(status.code())));
    stage.time(took <= Duration::from_secs(15), format!("after {:.1} s (15 s)", took.as_secs_f64()));
    let codes: Vec<Option<u16>> = stage
        .clients
        .iter()
        .zip(&before)
        .zip(&there)
        .filter(|(_, there)| **there)
        .map(|((client, before), _)| client.ended().get(*before).and_then(|ended| ended.code))
        .collect();
    let goodbyes = codes.iter().filter(|code| **code == Some(CloseCode::Restart.code())).count();
    stage.check(goodbyes == codes.len(), format!("{goodbyes} of {} sockets closed with 1012", codes.len()));

    stage.system.start_node(node)?;
    stage.system.is_up(node).await?;
    stage.recovers(Instant::now()).await;
    drop(load);
    stage.finish().await
}

/// X02.
pub async fn killed_before_publish(orders: Orders) -> Result<Outcome> {
    let mut wiring = Wiring::new(orders.store);
    wiring.planted = true;
    let mut stage = Stage::open(&orders, wiring, Cast { writers: 2, readers: 6, rooms: 1 }).await?;
    let (room, author) = (stage.rooms[0], Arc::clone(&stage.people[1]));
    let last = stage.system.nodes.len() - 1;
    // Everybody else listens on the last node, which stays where there are two.
    let listeners: Vec<_> = stage.people[3..].to_vec();
    let gate = stage.system.gates()[last];
    stage.clients.iter().for_each(|client| client.leaves());
    let first = stage.clients.len();
    for person in &listeners {
        stage.enters(Manner::new(person, &[gate], &[room], Via::Socket));
    }
    stage.all_connected(LIMIT).await?;
    let rounds = orders.scaled(2, 10);
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        stage.system.kill_node(0).await?;
        stage.system.nodes[0].settings.push(("NATTER_TEST_FAIL".to_owned(), "kill-before-publish:1".to_owned()));
        stage.system.start_node(0)?;
        stage.system.is_up(0).await?;
        let client_id = stage.dice.client_id();
        let body = format!("{client_id} committed and never published");
        stage.ledger.intent(Intent { room, author: author.id, client_id, body: body.clone() });
        let said = author.tries_to_say(stage.system.addresses()[0], room, client_id, &body).await;
        ensure!(said.is_err(), "a node that ends between commit and publishing answered {said:?}");
        stage.system.node_ends(0, LIMIT).await?;
        let since = Instant::now();
        stage.system.nodes[0].settings.retain(|(name, _)| name != "NATTER_TEST_FAIL");
        if last == 0 {
            stage.system.start_node(0)?;
            stage.system.is_up(0).await?;
        }
        // Without any further traffic.
        let clients = stage.clients[first..].to_vec();
        let head = stage.owner().entries(stage.system.addresses()[last], room, Seq::ZERO, 1).await?.head.get();
        let all = || clients.iter().all(|client| client.cursor(room) >= head);
        stage.eventually("all have what was never published", LIMIT, all).await?;
        slowest = slowest.max(since.elapsed());
        if last > 0 {
            stage.system.start_node(0)?;
            stage.system.is_up(0).await?;
        }
        // Whoever sent it asks again, on the other node, and gets the first result.
        let again = author.tries_to_say(stage.system.addresses()[last], room, client_id, &body).await?;
        ensure!(again.status.as_u16() == 200, "the repeat was not answered with the first entry: {again:?}");
        stage.ledger.ack(client_id, ack_in(&again).context("no promise")?);
    }
    stage.slowest = Some(slowest);
    stage.time(
        slowest <= Duration::from_secs(15),
        format!("{rounds} times: committed, not published, with everybody {:.1} s later (15 s)", slowest.as_secs_f64()),
    );
    stage.finish().await
}

/// X04.
pub async fn rolled(orders: Orders) -> Result<Outcome> {
    let cast =
        orders.scaled(Cast { writers: 12, readers: 24, rooms: 3 }, Cast { writers: 50, readers: 150, rooms: 10 });
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let load = stage.load(Rate::of(60));
    for node in 0..stage.system.nodes.len() {
        sleep(Duration::from_secs(2)).await;
        stage.system.signal_node(node, Signal::SIGTERM);
        let status = stage.system.node_ends(node, LIMIT).await?;
        stage.check(status.code() == Some(0), format!("node {} exits with {}", node + 1, code(status.code())));
        stage.system.start_node(node)?;
        stage.system.is_up(node).await?;
        stage.recovers(Instant::now()).await;
    }
    drop(load);
    let nodes = stage.system.nodes.len();
    let most = stage.clients.iter().map(|client| client.refusals().len()).max().unwrap_or(0);
    stage.check(most <= nodes, format!("nobody knocked in vain more than {most} times ({nodes})"));
    stage.finish().await
}

/// X30.
pub async fn rebooted(orders: Orders) -> Result<Outcome> {
    let cast =
        orders.scaled(Cast { writers: 12, readers: 24, rooms: 3 }, Cast { writers: 50, readers: 150, rooms: 10 });
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    for late in [Duration::ZERO, orders.scaled(Duration::from_secs(5), Duration::from_mins(1))] {
        let load = stage.load(Rate::of(60));
        sleep(stage.dice.between(Duration::from_secs(1), Duration::from_secs(4))).await;
        let nodes = stage.system.nodes.len();
        for node in 0..nodes {
            stage.system.kill_node(node).await?;
        }
        if let Some(redis) = &mut stage.system.redis {
            redis.kill().await?;
        }
        if let Some(mongo) = &mut stage.system.mongo {
            mongo.kill().await?;
        }
        let since = Instant::now();
        for node in 0..nodes {
            stage.system.start_node(node)?;
        }
        if stage.system.mongo.is_some() {
            sleep(late).await;
        }
        if let Some(redis) = &mut stage.system.redis {
            redis.restart().await?;
        }
        if let Some(mongo) = &mut stage.system.mongo {
            mongo.restart().await?;
        }
        // What ends for want of a database is started again, as `restart: always` does.
        let mut restarts = 0;
        let mut up = 0;
        while up < nodes {
            ensure!(since.elapsed() < 2 * LIMIT, "not all nodes are up after {:?}", 2 * LIMIT);
            up = 0;
            for node in 0..nodes {
                if stage.system.nodes[node].has_ended() {
                    restarts += 1;
                    stage.system.start_node(node)?;
                } else if tokio::net::TcpStream::connect(stage.system.addresses()[node]).await.is_ok() {
                    up += 1;
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
        stage.recovers(Instant::now()).await;
        drop(load);
        let database =
            if stage.system.mongo.is_some() { format!(", database {} s late", late.as_secs()) } else { String::new() };
        stage.check(true, format!("everything killed and started{database}: {restarts} restarts by the supervisor"));
    }
    stage.finish().await
}
