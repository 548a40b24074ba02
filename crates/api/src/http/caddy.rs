//! `natter caddy`: the headers that the page has when this server serves it, as a snippet for a Caddy that serves it in the
//! server's place. Made from the built page itself, for its policy names the page's scripts by their hashes.

use super::headers;
use super::page::Page;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// The snippet for the page in a folder.
pub fn snippet(folder: &Path) -> io::Result<String> {
    let page = Page::read(folder)?;
    let mut text = String::from("# Made by `natter caddy` from the built page.\n(page_headers) {\n\theader {\n");
    for (name, value) in headers::FIXED {
        let _ = writeln!(text, "\t\t{name} \"{value}\"");
    }
    let policy = String::from_utf8_lossy(page.policy().as_bytes());
    let _ = writeln!(text, "\t\tcontent-security-policy \"{policy}\"\n\t}}");
    let _ = writeln!(text, "\t@tls protocol https\n\theader @tls strict-transport-security \"{}\"", headers::HSTS);
    let mut files: Vec<_> = page.files().collect();
    files.sort_unstable_by_key(|file| file.name);
    let hashed: Vec<&str> = files.iter().filter(|file| file.hashed).map(|file| file.name).collect();
    let _ = writeln!(text, "\t@hashed path {}", hashed.join(" "));
    let _ = writeln!(text, "\t@others not path {}", hashed.join(" "));
    let _ = writeln!(text, "\theader @hashed cache-control \"{}\"", super::page::FOREVER);
    let _ = writeln!(text, "\theader @others cache-control \"{}\"", super::page::ASK_AGAIN);
    for file in files {
        let _ = writeln!(text, "\theader {} content-type \"{}\"", file.name, file.content_type);
    }
    text.push_str("}\n");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippet_says_what_the_server_would() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("index.html", "<script>let a = 1;</script>"),
            ("natter-web-3f2a9c1b2d4e5f60.js", "1"),
            ("natter-web-3f2a9c1b2d4e5f60.js.br", "1"),
            ("site.webmanifest", "{}"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let said = snippet(folder.path()).unwrap();
        let page = Page::read(folder.path()).unwrap();
        assert!(said.contains(page.policy().to_str().unwrap()), "{said}");
        assert!(said.contains("'sha256-"), "{said}");
        assert!(said.contains("\t@hashed path /natter-web-3f2a9c1b2d4e5f60.js\n"), "{said}");
        assert!(said.contains("header /site.webmanifest content-type \"application/manifest+json\""), "{said}");
        assert!(said.contains("x-content-type-options \"nosniff\""), "{said}");
        assert!(snippet(&folder.path().join("nowhere")).is_err());
    }
}
