//! The drill: a backup under load, everything destroyed, the backup put back, and what was promised counted.

use super::{CAST, compose};
use crate::ledger::Verdict;
use crate::people::{PASSWORD, Person};
use crate::stage::{Orders, Outcome, Rate, Stage};
use crate::system::Wiring;
use anyhow::{Context, Result, ensure};
use natter_shared::entry::Entry;
use natter_shared::file::Uploaded;
use natter_shared::id::RoomId;
use natter_shared::path;
use reqwest::Method;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where the key to the backups lies, which nobody but this test would leave there.
const KEY: &str = "/backups/drill.key";
/// One green pixel.
const IMAGE: &[u8] =
    b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\
    \x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0d\x49\x44\x41\x54\x78\xda\x63\x64\xf8\xcf\x50\x0f\x00\
    \x03\x86\x01\x80\x5a\x34\x7d\x6b\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

/// What stood there when the backup began.
struct Before {
    logs: HashMap<RoomId, Vec<Entry>>,
    image: (String, String),
    /// The cookie of a login that had been ended, and of one that had not.
    ended: String,
    good: String,
}

/// C04, and X32 of the list that the project was planned with.
pub async fn restored(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), CAST).await?;
    let load = stage.load(Rate::of(60));
    sleep(Duration::from_secs(5)).await;
    let before = remember(&mut stage).await?;

    let made = compose(&stage)?.compose(&["run", "--rm", "-T", "restore", "backup", "keygen", KEY]).await?;
    let mut words = made.split(|c: char| !c.is_ascii_alphanumeric());
    let recipient = words.find(|word| word.starts_with("age1")).context("keygen names no recipient")?;
    let recipient = format!("NATTER_BACKUP_RECIPIENT={recipient}");
    let begun = Instant::now();
    compose(&stage)?.compose(&["run", "--rm", "-T", "-e", &recipient, "backup", "backup"]).await?;
    let backup = begun.elapsed();
    drop(load);
    stage.clients.iter().for_each(|client| client.leaves());

    let system = compose(&stage)?;
    system.compose(&["down", "--timeout", "30"]).await?;
    let volumes = ["mongo", "mongo-config", "files"].map(|name| format!("{}_{name}", system.project()));
    for volume in &volumes {
        system.docker(&["volume", "rm", volume]).await?;
    }
    let begun = Instant::now();
    let restore = ["run", "--rm", "-T", "restore", "restore", "latest", "--identity", KEY];
    system.compose(&restore).await?;
    let restore = begun.elapsed();
    system.up().await?;
    let up = begun.elapsed();

    let verdict = compare(&mut stage, &before).await?;
    stage.check(true, format!(
        "backed up in {:.1} s under load; from nothing: restored in {:.1} s with the start of MongoDB, healthy after {:.1} s",
        backup.as_secs_f64(),
        restore.as_secs_f64(),
        up.as_secs_f64()
    ));
    Ok(stage.judged(verdict))
}

async fn remember(stage: &mut Stage) -> Result<Before> {
    let (gate, owner) = (stage.system.gates()[0], stage.owner());
    let another = Person::login(gate, &owner.name, PASSWORD).await?;
    another.surely(gate, Method::POST, path::LOGOUT, Some(&serde_json::json!({}))).await?;
    let good = Person::login(gate, &owner.name, PASSWORD).await?.tokens().cookie;
    let uploaded: Uploaded = owner.uploads(gate, IMAGE).await?.read()?;
    let form = serde_json::json!({"client_id": stage.dice.client_id(), "body": "", "attachments": [uploaded.id]});
    owner.surely(gate, Method::POST, &path::messages(stage.rooms[0]), Some(&form)).await?;
    let image = owner.surely(gate, Method::GET, &uploaded.url, None).await?.text;
    let mut logs = HashMap::new();
    for room in &stage.rooms {
        logs.insert(*room, owner.whole_log(gate, *room).await?);
    }
    Ok(Before { logs, image: (uploaded.url, image), ended: another.tokens().cookie, good })
}

/// What was there before must be there now, entry for entry; what came during the backup may be.
async fn compare(stage: &mut Stage, before: &Before) -> Result<Verdict> {
    let gate = stage.system.gates()[0];
    let owner = Person::login(gate, &stage.owner().name, PASSWORD).await.context("the password of before")?;
    let mut verdict = Verdict::default();
    for (room, log) in &before.logs {
        let now = owner.whole_log(gate, *room).await?;
        verdict.attempted += log.len() as u64;
        verdict.unknown_stored += now.len().saturating_sub(log.len()) as u64;
        for (old, new) in log.iter().zip(&now) {
            if old == new {
                verdict.acked += 1;
            } else {
                verdict.reordered.add(|| format!("{old:?} is {new:?} now"));
            }
        }
        for old in log.iter().skip(now.len()) {
            verdict.lost.add(|| format!("{old:?} is gone"));
        }
        let head = now.last().map_or(0, |entry| entry.seq.get());
        let fresh = owner.tries_to_say(gate, *room, stage.dice.client_id(), "after the restore").await?;
        let fresh: Entry = fresh.read()?;
        ensure!(fresh.seq.get() == head + 1, "after {head} comes {}", fresh.seq);
    }
    stage.check(
        true,
        format!("{} entries of before the backup are there, {} of during it", verdict.acked, verdict.unknown_stored),
    );
    let (url, bytes) = &before.image;
    let image = owner.surely(gate, Method::GET, url, None).await?.text;
    stage.check(&image == bytes, "the image is the same");
    let ended = owner.refresh_with(gate, &before.ended).await?.status.as_u16();
    stage.check(ended == 401, format!("a login that had been ended is answered {ended} (401)"));
    let good = owner.refresh_with(gate, &before.good).await?.status.as_u16();
    stage.check(good == 200, format!("one that had not is answered {good} (200)"));
    Ok(verdict)
}
