//! The document that holds the tables: the stretch between a workload's two marks is written by the benchmark, and all
//! else is left as it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::machine;
use crate::plan::Plan;

/// What stands between the marks.
pub fn section(name: &str, report: &str, machine: &[String], plan: &Plan) -> String {
    let how = if plan.quick {
        "One short round: it shows that everything works, and its figures say little.".to_owned()
    } else {
        let (rounds, seconds) = (plan.rounds, plan.window.as_secs());
        format!("{rounds} rounds in turn, {seconds} s of each cell measured: median (lowest–highest).")
    };
    let machine = machine.join("; ");
    format!(
        "Written by `cargo xtask bench --only {name} --write docs/performance.md` on {}.\n{machine}.\n{how}\n\n{}\n",
        machine::today(),
        report.trim()
    )
}

/// Puts `section` between the marks of `name`. An error if the document has no such marks.
pub fn replace(document: &Path, name: &str, section: &str) -> Result<()> {
    let old = fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
    let new = replaced(&old, name, section);
    let (begin, end) = marks(name);
    let new = new.with_context(|| format!("{} has no lines {begin} and {end}", document.display()))?;
    ensure!(new.contains(section), "the section was not written");
    fs::write(document, new).with_context(|| format!("cannot write {}", document.display()))
}

fn marks(name: &str) -> (String, String) {
    (format!("<!-- {name} begins -->"), format!("<!-- {name} ends -->"))
}

fn replaced(old: &str, name: &str, section: &str) -> Option<String> {
    let (begin, end) = marks(name);
    let (before, rest) = old.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{section}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_changes() {
        let old = "# Title\n<!-- W1 begins -->\nold\n<!-- W1 ends -->\nby hand\n<!-- W8 begins --><!-- W8 ends -->\n";
        let new = replaced(old, "W1", "new\n").unwrap();
        assert_eq!(
            new,
            "# Title\n<!-- W1 begins -->\n\nnew\n\n<!-- W1 ends -->\nby hand\n<!-- W8 begins --><!-- W8 ends -->\n"
        );
        assert_eq!(replaced(&new, "W1", "new\n").unwrap(), new);
        assert_eq!(replaced(old, "W3", "new"), None);
    }

    #[test]
    fn the_document_of_this_project_has_all_marks() {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md");
        let text = fs::read_to_string(document).unwrap();
        for name in crate::workload::Workload::ALL.map(crate::workload::Workload::name) {
            assert!(replaced(&text, name, "new").is_some(), "{name}");
        }
    }
}
