//! The fault harness: kills, cuts and floods a running Natter, and shows that nothing is lost. It speaks to the server from
//! outside only, as a stranger would, with other client libraries than the server's. `cargo xtask faults` builds and runs it.

mod client;
mod dice;
mod ledger;
mod people;
mod processes;
mod proxy;
mod report;
mod rows;
mod selftest;
mod stage;
mod system;
mod wire;

use anyhow::{Result, bail};
use clap::Parser;
use futures_util::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use report::{Frame, Line, Played};
use rows::Row;
use stage::{Orders, Profile};
use std::ops::Range;
use std::path::{PathBuf, absolute};
use std::process::ExitCode;
use std::time::Duration;
use system::{Programs, Store};
use tokio::time::{Instant, timeout};

/// A row that takes longer has failed.
const ROW: Duration = Duration::from_mins(10);
/// The file descriptors that a thousand clients with a proxy each need.
const DESCRIPTORS: u64 = 16_384;

/// Kills, cuts and floods a running Natter, and shows that nothing is lost.
#[derive(Parser)]
#[command(name = "natter-faults")]
struct Cli {
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds are played, from `--seed` on: 1, and 3 with the profile `full`.
    #[arg(long, value_name = "NUMBER")]
    seeds: Option<u64>,
    /// Only these rows, for example `X01,X14`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    #[arg(long, value_enum, default_value_t = Profile::Ci)]
    profile: Profile,
    /// `sqlite`: one node on its embedded store. `cluster`: two nodes on MongoDB and Redis. Or both, with a comma; then at
    /// the same time, for rows wait more than they work. With the profile `ci` each store plays two rows at a time.
    /// `compose`: containers, whose images were built before; `cargo xtask compose` does that.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite")]
    store: Vec<Store>,
    /// The natter to try.
    #[arg(long, env = "NATTER_FAULTS_BINARY", value_name = "FILE")]
    binary: PathBuf,
    /// A natter with the feature `planted-bugs`, for rows with failpoints and for `--self-test`.
    #[arg(long, env = "NATTER_FAULTS_PLANTED", value_name = "FILE")]
    planted_binary: Option<PathBuf>,
    #[arg(long, env = "NATTER_TEST_MONGOD", default_value = "mongod", value_name = "FILE")]
    mongod: PathBuf,
    #[arg(long, env = "NATTER_TEST_REDIS_SERVER", default_value = "redis-server", value_name = "FILE")]
    redis_server: PathBuf,
    /// The checkout whose `docker-compose.yml` is started for `--store compose`.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    compose: PathBuf,
    /// The tag of its images, which were built before.
    #[arg(long, default_value = "latest", value_name = "TAG")]
    images: String,
    /// Write the table as Markdown, for example into docs/reliability.md.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Plant bugs in the server and fail unless each of them is found out.
    #[arg(long)]
    self_test: bool,
    /// Say which rows there are.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    tokio::select! {
        done = run(&cli) => match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                say(&format!("error: {error:#}"));
                ExitCode::from(2)
            }
        },
        // Whatever runs is dropped, and with it ended.
        _ = stopped() => {
            say("stopped");
            ExitCode::from(130)
        }
    }
}

async fn stopped() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// Whether everything held.
async fn run(cli: &Cli) -> Result<bool> {
    if cli.list {
        for row in rows::all() {
            say(&format!("{}  {}", row.id, row.what));
        }
        return Ok(true);
    }
    raise_descriptors();
    let programs = Programs {
        // Nodes are started in a folder of their own.
        natter: absolute(&cli.binary)?,
        planted: cli.planted_binary.as_ref().map(absolute).transpose()?,
        mongod: cli.mongod.clone(),
        redis: cli.redis_server.clone(),
        compose: absolute(&cli.compose)?,
        images: cli.images.clone(),
    };
    let orders = Orders { seed: cli.seed, profile: cli.profile, store: Store::Sqlite, programs, plant: None };
    if cli.self_test {
        return selftest::run(&orders, &cli.store).await;
    }
    let seeds = cli.seed..cli.seed + cli.seeds.unwrap_or(orders.scaled(1, 3));
    let mut playing = Vec::new();
    for store in &cli.store {
        let lanes = if *store == Store::Compose { 1 } else { orders.scaled(2, 1) };
        let mut parts: Vec<Vec<Row>> = (0..lanes).map(|_| Vec::new()).collect();
        let count = parts.len();
        chosen(cli, *store)?.into_iter().enumerate().for_each(|(place, row)| parts[place % count].push(row));
        let orders = Orders { store: *store, ..orders.clone() };
        playing.extend(parts.into_iter().map(|rows| lane(rows, seeds.clone(), orders.clone())));
    }
    say(report::HEAD);
    let mut lines: Vec<Line> = join_all(playing).await.into_iter().flatten().collect();
    lines.sort_by_key(|line| (line.store, line.id, line.seed));
    let count = |which: fn(&Line) -> bool| lines.iter().filter(|line| which(line)).count();
    let failed = count(Line::fails);
    say(&format!(
        "{} rows: {failed} failed, {} slow, {} skipped",
        lines.len(),
        count(Line::is_slow),
        count(Line::is_skipped)
    ));
    if let Some(path) = &cli.write {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let command = command_as_typed(&arguments);
        let frame =
            Frame { version: env!("CARGO_PKG_VERSION"), date: &today(), command: &command, machine: &machine() };
        report::write(path, &frame, &lines)?;
        say(&format!("written to {}", path.display()));
    }
    Ok(failed == 0)
}

/// What was asked for, or everything that the profile and the store have.
fn chosen(cli: &Cli, store: Store) -> Result<Vec<Row>> {
    let all = rows::all();
    for name in &cli.only {
        if !all.iter().any(|row| row.id.eq_ignore_ascii_case(name)) {
            bail!("there is no row {name}; --list says which there are");
        }
    }
    let asked = |row: &Row| cli.only.iter().any(|name| row.id.eq_ignore_ascii_case(name));
    let fits = |row: &Row| row.fits(store);
    let kept = all.into_iter().filter(|row| {
        if cli.only.is_empty() { fits(row) && (cli.profile == Profile::Full || row.in_ci) } else { asked(row) }
    });
    Ok(kept.collect())
}

/// Plays some rows of one store, one after the other.
async fn lane(rows: Vec<Row>, seeds: Range<u64>, orders: Orders) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in rows {
        for seed in seeds.clone() {
            let line = play(&row, &Orders { seed, ..orders.clone() }).await;
            say(&line.show());
            lines.push(line);
        }
    }
    lines
}

async fn attempt(row: &Row, orders: &Orders) -> Played {
    match timeout(ROW, (row.play)(orders.clone())).await {
        Ok(Ok(played)) => played,
        Ok(Err(error)) => Played::Broken(format!("{error:#}")),
        Err(_) => Played::Broken(format!("not done after {ROW:?}")),
    }
}

/// Plays a row for what it says about messages; one that could not be played is tried once more.
async fn play(row: &Row, orders: &Orders) -> Line {
    let since = Instant::now();
    let played = if row.fits(orders.store) {
        match attempt(row, orders).await {
            // It says nothing about messages: something around it did not come about, as on a machine that is busy.
            Played::Broken(why) => {
                say(&format!("{} on {} could not be played ({why}); once more", row.id, orders.store.name()));
                attempt(row, orders).await
            }
            played => played,
        }
    } else {
        Played::Skipped(format!("not for the store {}", orders.store.name()))
    };
    Line { id: row.id, what: row.what, seed: orders.seed, store: orders.store, played, took: since.elapsed() }
}

/// Paths of this machine are nobody's business.
fn command_as_typed(arguments: &[String]) -> String {
    let mut typed = String::from("cargo xtask faults");
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if matches!(
            argument.as_str(),
            "--binary" | "--planted-binary" | "--mongod" | "--redis-server" | "--compose" | "--images"
        ) {
            arguments.next();
        } else {
            typed.push(' ');
            typed.push_str(argument);
        }
    }
    typed
}

/// A line of the terminal.
#[expect(clippy::print_stdout, reason = "the table is what the command was asked for")]
pub fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::disallowed_methods, reason = "the day of the run stands in its report")]
fn today() -> String {
    let date = time::OffsetDateTime::from(std::time::SystemTime::now()).date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", std::env::consts::OS)
}

fn raise_descriptors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < DESCRIPTORS
    {
        // Rows that need more than there may be say so themselves.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS.min(hard), hard);
    }
}
