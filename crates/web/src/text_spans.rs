//! What is a link, code or a mention in a message's text. It cuts the text into pieces and adds nothing to it; drawing the
//! pieces as text nodes is the page's part.

/// A piece of a message. The pieces, put together again, are the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// Cuts a message into pieces.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    let mut out = Vec::new();
    let mut plain = 0; // where the text that is nothing else begins
    let mut at = 0;
    let mut before = None;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let found = match c {
            '`' => block(rest).or_else(|| code(rest)),
            '@' if !before.is_some_and(is_word) => mention(rest),
            'h' | 'H' | 'm' | 'M' if !before.is_some_and(is_word) => link(rest),
            _ => None,
        };
        if let Some((span, length)) = found {
            if plain < at {
                out.push(Span::Text(&text[plain..at]));
            }
            out.push(span);
            at += length;
            plain = at;
            before = text[..at].chars().next_back();
        } else {
            at += c.len_utf8();
            before = Some(c);
        }
    }
    if plain < text.len() {
        out.push(Span::Text(&text[plain..]));
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block(rest: &str) -> Option<(Span<'_>, usize)> {
    let inner = rest.strip_prefix("```")?;
    let end = inner.find("```")?;
    let shown = inner[..end].trim_matches('\n');
    (!shown.is_empty()).then_some((Span::Block(shown), end + 6))
}

fn code(rest: &str) -> Option<(Span<'_>, usize)> {
    let inner = &rest[1..];
    let end = inner.find(['`', '\n'])?;
    (end > 0 && inner[end..].starts_with('`')).then(|| (Span::Code(&inner[..end]), end + 2))
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

fn link(rest: &str) -> Option<(Span<'_>, usize)> {
    let scheme = ["https://", "http://", "mailto:"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let end = rest.find(ends_link).unwrap_or(rest.len());
    let mut address = &rest[..end];
    // The full stop of the sentence and the bracket around the address are not part of it.
    while let Some(last) = address.chars().next_back() {
        let open = |c| address.matches(c).count();
        let outside = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' => true,
            ')' => open('(') < open(')'),
            ']' => open('[') < open(']'),
            _ => false,
        };
        if !outside {
            break;
        }
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

#[cfg(test)]
mod tests {
    use super::Span::{Block, Code, Link, Mention, Text};
    use super::*;

    #[test]
    fn plain_text_is_one_piece() {
        assert_eq!(spans("Nine is early. 3 > 2 & <b>no</b>"), [Text("Nine is early. 3 > 2 & <b>no</b>")]);
        assert_eq!(spans(""), []);
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        assert_eq!(
            spans("See https://example.org/a_(b), then (http://x.example/?q=1)."),
            [
                Text("See "),
                Link("https://example.org/a_(b)"),
                Text(", then ("),
                Link("http://x.example/?q=1"),
                Text(").")
            ]
        );
        assert_eq!(spans("mailto:ann@example.org!"), [Link("mailto:ann@example.org"), Text("!")]);
    }

    #[test]
    fn only_three_schemes_are_links() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "xhttp://example.org",
            "https://",
            "http://@evil.example",
            "https://bank.example@evil.example/",
            "https://bank.example\\@evil.example/",
            "mailto:nobody",
            "http:/example.org",
        ] {
            assert!(!spans(text).iter().any(|span| matches!(span, Link(_))), "{text}");
        }
    }

    #[test]
    fn an_address_does_not_turn_round() {
        assert_eq!(
            spans("https://example.org/\u{202E}gpj.exe"),
            [Link("https://example.org/"), Text("\u{202E}gpj.exe")]
        );
    }

    #[test]
    fn code_is_not_looked_into() {
        assert_eq!(
            spans("run `cargo @ann https://x.example` now"),
            [Text("run "), Code("cargo @ann https://x.example"), Text(" now")]
        );
        assert_eq!(spans("a `b\nc` d"), [Text("a `b\nc` d")]);
        assert_eq!(spans("``"), [Text("``")]);
        assert_eq!(spans("x ```\nlet a;\n``` y"), [Text("x "), Block("let a;"), Text(" y")]);
    }

    #[test]
    fn mentions_are_usernames_at_a_words_start() {
        assert_eq!(
            spans("@ann, and @tunde.bello."),
            [Mention("ann"), Text(", and "), Mention("tunde.bello"), Text(".")]
        );
        assert_eq!(spans("ann@example.org @no @Ann"), [Text("ann@example.org @no @Ann")]);
    }

    #[test]
    fn letters_of_many_bytes_do_not_break_it() {
        for text in ["ħttp://é", "m😀@", "`é", "https://é.example/ü", "@é", "hé", "h", "@", "`"] {
            let length: usize = spans(text)
                .iter()
                .map(|span| match span {
                    Text(t) | Link(t) => t.len(),
                    Code(t) => t.len() + 2,
                    Block(t) => t.len() + 6,
                    Mention(t) => t.len() + 1,
                })
                .sum();
            assert_eq!(length, text.len(), "{text}");
        }
    }
}
