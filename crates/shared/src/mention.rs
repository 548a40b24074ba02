//! Whom a text mentions: `@name` at a word's start, outside code and addresses. The server asks for the names, the page cuts
//! texts with the same pieces, so that what is drawn as a mention is one. Every piece is found in time linear in the text.

use crate::limits;

/// The name that stands for everybody in the room; nobody can register it.
pub const EVERYBODY: &str = "all";

/// The longest address that a `mailto:` link takes, in characters.
const MAILTO_MAX: usize = 320;

/// Something at the beginning of a text: what is shown of it, and how many bytes of the text it takes.
pub type Piece<'a> = (&'a str, usize);

/// The names that a text mentions, each once, in their order; at most `limits::MENTIONS_MAX`.
pub fn names(text: &str) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    // Nearly all texts have none, and are not looked into.
    if !text.contains('@') {
        return out;
    }
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let starts = begins(&text[..at]);
        let taken = match c {
            '`' => block(rest).or_else(|| code(rest)),
            '@' if starts => name(rest).inspect(|(name, _)| {
                if !out.contains(name) {
                    out.push(name);
                }
            }),
            'h' | 'H' | 'm' | 'M' if starts => link(rest),
            _ => None,
        };
        if out.len() >= limits::MENTIONS_MAX {
            break;
        }
        at += taken.map_or(c.len_utf8(), |(_, length)| length);
    }
    out
}

/// Whether a character goes on with a word, so that nothing begins after it.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a name or an address may begin behind this text: not within a word. An underscore that stands before a word is
/// no part of it, for it may be a sign of emphasis.
pub fn begins(before: &str) -> bool {
    let mut back = before.chars().rev();
    match back.next() {
        Some('_') => !back.next().is_some_and(|c| is_word(c) || c == '\\'),
        last => !last.is_some_and(is_word),
    }
}

/// What stands between lines of three back ticks.
pub fn block(rest: &str) -> Option<Piece<'_>> {
    let inner = rest.strip_prefix("```")?;
    let end = inner.find("```")?;
    let shown = inner[..end].trim_matches('\n');
    (!shown.is_empty()).then_some((shown, end + 6))
}

/// What stands between back ticks, on one line.
pub fn code(rest: &str) -> Option<Piece<'_>> {
    let inner = rest.strip_prefix('`')?;
    let end = inner.find(['`', '\n'])?;
    (end > 0 && inner[end..].starts_with('`')).then(|| (&inner[..end], end + 2))
}

/// The name after an `@`, as far as it can be one. A full stop after it is the sentence's.
pub fn name(rest: &str) -> Option<Piece<'_>> {
    let name = rest.strip_prefix('@')?;
    let end = name.find(|c: char| !is_of_name(c));
    let name = name[..end.unwrap_or(name.len())].trim_end_matches(['.', '-']);
    (limits::USERNAME_MIN..=limits::USERNAME_MAX).contains(&name.len()).then_some((name, name.len() + 1))
}

/// Whether a username can have this character.
pub fn is_of_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c)
}

/// What is being written at the end of a text: the name so far after an `@` that begins a word, and where the `@` stands.
/// For those who are offered names while they type, so capitals count as small letters.
pub fn begun(text: &str) -> Option<(usize, &str)> {
    let at = text.rfind('@')?;
    let name = &text[at + 1..];
    let fits = name.len() <= limits::USERNAME_MAX && name.chars().all(|c| is_of_name(c.to_ascii_lowercase()));
    (fits && begins(&text[..at])).then_some((at, name))
}

/// Characters that end an address: white space, quotes, angle brackets, and what steers the direction of text, for an
/// address must look like where it leads.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// An http, https or mailto address, which is also what is shown.
pub fn link(rest: &str) -> Option<Piece<'_>> {
    let scheme = ["https://", "http://", "mailto:"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let place = &rest[scheme.len()..];
    // What cannot be an address is seen by its beginning, so that no text is read to its end for each `http`.
    let end = if scheme == "mailto:" {
        place
            .char_indices()
            .take(MAILTO_MAX)
            .find(|(_, c)| ends_link(*c))
            .map(|(end, _)| end)
            .or_else(|| place.char_indices().nth(MAILTO_MAX).is_none().then_some(place.len()))?
    } else {
        // `https://bank.example@evil.example` leads to the second host: such an address stays text.
        let host =
            place.find(|c: char| matches!(c, '/' | '?' | '#' | '@' | '\\') || ends_link(c)).unwrap_or(place.len());
        let named = place.starts_with(|c: char| c.is_alphanumeric() || c == '[');
        if !named || place[host..].starts_with(['@', '\\']) {
            return None;
        }
        place.find(ends_link).unwrap_or(place.len())
    };
    let address = within_sentence(&rest[..scheme.len() + end]);
    // The sentence may have taken all of it, down to the colon of `mailto:`.
    let place = address.get(scheme.len()..)?;
    let is_mail = || place.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let well_formed = scheme != "mailto:" || is_mail();
    well_formed.then_some((address, address.len()))
}

/// An address without what is the sentence's: its full stop, and the bracket around the address.
fn within_sentence(mut address: &str) -> &str {
    let count = |c| address.matches(c).count();
    let (round, square) = (count('('), count('['));
    let (mut rounds, mut squares) = (count(')'), count(']'));
    while let Some(last) = address.chars().next_back() {
        match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' => {}
            ')' if round < rounds => rounds -= 1,
            ']' if square < squares => squares -= 1,
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_words_and_end_with_the_sentence() {
        assert_eq!(names("@ann, and @tunde.bello. And (@all)!"), ["ann", "tunde.bello", "all"]);
        assert_eq!(names("ann@example.org @no @Ann a_@ann é@ann 1@ann"), [""; 0]);
        assert_eq!(names("@ann @bob @ann"), ["ann", "bob"]);
        assert_eq!(names("plain"), [""; 0]);
        assert_eq!(names("_@ann *_@bob*_ __@eve a_b_@dan \\_@cleo"), ["ann", "bob"]);
        assert_eq!(names("@@ann @-ann- @an_"), ["ann", "-ann", "an_"]);
        assert_eq!(names(&format!("@{}", "a".repeat(33))), [""; 0]);
    }

    #[test]
    fn code_and_addresses_are_not_looked_into() {
        assert_eq!(names("`@ann` ```\n@bob\n``` `@eve"), ["eve"]);
        assert_eq!(names("https://x.example/@ann mailto:ann@bob.example http://@ann/"), ["ann"]);
        assert_eq!(names("(https://x.example/a),@ann"), [""; 0]);
        assert_eq!(names("mailto: @ann mailto:."), ["ann"]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        let many: Vec<String> = (0..200).map(|n| format!("@name{n}")).collect();
        assert_eq!(names(&many.join(" ")).len(), limits::MENTIONS_MAX);
    }

    #[test]
    fn what_is_being_written_is_the_last_word() {
        assert_eq!(begun("hello @an"), Some((6, "an")));
        assert_eq!(begun("@"), Some((0, "")));
        assert_eq!(begun("(@Ann"), Some((1, "Ann")));
        for none in ["", "ann", "@ann ", "ann@ex", "@ann!", "@a b"] {
            assert_eq!(begun(none), None, "{none}");
        }
    }

    #[test]
    fn hostile_texts_are_read_once() {
        // Each of these was quadratic in a reader that tries every beginning to the text's end.
        for part in ["http://a@", "mailto:", "https://x/)", "`", "```", "```x", "@", "http://", "mailto:a@"] {
            let text = part.repeat(limits::BODY_MAX_BYTES / part.len());
            assert!(names(&(text.clone() + "@ann")).len() <= limits::MENTIONS_MAX);
            assert!(names(&format!("https://x/{text}")).len() <= limits::MENTIONS_MAX);
        }
    }
}
