//! Whether every dependency may be used: its licence expression against the list in deny.toml. It does what
//! `cargo deny check licenses` does, for machines without cargo-deny.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::{process, workspace};

/// Reads the licence of every package of every platform and feature. An error names those that deny.toml does not allow.
/// Returns how many packages there are.
pub fn check() -> Result<usize> {
    let deny = fs::read_to_string(workspace::root().join("deny.toml")).context("cannot read deny.toml")?;
    let allowed = allowed(&deny);
    ensure!(!allowed.is_empty(), "deny.toml has no list of allowed licences");

    let mut tree = workspace::cargo();
    tree.args(["tree", "--locked", "--workspace", "--all-features", "--target=all", "--edges=normal,build,dev"]);
    tree.args(["--prefix=none", "--format={p}|{l}"]);
    let tree = process::read(tree, Duration::from_mins(5)).context("Cargo.lock must be up to date and readable")?;
    let mut packages: Vec<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    packages.sort_unstable();
    packages.dedup();

    let refused: Vec<&str> = packages.iter().copied().filter(|package| !is_allowed(package, &allowed)).collect();
    if !refused.is_empty() {
        bail!("licences that deny.toml does not allow:\n  {}", refused.join("\n  "));
    }
    Ok(packages.len())
}

fn is_allowed(package: &str, allowed: &[String]) -> bool {
    package.rsplit_once('|').is_some_and(|(_, expression)| permits(expression, allowed))
}

/// The strings of `allow = [ … ]` under `[licenses]`.
fn allowed(deny: &str) -> Vec<String> {
    let Some((_, section)) = deny.split_once("[licenses]") else { return Vec::new() };
    let Some((_, list)) = section.split_once("allow = [") else { return Vec::new() };
    let list = list.split_once(']').map_or(list, |(list, _)| list);
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be met with the allowed licences alone. An old-style `/` means OR.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any(&mut words, allowed);
    met == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words, allowed)?;
    }
    Some(met)
}

fn all(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed)?;
    }
    Some(met)
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let met = any(words, allowed)?;
        return (words.next() == Some(")")).then_some(met);
    }
    let licence = match words.next_if_eq(&"WITH") {
        Some(_) => format!("{word} WITH {}", words.next()?),
        None => word.to_owned(),
    };
    Some(allowed.contains(&licence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<String> {
        allowed(
            "[bans]\nallow = [\"GPL-3.0\"]\n[licenses]\n# why\nallow = [\n  \"MIT\",\n  \"Apache-2.0 WITH LLVM-exception\",\n  \"Unicode-3.0\",\n]\n",
        )
    }

    #[test]
    fn the_list_is_the_one_of_the_licences_section() {
        assert_eq!(list(), ["MIT", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"]);
    }

    #[test]
    fn expressions_are_met_by_what_is_allowed() {
        for expression in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Zlib",
        ] {
            assert!(permits(expression, &list()), "{expression}");
        }
    }

    #[test]
    fn expressions_are_refused_when_a_part_is_missing_or_they_cannot_be_read() {
        for expression in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "(MIT", "MIT MIT", "MIT OR", "(MIT OR GPL-3.0) AND Zlib"]
        {
            assert!(!permits(expression, &list()), "{expression}");
        }
    }
}
