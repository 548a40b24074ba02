//! W8: messages that are stored durably and acknowledged, in rooms of two, so that storing is what costs. Beside the
//! servers stand the floors: the same batches synced to a file, and inserted into MongoDB by hand.

use anyhow::{Context, Result};

use super::cells::{Cells, start_all};
use super::{Bench, notes};
use crate::contender::{Field, MONGODB, PEER, SQLITE, Town};
use crate::floor::{append, inserts};
use crate::load::Sample;
use crate::plan::{ACKS_IN_FLIGHT, IN_FLIGHT_A_SENDER};
use crate::say;
use crate::statistics::{Series, Wanted};
use crate::table::{self, Table, Target, short, with_range};

const APPEND: &str = "append + fdatasync";
const INSERTS: &str = "bare insert_many";
/// The targets hold at this many in flight.
const PROMISED_AT: usize = 64;
const SQLITE_AGAINST_PEER: f64 = 15.0;
const SQLITE_AGAINST_APPEND: f64 = 0.25;
const MONGODB_AGAINST_PEER: f64 = 5.0;
const MONGODB_AGAINST_INSERTS: f64 = 0.7;

/// Entries a second of the floors, by messages in flight.
#[derive(Default)]
struct Floors {
    append: [Series; ACKS_IN_FLIGHT.len()],
    inserts: [Series; ACKS_IN_FLIGHT.len()],
}

pub async fn run(bench: &Bench<'_>) -> Result<String> {
    let most = ACKS_IN_FLIGHT.into_iter().max().unwrap_or(1);
    let rooms = vec![2; most.div_ceil(IN_FLIGHT_A_SENDER)];
    let groups = rooms.len();
    let field = Field::prepare(bench, &Town { rooms, connections: 1 }, false).await?;
    let running = start_all(bench, &field)?;
    let mut cells = Cells::default();
    let mut floors = Floors::default();
    for round in 1..=bench.plan.rounds {
        say(&format!("round {round} of {}", bench.plan.rounds));
        for (contender, server) in field.contenders.iter().zip(&running) {
            cells.rest(&running).await?;
            cells.turn(bench, contender, server, 0, 0..groups, &ACKS_IN_FLIGHT).await;
        }
        cells.rest(&running).await?;
        floors.measure(bench, &field).await?;
    }
    drop(running);
    let said: Vec<String> = field.absent.iter().chain(&cells.failures).cloned().collect();
    let names: Vec<&'static str> = field.contenders.iter().map(|contender| contender.name).collect();
    let figures = figures(&cells, &floors, &names);
    Ok(format!("{figures}\n{}\n{}", table::targets(&targets(&cells, &floors)), notes(&said)))
}

impl Floors {
    async fn measure(&mut self, bench: &Bench<'_>, field: &Field) -> Result<()> {
        let (window, core) = (bench.plan.window, bench.cores.server);
        for (at, batch) in ACKS_IN_FLIGHT.into_iter().enumerate() {
            let appended = append::entries_a_second(&bench.args.work, batch, window, core).await.context(APPEND)?;
            say(&format!("  {APPEND}, batches of {batch}: {} entries/s", short(appended)));
            self.append[at].push(Some(appended));
            if let Some(mongod) = &field.mongod {
                let uri = mongod.uri("floor");
                let inserted = inserts::entries_a_second(uri, batch, window, core).await.context(INSERTS)?;
                say(&format!("  {INSERTS}, batches of {batch}: {} entries/s", short(inserted)));
                self.inserts[at].push(Some(inserted));
            }
        }
        Ok(())
    }
}

fn figures(cells: &Cells, floors: &Floors, names: &[&'static str]) -> String {
    let mut table =
        Table::new(&["in flight", "server", "acks/s", "CPU µs an ack", "messages a frame", "client's core"]);
    for (at, in_flight) in ACKS_IN_FLIGHT.into_iter().enumerate() {
        for name in names {
            let series = |figure| cells.series(name, 0, in_flight, figure);
            table.row(vec![
                in_flight.to_string(),
                (*name).to_owned(),
                with_range(&series(Sample::acks_a_second), ""),
                with_range(&series(Sample::cpu_us_an_ack), ""),
                with_range(&series(Sample::messages_a_frame), ""),
                with_range(&series(|sample| 100.0 * sample.client_share()), " %"),
            ]);
        }
        for (name, series) in [(APPEND, &floors.append[at]), (INSERTS, &floors.inserts[at])] {
            let nothing = || "–".to_owned();
            let acks = with_range(series, "");
            table.row(vec![in_flight.to_string(), name.to_owned(), acks, nothing(), nothing(), nothing()]);
        }
    }
    table.render()
}

fn targets(cells: &Cells, floors: &Floors) -> Vec<Target> {
    let mut targets = Vec::new();
    for (at, in_flight) in ACKS_IN_FLIGHT.into_iter().enumerate() {
        let acks = |who| cells.series(who, 0, in_flight, Sample::acks_a_second);
        let peer = acks(PEER);
        for (ours, other, theirs, least) in [
            (SQLITE, PEER, &peer, SQLITE_AGAINST_PEER),
            (SQLITE, APPEND, &floors.append[at], SQLITE_AGAINST_APPEND),
            (MONGODB, PEER, &peer, MONGODB_AGAINST_PEER),
            (MONGODB, INSERTS, &floors.inserts[at], MONGODB_AGAINST_INSERTS),
        ] {
            targets.push(Target {
                what: format!("acks/s, {ours} / {other}"),
                at: format!("{in_flight} in flight"),
                ratio: acks(ours).over(theirs),
                unit: " ×",
                wanted: (in_flight == PROMISED_AT).then_some(Wanted::AtLeast(least)),
            });
        }
    }
    targets
}
