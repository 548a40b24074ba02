//! W1: one room of many members, one of whom speaks with so many messages in flight; each message is stored durably,
//! acknowledged, and delivered to all members.

use anyhow::Result;

use super::cells::{Cells, start_all};
use super::{Bench, notes};
use crate::contender::{BROADCAST, Field, MONGODB, PEER, SQLITE, Town};
use crate::load::Sample;
use crate::plan::{ROOM_IN_FLIGHT, ROOMS};
use crate::say;
use crate::statistics::Wanted;
use crate::table::{self, Table, Target, with_range};

/// Deliveries a second against the peer, by messages in flight; in the largest room.
const AGAINST_PEER: [f64; 3] = [1.5, 6.0, 20.0];
/// CPU a delivery against the broadcast that stores nothing.
const AGAINST_BROADCAST: f64 = 1.3;

pub async fn run(bench: &Bench<'_>) -> Result<String> {
    let field = Field::prepare(bench, &Town { rooms: ROOMS.to_vec(), connections: 1 }, true).await?;
    let running = start_all(bench, &field)?;
    let mut cells = Cells::default();
    for round in 1..=bench.plan.rounds {
        say(&format!("round {round} of {}", bench.plan.rounds));
        for room in 0..ROOMS.len() {
            for (contender, server) in field.contenders.iter().zip(&running) {
                cells.rest(&running).await?;
                cells.turn(bench, contender, server, room, room..room + 1, &ROOM_IN_FLIGHT).await;
            }
        }
    }
    drop(running);
    let said: Vec<String> = field.absent.iter().chain(&cells.failures).cloned().collect();
    let names: Vec<&'static str> = field.contenders.iter().map(|contender| contender.name).collect();
    Ok(format!("{}\n{}\n{}", figures(&cells, &names), table::targets(&targets(&cells)), notes(&said)))
}

fn figures(cells: &Cells, names: &[&'static str]) -> String {
    let header = [
        "members",
        "in flight",
        "server",
        "deliveries/s",
        "CPU µs a delivery",
        "messages a frame",
        "acks/s",
        "client's core",
    ];
    let mut table = Table::new(&header);
    for (room, members) in ROOMS.into_iter().enumerate() {
        for in_flight in ROOM_IN_FLIGHT {
            for name in names {
                let series = |figure| cells.series(name, room, in_flight, figure);
                table.row(vec![
                    table::count(members),
                    in_flight.to_string(),
                    (*name).to_owned(),
                    with_range(&series(Sample::deliveries_a_second), ""),
                    with_range(&series(Sample::cpu_us_a_delivery), ""),
                    with_range(&series(Sample::messages_a_frame), ""),
                    with_range(&series(Sample::acks_a_second), ""),
                    with_range(&series(|sample| 100.0 * sample.client_share()), " %"),
                ]);
            }
        }
    }
    table.render()
}

fn targets(cells: &Cells) -> Vec<Target> {
    let mut targets = Vec::new();
    let largest = ROOMS.len() - 1;
    for (room, members) in ROOMS.into_iter().enumerate() {
        for (in_flight, least) in ROOM_IN_FLIGHT.into_iter().zip(AGAINST_PEER) {
            let at = format!("{} members, {in_flight} in flight", table::count(members));
            let promised = |wanted| (room == largest).then_some(wanted);
            for ours in [SQLITE, MONGODB] {
                let ratio = |other, figure: fn(&Sample) -> f64| {
                    cells.series(ours, room, in_flight, figure).over(&cells.series(other, room, in_flight, figure))
                };
                targets.push(Target {
                    what: format!("deliveries/s, {ours} / {PEER}"),
                    at: at.clone(),
                    ratio: ratio(PEER, Sample::deliveries_a_second),
                    unit: " ×",
                    wanted: promised(Wanted::AtLeast(least)),
                });
                targets.push(Target {
                    what: format!("CPU a delivery, {ours} / {BROADCAST}"),
                    at: at.clone(),
                    ratio: ratio(BROADCAST, Sample::cpu_us_a_delivery),
                    unit: " ×",
                    wanted: promised(Wanted::AtMost(AGAINST_BROADCAST)),
                });
            }
        }
    }
    targets
}
