//! Who may do what: every route of the API description, asked by everybody from the owner to nobody. A route that is not
//! in the table fails the test.

use crate::support::{Answer, Person, Server, also_on_a_cluster, client_id, picture};
use natter_shared::id::FileId;
use natter_shared::path;
use natter_shared::room::Room;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

also_on_a_cluster! {
    every_route_asks_who_is_there,
}

/// How a caller stands to the room that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Owner,
    Member,
    Former,
    Banned,
    Stranger,
    Nobody,
}

/// What a route in a room asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// No login.
    Nothing,
    /// A secret in the path, which nobody here has; a login does not help.
    Secret,
    /// A login; the route is about the caller only.
    Login,
    /// To be in the room.
    Member,
    /// To be an administrator of the room.
    Admin,
    /// To be an administrator of the server, which nobody here is.
    Operator,
    /// To know a private room's code; being told that the room is there is already too much.
    Invitation,
}

/// Every route: method, template, what it needs, and a body that is well formed.
fn table() -> Vec<(Method, &'static str, Needs, Value)> {
    use Needs::{Admin, Invitation, Login, Member, Nothing, Operator, Secret};
    let message = json!({"client_id": client_id(), "body": "x"});
    vec![
        (Method::POST, path::REGISTER, Nothing, json!({})),
        (Method::POST, path::CHECK, Nothing, json!({})),
        (Method::POST, path::GUEST, Nothing, json!({})),
        (Method::POST, path::LOGIN, Nothing, json!({})),
        (Method::POST, path::REFRESH, Nothing, json!({})),
        (Method::POST, path::LOGOUT, Nothing, json!({})),
        (Method::GET, path::OPENAPI, Nothing, Value::Null),
        (Method::GET, path::WEBSOCKET, Nothing, Value::Null),
        (Method::GET, path::SESSIONS, Login, Value::Null),
        (Method::DELETE, path::SESSIONS, Login, Value::Null),
        (Method::DELETE, path::SESSION, Login, Value::Null),
        (Method::POST, path::PASSWORD, Login, json!({"current": "x", "new": "y"})),
        (Method::GET, path::ME, Login, Value::Null),
        (Method::PATCH, path::ME, Login, json!({})),
        (Method::DELETE, path::ME, Login, json!({"password": "x"})),
        (Method::PUT, path::AVATAR, Login, json!({})),
        (Method::DELETE, path::AVATAR, Login, Value::Null),
        (Method::POST, path::FILES, Login, json!({})),
        (Method::POST, path::KEEP, Login, json!({"username": "x", "email": "x", "password": "x"})),
        (Method::GET, path::MY_ROOMS, Login, Value::Null),
        (Method::GET, path::USERS, Login, Value::Null),
        (Method::GET, path::USER, Login, Value::Null),
        (Method::GET, path::ROOMS, Login, Value::Null),
        (Method::POST, path::ROOMS, Login, json!({"name": "", "visibility": "public"})),
        (Method::POST, path::JOIN_BY_CODE, Login, json!({"code": "x"})),
        (Method::PUT, path::DM, Login, json!({})),
        (Method::GET, path::SEARCH, Login, Value::Null),
        (Method::GET, path::EVENTS, Login, Value::Null),
        (Method::GET, path::ADMIN_EVENTS, Operator, Value::Null),
        (Method::GET, path::ADMIN_FIGURES, Operator, Value::Null),
        (Method::GET, path::ADMIN_OPERATIONS, Operator, Value::Null),
        (Method::GET, path::ADMIN_USERS, Operator, Value::Null),
        (Method::PATCH, path::ADMIN_USER, Operator, json!({"disabled": true})),
        (Method::POST, path::ADMIN_SIGN_OUT, Operator, json!({})),
        (Method::GET, path::ADMIN_ROOMS, Operator, Value::Null),
        (Method::POST, path::JOIN, Invitation, json!({})),
        (Method::GET, path::ROOM, Member, Value::Null),
        (Method::GET, path::MEMBERS, Member, Value::Null),
        (Method::GET, path::MESSAGES, Member, Value::Null),
        (Method::POST, path::MESSAGES, Member, message.clone()),
        (Method::GET, path::ENTRIES, Member, Value::Null),
        (Method::GET, path::FILE, Member, Value::Null),
        (Method::GET, path::FILE_PREVIEW, Member, Value::Null),
        (Method::PATCH, path::MESSAGE, Member, message),
        (Method::DELETE, path::MESSAGE, Member, Value::Null),
        (Method::PUT, path::REACTION, Member, json!({})),
        (Method::DELETE, path::REACTION, Member, Value::Null),
        (Method::GET, path::PINS, Member, Value::Null),
        (Method::PUT, path::READ, Member, json!({"seq": 1})),
        (Method::PUT, path::NOTIFY, Member, json!({"notify": "nothing"})),
        (Method::PUT, path::PIN, Admin, json!({})),
        (Method::DELETE, path::PIN, Admin, Value::Null),
        (Method::GET, path::CODE, Admin, Value::Null),
        (Method::POST, path::CODE, Admin, json!({})),
        (Method::DELETE, path::CODE, Admin, Value::Null),
        (Method::PATCH, path::ROOM, Admin, json!({"topic": "x"})),
        (Method::PUT, path::MEMBER, Admin, json!({"role": "member"})),
        (Method::DELETE, path::MEMBER, Admin, Value::Null),
        (Method::GET, path::BANS, Admin, Value::Null),
        (Method::DELETE, path::BAN, Admin, Value::Null),
        (Method::GET, path::INTEGRATIONS, Admin, Value::Null),
        (Method::POST, path::INTEGRATIONS, Admin, json!({"name": "x", "kind": "webhook"})),
        (Method::POST, path::INTEGRATION, Admin, json!({})),
        (Method::DELETE, path::INTEGRATION, Admin, Value::Null),
        (Method::POST, path::HOOK, Secret, json!({"text": "x"})),
        (Method::POST, path::LEAVE, Member, json!({})),
    ]
}

struct Scene {
    room: Room,
    /// A member about whom administrators' calls are made.
    subject: Person,
    /// In a message of the owner.
    image: FileId,
    people: Vec<(As, Person)>,
}

/// A private room and somebody of each kind.
async fn scene(server: &Server) -> Scene {
    let owner = server.person("owner-1").await;
    let room = owner.makes_room("secret", "private").await;
    let subject = server.person("subject").await;
    let mut people = Vec::new();
    for (kind, name) in [(As::Member, "member-1"), (As::Former, "former-1"), (As::Banned, "banned-1")] {
        let person = server.person(name).await;
        owner.lets_in(&person, room.id).await;
        people.push((kind, person));
    }
    owner.lets_in(&subject, room.id).await;
    people[1].1.leaves(room.id).await;
    owner.delete(&format!("{}?ban=true", path::member(room.id, people[2].1.id()))).await.expect(204);
    let image = owner.uploads(picture(60, 40)).await.id;
    owner.shows(room.id, &[image], "an image for members").await;
    owner.says(room.id, "for members").await;
    people.push((As::Stranger, server.person("stranger").await));
    people.push((As::Nobody, server.stranger()));
    people.insert(0, (As::Owner, owner));
    Scene { room, subject, image, people }
}

fn fill(template: &str, scene: &Scene, last: u64) -> String {
    template
        .replace("{room}", &scene.room.id.to_string())
        .replace("{user}", &scene.subject.id().to_string())
        .replace("{seq}", &last.to_string())
        .replace("{emoji}", "%F0%9F%91%8D")
        .replace("{username}", "subject")
        .replace("{file}", &scene.image.to_string())
        .replace("{secret}", &format!("natter_hook_{}", "A".repeat(43)))
        .replace("{session}", "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22")
}

fn check(who: As, needs: Needs, route: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    let what = format!("{who:?} {route}: {status} {}", answer.text);
    assert!(!answer.status.is_server_error(), "{what}");
    match (needs, who) {
        (Needs::Nothing, _) => assert_ne!(status, 404, "{what}"),
        (Needs::Secret, _) => assert_eq!(status, 404, "{what}"),
        (_, As::Nobody) => assert_eq!(status, 401, "{what}"),
        (Needs::Operator, _) | (Needs::Admin, As::Member) => assert_eq!(status, 403, "{what}"),
        (Needs::Login, _) => assert!(![401, 403].contains(&status), "{what}"),
        (_, As::Stranger) => assert_eq!(status, 404, "{what}"),
        (_, As::Former | As::Banned) => assert!([403, 404].contains(&status), "{what}"),
        (Needs::Member | Needs::Invitation, As::Member) | (_, As::Owner) => assert_ne!(status, 401, "{what}"),
    }
}

#[tokio::test]
async fn every_route_asks_who_is_there() {
    let server = Server::start();
    let scene = scene(&server).await;
    let owner = &scene.people[0].1;
    let head = owner.history(scene.room.id, "").await.head.get();
    for (method, template, needs, body) in table() {
        // From the least entitled on, so that an owner's deletion does not hide what others could have done.
        for (who, person) in scene.people.iter().rev() {
            if *who == As::Owner && [path::LEAVE, path::MEMBER, path::MESSAGE].contains(&template) {
                continue; // Tried where these routes are the story.
            }
            if template == path::EVENTS && *who != As::Nobody {
                continue; // Does not end by itself.
            }
            if template == path::LEAVE && *who == As::Member {
                continue;
            }
            let path = fill(template, &scene, head);
            let path = if [path::USERS, path::SEARCH].contains(&template) { format!("{path}?q=x") } else { path };
            let body = (!body.is_null()).then_some(&body);
            if [path::LOGOUT, path::REFRESH].contains(&template) && *who != As::Nobody {
                continue;
            }
            let answer = person.call(method.clone(), &path, body).await;
            check(*who, needs, &format!("{method} {template}"), &answer);
        }
    }
    let messages = owner.history(scene.room.id, "").await.messages;
    assert_eq!(messages[0].content.attachments, [scene.image]);
    assert!(!messages[1].deleted && messages[1].content.body.as_str() == "for members");
}

/// On SQLite only: the description of the routes has nothing to do with where things are kept.
#[tokio::test]
async fn the_table_holds_every_route_there_is() {
    let server = Server::start();
    let document = server.stranger().get(path::OPENAPI).await.expect(200).json();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                described.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    let ours: BTreeSet<_> = table().into_iter().map(|(m, p, ..)| (m.to_string(), p.to_owned())).collect();
    let health = [path::LIVE, path::READY];
    let missing: Vec<_> = described.iter().filter(|r| !ours.contains(*r) && !health.contains(&r.1.as_str())).collect();
    assert!(missing.is_empty(), "routes without a row in the table: {missing:?}");
    let undescribed: Vec<_> = ours.difference(&described).collect();
    assert!(undescribed.is_empty(), "routes without a description: {undescribed:?}");
}
