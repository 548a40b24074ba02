//! Whether something must be built again: one number over the names and contents of what it is made from.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A number over `inputs` (files, or folders with all that is in them) and `said` (versions and the like). It changes when
/// a file changes, comes, goes or is renamed. Hidden files and what editors leave behind do not count.
pub fn of(root: &Path, inputs: &[&str], said: &[String]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    said.hash(&mut hasher);
    for input in inputs {
        for file in files(&root.join(input))? {
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
            bytes.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Every file in `path` (or `path` itself), in a fixed order. A path that is not there has no files.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(path, &mut found).with_context(|| format!("cannot read {}", path.display()))?;
    found.sort();
    Ok(found)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.starts_with(['.', '#']) && !name.ends_with('~') {
                collect(&entry.path(), found)?;
            }
        }
    } else if path.is_file() {
        found.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_contents_names_and_versions_and_with_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("src")).unwrap();
        fs::write(root.join("src/a.rs"), "a").unwrap();
        let now = |version: &str| of(root, &["src", "gone.toml"], &[version.to_owned()]).unwrap();
        let first = now("1");
        assert_eq!(first, now("1"));
        assert_ne!(first, now("2"), "a version");

        fs::write(root.join("src/.a.rs.swp"), "an editor's").unwrap();
        assert_eq!(first, now("1"), "a hidden file");
        fs::write(root.join("src/a.rs"), "b").unwrap();
        assert_ne!(first, now("1"), "contents");
        fs::write(root.join("src/a.rs"), "a").unwrap();
        assert_eq!(first, now("1"), "written again with the same contents");
        fs::rename(root.join("src/a.rs"), root.join("src/b.rs")).unwrap();
        assert_ne!(first, now("1"), "a name");
    }
}
