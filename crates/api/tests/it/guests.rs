//! In by a room's code without an account, what a guest may see, and how one stays.

use crate::support::{PASSWORD, Person, Server, also_on_a_cluster};
use natter_shared::account::Me;
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::{CodeForm, Member, RoomOverview};
use natter_shared::text::Username;
use serde_json::json;

also_on_a_cluster! {
    a_name_and_a_code_are_enough,
    a_guest_sees_the_room_of_the_code_and_nothing_else,
    nobody_is_made_for_a_wrong_code,
    a_guest_keeps_the_account_and_stays_who_they_are,
}

async fn code_of(person: &Person, room: natter_shared::id::RoomId) -> String {
    person.get(&path::code(room)).await.expect(200).read::<CodeForm>().code
}

#[tokio::test]
async fn a_name_and_a_code_are_enough() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await;
    let code = code_of(&ann, room.id).await;
    let mut pilar = Person::guest(&server, "Pilar", &code.to_lowercase().replace('-', " ")).await;
    let mine: Page<RoomOverview> = pilar.get(path::MY_ROOMS).await.expect(200).read();
    assert_eq!(mine.items.iter().map(|it| it.room.id).collect::<Vec<_>>(), [room.id]);
    assert!(pilar.says(room.id, "hello from outside").await.author.guest);
    assert!(!ann.says(room.id, "welcome").await.author.guest);
    let members: Page<Member> = ann.get(&path::members(room.id)).await.expect(200).read();
    let guest = members.items.iter().find(|member| member.user.guest).unwrap();
    assert_eq!(guest.user.display_name.as_str(), "Pilar");
    // A reload finds the same guest.
    let username = pilar.username.clone();
    pilar.refresh().await.expect(200);
    assert_eq!(pilar.username, username);
}

#[tokio::test]
async fn a_guest_sees_the_room_of_the_code_and_nothing_else() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "private").await;
    let other = bob.makes_room("kitchen", "public").await;
    let pilar = Person::guest(&server, "Pilar", &code_of(&ann, room.id).await).await;
    let form = json!({"name": "attic", "visibility": "public"});
    pilar.post(path::ROOMS, &form).await.refused(403, "forbidden");
    pilar.get(path::ROOMS).await.refused(403, "forbidden");
    pilar.get(&format!("{}?q=bo", path::USERS)).await.refused(403, "forbidden");
    for (path, body) in [(path::room(other.id), None), (path::join(other.id), Some(json!({})))] {
        let answer = match body {
            Some(body) => pilar.post(&path, &body).await,
            None => pilar.get(&path).await,
        };
        answer.refused(404, "not_found");
    }
    pilar.get(&path::messages(other.id)).await.expect(404);
    let name = |name: &str| Username::parse(name).unwrap();
    pilar.put(&path::dm(&name("bob")), &json!({})).await.refused(403, "forbidden");
    bob.put(&path::dm(&name(&pilar.username)), &json!({})).await.refused(403, "forbidden");
    let found: Page<natter_shared::account::User> =
        bob.get(&format!("{}?q=guest", path::USERS)).await.expect(200).read();
    assert!(found.items.is_empty());
}

#[tokio::test]
async fn nobody_is_made_for_a_wrong_code() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await;
    let code = code_of(&ann, room.id).await;
    let stranger = server.stranger();
    let tries =
        async |name: &str, code: &str| stranger.post(path::GUEST, &json!({"display_name": name, "code": code})).await;
    tries("Pilar", "AAAA-AAAA").await.refused(404, "not_found");
    let answer = tries(" ", "no code").await.refused(400, "invalid");
    let fields = &answer.json()["error"]["fields"];
    assert!(fields["display_name"].is_string() && fields["code"].is_string(), "{fields}");
    ann.patch(&path::room(room.id), &json!({"archived": true})).await.expect(200);
    tries("Pilar", &code).await.refused(404, "not_found");
    let members: Page<Member> = ann.get(&path::members(room.id)).await.expect(200).read();
    assert_eq!(members.items.len(), 1);
}

#[tokio::test]
async fn a_guest_keeps_the_account_and_stays_who_they_are() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await;
    let mut pilar = Person::guest(&server, "Pilar", &code_of(&ann, room.id).await).await;
    let said = pilar.says(room.id, "hello").await;
    let form = |name: &str| json!({"username": name, "email": "pilar@example.org", "password": PASSWORD});
    pilar.post(path::KEEP, &form("ann")).await.refused(409, "username_taken");
    pilar.post(path::KEEP, &json!({"username": "pilar", "email": "x", "password": "y"})).await.refused(400, "invalid");
    let me: Me = pilar.post(path::KEEP, &form("pilar")).await.expect(200).read();
    assert_eq!((me.user.id, me.user.guest, me.user.username.as_str()), (pilar.id(), false, "pilar"));
    // The token still says guest; the next one does not.
    pilar.refresh().await.expect(200);
    pilar.get(path::ROOMS).await.expect(200);
    pilar.post(path::KEEP, &form("another")).await.refused(403, "forbidden");
    ann.post(path::KEEP, &form("another")).await.refused(403, "forbidden");
    let again = pilar.login_again(&server).await;
    assert_eq!(again.id(), said.author.id);
    let page: natter_shared::page::MessagePage = again.get(&path::messages(room.id)).await.expect(200).read();
    assert_eq!(page.messages.last().map(|message| message.author.username.as_str()), Some("pilar"));
}
