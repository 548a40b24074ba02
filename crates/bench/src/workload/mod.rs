//! The workloads by the names that they have in docs/performance.md: who takes part, in which order, and what is made of
//! what was measured. Contenders take turns within a round, so that a change of the machine's mood meets all of them.

mod acks;
mod cells;
mod idle;
mod one_room;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::RunArgs;
use crate::machine::Cores;
use crate::plan::Plan;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// One room, every message stored durably and acknowledged.
    #[value(name = "W1", alias = "w1")]
    W1,
    /// Connections that do nothing.
    #[value(name = "W3", alias = "w3")]
    W3,
    /// Durable messages a second in small rooms.
    #[value(name = "W8", alias = "w8")]
    W8,
}

impl Workload {
    pub const ALL: [Self; 3] = [Self::W1, Self::W3, Self::W8];

    pub const fn name(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W3 => "W3",
            Self::W8 => "W8",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::W1 => "one room, every message stored durably and acknowledged",
            Self::W3 => "idle connections",
            Self::W8 => "durable messages a second, rooms of two",
        }
    }

    /// Measures, and returns the tables.
    pub async fn run(self, bench: &Bench<'_>) -> Result<String> {
        match self {
            Self::W1 => one_room::run(bench).await,
            Self::W3 => idle::run(bench).await,
            Self::W8 => acks::run(bench).await,
        }
    }
}

/// What every workload needs to know.
pub struct Bench<'a> {
    pub plan: Plan,
    pub cores: Cores,
    /// How many files may be open.
    pub files: u64,
    pub args: &'a RunArgs,
}

impl Bench<'_> {
    /// A folder that nothing was in before, for one database.
    pub fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let parent = std::path::absolute(&self.args.work)?;
        let mut folders = (0..1_000).map(|number| parent.join(format!("{name}-{number}")));
        let folder = folders.find(|folder| !folder.exists());
        let folder = folder.context("no folder is free")?;
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

/// What was absent or went wrong, as a list under the tables.
fn notes(notes: &[String]) -> String {
    let lines: Vec<String> = notes.iter().map(|note| format!("- {}", note.trim().replace('\n', " "))).collect();
    lines.join("\n")
}
