//! How numbers and lengths of time are said: short at an axis, whole in a sentence. `point` is what stands before the
//! decimals in the language of the page.

/// The narrow blank that stands between thousands, in every language.
const BLANK: char = '\u{202f}';

/// `12 345`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * BLANK.len_utf8());
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(BLANK);
        }
        out.push(digit);
    }
    out
}

/// `950`, `1.2k`, `34k`, `5M`: three figures at most.
pub fn short(value: u64, point: &str) -> String {
    let mut unit = 1_u64;
    let mut letters = ["k", "M", "G", "T", "P", "E"].into_iter();
    let mut letter = "";
    while value / unit >= 1_000 {
        unit *= 1_000;
        letter = letters.next().unwrap_or("");
    }
    format!("{}{letter}", part(value, unit, point))
}

/// A number in a larger unit: one decimal below ten, if it is not zero.
fn part(value: u64, unit: u64, point: &str) -> String {
    let (whole, tenth) = (value / unit, value % unit / (unit / 10).max(1));
    if unit == 1 || whole >= 10 || tenth == 0 { whole.to_string() } else { format!("{whole}{point}{tenth}") }
}

/// Microseconds as people say them: `840 µs`, `3.2 ms`, `120 ms`, `1.4 s`.
pub fn took(us: u64, point: &str) -> String {
    let (unit, name) = match us {
        0..1_000 => (1, "µs"),
        1_000..1_000_000 => (1_000, "ms"),
        _ => (1_000_000, "s"),
    };
    format!("{}\u{a0}{name}", part(us, unit, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_at_an_axis_and_whole_in_a_sentence() {
        let shown = [0, 950, 1_000, 1_234, 1_999, 12_345, 999_999, 1_500_000, 5_000_000_000].map(|it| short(it, ","));
        assert_eq!(shown, ["0", "950", "1k", "1,2k", "1,9k", "12k", "999k", "1,5M", "5G"]);
        assert_eq!(short(u64::MAX, "."), "18E");
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let shown =
            [0, 840, 1_000, 3_250, 120_400, 1_400_000, 75_000_000].map(|it| took(it, ".").replace('\u{a0}', " "));
        assert_eq!(shown, ["0 µs", "840 µs", "1 ms", "3.2 ms", "120 ms", "1.4 s", "75 s"]);
    }
}
