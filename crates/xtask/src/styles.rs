//! One stylesheet in place of those that Trunk writes, which are a request each. While one works on the page they stay apart.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::named::{integrity, mark};

const LINK: &str = "<link rel=\"stylesheet\" ";

/// Joins the stylesheets of `dist/index.html` in their order. The name of the one holds a hash, as Trunk's names do.
pub fn join(dist: &Path) -> Result<()> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
    let (names, rest) = take_links(&html)?;
    let mut all = Vec::new();
    for name in &names {
        let file = dist.join(name);
        all.extend(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    for name in &names {
        fs::remove_file(dist.join(name))?;
    }
    let name = format!("style-{}.css", mark([&all[..]]));
    let link = format!("{LINK}href=\"/{name}\" integrity=\"{}\"/>", integrity(&all));
    let joined = dist.join(&name);
    fs::write(&joined, all).with_context(|| format!("cannot write {}", joined.display()))?;
    fs::write(&index, rest.replacen(PLACE, &link, 1)).with_context(|| format!("cannot write {}", index.display()))
}

/// Stands where the first link was, which nothing else that Trunk writes does.
const PLACE: &str = "<!--styles-->";

/// The files that the links name, and the text without the links.
fn take_links(html: &str) -> Result<(Vec<String>, String)> {
    let mut names = Vec::new();
    let mut rest = String::new();
    let mut left = html;
    while let Some((before, link)) = left.split_once(LINK) {
        let (link, after) = link.split_once('>').context("a link in index.html has no end")?;
        let name = link.split_once("href=\"/").and_then(|(_, name)| name.split_once('"'));
        let (name, _) = name.context("a stylesheet in index.html is not one of the page's own")?;
        // The blanks before a link belong to it.
        rest.push_str(if names.is_empty() { before } else { before.trim_end() });
        if names.is_empty() {
            rest.push_str(PLACE);
        }
        names.push(name.to_owned());
        left = after;
    }
    ensure!(!names.is_empty(), "index.html has no stylesheet; has Trunk changed how it writes them?");
    rest.push_str(left);
    Ok((names, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stylesheets_become_one_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path();
        fs::write(dist.join("z-1.css"), "a{}\n").unwrap();
        fs::write(dist.join("a-2.css"), "b{}\n").unwrap();
        let html = "<head>\n  <link rel=\"stylesheet\" href=\"/z-1.css\" integrity=\"x\"/>\n  \
                    <link rel=\"stylesheet\" href=\"/a-2.css\"/>\n</head>";
        fs::write(dist.join("index.html"), html).unwrap();
        join(dist).unwrap();
        let html = fs::read_to_string(dist.join("index.html")).unwrap();
        let (names, _) = take_links(&html).unwrap();
        assert_eq!(names.len(), 1, "{html}");
        assert!(html.starts_with("<head>\n  <link ") && html.ends_with("/>\n</head>"), "{html}");
        assert_eq!(fs::read_to_string(dist.join(&names[0])).unwrap(), "a{}\nb{}\n");
        assert!(!dist.join("z-1.css").exists() && !dist.join("a-2.css").exists());
    }

    #[test]
    fn a_page_without_styles_is_an_error() {
        assert!(take_links("<head></head>").is_err());
    }
}
