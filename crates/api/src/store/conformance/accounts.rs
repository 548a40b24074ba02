//! People.

use super::World;
use crate::store::{CreatedUser, Deletion, Kept, KeptGuest, NewSession, NewUser, Refused};
use futures_util::future::join_all;
use natter_shared::account::{Gender, ProfileChange, User};
use natter_shared::entry::EntryKind;
use natter_shared::id::{SessionId, UserId};
use natter_shared::page::Window;
use natter_shared::text::{DisplayName, Email, Username};
use natter_shared::timestamp::Timestamp;

pub async fn a_hundred_registrations_of_one_name_make_one_account(world: &World) {
    let calls = (0..100).map(|_| world.store.create_user(world.new_user("ann")));
    let answers = join_all(calls).await;
    let made: Vec<_> = answers
        .into_iter()
        .filter_map(|answer| match answer.unwrap() {
            CreatedUser::Created(user) => Some(user),
            CreatedUser::UsernameTaken => None,
        })
        .collect();
    assert_eq!(made.len(), 1);
    let name = Username::parse("ann").unwrap();
    assert_eq!(world.store.user_by_name(&name).await.unwrap().unwrap().user, made[0]);
    assert_eq!(world.store.taken_usernames(&[name.clone(), Username::parse("bob").unwrap()]).await.unwrap(), [name]);
}

pub async fn people_are_found_and_changed(world: &World) {
    let new = NewUser {
        email: Some(Email::parse("ann@example.org").unwrap()),
        gender: Some(Gender::Female),
        ..world.new_user("ann")
    };
    let CreatedUser::Created(ann) = world.store.create_user(new.clone()).await.unwrap() else { panic!("taken") };
    let bob = world.person("bob").await;
    let record = world.store.user(ann.id).await.unwrap().unwrap();
    assert_eq!((&record.user, &record.email, &record.password_hash), (&ann, &new.email, &new.password_hash));
    assert_eq!((record.created_at, record.disabled), (new.created_at, false));

    // An author is shown as they are called now, also in what they wrote before.
    let room = world.room("Lobby", &[&ann, &bob]).await;
    let first = world.says(room.id, &ann, "hello").await;
    assert_eq!(first.author, ann.clone().into());
    let change =
        ProfileChange { display_name: Some(DisplayName::parse("Ann O.").unwrap()), ..ProfileChange::default() };
    let changed = world.store.update_profile(ann.id, &change).await.unwrap().unwrap();
    assert_eq!(changed.user.display_name.as_str(), "Ann O.");
    assert_eq!((changed.email, changed.user.gender), (new.email, new.gender));
    assert_eq!(world.says(room.id, &ann, "again").await.author.display_name.as_str(), "Ann O.");
    assert!(
        world
            .log(room.id)
            .await
            .iter()
            .all(|entry| { entry.author.id != ann.id || entry.author.display_name.as_str() == "Ann O." })
    );

    world.store.set_password(ann.id, "other").await.unwrap();
    assert_eq!(world.store.user(ann.id).await.unwrap().unwrap().password_hash.as_deref(), Some("other"));

    let nobody = UserId::from_bytes(world.fresh());
    assert_eq!(world.store.user(nobody).await.unwrap(), None);
    assert_eq!(world.store.update_profile(nobody, &change).await.unwrap(), None);
    let mut found = world.store.users(&[bob.id, nobody, ann.id]).await.unwrap();
    found.sort_by(|a, b| a.username.cmp(&b.username));
    assert_eq!(found, [changed.user, bob]);
    assert!(world.store.user_by_name(&Username::parse("nobody").unwrap()).await.unwrap().is_none());
}

pub async fn a_lost_answer_can_be_asked_for_again(world: &World) {
    let new = world.new_user("ann");
    let first = world.store.create_user(new.clone()).await.unwrap();
    assert!(matches!(first, CreatedUser::Created(_)));
    assert_eq!(world.store.create_user(new).await.unwrap(), first);
}

pub async fn a_guest_becomes_a_person_once(world: &World) {
    let new = NewUser { guest: true, password_hash: None, ..world.new_user("guest-1") };
    let CreatedUser::Created(guest) = world.store.create_user(new).await.unwrap() else { panic!("taken") };
    let bob = world.person("bob").await;
    let room = world.room("Lobby", &[&bob, &guest]).await;
    assert!(!world.says(room.id, &guest, "hello").await.author.username.as_str().is_empty());
    let account = |id, name: &str, hash: &str| KeptGuest {
        id,
        username: Username::parse(name).unwrap(),
        display_name: DisplayName::parse("Pilar").unwrap(),
        email: Email::parse("pilar@example.org").unwrap(),
        gender: Some(Gender::Female),
        password_hash: hash.to_owned(),
    };
    assert_eq!(world.store.keep_guest(account(guest.id, "bob", "hash")).await.unwrap(), Kept::UsernameTaken);
    let wanted = account(guest.id, "pilar", "hash");
    let Kept::Kept(kept) = world.store.keep_guest(wanted.clone()).await.unwrap() else { panic!("not kept") };
    assert_eq!((kept.user.username.as_str(), kept.user.guest, kept.user.id), ("pilar", false, guest.id));
    assert_eq!(kept.email.as_ref().map(Email::as_str), Some("pilar@example.org"));
    assert_eq!((kept.password_hash.as_deref(), kept.user.gender), (Some("hash"), Some(Gender::Female)));
    assert_eq!(world.store.keep_guest(wanted).await.unwrap(), Kept::Kept(kept), "the same call again");
    for (id, hash) in [(guest.id, "another"), (bob.id, "hash"), (UserId::from_bytes(world.fresh()), "hash")] {
        assert_eq!(world.store.keep_guest(account(id, "other", hash)).await.unwrap(), Kept::NoGuest);
    }
    assert_eq!(world.says(room.id, &guest, "again").await.author.username.as_str(), "pilar");
    assert!(world.store.user_by_name(&Username::parse("guest-1").unwrap()).await.unwrap().is_none());
}

pub async fn people_are_searched_in_pages(world: &World) {
    for name in ["bea", "ann", "anna", "annette", "an-z", "zoe"] {
        world.person(name).await;
    }
    let guest = NewUser { guest: true, password_hash: None, ..world.new_user("ann-guest") };
    world.store.create_user(guest).await.unwrap();
    let names = async |prefix: &str, after: Option<&str>, limit| {
        let found = world.store.search_users(prefix, after, limit).await.unwrap();
        found.into_iter().map(|user| user.username.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("ann", None, 10).await, ["ann", "anna", "annette"]);
    assert_eq!(names("ann", None, 2).await, ["ann", "anna"]);
    assert_eq!(names("ann", Some("anna"), 2).await, ["annette"]);
    assert_eq!(names("", None, 3).await, ["an-z", "ann", "anna"]);
    for nothing in ["annx", "%", "an%", "_", "*", "' OR 1=1 --", "ü"] {
        assert!(names(nothing, None, 10).await.is_empty(), "{nothing}");
    }
}

pub async fn administrators_are_made_and_unmade(world: &World) {
    let (bob, ann) = (world.person("bob").await, world.person("ann").await);
    world.person("zoe").await;
    let names = async || {
        let found = world.store.administrators().await.unwrap();
        found.into_iter().map(|record| record.user.username.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert!(names().await.is_empty());
    for id in [bob.id, ann.id, ann.id] {
        assert!(world.store.set_admin(id, true).await.unwrap().unwrap().admin);
    }
    assert_eq!(names().await, ["ann", "bob"]);
    let disabled = world.store.set_disabled(ann.id, true).await.unwrap().unwrap();
    assert!(disabled.disabled && disabled.admin);
    assert_eq!(world.store.user(ann.id).await.unwrap(), Some(disabled));
    assert_eq!(names().await, ["ann", "bob"], "a disabled one is told apart by whoever asks");
    assert!(world.store.search_users("ann", None, 10).await.unwrap().is_empty());
    assert!(!world.store.set_admin(ann.id, false).await.unwrap().unwrap().admin);
    assert!(!world.store.set_disabled(ann.id, false).await.unwrap().unwrap().disabled);
    assert_eq!(names().await, ["bob"]);
    let nobody = UserId::from_bytes(world.fresh());
    assert_eq!(world.store.set_admin(nobody, true).await.unwrap(), None);
    assert_eq!(world.store.set_disabled(nobody, true).await.unwrap(), None);
}

pub async fn everybody_is_listed_for_administrators(world: &World) {
    for name in ["bea", "ann", "anna"] {
        world.person(name).await;
    }
    let guest = NewUser { guest: true, password_hash: None, ..world.new_user("ann-guest") };
    world.store.create_user(guest).await.unwrap();
    let anna = world.store.user_by_name(&Username::parse("anna").unwrap()).await.unwrap().unwrap();
    world.store.set_disabled(anna.user.id, true).await.unwrap();
    let names = async |prefix: &str, after: Option<&str>, limit| {
        let found = world.store.search_accounts(prefix, after, limit).await.unwrap();
        found.into_iter().map(|record| record.user.username.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("", None, 10).await, ["ann", "ann-guest", "anna", "bea"]);
    assert_eq!(names("ann", Some("ann"), 1).await, ["ann-guest"]);
    assert!(names("%", None, 10).await.is_empty());

    assert_eq!(anna.last_login_at, None);
    let login = |at: Timestamp| NewSession {
        id: SessionId::from_bytes(world.fresh()),
        user: anna.user.id,
        created_at: at,
        expires_at: at.plus_millis(1_000),
        user_agent: String::new(),
        token: [1; 32],
    };
    let (first, second) = (world.now(), world.now());
    for at in [second, first] {
        world.store.create_session(login(at)).await.unwrap();
    }
    let record = world.store.user(anna.user.id).await.unwrap().unwrap();
    assert_eq!(record.last_login_at, Some(second), "the newest, in whatever order they are written");
}

pub async fn what_is_known_of_somebody_is_erased_for_good(world: &World) {
    let new = NewUser {
        email: Some(Email::parse("ann@example.org").unwrap()),
        gender: Some(Gender::Female),
        ..world.new_user("ann")
    };
    let CreatedUser::Created(ann) = world.store.create_user(new).await.unwrap() else { panic!("taken") };
    let (bob, store) = (world.person("bob").await, &world.store);
    let room = world.room("Lobby", &[&bob, &ann]).await;
    let said = world.says(room.id, &ann, "hello").await;
    store.set_admin(ann.id, true).await.unwrap();
    let erased = User::erased(ann.id);

    let record = store.erase_person(ann.id).await.unwrap().unwrap();
    assert_eq!(record.user, User { username: ann.username.clone(), ..erased.clone() }, "the name stays taken");
    assert_eq!((record.email.as_ref(), record.password_hash.as_ref(), record.last_login_at), (None, None, None));
    assert_eq!((record.disabled, record.admin, record.deletion), (true, false, Some(Deletion::UnderWay)));
    assert_eq!(store.erase_person(ann.id).await.unwrap().as_ref(), Some(&record), "a repeat changes nothing");
    assert_eq!(store.user(ann.id).await.unwrap().as_ref(), Some(&record));

    // Nobody is found by the name, and nobody can take it.
    assert_eq!(store.user_by_name(&ann.username).await.unwrap(), None);
    let name = std::slice::from_ref(&ann.username);
    assert_eq!(store.taken_usernames(name).await.unwrap(), name);
    assert_eq!(store.create_user(world.new_user("ann")).await.unwrap(), CreatedUser::UsernameTaken);
    assert!(store.search_users("an", None, 10).await.unwrap().is_empty());
    assert!(store.search_accounts("an", None, 10).await.unwrap().is_empty());
    assert!(store.administrators().await.unwrap().is_empty());

    // What they wrote stays, and says nothing of them.
    assert_eq!(store.users(&[ann.id]).await.unwrap(), std::slice::from_ref(&erased));
    assert_eq!(store.message(room.id, said.seq).await.unwrap().unwrap().author, erased.clone().into());
    let slice = store.messages(room.id, bob.id, Window::Latest, 10).await.unwrap().unwrap();
    assert_eq!(
        (slice.messages[0].author.clone(), slice.messages[0].content.body.as_str()),
        (erased.clone().into(), "hello")
    );
    assert!(world.log(room.id).await.iter().all(|entry| entry.author.id != ann.id || entry.author.deleted));

    // Nothing brings them back.
    let change = ProfileChange { email: Some(Email::parse("a@example.org").unwrap()), ..ProfileChange::default() };
    assert_eq!(store.update_profile(ann.id, &change).await.unwrap(), None);
    assert_eq!(store.set_disabled(ann.id, false).await.unwrap(), None);
    assert_eq!(store.set_admin(ann.id, true).await.unwrap(), None);
    store.set_password(ann.id, "hash").await.unwrap();
    assert_eq!(store.user(ann.id).await.unwrap(), Some(record));

    // They can go, and not come back.
    assert_eq!(world.does(room.id, &ann, EntryKind::Left).await.author, erased.into());
    assert_eq!(world.refused(room.id, &ann, EntryKind::Joined).await, Refused::NotMember);

    let zoe = world.person("zoe").await;
    store.erase_person(zoe.id).await.unwrap();
    let mut both = [ann.id, zoe.id];
    both.sort_unstable();
    assert_eq!(store.deletions_under_way(10).await.unwrap(), both);
    assert_eq!(store.deletions_under_way(1).await.unwrap(), both[..1]);
    for id in [ann.id, ann.id, bob.id] {
        store.finish_deletion(id).await.unwrap();
    }
    assert_eq!(store.deletions_under_way(10).await.unwrap(), [zoe.id]);
    assert_eq!(store.user(ann.id).await.unwrap().unwrap().deletion, Some(Deletion::Done));
    assert_eq!(store.user(bob.id).await.unwrap().unwrap().deletion, None);
    assert_eq!(store.erase_person(UserId::from_bytes(world.fresh())).await.unwrap(), None);

    let guest = NewUser { guest: true, password_hash: None, ..world.new_user("guest-1") };
    let CreatedUser::Created(guest) = store.create_user(guest).await.unwrap() else { panic!("taken") };
    store.erase_person(guest.id).await.unwrap();
    let kept = KeptGuest {
        id: guest.id,
        username: Username::parse("pilar").unwrap(),
        display_name: DisplayName::parse("Pilar").unwrap(),
        email: Email::parse("pilar@example.org").unwrap(),
        gender: None,
        password_hash: "hash".to_owned(),
    };
    assert_eq!(store.keep_guest(kept).await.unwrap(), Kept::NoGuest);
}
