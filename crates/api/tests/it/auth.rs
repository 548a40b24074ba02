//! Registering, logging in, staying signed in, and being signed out.

use crate::support::{PASSWORD, Person, Server, also_on_a_cluster, eventually};
use futures_util::future::join_all;
use natter_shared::account::{CheckAnswer, Session, SessionInfo};
use natter_shared::page::Page;
use natter_shared::path;
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};

also_on_a_cluster! {
    each_bad_field_is_named_and_nothing_is_created,
    all_bad_fields_are_named_at_once,
    of_many_registrations_of_one_name_one_wins,
    a_form_learns_while_it_is_filled_in,
    a_wrong_password_and_an_unknown_name_look_alike,
    the_refresh_token_is_a_cookie_no_script_can_read,
    behind_https_the_cookie_is_bound_to_the_host,
    a_reload_and_a_restart_keep_one_signed_in,
    refreshing_ends_a_day_after_the_login,
    an_access_token_ends_after_its_time,
    two_tabs_that_refresh_at_once_both_stay,
    a_replayed_refresh_token_ends_the_login_everywhere,
    logging_out_ends_the_tokens_and_the_sockets_at_once,
    a_foreign_page_can_neither_refresh_nor_log_out,
    logins_are_listed_and_revoked,
    a_new_password_needs_the_old_one_and_ends_the_other_logins,
    guessing_is_slowed_down_and_the_victim_stays_signed_in,
    one_changes_ones_own_profile_and_nothing_else,
    people_are_found_by_the_beginning_of_their_name,
    presence_ends_with_the_login,
}

fn form(username: &str) -> Value {
    json!({"username": username, "email": "x@example.org", "password": PASSWORD})
}

#[tokio::test]
async fn each_bad_field_is_named_and_nothing_is_created() {
    let server = Server::start();
    let nobody = server.stranger();
    let cases = [
        ("username", json!("an")),
        ("username", json!("Ann")),
        ("username", json!("аnn")),
        ("username", json!("admin")),
        ("username", json!("a".repeat(33))),
        ("email", json!("nonsense")),
        ("password", json!("short")),
        ("password", json!("password1234567")),
        ("password", json!("x".repeat(257))),
        ("display_name", json!("\u{200B}\u{202E}")),
    ];
    for (field, value) in cases {
        let mut form = form("ann");
        form[field] = value.clone();
        let answer = nobody.post(path::REGISTER, &form).await.refused(400, "invalid");
        let why = answer.json()["error"]["fields"][field].as_str().unwrap_or_default().to_owned();
        assert!(!why.is_empty(), "{field} {value}: {}", answer.text);
    }
    server.person("ann").await;
}

#[tokio::test]
async fn all_bad_fields_are_named_at_once() {
    let server = Server::start();
    let form = json!({"username": "a", "email": "b", "password": "c"});
    let answer = server.stranger().post(path::REGISTER, &form).await.refused(400, "invalid").json();
    let fields: Vec<_> = answer["error"]["fields"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["email", "password", "username"]);
}

#[tokio::test]
async fn of_many_registrations_of_one_name_one_wins() {
    let server = Server::start();
    let people: Vec<_> = (0..20).map(|_| server.stranger()).collect();
    let form = form("ann");
    let answers = join_all(people.iter().map(|p| p.post(path::REGISTER, &form))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
    for lost in answers.into_iter().filter(|a| a.status != 201) {
        lost.refused(409, "username_taken");
    }
}

#[tokio::test]
async fn a_form_learns_while_it_is_filled_in() {
    let server = Server::start();
    server.person("ann").await;
    let nobody = server.stranger();
    let taken: CheckAnswer = nobody.post(path::CHECK, &json!({"username": "ann"})).await.expect(200).read();
    assert!(taken.fields["username"].contains("taken"), "{taken:?}");
    assert!(!taken.suggestions.is_empty());
    let weak: CheckAnswer = nobody.post(path::CHECK, &json!({"password": "1234567890"})).await.expect(200).read();
    assert!(weak.password_score.unwrap() < 3 && weak.password_advice.is_some(), "{weak:?}");
    let good: CheckAnswer =
        nobody.post(path::CHECK, &json!({"username": "bob", "password": PASSWORD})).await.expect(200).read();
    assert!(good.fields.is_empty() && good.password_score.unwrap() >= 3, "{good:?}");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let server = Server::start();
    server.person("ann").await;
    let nobody = server.stranger();
    let mut bodies = Vec::new();
    for name in ["ann", "bob", "ANN", "%00", "a'; DROP TABLE users; --"] {
        let form = json!({"username": name, "password": "violet kettle orbit 94"});
        let mut body = nobody.post(path::LOGIN, &form).await.refused(401, "bad_credentials").json();
        body["error"]["request_id"] = Value::Null;
        bodies.push(body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:#?}");
}

#[tokio::test]
async fn the_refresh_token_is_a_cookie_no_script_can_read() {
    let server = Server::start();
    let answer = server.stranger().post(path::REGISTER, &form("ann")).await.expect(201);
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["natter=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{part} is missing in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "the public URL is plain http: {cookie}");
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(!answer.text.contains(token));
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host() {
    let server = Server::with(&[("NATTER_PUBLIC_URL", "https://chat.example.org")]);
    let answer = server.stranger().post(path::REGISTER, &form("ann")).await.expect(201);
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-natter=") && cookie.contains("Secure"), "{cookie}");
    assert!(answer.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_reload_and_a_restart_keep_one_signed_in() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    ann.refresh().await.expect(200);
    let cookie = ann.http.clone();
    let server = server.restart();
    // The same browser finds the server at its new address.
    let mut back = server.stranger();
    back.http = cookie;
    back.refresh().await.expect(200);
    assert_eq!(back.username, "ann");
    back.get(path::ME).await.expect(200);
}

#[tokio::test]
async fn refreshing_ends_a_day_after_the_login() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    for _ in 0..3 {
        server.clock.advance_millis(7 * 3_600_000);
        ann.refresh().await.expect(200);
    }
    server.clock.advance_millis(3 * 3_600_000 + 1);
    ann.refresh().await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn an_access_token_ends_after_its_time() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    server.clock.advance_millis(899_000);
    ann.get(path::ME).await.expect(200);
    server.clock.advance_millis(7_000);
    ann.get(path::ME).await.refused(401, "not_signed_in");
    ann.refresh().await.expect(200);
    ann.get(path::ME).await.expect(200);
}

/// Two browsers with one cookie: a person and whoever copied the jar.
fn cookie_of(answer: &crate::support::Answer) -> String {
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn refresh_with(server: &Server, cookie: &str) -> crate::support::Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(server.url(path::REFRESH)).header("cookie", cookie).json(&json!({}));
    crate::support::Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_stay() {
    let server = Server::start();
    let cookie = cookie_of(&server.stranger().post(path::REGISTER, &form("ann")).await.expect(201));
    let answers = join_all((0..10).map(|_| refresh_with(&server, &cookie))).await;
    let successors: Vec<_> = answers.into_iter().map(|a| cookie_of(&a.expect(200))).collect();
    assert!(successors.windows(2).all(|pair| pair[0] == pair[1]), "one successor: {successors:?}");
    refresh_with(&server, &successors[0]).await.expect(200);
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_the_login_everywhere() {
    let server = Server::start();
    let mut ann = server.stranger();
    let answer = ann.post(path::REGISTER, &form("ann")).await.expect(201);
    let stolen = cookie_of(&answer);
    ann.token = answer.read::<Session>().access_token;
    let socket = ann.connects().await;
    ann.refresh().await.expect(200);
    server.clock.advance_millis(60_000);
    refresh_with(&server, &stolen).await.refused(401, "not_signed_in");
    assert_eq!(socket.close_code().await, 4401);
    ann.refresh().await.refused(401, "not_signed_in");
    ann.get(path::ME).await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn logging_out_ends_the_tokens_and_the_sockets_at_once() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    let other = ann.login_again(&server).await;
    let socket = ann.connects().await;
    let mut stream = ann.listens(None).await;
    let cookie = ann.refresh().await;
    let cookie = cookie_of(&cookie.expect(200));
    ann.post(path::LOGOUT, &json!({})).await.expect(204);
    assert_eq!(socket.close_code().await, 4401);
    while stream.next().await.is_some() {}
    ann.get(path::ME).await.refused(401, "not_signed_in");
    refresh_with(&server, &cookie).await.refused(401, "not_signed_in");
    other.get(path::ME).await.expect(200);
}

#[tokio::test]
async fn a_foreign_page_can_neither_refresh_nor_log_out() {
    let server = Server::start();
    let ann = server.person("ann").await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in [path::REFRESH, path::LOGOUT] {
            let request = ann.http.post(server.url(path)).header(name, value).json(&json!({}));
            let answer = crate::support::Answer::of(request.send().await.unwrap()).await;
            answer.refused(403, "bad_origin");
        }
    }
    let form = ann.http.post(server.url(path::LOGOUT)).header("content-type", "text/plain").body("{}");
    assert!(crate::support::Answer::of(form.send().await.unwrap()).await.status.is_client_error());
    ann.get(path::ME).await.expect(200);
}

#[tokio::test]
async fn logins_are_listed_and_revoked() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let other = ann.login_again(&server).await;
    let bob = server.person("bob").await;
    let page: Page<SessionInfo> = ann.get(path::SESSIONS).await.expect(200).read();
    assert_eq!(page.items.len(), 2);
    let foreign = page.items.iter().find(|s| !s.current).unwrap();
    bob.delete(&path::session(foreign.id)).await.refused(404, "not_found");
    let socket = other.connects().await;
    ann.delete(&path::session(foreign.id)).await.expect(204);
    assert_eq!(socket.close_code().await, 4401);
    other.get(path::ME).await.refused(401, "not_signed_in");
    ann.get(path::ME).await.expect(200);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_logins() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let other = ann.login_again(&server).await;
    let new = "amber tunnel basket 57";
    let wrong = json!({"current": "not it at all 11", "new": new});
    let answer = ann.post(path::PASSWORD, &wrong).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    let weak = json!({"current": PASSWORD, "new": "aaaaaaaaaaaa"});
    ann.post(path::PASSWORD, &weak).await.refused(400, "invalid");
    other.get(path::ME).await.expect(200);
    ann.post(path::PASSWORD, &json!({"current": PASSWORD, "new": new})).await.expect(204);
    ann.get(path::ME).await.expect(200);
    other.get(path::ME).await.refused(401, "not_signed_in");
    let login = json!({"username": "ann", "password": new});
    server.stranger().post(path::LOGIN, &login).await.expect(200);
    let old = json!({"username": "ann", "password": PASSWORD});
    server.stranger().post(path::LOGIN, &old).await.refused(401, "bad_credentials");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_victim_stays_signed_in() {
    let server = Server::with(&[("NATTER_RATE_LIMITS", "on")]);
    let ann = server.person("ann").await;
    let nobody = server.stranger();
    let wrong = json!({"username": "ann", "password": "violet kettle orbit 94"});
    let mut refused = None;
    for n in 0..40 {
        let request = nobody.http.post(server.url(path::LOGIN)).header("x-forwarded-for", format!("10.0.0.{n}"));
        let answer = crate::support::Answer::of(request.json(&wrong).send().await.unwrap()).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.refused(401, "bad_credentials");
    }
    let answer = refused.expect("guessing is slowed down").refused(429, "rate_limited");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(answer.json()["error"]["retry_after_ms"].as_u64().unwrap() > 0);
    ann.get(path::ME).await.expect(200);
}

#[tokio::test]
async fn one_changes_ones_own_profile_and_nothing_else() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let change = json!({"display_name": " Ann \u{202E}Okafor ", "gender": "female"});
    let me = ann.patch(path::ME, &change).await.expect(200).json();
    assert_eq!(me["display_name"], "Ann Okafor");
    let seen = bob.get(&format!("{}/ann", path::USERS)).await.expect(200);
    assert_eq!(seen.json()["display_name"], "Ann Okafor");
    assert!(!seen.text.contains("example.org"), "the e-mail address is nobody's business: {}", seen.text);
    for field in ["id", "username", "role", "password_hash", "created_at", "guest", "disabled"] {
        ann.patch(path::ME, &json!({field: "x"})).await.refused(400, "bad_request");
    }
    bob.get(&format!("{}/nobody", path::USERS)).await.refused(404, "not_found");
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_name() {
    let server = Server::start();
    let ann = server.person("ann").await;
    for name in ["anna", "annika", "bob"] {
        server.person(name).await;
    }
    let names = |page: Page<natter_shared::account::User>| -> Vec<String> {
        page.items.into_iter().map(|u| u.username.to_string()).collect()
    };
    let first: Page<_> = ann.get(&format!("{}?q=ann&limit=2", path::USERS)).await.expect(200).read();
    let cursor = first.cursor.clone().expect("there is more");
    assert_eq!(names(first), ["ann", "anna"]);
    let query = [("q", Some("ann".to_owned())), ("limit", Some("2".to_owned())), ("cursor", Some(cursor))];
    let rest: Page<_> = ann.get(&path::with_query(path::USERS, &query)).await.expect(200).read();
    assert_eq!(names(rest), ["annika"]);
    for q in ["%25", "_", "*", "(a%2B)%2B$", "%22"] {
        let none: Page<_> = ann.get(&format!("{}?q={q}", path::USERS)).await.expect(200).read();
        assert_eq!(names(none), Vec::<String>::new(), "{q}");
    }
    for limit in ["0", "-1", "101", "50;%20drop", "1e9"] {
        let answer = ann.get(&format!("{}?q=a&limit={limit}", path::USERS)).await.expect(400);
        assert!(["bad_request", "invalid"].contains(&answer.code().as_str()), "{limit}");
    }
}

#[tokio::test]
async fn presence_ends_with_the_login() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let _socket = bob.connects().await;
    let online = async |person: &Person| -> Vec<bool> {
        let members = person.get(&path::members(room.id)).await.expect(200).json();
        members["items"].as_array().unwrap().iter().map(|m| m["online"].as_bool().unwrap()).collect()
    };
    eventually("bob is online", async || online(&ann).await.into_iter().filter(|on| *on).count() == 1).await;
    bob.post(path::LOGOUT, &json!({})).await.expect(204);
    eventually("bob is offline", async || online(&ann).await.into_iter().all(|on| !on)).await;
}
