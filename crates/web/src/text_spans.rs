//! What is a link, code or a mention in a message's text. It cuts the text into pieces and adds nothing to it; drawing the
//! pieces as text nodes is the page's part. How a piece is told from text is in `natter_shared::mention`, for the server tells
//! mentions in the same way.

use natter_shared::mention::{Piece, block, code, is_word, link, name};

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

fn of<'a>(kind: fn(&'a str) -> Span<'a>, piece: Option<Piece<'a>>) -> Option<(Span<'a>, usize)> {
    piece.map(|(shown, length)| (kind(shown), length))
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
            '`' => of(Span::Block, block(rest)).or_else(|| of(Span::Code, code(rest))),
            '@' if !before.is_some_and(is_word) => of(Span::Mention, name(rest)),
            'h' | 'H' | 'm' | 'M' if !before.is_some_and(is_word) => of(Span::Link, link(rest)),
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

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_as_the_server_cuts_it(
            text in "(@|ann|all|`|```|\n|http://|mailto:|[.:/)( _-]|x|é|@bob|https://x.example/@a){0,24}",
        ) {
            let cut = spans(&text);
            let mut drawn: Vec<&str> = Vec::new();
            for span in &cut {
                if let Mention(name) = span
                    && !drawn.contains(name)
                {
                    drawn.push(name);
                }
            }
            proptest::prop_assert_eq!(drawn, natter_shared::mention::names(&text));
        }
    }
}
