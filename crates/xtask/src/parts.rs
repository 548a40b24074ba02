//! Cuts the page that Trunk has built into what a first visit loads and the parts that come later (docs/adr/0012). Trunk has
//! no place between the linker and wasm-bindgen, therefore its module and script are made a second time and replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::named::{integrity, mark};
use crate::{process, tools, workspace};

/// The cargo feature of natter-web that marks where to cut.
pub const FEATURE: &str = "split";
/// The cargo profile of the page.
pub const PROFILE: &str = "web";
/// What cargo, Trunk and wasm-bindgen call the page's module and script.
const STEM: &str = "natter-web";
/// The script that loads the parts, by the name under which the module imports from it.
const LOADERS: &str = "./loaders.js";

/// How long wasm-opt may take for one module.
const SHRINKING: Duration = Duration::from_mins(10);

/// Replaces the page's module and script in `dist` by those that load the parts, and puts the parts beside them.
pub fn cut(dist: &Path) -> Result<()> {
    let work = workspace::target()?.join("xtask/parts");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot empty {}", work.display()))?;
    }
    let (cut, bound, small) = (work.join("cut"), work.join("bound"), work.join("small"));
    for folder in [&cut, &bound, &small] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let main = format!("{STEM}.wasm");
    let linked = workspace::target()?.join("wasm32-unknown-unknown").join(PROFILE).join(&main);

    let mut split = workspace::cargo();
    split.args(["run", "--quiet", "--package=natter-split", "--"]).arg(linked).arg(&cut);
    split.args([&main, LOADERS, &format!("./{STEM}.js")]);
    process::shown(split)?;

    let mut bindgen = Command::new(tools::program("wasm-bindgen")?);
    // The parts take the table of functions from the module; without being told wasm-bindgen would no longer give it out.
    bindgen
        .args(["--target=web", "--no-typescript", "--keep-lld-exports", "--out-name", STEM, "--out-dir"])
        .arg(&bound)
        .arg(cut.join(&main));
    process::shown(bindgen)?;

    let module = format!("{STEM}_bg.wasm");
    let parts = parts(&cut, &main)?;
    let mut jobs: Vec<(PathBuf, PathBuf)> = parts.iter().map(|it| (cut.join(it), small.join(it))).collect();
    jobs.push((bound.join(&module), small.join(&module)));
    shrink(&jobs)?;

    let glue = read(&bound.join(format!("{STEM}.js")))?;
    let mut script = join(&glue, &read(&cut.join(LOADERS))?)?;
    for part in &parts {
        let content = fs::read(small.join(part))?;
        let name = format!("{}-{}.wasm", kind(part), mark([&content[..]]));
        let quoted = format!("\"./{part}\"");
        ensure!(script.contains(&quoted), "no script loads the part {part}");
        script = script.replace(&quoted, &format!("\"./{name}\""));
        fs::write(dist.join(name), content)?;
    }
    replace(dist, script.as_bytes(), &fs::read(small.join(module))?)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The files of the parts in `folder`, in a fixed order.
fn parts(folder: &Path, main: &str) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            bail!("a part has a name that is no text")
        };
        if path.extension().is_some_and(|ending| ending == "wasm") && name != main {
            parts.push(name.to_owned());
        }
    }
    parts.sort();
    Ok(parts)
}

/// What a part is called before its mark: its own name, or that several share what is in it.
fn kind(part: &str) -> &str {
    part.strip_prefix("split_").and_then(|name| name.strip_suffix(".wasm")).unwrap_or("shared")
}

/// Ours, or the one that Trunk has just downloaded where there is none of ours.
fn wasm_opt() -> Result<PathBuf> {
    if let Ok(ours) = tools::program("wasm-opt") {
        return Ok(ours);
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME").unwrap_or_default();
    let caches = [
        set("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache")).join("trunk"),
        home.join("Library/Caches/dev.trunkrs.trunk"),
    ];
    let downloaded = caches.iter().filter_map(|cache| fs::read_dir(cache).ok()).flatten().flatten();
    let downloaded = downloaded.filter(|tool| tool.file_name().to_string_lossy().starts_with("wasm-opt-"));
    downloaded
        .map(|tool| tool.path().join("bin/wasm-opt"))
        .find(|program| program.is_file())
        .context("there is no wasm-opt, and Trunk has downloaded none; install npm, or put wasm-opt on PATH")
}

/// Has wasm-opt make each module smaller, from the first path to the second, two at a time.
fn shrink(jobs: &[(PathBuf, PathBuf)]) -> Result<()> {
    let program = wasm_opt()?;
    let shrink = |(from, to): &(PathBuf, PathBuf)| {
        let mut opt = Command::new(&program);
        // The parts say nothing about the features that they use; these are the ones of Rust's own code for the target.
        opt.args(["-Oz", "--enable-bulk-memory", "--enable-mutable-globals", "--enable-nontrapping-float-to-int"]);
        opt.args(["--enable-sign-ext", "--enable-reference-types", "--enable-multivalue", "--enable-extended-const"]);
        opt.arg(from).arg("-o").arg(to);
        // Not shown: about each part it says that it does not know how the cutter numbers names.
        process::read(opt, SHRINKING).map(drop)
    };
    let (most, main) = jobs.split_at(jobs.len().saturating_sub(1));
    thread::scope(|scope| {
        let main = scope.spawn(|| main.iter().try_for_each(shrink));
        let most = most.iter().try_for_each(shrink);
        most.and(main.join().unwrap_or_else(|_| bail!("wasm-opt's thread panicked")))
    })
}

/// One script of wasm-bindgen's and the one that loads the parts, which import from each other: a file less to ask for.
fn join(glue: &str, loaders: &str) -> Result<String> {
    let mut script = String::new();
    let mut names = Vec::new();
    for line in glue.lines() {
        let import = line.strip_prefix("import * as ").and_then(|rest| rest.split_once(" from "));
        match import {
            Some((name, from)) if from.contains(LOADERS) => names.push(name.to_owned()),
            _ => {
                script.push_str(line);
                script.push('\n');
            }
        }
    }
    ensure!(
        !names.is_empty(),
        "the page's script imports nothing of {LOADERS}; has wasm-bindgen changed how it writes that?"
    );
    let mut loads = Vec::new();
    for line in loaders.lines() {
        if line.starts_with("import { initSync }") {
            continue;
        }
        let line = match line.strip_prefix("export const ") {
            Some(rest) => {
                let (name, _) = rest.split_once(" = ").context("a loader has no name")?;
                loads.push(name);
                line.strip_prefix("export ").unwrap_or(line)
            }
            None => line,
        };
        // The page tells people itself that a part did not come.
        script.push_str(&line.replace("console.error(", "console.warn("));
        script.push('\n');
    }
    ensure!(!loads.is_empty(), "there is no loader of a part");
    for name in names {
        let parts = ["const ", &name, " = { ", &loads.join(", "), " };\n"];
        script.extend(parts);
    }
    Ok(script)
}

/// Puts `script` and `module` in the place of those that Trunk made, with names and integrity of their own.
fn replace(dist: &Path, script: &[u8], module: &[u8]) -> Result<()> {
    let index = dist.join("index.html");
    let mut html = read(&index)?;
    let old = stem(&html).context("index.html names no module; has Trunk changed how it writes that?")?.to_owned();
    let new = format!("{STEM}-{}", mark([script, module]));
    for (ending, content) in [(".js", script), ("_bg.wasm", module)] {
        let before = dist.join(format!("{old}{ending}"));
        let vouched = integrity(&fs::read(&before).with_context(|| format!("cannot read {}", before.display()))?);
        ensure!(html.contains(&vouched), "index.html vouches for no {old}{ending}");
        html = html.replace(&vouched, &integrity(content));
        fs::remove_file(before)?;
        fs::write(dist.join(format!("{new}{ending}")), content)?;
    }
    fs::write(&index, html.replace(&old, &new)).with_context(|| format!("cannot write {}", index.display()))
}

/// What the names of module and script have in common in Trunk's html.
fn stem(html: &str) -> Option<&str> {
    let start = html.find(&format!("/{STEM}-"))? + 1;
    let rest = &html[start..];
    rest.find(".js").map(|end| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "import * as import1 from \"./loaders.js\"\nfunction initSync() {}\nexport { initSync };\n";
    const LOADERS_JS: &str = "import { initSync } from \"./natter-web.js\";\nlet shared = initSync();\n\
                              export const load_a = wrap(() => fetch(new URL(\"./split_a.wasm\", import.meta.url)));\n";

    #[test]
    fn the_two_scripts_become_one_that_imports_nothing() {
        let script = join(GLUE, LOADERS_JS).unwrap();
        assert!(!script.contains("import * as") && !script.contains("import {"), "{script}");
        assert!(script.contains("\nconst load_a = wrap("), "{script}");
        assert!(script.ends_with("const import1 = { load_a };\n"), "{script}");
    }

    #[test]
    fn scripts_that_do_not_belong_together_are_refused() {
        assert!(join("function initSync() {}", LOADERS_JS).is_err());
        assert!(join(GLUE, "import { initSync } from \"./natter-web.js\";").is_err());
    }

    #[test]
    fn trunk_s_module_and_script_are_replaced_with_name_and_integrity() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path();
        fs::write(dist.join("natter-web-0a1.js"), "old script").unwrap();
        fs::write(dist.join("natter-web-0a1_bg.wasm"), "old module").unwrap();
        let html = format!(
            "import init from '/natter-web-0a1.js'; init('/natter-web-0a1_bg.wasm'); {} {}",
            integrity(b"old script"),
            integrity(b"old module")
        );
        fs::write(dist.join("index.html"), html).unwrap();
        replace(dist, b"new script", b"new module").unwrap();
        let html = fs::read_to_string(dist.join("index.html")).unwrap();
        let stem = stem(&html).unwrap();
        assert_eq!(stem, format!("natter-web-{}", mark([&b"new script"[..], b"new module"])));
        assert_eq!(fs::read(dist.join(format!("{stem}.js"))).unwrap(), b"new script");
        assert_eq!(fs::read(dist.join(format!("{stem}_bg.wasm"))).unwrap(), b"new module");
        assert!(html.contains(&integrity(b"new script")) && html.contains(&integrity(b"new module")), "{html}");
        assert!(!html.contains("0a1") && !dist.join("natter-web-0a1.js").exists());
    }

    #[test]
    fn a_part_keeps_its_name_and_what_is_shared_says_so() {
        assert_eq!((kind("split_sheets.wasm"), kind("chunk_3.wasm")), ("sheets", "shared"));
    }
}
