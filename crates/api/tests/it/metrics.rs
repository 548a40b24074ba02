//! The numbers for Prometheus: who may read them, that they tell what happened, and that the dashboard and the alerts ask for
//! nothing that is not there.

use crate::binary::{ends, natter};
use crate::support::{Answer, Server, client_id, eventually};
use natter_shared::path;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

fn measured() -> Server {
    Server::with(&[("NATTER_METRICS_LISTEN", "127.0.0.1:0")])
}

async fn get(url: String) -> Answer {
    let http = reqwest::Client::builder().no_proxy().timeout(crate::support::PATIENCE).build().unwrap();
    Answer::of(http.get(url).send().await.unwrap()).await
}

async fn numbers(server: &Server) -> String {
    get(server.metrics_url("/metrics")).await.expect(200).text
}

/// The whole number of a line; the labels are part of its name. 0 if there is none.
fn value(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test]
async fn only_the_listener_for_it_knows_the_numbers_and_it_knows_nothing_else() {
    let server = measured();
    let answer = get(server.metrics_url("/metrics")).await.expect(200);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text.contains("natter_build_info{version="), "{}", answer.text);

    for path in ["/metrics", "/metrics/", "//metrics", "/api/v1/metrics", "/%6detrics"] {
        let public = get(server.url(path)).await;
        assert!(public.status == 404 && !public.text.contains("natter_"), "{path}: {} {}", public.status, public.text);
    }
    for path in ["/", "/metrics/", path::LIVE, path::READY, path::ME, path::WEBSOCKET, path::OPENAPI, "/index.html"] {
        let here = get(server.metrics_url(path)).await.expect(404);
        assert_eq!(here.text, "", "{path}");
    }
    let posted = reqwest::Client::new().post(server.metrics_url("/metrics")).send().await.unwrap();
    assert!(posted.status().is_client_error(), "{}", posted.status());
}

#[test]
fn the_numbers_are_never_on_the_public_port() {
    let data = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let tries = |public: &str, metrics: &str| {
        let output =
            ends(natter(&[("NATTER_STORE", &store), ("NATTER_LISTEN", public), ("NATTER_METRICS_LISTEN", metrics)]));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = tries("127.0.0.1:18291", "0.0.0.0:18291");
    assert!(code == Some(2) && said.contains("NATTER_METRICS_LISTEN") && said.contains("another port"), "{said}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, said) = tries("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    assert!(code == Some(1) && said.contains("NATTER_METRICS_LISTEN") && !said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = measured();
    let before = numbers(&server).await;
    assert_eq!(value(&before, "natter_appends_total{outcome=\"new\"}"), 0);
    assert!(before.contains("natter_appends_total{outcome=\"unknown\"} 0"), "what may come starts at 0: {before}");

    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await.id;
    bob.joins(room).await;
    let mut socket = bob.connects().await;
    let stream = ann.listens(None).await;
    let id = client_id();
    ann.tries_to_say(room, id, "hello").await.expect(201);
    ann.tries_to_say(room, id, "hello").await.expect(200);
    socket.sees("hello").await;
    let wrong = json!({"username": "ann", "password": "quite another one 7"});
    server.stranger().post(path::LOGIN, &wrong).await.expect(401);
    bob.login_again(&server).await;

    let text = numbers(&server).await;
    for (name, expected) in [
        ("natter_appends_total{outcome=\"again\"}", 1),
        ("natter_events_total{kind=\"registered\"}", 2),
        ("natter_events_total{kind=\"login\"}", 1),
        ("natter_events_total{kind=\"login_failed\"}", 1),
        ("natter_errors_total{code=\"bad_credentials\"}", 1),
        ("natter_connections{kind=\"websocket\"}", 1),
        ("natter_connections{kind=\"stream\"}", 1),
        ("natter_connections_opened_total{kind=\"websocket\"}", 1),
        ("natter_requests_total{method=\"POST\",route=\"/api/v1/auth/login\",status=\"4xx\"}", 1),
        ("natter_requests_total{method=\"POST\",route=\"/api/v1/auth/login\",status=\"2xx\"}", 1),
        ("natter_bcrypt_seconds_count", 4),
        ("natter_redis_away", 0),
        ("natter_append_queue_depth", 0),
        ("natter_slow_consumers_total", 0),
    ] {
        assert_eq!(value(&text, name), expected, "{name} in {text}");
    }
    // Entries are what was said and who joined; those who write commits of several are fewer.
    let (new, commits) =
        (value(&text, "natter_appends_total{outcome=\"new\"}"), value(&text, "natter_commit_seconds_count"));
    assert!(new >= 2 && (1..=new + 1).contains(&commits), "{new} entries in {commits} commits");
    assert_eq!(value(&text, "natter_batch_entries_count"), commits);
    assert_eq!(value(&text, "natter_store_seconds_count{operation=\"append\"}"), commits);
    assert!(value(&text, "natter_entries_delivered_total") >= 2, "one to each of the two who hear the room");
    assert!(value(&text, "natter_fan_out_seconds_count") >= 1);
    assert!(value(&text, "process_resident_memory_bytes") > 1_000_000 && value(&text, "process_open_fds") > 3);

    // Who comes back with a cursor is read what was missed.
    let cursors = [(room, natter_shared::id::Seq::new(1).unwrap())].into();
    let resumed = crate::support::Socket::open(&bob, Some(cursors)).await;
    let text = numbers(&server).await;
    assert_eq!(value(&text, "natter_resume_seconds_count"), 1);
    assert_eq!(value(&text, "natter_resume_entries_total"), 2, "bob's joining and the message");

    drop((socket, stream, resumed));
    eventually("all have gone, and are counted as gone", async || {
        let text = numbers(&server).await;
        let closed: u64 = text
            .lines()
            .filter(|line| line.starts_with("natter_connections_closed_total{"))
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
            .sum();
        value(&text, "natter_connections{kind=\"websocket\"}") == 0
            && value(&text, "natter_connections{kind=\"stream\"}") == 0
            && closed == 3
    })
    .await;
}

#[tokio::test]
async fn a_frame_is_counted_like_a_request_and_a_refused_hello_by_its_code() {
    let server = measured();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let mut socket = ann.connects().await;
    socket.sends(room, client_id(), "over the socket").await;
    socket.sees("over the socket").await;
    let mut stranger = server.person("eve").await;
    stranger.token = "no token of ours".to_owned();
    let mut refused = crate::support::Socket::raw(&stranger, &[]).await.unwrap();
    refused.says(&natter_shared::frame::ClientFrame::Hello { token: stranger.token.clone(), cursors: None }).await;
    eventually("the refusal is counted", async || {
        let text = numbers(&server).await;
        value(&text, "natter_connections_refused_total{code=\"not_signed_in\"}") == 1
            && value(&text, "natter_requests_total{method=\"frame\",route=\"send\",status=\"2xx\"}") == 1
            && value(&text, "natter_request_seconds_count{method=\"frame\",route=\"send\"}") == 1
    })
    .await;
}

#[tokio::test]
async fn no_label_holds_what_a_stranger_wrote() {
    let server = measured();
    let ann = server.person("marigold").await;
    let room = ann.makes_room("begonia", "public").await.id;
    ann.says(room, "tulips").await;
    for path in ["/api/v1/rooms/daffodil", "/daffodil", "/api/v1/users/daffodil", "/api/v1/daffodil?daffodil=1"] {
        ann.get(path).await;
    }
    let daffodil = reqwest::Method::from_bytes(b"DAFFODIL").unwrap();
    ann.call(daffodil, path::ME, None).await;
    let text = numbers(&server).await;
    for word in ["marigold", "begonia", "tulips", "daffodil", "DAFFODIL", &room.to_string(), &ann.id().to_string()] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
    assert!(text.contains("route=\"/*\"") && text.contains("route=\"/api/v1/users/{username}\""), "{text}");
}

/// The names of a text that look like numbers of this server or of its process.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("natter_") || word.starts_with("process_"));
    ours.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_only_for_what_is_there() {
    let server = measured();
    let text = numbers(&server).await;
    let mut exposed = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let parts: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        exposed.extend(parts.iter().map(|part| format!("{name}{part}")));
        assert!(kind != "counter" || name.ends_with("_total"), "{name} is a counter");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/observability");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();

    let dashboard: serde_json::Value = serde_json::from_str(&read("grafana/dashboards/natter.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut asked = BTreeSet::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        for target in panel["targets"].as_array().unwrap() {
            let names = names(target["expr"].as_str().unwrap());
            assert!(!names.is_empty(), "{} asks for something of this server", panel["title"]);
            asked.extend(names);
        }
    }
    let alerts = read("alerts.yml");
    let rules: String = alerts.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    assert!(names(&rules).len() >= 6, "{alerts}");
    asked.extend(names(&rules));
    let unknown: Vec<_> = asked.difference(&exposed).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not among {exposed:?}");
    assert!(read("prometheus.yml").contains("alerts.yml"));
}
