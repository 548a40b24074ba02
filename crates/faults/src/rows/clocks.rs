//! X17: nodes whose clocks are wrong by minutes. Order is seq, so nothing but the shown times may suffer.

use crate::report::Played;
use crate::stage::{Cast, Orders, Rate, Stage};
use crate::system::Wiring;
use anyhow::Result;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const WRONG_BY: Duration = Duration::from_mins(5);

/// libfaketime, where Debian and others put it, or where `NATTER_TEST_FAKETIME` says.
fn library() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("NATTER_TEST_FAKETIME") {
        return Some(PathBuf::from(named)).filter(|library| library.is_file());
    }
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let libraries = folders.iter().map(|folder| PathBuf::from(folder).join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.is_file())
}

pub async fn wrong(orders: Orders) -> Result<Played> {
    let Some(library) = library() else {
        let why = "needs libfaketime (Debian: faketime), or NATTER_TEST_FAKETIME with its path";
        return Ok(Played::Skipped(why.to_owned()));
    };
    let cast = Cast { writers: 10, readers: 10, rooms: 2 };
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), cast).await?;
    let load = stage.load(Rate::of(40));
    let nodes = stage.system.nodes.len();
    // A lone node is wrong the one way and then the other, two nodes are both at once.
    for round in 0..2 {
        for node in 0..nodes {
            sleep(Duration::from_secs(1)).await;
            let sign = if (node + round) % 2 == 0 { '+' } else { '-' };
            let settings = &mut stage.system.nodes[node].settings;
            settings.retain(|(name, _)| name.starts_with("NATTER_"));
            let seconds = WRONG_BY.as_secs();
            for (name, value) in [
                ("LD_PRELOAD", library.display().to_string()),
                ("FAKETIME", format!("{sign}{seconds}s")),
                // Timers stay right: a wrong clock runs as fast as a good one.
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ] {
                settings.push((name.to_owned(), value));
            }
            stage.system.kill_node(node).await?;
            stage.system.start_node(node)?;
            stage.system.is_up(node).await?;
            stage.recovers(Instant::now()).await;
        }
    }
    sleep(Duration::from_secs(2)).await;
    drop(load);
    stage.check(true, format!("clocks five minutes early and late, {} restarts", 2 * nodes));
    stage.finish().await.map(Into::into)
}
