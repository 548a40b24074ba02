//! Webhooks and bots of a room: who makes them, what they may do, and what a secret is worth after it was revoked.

use crate::support::{Answer, Person, Server, Socket, also_on_a_cluster, client_id};
use natter_shared::account::User;
use natter_shared::entry::Entry;
use natter_shared::frame::ClientFrame;
use natter_shared::id::RoomId;
use natter_shared::integration::{Integration, MadeIntegration};
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::Member;
use natter_shared::text::{DisplayName, Username};
use serde_json::{Value, json};

also_on_a_cluster! {
    a_webhook_speaks_in_its_room,
    a_repeat_of_a_webhook_is_one_message,
    what_a_webhook_sends_is_read_or_refused,
    a_bot_does_what_it_has_the_scopes_for_in_its_room,
    a_bot_is_a_stranger_to_everything_else,
    a_revoked_secret_is_as_good_as_any_wrong_one,
    what_happened_to_integrations_stands_in_the_log_of_events,
}

const ALL: [&str; 3] = ["messages:read", "messages:write", "members:read"];

async fn webhook(admin: &Person, room: RoomId) -> MadeIntegration {
    let form = json!({"name": "Build", "kind": "webhook"});
    admin.post(&path::integrations(room), &form).await.expect(201).read()
}

async fn bot(admin: &Person, room: RoomId, scopes: &[&str]) -> MadeIntegration {
    let form = json!({"name": "Clerk", "kind": "bot", "scopes": scopes});
    admin.post(&path::integrations(room), &form).await.expect(201).read()
}

/// Whoever has the token of a bot.
fn with_token(server: &Server, made: &MadeIntegration) -> Person {
    let mut program = server.stranger();
    program.token.clone_from(&made.secret);
    program.id = Some(made.integration.user.id);
    program
}

/// Posts as senders of webhooks do: without a login.
async fn posts(server: &Server, secret: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    posts_with_key(server, secret, kind, body, None).await
}

async fn posts_with_key(
    server: &Server,
    secret: &str,
    kind: &str,
    body: impl Into<reqwest::Body>,
    key: Option<&str>,
) -> Answer {
    let request = server.stranger().http.post(server.url(&path::hook(secret))).header("content-type", kind);
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    Answer::of(request.body(body).send().await.unwrap()).await
}

async fn says(server: &Server, secret: &str, text: &str) -> Answer {
    posts(server, secret, "application/json", json!({ "text": text }).to_string()).await
}

async fn texts(reader: &Person, room: RoomId) -> Vec<String> {
    let page = reader.history(room, "").await;
    page.messages.iter().map(|message| message.content.body.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_speaks_in_its_room() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await.id;
    bob.joins(room).await;
    let mut socket = bob.connects().await;
    let made = webhook(&ann, room).await;
    assert!(made.secret.starts_with("natter_hook_") && made.secret.len() == 12 + 43, "256 bits and a prefix");
    let said: Entry = says(&server, &made.secret, "the build is green").await.expect(201).read();
    assert_eq!((said.author.id, said.author.bot), (made.integration.user.id, true));
    assert_eq!(said.author.display_name.as_str(), "Build");
    socket.sees("the build is green").await;
    let members: Page<Member> = bob.get(&path::members(room)).await.expect(200).read();
    let there: Vec<_> = members.items.iter().filter(|member| member.user.bot).collect();
    assert!(there.len() == 1 && !there[0].online, "{there:?}");
    // Nobody finds it as they find people, and nobody writes to it alone.
    let found: Page<User> = bob.get(&format!("{}?q=bot", path::USERS)).await.expect(200).read();
    assert!(found.items.is_empty());
    let name = Username::parse(there[0].user.username.as_str()).unwrap();
    bob.put(&path::dm(&name), &json!({})).await.refused(403, "forbidden");
    let login = json!({"username": name, "password": made.secret});
    server.stranger().post(path::LOGIN, &login).await.refused(401, "bad_credentials");
    // The secret is shown once, and only to who made it.
    let listed = ann.get(&path::integrations(room)).await.expect(200);
    assert!(!listed.text.contains("natter_hook_"), "{}", listed.text);
    let listed: Page<Integration> = listed.read();
    assert!(listed.items[0].last_used_at.is_some());
    assert_eq!(listed.items[0].maker.as_ref().map(DisplayName::as_str), Some("ann"));
    bob.get(&path::integrations(room)).await.refused(403, "forbidden");
    bob.post(&path::integrations(room), &json!({"name": "x", "kind": "webhook"})).await.refused(403, "forbidden");
    // An archived room takes nothing more, and says why.
    ann.patch(&path::room(room), &json!({"archived": true})).await.expect(200);
    says(&server, &made.secret, "late").await.refused(409, "room_archived");
}

#[tokio::test]
async fn a_repeat_of_a_webhook_is_one_message() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let (one, other) = (webhook(&ann, room).await, webhook(&ann, room).await);
    let id = client_id();
    let body = |text: &str| json!({"text": text, "client_id": id}).to_string();
    let first: Entry = posts(&server, &one.secret, "application/json", body("once")).await.expect(201).read();
    let again: Entry = posts(&server, &one.secret, "application/json", body("twice")).await.expect(200).read();
    assert_eq!(first, again);
    let keyed =
        async |secret: &str, key: &str| posts_with_key(&server, secret, "text/plain", "by its key", Some(key)).await;
    let first: Entry = keyed(&one.secret, "build 7").await.expect(201).read();
    let again: Entry = keyed(&one.secret, "build 7").await.expect(200).read();
    assert_eq!(first, again);
    keyed(&one.secret, "build 8").await.expect(201);
    keyed(&other.secret, "build 7").await.expect(201);
    keyed(&one.secret, &"x".repeat(256)).await.refused(400, "invalid");
    // Without either, each call is a message.
    for _ in 0..2 {
        says(&server, &one.secret, "again").await.expect(201);
    }
    assert_eq!(texts(&ann, room).await, ["once", "by its key", "by its key", "by its key", "again", "again"]);
}

#[tokio::test]
async fn what_a_webhook_sends_is_read_or_refused() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let secret = webhook(&ann, room).await.secret;
    let json = "application/json; charset=utf-8";
    let dressed = json!({"text": "*done*", "username": "CI", "icon_emoji": ":robot:", "channel": "#x", "blocks": []});
    posts(&server, &secret, json, dressed.to_string()).await.expect(201);
    posts(&server, &secret, "text/plain; charset=utf-8", "plain <b>text</b>").await.expect(201);
    let form = "application/x-www-form-urlencoded";
    posts(&server, &secret, form, "payload=%7B%22text%22%3A%22in+a+form%22%7D").await.expect(201);
    posts(&server, &secret, form, "text=short").await.expect(201);
    assert_eq!(texts(&ann, room).await, ["*done*", "plain <b>text</b>", "in a form", "short"]);
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        (json, b"".to_vec(), 400, "bad_request"),
        (json, b"null".to_vec(), 400, "bad_request"),
        (json, b"{}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":[\"a\"]}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":{\"$gt\":\"\"}}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":\"a\",\"text\":\"b\"}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":\"a\"}{}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":\"a\xff\"}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":\"a\",\"client_id\":\"x\"}".to_vec(), 400, "bad_request"),
        (json, b"{\"text\":\" \\u200b \"}".to_vec(), 400, "invalid"),
        (json, json!({"text": "x".repeat(4_001)}).to_string().into_bytes(), 400, "invalid"),
        (json, json!({"text": "x".repeat(70_000)}).to_string().into_bytes(), 413, "too_large"),
        ("text/plain", b"".to_vec(), 400, "invalid"),
        ("text/plain", b"a\xff".to_vec(), 400, "bad_request"),
        ("text/plain", vec![b'x'; 70_000], 413, "too_large"),
        (form, b"body=a".to_vec(), 400, "bad_request"),
        (form, b"payload=a".to_vec(), 400, "bad_request"),
        ("text/html", b"a".to_vec(), 415, "unsupported_media_type"),
        ("", b"a".to_vec(), 415, "unsupported_media_type"),
    ];
    for (kind, body, status, code) in cases {
        let what = format!("{kind} {}", String::from_utf8_lossy(&body[..body.len().min(40)]));
        let answer = posts(&server, &secret, kind, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{what}: {}", answer.text);
        assert!(!answer.text.contains(&secret), "{what}: {}", answer.text);
    }
    assert_eq!(texts(&ann, room).await.len(), 4, "nothing changed");
    for kind in ["GET", "PUT", "DELETE"] {
        let answer = server.stranger().call(kind.parse().unwrap(), &path::hook(&secret), None).await;
        answer.refused(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn a_bot_does_what_it_has_the_scopes_for_in_its_room() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await.id;
    let hers = ann.says(room, "hello").await;
    let made = bot(&ann, room, &ALL).await;
    assert!(made.secret.starts_with("natter_bot_") && made.secret.len() == 11 + 43);
    let clerk = with_token(&server, &made);
    assert_eq!(texts(&clerk, room).await, ["hello"]);
    assert!(!clerk.log(room, natter_shared::id::Seq::ZERO).await.entries.is_empty());
    clerk.get(&path::members(room)).await.expect(200);
    let said = clerk.says(room, "I am a program").await;
    assert!(said.author.bot);
    let id = client_id();
    clerk.tries_to_say(room, id, "once").await.expect(201);
    clerk.tries_to_say(room, id, "once").await.expect(200);
    let edit = json!({"client_id": client_id(), "body": "I am a small program"});
    clerk.patch(&path::message(room, said.seq), &edit).await.expect(200);
    let thumb = natter_shared::text::Emoji::parse("👍").unwrap();
    clerk.put(&path::reaction(room, hers.seq, &thumb), &json!({})).await.expect(200);
    clerk.delete(&path::reaction(room, hers.seq, &thumb)).await.expect(200);
    clerk.patch(&path::message(room, hers.seq), &edit).await.refused(403, "forbidden");
    clerk.delete(&path::message(room, hers.seq)).await.refused(403, "forbidden");
    clerk.delete(&path::message(room, said.seq)).await.expect(200);
    // Each scope is for its own.
    let write = json!({"client_id": client_id(), "body": "x"});
    for scope in ALL {
        let clerk = with_token(&server, &bot(&ann, room, &[scope]).await);
        let answers = [
            ("messages:read", clerk.get(&path::messages(room)).await),
            ("messages:read", clerk.get(&path::entries(room)).await),
            ("members:read", clerk.get(&path::members(room)).await),
            ("messages:write", clerk.post(&path::messages(room), &write).await),
            ("messages:write", clerk.put(&path::reaction(room, hers.seq, &thumb), &json!({})).await),
            ("messages:write", clerk.delete(&path::reaction(room, hers.seq, &thumb)).await),
        ];
        for (needs, answer) in answers {
            let expected = if needs == scope { answer.status.is_success() } else { answer.status == 403 };
            assert!(expected, "{scope} where {needs} is needed: {} {}", answer.status, answer.text);
        }
    }
    let scopes = |scopes: Value| json!({"name": "x", "kind": "bot", "scopes": scopes});
    for (form, code) in [
        (scopes(json!([])), "invalid"),
        (scopes(json!(["admin"])), "bad_request"),
        (json!({"name": " ", "kind": "webhook"}), "invalid"),
        (json!({"name": "x", "kind": "webhook", "scopes": ["messages:read"]}), "invalid"),
        (json!({"name": "x", "kind": "daemon"}), "bad_request"),
        (json!({"name": "x", "kind": "webhook", "secret": "natter_hook_mine"}), "bad_request"),
    ] {
        ann.post(&path::integrations(room), &form).await.refused(400, code);
    }
}

#[tokio::test]
async fn a_bot_is_a_stranger_to_everything_else() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await.id;
    let clerk = with_token(&server, &bot(&ann, room, &ALL).await);
    for visibility in ["public", "private"] {
        let other = ann.makes_room(visibility, visibility).await.id;
        clerk.get(&path::messages(other)).await.refused(404, "not_found");
        clerk.get(&path::members(other)).await.refused(404, "not_found");
        clerk.tries_to_say(other, client_id(), "x").await.refused(404, "not_found");
    }
    // Every other route there is, with whatever a body might be.
    let routes: Vec<(&str, &str)> = natter_api::http::ROUTES.to_vec();
    let for_bots = [path::MESSAGES, path::MESSAGE, path::REACTION, path::ENTRIES, path::MEMBERS];
    let for_all = [
        path::REGISTER,
        path::CHECK,
        path::GUEST,
        path::LOGIN,
        path::REFRESH,
        path::LOGOUT,
        path::WEBSOCKET,
        path::OPENAPI,
        path::LIVE,
        path::READY,
        path::HOOK,
    ];
    for (method, template) in routes {
        if for_bots.contains(&template) || for_all.contains(&template) {
            continue;
        }
        let path = template
            .replace("{room}", &room.to_string())
            .replace("{user}", &ann.id().to_string())
            .replace("{username}", "ann")
            .replace("{session}", "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22");
        let answer = clerk.call(method.to_uppercase().parse().unwrap(), &path, None).await;
        assert_eq!(answer.status, 403, "{method} {template}: {}", answer.text);
    }
    // A token is no secret of a webhook, nor the other way round; and neither signs in to a socket.
    says(&server, &clerk.token, "x").await.refused(404, "not_found");
    let hook = with_token(&server, &webhook(&ann, room).await);
    hook.get(&path::messages(room)).await.refused(401, "not_signed_in");
    let mut socket = Socket::raw(&clerk, &[]).await.unwrap();
    socket.says(&ClientFrame::Hello { token: clerk.token.clone(), cursors: None }).await;
    assert_eq!(socket.close_code().await, 4401);
}

#[tokio::test]
async fn a_revoked_secret_is_as_good_as_any_wrong_one() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await.id;
    bob.joins(room).await;
    let (hook, made) = (webhook(&ann, room).await, bot(&ann, room, &ALL).await);
    let clerk = with_token(&server, &made);
    says(&server, &hook.secret, "hello").await.expect(201);
    clerk.get(&path::members(room)).await.expect(200);
    // Who does not administer the room ends nothing, and the people list is not the place for it.
    let (hook_id, bot_id) = (hook.integration.user.id, made.integration.user.id);
    bob.delete(&path::integration(room, hook_id)).await.refused(403, "forbidden");
    ann.delete(&path::member(room, hook_id)).await.refused(403, "forbidden");
    let elsewhere = ann.makes_room("attic", "public").await.id;
    ann.delete(&path::integration(elsewhere, hook_id)).await.refused(404, "not_found");
    ann.delete(&path::integration(room, bob.id())).await.refused(404, "not_found");
    ann.delete(&path::integration(room, hook_id)).await.expect(204);
    ann.delete(&path::integration(room, hook_id)).await.refused(404, "not_found");
    let renewed: MadeIntegration = ann.post(&path::integration(room, bot_id), &json!({})).await.expect(201).read();
    assert_eq!(renewed.integration.scopes, made.integration.scopes);
    assert_eq!(renewed.integration.user.display_name, made.integration.user.display_name);
    // On whichever node they are tried.
    for _ in 0..2 {
        let dead = says(&server, &hook.secret, "hello").await.refused(404, "not_found");
        let wrong = says(&server, &format!("natter_hook_{}", "A".repeat(43)), "hello").await.refused(404, "not_found");
        assert_eq!(dead.json()["error"]["message"], wrong.json()["error"]["message"]);
        let wrong = says(&server, "x", "hello").await.refused(404, "not_found");
        assert_eq!(dead.json()["error"]["message"], wrong.json()["error"]["message"]);
        with_token(&server, &made).get(&path::members(room)).await.refused(401, "not_signed_in");
        with_token(&server, &renewed).get(&path::members(room)).await.expect(200);
    }
    let members: Page<Member> = bob.get(&path::members(room)).await.expect(200).read();
    assert_eq!(members.items.iter().filter(|member| member.user.bot).count(), 1);
    let listed: Page<Integration> = ann.get(&path::integrations(room)).await.expect(200).read();
    assert_eq!(listed.items.iter().map(|it| it.revoked_at.is_some()).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(texts(&bob, room).await, ["hello"], "what it said stays");
}

#[tokio::test]
async fn what_happened_to_integrations_stands_in_the_log_of_events() {
    let server = Server::start();
    let ann = server.person("ann").await;
    server.administers("grant", "ann");
    let room = ann.makes_room("garden", "public").await.id;
    let made = webhook(&ann, room).await;
    ann.delete(&path::integration(room, made.integration.user.id)).await.expect(204);
    says(&server, &made.secret, "hello").await.refused(404, "not_found");
    let kinds = ["integration_made", "integration_revoked", "integration_refused"];
    crate::support::eventually("the events are kept", async || {
        let mut found = Vec::new();
        for kind in kinds {
            let answer = ann.get(&format!("{}?kind={kind}", path::ADMIN_EVENTS)).await.expect(200);
            assert!(!answer.text.contains("natter_hook_"), "{}", answer.text);
            found.extend(answer.json()["items"].as_array().unwrap().iter().map(|it| it["kind"].clone()));
        }
        found == kinds
    })
    .await;
}

/// On SQLite only: what a program writes to its log has nothing to do with where things are kept.
#[tokio::test]
async fn a_secret_in_a_path_stands_in_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let running = crate::binary::Running::logging(folder.path(), &log);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let secret = format!("natter_hook_{}", "S".repeat(43));
    for path in [
        path::hook(&secret),
        format!("{}/", path::hook(&secret)),
        format!("/api/v1//hooks/{secret}"),
        format!("/API/v1/hooks/{}", "S".repeat(43)),
        format!("/x/{secret}"),
        format!("/api/v1/natter_bot_{}", "S".repeat(43)),
    ] {
        let url = format!("http://{}{path}", running.address);
        let sent = http.post(url).json(&json!({"text": "hello"})).send().await.unwrap();
        assert!(sent.status().is_client_error() || sent.status().is_success(), "{path}: {}", sent.status());
    }
    let marked = format!("http://{}/api/v1/rooms/marked", running.address);
    http.get(marked).send().await.unwrap();
    crate::support::eventually("the last request is logged", async || {
        std::fs::read_to_string(&log).unwrap().contains("rooms/marked")
    })
    .await;
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("/api/v1/hooks/{secret}"), "{text}");
    assert!(!text.contains("SSSS"), "{text}");
}
