//! W3: connections of people in rooms of ten who say nothing. What one costs in memory of the server's process, in its CPU
//! while nothing happens, and how many can sign in a second.

use anyhow::{Context, Result};
use tokio::time::Instant;

use super::{Bench, notes};
use crate::contender::{Contender, Field, MONGODB, SQLITE, Town};
use crate::load::Crowd;
use crate::plan::{CONNECTIONS_A_PERSON, PEOPLE_A_ROOM};
use crate::process::{cpu_seconds, resident_kb, rest};
use crate::say;
use crate::statistics::{Series, Wanted, figure};
use crate::table::{self, Table, Target, short, with_range};

/// Files that are open beside the connections.
const OTHER_FILES: u64 = 500;
const MOST_KB: f64 = 6.0;
const MOST_CPU_US: f64 = 1.0;
const LEAST_CONNECTS: f64 = 10_000.0;

/// The figures of one contender.
struct Cost {
    who: &'static str,
    kb: Series,
    cpu_us: Series,
    connects: Series,
    client: Series,
}

/// The same of one round.
struct Round {
    kb: f64,
    cpu_us: f64,
    connects: f64,
    client: f64,
}

pub async fn run(bench: &Bench<'_>) -> Result<String> {
    let allowed = usize::try_from(bench.files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let a_room = CONNECTIONS_A_PERSON * PEOPLE_A_ROOM;
    let rooms = bench.plan.idle.min(allowed) / a_room;
    let connections = rooms * a_room;
    let town = Town { rooms: vec![PEOPLE_A_ROOM; rooms], connections: CONNECTIONS_A_PERSON };
    let field = Field::prepare(bench, &town, true).await?;
    let mut failures = Vec::new();
    let mut costs: Vec<Cost> = field.contenders.iter().map(|contender| Cost::of(contender.name)).collect();
    for round in 1..=bench.plan.rounds {
        say(&format!("round {round} of {}, {} connections", bench.plan.rounds, table::count(connections)));
        for (contender, cost) in field.contenders.iter().zip(&mut costs) {
            match watch(bench, contender).await {
                Ok(round) => {
                    let (kb, cpu, connects) = (short(round.kb), short(round.cpu_us), short(round.connects));
                    say(&format!("  {}: {kb} kB each, {cpu} µs/s each, {connects} connects/s", contender.name));
                    cost.push(Some(&round));
                }
                Err(why) => {
                    say(&format!("  {}: failed: {why:#}", contender.name));
                    failures.push(format!("{}: {why:#}", contender.name));
                    cost.push(None);
                }
            }
        }
    }
    let said: Vec<String> = field.absent.iter().chain(&failures).cloned().collect();
    let count = table::count(connections);
    let figures = figures(&costs);
    Ok(format!("{count} connections.\n\n{figures}\n{}\n{}", table::targets(&targets(&costs, &count)), notes(&said)))
}

/// One round of one contender, in a process that has served nobody before.
async fn watch(bench: &Bench<'_>, contender: &Contender) -> Result<Round> {
    let running = contender.start(bench)?;
    let server = [running.server.pid()];
    // What is needed once only, and would look like the cost of the first connection, is paid before.
    let first = &contender.people[..1];
    drop(Crowd::gather(running.address, contender.dialect, first).await.context("the first one")?);
    rest(&running.pids).await?;
    let before_kb = resident_kb(server[0])?;

    let (own, client_before, since) = ([std::process::id()], cpu_seconds(&[std::process::id()])?, Instant::now());
    let crowd = Crowd::gather(running.address, contender.dialect, &contender.people).await?;
    let seconds = since.elapsed().as_secs_f64();
    let client = 100.0 * (cpu_seconds(&own)? - client_before) / seconds;
    rest(&running.pids).await?;
    let grown_kb = resident_kb(server[0])?.saturating_sub(before_kb);

    let (cpu, since) = (cpu_seconds(&server)?, Instant::now());
    tokio::time::sleep(bench.plan.watch).await;
    let cpu = (cpu_seconds(&server)? - cpu) / since.elapsed().as_secs_f64();
    crowd.still_well()?;
    let each = figure(crowd.len() as u64);
    Ok(Round { kb: figure(grown_kb) / each, cpu_us: cpu * 1e6 / each, connects: each / seconds, client })
}

impl Cost {
    fn of(who: &'static str) -> Self {
        let none = Series::default;
        Self { who, kb: none(), cpu_us: none(), connects: none(), client: none() }
    }

    fn push(&mut self, round: Option<&Round>) {
        self.kb.push(round.map(|round| round.kb));
        self.cpu_us.push(round.map(|round| round.cpu_us));
        self.connects.push(round.map(|round| round.connects));
        self.client.push(round.map(|round| round.client));
    }
}

fn figures(costs: &[Cost]) -> String {
    let mut table =
        Table::new(&["server", "resident kB each", "CPU µs/s each", "connects/s", "client's core meanwhile"]);
    for cost in costs {
        table.row(vec![
            cost.who.to_owned(),
            with_range(&cost.kb, ""),
            with_range(&cost.cpu_us, ""),
            with_range(&cost.connects, ""),
            with_range(&cost.client, " %"),
        ]);
    }
    table.render()
}

fn targets(costs: &[Cost], connections: &str) -> Vec<Target> {
    let mut targets = Vec::new();
    for ours in [SQLITE, MONGODB] {
        let cost = costs.iter().find(|cost| cost.who == ours);
        let series = |of: fn(&Cost) -> &Series| cost.map(|cost| of(cost).clone()).unwrap_or_default();
        let mut target = |what: &str, ratio, unit, wanted| {
            let what = format!("{what}, {ours}");
            targets.push(Target { what, at: format!("{connections} idle"), ratio, unit, wanted: Some(wanted) });
        };
        target("resident a connection", series(|cost| &cost.kb), " kB", Wanted::AtMost(MOST_KB));
        target("CPU a connection", series(|cost| &cost.cpu_us), " µs/s", Wanted::AtMost(MOST_CPU_US));
        target("sign-ins", series(|cost| &cost.connects), " /s", Wanted::AtLeast(LEAST_CONNECTS));
    }
    targets
}
