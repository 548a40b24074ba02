//! The table: a line a row, on the terminal while it runs and as Markdown in the end.

use crate::stage::{Check, Held, Outcome};
use crate::system::Store;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// One row of the matrix, played with one seed.
pub struct Line {
    pub id: &'static str,
    pub what: &'static str,
    pub seed: u64,
    pub store: Store,
    pub played: Played,
    pub took: Duration,
}

pub enum Played {
    Done(Box<Outcome>),
    Skipped(String),
    /// It could not be played to its end.
    Broken(String),
}

impl Line {
    pub fn fails(&self) -> bool {
        match &self.played {
            Played::Done(outcome) => !outcome.holds(),
            Played::Skipped(_) => false,
            Played::Broken(_) => true,
        }
    }

    /// Whether everything held, and something of it too late.
    pub fn is_slow(&self) -> bool {
        matches!(&self.played, Played::Done(outcome) if outcome.holds() && outcome.is_late())
    }

    pub const fn is_skipped(&self) -> bool {
        matches!(self.played, Played::Skipped(_))
    }

    fn verdict(&self) -> &'static str {
        match &self.played {
            Played::Skipped(_) => "skipped",
            _ if self.fails() => "FAIL",
            _ if self.is_slow() => "slow",
            _ => "pass",
        }
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.id.to_owned(), self.seed.to_string(), self.store.name().to_owned()];
        let extra = match &self.played {
            Played::Done(outcome) => {
                let verdict = &outcome.verdict;
                let unknown = if verdict.unknown == 0 {
                    "0".to_owned()
                } else {
                    format!("{} ({} stored)", verdict.unknown, verdict.unknown_stored)
                };
                cells.extend([verdict.attempted.to_string(), verdict.acked.to_string(), unknown]);
                let counts = [&verdict.lost, &verdict.doubled, &verdict.reordered].map(|found| found.count.to_string());
                cells.extend(counts);
                let slowest = outcome.slowest.map(|slowest| format!("{:.1} s", slowest.as_secs_f64()));
                cells.push(slowest.unwrap_or_else(|| "–".to_owned()));
                let mut said: Vec<String> = outcome.checks.iter().map(shown).collect();
                if verdict.wrong.count > 0 {
                    said.push(format!("FAILS: {} things wrong with the history", verdict.wrong.count));
                }
                if verdict.filled > 0 {
                    said.push(format!("{} lost pushes read from the log", verdict.filled));
                }
                said.join("; ")
            }
            Played::Skipped(why) | Played::Broken(why) => {
                cells.extend((0..7).map(|_| "–".to_owned()));
                why.replace('\n', " ")
            }
        };
        cells.push(extra);
        cells.push(self.verdict().to_owned());
        cells
    }

    /// One line for the terminal, and below it what was found wrong.
    pub fn show(&self) -> String {
        const WIDTHS: [usize; 10] = [4, 6, 8, 9, 6, 14, 5, 8, 10, 8];
        let cells = self.cells();
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(WIDTHS) {
            let _ = write!(line, "{cell:<width$} ");
        }
        let _ = write!(line, "{:<8}{:>4.0} s  {}", self.verdict(), self.took.as_secs_f64(), cells[10]);
        if let Played::Done(outcome) = &self.played {
            for sentence in outcome.verdict.sentences() {
                let _ = write!(line, "\n       {sentence}");
            }
            if let Some(kept) = &outcome.kept {
                let _ = write!(line, "\n       logs and ledger: {}", kept.display());
            }
        }
        line
    }
}

fn shown(check: &Check) -> String {
    let mark = match check.held {
        Held::Yes => "",
        Held::Late => "SLOW: ",
        Held::No => "FAILS: ",
    };
    format!("{mark}{}", check.what)
}

pub const HEAD: &str =
    "row  seed   store    attempted acked  unknown        lost  doubled  reordered  slowest  verdict  took  what else";

/// What stands above the table.
pub struct Frame<'a> {
    pub version: &'a str,
    pub date: &'a str,
    pub command: &'a str,
    pub machine: &'a str,
}

/// Writes the whole document.
pub fn write(path: &Path, frame: &Frame<'_>, lines: &[Line]) -> Result<()> {
    let both = lines.iter().any(|line| line.store != lines[0].store);
    let mut text = format!(
        "# Reliability\n\n\
         What happens to messages while a running Natter is killed, cut off, starved and lied to.\n\
         This file is written by the command that tries it, never by hand; it leaves out how the harness works \
         (`crates/faults`) and how fast Natter is.\n\n    {}\n\n\
         Version {}, {}, {}.\n\n\
         A message is *acked* once the server has promised it, and *unknown* if a client never learnt what became of it; \
         an unknown one may be in the history once, or not.\n\
         *Lost* are acked messages that are missing in the history of any node, or that a reader who stayed did not get.\n\
         *Doubled* are messages that stand in the history twice or came twice on one connection.\n\
         *Reordered* are entries that somebody saw in another order, at another place or with another content than others.\n\
         *Slowest recovery* is the time from the end of a fault until a fresh message was acked in every room and every \
         client had it; clients wait between attempts as the page does.\n\
         The verdict is over what happened to messages, and over what else must hold. A time that is longer than the limit in \
         brackets behind it is said as *SLOW* and fails nothing, for on a busy machine everything is late; only what has not \
         come back after two minutes fails.{}\n\n",
        frame.command,
        frame.version,
        frame.date,
        frame.machine,
        if both { " The two stores were tried at the same time." } else { "" }
    );
    text.push_str("| row | seed | store | attempted | acked | unknown | lost | doubled | reordered | slowest recovery | what else must hold | verdict |\n");
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for line in lines {
        let cells: Vec<String> = line.cells().into_iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str("\n## The rows\n\n");
    let mut named: Vec<(&str, &str)> = lines.iter().map(|line| (line.id, line.what)).collect();
    named.sort_unstable();
    named.dedup();
    for (id, what) in named {
        let _ = writeln!(text, "- **{id}** {what}");
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Verdict;

    fn line(held: &[Held]) -> Line {
        let check = |held: &Held| Check { held: *held, what: "said".to_owned() };
        let checks = held.iter().map(check).collect();
        let outcome = Outcome { verdict: Verdict::default(), slowest: None, checks, kept: None };
        let played = Played::Done(Box::new(outcome));
        Line { id: "X01", what: "what", seed: 1, store: Store::Sqlite, played, took: Duration::ZERO }
    }

    #[test]
    fn what_is_late_is_said_and_fails_nothing() {
        let late = line(&[Held::Yes, Held::Late]);
        assert_eq!((late.verdict(), late.fails()), ("slow", false));
        assert!(late.show().contains("said; SLOW: said"), "{}", late.show());
        let broken = line(&[Held::Late, Held::No]);
        assert_eq!((broken.verdict(), broken.fails(), broken.is_slow()), ("FAIL", true, false));
        assert_eq!(line(&[Held::Yes]).verdict(), "pass");
    }
}
