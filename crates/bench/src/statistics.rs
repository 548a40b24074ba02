//! What is made of a figure that was measured in every round: its median and its range. A ratio is taken round by round,
//! from neighbours in time, before its median is.

/// One figure in every round, in order; `None` for a round in which it could not be measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series(Vec<Option<f64>>);

impl Series {
    pub fn push(&mut self, figure: Option<f64>) {
        self.0.push(figure);
    }

    /// In how many rounds it was measured.
    pub fn rounds(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The middle one, or the mean of the two in the middle. `None` if nothing was measured.
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = sorted[(sorted.len() - 1) / 2];
        Some(f64::midpoint(lower, upper))
    }

    /// The lowest and the highest.
    pub fn range(&self) -> Option<(f64, f64)> {
        let sorted = self.sorted();
        Some((*sorted.first()?, *sorted.last()?))
    }

    /// This over `other`, round by round; rounds that only one of them has, or where `other` is nothing, are left out.
    pub fn over(&self, other: &Self) -> Self {
        let both = self.0.iter().zip(&other.0);
        both.filter_map(|(ours, other)| Some((*ours)? / other.filter(|other| *other > 0.0)?)).collect()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.0.iter().copied().flatten().collect();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<T: IntoIterator<Item = f64>>(figures: T) -> Self {
        Self(figures.into_iter().map(Some).collect())
    }
}

/// What a ratio must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Wanted {
    /// Whether the median reaches it. `None` if nothing was measured.
    pub fn met(self, series: &Series) -> Option<bool> {
        let median = series.median()?;
        Some(match self {
            Self::AtLeast(least) => median >= least,
            Self::AtMost(most) => median <= most,
        })
    }
}

/// A count as a figure to reckon with.
#[expect(clippy::cast_precision_loss, reason = "no count of a benchmark comes near 2^52")]
pub fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(figures: &[f64]) -> Series {
        figures.iter().copied().collect()
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(series(&[9.0, 1.0, 4.0]).median(), Some(4.0));
        assert_eq!(series(&[9.0, 1.0, 4.0, 2.0]).median(), Some(3.0));
        assert_eq!(series(&[7.0]).median(), Some(7.0));
        assert_eq!(series(&[]).median(), None);
    }

    #[test]
    fn the_range_holds_all_rounds() {
        assert_eq!(series(&[3.0, 1.0, 2.0]).range(), Some((1.0, 3.0)));
        assert_eq!(series(&[]).range(), None);
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        // Of the medians it would be 2; of the rounds it is 4, 2, 1.
        let ratio = series(&[40.0, 20.0, 10.0]).over(&series(&[10.0, 10.0, 10.0]));
        assert_eq!(ratio, series(&[4.0, 2.0, 1.0]));
        assert_eq!(series(&[1.0, 2.0]).over(&series(&[2.0])), series(&[0.5]));
        assert_eq!(series(&[1.0]).over(&series(&[0.0])).median(), None);
        // A round that one of them missed is no round of the ratio, and the others stay beside each other.
        let mut ours = series(&[4.0]);
        ours.push(None);
        ours.push(Some(9.0));
        assert_eq!(ours.over(&series(&[2.0, 1.0, 3.0])), series(&[2.0, 3.0]));
        assert_eq!((ours.median(), ours.rounds()), (Some(6.5), 2));
    }

    #[test]
    fn the_median_decides_and_nothing_measured_decides_nothing() {
        let ratios = series(&[1.0, 6.0, 7.0]);
        assert_eq!(Wanted::AtLeast(6.0).met(&ratios), Some(true));
        assert_eq!(Wanted::AtLeast(6.1).met(&ratios), Some(false));
        assert_eq!(Wanted::AtMost(6.0).met(&ratios), Some(true));
        assert_eq!(Wanted::AtMost(5.9).met(&ratios), Some(false));
        assert_eq!(Wanted::AtMost(5.9).met(&series(&[])), None);
    }
}
