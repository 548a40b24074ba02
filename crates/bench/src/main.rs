//! The benchmarks: what Natter does on this machine as ratios against floors and a peer, measured in one run. Judges
//! nothing by absolute time, and is no test. `cargo xtask bench` builds what it needs and starts it.

mod contender;
mod document;
mod floor;
mod load;
mod machine;
mod mongod;
mod plan;
mod process;
mod statistics;
mod table;
mod wire;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::machine::Cores;
use crate::plan::Plan;
use crate::workload::{Bench, Workload};

/// Measures Natter; `cargo xtask bench` is how people start it.
#[derive(Parser)]
#[command(name = "natter-bench", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures, prints the tables, and with --write puts them into a document.
    Run(RunArgs),
    /// The floor that a benchmark starts for itself: broadcasts on a free port and stores nothing.
    #[command(hide = true)]
    Broadcast,
}

#[derive(Args)]
pub struct RunArgs {
    /// The program to measure: a release build of natter.
    #[arg(long, value_name = "PROGRAM")]
    pub natter: PathBuf,
    /// mongod 6 or later; without it what needs MongoDB is left out.
    #[arg(long, value_name = "PROGRAM")]
    pub mongod: Option<PathBuf>,
    /// The folder of the peer, with its packages installed; without it the peer is left out.
    #[arg(long, value_name = "FOLDER")]
    pub peer: Option<PathBuf>,
    /// Where databases and logs go, on an ordinary disk. What an earlier run left there is removed.
    #[arg(long, value_name = "FOLDER")]
    pub work: PathBuf,
    /// One round of short cells: shows that everything works, and measures little.
    #[arg(long)]
    pub quick: bool,
    /// How often everything is measured: 3 times, once with --quick.
    #[arg(long, value_name = "NUMBER", value_parser = RangedU64ValueParser::<usize>::new().range(1..=99))]
    pub rounds: Option<usize>,
    /// Only these workloads; all of them if none is named.
    #[arg(long, value_enum, value_name = "WORKLOAD")]
    pub only: Vec<Workload>,
    /// The document whose tables are replaced; what stands around them stays.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => on_one_thread(run(args)),
        Command::Broadcast => on_one_thread(floor::broadcast::serve()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("error: {failure:#}"));
            ExitCode::FAILURE
        }
    }
}

fn on_one_thread(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// Measures until it is done or told to stop; either way nothing that was started is left behind.
async fn run(args: RunArgs) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be waited for")?;
    tokio::select! {
        done = measure(args) => done,
        _ = terminate.recv() => bail!("stopped"),
        _ = interrupt.recv() => bail!("stopped"),
    }
}

async fn measure(args: RunArgs) -> Result<()> {
    let mut plan = if args.quick { Plan::quick() } else { Plan::whole() };
    plan.rounds = args.rounds.unwrap_or(plan.rounds);
    let files = machine::raise_file_limit()?;
    let _lock = machine::prepare_folder(&args.work)?;
    let cores = Cores::choose()?;
    let machine = machine::describe(&args, cores);
    say(&machine.join("\n"));
    let chosen = if args.only.is_empty() { Workload::ALL.to_vec() } else { args.only.clone() };
    let bench = Bench { plan, cores, files, args: &args };
    for workload in chosen {
        say(&format!("\n{}: {}", workload.name(), workload.title()));
        let report =
            workload.run(&bench).await.with_context(|| format!("{} could not be measured", workload.name()))?;
        print(&report);
        if let Some(document) = &args.write {
            let section = document::section(workload.name(), &report, &machine, &bench.plan);
            document::replace(document, workload.name(), &section)?;
            say(&format!("{}: written to {}", workload.name(), document.display()));
        }
    }
    // After a failure the logs stay; else nothing is worth keeping.
    let _ = std::fs::remove_dir_all(&args.work);
    Ok(())
}

/// Progress, for whoever waits.
pub fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "what a command was asked for goes to standard output")]
fn print(report: &str) {
    println!("\n{report}");
}
