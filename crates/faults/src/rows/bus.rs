//! Redis in trouble, and nodes that cannot hear each other: messages must not care.

use super::client::delays;
use crate::people::{PASSWORD, Person};
use crate::proxy::Weather;
use crate::stage::{Cast, Orders, Outcome, Rate, Stage, code, percentile};
use crate::system::Wiring;
use anyhow::{Context, Result, ensure};
use natter_shared::frame::CloseCode;
use natter_shared::path;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Without Redis a node finds what others stored when it compares heads, every ten seconds.
const HEADS: Duration = Duration::from_millis(11_500);

fn cast(orders: &Orders) -> Cast {
    orders.scaled(Cast { writers: 10, readers: 10, rooms: 2 }, Cast { writers: 30, readers: 60, rooms: 5 })
}

/// What must go on without Redis: delivery, signing in, history, an honest `/health/ready`.
async fn goes_on(stage: &mut Stage, since: Instant, nodes: &[usize]) -> Result<()> {
    let all = stage.clients.iter().flat_map(|client| client.delays_since(since)).collect::<Vec<_>>();
    let (count, slowest) = (all.len(), percentile(all, 100));
    stage.check(count > 0, format!("everybody got {count} entries"));
    stage.time(slowest <= HEADS, format!("the slowest after {:.1} s (11.5 s)", slowest.as_secs_f64()));
    let gate = stage.system.addresses()[0];
    let name = stage.people[1].name.clone();
    let login = Person::login(gate, &name, PASSWORD).await;
    stage.check(
        login.is_ok(),
        format!("signing in: {}", login.err().map_or("works".to_owned(), |error| format!("{error:#}"))),
    );
    for node in nodes {
        let ready = stage.health(*node, path::READY).await;
        let said = code(ready.as_ref().map(|answer| answer.status.as_u16()));
        let degraded = ready.is_some_and(|answer| answer.status.is_success() && answer.text.contains("degraded"));
        stage.check(
            degraded,
            format!(
                "/health/ready of node {}: {said}{}",
                node + 1,
                if degraded { ", degraded" } else { " and not degraded" }
            ),
        );
    }
    Ok(())
}

/// X09.
pub async fn redis_killed(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    let load = stage.load(Rate::of(40));
    sleep(Duration::from_secs(2)).await;
    stage.system.redis.as_mut().context("a row for Redis")?.kill().await?;
    let since = Instant::now();
    sleep(orders.scaled(Duration::from_secs(14), Duration::from_mins(1))).await;
    goes_on(&mut stage, since, &[0, 1]).await?;
    stage.system.redis.as_mut().context("a row for Redis")?.restart().await?;
    let took = stage.recovers(Instant::now()).await;
    stage.time(took <= HEADS, format!("recovered in {:.1} s (11.5 s)", took.as_secs_f64()));
    quick_again(&mut stage).await;
    drop(load);
    stage.finish().await
}

/// Notes whether pushes between nodes are immediate again, within a while.
async fn quick_again(stage: &mut Stage) {
    let healed = Instant::now();
    loop {
        let since = Instant::now();
        sleep(Duration::from_secs(2)).await;
        let p95 = delays(stage, since);
        if p95 < Duration::from_secs(1) {
            let after = healed.elapsed();
            return stage.time(true, format!("p95 below 1 s again {:.0} s after", after.as_secs_f64()));
        }
        if healed.elapsed() > Duration::from_mins(1) {
            return stage.time(false, format!("p95 still {} ms a minute after (1 s)", p95.as_millis()));
        }
    }
}

/// X10.
pub async fn redis_emptied(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    let load = stage.load(Rate::of(60));
    let gates = stage.system.gates();
    let name = stage.people[1].name.clone();
    let gone = Person::login(gates[0], &name, PASSWORD).await?;
    let out = gone.once(gates[0], Method::POST, path::LOGOUT, Some(&json!({}))).await?;
    ensure!(out.status.is_success(), "{out:?}");
    let times = orders.scaled(3, 10);
    for _ in 0..times {
        sleep(stage.dice.between(Duration::from_millis(500), Duration::from_secs(3))).await;
        stage.system.redis.as_ref().context("a row for Redis")?.says("FLUSHALL").await?;
    }
    stage.recovers(Instant::now()).await;
    let mut statuses = Vec::new();
    for gate in &gates {
        statuses.push(gone.once(*gate, Method::GET, path::ME, None).await?.status.as_u16());
        statuses.push(gone.refresh_with(*gate, &gone.tokens().cookie).await?.status.as_u16());
    }
    let revoked = statuses.iter().all(|status| *status == 401);
    stage.check(revoked, format!("emptied {times} times; a login that had ended gets {statuses:?} (401)"));
    let sign_in = Some(CloseCode::SignIn.code());
    let out = stage.clients.iter().filter(|client| client.ended().iter().any(|end| end.code == sign_in)).count();
    stage.check(out == 0, format!("{out} signed out by it"));
    stage.presence_is_right(Duration::from_secs(45)).await;
    drop(load);
    stage.finish().await
}

/// X11.
pub async fn node_without_redis(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    let load = stage.load(Rate::of(40));
    sleep(Duration::from_secs(2)).await;
    let cut = stage.dice.below(stage.system.nodes.len());
    let proxy = stage.system.nodes[cut].redis.as_ref().context("a row for Redis")?;
    proxy.set(Weather { partition: true, ..Weather::default() });
    let since = Instant::now();
    sleep(orders.scaled(Duration::from_secs(15), Duration::from_mins(1))).await;
    goes_on(&mut stage, since, &[cut]).await?;
    if let Some(proxy) = &stage.system.nodes[cut].redis {
        proxy.heal();
    }
    let took = stage.recovers(Instant::now()).await;
    stage.time(took <= HEADS, format!("both nodes' readers converged in {:.1} s (11.5 s)", took.as_secs_f64()));
    quick_again(&mut stage).await;
    drop(load);
    stage.finish().await
}

/// X12.
pub async fn node_frozen(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast(&orders)).await?;
    if let Some(redis) = &stage.system.redis {
        // A megabyte that is not read, and Redis cuts the subscription.
        redis.says("CONFIG SET client-output-buffer-limit \"pubsub 1mb 1mb 1\"").await?;
    }
    let load = stage.load(Rate { per_s: orders.scaled(100, 200), bytes: 2_000 });
    sleep(Duration::from_secs(2)).await;
    let node = stage.dice.below(stage.system.nodes.len());
    stage.system.signal_node(node, Signal::SIGSTOP);
    let frozen = orders.scaled(Duration::from_secs(10), Duration::from_secs(30));
    sleep(frozen).await;
    stage.system.signal_node(node, Signal::SIGCONT);
    stage.recovers(Instant::now()).await;
    stage.check(true, format!("node {} frozen for {frozen:?}", node + 1));
    quick_again(&mut stage).await;
    drop(load);
    stage.finish().await
}
