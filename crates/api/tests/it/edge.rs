//! What happens below the handlers: requests that are no HTTP, heads and bodies without an end. Each gets a well-formed
//! status, and the connection ends.

use crate::support::{PATIENCE, Server};
use natter_shared::path;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// actix' own limit for a request's head.
const HEAD_MAX: usize = 128 * 1024;

/// Says this and hears everything until the server hangs up.
async fn says(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server hangs up").unwrap();
    String::from_utf8(answer).unwrap()
}

/// The status, the head in lower case, and the body.
fn parts(answer: &str) -> (u16, String, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole head: {answer}"));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {answer}")), head.to_lowercase(), body)
}

#[tokio::test]
async fn what_is_no_request_gets_a_bare_status_and_the_connection_ends() {
    let server = Server::start();
    let mut endless = b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-long: ".to_vec();
    endless.resize(HEAD_MAX, b'x');
    let many = format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    let requests: [(&[u8], u16); 6] = [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400),
        (b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (&endless, 431),
        (many.as_bytes(), 431),
        // Half a head, and then silence.
        (b"GET /health/live HTTP/1.1\r\nhost:", 408),
    ];
    let answers = requests.map(async |(request, status)| (says(&server, request).await, status));
    for (answer, expected) in futures_util::future::join_all(answers).await {
        let (status, head, body) = parts(&answer);
        assert_eq!((status, body), (expected, ""), "{answer}");
        assert!(head.contains("content-length: 0"), "{answer}");
    }
    server.stranger().get(path::LIVE).await.expect(200);
}

/// Goes on sending after the answer has come: the server must hang up all the same.
async fn floods(server: &Server, head: &str, chunk: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let sends = async {
        writer.write_all(head.as_bytes()).await.unwrap();
        // In the end the server takes nothing any more.
        while writer.write_all(chunk).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let hears = async {
        let mut answer = Vec::new();
        // A reset after the answer is an end like any other.
        let _ = reader.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    let end = Instant::now() + PATIENCE;
    let (answer, sent) = tokio::join!(timeout_at(end, hears), timeout_at(end, sends));
    let answer = answer.expect("the server hangs up");
    sent.unwrap_or_else(|_| panic!("the server still takes what is sent after {answer}"));
    answer
}

#[tokio::test]
async fn a_body_without_an_end_is_answered_and_cut() {
    let server = Server::start();
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let declared = "content-length: 100000000";
    let endless = "transfer-encoding: chunked";
    let login = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: ", path::LOGIN);
    let room = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: ", path::ROOMS);
    let tries = [
        (format!("{login}application/json\r\n{declared}\r\n\r\n"), 413, "too_large"),
        (format!("{login}application/json\r\n{endless}\r\n\r\n"), 413, "too_large"),
        (format!("{login}text/plain\r\n{declared}\r\n\r\n"), 415, "unsupported_media_type"),
        (format!("{login}text/plain\r\n{endless}\r\n\r\n"), 415, "unsupported_media_type"),
        (format!("{room}application/json\r\n{endless}\r\n\r\n"), 401, "not_signed_in"),
        (format!("POST /api/v1/nowhere HTTP/1.1\r\nhost: x\r\n{endless}\r\n\r\n"), 404, "not_found"),
    ];
    let answers =
        tries.iter().map(async |(head, status, code)| (floods(&server, head, chunk.as_bytes()).await, *status, *code));
    for (answer, expected, code) in futures_util::future::join_all(answers).await {
        let (status, head, body) = parts(&answer);
        let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        assert_eq!((status, body["error"]["code"].as_str()), (expected, Some(code)), "{answer}");
        assert!(head.contains("connection: close") && head.contains("x-request-id: "), "{answer}");
    }
    server.stranger().get(path::LIVE).await.expect(200);
}

/// What a browser says to leave HTTP for a WebSocket; a header may be left out.
fn asks_to_leave(method: &str, path: &str, without: &str) -> String {
    let headers = [
        "host: x",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let headers: Vec<&str> = headers.into_iter().filter(|header| !header.starts_with(&format!("{without}:"))).collect();
    format!("{method} {path} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"))
}

#[tokio::test]
async fn whoever_asks_to_leave_http_where_no_socket_is_gets_the_usual_answer() {
    let server = Server::start();
    for (method, path, without, expected) in [
        ("GET", path::LIVE, "-", 200),
        ("HEAD", path::LIVE, "-", 405),
        ("GET", path::ME, "-", 401),
        ("DELETE", path::LIVE, "-", 405),
        ("GET", "/api/v1/nowhere", "-", 404),
        ("GET", path::WEBSOCKET, "sec-websocket-key", 400),
        ("GET", path::WEBSOCKET, "sec-websocket-version", 400),
        ("POST", path::WEBSOCKET, "-", 405),
    ] {
        let answer = says(&server, asks_to_leave(method, path, without).as_bytes()).await;
        let (status, head, body) = parts(&answer);
        assert_eq!(status, expected, "{answer}");
        assert!(head.contains("connection: close") && head.contains("x-request-id: "), "{answer}");
        let length = format!("content-length: {}", body.len());
        assert!(method == "HEAD" && body.is_empty() || head.contains(&length), "{answer}");
        assert!(
            status == 200
                || method == "HEAD"
                || serde_json::from_str::<Value>(body).unwrap()["error"]["code"].is_string(),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn what_comes_together_with_the_handshake_is_heard() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // A masked text frame of two bytes, which is no hello.
    let early = [asks_to_leave("GET", path::WEBSOCKET, "-").as_bytes(), &[0x81, 0x82, 0, 0, 0, 0], b"{}"].concat();
    stream.write_all(&early).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server hangs up").unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains(r#""code":"bad_request""#), "{answer}");
}
