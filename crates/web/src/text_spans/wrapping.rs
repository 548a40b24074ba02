//! What putting a sign around the selected part of a text changes, or taking it away again. Places are in UTF-16 units, as
//! browsers count.

/// A change to a text, and what is selected afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is replaced.
    pub from: u32,
    pub to: u32,
    /// By what.
    pub with: String,
    pub select: (u32, u32),
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The byte at which that unit begins; in the midst of a character, the character's end.
fn byte(text: &str, unit: u32) -> usize {
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= unit {
            return at;
        }
        passed += u32::try_from(c.len_utf16()).unwrap_or(1);
    }
    text.len()
}

/// Puts `sign` around what is selected, line by line and without the blanks at its ends; takes it away where it is already.
pub fn toggled(text: &str, start: u32, end: u32, sign: &str) -> Change {
    let (a, b) = (byte(text, start), byte(text, end.max(start)));
    let (before, selected, after) = (&text[..a], &text[a..b], &text[b..]);
    let wide = units(sign);
    let at = units(before);
    let whole = |with: String, select: (u32, u32)| Change { from: at, to: at + units(selected), with, select };
    if before.ends_with(sign) && after.starts_with(sign) {
        let (from, to) = (at - wide, at + units(selected) + wide);
        let select = (from, from + units(selected));
        return Change { from, to, with: selected.to_owned(), select };
    }
    let inside = selected.strip_prefix(sign).and_then(|rest| rest.strip_suffix(sign));
    if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
        return whole(inside.to_owned(), (at, at + units(inside)));
    }
    if selected.trim().is_empty() {
        // There is nothing to stand between the signs yet.
        return Change { from: at, to: at, with: sign.repeat(2), select: (at + wide, at + wide) };
    }
    let mut with = String::with_capacity(selected.len() + 4 * sign.len());
    for line in selected.split_inclusive('\n') {
        let core = line.trim();
        let Some((lead, trail)) = line.split_once(core).filter(|_| !core.is_empty()) else {
            with.push_str(line);
            continue;
        };
        for part in [lead, sign, core, sign, trail] {
            with.push_str(part);
        }
    }
    let select = if selected.contains('\n') {
        (at, at + units(&with))
    } else {
        let lead = selected.len() - selected.trim_start().len();
        let begin = at + units(&selected[..lead]) + wide;
        (begin, begin + units(selected.trim()))
    };
    whole(with, select)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, start: u32, end: u32, sign: &str) -> (String, String) {
        let change = toggled(text, start, end, sign);
        let (from, to) = (byte(text, change.from), byte(text, change.to));
        let new = format!("{}{}{}", &text[..from], change.with, &text[to..]);
        let selected = new[byte(&new, change.select.0)..byte(&new, change.select.1)].to_owned();
        (new, selected)
    }

    #[test]
    fn signs_go_around_what_is_selected() {
        assert_eq!(apply("a word b", 2, 6, "**"), ("a **word** b".into(), "word".into()));
        assert_eq!(apply("a word b", 1, 7, "**"), ("a **word** b".into(), "word".into()));
        assert_eq!(apply("😀 ä x", 3, 4, "_"), ("😀 _ä_ x".into(), "ä".into()));
        assert_eq!(apply("ab", 1, 1, "**"), ("a****b".into(), String::new()));
        assert_eq!(
            apply("one\n two\n\nthree", 0, 15, "~~"),
            ("~~one~~\n ~~two~~\n\n~~three~~".into(), "~~one~~\n ~~two~~\n\n~~three~~".into())
        );
    }

    #[test]
    fn a_second_time_takes_them_away() {
        assert_eq!(apply("a **word** b", 4, 8, "**"), ("a word b".into(), "word".into()));
        assert_eq!(apply("a **word** b", 2, 10, "**"), ("a word b".into(), "word".into()));
        assert_eq!(apply("a****b", 3, 3, "**"), ("ab".into(), String::new()));
    }

    #[test]
    fn places_beyond_the_text_are_its_end() {
        assert_eq!(apply("a", 5, 9, "**"), ("a****".into(), String::new()));
    }
}
