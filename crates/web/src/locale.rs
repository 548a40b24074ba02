//! Every sentence that the page shows, looked up by key in `locales/`. One file is one language; English is part of the page
//! and stands in where another language lacks a key. A key without a text shows itself, and a test keeps that from happening.
//! What the server says and what the forms' own checks say is English, and is looked up by its sentences.

use crate::state::order::{Order, sorted};
use std::sync::OnceLock;

const ENGLISH: &str = include_str!("../locales/en.txt");

/// Sorted by key.
type Table = Vec<(&'static str, &'static str)>;

fn parse(text: &'static str) -> Table {
    let table = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, value)| (key.trim(), value.trim()));
    sorted(table, |(key, _)| Order::new(0, (*key).to_owned()))
}

/// The languages there are: what each is called by those who speak it. The first is English.
pub const LANGUAGES: &[(&str, &str)] = &[("en", "English"), ("de", "Deutsch")];

/// The language that was chosen, unless that is English.
static OTHER: OnceLock<Table> = OnceLock::new();

/// The English of the parts of the page that come later, which is in a file of its own.
static MORE: OnceLock<Table> = OnceLock::new();

/// Speaks the language of that file from now on; the first call counts.
pub fn speak(file: String) {
    OTHER.get_or_init(|| parse(file.leak()));
}

/// Knows the sentences of that file as well from now on; the first call counts.
pub fn speak_more(file: String) {
    MORE.get_or_init(|| parse(file.leak()));
}

/// Whether the sentences of those parts are here.
pub fn speaks_more() -> bool {
    MORE.get().is_some()
}

fn find(table: &Table, key: &str) -> Option<&'static str> {
    table.binary_search_by_key(&key, |(key, _)| *key).ok().map(|at| table[at].1)
}

/// The text of a key.
pub fn t(key: &'static str) -> &'static str {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let other = OTHER.get().and_then(|table| find(table, key));
    let english = || find(TABLE.get_or_init(|| parse(ENGLISH)), key);
    other.or_else(english).or_else(|| find(MORE.get()?, key)).unwrap_or(key)
}

/// What the server or a check said, in the chosen language as far as it knows the sentences.
pub fn said(text: &str) -> String {
    match OTHER.get() {
        None => text.to_owned(),
        Some(table) => translated(table, text),
    }
}

fn translated(table: &Table, text: &str) -> String {
    if let Some(whole) = sentence(table, text) {
        return whole;
    }
    let sentences = text.split_inclusive(". ").map(|part| {
        let (words, blank) = part.strip_suffix(' ').map_or((part, ""), |words| (words, " "));
        sentence(table, words).unwrap_or_else(|| words.to_owned()) + blank
    });
    sentences.collect()
}

/// A sentence by its words, whatever numbers it names; they are filled in again in their order.
fn sentence(table: &Table, text: &str) -> Option<String> {
    let mut key = String::from("> ");
    let mut numbers = Vec::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), numbers.last_mut(), key.ends_with("{n}")) {
            (true, Some(number), true) => {
                let number: &mut String = number;
                number.push(c);
            }
            (true, _, _) => {
                numbers.push(c.to_string());
                key.push_str("{n}");
            }
            (false, _, _) => key.push(c),
        }
    }
    let mut numbers = numbers.into_iter();
    let mut parts = find(table, &key)?.split("{n}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&numbers.next().unwrap_or_default());
        out.push_str(part);
    }
    Some(out)
}

/// The text of a key with `{name}`s filled in.
pub fn tf(key: &'static str, values: &[(&str, &str)]) -> String {
    fill(t(key), values)
}

/// The text of a key that counts something: `key.one` or `key.other`, with `{n}` filled in.
pub fn tn(one: &'static str, other: &'static str, n: usize) -> String {
    fill(t(if n == 1 { one } else { other }), &[("n", &n.to_string())])
}

/// Fills in each brace once, so that a value with braces stays as it is.
fn fill(mut text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    while let Some((before, rest)) = text.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = rest.split_once('}') else {
            out.push('{');
            text = rest;
            continue;
        };
        if let Some((_, value)) = values.iter().find(|(key, _)| *key == name) {
            out.push_str(value);
        } else {
            out.push('{');
            out.push_str(name);
            out.push('}');
        }
        text = after;
    }
    out.push_str(text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn sources(folder: &Path, into: &mut String) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.file_name().is_some_and(|name| name != "locale.rs") {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// Everything between quotes in the sources that is spelled like a key.
    fn quoted(source: &str) -> BTreeSet<&str> {
        source.split('"').filter(|text| is_key(text)).collect()
    }

    fn is_key(text: &str) -> bool {
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        text.split_once('.').is_some_and(|(area, rest)| plain(area) && rest.split('.').all(plain))
    }

    #[test]
    fn every_key_in_use_has_a_text_and_every_text_is_used() {
        let mut source = String::new();
        sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut source);
        let known: BTreeSet<&str> = english().into_iter().map(|(key, _)| key).collect();
        let areas: BTreeSet<&str> = known.iter().filter_map(|key| key.split_once('.')).map(|(area, _)| area).collect();
        let used: BTreeSet<&str> = quoted(&source)
            .into_iter()
            .filter(|key| key.split_once('.').is_some_and(|(area, _)| areas.contains(area)))
            .collect();
        let missing: Vec<_> = used.difference(&known).collect();
        let idle: Vec<_> = known.difference(&used).collect();
        assert!(missing.is_empty(), "without a text: {missing:?}");
        assert!(idle.is_empty(), "never shown: {idle:?}");
    }

    const GERMAN: &str = include_str!("../locales/de.txt");

    /// All of it, sorted by key.
    fn english() -> Table {
        let all = parse(ENGLISH).into_iter().chain(parse(include_str!("../locales/en-parts.txt")));
        sorted(all, |(key, _)| Order::new(0, (*key).to_owned()))
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_language_has_all_texts_with_the_same_values() {
        let english = english();
        let german = parse(GERMAN);
        let keys = |table: &Table| table.iter().map(|(key, _)| *key).filter(|key| is_key(key)).collect::<BTreeSet<_>>();
        assert_eq!(keys(&german), keys(&english));
        for (key, text) in &english {
            let other = find(&german, key).unwrap();
            assert_eq!(placeholders(other), placeholders(text), "{key}");
        }
        for (key, text) in german.iter().filter(|(key, _)| !is_key(key)) {
            assert_eq!(key.matches("{n}").count(), text.matches("{n}").count(), "{key}");
        }
        assert!(LANGUAGES.iter().all(|(code, _)| ["en", "de"].contains(code)));
    }

    /// The sentences that a source hands to people: literals that begin with a capital letter and have several words.
    fn sentences(source: &str) -> Vec<String> {
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        let lines =
            product.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("description = "));
        let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
        literals
            .filter(|text| text.starts_with(|c: char| c.is_ascii_uppercase()) && text.contains(' '))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn what_the_server_and_the_checks_say_is_known_in_every_language() {
        let german = parse(GERMAN);
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| sentences(&std::fs::read_to_string(here.join(path)).unwrap());
        let said: Vec<String> = [
            "../shared/src/text/keys.rs",
            "../shared/src/text/messages.rs",
            "../shared/src/text/names.rs",
            "../api/src/http/error.rs",
            "../api/src/http/receive.rs",
            "../api/src/service/pictures/mod.rs",
            "../api/src/service/pictures/renew.rs",
            "../api/src/service/access.rs",
            "../api/src/service/accounts.rs",
            "../api/src/service/strength.rs",
            "src/api/error.rs",
            "src/live/doing.rs",
            "src/live/tab.rs",
        ]
        .into_iter()
        .flat_map(read)
        .collect();
        assert!(said.len() > 40, "{said:?}");
        let unknown: Vec<String> = said
            .into_iter()
            .map(|text| {
                // Values of a format are numbers, but for advice, which is a sentence of its own.
                let mut filled = text.clone();
                while let Some((before, rest)) = filled.clone().split_once('{') {
                    let after = rest.split_once('}').map_or("", |(_, after)| after);
                    filled =
                        if before.ends_with(". ") { before.trim_end().to_owned() } else { format!("{before}7{after}") };
                }
                filled
            })
            .filter(|text| {
                let parts = text.split_inclusive(". ").map(|part| part.strip_suffix(' ').unwrap_or(part));
                sentence(&german, text).is_none() && !parts.clone().all(|part| sentence(&german, part).is_some())
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
    }

    #[test]
    fn sentences_keep_their_numbers() {
        let german = parse(GERMAN);
        assert_eq!(
            translated(&german, "Too long: 4321 characters, at most 4000"),
            "Zu lang: 4321 Zeichen, höchstens 4000"
        );
        assert_eq!(
            translated(&german, "This name is reserved. Choose another one"),
            "Dieser Name ist vergeben. Wähle einen anderen"
        );
        assert_eq!(translated(&german, "Nobody knows this. Try again."), "Nobody knows this. Versuche es noch einmal.");
    }

    #[test]
    fn values_are_filled_in_once() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(fill("open { and {unknown}", &[]), "open { and {unknown}");
        assert_eq!(fill("no braces", &[("a", "x")]), "no braces");
    }

    #[test]
    fn no_key_stands_twice() {
        let table = english();
        assert!(table.windows(2).all(|pair| pair[0].0 != pair[1].0));
    }
}
