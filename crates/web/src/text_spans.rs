//! How a message reads: which lines of it are quotes and lists, and what in a line is code, a link, a mention, bold, italic or
//! struck out. It cuts the text into pieces and adds nothing to it; drawing the pieces as nodes is the page's part.
//!
//! The time it takes grows with the length of the text alone, and pieces stand at most [`DEPTH`] deep in each other.

mod emphasis;
mod lines;
mod words;
mod wrapping;

pub use lines::spans;
pub use wrapping::{Change, toggled};

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span<'a> {
    Text(&'a str),
    /// Between back ticks.
    Code(&'a str),
    /// Between lines of three back ticks.
    Block(&'a str),
    /// An http, https or mailto address, which is also what is shown.
    Link(&'a str),
    /// The username after an `@`.
    Mention(&'a str),
    /// Between `**`.
    Bold(Vec<Self>),
    /// Between `*` or `_`.
    Italic(Vec<Self>),
    /// Between `~~`.
    Struck(Vec<Self>),
    /// Lines that begin with `>`.
    Quote(Vec<Self>),
    /// Lines that begin with `-`, `*` or a number.
    List(Vec<Item<'a>>),
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// The number before it, as it was written; none behind a dash or a star.
    pub number: Option<u16>,
    pub spans: Vec<Span<'a>>,
}

/// So deep may quotes stand in each other.
const QUOTES: usize = 3;
/// So deep pieces stand in each other at most: quotes, a list, and each kind of emphasis once.
pub const DEPTH: usize = QUOTES + 1 + emphasis::KINDS;

/// What a message says on one line, without the signs of how it is drawn: for a quote, a list of what was found, a
/// notification.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    put(&spans(text), &mut out);
    // A line's end parts words as well as a blank does.
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn put(spans: &[Span<'_>], out: &mut String) {
    for span in spans {
        match span {
            Span::Text(text) | Span::Code(text) | Span::Link(text) => out.push_str(text),
            Span::Block(text) => {
                out.push('\n');
                out.push_str(text);
                out.push('\n');
            }
            Span::Mention(name) => {
                out.push('@');
                out.push_str(name);
            }
            Span::Bold(inner) | Span::Italic(inner) | Span::Struck(inner) => put(inner, out),
            Span::Quote(inner) => {
                out.push('\n');
                put(inner, out);
                out.push('\n');
            }
            Span::List(items) => {
                for item in items {
                    out.push('\n');
                    match item.number {
                        Some(number) => {
                            out.push_str(&number.to_string());
                            out.push_str(". ");
                        }
                        None => out.push_str("• "),
                    }
                    put(&item.spans, out);
                }
                out.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests;
