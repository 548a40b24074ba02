//! Bad input of every kind: a clear 4xx with a code, never a 5xx, nothing changed, nothing of the inside told.

use crate::support::{Answer, Person, Server, also_on_a_cluster, client_id};
use natter_shared::path;
use serde_json::json;

also_on_a_cluster! {
    bodies_that_are_not_what_was_asked_for,
    tokens_that_were_never_given,
    a_refresh_token_is_no_access_token_and_the_other_way_round,
    ids_and_paths_that_lead_nowhere,
    names_that_steer_or_deceive,
    a_lying_length_and_two_framings_are_refused,
}

/// A refusal that is in order: 4xx, the error form, and no word of the inside.
#[track_caller]
fn in_order(what: &str, answer: &Answer) {
    assert!(answer.status.is_client_error(), "{what}: {} {}", answer.status, answer.text);
    let body = answer.json();
    for field in ["code", "message", "request_id"] {
        assert!(body["error"][field].as_str().is_some_and(|text| !text.is_empty()), "{what}: {}", answer.text);
    }
    let text = answer.text.to_lowercase();
    for word in ["sqlite", "mongo", "bson", "redis", "panicked", "/src/", "serde", "actix", "unwrap"] {
        assert!(!text.contains(word), "{what}: {}", answer.text);
    }
}

async fn raw(person: &Person, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = person.http.post(format!("http://{}{path}", person.address)).bearer_auth(&person.token);
    Answer::of(request.header("content-type", kind).body(body).send().await.unwrap()).await
}

#[tokio::test]
async fn bodies_that_are_not_what_was_asked_for() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let path = path::messages(room);
    let id = client_id();
    let mut bodies: Vec<Vec<u8>> = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\u{feff}{}".to_owned(),
        format!(r#"{{"client_id":"{id}","body":"a",}}"#),
        format!(r#"{{"client_id":"{id}","body":"a"}}{{}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","body":"b"}}"#),
        format!(r#"{{"client_id":"{id}","body":{{"$gt":""}}}}"#),
        format!(r#"{{"client_id":"{id}","body":["a"]}}"#),
        format!(r#"{{"client_id":"{id}","body":"\ud800"}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","reply_to":-1}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","reply_to":1.1}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","reply_to":1e400}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","reply_to":9007199254740992}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","__proto__":{{}}}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","$where":"1"}}"#),
        format!(r#"{{"client_id":"{id}","body":"a","attachments":["{id}"]}}"#),
        r#"{"client_id":"","body":"a"}"#.to_owned(),
        format!(r#"{{"client_id":"{}","body":"a"}}"#, "x".repeat(10_240)),
        r#"{"body":"a"}"#.to_owned(),
        "[".repeat(10_000),
        format!(r#"{{"a":{}"#, r#"{"a":"#.repeat(5_000)),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    bodies.push(b"{\"body\":\"a\x81\"}".to_vec());
    for body in bodies {
        let what = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        in_order(&what, &raw(&ann, &path, "application/json", body).await);
    }
    raw(&ann, &path, "text/plain", "{}").await.refused(415, "unsupported_media_type");
    raw(&ann, &path, "application/x-www-form-urlencoded", "body=a").await.refused(415, "unsupported_media_type");
    let large = json!({"client_id": id, "body": "x".repeat(70_000)});
    ann.post(&path, &large).await.refused(413, "too_large");
    assert!(ann.history(room, "").await.messages.is_empty(), "nothing changed");
}

#[tokio::test]
async fn tokens_that_were_never_given() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    let good = ann.token.clone();
    let [head, claims, mac]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let base64 = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    let none = base64(r#"{"alg":"none","typ":"JWT"}"#);
    let rs256 = base64(r#"{"alg":"RS256","typ":"JWT"}"#);
    let kid = base64(r#"{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}"#);
    let jku = base64(r#"{"alg":"HS256","typ":"JWT","jku":"https://evil.example/keys"}"#);
    let tokens = [
        String::new(),
        "x".to_owned(),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{mac}"),
        format!("{rs256}.{claims}.{mac}"),
        format!("{kid}.{claims}.{mac}"),
        format!("{jku}.{claims}.{mac}"),
        format!("{head}.{claims}."),
        format!("{head}.{claims}.{mac}x"),
        format!("{head}.{claims}.{mac}."),
        format!("{head}.{claims}.{mac}=="),
        format!("{head}.{}.{mac}", base64(r#"{"sub":"root","exp":99999999999}"#)),
        "x".repeat(60_000),
    ];
    for token in tokens {
        let what = token.chars().take(40).collect::<String>();
        ann.token = token;
        if ann.token.is_empty() {
            ann.token = " ".to_owned();
        }
        let answer = ann.get(path::ME).await;
        assert!([401, 431].contains(&answer.status.as_u16()), "{what}: {}", answer.status);
    }
    let twice = ann.http.get(server.url(path::ME)).bearer_auth(&good).bearer_auth(&good);
    Answer::of(twice.send().await.unwrap()).await.refused(401, "not_signed_in");
    let basic = ann.http.get(server.url(path::ME)).header("authorization", format!("Basic {good}"));
    Answer::of(basic.send().await.unwrap()).await.refused(401, "not_signed_in");
    let in_url = format!("{}?access_token={good}", path::ME);
    server.stranger().get(&in_url).await.refused(401, "not_signed_in");
    ann.token = good;
    ann.get(path::ME).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token_and_the_other_way_round() {
    let server = Server::start();
    let mut ann = server.stranger();
    let form = json!({"username": "ann", "email": "a@example.org", "password": crate::support::PASSWORD});
    let answer = ann.post(path::REGISTER, &form).await.expect(201);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    ann.token = cookie;
    ann.get(path::ME).await.refused(401, "not_signed_in");
    let client = reqwest::Client::new();
    let request = client.post(server.url(path::REFRESH)).header("cookie", format!("natter={access}")).json(&json!({}));
    Answer::of(request.send().await.unwrap()).await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn ids_and_paths_that_lead_nowhere() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let unknown = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";
    for id in [unknown, "null", "undefined", "..", "%2e%2e", "0", "%00", "'%20OR%201=1", "{$ne:1}", "٢٢٢"] {
        for rest in ["", "/messages", "/members", "/entries", "/code", "/pins"] {
            let path = format!("{}/{id}{rest}", path::ROOMS);
            let answer = ann.get(&path).await;
            assert!([400, 404].contains(&answer.status.as_u16()) || id.contains(".."), "{path}: {}", answer.status);
            assert!(!answer.status.is_server_error() && !answer.status.is_success() || id.contains(".."), "{path}");
        }
    }
    let room = ann.makes_room("garden", "public").await.id;
    for seq in ["0", "-1", "1.5", "1e9", "x", "%00", "9007199254740992", "{$gt:0}"] {
        let path = format!("{}/{seq}/pin", path::messages(room));
        let answer = ann.put(&path, &json!({})).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {} {}", answer.status, answer.text);
    }
    for path in ["//api/v1/me", "/api//v1/me", "/api/v1/me/", "/API/V1/ME", "/api/..;/api/v1/me", "/api/v1/%6de/x"] {
        let answer = ann.get(path).await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
        assert!(!answer.text.contains("example.org"), "{path}");
    }
    for (method, path) in [("TRACE", path::ME), ("DELETE", path::LOGIN), ("PUT", path::ROOMS), ("PATCH", path::SEARCH)]
    {
        let answer = ann.call(method.parse().unwrap(), path, None).await;
        assert!([404, 405, 501].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
    }
    let answer = ann.call(reqwest::Method::DELETE, path::LOGIN, None).await.refused(405, "method_not_allowed");
    assert!(answer.headers.contains_key("allow"));
}

#[tokio::test]
async fn names_that_steer_or_deceive() {
    let server = Server::start();
    let nobody = server.stranger();
    for name in [
        "Admin ",
        "ADMIN",
        "аdmin",
        "ａｄｍｉｎ",
        "a\u{200B}nn",
        "\u{FEFF}ann",
        "ann\u{00AD}",
        "gpj.exe\u{202E}",
        "everyone",
        "system",
        "null",
        "undefined",
        "%00",
        "..",
        "ann\r\n[info] logged in",
        "\u{1b}[31mann",
        &"a".repeat(10_240),
    ] {
        let form = json!({"username": name, "email": "a@example.org", "password": crate::support::PASSWORD});
        let answer = nobody.post(path::REGISTER, &form).await;
        in_order(&name.chars().take(30).collect::<String>(), &answer);
        assert_eq!(answer.code(), "invalid");
    }
}

#[tokio::test]
async fn a_lying_length_and_two_framings_are_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start();
    for request in [
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        "GET /health/live\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03",
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 64];
        let read = tokio::time::timeout(crate::support::PATIENCE, stream.read(&mut answer)).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned();
        assert!(!answer.contains(" 200 ") && !answer.contains(" 500 "), "{request:?}: {answer}");
    }
    server.stranger().get(path::LIVE).await.expect(200);
}
