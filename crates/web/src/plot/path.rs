//! Paths of a chart whose stretches of time stand side by side, each as wide as the others.

use super::Axis;
use std::fmt::Write as _;

/// Where a chart's values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub width: i64,
    pub height: i64,
    /// How many stretches of time there are.
    pub count: usize,
    pub axis: Axis,
}

impl Place {
    fn nth(self, at: usize) -> i64 {
        let count = i64::try_from(self.count.max(1)).unwrap_or(1);
        self.width * i64::try_from(at).unwrap_or(0) / count
    }

    /// The middle of a stretch.
    pub fn middle(self, at: usize) -> i64 {
        self.nth(at).midpoint(self.nth(at + 1))
    }

    /// The left edge of a stretch, and its width.
    pub fn slot(self, at: usize) -> (i64, i64) {
        (self.nth(at), self.nth(at + 1) - self.nth(at))
    }

    pub fn down(self, value: u64) -> i64 {
        self.axis.down(value, self.height)
    }
}

/// The stretch at so many pixels from the left.
pub fn slot_at(place: Place, x: i64) -> usize {
    let at = x.clamp(0, place.width) * i64::try_from(place.count).unwrap_or(0) / place.width.max(1);
    usize::try_from(at).unwrap_or(0).min(place.count.saturating_sub(1))
}

/// Tenths of a pixel as a number that SVG and styles read.
pub fn pixels(value: i64) -> String {
    let mut out = String::with_capacity(6);
    tenths(&mut out, value);
    out
}

fn tenths(out: &mut String, value: i64) {
    // The sign would be lost with a whole part of zero; nothing of a chart lies left of it or above.
    let value = value.max(0);
    let _ = write!(out, "{}.{}", value / 10, value % 10);
}

fn point(out: &mut String, letter: char, x: i64, y: i64) {
    out.push(letter);
    tenths(out, x);
    out.push(' ');
    tenths(out, y);
}

/// From the middle of each stretch to that of the next.
pub fn line(place: Place, values: &[u64]) -> String {
    let mut out = String::with_capacity(values.len() * 14);
    for (at, value) in values.iter().enumerate() {
        point(&mut out, if at == 0 { 'M' } else { 'L' }, place.middle(at), place.down(*value));
    }
    out
}

/// What lies below the line.
pub fn area(place: Place, values: &[u64]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let mut out = line(place, values);
    point(&mut out, 'L', place.middle(values.len() - 1), place.height);
    point(&mut out, 'L', place.middle(0), place.height);
    out.push('z');
    out
}

/// A bar for each value above zero, standing on `below` (the values of the bars under it; none is the ground).
pub fn bars(place: Place, values: &[u64], below: &[u64]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
        let ground = below.get(at).copied().unwrap_or(0);
        let (left, width) = place.slot(at);
        // A quarter of its place stays free between a bar and the next, but never more than 6 pixels.
        let gap = (width / 4).min(60);
        let (top, foot) = (place.down(ground.saturating_add(*value)), place.down(ground));
        // What is there at all can be seen.
        let top = top.min(foot - 10).max(0);
        point(&mut out, 'M', left + gap / 2, foot);
        out.push('V');
        tenths(&mut out, top);
        out.push('H');
        tenths(&mut out, left + width - gap / 2);
        out.push('V');
        tenths(&mut out, foot);
        out.push('z');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(count: usize) -> Place {
        Place { width: 1_000, height: 100, count, axis: Axis::new(10, 2) }
    }

    #[test]
    fn lines_go_from_middle_to_middle() {
        assert_eq!(line(place(4), &[0, 5, 10, 10]), "M12.5 10.0L37.5 5.0L62.5 0.0L87.5 0.0");
        assert_eq!(area(place(2), &[5, 0]), "M25.0 5.0L75.0 10.0L75.0 10.0L25.0 10.0z");
        assert_eq!((line(place(0), &[]), area(place(0), &[])), (String::new(), String::new()));
    }

    #[test]
    fn bars_stand_on_each_other_and_nothing_is_no_bar() {
        assert_eq!(bars(place(2), &[5, 0], &[]), "M3.0 10.0V5.0H47.0V10.0z");
        assert_eq!(bars(place(2), &[5, 0], &[5, 5]), "M3.0 5.0V0.0H47.0V5.0z");
        let tiny = Place { axis: Axis::new(1_000_000, 2), ..place(2) };
        assert_eq!(bars(tiny, &[1], &[]), "M3.0 10.0V9.0H47.0V10.0z", "one of a million can be seen");
    }

    #[test]
    fn every_pixel_belongs_to_a_stretch() {
        let place = place(7);
        for at in 0..7 {
            let (left, width) = place.slot(at);
            assert!((1..width - 1).all(|x| slot_at(place, left + x) == at), "{at}");
            assert_eq!(slot_at(place, place.middle(at)), at);
        }
        assert_eq!((slot_at(place, -50), slot_at(place, 5_000)), (0, 6));
        assert_eq!(slot_at(Place { count: 0, ..place }, 10), 0);
        let all: i64 = (0..7).map(|at| place.slot(at).1).sum();
        assert_eq!(all, place.width);
    }
}
