//! Which of the stretches of a chart have their time written below them.

use natter_shared::admin::Step;

/// The beginning of a stretch as the clock of the place shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub hour: u8,
    pub minute: u8,
}

/// The distances between named times, the narrowest first: minutes, hours or days.
const MINUTES: &[usize] = &[5, 10, 15, 20, 30, 60];
const HOURS: &[usize] = &[1, 2, 3, 4, 6, 12, 24];
const DAYS: &[usize] = &[1, 2, 5, 7, 10, 15, 30];

/// The stretches that are named, where at most so many names have room. Minutes and hours are named where the clock is
/// round, days counted back from the newest.
pub fn named(step: Step, stamps: &[Stamp], room: usize) -> Vec<usize> {
    let count = stamps.len();
    let round = |every: usize| {
        let is_named = |at: &usize| match step {
            Step::Minute => usize::from(stamps[*at].minute).is_multiple_of(every),
            Step::Hour => usize::from(stamps[*at].hour).is_multiple_of(every),
            Step::Day => (count - 1 - at).is_multiple_of(every),
        };
        (0..count).filter(is_named).collect::<Vec<_>>()
    };
    let all = match step {
        Step::Minute => MINUTES,
        Step::Hour => HOURS,
        Step::Day => DAYS,
    };
    all.iter().map(|every| round(*every)).find(|named| named.len() <= room).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(from: u8) -> Vec<Stamp> {
        (0..60).map(|at| Stamp { hour: 9, minute: (from + at) % 60 }).collect()
    }

    #[test]
    fn names_stand_at_round_times_and_have_room() {
        let named_minutes = |room| {
            let stamps = minutes(7);
            named(Step::Minute, &stamps, room).into_iter().map(|at| stamps[at].minute).collect::<Vec<_>>()
        };
        assert_eq!(named_minutes(6), [10, 20, 30, 40, 50, 0]);
        assert_eq!(named_minutes(3), [20, 40, 0]);
        assert!(named_minutes(0).is_empty());
        let day: Vec<Stamp> = (0..24).map(|at| Stamp { hour: (at + 15) % 24, minute: 0 }).collect();
        let hours: Vec<u8> = named(Step::Hour, &day, 6).into_iter().map(|at| day[at].hour).collect();
        assert_eq!(hours, [16, 20, 0, 4, 8, 12]);
        let month = vec![Stamp { hour: 0, minute: 0 }; 30];
        assert_eq!(named(Step::Day, &month, 6), [4, 9, 14, 19, 24, 29], "the newest day is one of them");
        assert!(named(Step::Day, &[], 6).is_empty());
    }
}
