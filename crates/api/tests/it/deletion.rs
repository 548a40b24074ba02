//! Accounts that are deleted: what of a person goes, what stays, and what others see of it.

use crate::support::{PASSWORD, Person, Server, also_on_a_cluster, eventually};
use natter_shared::account::User;
use natter_shared::admin::{Account, EventPage};
use natter_shared::event::EventKind;
use natter_shared::frame::ServerFrame;
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::{CodeForm, Member, RoomOverview};
use natter_shared::text::Username;
use reqwest::Method;
use serde_json::{Value, json};

also_on_a_cluster! {
    who_is_deleted_is_gone_and_their_words_stay,
    a_password_and_an_heir_are_asked_for,
    a_guest_goes_without_a_password,
    an_order_at_the_machine_is_carried_out_by_the_server,
}

async fn deletes(person: &Person, form: &Value) -> crate::support::Answer {
    person.call(Method::DELETE, path::ME, Some(form)).await
}

fn name(name: &str) -> Username {
    Username::parse(name).unwrap()
}

#[tokio::test]
async fn who_is_deleted_is_gone_and_their_words_stay() {
    let server = Server::start();
    let (mut ann, bob, ada) = (server.person("ann").await, server.person("bob").await, server.person("ada").await);
    server.administers("grant", "ada");
    let elsewhere = ann.login_again(&server).await;
    let room = bob.makes_room("garden", "public").await;
    ann.joins(room.id).await;
    ann.says(room.id, "I was here").await;
    let direct = ann.direct(&bob).await;
    bob.says(direct.id, "stay").await;
    let socket = elsewhere.connects().await;
    let mut watch = bob.connects().await;

    deletes(&ann, &json!({"password": PASSWORD})).await.expect(204);
    assert!(socket.close_code().await >= 4_000);
    watch
        .until(|frame| match frame {
            ServerFrame::Room { room } if room.id == direct.id && room.archived => Some(()),
            _ => None,
        })
        .await;
    for gone in [&ann, &elsewhere] {
        eventually("the login is dead", async || gone.get(path::ME).await.status.as_u16() == 401).await;
    }
    ann.refresh().await.refused(401, "not_signed_in");
    let form = json!({"username": "ann", "password": PASSWORD});
    server.stranger().post(path::LOGIN, &form).await.refused(401, "bad_credentials");

    // The name is nobody's, and nobody can have it.
    let form = json!({"username": "ann", "email": "a@example.org", "password": PASSWORD});
    server.stranger().post(path::REGISTER, &form).await.refused(409, "username_taken");
    let found: Page<User> = bob.get(&format!("{}?q=ann", path::USERS)).await.expect(200).read();
    assert!(found.items.is_empty());
    bob.get(&path::user(&name("ann"))).await.refused(404, "not_found");
    bob.put(&path::dm(&name("ann")), &json!({})).await.refused(404, "not_found");

    // Another node may remember for some seconds how an author was called.
    eventually("the author has no name", async || bob.history(room.id, "").await.messages[0].author.deleted).await;
    let history = bob.history(room.id, "").await;
    let message = &history.messages[0];
    let author = &message.author;
    assert_eq!((message.content.body.as_str(), author.deleted), ("I was here", true));
    assert_eq!((author.display_name.as_str(), author.username.as_str()), ("Deleted user", "deleted"));
    let members: Page<Member> = bob.get(&path::members(room.id)).await.expect(200).read();
    assert_eq!(members.items.len(), 1);

    // The conversation of the two can be read and not written.
    let mine: Page<RoomOverview> = bob.get(path::MY_ROOMS).await.expect(200).read();
    let overview = mine.items.iter().find(|it| it.room.id == direct.id).unwrap();
    assert!(overview.room.archived && overview.room.peer.as_ref().is_some_and(|peer| peer.deleted));
    assert_eq!(bob.history(direct.id, "").await.messages[0].content.body.as_str(), "stay");
    bob.tries_to_say(direct.id, crate::support::client_id(), "hello?").await.refused(409, "room_archived");
    bob.patch(&path::room(direct.id), &json!({"archived": false})).await.refused(403, "forbidden");

    // Administrators see that it happened, and can do nothing about it.
    let accounts: Page<Account> = ada.get(path::ADMIN_USERS).await.expect(200).read();
    assert!(accounts.items.iter().all(|account| account.user.id != ann.id()));
    ada.patch(&path::admin_user(ann.id()), &json!({"disabled": false})).await.refused(404, "not_found");
    eventually("the event", async || {
        let query = format!("{}?kind={}", path::ADMIN_EVENTS, EventKind::AccountDeleted.word());
        let page: EventPage = ada.get(&query).await.expect(200).read();
        page.items.iter().any(|event| event.user == ann.id) && page.people.iter().all(|user| user.deleted)
    })
    .await;
}

#[tokio::test]
async fn a_password_and_an_heir_are_asked_for() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    ann.makes_room("attic", "private").await;
    bob.joins(room.id).await;
    for form in [json!({}), json!({"password": "x"}), json!({"password": PASSWORD.to_uppercase()})] {
        let answer = deletes(&ann, &form).await.refused(400, "invalid");
        assert!(answer.json()["error"]["fields"]["password"].is_string(), "{}", answer.text);
    }
    for form in [json!({"password": 1}), json!({"password": PASSWORD, "user": bob.id()})] {
        deletes(&ann, &form).await.refused(400, "bad_request");
    }
    let refused = deletes(&ann, &json!({"password": PASSWORD})).await.refused(409, "last_owner");
    assert_eq!(refused.json()["error"]["fields"]["rooms"], "garden");
    ann.get(path::ME).await.expect(200);
    ann.put(&path::member(room.id, bob.id()), &json!({"role": "owner"})).await.expect(200);
    deletes(&ann, &json!({"password": PASSWORD})).await.expect(204);
    bob.says(room.id, "mine now").await;
}

#[tokio::test]
async fn a_guest_goes_without_a_password() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await;
    let code = ann.get(&path::code(room.id)).await.expect(200).read::<CodeForm>().code;
    let pilar = Person::guest(&server, "Pilar", &code).await;
    pilar.says(room.id, "just looking").await;
    deletes(&pilar, &json!({})).await.expect(204);
    let message = &ann.history(room.id, "").await.messages[0];
    assert!(message.author.deleted && !message.author.guest);
    pilar.get(path::ME).await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn an_order_at_the_machine_is_carried_out_by_the_server() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    server.administers("delete", "ann");
    let form = json!({"username": "ann", "password": PASSWORD});
    server.stranger().post(path::LOGIN, &form).await.refused(401, "bad_credentials");

    // A server that starts goes on with it; one that runs does so each minute.
    let server = server.restart();
    let bob = bob.login_again(&server).await;
    eventually("the room has another owner", async || {
        let members: Page<Member> = bob.get(&path::members(room.id)).await.expect(200).read();
        matches!(&members.items[..], [only] if only.role == natter_shared::room::Role::Owner)
    })
    .await;
}
