//! Bold, italic and struck out in one line, in one pass: each sign that may open waits in a stack for the one that closes
//! it. A kind waits once at a time, so that the stack is never searched and nothing stands deeper than there are kinds.

use super::Span;
use super::words::{is_word, word};

/// How many kinds of emphasis there are, which is how deep they stand in each other.
pub(super) const KINDS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `**`
    Stars,
    /// `*`
    Star,
    /// `_`
    Line,
    /// `~~`
    Tildes,
}

impl Kind {
    const fn width(self) -> usize {
        match self {
            Self::Stars | Self::Tildes => 2,
            Self::Star | Self::Line => 1,
        }
    }

    fn around(self, inner: Vec<Span<'_>>) -> Span<'_> {
        match self {
            Self::Stars => Span::Bold(inner),
            Self::Star | Self::Line => Span::Italic(inner),
            Self::Tildes => Span::Struck(inner),
        }
    }
}

/// A sign that something may stand in, and what has come since.
struct Frame<'a> {
    kind: Kind,
    /// Where the sign begins.
    at: usize,
    inner: Vec<Span<'a>>,
}

struct Line<'a> {
    text: &'a str,
    out: Vec<Span<'a>>,
    frames: Vec<Frame<'a>>,
    /// Which frame waits for the end of each kind.
    waits: [Option<usize>; KINDS],
}

/// Cuts one line into pieces.
pub(super) fn inline(text: &str) -> Vec<Span<'_>> {
    let mut line = Line { text, out: Vec::new(), frames: Vec::new(), waits: [None; KINDS] };
    let mut plain = 0; // where the text that is nothing else begins
    let mut at = 0;
    let mut before = None;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some((span, length)) = word(rest, &text[..at], line.closes()) {
            line.text(plain, at);
            line.top().push(span);
            at += length;
            plain = at;
            before = text[..at].chars().next_back();
        } else if matches!(c, '*' | '_' | '~') {
            let run = rest.bytes().take_while(|byte| char::from(*byte) == c).count();
            // A sign behind a backslash is meant as it stands, and both are shown: `¯\_(ツ)_/¯` is a gesture.
            if before != Some('\\') {
                line.text(plain, at);
                plain = at;
                if line.signs(c, at, run, before) {
                    plain = at + run;
                }
            }
            before = Some(c);
            at += run;
        } else {
            at += c.len_utf8();
            before = Some(c);
        }
    }
    line.text(plain, text.len());
    line.fall_to(0);
    line.out
}

impl<'a> Line<'a> {
    /// Where the next piece belongs.
    fn top(&mut self) -> &mut Vec<Span<'a>> {
        match self.frames.last_mut() {
            Some(frame) => &mut frame.inner,
            None => &mut self.out,
        }
    }

    fn text(&mut self, from: usize, to: usize) {
        let whole = self.text;
        put_text(whole, self.top(), from, to);
    }

    /// The signs that wait for their end, where an address could swallow it.
    fn closes(&self) -> &'static str {
        match (self.waits[Kind::Line as usize].is_some(), self.waits[Kind::Tildes as usize].is_some()) {
            (true, true) => "_~",
            (true, false) => "_",
            (false, true) => "~",
            (false, false) => "",
        }
    }

    /// Takes a run of the same sign; `false` if it is text.
    fn signs(&mut self, c: char, at: usize, run: usize, before: Option<char>) -> bool {
        let kinds: &[Kind] = match (c, run) {
            ('*', 1) => &[Kind::Star],
            ('*', 2) => &[Kind::Stars],
            ('*', 3) => &[Kind::Stars, Kind::Star],
            ('_', 1) => &[Kind::Line],
            ('~', 2) => &[Kind::Tildes],
            _ => return false,
        };
        let after = self.text[at + run..].chars().next();
        let (opens, closes) = sides(kinds[0], before, after);
        if closes && kinds.iter().all(|kind| self.waits[*kind as usize].is_some()) {
            // The inner one of two ends first, for then the outer one still waits.
            let inner_first = kinds.iter().max_by_key(|kind| self.waits[**kind as usize]).copied();
            for kind in inner_first.into_iter().chain(kinds.iter().copied()) {
                self.close(kind);
            }
            return true;
        }
        if opens {
            let mut at = at;
            for kind in kinds {
                self.waits[*kind as usize] = Some(self.frames.len());
                self.frames.push(Frame { kind: *kind, at, inner: Vec::new() });
                at += kind.width();
            }
        }
        opens
    }

    fn close(&mut self, kind: Kind) {
        let Some(index) = self.waits[kind as usize] else { return };
        self.fall_to(index + 1);
        self.waits[kind as usize] = None;
        if let Some(frame) = self.frames.pop() {
            self.top().push(kind.around(frame.inner));
        }
    }

    /// What waits above this frame has no end: its signs are text.
    fn fall_to(&mut self, index: usize) {
        let whole = self.text;
        let fallen = self.frames.split_off(index.min(self.frames.len()));
        for wait in &mut self.waits {
            *wait = wait.filter(|at| *at < index);
        }
        let into = self.top();
        for frame in fallen {
            put_text(whole, into, frame.at, frame.at + frame.kind.width());
            for span in frame.inner {
                match span {
                    Span::Text(text) => {
                        let from = offset(whole, text);
                        put_text(whole, into, from, from + text.len());
                    }
                    other => into.push(other),
                }
            }
        }
    }
}

/// Where a part of a text begins in it.
fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}

/// Adds a stretch of the line, to the text before it if that is where it goes on.
fn put_text<'a>(whole: &'a str, into: &mut Vec<Span<'a>>, from: usize, to: usize) {
    if from >= to {
        return;
    }
    match into.last_mut() {
        Some(Span::Text(last)) if offset(whole, last) + last.len() == from => *last = &whole[offset(whole, last)..to],
        _ => into.push(Span::Text(&whole[from..to])),
    }
}

/// Whether a sign between these two characters may open, and whether it may close. What it stands around begins and ends
/// with something to see, and `2*3*4`, `2**3**4` and `snake_case` are no emphasis.
fn sides(kind: Kind, before: Option<char>, after: Option<char>) -> (bool, bool) {
    let seen = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
    // Writings without blanks between words begin emphasis anywhere.
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && u32::from(c) < 0x2E80);
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let inside = match kind {
        Kind::Line => (before.is_some_and(is_word), after.is_some_and(is_word)),
        Kind::Star => (latin(before), latin(after)),
        Kind::Stars | Kind::Tildes => {
            let between = digit(before) && digit(after);
            (between, between)
        }
    };
    (seen(after) && !inside.0, seen(before) && !inside.1)
}
