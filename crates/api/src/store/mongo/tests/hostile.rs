//! What comes from outside is a value, also where it is spelled like an operator, a field, a variable or a pattern.

use super::open;
use crate::store::{Accounts, CreatedRoom, CreatedUser, NewRoomRecord, NewSession, NewUser, Rooms, Sessions, SetCode};
use natter_shared::account::ProfileChange;
use natter_shared::id::SessionId;
use natter_shared::text::{DisplayName, Email, JoinCode, RoomName, Topic, Username};

const HOSTILE: &[&str] = &[
    "$gt",
    "{\"$ne\":null}",
    ".*",
    "^",
    "(a+)+$",
    "$username",
    "$name_key",
    "$$root",
    "\\",
    "a\0b",
    "a.b",
    "[\"$gt\",\"\"]",
];

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn names_of_people_are_values() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let ann = world.person("ann").await;
    for hostile in HOSTILE {
        let name = Username::from_stored((*hostile).to_owned());
        assert_eq!(mongo.user_by_name(&name).await.unwrap(), None, "{hostile}");
        assert_eq!(mongo.taken_usernames(std::slice::from_ref(&name)).await.unwrap(), [], "{hostile}");
        assert_eq!(mongo.search_users(hostile, None, 10).await.unwrap(), [], "{hostile}");
        assert!(mongo.search_users("ann", Some(hostile), 10).await.unwrap().len() <= 1, "{hostile}");

        let new = NewUser { username: name.clone(), ..world.new_user("bob") };
        let CreatedUser::Created(made) = mongo.create_user(new).await.unwrap() else { panic!("{hostile} is taken") };
        assert_eq!(mongo.user_by_name(&name).await.unwrap().unwrap().user, made);
        assert_eq!(mongo.search_users(hostile, None, 10).await.unwrap(), [made], "{hostile}");

        let change = ProfileChange {
            display_name: Some(DisplayName::from_stored((*hostile).to_owned())),
            email: Some(Email::from_stored((*hostile).to_owned())),
            gender: None,
        };
        let changed = mongo.update_profile(ann.id, &change).await.unwrap().unwrap();
        assert_eq!((changed.user.display_name.as_str(), &changed.email), (*hostile, &change.email));
        mongo.set_password(ann.id, hostile).await.unwrap();
        let ann = mongo.user(ann.id).await.unwrap().unwrap();
        assert_eq!((ann.password_hash.as_deref(), ann.user.username.as_str()), (Some(*hostile), "ann"));

        let id = SessionId::from_bytes(world.fresh());
        let (created_at, user_agent) = (world.now(), (*hostile).to_owned());
        let expires_at = created_at.plus_millis(1_000);
        let login = NewSession { id, user: ann.user.id, created_at, expires_at, user_agent, token: token_of(id) };
        mongo.create_session(login).await.unwrap();
        assert_eq!(mongo.session(id).await.unwrap().unwrap().0.user_agent, *hostile);
    }
}

fn token_of(id: SessionId) -> [u8; 32] {
    let mut token = [0; 32];
    token[..16].copy_from_slice(id.as_bytes());
    token
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn names_and_codes_of_rooms_are_values() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let ann = world.person("ann").await;
    world.room("Lobby", &[&ann]).await;
    for hostile in HOSTILE {
        let code = JoinCode::from_stored((*hostile).to_owned());
        assert_eq!(mongo.room_by_code(&code).await.unwrap(), None, "{hostile}");
        let new = NewRoomRecord {
            name: RoomName::from_stored((*hostile).to_owned()),
            topic: Topic::from_stored((*hostile).to_owned()),
            ..world.new_room("x", &ann)
        };
        let CreatedRoom::Created(room, _) = mongo.create_room(new).await.unwrap() else { panic!("{hostile}") };
        assert_eq!((room.name.as_str(), room.topic.as_str()), (*hostile, *hostile));
        assert_eq!(mongo.set_code(room.id, Some(&code)).await.unwrap(), SetCode::Set);
        assert_eq!(mongo.room_by_code(&code).await.unwrap().map(|found| found.id), Some(room.id), "{hostile}");
    }
    for hostile in HOSTILE {
        let mut expected: Vec<&str> = HOSTILE.iter().copied().filter(|name| name.contains(hostile)).collect();
        expected.sort_unstable();
        let found = mongo.directory(Some(hostile), None, 100).await.unwrap();
        assert_eq!(found.iter().map(|room| room.name.as_str()).collect::<Vec<_>>(), expected, "{hostile}");
        let after = mongo.directory(None, Some(hostile), 100).await.unwrap();
        assert!(after.iter().all(|room| room.name.key().as_str() > *hostile), "{hostile}");
    }
}
