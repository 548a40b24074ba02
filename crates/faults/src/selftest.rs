//! The harness tried on a server that is broken on purpose: each planted bug must be found out, by the figure that it is
//! about, and a server without one must pass.

use crate::ledger::{Findings, Verdict};
use crate::report::Played;
use crate::rows;
use crate::say;
use crate::stage::{Orders, Outcome};
use anyhow::{Context, Result, ensure};

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
    Bug { name: "seq-from-redis", row: "X01", figure: "reordered", found: |verdict| &verdict.reordered },
];

/// Whether the harness is fit for use.
pub async fn run(orders: &Orders) -> Result<bool> {
    ensure!(orders.programs.planted.is_some(), "the self-test needs --planted-binary");
    let mut fit = true;
    for bug in BUGS {
        for plant in [None, Some(bug.name)] {
            let outcome = outcome(bug.row, &Orders { plant, ..orders.clone() }).await?;
            let found = (bug.found)(&outcome.verdict);
            let as_it_should = if plant.is_some() { !outcome.holds() && found.count > 0 } else { outcome.holds() };
            fit &= as_it_should;
            let (name, verdict) = (plant.unwrap_or("no bug"), if outcome.holds() { "pass" } else { "FAIL" });
            let judged = if as_it_should { "as it should be" } else { "WRONG: the harness is not to be trusted" };
            say(&format!("{} with {name}: {verdict}, {} {} — {judged}", bug.row, bug.figure, found.count));
            let checks = outcome.checks.iter().filter(|check| !check.holds).map(|check| &check.what);
            found.sentences.iter().take(2).chain(checks).for_each(|what| say(&format!("       {what}")));
            if let Some(kept) = outcome.kept.filter(|_| as_it_should) {
                // Nobody needs the traces of a bug that was asked for.
                let _ = std::fs::remove_dir_all(kept);
            }
        }
    }
    say(if fit { "every planted bug was found out" } else { "the harness does not see what it should" });
    Ok(fit)
}

async fn outcome(id: &str, orders: &Orders) -> Result<Outcome> {
    let row = rows::all().into_iter().find(|row| row.id == id).context("a row that is there")?;
    match (row.play)(orders.clone()).await? {
        Played::Done(outcome) => Ok(*outcome),
        Played::Skipped(why) | Played::Broken(why) => anyhow::bail!("{id} was not played: {why}"),
    }
}
