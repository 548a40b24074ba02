//! What documents show of the program `natter` is what it takes: each of their commands fits a line of its help, and each
//! line of its help is understood by it.

#[path = "../../../xtask/src/documents/code.rs"]
mod code;

use crate::binary::{ends, natter};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One word of a line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// One of these.
    Literal(Vec<String>),
    /// Whatever the person puts there.
    Any,
    /// These, or nothing.
    Optional(Vec<Word>),
}

/// How the program is called, by its help.
struct Help {
    /// Without options.
    usages: Vec<Vec<Word>>,
    /// Each option, and whether a value follows it. They are good for every command: which takes which is not looked at.
    options: BTreeMap<String, bool>,
}

impl Help {
    fn asked() -> Self {
        let mut command = natter(&[]);
        command.arg("--help");
        let help = String::from_utf8(ends(command).stdout).unwrap();
        let (_, usage) = help.split_once("Usage: ").expect("the help says how the program is called");
        let (usage, _) = usage.split_once("Settings:").expect("the help lists the settings");
        Self::of(usage)
    }

    fn of(usage: &str) -> Self {
        let mut options = BTreeMap::new();
        let mut words = usage.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let Some(option) = word.trim_start_matches('[').strip_prefix("--") else { continue };
            let name = option.trim_end_matches([':', ',', ';', ']']);
            // What its value is like stands behind it without a sign between.
            let has_value = name == option && words.peek().is_some_and(|next| !next.starts_with(['|', '(']));
            options.insert(format!("--{name}"), has_value);
        }
        let lines = usage.lines().filter_map(|line| line.trim().strip_prefix("natter"));
        let lines = lines.filter(|line| line.starts_with(' '));
        let usages = lines.flat_map(|line| alternatives(line.trim_start().split("  ").next().unwrap_or_default()));
        Self { usages: usages.collect(), options }
    }

    /// Whether the program takes these arguments; without `whole` they may end too early.
    fn takes(&self, arguments: &[String], whole: bool) -> bool {
        let mut left = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match self.options.get(word) {
                Some(true) => drop(words.next()),
                Some(false) => {}
                None => left.push(word.clone()),
            }
        }
        self.usages.iter().any(|usage| fits(usage, &left, whole))
    }
}

/// `admin grant NAME | list` is two: what stands behind the bar comes after the first word.
fn alternatives(line: &str) -> Vec<Vec<Word>> {
    let mut parts = line.split(" | ");
    let first: Vec<&str> = parts.next().unwrap_or_default().split_whitespace().collect();
    let rest = parts.map(|part| first.iter().copied().take(1).chain(part.split_whitespace()).collect::<Vec<_>>());
    let all: Vec<Vec<&str>> = std::iter::once(first.clone()).chain(rest).collect();
    all.iter().map(|words| pattern(words)).collect()
}

fn pattern(words: &[&str]) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(inner) = first.strip_prefix('[') {
            let end = rest.iter().position(|word| word.ends_with(']')).expect("what is open is closed");
            let mut group: Vec<&str> = rest[..=end].to_vec();
            group[0] = inner;
            group[end] = group[end].trim_end_matches(']');
            if !inner.starts_with('-') {
                found.push(Word::Optional(pattern(&group)));
            }
            rest = &rest[end + 1..];
            continue;
        }
        if !first.starts_with('-') {
            let is_a_place = first.split('|').any(|word| word.chars().all(|c| !c.is_lowercase()));
            let literal = || Word::Literal(first.split('|').map(str::to_owned).collect());
            found.push(if is_a_place { Word::Any } else { literal() });
        }
        rest = behind;
    }
    found
}

/// Whether the words are what the pattern says; without `whole` they may end before it.
fn fits(pattern: &[Word], words: &[String], whole: bool) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return words.is_empty() };
    if words.is_empty() && !whole {
        return true;
    }
    match first {
        Word::Optional(group) => {
            let with: Vec<Word> = group.iter().chain(rest).cloned().collect();
            fits(rest, words, whole) || fits(&with, words, whole)
        }
        Word::Any => !words.is_empty() && fits(rest, &words[1..], whole),
        Word::Literal(known) => {
            words.first().is_some_and(|word| known.contains(word)) && fits(rest, &words[1..], whole)
        }
    }
}

/// What stands behind `natter`, if that is what the command runs, perhaps with settings before it or within a container.
fn arguments(words: &[String]) -> Option<&[String]> {
    let is_setting =
        |word: &String| word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| !c.is_lowercase()));
    let words = &words[words.iter().take_while(|word| is_setting(word)).count()..];
    let at = match words.first()?.as_str() {
        "docker" | "sudo" => words.iter().rposition(|word| word == "natter" || word.ends_with("/natter"))?,
        program if program == "natter" || program.ends_with("/natter") => 0,
        _ => return None,
    };
    Some(&words[at + 1..])
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

#[test]
fn every_command_of_natter_in_the_documents_is_one_that_it_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md"), root.join("SECURITY.md")];
    documents(&root.join("docs"), &mut files);
    let help = Help::asked();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        for command in code::commands(&text) {
            let Some(arguments) = arguments(&command.words) else { continue };
            if arguments.is_empty() && !command.is_whole {
                continue;
            }
            seen += 1;
            let asks_for_help = arguments.last().is_some_and(|word| word == "--help");
            let arguments = &arguments[..arguments.len() - usize::from(asks_for_help)];
            let whole = command.is_whole && !asks_for_help;
            if !help.takes(arguments, whole) {
                wrong.push(format!("{}:{}: {}", file.display(), command.line, command.words.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "`natter --help` knows none of these:\n{}", wrong.join("\n"));
    assert!(seen > 10, "only {seen} commands were found");
}

#[test]
fn every_line_of_the_help_is_understood() {
    fn filled(pattern: &[Word]) -> Vec<String> {
        let word = |word: &Word| match word {
            Word::Literal(known) => vec![known[0].clone()],
            Word::Any => vec!["x".to_owned()],
            Word::Optional(_) => Vec::new(),
        };
        pattern.iter().flat_map(word).collect()
    }
    let folder = tempfile::tempdir().unwrap();
    let usages = Help::asked().usages;
    assert!(usages.len() > 5, "{usages:?}");
    for usage in usages {
        // No command that reads settings gets further than to this one.
        let mut command = natter(&[("NATTER_STORE", "")]);
        command.args(filled(&usage)).current_dir(folder.path());
        let output = ends(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("is not understood"), "{usage:?}: {said}");
    }
}

#[test]
fn commands_are_held_against_the_help_word_by_word() {
    let help = Help::of(
        "natter [serve]    start it\n  natter export FILE   write\n  natter admin grant NAME | list\n\
         \x20 natter keep WHAT|latest [--every TIME]   go on; --key FILE: who may; --again: once more\n",
    );
    let takes = |line: &str, whole| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        help.takes(arguments(&words).unwrap(), whole)
    };
    for line in [
        "natter",
        "natter serve",
        "A=b ./natter export x",
        "natter admin list",
        "sudo -u natter natter admin grant a",
        "docker compose exec api natter admin list",
        "natter keep latest",
        "natter keep --every 6h x",
        "natter keep x --key k --again",
    ] {
        assert!(takes(line, true), "{line}");
    }
    for line in [
        "natter export",
        "natter admin",
        "natter served",
        "natter admin lists",
        "natter serve now",
        "natter keep --often 6h x",
    ] {
        assert!(!takes(line, true), "{line}");
    }
    assert!(takes("natter admin", false) && !takes("natter administer", false));
}
