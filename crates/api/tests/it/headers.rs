//! What every answer carries, and that the page is served whole.

use crate::support::{Answer, Server};
use natter_shared::path;
use std::fs;

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let web = tempfile::tempdir().unwrap();
    fs::write(web.path().join("index.html"), "<!doctype html><title>Natter</title><script>let a = 1</script>").unwrap();
    fs::write(web.path().join("natter-0123456789abcdef.wasm"), b"\0asm").unwrap();
    let server = Server::with(&[("NATTER_WEB_DIR", web.path().to_str().unwrap())]);
    let ann = server.person("ann").await;
    let paths =
        [path::ME, path::ROOMS, "/api/v1/nothing", "/", "/login", "/natter-0123456789abcdef.wasm", "/nothing.js"];
    for path in paths.into_iter().chain([path::LIVE, path::READY, path::OPENAPI]) {
        for answer in [ann.get(path).await, server.stranger().post(path, &serde_json::json!({})).await] {
            let header = |name: &str| answer.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default();
            let csp = header("content-security-policy");
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"] {
                assert!(csp.contains(part), "{path} {}: {part} is missing in {csp:?}", answer.status);
            }
            assert!(!csp.contains("unsafe-inline") && !csp.contains("'unsafe-eval'"), "{csp}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert!(!header("permissions-policy").is_empty(), "{path}");
            assert!(
                !answer.headers.contains_key("server") && !answer.headers.contains_key("access-control-allow-origin")
            );
            assert!(!header("x-request-id").is_empty(), "{path}");
            if path.starts_with("/api") {
                assert!(header("cache-control").contains("no-store"), "{path}: {:?}", answer.headers);
            }
        }
    }
}

#[tokio::test]
async fn no_other_page_is_let_in() {
    let server = Server::start();
    for origin in ["https://evil.example", "null"] {
        let request = reqwest::Client::new().request(reqwest::Method::OPTIONS, server.url(path::ROOMS));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn the_page_is_served_for_its_own_routes_and_cached_by_name() {
    let web = tempfile::tempdir().unwrap();
    fs::write(web.path().join("index.html"), "<!doctype html><title>Natter</title>").unwrap();
    fs::write(web.path().join("natter-0123456789abcdef.js"), "let a = 1;").unwrap();
    fs::write(web.path().join("natter-0123456789abcdef.js.br"), b"brotli bytes").unwrap();
    let server = Server::with(&[("NATTER_WEB_DIR", web.path().to_str().unwrap())]);
    let get = async |path: &str, encoding: &str| {
        let request = reqwest::Client::new().get(server.url(path)).header("accept-encoding", encoding);
        Answer::of(request.header("accept", "text/html,*/*").send().await.unwrap()).await
    };
    for route in ["/", "/login", "/r/0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22"] {
        let page = get(route, "identity").await.expect(200);
        assert!(page.text.contains("<title>Natter"), "{route}");
        assert!(page.headers["cache-control"].to_str().unwrap().contains("no-cache"), "{route}");
    }
    let script = get("/natter-0123456789abcdef.js", "gzip, br").await.expect(200);
    assert_eq!(script.text, "brotli bytes");
    assert_eq!(script.headers["content-encoding"], "br");
    assert!(script.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(get("/natter-0123456789abcdef.js", "identity").await.expect(200).text, "let a = 1;");
    for path in ["/missing.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml"] {
        let answer = get(path, "identity").await;
        assert!(!answer.text.contains("[workspace]") && !answer.text.contains("[package]"), "{path}: {}", answer.text);
    }
    get("/missing.js", "identity").await.expect(404);
}

#[tokio::test]
async fn health_and_the_description_of_the_api_are_there() {
    let server = Server::start();
    let nobody = server.stranger();
    nobody.get(path::LIVE).await.expect(200);
    nobody.get(path::READY).await.expect(200);
    let document = nobody.get(path::OPENAPI).await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"][path::MESSAGES]["post"].is_object());
}
