//! One thing that is said is one line of the log, whatever is in it: what ends a line or speaks to a terminal is written out,
//! `\\n` for a line feed. The formats escape most of it by themselves; this holds for all of it.

use std::io::{self, Write};

pub struct OneLine<W> {
    to: W,
    /// There the format's own colours pass.
    terminal: bool,
}

impl<W: Write> OneLine<W> {
    pub const fn new(to: W, terminal: bool) -> Self {
        Self { to, terminal }
    }

    fn is_harmless(&self, c: char) -> bool {
        !c.is_control() || (self.terminal && c == '\u{1b}')
    }
}

/// Each call writes one line, which the formats end by a line feed.
impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        // Both formats write UTF-8.
        let text = String::from_utf8_lossy(text);
        if text.chars().all(|c| self.is_harmless(c)) {
            self.to.write_all(line)?;
        } else {
            let mut shown = String::with_capacity(text.len() + 16);
            for c in text.chars() {
                if self.is_harmless(c) { shown.push(c) } else { shown.extend(c.escape_default()) }
            }
            shown.push('\n');
            self.to.write_all(shown.as_bytes())?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str, terminal: bool) -> String {
        let mut written = Vec::new();
        OneLine::new(&mut written, terminal).write_all(line.as_bytes()).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn nothing_makes_a_second_line() {
        assert_eq!(written("ann signed in, grüße\n", false), "ann signed in, grüße\n");
        let forged = "ann\r\n2026-01-01 INFO \u{1b}[2Jroot signed in\u{85}\u{7f}\n";
        let shown = "ann\\r\\n2026-01-01 INFO \\u{1b}[2Jroot signed in\\u{85}\\u{7f}\n";
        assert_eq!(written(forged, false), shown);
        assert_eq!(written("\u{1b}[32mINFO\u{1b}[0m a\nb\n", true), "\u{1b}[32mINFO\u{1b}[0m a\\nb\n");
    }
}
