//! Cells of the closed-loop workloads: one contender, one crowd, so many messages in flight, in every round.

use anyhow::{Context, Result};

use super::Bench;
use crate::contender::{Contender, Field, Running};
use crate::load::{Crowd, Sample};
use crate::process;
use crate::say;
use crate::statistics::Series;
use crate::table::short;

/// Which cell: who, in which of the workload's crowds, with how many in flight.
type Place = (&'static str, usize, usize);

/// Everything that was measured.
#[derive(Default)]
pub struct Cells {
    cells: Vec<(Place, Vec<Option<Sample>>)>,
    pub failures: Vec<String>,
}

impl Cells {
    fn push(&mut self, place: Place, sample: Option<Sample>) {
        match self.cells.iter_mut().find(|(known, _)| *known == place) {
            Some((_, samples)) => samples.push(sample),
            None => self.cells.push((place, vec![sample])),
        }
    }

    /// One figure of a cell, round by round.
    pub fn series(&self, who: &str, crowd: usize, in_flight: usize, figure: fn(&Sample) -> f64) -> Series {
        let mut series = Series::default();
        let cell = self.cells.iter().find(|((w, c, n), _)| (*w, *c, *n) == (who, crowd, in_flight));
        for sample in cell.iter().flat_map(|(_, samples)| samples) {
            series.push(sample.as_ref().map(figure));
        }
        series
    }

    /// Waits until none of them has anything left to do; notes it if one still has when the next turn begins.
    pub async fn rest(&mut self, running: &[Running]) -> Result<()> {
        let mut pids: Vec<u32> = running.iter().flat_map(|running| running.pids.iter().copied()).collect();
        pids.sort_unstable();
        pids.dedup();
        if !process::rest(&pids).await? {
            self.failures.push("a turn began while a server was still busy with the one before".to_owned());
        }
        Ok(())
    }

    /// Measures one contender with one crowd. What fails is noted and ends this turn only.
    pub async fn turn(
        &mut self,
        bench: &Bench<'_>,
        contender: &Contender,
        running: &Running,
        crowd: usize,
        groups: std::ops::Range<usize>,
        in_flight: &[usize],
    ) {
        let people: Vec<_> = groups.flat_map(|group| contender.people_of(group)).collect();
        let gathered = Crowd::gather(running.address, contender.dialect, &people).await;
        let mut failed = gathered.as_ref().err().map(|why| format!("{why:#}"));
        for &count in in_flight {
            let at = format!("{} connected, {count} in flight", people.len());
            let mut sample = None;
            if let (Ok(gathered), None) = (&gathered, &failed) {
                match cell(bench, gathered, running, count).await {
                    Ok(measured) => {
                        let deliveries = short(measured.deliveries_a_second());
                        let acks = short(measured.acks_a_second());
                        say(&format!("  {}, {at}: {deliveries} deliveries/s, {acks} acks/s", contender.name));
                        sample = Some(measured);
                    }
                    Err(why) => failed = Some(format!("{why:#}")),
                }
            }
            if let (None, Some(why)) = (&sample, &failed) {
                say(&format!("  {}, {at}: failed: {why}", contender.name));
                self.failures.push(format!("{}, {at}: {why}", contender.name));
            }
            self.push((contender.name, crowd, count), sample);
        }
    }
}

async fn cell(bench: &Bench<'_>, crowd: &Crowd, running: &Running, in_flight: usize) -> Result<Sample> {
    crowd.speak(in_flight)?;
    tokio::time::sleep(bench.plan.warm_up).await;
    let sample = crowd.measure(bench.plan.window, &running.pids).await?;
    crowd.fall_silent().await?;
    Ok(sample)
}

/// Starts everybody, each as it was prepared.
pub fn start_all(bench: &Bench<'_>, field: &Field) -> Result<Vec<Running>> {
    let start = |contender: &Contender| contender.start(bench).with_context(|| contender.name.to_owned());
    field.contenders.iter().map(start).collect()
}
