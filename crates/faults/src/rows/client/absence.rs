//! X13: somebody is away while much happens in thirty rooms, comes back, and sees what a fresh load of the page would show.

use super::say_all;
use crate::client::{Client, Manner, Via};
use crate::people::Person;
use crate::stage::{Cast, LIMIT, LOOK, Orders, Outcome, Stage};
use crate::system::Wiring;
use anyhow::{Context, Result};
use natter_shared::entry::Message;
use natter_shared::id::{RoomId, Seq};
use natter_shared::path;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// In the first room so much happens that coming back means loading it afresh (`limits::RESUME_MAX` is 500).
const BUSY_ROOM: usize = 700;

pub async fn play(orders: Orders) -> Result<Outcome> {
    let rooms = orders.scaled(10, 30);
    let cast = Cast { writers: 3, readers: 2, rooms };
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let (owner, gate) = (stage.owner(), stage.system.gates()[0]);
    let mut dice = stage.dice.fork();
    // Everybody is in every room; the owner is the one who goes away.
    let others: Vec<Arc<Person>> = stage.people[1..].to_vec();
    for room in stage.rooms.clone() {
        let code = owner.code(gate, room).await?;
        for person in &others {
            person.joins_by(gate, &code).await?;
        }
    }
    let all = stage.rooms.clone();
    let away = stage.enters(Manner { keeps: true, ..Manner::new(&owner, &[gate], &all, Via::Socket) });
    let before = |room: RoomId| others.iter().map(move |person| (Arc::clone(person), room));
    say_all(&stage, all.iter().flat_map(|room| before(*room)).collect(), &mut dice).await?;
    stage.recovers(Instant::now()).await;

    let welcomes = stage.clients[away].welcomes();
    stage.clients[away].goes_offline();
    let counts = orders.scaled((1_300, 60, 20, 10), (3_000, 200, 50, 20));
    let (messages, edits, deletions, moves) = counts;
    let says = (0..messages).map(|number| {
        let room = if number < BUSY_ROOM { all[0] } else { all[number % all.len()] };
        (Arc::clone(&others[dice.below(others.len())]), room)
    });
    let says: Vec<_> = says.collect();
    say_all(&stage, says, &mut dice).await?;
    for number in 0..edits + deletions {
        let room = all[dice.below(all.len())];
        let page = others[0].page(gate, room, "limit=100").await?;
        let standing: Vec<&Message> = page.messages.iter().filter(|message| !message.deleted).collect();
        let target = standing.get(dice.below(standing.len())).context("a room without messages")?;
        let author = others.iter().find(|person| person.id == target.author.id);
        // The owner's own fresh messages stay as they are.
        let Some(author) = author else { continue };
        let path = path::message(room, target.seq);
        if number < edits {
            let form = json!({"client_id": dice.client_id(), "body": format!("edit {number}")});
            author.surely(gate, Method::PATCH, &path, Some(&form)).await?;
        } else {
            author.surely(gate, Method::DELETE, &path, None).await?;
        }
    }
    for number in 0..moves {
        let (person, room) = (&others[number % others.len()], all[dice.below(all.len())]);
        // In and out again; who was removed comes back by the code.
        if number % 2 == 0 {
            person.surely(gate, Method::POST, &path::leave(room), Some(&json!({}))).await?;
        } else {
            owner.surely(gate, Method::DELETE, &path::member(room, person.id), None).await?;
        }
        person.joins_by(gate, &owner.code(gate, room).await?).await?;
    }

    let since = Instant::now();
    stage.clients[away].comes_back();
    let heads = heads(&owner, gate, &all).await?;
    let client = Arc::clone(&stage.clients[away]);
    let there = || client.welcomes() > welcomes && heads.iter().all(|(room, head)| client.cursor(*room) >= *head);
    let took = stage.eventually("the one who was away has everything", LIMIT, there).await?;
    stage.slowest = stage.slowest.max(Some(since.elapsed()));
    stage.time(
        took < Duration::from_secs(5),
        format!(
            "{messages} messages, {edits} edits, {deletions} deletions, {moves} moves in {} rooms caught up in {:.1} s (5 s)",
            all.len(),
            took.as_secs_f64()
        ),
    );
    sleep(LOOK).await;
    let (mine, fresh) = (rebuilt(&client), loaded(&owner, gate, &all).await?);
    let differing = fresh.iter().filter(|(place, message)| mine.get(place) != Some(message)).count();
    let same = mine.len() == fresh.len() && differing == 0;
    stage.check(same, format!("view of {} messages equals a fresh load ({differing} differ)", fresh.len()));
    // Others were removed for a moment and did not follow that: they need not have every entry.
    for client in &stage.clients[..stage.clients.len() - 1] {
        client.leaves();
    }
    stage.finish().await
}

type View = BTreeMap<(RoomId, Seq), Message>;

async fn heads(owner: &Person, gate: std::net::SocketAddr, rooms: &[RoomId]) -> Result<Vec<(RoomId, u64)>> {
    let mut heads = Vec::new();
    for room in rooms {
        heads.push((*room, owner.entries(gate, *room, Seq::ZERO, 1).await?.head.get()));
    }
    Ok(heads)
}

/// What somebody sees who applied every entry as it came.
fn rebuilt(client: &Client) -> View {
    let mut view = View::new();
    for entry in client.kept() {
        if let Some(message) = Message::from_entry(&entry) {
            view.insert((entry.room, entry.seq), message);
        } else if let Some(message) = entry.what.target().and_then(|target| view.get_mut(&(entry.room, target))) {
            message.apply(&entry);
        }
    }
    view
}

/// What the page shows that is opened now and scrolled to the beginning of every room.
async fn loaded(owner: &Person, gate: std::net::SocketAddr, rooms: &[RoomId]) -> Result<View> {
    let mut view = View::new();
    for room in rooms {
        let mut query = "limit=100".to_owned();
        loop {
            let page = owner.page(gate, *room, &query).await?;
            if let Some(first) = page.messages.first() {
                query = format!("limit=100&before={}", first.seq);
            }
            view.extend(page.messages.into_iter().map(|message| ((*room, message.seq), message)));
            if !page.has_more {
                break;
            }
        }
    }
    Ok(view)
}
