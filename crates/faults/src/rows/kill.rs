//! Nodes that end: killed, told to stop, restarted one after the other, all at once.

use crate::stage::{Cast, Orders, Outcome, Rate, Stage};
use crate::system::Wiring;
use crate::wire;
use anyhow::Result;
use natter_shared::frame::CloseCode;
use natter_shared::path;
use nix::sys::signal::Signal;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_secs(60);

/// X01.
pub async fn killed(orders: Orders) -> Result<Outcome> {
    let cast = orders.scaled(Cast { writers: 12, readers: 24, rooms: 3 }, Cast { writers: 50, readers: 200, rooms: 10 });
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let load = stage.load(Rate::of(orders.scaled(80, 100)));
    let (kills, pause) = orders.scaled((3, Duration::from_secs(3)), (5, Duration::from_secs(10)));
    for _ in 0..kills {
        sleep(stage.dice.between(pause / 4, pause)).await;
        let node = stage.dice.below(stage.system.nodes.len());
        stage.system.kill_node(node).await?;
        stage.system.start_node(node)?;
        stage.system.is_up(node).await?;
        stage.recovers(Instant::now(), LIMIT).await;
    }
    drop(load);
    let slowest = stage.slowest.unwrap_or(LIMIT);
    stage.check(
        slowest <= Duration::from_secs(10),
        format!("all back {:.1} s after the listener at the latest (10 s)", slowest.as_secs_f64()),
    );
    stage.presence_is_right(LIMIT).await;
    stage.finish().await
}

/// X03.
pub async fn terminated(orders: Orders) -> Result<Outcome> {
    let cast = orders.scaled(Cast { writers: 12, readers: 24, rooms: 3 }, Cast { writers: 50, readers: 200, rooms: 10 });
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
    while unready.is_none() && told.elapsed() < Duration::from_secs(5) {
        let ready = stage.health(node, path::READY).await;
        unready = ready.filter(|answer| answer.status.as_u16() == 503).map(|_| told.elapsed());
    }
    let knock = wire::upgrade(address, None).await;
    stage.check(
        unready.is_some_and(|after| after < Duration::from_secs(1)),
        format!("/health/ready says 503 after {unready:?} (1 s)"),
    );
    let refused = knock.as_ref().err().is_some_and(|error| error.to_string().contains("503"));
    stage.check(refused, format!("a new socket is refused with 503{}", if refused { "" } else { ": it was not" }));
    let status = stage.system.node_ends(node, Duration::from_secs(30)).await?;
    let took = told.elapsed();
    stage.check(
        status.code() == Some(0) && took <= Duration::from_secs(15),
        format!("exit {:?} after {:.1} s (0, 15 s)", status.code(), took.as_secs_f64()),
    );
    let codes: Vec<Option<u16>> = stage.clients.iter().zip(&before).zip(&there).filter(|(_, there)| **there)
        .map(|((client, before), _)| client.ended().get(*before).and_then(|ended| ended.code)).collect();
    let goodbyes = codes.iter().filter(|code| **code == Some(CloseCode::Restart.code())).count();
    stage.check(goodbyes == codes.len(), format!("{goodbyes} of {} sockets closed with 1012", codes.len()));

    stage.system.start_node(node)?;
    stage.system.is_up(node).await?;
    stage.recovers(Instant::now(), LIMIT).await;
    drop(load);
    stage.finish().await
}
