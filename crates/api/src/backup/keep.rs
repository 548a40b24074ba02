//! Which backups stay: the newest of each day, week, month and year, as far back as the setting says.

use super::name::Name;
use natter_shared::timestamp::Timestamp;
use std::collections::BTreeSet;

const DAY_MS: i64 = 86_400_000;
/// 1970 began on a Thursday; weeks begin on Mondays.
const THURSDAY: i64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
    Year,
}

impl Period {
    /// The same for all moments of one period, in UTC.
    fn of(self, at: Timestamp) -> String {
        let day = at.millis().div_euclid(DAY_MS);
        let date = at.to_string();
        match self {
            Self::Day => day.to_string(),
            Self::Week => (day + THURSDAY).div_euclid(7).to_string(),
            Self::Month => date[..7].to_owned(),
            Self::Year => date[..4].to_owned(),
        }
    }
}

/// So many of each; `None`: all of them stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep(Option<Vec<(usize, Period)>>);

impl Default for Keep {
    fn default() -> Self {
        Self(Some(vec![(7, Period::Day), (4, Period::Week), (6, Period::Month)]))
    }
}

impl Keep {
    /// Reads `7d 4w 6m`, or `all`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "all" {
            return Some(Self(None));
        }
        let one = |word: &str| {
            let period = match word.chars().next_back()? {
                'd' => Period::Day,
                'w' => Period::Week,
                'm' => Period::Month,
                'y' => Period::Year,
                _ => return None,
            };
            let number: u16 = word[..word.len() - 1].parse().ok().filter(|number| *number > 0)?;
            Some((usize::from(number), period))
        };
        let rules: Option<Vec<_>> = text.split([' ', ',']).filter(|word| !word.is_empty()).map(one).collect();
        rules.filter(|rules| !rules.is_empty()).map(|rules| Self(Some(rules)))
    }

    /// Those that go after `made` was made. It is never one of them, and what is newer (the clock was wrong once) neither goes
    /// nor takes the place of another.
    pub fn spared_by_none(&self, all: &[Name], made: Name) -> Vec<Name> {
        let Some(rules) = &self.0 else { return Vec::new() };
        let mut newest_first: Vec<Name> = all.iter().copied().filter(|name| *name <= made).collect();
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        let mut stay = BTreeSet::from([made]);
        for (number, period) in rules {
            let mut periods = BTreeSet::new();
            for name in &newest_first {
                let of = period.of(name.at());
                if periods.len() < *number && periods.insert(of) {
                    stay.insert(*name);
                }
            }
        }
        newest_first.into_iter().filter(|name| !stay.contains(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(time: &str) -> Name {
        Name::new(Timestamp::try_from(time.to_owned()).unwrap(), true)
    }

    fn left(keep: &str, all: &[&str]) -> Vec<String> {
        let all: Vec<Name> = all.iter().map(|time| name(time)).collect();
        let gone = Keep::parse(keep).unwrap().spared_by_none(&all, all[0]);
        all.into_iter().filter(|name| !gone.contains(name)).map(|name| name.at().to_string()[..16].to_owned()).collect()
    }

    #[test]
    fn the_newest_of_each_day_stays() {
        let all = ["2026-11-28T09:00:00Z", "2026-11-28T03:30:00Z", "2026-11-27T03:30:00Z", "2026-11-26T23:59:59Z"];
        assert_eq!(left("2d", &all), ["2026-11-28T09:00", "2026-11-27T03:30"]);
        assert_eq!(left("9d", &all), ["2026-11-28T09:00", "2026-11-27T03:30", "2026-11-26T23:59"]);
        assert_eq!(left("all", &all).len(), 4);
    }

    #[test]
    fn a_week_begins_on_monday_and_a_month_on_the_first() {
        // The 23rd of November 2026 is a Monday.
        let all = ["2026-11-28T03:30:00Z", "2026-11-23T00:00:00Z", "2026-11-22T23:59:59Z", "2026-10-31T12:00:00Z"];
        assert_eq!(left("2w", &all), ["2026-11-28T03:30", "2026-11-22T23:59"]);
        assert_eq!(left("2m", &all), ["2026-11-28T03:30", "2026-10-31T12:00"]);
        assert_eq!(left("1d 1y", &all), ["2026-11-28T03:30"]);
    }

    #[test]
    fn a_year_of_nightly_backups_leaves_what_the_setting_says() {
        let begin = name("2025-12-01T03:30:00Z").at();
        let all: Vec<Name> = (0..365).map(|day| Name::new(begin.plus_millis(day * DAY_MS), false)).collect();
        let mut kept: Vec<Name> = Vec::new();
        // As it goes in life: one comes, those that are spared by none go.
        for name in &all {
            kept.push(*name);
            let gone = Keep::default().spared_by_none(&kept, *name);
            kept.retain(|name| !gone.contains(name));
        }
        let newest = all.last().unwrap();
        assert!(kept.contains(newest));
        assert!((13..=17).contains(&kept.len()), "{}", kept.len());
        let age = (newest.at().millis() - kept[0].at().millis()) / DAY_MS;
        assert!((150..=185).contains(&age), "the oldest is of {age} days ago");
        let days = kept.iter().filter(|name| newest.at().millis() - name.at().millis() < 7 * DAY_MS).count();
        assert_eq!(days, 7);
    }

    #[test]
    fn what_was_just_made_stays_in_any_case() {
        assert_eq!(left("1y", &["2026-11-28T03:30:00Z"]), ["2026-11-28T03:30"]);
        assert!(Keep::default().spared_by_none(&[], name("2026-11-28T03:30:00Z")).is_empty());
        let all = ["2026-11-28T03:30:00Z", "2027-06-01T00:00:00Z", "2026-11-27T03:30:00Z"];
        assert_eq!(left("1d", &all), ["2026-11-28T03:30", "2027-06-01T00:00"], "the clock was wrong once");
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in ["", "7", "d", "0d", "7x", "-1d", "7d4w", "many", "99999d", "7ä"] {
            assert_eq!(Keep::parse(bad), None, "{bad}");
        }
        assert_eq!(Keep::parse("7d, 4w,6m"), Some(Keep::default()));
    }
}
