//! The list of what a release is made of (an SBOM in CycloneDX 1.5): every package of the program and of the page, with its
//! version, licence and check sum. It leaves out what only builds them, and what packages carry within themselves: the C
//! sources of SQLite in libsqlite3-sys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::dist::Commit;
use crate::{parts, process, workspace};

const LIMIT: Duration = Duration::from_mins(5);
const PAGES_TARGET: &str = "wasm32-unknown-unknown";

/// A package with its version, as in `serde 1.0.0`.
type Name = (String, String);

#[derive(Debug, Default)]
struct Package {
    licence: String,
    /// Ours, or from the registry.
    is_ours: bool,
    needs: BTreeSet<Name>,
    /// Of what it is a part: the program, the page, or both.
    of: BTreeSet<&'static str>,
}

type Packages = BTreeMap<Name, Package>;

/// Writes the list, and returns how many packages of others are in it.
pub fn write(file: &Path, target: &str, commit: Option<&Commit>) -> Result<usize> {
    let mut packages = Packages::new();
    read_tree(&tree("natter-api", target, &[])?, "program", &mut packages);
    read_tree(&tree("natter-web", PAGES_TARGET, &["--features", parts::FEATURE])?, "page", &mut packages);
    let lock = fs::read_to_string(workspace::root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let list = list(&packages, &sums(&lock), &compiler()?, commit);
    let text = serde_json::to_string_pretty(&list)? + "\n";
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(packages.values().filter(|package| !package.is_ours).count())
}

/// Which packages are linked, with the features that they are linked with, and by whom.
fn tree(package: &str, target: &str, more: &[&str]) -> Result<String> {
    let mut tree = workspace::cargo();
    tree.args(["tree", "--locked", "--package", package, "--target", target, "--edges=normal,no-proc-macro"]);
    tree.args(["--prefix=depth", "--format= {p}|{l}"]).args(more);
    process::read(tree, LIMIT).context("Cargo.lock must be up to date and readable")
}

fn compiler() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace::root()).arg("--version");
    Ok(process::read(rustc, LIMIT)?.trim().to_owned())
}

/// Lines such as `2 serde v1.0.0 (*)|MIT OR Apache-2.0`: each needs those below it that are deeper by one.
fn read_tree(tree: &str, of: &'static str, packages: &mut Packages) {
    let mut above: Vec<Name> = Vec::new();
    for line in tree.lines() {
        let Some((depth, rest)) = line.split_once(' ') else { continue };
        let Ok(depth) = depth.parse::<usize>() else { continue };
        let (words, licence) = rest.rsplit_once('|').unwrap_or((rest, ""));
        let mut words = words.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words.next().unwrap_or_default().trim_start_matches('v').to_owned();
        let name = (name, version);
        above.truncate(depth);
        if let Some(parent) = above.last().and_then(|parent| packages.get_mut(parent)) {
            parent.needs.insert(name.clone());
        }
        let package = packages.entry(name.clone()).or_default();
        package.is_ours |= words.any(|word| word.starts_with("(/"));
        package.of.insert(of);
        licence.trim_end_matches(" (*)").clone_into(&mut package.licence);
        above.push(name);
    }
}

/// The check sums of Cargo.lock.
fn sums(lock: &str) -> BTreeMap<Name, String> {
    let value = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'));
        line.map(str::to_owned)
    };
    let blocks = lock.split("[[package]]").skip(1);
    blocks
        .filter_map(|block| Some(((value(block, "name")?, value(block, "version")?), value(block, "checksum")?)))
        .collect()
}

fn list(packages: &Packages, sums: &BTreeMap<Name, String>, compiler: &str, commit: Option<&Commit>) -> Value {
    let components: Vec<Value> = packages.iter().map(|(name, package)| component(name, package, sums)).collect();
    let mut dependencies: Vec<Value> = packages
        .iter()
        .map(|(name, package)| {
            let needs: Vec<String> = package.needs.iter().map(|needed| reference(needed, &packages[needed])).collect();
            json!({"ref": reference(name, package), "dependsOn": needs})
        })
        .collect();
    let roots: Vec<String> = packages
        .iter()
        .filter(|((name, _), _)| name == "natter-api" || name == "natter-web")
        .map(|(name, package)| reference(name, package))
        .collect();
    dependencies.insert(0, json!({"ref": "natter", "dependsOn": roots}));
    let version = env!("CARGO_PKG_VERSION");
    let mut properties = vec![json!({"name": "natter:compiler", "value": compiler})];
    properties.extend(commit.map(|commit| json!({"name": "natter:commit", "value": commit.name})));
    let mut metadata = json!({
        "tools": {"components": [{"type": "application", "name": "cargo xtask dist", "version": version}]},
        "component": {
            "type": "application", "bom-ref": "natter", "name": "natter", "version": version,
            "licenses": [{"expression": env!("CARGO_PKG_LICENSE")}],
        },
        "properties": properties,
    });
    if let Some(commit) = commit {
        metadata["timestamp"] = json!(commit.time);
    }
    let mut list = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": metadata, "components": components, "dependencies": dependencies,
    });
    list["serialNumber"] = json!(serial(&list.to_string()));
    list
}

fn component((name, version): &Name, package: &Package, sums: &BTreeMap<Name, String>) -> Value {
    let name = (name.clone(), version.clone());
    let mut component = json!({
        "type": "library", "bom-ref": reference(&name, package), "name": name.0, "version": name.1,
        "properties": [{"name": "natter:part-of", "value": package.of.iter().copied().collect::<Vec<_>>().join(", ")}],
    });
    if !package.licence.is_empty() {
        // The old way to write it.
        component["licenses"] = json!([{"expression": package.licence.replace('/', " OR ")}]);
    }
    if !package.is_ours {
        component["purl"] = json!(reference(&name, package));
    }
    if let Some(sum) = sums.get(&name) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    component
}

/// By what a package is known within the list. Ours are in no registry.
fn reference((name, version): &Name, package: &Package) -> String {
    let version = version.replace('+', "%2B");
    if package.is_ours { format!("{name}@{version}") } else { format!("pkg:cargo/{name}@{version}") }
}

/// A number for this very list: the same list has the same. In the form of a UUID of version 8.
fn serial(text: &str) -> String {
    let mut bytes: [u8; 16] = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text)[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0 natter-api v0.1.0 (/a b/crates/api)|MIT OR Apache-2.0\n1 serde v1.0.0|MIT/Apache-2.0\n\
                        2 itoa v1.0.1+x|MIT\n1 itoa v1.0.1+x (*)|MIT\n1 natter-shared v0.1.0 (/a b/crates/shared)|MIT\n";
    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"x\"\nchecksum = \"c0ffee\"\n\
                        \n[[package]]\nname = \"natter-api\"\nversion = \"0.1.0\"\n";

    /// What every list of this form must have, wherever it is from.
    fn holds_together(list: &Value) {
        assert_eq!((list["bomFormat"].as_str(), list["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
        let serial = list["serialNumber"].as_str().unwrap().strip_prefix("urn:uuid:").unwrap();
        assert_eq!(serial.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        let components = list["components"].as_array().unwrap();
        let references: BTreeSet<&str> = components.iter().map(|one| one["bom-ref"].as_str().unwrap()).collect();
        assert_eq!(references.len(), components.len(), "each is named once");
        for one in components {
            let text =
                |key: &str| one[key].as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("{key}: {one}"));
            assert_eq!(text("type"), "library");
            assert!(text("version").starts_with(|c: char| c.is_ascii_digit()) && !text("name").contains(' '), "{one}");
            assert!(one["licenses"][0]["expression"].is_string(), "{one}");
        }
        for one in list["dependencies"].as_array().unwrap() {
            let known = |name: &Value| name == "natter" || references.contains(name.as_str().unwrap());
            assert!(known(&one["ref"]) && one["dependsOn"].as_array().unwrap().iter().all(known), "{one}");
        }
    }

    #[test]
    fn a_tree_becomes_a_list_that_holds_together() {
        let mut packages = Packages::new();
        read_tree(TREE, "program", &mut packages);
        let commit = Commit { name: "abc".to_owned(), seconds: 1, time: "2026-11-28T22:04:51+00:00".to_owned() };
        let list = list(&packages, &sums(LOCK), "rustc 1.95.0", Some(&commit));
        holds_together(&list);
        let one =
            |name: &str| list["components"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap().clone();
        let serde = one("serde");
        assert_eq!(serde["purl"], "pkg:cargo/serde@1.0.0");
        assert_eq!(serde["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(serde["hashes"], json!([{"alg": "SHA-256", "content": "c0ffee"}]));
        assert_eq!(one("itoa")["purl"], "pkg:cargo/itoa@1.0.1%2Bx");
        assert!(one("natter-api").get("purl").is_none());
        let needs = list["dependencies"].as_array().unwrap().iter().find(|d| d["ref"] == "natter-api@0.1.0").unwrap();
        assert_eq!(
            needs["dependsOn"],
            json!(["pkg:cargo/itoa@1.0.1%2Bx", "natter-shared@0.1.0", "pkg:cargo/serde@1.0.0"])
        );
    }

    #[test]
    fn the_program_is_made_of_what_is_linked_and_of_nothing_that_only_tests_or_builds() {
        let mut packages = Packages::new();
        read_tree(&tree("natter-api", "x86_64-unknown-linux-gnu", &[]).unwrap(), "program", &mut packages);
        let lock = fs::read_to_string(workspace::root().join("Cargo.lock")).unwrap();
        let sums = sums(&lock);
        holds_together(&list(&packages, &sums, "rustc", None));
        let has = |name: &str| packages.keys().any(|(own, _)| own == name);
        for name in ["natter-api", "natter-shared", "actix-web", "rusqlite", "mongodb"] {
            assert!(has(name), "{name}");
        }
        for name in ["insta", "proptest", "cc", "leptos", "clap", "serde_derive"] {
            assert!(!has(name), "{name}");
        }
        for (name, package) in &packages {
            assert!(package.is_ours || sums.get(name).is_some_and(|sum| sum.len() == 64), "{name:?}");
        }
    }
}
