//! A vertical axis from zero to a round number, with a few round steps.

/// Steps of an axis begin with one of these.
const ROUND: [u64; 3] = [1, 2, 5];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub step: u64,
    /// The upper end: a whole number of steps.
    pub top: u64,
}

impl Axis {
    /// For values up to `most`, with at most `steps` steps (at least one). An axis for nothing goes to a few all the same.
    pub fn new(most: u64, steps: u64) -> Self {
        let (most, steps) = (most.max(1), steps.max(1));
        let mut power = 1_u64;
        loop {
            for round in ROUND {
                let step = round.saturating_mul(power);
                if most.div_ceil(step) <= steps {
                    return Self { step, top: most.div_ceil(step).saturating_mul(step) };
                }
            }
            power = power.saturating_mul(10);
        }
    }

    /// The numbers that stand at the axis, from below.
    pub fn ticks(self) -> Vec<u64> {
        (0..=self.top / self.step).map(|at| at * self.step).collect()
    }

    /// How far below the upper end a value lies, on an axis of this length.
    pub fn down(self, value: u64, length: i64) -> i64 {
        let part = i128::from(value.min(self.top)) * i128::from(length) / i128::from(self.top.max(1));
        length - i64::try_from(part).unwrap_or(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_steps_are_round() {
        for (most, steps, step, top) in [
            (0, 4, 1, 1),
            (1, 4, 1, 1),
            (3, 4, 1, 3),
            (5, 4, 2, 6),
            (17, 4, 5, 20),
            (99, 4, 50, 100),
            (101, 4, 50, 150),
            (1_234, 4, 500, 1_500),
            (9_999, 3, 5_000, 10_000),
        ] {
            assert_eq!(Axis::new(most, steps), Axis { step, top }, "{most}");
        }
        assert_eq!(Axis::new(17, 4).ticks(), [0, 5, 10, 15, 20]);
    }

    #[test]
    fn every_axis_holds_its_values_and_has_few_steps() {
        for most in (0..5_000).chain([u64::MAX / 7, u64::MAX]) {
            let axis = Axis::new(most, 4);
            assert!(axis.top >= most || axis.top == u64::MAX, "{most} {axis:?}");
            assert!(axis.top / axis.step <= 4, "{most} {axis:?}");
        }
    }

    #[test]
    fn values_lie_between_the_ends() {
        let axis = Axis::new(20, 4);
        assert_eq!([0, 5, 20, 99].map(|value| axis.down(value, 1_000)), [1_000, 750, 0, 0]);
        assert_eq!(Axis::new(u64::MAX, 4).down(u64::MAX, 1_000), 0);
    }
}
