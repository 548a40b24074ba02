//! The built page, read into memory at the start: what is not in this map does not exist, so no path can lead out of the
//! folder. Paths of the page's own router get its `index.html`.

use super::error::ApiError;
use super::headers::content_security_policy;
use crate::state::AppState;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// All files of the page, with what stands beside each in compressed form.
pub struct Page {
    files: HashMap<String, File>,
    policy: HeaderValue,
}

struct File {
    plain: Variant,
    brotli: Option<Variant>,
    gzip: Option<Variant>,
    content_type: &'static str,
    /// Its name changes with its content.
    hashed: bool,
}

struct Variant {
    bytes: Bytes,
    etag: String,
}

impl Variant {
    fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes);
        let etag = digest[..12].iter().fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
        Self { bytes: bytes.into(), etag: format!("\"{etag}\"") }
    }
}

/// Of what is never changed under its name.
pub(super) const FOREVER: &str = "public, max-age=31536000, immutable";
/// Of all else: kept, and asked for again each time.
pub(super) const ASK_AGAIN: &str = "no-cache";

/// A file of the page, for whoever serves it in this server's place.
pub(super) struct Listed<'a> {
    pub name: &'a str,
    pub content_type: &'static str,
    pub hashed: bool,
}

/// The most bytes that a page may have; a folder beyond it is surely another one than was meant.
const BYTES_MAX: usize = 256 * 1024 * 1024;

impl Page {
    /// A server without a page.
    pub fn none() -> Self {
        Self { files: HashMap::new(), policy: policy(&[]) }
    }

    /// Reads a folder with an `index.html`.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut found = HashMap::new();
        let mut total = 0;
        read_folder(folder, "", &mut found, &mut total)?;
        let index = found.get("/index.html").ok_or_else(|| io::Error::other("there is no index.html in it"))?;
        let hashes = inline_script_hashes(&String::from_utf8_lossy(index));
        let names: Vec<String> = found.keys().cloned().collect();
        let mut files = HashMap::new();
        for name in names {
            let beside = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz"));
            if beside.is_some_and(|plain| files.contains_key(plain) || found.contains_key(plain)) {
                continue;
            }
            let Some(plain) = found.remove(&name) else { continue };
            let brotli = found.remove(&format!("{name}.br")).map(Variant::new);
            let gzip = found.remove(&format!("{name}.gz")).map(Variant::new);
            let (content_type, immutable) = (content_type(&name), is_hashed(&name));
            files.insert(name, File { plain: Variant::new(plain), brotli, gzip, content_type, hashed: immutable });
        }
        Ok(Self { files, policy: policy(&hashes) })
    }

    /// The content security policy that fits this page.
    pub const fn policy(&self) -> &HeaderValue {
        &self.policy
    }

    /// All files, in no order.
    pub(super) fn files(&self) -> impl Iterator<Item = Listed<'_>> {
        self.files.iter().map(|(name, file)| Listed { name, content_type: file.content_type, hashed: file.hashed })
    }

    fn find(&self, path: &str, accepts_html: bool) -> Option<&File> {
        match self.files.get(path) {
            Some(file) => Some(file),
            None if path == "/" || (accepts_html && is_page_path(path)) => self.files.get("/index.html"),
            None => None,
        }
    }
}

fn policy(hashes: &[String]) -> HeaderValue {
    let text = content_security_policy(hashes);
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn read_folder(folder: &Path, prefix: &str, found: &mut HashMap<String, Vec<u8>>, total: &mut usize) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}/{name}");
        if entry.path().is_dir() {
            read_folder(&entry.path(), &path, found, total)?;
        } else {
            let bytes = std::fs::read(entry.path())?;
            *total += bytes.len();
            if *total > BYTES_MAX {
                return Err(io::Error::other("it holds more than 256 MiB; this cannot be the built page"));
            }
            found.insert(path, bytes);
        }
    }
    Ok(())
}

/// Whether a path may be one of the page's own router: plain segments, and nothing of the server's.
fn is_page_path(path: &str) -> bool {
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b));
    let first = path.split('/').nth(1).unwrap_or("");
    let servers = ["api", "health", "metrics"].iter().any(|own| first.eq_ignore_ascii_case(own));
    let is_asset = content_type(path) != UNKNOWN_TYPE;
    plain && !servers && !is_asset && !path.contains("//") && !path.split('/').any(|part| part == "." || part == "..")
}

const UNKNOWN_TYPE: &str = "application/octet-stream";

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => UNKNOWN_TYPE,
    }
}

/// Whether a part of the name is a hash, as Trunk writes it: `-`, at least 12 hexadecimal digits, and no letter after them.
fn is_hashed(name: &str) -> bool {
    name.split('-').skip(1).any(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits >= 12 && part[digits..].bytes().next().is_none_or(|next| !next.is_ascii_alphanumeric())
    })
}

/// SHA-256 in base64 of each inline script, as the content security policy names them.
fn inline_script_hashes(html: &str) -> Vec<String> {
    let mut hashes = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find("<script") {
        rest = &rest[start..];
        let Some(open) = rest.find('>') else { break };
        let (tag, body) = rest.split_at(open + 1);
        let Some(end) = body.find("</script") else { break };
        if !tag.contains(" src=") {
            hashes.push(STANDARD.encode(Sha256::digest(&body[..end])));
        }
        rest = &body[end..];
    }
    hashes
}

/// Whatever is no route: a file of the page, or 404.
pub async fn serve(req: HttpRequest, page: web::Data<Page>, _: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    let path = req.uri().path();
    let accept = req.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
    let reads = matches!(*req.method(), Method::GET | Method::HEAD);
    let file = page.find(path, reads && accept.contains("text/html")).ok_or_else(ApiError::not_found)?;
    if !reads {
        return Ok(super::wrong_method(&["get", "head"]));
    }
    let offered = req.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (variant, encoding) = match (&file.brotli, &file.gzip) {
        (Some(brotli), _) if takes(offered, "br") => (brotli, Some("br")),
        (_, Some(gzip)) if takes(offered, "gzip") => (gzip, Some("gzip")),
        _ => (&file.plain, None),
    };
    let mut answer = HttpResponse::build(StatusCode::OK);
    let cache = if file.hashed { FOREVER } else { ASK_AGAIN };
    answer
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::ETAG, variant.etag.as_str()))
        .insert_header((header::VARY, "accept-encoding"));
    let known = req.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == variant.etag) {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    answer.insert_header((header::CONTENT_TYPE, file.content_type));
    if let Some(encoding) = encoding {
        answer.insert_header((header::CONTENT_ENCODING, encoding));
    }
    Ok(answer.body(variant.bytes.clone()))
}

/// Whether `Accept-Encoding` names a coding, and not with a weight of zero.
fn takes(offered: &str, coding: &str) -> bool {
    offered.split(',').any(|part| {
        let mut part = part.split(';').map(str::trim);
        let named = part.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        named
            && !part
                .any(|weight| matches!(weight.to_ascii_lowercase().as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_s_own_paths_are_told_from_the_server_s() {
        for page in ["/login", "/r/0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22", "/dm/ann_b.c"] {
            assert!(is_page_path(page), "{page}");
        }
        for other in [
            "/api",
            "/api/v1/nothing",
            "/API/v1/me",
            "//api/v1/me",
            "/a//b",
            "/../etc/passwd",
            "/a/./b",
            "/%2e%2e/x",
            "/api;/x",
            "/a\\b",
            "/health/x",
            "/missing.js",
        ] {
            assert!(!is_page_path(other), "{other}");
        }
    }

    #[test]
    fn hashed_names_are_recognised() {
        for name in [
            "/natter-web-3f2a9c1b2d4e5f60.js",
            "/natter-web-3f2a9c1b2d4e5f60_bg.wasm",
            "/snippets/x-0123456789abcdef/a.js",
        ] {
            assert!(is_hashed(name), "{name}");
        }
        for name in ["/index.html", "/favicon.ico", "/natter-web.js", "/a-cafe.js"] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn inline_scripts_are_hashed_and_linked_ones_are_not() {
        let html = r#"<script src="/a.js"></script><script type="module">import init from '/b.js';</script>"#;
        let hashes = inline_script_hashes(html);
        assert_eq!(hashes, [STANDARD.encode(Sha256::digest("import init from '/b.js';"))]);
        assert!(content_security_policy(&hashes).contains(&format!("'sha256-{}'", hashes[0])));
    }

    #[test]
    fn a_folder_is_read_with_what_stands_compressed_beside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, text) in
            [("index.html", "<p>"), ("index.html.br", "b"), ("sub/a.wasm", "w"), ("lone.gz", "z"), (".env", "x")]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let page = Page::read(folder.path()).unwrap();
        let mut names: Vec<_> = page.files.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["/index.html", "/lone.gz", "/sub/a.wasm"]);
        assert!(page.find("/", false).unwrap().brotli.is_some());
        assert!(page.find("/rooms", true).is_some() && page.find("/rooms", false).is_none());
        assert!(page.find("/../secret", true).is_none());
        assert!(Page::read(&folder.path().join("sub")).is_err());
    }

    #[test]
    fn codings_are_negotiated() {
        assert!(takes("gzip, deflate, br", "br") && takes("BR;q=0.5", "br"));
        assert!(!takes("", "br") && !takes("br;q=0", "br") && !takes("brx", "br"));
    }
}
