//! Integrations: made with the person as whom they speak, found by their secret, and gone when they are revoked.

use super::World;
use crate::store::{CreatedUser, IntegrationRecord, NewUser, UserRecord};
use natter_shared::account::User;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::{IntegrationKind, Scope, Scopes};

async fn bot(world: &World, name: &str, room: RoomId, maker: &User, secret: u8) -> (User, IntegrationRecord) {
    let integration = IntegrationRecord {
        room,
        kind: IntegrationKind::Bot,
        scopes: Scopes::from(vec![Scope::MessagesRead, Scope::MembersRead]),
        secret: [secret; 32],
        made_by: maker.id,
        last_used_at: None,
        revoked_at: None,
    };
    let new = NewUser { password_hash: None, integration: Some(integration.clone()), ..world.new_user(name) };
    match world.store.create_user(new).await.unwrap() {
        CreatedUser::Created(user) => (user, integration),
        CreatedUser::UsernameTaken => panic!("{name} is taken"),
    }
}

fn ids(records: &[UserRecord]) -> Vec<UserId> {
    records.iter().map(|record| record.user.id).collect()
}

pub async fn an_integration_is_a_person_with_a_secret(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await;
    let (user, integration) = bot(world, "bot-1", room.id, &ann, 1).await;
    assert!(user.bot && !user.guest && !ann.bot);
    let found = world.store.integration_by_secret([1; 32]).await.unwrap().unwrap();
    assert_eq!((found.user.clone(), found.integration.as_ref()), (user.clone(), Some(&integration)));
    assert_eq!(world.store.user(user.id).await.unwrap(), Some(found));
    assert_eq!(world.store.integration_by_secret([2; 32]).await.unwrap(), None);
    assert!(world.store.user(ann.id).await.unwrap().unwrap().integration.is_none());
    // It is a member and an author like others, and is seen to be a bot wherever it is named.
    world.does(room.id, &user, natter_shared::entry::EntryKind::Joined).await;
    assert!(world.says(room.id, &user, "hello").await.author.bot);
    let members = world.store.members(room.id).await.unwrap();
    assert_eq!(members.iter().filter(|member| member.user.bot).count(), 1);
    let log = world.log(room.id).await;
    assert_eq!(log.last().map(|entry| entry.author.bot), Some(true));
    let people = world.store.users(&[user.id, ann.id]).await.unwrap();
    assert_eq!(people.iter().filter(|person| person.bot).count(), 1);
    // Whoever looks for people does not find it; administrators of the server do.
    assert!(world.store.search_users("bot", None, 10).await.unwrap().is_empty());
    assert_eq!(ids(&world.store.search_accounts("bot", None, 10).await.unwrap()), [user.id]);
}

pub async fn a_revoked_integration_stays_revoked(world: &World) {
    let ann = world.person("ann").await;
    let (room, other) = (world.room("Lobby", &[&ann]).await, world.room("Cellar", &[&ann]).await);
    let (first, _) = bot(world, "bot-1", room.id, &ann, 1).await;
    let (second, _) = bot(world, "bot-2", room.id, &ann, 2).await;
    let (third, _) = bot(world, "bot-3", room.id, &ann, 3).await;
    let (elsewhere, _) = bot(world, "bot-4", other.id, &ann, 4).await;
    let of = async |room, limit| ids(&world.store.integrations_of(room, limit).await.unwrap());
    assert_eq!(of(room.id, 10).await, [third.id, second.id, first.id], "the newest first");
    assert_eq!(of(other.id, 10).await, [elsewhere.id]);
    let now = world.now();
    assert!(world.store.revoke_integration(third.id, now).await.unwrap());
    assert!(!world.store.revoke_integration(third.id, world.now()).await.unwrap());
    assert!(!world.store.revoke_integration(ann.id, now).await.unwrap(), "a person");
    assert_eq!(of(room.id, 10).await, [second.id, first.id, third.id], "those that live come first");
    assert_eq!(of(room.id, 2).await, [second.id, first.id]);
    let revoked = world.store.integration_by_secret([3; 32]).await.unwrap().unwrap().integration.unwrap();
    assert_eq!(revoked.revoked_at, Some(now));
    // When one was used last only goes on.
    let (early, late) = (world.now(), world.now());
    for at in [late, early] {
        world.store.touch_integration(first.id, at).await.unwrap();
    }
    world.store.touch_integration(ann.id, late).await.unwrap();
    let used = world.store.user(first.id).await.unwrap().unwrap().integration.unwrap();
    assert_eq!(used.last_used_at, Some(late));
    assert!(world.store.user(ann.id).await.unwrap().unwrap().integration.is_none());
}
