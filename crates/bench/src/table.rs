//! Tables in Markdown, and figures as people read them.

use crate::statistics::{Series, Wanted};

pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|&cell| cell.to_owned()).collect(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Lines of equal width, so that it reads well before it is drawn.
    pub fn render(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&self.header]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let line = |row: &[String]| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
            format!("|{}\n", cells.collect::<String>())
        };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let rows = self.rows.iter().map(|row| line(row));
        std::iter::once(line(&self.header)).chain([line(&rule)]).chain(rows).collect()
    }
}

/// One line of a table of targets: a ratio, and what it should be.
pub struct Target {
    pub what: String,
    pub at: String,
    pub ratio: Series,
    pub unit: &'static str,
    /// `None`: worth knowing, and nothing was promised.
    pub wanted: Option<Wanted>,
}

/// Targets as a table; one that could not be measured says so, and what is neither measured nor promised is left out.
pub fn targets(targets: &[Target]) -> String {
    let mut table = Table::new(&["compared", "at", "measured", "target", ""]);
    for target in targets.iter().filter(|target| target.wanted.is_some() || target.ratio.rounds() > 0) {
        let wanted = match target.wanted {
            Some(Wanted::AtLeast(least)) => format!("≥ {}{}", plain(least), target.unit),
            Some(Wanted::AtMost(most)) => format!("≤ {}{}", plain(most), target.unit),
            None => "–".to_owned(),
        };
        let verdict = match target.wanted.map(|wanted| wanted.met(&target.ratio)) {
            None => "",
            Some(None) => "not measured",
            Some(Some(true)) => "met",
            Some(Some(false)) => "**missed**",
        };
        let measured = with_range(&target.ratio, target.unit);
        table.row(vec![target.what.clone(), target.at.clone(), measured, wanted, verdict.to_owned()]);
    }
    table.render()
}

/// The median, and the range where there was more than one round.
pub fn with_range(series: &Series, unit: &str) -> String {
    let (Some(median), Some((low, high))) = (series.median(), series.range()) else { return "–".to_owned() };
    if series.rounds() < 2 {
        return format!("{}{unit}", short(median));
    }
    format!("{}{unit} ({}–{})", short(median), short(low), short(high))
}

/// Three digits that count: `2.93 M`, `159 k`, `2 410`, `483`, `10.5`, `0.81`.
pub fn short(figure: f64) -> String {
    if figure >= 999_500.0 {
        format!("{:.2} M", figure / 1e6)
    } else if figure >= 9_999.5 {
        format!("{:.0} k", figure / 1e3)
    } else if figure >= 999.5 {
        let whole = format!("{figure:.0}");
        let (thousands, rest) = whole.split_at(whole.len() - 3);
        format!("{thousands} {rest}")
    } else if figure >= 99.95 {
        format!("{figure:.0}")
    } else if figure >= 9.995 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}

/// A target's own figure, without digits that it does not have.
fn plain(figure: f64) -> String {
    if figure >= 9_999.5 { short(figure) } else { figure.to_string() }
}

/// A count with its thousands set apart.
pub fn count(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        for (figure, said) in [
            (2_930_000.0, "2.93 M"),
            (999_999.0, "1.00 M"),
            (159_400.0, "159 k"),
            (9_999.9, "10 k"),
            (2_410.4, "2 410"),
            (999.9, "1 000"),
            (483.2, "483"),
            (10.52, "10.5"),
            (9.999, "10.0"),
            (0.807, "0.81"),
        ] {
            assert_eq!(short(figure), said);
        }
        assert_eq!((count(7), count(1_000), count(1_234_567)), ("7".into(), "1 000".into(), "1 234 567".into()));
    }

    #[test]
    fn a_target_is_met_missed_or_not_measured() {
        let target = |figures: &[f64], wanted| Target {
            what: "ours".into(),
            at: "here".into(),
            ratio: figures.iter().copied().collect(),
            unit: " ×",
            wanted,
        };
        let rendered = targets(&[
            target(&[7.0, 6.5, 8.0], Some(Wanted::AtLeast(6.0))),
            target(&[2.0], Some(Wanted::AtMost(1.3))),
            target(&[], Some(Wanted::AtMost(1.3))),
            target(&[1.0], None),
            target(&[], None),
        ]);
        let lines: Vec<&str> = rendered.lines().skip(2).collect();
        assert!(lines[0].contains("7.00 × (6.50–8.00)") && lines[0].contains("≥ 6 ×") && lines[0].contains("| met "));
        assert!(lines[1].contains("| 2.00 × ") && lines[1].contains("**missed**"), "{}", lines[1]);
        assert!(lines[2].contains("| – ") && lines[2].contains("not measured"), "{}", lines[2]);
        assert!(!lines[3].contains("met"), "{}", lines[3]);
        assert_eq!(lines.len(), 4);
        let widths: Vec<usize> = rendered.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{rendered}");
    }
}
