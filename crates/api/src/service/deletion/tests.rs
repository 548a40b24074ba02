use super::{DeletionError, Deletions};
use crate::bus::Notice;
use crate::service::Caller;
use crate::service::messages::MessageError;
use crate::service::pictures::PictureError;
use crate::service::sessions::Sessions;
use crate::stage::{Heard, Stage};
use crate::store::{Deletion, NewSession, Standing};
use natter_shared::account::AccountDeletion;
use natter_shared::entry::EntryKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::SessionId;
use natter_shared::room::{Role, Visibility};

fn deletions(stage: &Stage) -> Deletions {
    Deletions::new(&stage.parts, &Sessions::new(&stage.parts), &stage.pictures, stage.log.clone())
}

const WITHOUT: AccountDeletion = AccountDeletion { password: None };

#[tokio::test]
async fn who_goes_leaves_every_room_and_closes_conversations() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&bob, "garden", Visibility::Public).await.id;
    stage.rooms.join(&ann, room).await.unwrap();
    let said = stage.says(&ann, room, "I was here").await;
    let alone = stage.room(&ann, "attic", Visibility::Private).await.id;
    let direct = stage.rooms.direct(&ann, "bob").await.unwrap().id;
    stage.says(&bob, direct, "do not go").await;
    stage.heard.forget();

    deletions(&stage).delete(&ann, WITHOUT).await.unwrap();
    let store = &stage.parts.store;
    assert_eq!(store.standing(room, ann.user).await.unwrap(), Standing::Former);
    let message = store.message(room, said.seq).await.unwrap().unwrap();
    assert_eq!((message.content.body.as_str(), message.author.deleted), ("I was here", true));
    let attic = store.room(alone).await.unwrap().unwrap();
    assert_eq!((attic.archived, attic.member_count), (true, 0));
    let refused = stage.tries_to_say(&bob, direct, stage.form("too late")).await;
    assert!(matches!(refused, Err(MessageError::Archived)), "{refused:?}");
    let mine = stage.rooms.mine(&bob).await.unwrap();
    let peer = mine.iter().find(|it| it.room.id == direct).and_then(|it| it.room.peer.clone()).unwrap();
    assert!(peer.deleted && peer.display_name.as_str() == "Deleted user");

    let heard = stage.heard.all();
    let left = Heard::entries(&heard, room).concat();
    assert!(matches!(left[..], [ref entry] if entry.what == EntryKind::Left && entry.author.deleted), "{left:?}");
    let told = heard.iter().any(|notice| {
        matches!(notice, Notice::Users { users, frame: ServerFrame::Room { room } }
            if *users == [bob.user] && room.id == direct && room.archived)
    });
    assert!(told, "{heard:#?}");
}

#[tokio::test]
async fn a_picture_goes_with_its_account() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(9, 9).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let body = async { Ok::<_, PictureError>(png.into_inner().into()) };
    let url = stage.pictures.set_avatar(&ann, body).await.unwrap().user.avatar_url.unwrap();
    let id = url.rsplit('/').next().unwrap().parse().unwrap();
    assert!(stage.pictures.show(&bob, id, false).await.is_ok());
    deletions(&stage).delete(&ann, WITHOUT).await.unwrap();
    assert!(matches!(stage.pictures.show(&bob, id, false).await, Err(PictureError::Unknown)));
}

#[tokio::test]
async fn nobody_leaves_others_without_an_owner() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    let deletions = deletions(&stage);
    let refused = deletions.delete(&ann, WITHOUT).await;
    assert!(matches!(&refused, Err(DeletionError::LastOwner(rooms)) if rooms[0].as_str() == "garden"), "{refused:?}");
    assert!(stage.parts.store.user(ann.user).await.unwrap().unwrap().deletion.is_none());
    stage.rooms.set_role(&ann, room, bob.user, Role::Owner).await.unwrap();
    deletions.delete(&ann, WITHOUT).await.unwrap();
    assert!(matches!(deletions.delete(&ann, WITHOUT).await, Err(DeletionError::Gone)), "only once");
}

/// As after a crash right after the first step, or an order at the machine.
#[tokio::test]
async fn what_was_begun_is_gone_on_with_until_nothing_is_left() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let closed = stage.room(&ann, "cellar", Visibility::Public).await.id;
    for room in [room, closed] {
        stage.rooms.join(&bob, room).await.unwrap();
    }
    stage.rooms.change(&ann, closed, serde_json::from_str(r#"{"archived": true}"#).unwrap()).await.unwrap();
    let store = &stage.parts.store;
    let now = stage.parts.clock.now();
    let login = NewSession {
        id: SessionId::from_random_bytes(stage.bytes()),
        user: ann.user,
        created_at: now,
        expires_at: now.plus_millis(60_000),
        user_agent: String::new(),
        token: [7; 32],
    };
    store.create_session(login).await.unwrap();
    store.erase_person(ann.user).await.unwrap().unwrap();

    let deletions = deletions(&stage);
    assert_eq!(deletions.resume().await.unwrap(), 0, "there was something to do");
    assert!(store.sessions_of(ann.user, now).await.unwrap().is_empty());
    for (room, archived) in [(room, false), (closed, true)] {
        assert_eq!(store.standing(room, ann.user).await.unwrap(), Standing::Former);
        assert_eq!(store.standing(room, bob.user).await.unwrap(), Standing::Member(Role::Owner));
        assert_eq!(store.room(room).await.unwrap().unwrap().archived, archived);
    }
    // A call that was under way cannot bring them back.
    assert!(stage.rooms.join(&ann, room).await.is_err());
    assert_eq!(deletions.resume().await.unwrap(), 1, "nothing was left");
    assert_eq!(store.user(ann.user).await.unwrap().unwrap().deletion, Some(Deletion::Done));
    assert_eq!(deletions.resume().await.unwrap(), 0);
}

#[tokio::test]
async fn a_password_must_be_the_right_one() {
    let stage = Stage::new();
    let ann: Caller = stage.person("ann").await;
    let sessions = Sessions::new(&stage.parts);
    let hash = sessions.passwords.hash(&typed("violet kettle orbit 93")).await.unwrap();
    stage.parts.store.set_password(ann.user, &hash).await.unwrap();
    let deletions = deletions(&stage);
    for wrong in [None, Some(""), Some("Violet kettle orbit 93")] {
        let form = AccountDeletion { password: wrong.map(typed) };
        assert!(matches!(deletions.delete(&ann, form).await, Err(DeletionError::WrongPassword)), "{wrong:?}");
    }
    deletions.delete(&ann, AccountDeletion { password: Some(typed("violet kettle orbit 93")) }).await.unwrap();
}

fn typed(password: &str) -> natter_shared::text::Password {
    natter_shared::text::Password::from_typed(password.to_owned())
}
