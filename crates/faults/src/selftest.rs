//! The harness tried on a server that is broken on purpose: each planted bug must be found out, by the figure that it is
//! about, and a server without one must pass.

use crate::ledger::{Findings, Verdict};
use crate::report::Played;
use crate::rows::{self, Row};
use crate::say;
use crate::stage::{Held, Orders, Outcome};
use crate::system::Store;
use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;

struct Bug {
    name: &'static str,
    row: &'static str,
    /// The figure by which it must be found out.
    figure: &'static str,
    found: fn(&Verdict) -> &Findings,
}

const BUGS: &[Bug] = &[
    Bug { name: "ack-before-commit", row: "X01", figure: "lost", found: |verdict| &verdict.lost },
    Bug { name: "doubled-client-id", row: "X14", figure: "doubled", found: |verdict| &verdict.doubled },
    // Redis is emptied, and counts from one again.
    Bug { name: "seq-from-redis", row: "X10", figure: "reordered", found: |verdict| &verdict.reordered },
];

/// Whether the harness is fit for use. Each bug is tried on the first of these stores that its row is for; one that no
/// store is there for is named.
pub async fn run(orders: &Orders, stores: &[Store]) -> Result<bool> {
    ensure!(orders.programs.planted.is_some(), "the self-test needs --planted-binary");
    let mut trials = Vec::new();
    for bug in BUGS {
        let row = rows::all().into_iter().find(|row| row.id == bug.row).context("a row that is there")?;
        match stores.iter().find(|store| row.store.is_none_or(|only| only == **store)) {
            Some(store) => trials.push((*store, row, bug)),
            None => say(&format!("{} is not tried: {} needs --store cluster", bug.name, bug.row)),
        }
    }
    // The stores at the same time, as in a run of the rows.
    let trials = &trials;
    let lanes = stores.iter().map(|store| async move {
        let mut fit = true;
        for (_, row, bug) in trials.iter().filter(|(on, ..)| on == store) {
            let orders = Orders { store: *store, ..orders.clone() };
            fit &= holds(row, bug, &orders, None).await?;
            fit &= holds(row, bug, &orders, Some(bug.name)).await?;
        }
        Ok::<_, anyhow::Error>(fit)
    });
    let fit = try_join_all(lanes).await?.into_iter().all(|fit| fit);
    let found = format!("{} of {} planted bugs were tried, and found out", trials.len(), BUGS.len());
    say(if fit { &found } else { "the harness does not see what it should" });
    Ok(fit)
}

/// Whether the row fails with the bug, by its figure, or passes without one.
async fn holds(row: &Row, bug: &Bug, orders: &Orders, plant: Option<&'static str>) -> Result<bool> {
    let outcome = outcome(row, &Orders { plant, ..orders.clone() }).await?;
    let found = (bug.found)(&outcome.verdict);
    let as_it_should = if plant.is_some() { !outcome.holds() && found.count > 0 } else { outcome.holds() };
    let (name, verdict) = (plant.unwrap_or("no bug"), if outcome.holds() { "pass" } else { "FAIL" });
    let judged = if as_it_should { "as it should be" } else { "WRONG: the harness is not to be trusted" };
    let store = orders.store.name();
    say(&format!("{} on {store} with {name}: {verdict}, {} {} — {judged}", row.id, bug.figure, found.count));
    let checks = outcome.checks.iter().filter(|check| check.held == Held::No).map(|check| &check.what);
    found.sentences.iter().take(2).chain(checks).for_each(|what| say(&format!("       {what}")));
    match outcome.kept {
        // Nobody needs the traces of a bug that was asked for.
        Some(kept) if as_it_should => drop(std::fs::remove_dir_all(kept)),
        Some(kept) => say(&format!("       logs and ledger: {}", kept.display())),
        None => {}
    }
    Ok(as_it_should)
}

async fn outcome(row: &Row, orders: &Orders) -> Result<Outcome> {
    match (row.play)(orders.clone()).await? {
        Played::Done(outcome) => Ok(*outcome),
        Played::Skipped(why) | Played::Broken(why) => bail!("{} was not played: {why}", row.id),
    }
}
