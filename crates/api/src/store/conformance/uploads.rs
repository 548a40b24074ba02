//! Images.

use super::{World, body};
use crate::store::{Posted, UploadRecord};
use natter_shared::account::User;
use natter_shared::entry::{EntryKind, MessageContent};
use natter_shared::file::ImageKind;
use natter_shared::id::{ClientId, FileId, RoomId};

async fn uploaded(world: &World, owner: &User, bytes: u64) -> UploadRecord {
    let upload = UploadRecord {
        id: FileId::of_picture(world.fresh(), (640, 480)),
        owner: owner.id,
        kind: ImageKind::Jpeg,
        preview: Some(ImageKind::Png),
        bytes,
        created_at: world.now(),
        avatar: false,
        posted: None,
    };
    world.store.add_upload(upload.clone()).await.unwrap();
    upload
}

fn posted(world: &World, room: RoomId) -> Posted {
    Posted { room, client_id: ClientId::from_bytes(world.fresh()) }
}

pub async fn an_image_belongs_to_one_message_of_its_owner(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let (one, two) = (uploaded(world, &ann, 7).await, uploaded(world, &ann, 5).await);
    let picture = UploadRecord { avatar: true, id: FileId::from_bytes(world.fresh()), ..one.clone() };
    world.store.add_upload(picture.clone()).await.unwrap();
    world.store.add_upload(UploadRecord { bytes: 99, ..one.clone() }).await.unwrap();
    assert_eq!(world.store.upload(one.id).await.unwrap(), Some(one.clone()), "noted once");
    assert_eq!(world.store.upload(picture.id).await.unwrap(), Some(picture.clone()));
    assert_eq!(world.store.upload(FileId::from_bytes(world.fresh())).await.unwrap(), None);
    assert_eq!(world.store.uploaded_bytes(ann.id).await.unwrap(), 19);
    assert_eq!(world.store.uploaded_bytes(bob.id).await.unwrap(), 0);

    let message = posted(world, room);
    let store = &world.store;
    assert!(!store.post_uploads(&[one.id], bob.id, message).await.unwrap(), "somebody else's");
    assert!(!store.post_uploads(&[picture.id], ann.id, message).await.unwrap(), "a person's picture");
    assert!(!store.post_uploads(&[one.id, FileId::from_bytes(world.fresh())], ann.id, message).await.unwrap());
    assert_eq!(store.upload(one.id).await.unwrap().unwrap().posted, None, "all of them or none");
    for _ in 0..2 {
        assert!(store.post_uploads(&[one.id, two.id], ann.id, message).await.unwrap(), "and again for the same one");
    }
    assert_eq!(store.upload(two.id).await.unwrap().unwrap().posted, Some(message));
    assert!(!store.post_uploads(&[one.id], ann.id, posted(world, room)).await.unwrap(), "another message's");
}

pub async fn what_was_never_sent_is_forgotten(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    let sent = uploaded(world, &ann, 1).await;
    assert!(world.store.post_uploads(&[sent.id], ann.id, posted(world, room)).await.unwrap());
    let old = [uploaded(world, &ann, 2).await, uploaded(world, &ann, 3).await];
    let picture = UploadRecord { avatar: true, id: FileId::from_bytes(world.fresh()), ..old[0].clone() };
    world.store.add_upload(picture.clone()).await.unwrap();
    let now = world.now();
    let new = uploaded(world, &ann, 4).await;
    let first = world.store.drop_idle_uploads(now, 1).await.unwrap();
    let rest = world.store.drop_idle_uploads(now, 9).await.unwrap();
    let mut dropped = [first, rest].concat();
    dropped.sort_by_key(|upload| upload.bytes);
    assert_eq!(dropped, old);
    assert!(world.store.drop_idle_uploads(now, 9).await.unwrap().is_empty());
    for there in [&sent, &picture, &new] {
        assert!(world.store.upload(there.id).await.unwrap().is_some());
    }
    let gone = world.store.drop_uploads(&[sent.id, old[0].id]).await.unwrap();
    assert_eq!(gone.iter().map(|upload| upload.id).collect::<Vec<_>>(), [sent.id]);
    assert_eq!(world.store.upload(sent.id).await.unwrap(), None);

    // Of somebody whose account goes: what is in no message.
    let stays = uploaded(world, &ann, 5).await;
    assert!(world.store.post_uploads(&[stays.id], ann.id, posted(world, room)).await.unwrap());
    let own = world.store.drop_own_uploads(ann.id).await.unwrap();
    let own: std::collections::BTreeSet<_> = own.into_iter().map(|upload| upload.id).collect();
    assert_eq!(own, [picture.id, new.id].into());
    assert!(world.store.drop_own_uploads(ann.id).await.unwrap().is_empty());
    assert!(world.store.upload(stays.id).await.unwrap().is_some());
}

pub async fn a_message_is_found_by_what_its_author_called_it(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let files = vec![FileId::of_picture(world.fresh(), (1, 2)), FileId::of_picture(world.fresh(), (3, 4))];
    let content = MessageContent {
        body: body("look"),
        reply_to: None,
        attachments: files.clone(),
        to: None,
        mentions: Vec::new(),
    };
    let said = world.does(room, &ann, EntryKind::Message(content)).await;
    let client_id = said.client_id.unwrap();
    let found = world.store.sent(room, ann.id, client_id).await.unwrap().unwrap();
    assert_eq!((found.seq, &found.content.attachments), (said.seq, &files));
    assert_eq!(world.store.sent(room, bob.id, client_id).await.unwrap(), None);
    world.does(room, &ann, EntryKind::Deleted { target: said.seq }).await;
    let found = world.store.sent(room, ann.id, client_id).await.unwrap().unwrap();
    assert!(found.deleted && found.content.attachments.is_empty());
}

pub async fn a_person_has_a_picture_or_none(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    let first = world.says(room, &ann, "hello").await;
    assert_eq!(first.author.avatar_url, None);
    let changed = world.store.set_avatar(ann.id, Some("/somewhere")).await.unwrap().unwrap();
    assert_eq!(changed.user.avatar_url.as_deref(), Some("/somewhere"));
    assert_eq!(world.says(room, &ann, "again").await.author.avatar_url.as_deref(), Some("/somewhere"));
    let changed = world.store.set_avatar(ann.id, None).await.unwrap().unwrap();
    assert_eq!(changed.user.avatar_url, None);
    assert_eq!(world.says(room, &ann, "and again").await.author.avatar_url, None);
    let nobody = natter_shared::id::UserId::from_bytes(world.fresh());
    assert!(world.store.set_avatar(nobody, None).await.unwrap().is_none());
}
