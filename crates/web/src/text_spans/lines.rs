//! What lines begin with: quotes, lists and blocks of code.

use super::emphasis::inline;
use super::{Item, QUOTES, Span};
use natter_shared::mention;

/// A number before a line of a list has so many digits: `2026. A good year` is a sentence.
const DIGITS: usize = 3;

/// Cuts a message into pieces.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, block, after)) = fenced(rest) {
        // The line that a block ends or begins is no line of its own.
        lines(before.strip_suffix('\n').unwrap_or(before).split('\n'), 0, &mut out);
        out.push(Span::Block(block));
        rest = after.strip_prefix('\n').unwrap_or(after);
        if rest.is_empty() {
            return out;
        }
    }
    lines(rest.split('\n'), 0, &mut out);
    out
}

/// The first block of code between two times three back ticks, with what is before and after it.
fn fenced(text: &str) -> Option<(&str, &str, &str)> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let rest = &text[start..];
        if let Some((block, length)) = mention::block(rest) {
            return Some((&text[..start], block, &rest[length..]));
        }
        // Back ticks within a line's code begin nothing.
        at = start + mention::code(rest).map_or(1, |(_, length)| length);
    }
    None
}

/// What a line is.
enum Line<'a> {
    Quoted(&'a str),
    Item(Option<u16>, &'a str),
    Plain(&'a str),
}

fn read(line: &str, depth: usize) -> Line<'_> {
    let text = line.trim_start_matches(' ');
    if depth < QUOTES
        && let Some(rest) = text.strip_prefix('>')
    {
        // `>:(` is a face.
        if rest.is_empty() || rest.starts_with(' ') {
            return Line::Quoted(rest.strip_prefix(' ').unwrap_or(rest));
        }
    }
    if let Some(rest) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* "))
        && !rest.trim().is_empty()
    {
        return Line::Item(None, rest);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=DIGITS).contains(&digits)
        && let Some(rest) = text[digits..].strip_prefix(". ").or_else(|| text[digits..].strip_prefix(") "))
        && !rest.trim().is_empty()
        && let Ok(number) = text[..digits].parse()
    {
        return Line::Item(Some(number), rest);
    }
    Line::Plain(line)
}

/// Puts neighbouring lines of one sort together. `depth` is the number of quotes around them.
fn lines<'a>(all: impl Iterator<Item = &'a str>, depth: usize, out: &mut Vec<Span<'a>>) {
    let mut all = all.map(|line| read(line, depth)).peekable();
    // Whether the line before is plain: what follows on it stands on the next line.
    let mut open = false;
    while let Some(line) = all.next() {
        match line {
            Line::Quoted(first) => {
                let mut quoted = vec![first];
                while let Some(Line::Quoted(next)) = all.next_if(|line| matches!(line, Line::Quoted(_))) {
                    quoted.push(next);
                }
                let mut inner = Vec::new();
                lines(quoted.into_iter(), depth + 1, &mut inner);
                out.push(Span::Quote(inner));
                open = false;
            }
            Line::Item(number, text) => {
                let mut items = vec![Item { number, spans: inline(text) }];
                let same =
                    |line: &Line<'_>| matches!(line, Line::Item(other, _) if other.is_some() == number.is_some());
                while let Some(Line::Item(number, text)) = all.next_if(same) {
                    items.push(Item { number, spans: inline(text) });
                }
                out.push(Span::List(items));
                open = false;
            }
            Line::Plain(text) => {
                if open {
                    out.push(Span::Text("\n"));
                }
                out.extend(inline(text));
                open = true;
            }
        }
    }
}
