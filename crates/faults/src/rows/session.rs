//! Logins under attack and at their end: tokens that run out, tabs that race, stolen tokens, revocations, a storm of logins.

use super::client::{delays, slower};
use crate::client::{Client, Manner, Via};
use crate::people::{self, PASSWORD, Person, Tokens};
use crate::stage::{Cast, LIMIT, Lag, Orders, Outcome, Rate, Stage, code, percentile};
use crate::system::Wiring;
use anyhow::{Context, Result, ensure};
use natter_shared::account::{Session, SessionInfo};
use natter_shared::frame::CloseCode;
use natter_shared::id::RoomId;
use natter_shared::page::Page;
use natter_shared::path;
use reqwest::Method;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SIGN_IN: Option<u16> = Some(CloseCode::SignIn.code());
/// What ends a login reaches its sockets within this time.
const AT_ONCE: Duration = Duration::from_secs(1);

/// X23.
pub async fn token_runs_out(orders: Orders) -> Result<Outcome> {
    let ttl = Duration::from_secs(5);
    let wiring = Wiring::new(orders.store).with("NATTER_ACCESS_TTL", "5");
    let mut stage = Stage::open(&orders, wiring, Cast { writers: 8, readers: 8, rooms: 1 }).await?;
    let load = stage.load(Rate::of(40));
    let (room, gate) = (stage.rooms[0], stage.system.gates()[0]);
    let before: Vec<u32> = stage.clients.iter().map(|client| client.welcomes()).collect();
    let careless = Arc::new(Person::login(gate, &stage.people[1].name, PASSWORD).await?);
    let given = Instant::now();
    let manner = Manner { renews: false, ..Manner::new(&careless, &[gate], &[room], Via::Socket) };
    let careless = stage.enters(manner);
    let client = Arc::clone(&stage.clients[careless]);
    let closed = stage.eventually("the socket is closed", LIMIT, || !client.ended().is_empty()).await;
    let end = client.ended().first().copied();
    let after = end.map_or(LIMIT, |end| end.at.duration_since(given));
    stage.check(
        closed.is_ok() && end.is_some_and(|end| end.code == SIGN_IN),
        format!("without a fresh token closed with {} (4401)", code(end.and_then(|end| end.code))),
    );
    stage.time(
        after <= ttl + Duration::from_secs(2),
        format!("after {:.1} s ({} + 2 s)", after.as_secs_f64(), ttl.as_secs()),
    );
    let heard = client.last_frame();
    sleep(2 * ttl).await;
    let silent = client.last_frame() == heard && client.stopped().is_some();
    stage.check(silent, if silent { "and told nothing after" } else { "but told something after" });
    client.leaves();
    let kept = stage.clients[..careless].iter().zip(&before).filter(|(client, before)| client.welcomes() == **before);
    let kept = kept.count();
    let all = careless;
    // Whoever did not get around to showing one in time was let in again.
    stage.time(
        kept == all,
        format!("{kept} of {all} that showed fresh tokens kept their socket over three lives of a token"),
    );
    drop(load);
    stage.finish().await
}

/// X24.
pub async fn two_tabs(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 4, readers: 4, rooms: 1 }).await?;
    let (gates, room) = (stage.gates_from(0), stage.rooms[0]);
    let person = Arc::clone(&stage.people[1]);
    // The person's first tab is there already.
    let second = stage.enters(Manner::new(&person, &stage.gates_from(1), &[room], Via::Socket));
    stage.all_connected(LIMIT).await?;
    let rounds = orders.scaled(20, 200);
    let mut both = 0;
    for round in 0..rounds {
        let cookie = person.tokens().cookie;
        let late = stage.dice.between(Duration::ZERO, Duration::from_millis(50));
        let other = gates[round % gates.len()];
        let (one, two) = tokio::join!(person.refresh_with(gates[0], &cookie), async {
            sleep(late).await;
            person.refresh_with(other, &cookie).await
        });
        let (one, two) = (one?, two?);
        if one.status.is_success() && two.status.is_success() {
            both += 1;
        }
        for answer in [&one, &two] {
            ensure!(answer.status.is_success(), "a tab lost its login in round {round}: {answer:?}");
            let session: Session = answer.read()?;
            person.take(Tokens::of(&session, answer)?);
            let me = person.once(gates[0], Method::GET, path::ME, None).await?;
            ensure!(me.status.is_success(), "a fresh token is refused: {me:?}");
        }
    }
    stage.check(both == rounds, format!("{both} of {rounds} times both tabs stayed signed in"));
    let sessions: Page<SessionInfo> = person.surely(gates[0], Method::GET, path::SESSIONS, None).await?.read()?;
    stage.check(sessions.items.len() == 1, format!("{} login of that person", sessions.items.len()));
    let alarms =
        (0..stage.system.nodes.len()).filter(|node| stage.system.log_of(*node).contains("refresh_token_reused"));
    let alarms = alarms.count();
    stage.check(alarms == 0, format!("{alarms} false alarms"));
    for _ in 0..20 {
        stage.clients[0].says(room, "from the first tab");
        stage.clients[second].says(room, "from the second tab");
    }
    stage.finish().await
}

/// X25.
pub async fn stolen_token(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 6, readers: 6, rooms: 1 }).await?;
    let load = stage.load(Rate::of(30));
    let (gate, room) = (stage.system.gates()[0], stage.rooms[0]);
    let victim = Arc::clone(&stage.people[12]);
    let second = stage.enters(Manner::new(&victim, &stage.gates_from(1), &[room], Via::Socket));
    stage.all_connected(LIMIT).await?;
    let first = stage.clients.iter().position(|client| client.person().id == victim.id).context("no client")?;
    let stolen = victim.tokens();
    victim.renew(gate, &stolen).await?;
    // The successor is used, so the stolen one is neither current nor its unused predecessor.
    victim.renew(gate, &victim.tokens()).await?;
    let wait = orders.scaled(1, 60);
    sleep(Duration::from_secs(wait)).await;
    let answer = victim.refresh_with(gate, &stolen.cookie).await?;
    let replayed = Instant::now();
    stage.check(answer.status.as_u16() == 401, format!("replayed after {wait} s: {}", answer.status.as_u16()));
    let sockets = [Arc::clone(&stage.clients[first]), Arc::clone(&stage.clients[second])];
    let ended = |client: &Arc<Client>| client.ended().last().is_some_and(|end| end.code == SIGN_IN);
    let closed = stage.eventually("both sockets are closed", LIMIT, || sockets.iter().all(ended)).await;
    let within = sockets.iter().filter_map(|client| client.ended().last().map(|end| end.at)).max();
    let within = within.map_or(LIMIT, |at| at.saturating_duration_since(replayed));
    stage.check(closed.is_ok(), "both sockets closed with 4401");
    stage.time(within <= AT_ONCE, format!("after {} ms (1 s)", within.as_millis()));
    let newest = victim.refresh_with(gate, &victim.tokens().cookie).await?.status.as_u16();
    let access = victim.once(gate, Method::GET, path::ME, None).await?.status.as_u16();
    stage.check(newest == 401 && access == 401, format!("the newest tokens of the family: {newest}, {access} (401)"));
    let logged = (0..stage.system.nodes.len()).any(|node| stage.system.log_of(node).contains("refresh_token_reused"));
    stage.check(logged, if logged { "a security event is logged" } else { "no security event is logged" });
    for client in &sockets {
        client.leaves();
    }
    drop(load);
    stage.finish().await
}

/// X26.
pub async fn revoked(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 8, readers: 4, rooms: 1 }).await?;
    let load = stage.load(Rate::of(30));
    let gates = stage.system.gates();
    // What is asked for on one node must hold on the other.
    let (here, there) = (gates[0], gates[gates.len() - 1]);
    let room = stage.rooms[0];
    let owner = stage.owner();
    for (number, how) in
        ["one login revoked", "signed out", "all others revoked", "password changed"].iter().enumerate()
    {
        let name = stage.people[1 + number].name.clone();
        let other = Person::login(here, &name, PASSWORD).await?;
        let victim = Arc::new(Person::login(there, &name, PASSWORD).await?);
        let client = signs_in(&mut stage, &victim, there, room).await?;
        let request = match number {
            0 => {
                let own: Page<SessionInfo> = victim.surely(here, Method::GET, path::SESSIONS, None).await?.read()?;
                let own = own.items.iter().find(|session| session.current).context("no current login")?;
                other.answered(here, Method::DELETE, &path::session(own.id), None).await?
            }
            1 => victim.answered(here, Method::POST, path::LOGOUT, Some(&json!({}))).await?,
            2 => other.answered(here, Method::DELETE, path::SESSIONS, None).await?,
            _ => {
                let change = json!({"current": PASSWORD, "new": "amber ladder quartz 57"});
                other.answered(here, Method::POST, path::PASSWORD, Some(&change)).await?
            }
        };
        let asked = Instant::now();
        ensure!(request.status.is_success(), "{how}: {request:?}");
        let closed = stage.eventually("the socket is closed", LIMIT, || !client.ended().is_empty()).await;
        let end = client.ended().first().copied();
        let within = end.map_or(LIMIT, |end| end.at.saturating_duration_since(asked));
        let status = victim.answered(there, Method::GET, path::ME, None).await?.status.as_u16();
        stage.check(
            closed.is_ok() && end.is_some_and(|end| end.code == SIGN_IN) && status == 401,
            format!("{how}: closed with {} (4401), then {status} (401)", code(end.and_then(|end| end.code))),
        );
        stage.time(within <= AT_ONCE, format!("after {} ms (1 s)", within.as_millis()));
        client.leaves();
    }
    // The first clients of those whose logins were ended as well.
    for client in &stage.clients[2..4] {
        client.leaves();
    }
    let kicked = Arc::clone(&stage.people[6]);
    let client = Arc::clone(stage.clients.iter().find(|client| client.person().id == kicked.id).context("no client")?);
    let answer = owner.answered(here, Method::DELETE, &path::member(room, kicked.id), None).await?;
    let asked = Instant::now();
    ensure!(answer.status.is_success(), "{answer:?}");
    let told = stage.eventually("the one who was removed is told", LIMIT, || client.room_gone(room).is_some()).await;
    let within = client.room_gone(room).map_or(LIMIT, |at| at.saturating_duration_since(asked));
    let status = kicked.answered(there, Method::GET, &path::messages(room), None).await?.status.as_u16();
    let cursor = client.cursor(room);
    sleep(Duration::from_secs(2)).await;
    let fed = client.cursor(room) - cursor;
    stage.check(
        told.is_ok() && matches!(status, 403 | 404) && fed == 0,
        format!("removed from the room: told, then {status} (403, 404), {fed} entries more (0)"),
    );
    stage.time(within <= AT_ONCE, format!("after {} ms (1 s)", within.as_millis()));
    client.leaves();
    drop(load);
    stage.finish().await
}

/// A client of a login of its own, that does not try to come back.
async fn signs_in(stage: &mut Stage, person: &Arc<Person>, gate: SocketAddr, room: RoomId) -> Result<Arc<Client>> {
    let manner = Manner { renews: false, ..Manner::new(person, &[gate], &[room], Via::Socket) };
    let place = stage.enters(manner);
    let client = Arc::clone(&stage.clients[place]);
    stage.eventually("the login is connected", LIMIT, || client.is_connected()).await?;
    Ok(client)
}

/// X29.
pub async fn login_storm(orders: Orders) -> Result<Outcome> {
    let wiring = Wiring::new(orders.store).with("NATTER_BCRYPT_COST", "12");
    let mut stage = Stage::open(&orders, wiring, Cast { writers: 6, readers: 6, rooms: 1 }).await?;
    let load = stage.load(Rate::of(40));
    let calm = Instant::now();
    sleep(Duration::from_secs(5)).await;
    let before = delays(&stage, calm);
    let gate = stage.system.addresses()[0];
    let (storm, lag) = (Instant::now(), Lag::watch());
    let logins = (0..200).map(|number| {
        let name = stage.people[number % stage.people.len()].name.clone();
        async move {
            let http = people::http()?;
            let form = json!({"username": name, "password": PASSWORD});
            let since = Instant::now();
            let answer = people::call(&http, gate, Method::POST, path::LOGIN, &[], Some(&form)).await?;
            Ok::<_, anyhow::Error>((answer.status.as_u16(), since.elapsed()))
        }
    });
    let answers = futures_util::future::try_join_all(logins).await?;
    let during = delays(&stage, storm);
    let took = storm.elapsed();
    let count = |wanted: u16| answers.iter().filter(|(status, _)| *status == wanted).count();
    let (good, busy, often) = (count(200), count(503), count(429));
    stage.check(
        good + busy + often == answers.len() && good > 0,
        format!(
            "200 logins at once: {good} signed in, {} told to come back, all within {:.1} s",
            busy + often,
            took.as_secs_f64()
        ),
    );
    let refusals = answers.iter().filter(|(status, _)| *status != 200).map(|(_, took)| *took).collect();
    let slowest = percentile(refusals, 95);
    // A second, and what this machine needs to accept two hundred connections.
    stage.time(
        slowest <= Duration::from_millis(1_500),
        format!("95 % of refusals within {} ms (1.5 s)", slowest.as_millis()),
    );
    slower(&mut stage, before, during, 200, &lag);
    drop(load);
    stage.finish().await
}
