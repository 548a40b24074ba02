//! The log of the program: which lines name their request, that nothing makes a second line, and what is never in it.

use crate::binary::{Running, natter};
use crate::support::{PASSWORD, PATIENCE, Person, Socket, client_id, eventually};
use natter_shared::frame::ServerFrame;
use natter_shared::path;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;

/// A running program, and where its log is.
struct Logged {
    running: Running,
    log: PathBuf,
    _data: TempDir,
}

impl Logged {
    fn start(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let log = data.path().join("log");
        let store = format!("sqlite:{}", data.path().join("natter.db").display());
        let mut all = vec![
            ("NATTER_STORE", store.as_str()),
            ("NATTER_LISTEN", "127.0.0.1:0"),
            ("NATTER_BCRYPT_COST", "4"),
            ("NATTER_RATE_LIMITS", "off"),
            ("NATTER_LOG_FORMAT", "json"),
        ];
        all.retain(|(name, _)| settings.iter().all(|(other, _)| name != other));
        all.extend_from_slice(settings);
        let said = std::fs::File::create(&log).unwrap();
        let running = Running::of(natter(&all).stderr(Stdio::from(said)));
        Self { running, log, _data: data }
    }

    fn stranger(&self) -> Person {
        Person::nobody_at(self.running.address.parse().unwrap())
    }

    async fn person(&self, username: &str) -> Person {
        Person::register_at(self.running.address.parse().unwrap(), username).await
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// What was said so far, an object a line; anything else is a failure.
    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
    }

    /// Waits for a line that `is` the one.
    async fn line(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        eventually(what, async || {
            found = self.lines().into_iter().find(|line| is(line));
            found.is_some()
        })
        .await;
        found.unwrap()
    }
}

/// What the spans around a line say under this name.
fn of_spans<'a>(line: &'a Value, name: &str) -> Option<&'a str> {
    line["spans"].as_array()?.iter().find_map(|span| span[name].as_str())
}

/// The answer to a request with these ids.
async fn asks(logged: &Logged, ids: &[&str]) -> (String, Value) {
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let mut request = http.get(format!("http://{}{}", logged.running.address, path::ME));
    for id in ids {
        request = request.header("x-request-id", *id);
    }
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (id, answer.json().await.unwrap())
}

#[tokio::test]
async fn the_id_of_a_request_is_its_proxys_if_that_is_trusted_and_the_servers_own_otherwise() {
    let (forged, longest) = ("0123456789abcdef-FORGED", "a".repeat(64));
    let open = Logged::start(&[]);
    let (own, body) = asks(&open, &[forged]).await;
    assert!(own != forged && own.len() == 24, "{own}");
    assert_eq!(body["error"]["request_id"], own.as_str());
    open.line("the refusal", |line| line["request_id"] == own.as_str()).await;
    assert!(!open.text().contains("FORGED"), "a stranger's id is nowhere in the log");

    let behind = Logged::start(&[("NATTER_TRUSTED_PROXIES", "127.0.0.1")]);
    for given in [forged, &longest, "7"] {
        let (id, body) = asks(&behind, &[given]).await;
        assert_eq!((id.as_str(), &body["error"]["request_id"]), (given, &json!(given)));
        behind.line("the refusal", |line| line["request_id"] == given).await;
    }
    let too_long = "a".repeat(65);
    for ids in [&["two", "ids"][..], &[&too_long], &["with space"], &["under_score"], &["a;b"], &[""], &["<b>"]] {
        let (id, _) = asks(&behind, ids).await;
        assert!(!ids.contains(&id.as_str()) && id.len() == 24, "{ids:?}: {id}");
    }
}

#[tokio::test]
async fn every_line_below_a_request_or_a_frame_names_it() {
    // Every call of the store is a line here.
    let logged = Logged::start(&[("NATTER_SLOW_MS", "0"), ("NATTER_LOG", "warn,natter::event=info")]);
    let ann = logged.person("ann").await;
    let wrong = json!({"username": "ann", "password": "quite another one 7"});
    let refused = logged.stranger().post(path::LOGIN, &wrong).await.expect(401);
    let id = refused.headers["x-request-id"].to_str().unwrap();
    let event = logged.line("the event", |line| line["event"] == "login_failed").await;
    assert_eq!(of_spans(&event, "request_id"), Some(id), "{event}");

    let room = ann.makes_room("garden", "public").await.id;
    let sent = ann.tries_to_say(room, client_id(), "by a request").await.expect(201);
    let id = sent.headers["x-request-id"].to_str().unwrap();
    let append = logged.line("the commit of the request", |line| {
        line["operation"] == "append" && of_spans(line, "request_id") == Some(id)
    });
    let append = append.await;
    assert!(append["spans"].as_array().unwrap().iter().any(|span| span["commit"].is_u64()), "{append}");

    let mut socket = Socket::open(&ann, None).await;
    let Some(ServerFrame::Welcome { connection, .. }) = socket.seen.first() else { panic!("{:?}", socket.seen) };
    let connection = connection.to_string();
    let hello = logged.line("a read of the sign-in", |line| {
        line["operation"] == "surroundings" && of_spans(line, "connection") == Some(&connection)
    });
    let hello = hello.await;
    assert!(of_spans(&hello, "request_id").is_some(), "the request that became the socket is named: {hello}");
    socket.sends(room, client_id(), "by a frame").await;
    socket.sees("by a frame").await;
    for (what, of_frame) in [("append", true), ("", false)] {
        let line = logged.line("a line of the frame", |line| {
            of_spans(line, "connection") == Some(&connection)
                && of_spans(line, "frame") == Some("send")
                && if of_frame { line["operation"] == what } else { line["message"] == "a slow frame" }
        });
        line.await;
    }
}

#[tokio::test]
async fn lines_of_text_name_their_request_too() {
    let settings = [("NATTER_LOG_FORMAT", "text"), ("NATTER_SLOW_MS", "0"), ("NATTER_LOG", "warn")];
    let logged = Logged::start(&settings);
    let answer = logged.stranger().get(path::READY).await.expect(200);
    let id = answer.headers["x-request-id"].to_str().unwrap();
    eventually("the line", async || {
        let text = logged.text();
        let mut lines = text.lines();
        lines.any(|line| line.contains("a slow call of the store") && line.contains(&format!("request_id={id}")))
    })
    .await;
}

/// What may pass for a line of its own, in either format.
const FORGERY: &str = "x\r\n{\"event\":\"forged\"}\u{2028}\n2026-01-01T00:00:00Z  INFO forged\u{1b}[2J\u{7}\0\u{85}x";

#[tokio::test]
async fn nothing_that_somebody_calls_themselves_makes_a_second_line() {
    for format in ["json", "text"] {
        let logged = Logged::start(&[("NATTER_LOG_FORMAT", format), ("NATTER_LOG", "trace"), ("NATTER_SLOW_MS", "0")]);
        let ann = logged.person("ann").await;
        ann.patch(path::ME, &json!({"display_name": FORGERY})).await;
        ann.post(path::ROOMS, &json!({"name": FORGERY, "visibility": "public"})).await;
        ann.post(path::LOGIN, &json!({"username": FORGERY, "password": FORGERY})).await;
        ann.post(path::LOGIN, &json!({"username": "ann", "password": FORGERY})).await.refused(401, "bad_credentials");
        ann.get("/api/v1/users/x%0d%0a%7b%22event%22:%22forged%22%7d%0a").await;
        ann.get("/search?q=%0aforged").await;
        // Other control characters are no part of a header that anybody can send.
        let agent = reqwest::header::HeaderValue::from_bytes("Firefox\tforged \u{85}\u{9b}2J".as_bytes()).unwrap();
        let request = ann.http.get(format!("http://{}{}", ann.address, path::ME)).header("user-agent", agent);
        request.send().await.unwrap();
        let room = ann.makes_room("garden", "public").await.id;
        ann.says(room, FORGERY).await;
        let mut socket = Socket::open(&ann, None).await;
        socket.says_text(&format!("{{\"type\":{}}}", serde_json::to_string(FORGERY).unwrap())).await;
        socket.until(|frame| matches!(frame, ServerFrame::Error { .. }).then_some(())).await;
        ann.post(path::LOGOUT, &json!({})).await;
        eventually("the last event", async || logged.text().contains("logout")).await;

        let text = logged.text();
        let whole = &text[..=text.rfind('\n').unwrap()];
        assert!(whole.chars().all(|c| c == '\n' || !c.is_control()), "no control character is in a line");
        if format == "json" {
            assert!(logged.lines().iter().all(|line| line["event"] != "forged" && line["timestamp"].is_string()));
        } else {
            // Every line begins with the time.
            let begins = |line: &str| line.len() > 20 && line.starts_with("20") && line.as_bytes()[10] == b'T';
            let second = whole.lines().find(|line| !begins(line) || line.starts_with("2026-01-01"));
            assert_eq!(second, None);
        }
    }
}

#[tokio::test]
async fn every_event_is_one_line_that_can_be_told_from_the_others() {
    let logged = Logged::start(&[]);
    let ann = logged.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    ann.post(path::LOGIN, &json!({"username": "ann", "password": PASSWORD})).await.expect(200);
    for kind in ["registered", "room_created", "login"] {
        let event = logged.line(kind, |line| line["event"] == kind).await;
        assert_eq!(event["target"], "natter::event");
        assert_eq!(event["user"], ann.id().to_string());
        assert!(event["timestamp"].as_str().unwrap().ends_with('Z') && event["level"] == "INFO", "{event}");
        assert!(of_spans(&event, "request_id").is_some(), "{event}");
    }
    let made = logged.line("the room", |line| line["event"] == "room_created").await;
    assert_eq!(made["room"], room.to_string());
    let kinds: Vec<String> = natter_shared::event::EventKind::ALL.iter().map(|kind| kind.word().to_owned()).collect();
    let told = logged.lines();
    let mut events = told.iter().filter(|line| line["target"] == "natter::event");
    assert!(events.all(|line| kinds.iter().any(|kind| line["event"] == kind.as_str())));
}

#[tokio::test]
async fn no_secret_and_no_text_is_in_any_line() {
    for format in ["json", "text"] {
        let mut logged =
            Logged::start(&[("NATTER_LOG_FORMAT", format), ("NATTER_LOG", "trace"), ("NATTER_SLOW_MS", "0")]);
        let mut ann = logged.person("ann").await;
        let bob = logged.person("bob").await;
        let mut secrets: Vec<String> = vec![PASSWORD.to_owned(), ann.token.clone(), bob.token.clone()];
        let mut keep = |secret: &str| secrets.push(secret.to_owned());

        let text = "the canary sings at dawn";
        let room = ann.makes_room("garden", "private").await.id;
        ann.lets_in(&bob, room).await;
        let code = ann.get(&path::code(room)).await.expect(200).json()["code"].as_str().unwrap().to_owned();
        let mut socket = Socket::open(&ann, None).await;
        let stream = bob.listens(None).await;
        ann.says(room, text).await;
        socket.sends(room, client_id(), "another canary, by a socket").await;
        socket.sees("another canary, by a socket").await;
        let last = bob.says(room, "to be a changed canary").await;
        bob.patch(&path::message(room, last.seq), &json!({"client_id": client_id(), "body": "the changed canary"}))
            .await;
        ann.get("/api/v1/search?q=searched+canary").await.expect(200);
        for canary in [text, "another canary", "changed canary", "searched+canary", "searched canary"] {
            keep(canary);
        }

        let login = json!({"username": "ann", "password": "a wrong canary's password"});
        ann.post(path::LOGIN, &login).await.refused(401, "bad_credentials");
        keep("a wrong canary's password");
        let answer = ann.refresh().await.expect(200);
        let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        let (_, token) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        keep(token);
        keep(&ann.token.clone());
        let change = json!({"current": PASSWORD, "new": "crimson lantern meadow 58"});
        ann.post(path::PASSWORD, &change).await.expect(204);
        keep("crimson lantern meadow 58");
        let hook = json!({"name": "weather", "kind": "webhook"});
        let made = ann.post(&path::integrations(room), &hook).await;
        keep(made.expect(201).json()["secret"].as_str().unwrap());
        let mut forged = ann.token.clone();
        forged.truncate(forged.len() - 4);
        forged.push_str("AAAA");
        let nobody = Person { token: forged.clone(), ..logged.stranger() };
        nobody.get(path::ME).await.expect(401);
        keep(&forged);
        // Whoever is in the room could be let in by it.
        keep(&code);
        keep("ann@example.org");
        drop((socket, stream));
        ann.post(path::LOGOUT, &json!({})).await.expect(204);
        logged.running.stop();

        let log = logged.text();
        assert!(log.lines().count() > 100 && log.contains("logout") && log.contains("a slow call"), "it says a lot");
        for secret in &secrets {
            assert!(!secret.is_empty());
            if let Some(line) = log.lines().find(|line| line.contains(secret.as_str())) {
                panic!("{secret:?} is in the log ({format}): {line}");
            }
            // Nor as a part of a token that is cut short.
            let half = &secret[..secret.floor_char_boundary(secret.len() * 3 / 4)];
            assert!(secret.len() < 40 || !log.contains(half), "most of {secret:?} is in the log");
        }
    }
}
