//! The invariants of ARCHITECTURE.md that a program can check: who depends on whom, and who may name what.

use cargo_metadata::MetadataCommand;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every Rust file below a folder, with its path relative to it.
fn sources(root: &Path) -> Vec<(String, String)> {
    fn walk(root: &Path, at: &Path, out: &mut Vec<(String, String)>) {
        for item in fs::read_dir(at).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                walk(root, &path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                out.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    assert!(!out.is_empty(), "no sources below {}", root.display());
    let tests = test_files(&out);
    out.retain(|(file, _)| !tests.iter().any(|test| file.ends_with(test)));
    out
}

/// The files that are compiled for tests only: whatever some file declares as `#[cfg(test)] mod name;`.
fn test_files(sources: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in sources {
        let folder = match file.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            Some(_) => format!("{}/", file.trim_end_matches(".rs")),
            None => String::new(),
        };
        for (at, _) in text.match_indices("#[cfg(test)]\n") {
            let line = text[at..].lines().nth(1).unwrap_or_default().trim();
            if let Some(name) = line.strip_suffix(';').and_then(|line| line.rsplit_once("mod ")) {
                found.push(format!("{folder}{}.rs", name.1));
            }
        }
    }
    found
}

/// The file without its comments and without the tests at its end: what is compiled into the product.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a line of code names a crate or module as a path (`word::`, `use word`).
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        let begins = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
        begins && (after.starts_with("::") || after.starts_with(';') || after.starts_with("_web::"))
    })
}

#[test]
fn shared_depends_on_none_of_our_crates_and_on_no_framework() {
    let metadata = MetadataCommand::new().manifest_path(repository().join("Cargo.toml")).no_deps().exec().unwrap();
    let shared = metadata.packages.iter().find(|p| p.name.as_str() == "natter-shared").unwrap();
    let dependencies: Vec<_> =
        shared.dependencies.iter().filter(|d| d.kind == cargo_metadata::DependencyKind::Normal).collect();
    assert!(!dependencies.is_empty());
    for dependency in dependencies {
        let allowed = ["serde", "time", "utoipa", "uuid"];
        assert!(allowed.contains(&dependency.name.as_str()), "natter-shared depends on {}", dependency.name);
    }
}

#[test]
fn the_page_and_the_server_meet_in_shared_only() {
    let metadata = MetadataCommand::new().manifest_path(repository().join("Cargo.toml")).no_deps().exec().unwrap();
    for (package, forbidden) in [("natter-web", "natter-api"), ("natter-api", "natter-web")] {
        let package = metadata.packages.iter().find(|p| p.name.as_str() == package).unwrap();
        let found = package
            .dependencies
            .iter()
            .find(|d| d.kind == cargo_metadata::DependencyKind::Normal && d.name == forbidden);
        assert!(found.is_none(), "{} depends on {forbidden}", package.name);
    }
}

#[test]
fn planted_bugs_are_in_no_build_that_does_not_ask_for_them() {
    let metadata = MetadataCommand::new().manifest_path(repository().join("Cargo.toml")).no_deps().exec().unwrap();
    for package in &metadata.packages {
        for (feature, includes) in &package.features {
            let planted = includes.iter().find(|name| name.contains("planted-bugs"));
            assert!(planted.is_none(), "the feature {feature} of {} includes {planted:?}", package.name);
        }
        let asked = package.dependencies.iter().find(|d| d.features.iter().any(|name| name == "planted-bugs"));
        assert!(asked.is_none(), "{} asks for the planted bugs of {}", package.name, asked.unwrap().name);
    }
    let api = metadata.packages.iter().find(|p| p.name.as_str() == "natter-api").unwrap();
    assert!(api.features.contains_key("planted-bugs"), "this test looks for a feature that is there");
}

#[test]
fn each_backend_is_named_in_its_own_folder_only() {
    let rules =
        [("rusqlite", "store/sqlite"), ("bson", "store/mongo"), ("mongodb", "store/mongo"), ("redis", "bus/redis")];
    for (file, text) in sources(&repository().join("crates/api/src")) {
        // Our own module has the name of the crate that it alone may use.
        let code = code(&text).replace("mod redis;", "").replace("bus::redis::", "");
        for (word, home) in rules {
            assert!(file.starts_with(home) || !names(&code, word), "{file} names {word}, which belongs to {home}");
        }
        let sql = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "PRAGMA "];
        for word in sql {
            assert!(file.starts_with("store/sqlite") || !code.contains(word), "{file} holds SQL: {word}");
        }
    }
}

#[test]
fn only_the_edge_names_actix() {
    for (file, text) in sources(&repository().join("crates/api/src")) {
        let edge = file.starts_with("http/") || file.starts_with("realtime/") || file == "app.rs";
        if !edge {
            // A log filter may name a crate as text.
            let code: String = code(&text).split('"').step_by(2).collect();
            for word in ["actix_web", "actix_ws", "actix_http", "actix_rt", "actix"] {
                assert!(!names(&code, word), "{file} names {word}");
            }
        }
    }
}

#[test]
fn nothing_calls_backwards() {
    // Each layer may name only what lies further along the way.
    let rules: [(&str, &[&str]); 3] = [
        (
            "service/",
            &[
                "crate::http",
                "crate::realtime",
                "crate::app",
                "crate::store::sqlite",
                "crate::store::mongo",
                "crate::bus::local",
                "crate::bus::redis",
            ],
        ),
        ("store/", &["crate::http", "crate::realtime", "crate::service", "crate::app", "crate::bus"]),
        ("bus/", &["crate::http", "crate::service", "crate::app", "crate::store"]),
    ];
    for (file, text) in sources(&repository().join("crates/api/src")) {
        let code = code(&text);
        for (layer, forbidden) in rules {
            if file.starts_with(layer) {
                for word in forbidden {
                    assert!(!code.contains(word), "{file} names {word}: the way through leads in one direction only");
                }
            }
        }
    }
}

#[test]
fn components_never_fetch() {
    for (file, text) in sources(&repository().join("crates/web/src")) {
        if file.starts_with("components/") {
            let code = code(&text);
            for word in ["gloo_net", "crate::api", "natter_web::api", "WebSocket"] {
                assert!(
                    !code.contains(word),
                    "crates/web/src/{file} names {word}: components take props and call back"
                );
            }
        }
    }
}

#[test]
fn the_check_sees_what_it_forbids() {
    assert!(names("use rusqlite::Connection;", "rusqlite"));
    assert!(names("    let x = actix_web::web::Bytes::new();", "actix_web"));
    assert!(!names("let my_redis::x = 1;", "redis"));
    assert!(!code("// SELECT x\nfn a() {}\n#[cfg(test)]\nmod tests { SELECT }").contains("SELECT"));
}
