//! Every sentence that the page shows, looked up by key in `locales/`. One file is one language; English is complete and
//! stands in where another language lacks a key. A key without a text shows itself, and a test keeps that from happening.

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

/// The text of a key.
pub fn t(key: &'static str) -> &'static str {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(|| parse(ENGLISH));
    table.binary_search_by_key(&key, |(key, _)| *key).map_or(key, |at| table[at].1)
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
        let known: BTreeSet<&str> = parse(ENGLISH).into_iter().map(|(key, _)| key).collect();
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

    #[test]
    fn values_are_filled_in_once() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(fill("open { and {unknown}", &[]), "open { and {unknown}");
        assert_eq!(fill("no braces", &[("a", "x")]), "no braces");
    }

    #[test]
    fn no_key_stands_twice() {
        let table = parse(ENGLISH);
        assert!(table.windows(2).all(|pair| pair[0].0 != pair[1].0));
    }
}
