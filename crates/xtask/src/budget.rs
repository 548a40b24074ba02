//! What the page may weigh, and how many files a first visit may ask for. A build that goes beyond is refused: nobody
//! notices a page that grows a little each week.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::compress::Sizes;

/// What a first visit loads, as brotli, in bytes.
pub const FIRST_LOAD_BYTES_MAX: u64 = 350_000;
/// index.html and all that it names, but for the manifest: browsers fetch that when somebody installs the page.
pub const FIRST_LOAD_MAX: usize = 6;
/// One of the parts that come later: what somebody waits for who opens a dialog on a slow line.
pub const PART_BYTES_MAX: u64 = 75_000;
const MANIFEST: &str = ".webmanifest";

/// What a first visit asks for, and what it weighs as brotli.
#[derive(Debug, PartialEq, Eq)]
pub struct FirstLoad {
    pub files: usize,
    pub brotli: u64,
}

/// Refuses a page in `dist` that is too large.
pub fn check(dist: &Path, sizes: &Sizes) -> Result<FirstLoad> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
    let named = named(&html);
    let is_first = |file: &str| file == "index.html" || named.contains(file);
    let files = named.len() + 1;
    ensure!(
        files <= FIRST_LOAD_MAX,
        "the first visit asks for {files} files, {FIRST_LOAD_MAX} are allowed: index.html, {}",
        named.into_iter().collect::<Vec<_>>().join(", ")
    );
    let brotli = sizes.files.iter().filter(|(file, _)| is_first(file)).map(|(_, brotli)| brotli).sum();
    ensure!(
        brotli <= FIRST_LOAD_BYTES_MAX,
        "a first visit loads {brotli} bytes as brotli, {FIRST_LOAD_BYTES_MAX} are allowed. Look for what grew with `twiggy \
         top` on target/wasm32-unknown-unknown/web/natter-web.wasm; CONTRIBUTING.md says what usually does, and \
         crates/web/src/pages/parts.rs what need not come at first"
    );
    let large = sizes.files.iter().find(|(file, brotli)| !is_first(file) && *brotli > PART_BYTES_MAX);
    if let Some((file, brotli)) = large {
        bail!("{file} has {brotli} bytes as brotli, {PART_BYTES_MAX} are allowed for what comes later");
    }
    Ok(FirstLoad { files, brotli })
}

/// The files of the page that its html has a browser fetch, each once.
fn named(html: &str) -> BTreeSet<&str> {
    let starts = ["\"/", "'/"];
    let after = starts.iter().flat_map(|start| html.split(start).skip(1));
    let names = after.filter_map(|text| text.split(['"', '\'']).next());
    let is_fetched =
        |name: &&str| name.contains('.') && !name.contains(char::is_whitespace) && !name.ends_with(MANIFEST);
    names.filter(is_fetched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<link rel="icon" href="/favicon.svg"/><link rel="manifest" href="/manifest.webmanifest"/><link href="/style-1.css"/><a href="/">home</a>
        <link rel="modulepreload" href="/natter.js"><script type="module">import init from '/natter.js';
        init({ module_or_path: '/natter_bg.wasm' });</script>"#;

    fn weigh(html: &str, files: &[(&str, u64)]) -> Result<FirstLoad> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), html).unwrap();
        let files = files.iter().map(|(file, brotli)| ((*file).to_owned(), *brotli)).collect();
        check(folder.path(), &Sizes { files, ..Sizes::default() })
    }

    #[test]
    fn each_file_that_the_page_names_counts_once_and_parts_do_not() {
        let files = [("index.html", 1), ("natter.js", 10), ("natter_bg.wasm", 100), ("sheets-0.wasm", PART_BYTES_MAX)];
        assert_eq!(weigh(PAGE, &files).unwrap(), FirstLoad { files: 5, brotli: 111 });
    }

    #[test]
    fn a_byte_or_a_file_too_many_is_refused() {
        let why = weigh(PAGE, &[("natter.js", FIRST_LOAD_BYTES_MAX), ("index.html", 1)]).unwrap_err().to_string();
        assert!(why.contains("350001"), "{why}");
        let more = format!("{PAGE}<script src=\"/a.js\"></script><script src=\"/b.js\"></script>");
        let why = weigh(&more, &[]).unwrap_err().to_string();
        assert!(why.contains("7 files") && why.contains("b.js"), "{why}");
        let why = weigh(PAGE, &[("sheets-0.wasm", PART_BYTES_MAX + 1)]).unwrap_err().to_string();
        assert!(why.contains("sheets-0.wasm has 75001 bytes"), "{why}");
    }
}
