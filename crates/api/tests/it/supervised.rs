//! The commands that whatever runs the server calls: a supervisor that asks whether it is well, and the build of the image
//! that serves its page.

use crate::binary::{Running, ends, natter};
use std::net::TcpListener;

/// Exit code and what was said, of a command that ends by itself.
fn said(settings: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = natter(settings);
    command.args(arguments);
    let output = ends(command);
    let both = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(both).unwrap())
}

#[test]
fn a_supervisor_is_told_whether_the_server_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), 0);
    let address = server.address.clone();
    let listen = [("NATTER_LISTEN", address.as_str())];
    let (code, told) = said(&listen, &["healthcheck"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("\"status\":\"ok\""), "{told}");
    server.stop();
    let (code, told) = said(&listen, &["healthcheck"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("nothing answers at"), "{told}");
}

#[test]
fn somebody_else_on_the_port_is_not_a_healthy_server() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let answers = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = other.accept().unwrap();
        let mut asked = [0; 1_024];
        let read = stream.read(&mut asked).unwrap();
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy").unwrap();
        String::from_utf8_lossy(&asked[..read]).into_owned()
    });
    let (code, told) = said(&[("NATTER_LISTEN", &address)], &["healthcheck"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("is not ready: busy"), "{told}");
    assert!(answers.join().unwrap().starts_with("GET /health/ready HTTP/1.1\r\n"));
}

#[test]
fn a_caddy_is_given_the_headers_of_a_page_and_nothing_of_a_folder_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, told) = said(&[], &["caddy", path]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("there is no index.html in it"), "{told}");
    std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    let (code, told) = said(&[], &["caddy", path]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("(page_headers) {") && told.contains("frame-ancestors 'none'"), "{told}");
}

#[test]
fn what_a_mongodb_is_prepared_with_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for (member, secrets, sentence) in [
        ("mongo", path, "is no host and port"),
        ("mongo:27017", path, "cannot be read"),
        ("mongo:27017", "/nowhere", "must hold a password"),
    ] {
        let (code, told) = said(&[], &["mongodb", "prepare", member, secrets]);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(sentence), "{told}");
    }
}
