//! Backups as who runs a server makes them and needs them: docs/backup.md, and what can go wrong in it.

mod drill;
mod faults;
mod keeping;

use std::path::Path;
use std::process::Output;

/// A folder for backups, and the keys around them.
struct Shelf {
    folder: tempfile::TempDir,
    to: String,
    recipient: String,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = format!("file:{}", folder.path().join("backups").display());
        let key = folder.path().join("backup.key");
        let said = succeeds(&natter(&["backup", "keygen", key.to_str().unwrap()], &[]));
        let line = said.lines().find_map(|line| line.strip_prefix("NATTER_BACKUP_RECIPIENT=")).unwrap();
        Self { recipient: line.to_owned(), to, folder }
    }

    fn key(&self) -> String {
        self.folder.path().join("backup.key").display().to_string()
    }

    /// The settings of encrypted backups.
    fn sealed(&self) -> [(&str, &str); 2] {
        [("NATTER_BACKUP_TO", &self.to), ("NATTER_BACKUP_RECIPIENT", &self.recipient)]
    }

    fn plain(&self) -> [(&str, &str); 1] {
        [("NATTER_BACKUP_TO", &self.to)]
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("backups")
    }

    fn files(&self) -> Vec<String> {
        names_in(&self.path())
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(items) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

fn natter(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = crate::binary::natter(settings);
    command.args(arguments);
    crate::binary::ends(command)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{:?} {}", output.status, said(output));
    said(output)
}

/// Fails unless it ended with this code, said this, and did not break down.
#[track_caller]
fn refuses(output: &Output, code: i32, words: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words) && !said.contains("panicked"), "{words:?} is not in: {said}");
}
