//! What administrators of the server see and do, and that nobody else does.

use crate::support::{PASSWORD, Person, Server, also_on_a_cluster, client_id, eventually};
use natter_shared::account::Me;
use natter_shared::admin::{Account, AdminRoom, EventPage, Figures, Operations};
use natter_shared::event::{Event, EventKind};
use natter_shared::id::UserId;
use natter_shared::page::Page;
use natter_shared::path;
use serde_json::json;

also_on_a_cluster! {
    what_happens_is_in_the_log_of_events,
    events_come_in_pages_and_by_what_is_asked_for,
    figures_add_up_what_happened,
    a_disabled_person_is_out_at_once_and_stays_out,
    nobody_disables_themselves,
    a_person_is_signed_out_everywhere_and_may_come_back,
    accounts_and_rooms_are_listed,
    an_administrator_is_one_until_it_is_taken_away,
    operations_are_timed_by_route,
}

/// An administrator of the server.
async fn admin(server: &Server, username: &str) -> Person {
    let person = server.person(username).await;
    server.administers("grant", username);
    person
}

async fn events(admin: &Person, query: &str) -> EventPage {
    admin.get(&format!("{}?limit=100&{query}", path::ADMIN_EVENTS)).await.expect(200).read()
}

/// Waits until there is an event of this kind about which this holds.
async fn happened(admin: &Person, kind: EventKind, holds: impl Fn(&Event) -> bool) -> Event {
    let mut found = None;
    eventually(kind.word(), async || {
        found = events(admin, &format!("kind={}", kind.word())).await.items.into_iter().find(&holds);
        found.is_some()
    })
    .await;
    found.unwrap()
}

#[tokio::test]
async fn what_happens_is_in_the_log_of_events() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    happened(&ada, EventKind::Registered, |event| event.user == ann.id && event.ip.as_deref() == Some("127.0.0.1"))
        .await;
    let room = ann.makes_room("a secret name", "public").await.id;
    happened(&ada, EventKind::RoomCreated, |event| (event.user, event.room) == (ann.id, Some(room))).await;
    bob.joins(room).await;
    happened(&ada, EventKind::RoomJoined, |event| event.user == bob.id).await;
    let said = bob.says(room, "a secret text").await;
    ann.delete(&path::message(room, said.seq)).await.expect(200);
    happened(&ada, EventKind::MessageRemoved, |event| (event.user, event.other) == (ann.id, bob.id)).await;
    ann.delete(&format!("{}?ban=true", path::member(room, bob.id()))).await.expect(204);
    happened(&ada, EventKind::MemberBanned, |event| (event.user, event.other) == (ann.id, bob.id)).await;
    bob.get(&path::members(room)).await.expect(403);
    happened(&ada, EventKind::Denied, |event| (event.user, event.room) == (bob.id, Some(room))).await;

    let stranger = server.stranger();
    let tries = [("ann", "a secret password", ann.id), ("a secret, typed as a name", PASSWORD, None)];
    for (username, password, whose) in tries {
        let form = json!({"username": username, "password": password});
        stranger.post(path::LOGIN, &form).await.refused(401, "bad_credentials");
        let name = whose.map(|_| username);
        happened(&ada, EventKind::LoginFailed, |event| (event.user, event.what.as_deref()) == (whose, name)).await;
    }
    let again = ann.login_again(&server).await;
    happened(&ada, EventKind::Login, |event| event.user == ann.id).await;
    again.post(path::LOGOUT, &json!({})).await.expect(204);
    happened(&ada, EventKind::Logout, |event| event.user == ann.id && event.session.is_some()).await;
    let all = ada.get(&format!("{}?limit=100", path::ADMIN_EVENTS)).await.expect(200);
    // Rooms are named beside the events, as they are called now; no event holds a text.
    let events = all.json()["items"].to_string();
    assert!(!events.contains("secret") && !all.text.contains(&ann.token), "{}", all.text);
}

#[tokio::test]
async fn events_come_in_pages_and_by_what_is_asked_for() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let ann = server.person("ann").await;
    for _ in 0..5 {
        server.clock.advance_millis(1_000);
        ann.login_again(&server).await;
    }
    eventually("five logins", async || events(&ada, "person=ann&kind=login").await.items.len() == 5).await;
    let all = events(&ada, "person=ann&kind=login").await;
    assert!(all.items.is_sorted_by_key(|event| std::cmp::Reverse(event.at)) && all.cursor.is_none());
    assert_eq!(all.people.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ann"]);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = format!("{}?person=ann&kind=login&limit=2{cursor}", path::ADMIN_EVENTS);
        let page: EventPage = ada.get(&query).await.expect(200).read();
        paged.extend(page.items);
        let Some(next) = page.cursor else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all.items);
    let (from, to) = (all.items[3].at, all.items[1].at);
    let some = events(&ada, &format!("kind=login,logout&from={from}&to={to}")).await;
    assert_eq!(some.items, all.items[2..4]);
    assert!(events(&ada, "person=nobody").await.items.is_empty());
    for bad in ["kind=dinner", "cursor=x", "limit=101", "person=%20"] {
        ada.get(&format!("{}?{bad}", path::ADMIN_EVENTS)).await.refused(400, "invalid");
    }
    for bad in ["from=yesterday", "kinds=login"] {
        ada.get(&format!("{}?{bad}", path::ADMIN_EVENTS)).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn figures_add_up_what_happened() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let mut socket = ann.connects().await;
    for n in 0..3 {
        ann.says(room, &format!("{n}")).await;
    }
    socket.sees("2").await;
    let again = ann.tries_to_say(room, client_id(), "").await.expect(400);
    assert_eq!(again.code(), "invalid");
    let form = json!({"username": "ann", "password": "wrong"});
    server.stranger().post(path::LOGIN, &form).await.expect(401);
    // What is counted is written once a minute, and at the end.
    let server = server.restart();
    let ada = ada.login_again(&server).await;
    for (step, count) in [("minute", 60), ("hour", 24), ("day", 30)] {
        let figures: Figures = ada.get(&format!("{}?step={step}", path::ADMIN_FIGURES)).await.expect(200).read();
        assert_eq!(figures.items.len(), count);
        let sum = |of: fn(&natter_shared::admin::Figure) -> u64| figures.items.iter().map(of).sum::<u64>();
        assert_eq!((sum(|it| it.messages_sent), sum(|it| it.registrations), sum(|it| it.logins_failed)), (3, 2, 1));
        assert!(sum(|it| it.entries_delivered) >= 3 && sum(|it| it.errors) >= 2, "{figures:?}");
    }
    let at = "2026-11-01T00:00:00.000Z";
    for bad in [format!("from={at}&to={at}"), format!("from={at}&to=2026-12-01T00:00:00.000Z&step=minute")] {
        ada.get(&format!("{}?{bad}", path::ADMIN_FIGURES)).await.refused(400, "invalid");
    }
}

#[tokio::test]
async fn a_disabled_person_is_out_at_once_and_stays_out() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let ann = server.person("ann").await;
    let socket = ann.connects().await;
    let change = async |disabled: bool| {
        let path = path::admin_user(ann.id());
        ada.patch(&path, &json!({"disabled": disabled})).await.expect(200).read::<Account>()
    };
    assert!(change(true).await.disabled);
    assert_eq!(socket.close_code().await, 4401);
    eventually("the login is dead", async || ann.get(path::ME).await.status.as_u16() == 401).await;
    let form = json!({"username": "ann", "password": PASSWORD});
    server.stranger().post(path::LOGIN, &form).await.refused(401, "bad_credentials");
    happened(&ada, EventKind::UserDisabled, |event| (event.user, event.other) == (ada.id, ann.id)).await;
    assert!(!change(false).await.disabled);
    happened(&ada, EventKind::UserEnabled, |event| event.other == ann.id).await;
    ann.login_again(&server).await.get(path::ME).await.expect(200);
    let nobody = path::admin_user(UserId::from_bytes([7; 16]));
    ada.patch(&nobody, &json!({"disabled": true})).await.refused(404, "not_found");
}

#[tokio::test]
async fn nobody_disables_themselves() {
    let server = Server::start();
    let (ada, eve) = (admin(&server, "ada").await, admin(&server, "eve").await);
    let disables =
        async |who: &Person, whom: &Person| who.patch(&path::admin_user(whom.id()), &json!({"disabled": true})).await;
    disables(&ada, &ada).await.refused(403, "forbidden");
    // Both at once: never are both out, for one of them must be left to let people in.
    let (first, second) = tokio::join!(disables(&ada, &eve), disables(&eve, &ada));
    let out = [first, second].iter().filter(|answer| answer.status.is_success()).count();
    assert!(out <= 1, "both are out");
    let mut left = 0;
    for person in [&ada, &eve] {
        let form = json!({"username": person.username, "password": PASSWORD});
        left += usize::from(server.stranger().post(path::LOGIN, &form).await.status.is_success());
    }
    assert_eq!(left, 2 - out);
}

#[tokio::test]
async fn a_person_is_signed_out_everywhere_and_may_come_back() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let ann = server.person("ann").await;
    let (other, socket) = (ann.login_again(&server).await, ann.connects().await);
    ada.post(&path::admin_sign_out(ann.id()), &json!({})).await.expect(204);
    assert_eq!(socket.close_code().await, 4401);
    for login in [&ann, &other] {
        eventually("the login is dead", async || login.get(path::ME).await.status.as_u16() == 401).await;
    }
    ann.login_again(&server).await.get(path::ME).await.expect(200);
    happened(&ada, EventKind::UserSignedOut, |event| (event.user, event.other) == (ada.id, ann.id)).await;
    ada.post(&path::admin_sign_out(UserId::from_bytes([7; 16])), &json!({})).await.refused(404, "not_found");
}

#[tokio::test]
async fn accounts_and_rooms_are_listed() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("attic", "private").await;
    ann.makes_room("garden", "public").await;
    ann.direct(&bob).await;
    let code = ann.get(&path::code(room.id)).await.expect(200).json()["code"].as_str().unwrap().to_owned();
    Person::guest(&server, "Pilar", &code).await;
    let users = async |query: &str| {
        let path = format!("{}?{query}", path::ADMIN_USERS);
        ada.get(&path).await.expect(200).read::<Page<Account>>()
    };
    let all = users("").await.items;
    let shown: Vec<_> = all.iter().map(|it| (it.user.display_name.as_str(), it.admin, it.user.guest)).collect();
    assert_eq!(shown, [("ada", true, false), ("ann", false, false), ("bob", false, false), ("Pilar", false, true)]);
    assert!(all.iter().all(|account| account.last_login_at == Some(account.created_at)));
    let page = users("q=a&limit=1").await;
    assert_eq!((page.items[0].user.username.as_str(), page.cursor.as_deref()), ("ada", Some("ada")));
    assert_eq!(users("q=a&limit=1&cursor=ada").await.items[0].user.id, ann.id());
    assert!(!ada.get(path::ADMIN_USERS).await.expect(200).text.contains("@example.org"));
    let rooms = async |query: &str| {
        let path = format!("{}?{query}", path::ADMIN_ROOMS);
        ada.get(&path).await.expect(200).read::<Page<AdminRoom>>()
    };
    let first = rooms("limit=1").await;
    let second = rooms(&format!("cursor={}", first.cursor.unwrap())).await;
    let names: Vec<_> = first.items.iter().chain(&second.items).map(|it| it.room.name.as_str()).collect();
    assert_eq!(names, ["attic", "garden"]);
    assert_eq!((first.items[0].room.member_count, first.items[0].head.get()), (2, 2));
    assert!(rooms("q=cellar").await.items.is_empty());
}

#[tokio::test]
async fn an_administrator_is_one_until_it_is_taken_away() {
    let server = Server::start();
    let ada = server.person("ada").await;
    let is_admin = async || ada.get(path::ME).await.expect(200).read::<Me>().admin;
    ada.get(path::ADMIN_USERS).await.refused(403, "forbidden");
    assert!(!is_admin().await);
    server.administers("grant", "ada");
    ada.get(path::ADMIN_USERS).await.expect(200);
    assert!(is_admin().await);
    happened(&ada, EventKind::AdminGranted, |event| event.other == ada.id).await;
    happened(&ada, EventKind::Denied, |event| event.user == ada.id).await;
    server.administers("revoke", "ada");
    ada.get(path::ADMIN_USERS).await.refused(403, "forbidden");
}

#[tokio::test]
async fn operations_are_timed_by_route() {
    let server = Server::start();
    let ada = admin(&server, "ada").await;
    let room = ada.makes_room("garden", "public").await;
    for _ in 0..3 {
        ada.get(&path::room(room.id)).await.expect(200);
    }
    ada.get("/api/v1/no/such/path").await.expect(404);
    ada.call(reqwest::Method::from_bytes(b"BREW").unwrap(), &path::room(room.id), None).await.expect(405);
    let mut socket = ada.connects().await;
    socket.sends(room.id, client_id(), "hello").await;
    socket.sees("hello").await;
    let operations: Operations = ada.get(path::ADMIN_OPERATIONS).await.expect(200).read();
    let count = |method: &str, route: &str| {
        operations.items.iter().find(|it| (it.method.as_str(), it.route.as_str()) == (method, route)).map(|it| it.count)
    };
    assert_eq!(count("GET", path::ROOM), Some(3));
    assert_eq!(count("*", "/*"), Some(2), "what is no route is one line, however it is called");
    assert_eq!(count("frame", "send"), Some(1));
    assert!(operations.items.iter().all(|it| it.p50_us <= it.p95_us && it.p95_us <= it.max_us && it.count > 0));
    assert!(operations.items.is_sorted_by(|a, b| a.p95_us >= b.p95_us), "the slowest first");
    assert!(!serde_json::to_string(&operations).unwrap().contains(&room.id.to_string()));
}
