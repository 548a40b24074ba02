//! `cargo xtask`: every command that a person or CI types, and nothing that only the server or the page needs.

mod bench;
mod browser;
mod budget;
mod cluster;
mod compress;
mod containers;
mod dev;
mod dist;
#[cfg(test)]
mod documents;
mod faults;
mod fingerprint;
mod front;
mod licence;
mod named;
mod page;
mod parts;
mod process;
mod progress;
mod ready;
mod sbom;
mod serve;
mod servers;
mod styles;
mod suite;
mod tools;
mod worker;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tools::Part;

/// Builds, runs and tests Natter.
///
/// Each command first looks for what it needs (the wasm32 target, Trunk, wasm-bindgen, wasm-opt, Chromium, mongod,
/// redis-server), installs what is missing without asking, and says what it does. Tools go to ~/.cache/natter/tools, or to
/// `NATTER_TOOLS_DIR`. Tests and clusters get a MongoDB and a Redis of their own, or those that `MONGODB_URI` and
/// `REDIS_URL` name.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and the server, and start Natter with SQLite in ./data, or several nodes with `--cluster`.
    ///
    /// The first time takes minutes, for tools may have to be built; after that Natter is up in seconds. Every NATTER_…
    /// setting that is in the environment is left as it is.
    Run(RunArgs),
    /// Work on Natter: the API in its debug profile and the page with live reload; both are rebuilt when you save.
    Dev(DevArgs),
    /// Everything that must hold before a change lands: format, lints, licences, tests, and the page in a real browser.
    ///
    /// Tests of the store, the bus and the whole server run on SQLite and on a private MongoDB and Redis, which end with
    /// them. Those of `MONGODB_URI` and `REDIS_URL` are used instead if they are given; they are not stopped.
    Test(TestArgs),
    /// Build the page for release and say what each of its files weighs.
    Page,
    /// Only the tests in a real browser, against the real server (Playwright and Chromium).
    E2e(E2eArgs),
    /// Kill, cut and flood a running Natter, and show that nothing is lost.
    ///
    /// A few minutes with the profile `ci`, which `test` runs too, an hour or more with `full`; `-- --help` says more.
    Faults(FaultsArgs),
    /// Build the images of docker/ and try the real compose file: what containers may do, a rolling restart, a reboot.
    ///
    /// Needs a Docker engine with Compose v2. Everything runs in a project of its own, which is removed afterwards.
    Compose(ComposeArgs),
    /// Measure Natter against floors and a peer, and print ratios; takes about half an hour, 5 minutes with --quick.
    Bench(BenchArgs),
    /// Pack a release: the program, the page, licences and a list of what they are made of, in `dist` of the target folder.
    ///
    /// The archive has its SHA-256 in a file beside it. Of the same files and commit it is the same archive.
    Dist,
    /// What .ci/run does: set up, then test, with the time of day on every step.
    Ci,
    /// Install what the other commands need, and nothing else.
    Setup(SetupArgs),
}

#[derive(Args)]
pub struct RunArgs {
    /// The port to listen on, on 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The folder of the database, uploads and signing key; made if it is not there.
    #[arg(long, default_value = "./data", value_name = "FOLDER")]
    pub data: std::path::PathBuf,
    /// The address people type, where it is not `http://127.0.0.1:<port>`.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Start so many nodes (2 to 5) on MongoDB and Redis, with one address in front of them.
    ///
    /// The nodes listen on free ports. What listens on --port hands each connection to the next node that takes it, byte by
    /// byte, so a node can be killed and the others go on; it is for trying by hand, not for the internet. The nodes see all
    /// people at its address, so these share the rates of one address. MongoDB and Redis are private ones, with MongoDB's
    /// files in the data folder, unless `MONGODB_URI` and `REDIS_URL` name others.
    #[arg(long, value_name = "NODES", value_parser = clap::value_parser!(u8).range(2..=5))]
    pub cluster: Option<u8>,
}

#[derive(Args)]
pub struct DevArgs {
    /// The port of the page, on 127.0.0.1. The API listens on 8090, where Trunk.toml sends /api.
    #[arg(long, default_value_t = 8081)]
    pub port: u16,
    /// The folder of the database of this command, apart from the one of `run`.
    #[arg(long, default_value = "./data/dev", value_name = "FOLDER")]
    pub data: std::path::PathBuf,
}

#[derive(Args)]
pub struct TestArgs {
    /// Leave out what needs the wasm32 target, Trunk, a browser, MongoDB or Redis.
    #[arg(long)]
    pub quick: bool,
}

#[derive(Args)]
pub struct E2eArgs {
    /// What `npx playwright test` gets, for example `specs/chat.spec.ts -g ticks`, with or without `--` before it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "PLAYWRIGHT ARGUMENTS")]
    pub playwright: Vec<String>,
}

#[derive(Args)]
struct FaultsArgs {
    /// What the harness gets, for example `--only X05 --store cluster`, with or without `--` before it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS OF THE HARNESS")]
    harness: Vec<String>,
}

#[derive(Args)]
pub struct ComposeArgs {
    /// Compile in a container, as `docker compose up --build` does, and not on this machine.
    #[arg(long)]
    pub from_sources: bool,
    /// What the harness gets, for example `--only C02`, with or without `--` before it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS OF THE HARNESS")]
    pub harness: Vec<String>,
}

#[derive(Args)]
pub struct BenchArgs {
    /// One round of short cells: shows that everything works, and measures little.
    #[arg(long)]
    pub quick: bool,
    /// How often everything is measured: 3 times, once with --quick.
    #[arg(long, value_name = "NUMBER")]
    pub rounds: Option<u32>,
    /// Only this workload (W1, W3 or W8); may be repeated. docs/performance.md says what each is.
    #[arg(long, value_name = "WORKLOAD")]
    pub only: Vec<String>,
    /// The document whose tables are replaced: docs/performance.md.
    #[arg(long, value_name = "FILE")]
    pub write: Option<std::path::PathBuf>,
}

#[derive(Args)]
struct SetupArgs {
    /// What to install; all of it if nothing is named.
    #[arg(value_enum, value_name = "PART")]
    parts: Vec<Part>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = process::end_children_on_signals().and_then(|()| match cli.command {
        Command::Run(args) => match args.cluster {
            Some(nodes) => cluster::run(&args, nodes).map(|()| ExitCode::SUCCESS),
            None => serve::run(&args),
        },
        Command::Dev(args) => dev::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Test(args) => suite::run(args.quick).map(|()| ExitCode::SUCCESS),
        Command::Page => page::build_alone().map(|()| ExitCode::SUCCESS),
        Command::E2e(args) => browser::run(&args.playwright).map(|()| ExitCode::SUCCESS),
        Command::Faults(args) => faults::run(&args.harness),
        Command::Compose(args) => containers::run(&args),
        Command::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Dist => dist::run().map(|()| ExitCode::SUCCESS),
        Command::Ci => {
            progress::show_time_of_day();
            suite::run(false).map(|()| ExitCode::SUCCESS)
        }
        Command::Setup(args) => {
            let parts = if args.parts.is_empty() { Part::ALL.to_vec() } else { args.parts };
            tools::ensure(&parts).map(|()| ExitCode::SUCCESS)
        }
    });
    done.unwrap_or_else(|failure| {
        if process::stopping() {
            progress::say("stopped");
            return ExitCode::from(130);
        }
        progress::say(&format!("\nerror: {failure:#}"));
        ExitCode::FAILURE
    })
}
