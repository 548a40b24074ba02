//! What in a line is code, an address or a username.

use super::Span;

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The piece that a line goes on with, and its length with the signs around it; `before` is the character before it.
pub(super) fn word<'a>(rest: &'a str, before: Option<char>, closes: &str) -> Option<(Span<'a>, usize)> {
    match rest.chars().next()? {
        '`' => code(rest),
        '@' if !before.is_some_and(is_word) => mention(rest),
        'h' | 'H' | 'm' | 'M' if !before.is_some_and(is_word) => link(rest, closes),
        _ => None,
    }
}

fn code(rest: &str) -> Option<(Span<'_>, usize)> {
    let inner = &rest[1..];
    let end = inner.find('`')?;
    (end > 0).then(|| (Span::Code(&inner[..end]), end + 2))
}

fn mention(rest: &str) -> Option<(Span<'_>, usize)> {
    let name = &rest[1..];
    let end = name.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c)));
    let name = name[..end.unwrap_or(name.len())].trim_end_matches(['.', '-']);
    (3..=32).contains(&name.len()).then_some((Span::Mention(name), name.len() + 1))
}

/// Characters that end an address: white space, quotes, angle brackets, and what steers the direction of text, for an
/// address must look like where it leads.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// `closes` are the signs of emphasis that the address may stand in, and that its end is not part of.
fn link<'a>(rest: &'a str, closes: &str) -> Option<(Span<'a>, usize)> {
    let scheme = ["https://", "http://", "mailto:"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let end = rest.find(ends_link).unwrap_or(rest.len());
    let mut address = &rest[..end];
    let count = |c| address.matches(c).count();
    let (mut round, mut square) = ((count('('), count(')')), (count('['), count(']')));
    // The full stop of the sentence and the bracket around the address are not part of it.
    while let Some(last) = address.chars().next_back() {
        let outside = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' => true,
            ')' => round.0 < round.1,
            ']' => square.0 < square.1,
            _ => closes.contains(last),
        };
        if !outside {
            break;
        }
        round.1 -= usize::from(last == ')');
        square.1 -= usize::from(last == ']');
        address = &address[..address.len() - last.len_utf8()];
    }
    let place = address.get(scheme.len()..)?;
    let well_formed = if scheme == "mailto:" {
        place.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    } else {
        // `https://bank.example@evil.example` leads to the second host: such an address stays text.
        let host = place.split(['/', '?', '#']).next().unwrap_or("");
        host.starts_with(|c: char| c.is_alphanumeric() || c == '[') && !host.contains(['@', '\\'])
    };
    well_formed.then_some((Span::Link(address), address.len()))
}
