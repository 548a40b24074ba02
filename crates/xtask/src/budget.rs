//! What the page may weigh, and how many files a first visit may ask for. A build that goes beyond is refused: nobody
//! notices a page that grows a little each week.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::compress::Sizes;

/// All files of the page together as brotli, in bytes.
pub const BROTLI_MAX: u64 = 350_000;
/// index.html and all that it names, but for the manifest: browsers fetch that when somebody installs the page.
pub const FIRST_LOAD_MAX: usize = 6;
const MANIFEST: &str = ".webmanifest";

/// Refuses a page in `dist` that is too large. Returns how many files a first visit asks for.
pub fn check(dist: &Path, sizes: &Sizes) -> Result<usize> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
    let files = named(&html);
    let count = files.len() + 1;
    ensure!(
        count <= FIRST_LOAD_MAX,
        "the first visit asks for {count} files, {FIRST_LOAD_MAX} are allowed: index.html, {}",
        files.into_iter().collect::<Vec<_>>().join(", ")
    );
    ensure!(
        sizes.brotli <= BROTLI_MAX,
        "the page has {} bytes as brotli, {BROTLI_MAX} are allowed. Look for what grew with `twiggy top` on \
         target/wasm32-unknown-unknown/web/natter-web.wasm; CONTRIBUTING.md says what usually does",
        sizes.brotli
    );
    Ok(count)
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

    fn weigh(html: &str, brotli: u64) -> Result<usize> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), html).unwrap();
        check(folder.path(), &Sizes { brotli, ..Sizes::default() })
    }

    #[test]
    fn each_file_that_the_page_names_counts_once() {
        assert_eq!(weigh(PAGE, BROTLI_MAX).unwrap(), 5);
    }

    #[test]
    fn a_byte_or_a_file_too_many_is_refused() {
        let why = weigh(PAGE, BROTLI_MAX + 1).unwrap_err().to_string();
        assert!(why.contains("350001"), "{why}");
        let more = format!("{PAGE}<script src=\"/a.js\"></script><script src=\"/b.js\"></script>");
        let why = weigh(&more, 0).unwrap_err().to_string();
        assert!(why.contains("7 files") && why.contains("b.js"), "{why}");
    }
}
