//! What documents promise is there: the files and headings that they link to, the commands of xtask that they show, and the
//! settings that they name. What they show of `natter` itself is looked at beside the server, in crates/api/tests/it.

mod code;
mod links;

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::{Cli, workspace};

/// Names that begin like settings and belong to tools, each with the file that reads it.
const OF_TOOLS: &[(&str, &str)] = &[
    ("NATTER_BIN", "e2e/fixtures/server.ts"),
    ("NATTER_E2E_NO_SANDBOX", "e2e/playwright.config.ts"),
    ("NATTER_E2E_SCREENSHOTS", "e2e/fixtures/picture.ts"),
    ("NATTER_TEST_DOCKER_SETUP", "crates/xtask/src/containers.rs"),
    ("NATTER_TEST_MONGOD", "crates/xtask/src/tools/mongod.rs"),
    ("NATTER_TEST_MONGODB", "crates/xtask/src/suite.rs"),
    ("NATTER_TEST_REDIS", "crates/xtask/src/suite.rs"),
    ("NATTER_TEST_REDIS_SERVER", "crates/xtask/src/tools/redis_server.rs"),
    ("NATTER_TEST_S3", "crates/xtask/src/suite.rs"),
    ("NATTER_TOOLS_DIR", "crates/xtask/src/workspace.rs"),
];

/// Folders without documents of ours.
const NOT_OURS: &[&str] = &["data", "dist", "node_modules", "report", "results", "target"];

struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        Self { path, text }
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.strip_prefix(workspace::root()).unwrap_or(&self.path).display())
    }

    /// The file that a link leads to and what stands behind its `#`; `None` if it leaves the repository.
    fn led_to(&self, target: &str) -> Option<(PathBuf, Option<String>)> {
        let scheme = target.split(['/', '#']).next().unwrap_or_default();
        if scheme.contains(':') {
            return None;
        }
        let (file, anchor) = match target.split_once('#') {
            Some((file, anchor)) => (file, Some(anchor.to_owned())),
            None => (target, None),
        };
        let folder = self.path.parent().unwrap_or(Path::new(""));
        Some((if file.is_empty() { self.path.clone() } else { folder.join(file) }, anchor))
    }
}

fn documents() -> Vec<Document> {
    let mut found = Vec::new();
    let mut folders = vec![workspace::root().to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_link = path.is_symlink();
            if path.is_dir() && !is_link && !name.starts_with('.') && !NOT_OURS.contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(Document::read(path));
            }
        }
    }
    assert!(found.len() > 20, "documents are looked for in the wrong place");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut wrong = Vec::new();
    for document in documents() {
        for (line, target) in links::targets(&document.text) {
            let Some((file, anchor)) = document.led_to(&target) else { continue };
            let place = document.place(line);
            if target.starts_with('/') || !file.exists() {
                wrong.push(format!("{place}: {target} is not there"));
            } else if let Some(anchor) = anchor
                && !(file.is_file() && links::anchors(&fs::read_to_string(&file).unwrap()).contains(&anchor))
            {
                wrong.push(format!("{place}: {target} names no heading of that file"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_file_of_the_repository_that_is_named_is_there() {
    let mut wrong = Vec::new();
    for document in documents() {
        for command in code::commands(&document.text) {
            let [name] = command.words.as_slice() else { continue };
            let ours = ["crates/", "docs/", "e2e/specs", "e2e/fixtures"].iter().any(|start| name.starts_with(start));
            let is_a_path = name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if ours && is_a_path && !workspace::root().join(name).exists() {
                wrong.push(format!("{}: {name} is not there", document.place(command.line)));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_document_is_reached_from_the_readme() {
    let all = documents();
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut reached = BTreeSet::new();
    let mut next = VecDeque::from([canonical(&workspace::root().join("README.md"))]);
    while let Some(path) = next.pop_front() {
        if !reached.insert(path.clone()) {
            continue;
        }
        // Whoever comes to a folder sees all that is in it.
        let here = all.iter().filter(|document| {
            let own = canonical(&document.path);
            own == path || own.parent() == Some(path.as_path()) && path.is_dir()
        });
        for document in here {
            reached.insert(canonical(&document.path));
            let files = links::targets(&document.text).into_iter().filter_map(|(_, target)| document.led_to(&target));
            next.extend(files.map(|(file, _)| canonical(&file)));
        }
    }
    let left: Vec<_> = all.iter().filter(|document| !reached.contains(&canonical(&document.path))).collect();
    none(
        &left
            .iter()
            .map(|document| format!("no way leads from README.md to {}", document.place(1)))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_command_of_xtask_is_one_that_it_takes() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        for command in code::commands(&document.text) {
            let [cargo, xtask, ..] = command.words.as_slice() else { continue };
            if cargo != "cargo" || xtask != "xtask" || command.words.len() == 2 && !command.is_whole {
                continue;
            }
            seen += 1;
            if let Err(why) = Cli::try_parse_from(&command.words[1..])
                && !matches!(why.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
            {
                wrong.push(format!("{}: {}: {why}", document.place(command.line), command.words.join(" ")));
            }
        }
    }
    none(&wrong);
    assert!(seen > 20, "only {seen} commands were found");
}

#[test]
fn every_setting_that_is_named_is_one_and_the_administrators_hear_of_all() {
    let manual = fs::read_to_string(workspace::root().join("crates/api/config.default.toml")).unwrap();
    let settings: BTreeSet<&str> = manual
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    assert!(settings.contains("NATTER_LISTEN"), "the manual of the settings is not understood");
    // What operators may set for containers.
    let compose = fs::read_to_string(workspace::root().join("docker-compose.yml")).unwrap();
    let compose: BTreeSet<&str> = compose.split("${").skip(1).filter_map(|text| names(text).next()).collect();
    assert!(compose.contains("NATTER_PUBLIC_URL"), "the variables of docker-compose.yml are not understood");
    let mut wrong = Vec::new();
    for document in documents() {
        for (number, line) in document.text.lines().enumerate() {
            let known = |name: &str| settings.contains(name) || compose.contains(name);
            let unknown = names(line).filter(|name| !known(name) && OF_TOOLS.iter().all(|(own, _)| own != name));
            wrong.extend(unknown.map(|name| format!("{}: {name} is no setting", document.place(number + 1))));
        }
    }
    let told = fs::read_to_string(workspace::root().join("docs/administration.md")).unwrap();
    let told: BTreeSet<&str> = names(&told).collect();
    let settings: BTreeSet<&str> = settings.union(&compose).copied().collect();
    wrong.extend(settings.difference(&told).map(|name| format!("docs/administration.md does not name {name}")));
    for (name, file) in OF_TOOLS {
        let reads =
            fs::read_to_string(workspace::root().join(file)).is_ok_and(|text| names(&text).any(|own| own == *name));
        if !reads {
            wrong.push(format!("{file} does not read {name}"));
        }
    }
    none(&wrong);
}

/// Every whole word that begins with `NATTER_`, but for a mere beginning of names (`NATTER_TEST_…`).
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    words.filter(|word| word.starts_with("NATTER_") && !word.ends_with('_'))
}
