//! Tells the page's service worker (crates/web/worker.js) which files the page is made of, once all of them are there.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::fingerprint::files;
use crate::named::mark;

const WORKER: &str = "worker.js";
/// What the worker says of a page that nobody has built.
const PLACE: &str = "{ version: 'none', files: [] }";

/// Writes the names of the files in `dist` into its worker, and a version that changes with any of them: browsers take a
/// worker for a new one if a byte of it is another.
pub fn fill(dist: &Path) -> Result<()> {
    let worker = dist.join(WORKER);
    let script = fs::read_to_string(&worker).with_context(|| format!("cannot read {}", worker.display()))?;
    ensure!(script.matches(PLACE).count() == 1, "{WORKER} has no place for the names of the files");
    let (mut names, mut contents) = (Vec::new(), Vec::new());
    for file in files(dist)? {
        let name = file.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        // Compressed forms of a file are the server's to choose from.
        let is_compressed = file.extension().is_some_and(|ext| ext == "br" || ext == "gz");
        if name == WORKER || is_compressed {
            continue;
        }
        ensure!(!name.contains(['\'', '\\']), "{name} cannot stand in a script");
        contents.push(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
        names.push(format!("/{name}"));
    }
    let version =
        mark(names.iter().map(String::as_bytes).chain(contents.iter().map(Vec::as_slice)).chain([script.as_bytes()]));
    let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let filled = format!("{{ version: '{version}', files: [{}] }}", list.join(", "));
    fs::write(&worker, script.replacen(PLACE, &filled, 1)).with_context(|| format!("cannot write {}", worker.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(dist: &Path) -> String {
        fs::write(dist.join(WORKER), format!("const SHELL = {PLACE};")).unwrap();
        fill(dist).unwrap();
        fs::read_to_string(dist.join(WORKER)).unwrap()
    }

    #[test]
    fn the_worker_names_every_file_and_changes_with_each() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path();
        fs::create_dir(dist.join("parts")).unwrap();
        for (name, text) in
            [("index.html", "<p>"), ("index.html.br", "x"), ("parts/a-1.wasm", "a"), (".fingerprint", "x")]
        {
            fs::write(dist.join(name), text).unwrap();
        }
        let first = filled(dist);
        assert!(first.ends_with("files: ['/index.html', '/parts/a-1.wasm'] };"), "{first}");
        assert_eq!(first, filled(dist));
        fs::write(dist.join("parts/a-1.wasm"), "b").unwrap();
        assert_ne!(first, filled(dist));
    }

    #[test]
    fn a_worker_without_the_place_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(WORKER), "const SHELL = {};").unwrap();
        assert!(fill(folder.path()).is_err());
    }
}
