//! What in a line is code, an address or a username: told from text as the server tells it.

use super::Span;
use natter_shared::mention;
pub(super) use natter_shared::mention::is_word;

/// The piece that a line goes on with, and its length with the signs around it; `before` is the line before it.
/// `closes` are the signs of emphasis that an address may stand in, and that its end is not part of.
pub(super) fn word<'a>(rest: &'a str, before: &str, closes: &str) -> Option<(Span<'a>, usize)> {
    let starts = mention::begins(before);
    match rest.chars().next()? {
        '`' => mention::code(rest).map(|(code, length)| (Span::Code(code), length)),
        '@' if starts => mention::name(rest).map(|(name, length)| (Span::Mention(name), length)),
        'h' | 'H' | 'm' | 'M' if starts => link(rest, closes),
        _ => None,
    }
}

fn link<'a>(rest: &'a str, closes: &str) -> Option<(Span<'a>, usize)> {
    let (mut address, length) = mention::link(rest)?;
    if address.ends_with(|c| closes.contains(c)) {
        // What stood before the sign may be the sentence's again.
        address = address.trim_end_matches(|c: char| closes.contains(c) || ".,;:!?'*".contains(c));
        address = mention::link(address)?.0;
        return Some((Span::Link(address), address.len()));
    }
    Some((Span::Link(address), length))
}
