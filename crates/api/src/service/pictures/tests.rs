//! Who may see an image, and when it is gone.

use super::*;
use crate::files::FilesPlace;
use crate::service::messages::MessageError;
use crate::stage::Stage;
use futures_util::TryStreamExt;
use image::{DynamicImage, ImageFormat};
use natter_shared::entry::MessageForm;
use natter_shared::room::Visibility;
use std::io::Cursor;

fn png(width: u32, height: u32) -> Bytes {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(width, height).write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner().into()
}

async fn uploads(stage: &Stage, who: &Caller, bytes: Bytes) -> Result<Uploaded, PictureError> {
    stage.pictures.upload(who, async { Ok::<_, PictureError>(bytes) }).await
}

async fn sees(stage: &Stage, who: &Caller, id: FileId) -> bool {
    match stage.pictures.show(who, id, false).await {
        Ok(shown) => {
            let parts: Vec<Bytes> = shown.opened.bytes.try_collect().await.unwrap();
            assert_eq!(u64::try_from(parts.concat().len()).unwrap(), shown.opened.size);
            true
        }
        Err(PictureError::Unknown) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_image_is_seen_by_those_who_see_its_message() {
    let stage = Stage::new();
    let (ann, bob, cid, dora) =
        (stage.person("ann").await, stage.person("bob").await, stage.person("cid").await, stage.person("dora").await);
    let room = stage.room(&ann, "garden", Visibility::Private).await.id;
    for other in [&bob, &cid] {
        stage.lets_in(&ann, other, room).await;
    }
    let open = uploads(&stage, &ann, png(50, 30)).await.unwrap();
    assert_eq!((open.width, open.height, open.id.size()), (50, 30, (50, 30)));
    let secret = uploads(&stage, &ann, png(5, 5)).await.unwrap().id;
    assert!(sees(&stage, &ann, open.id).await);
    assert!(!sees(&stage, &bob, open.id).await, "not sent yet");

    let form = MessageForm { attachments: vec![open.id], body: String::new(), ..stage.form("") };
    let said = stage.messages.send(&ann, room, form.clone()).await.unwrap().entry;
    let whisper = MessageForm { attachments: vec![secret], to: Some(bob.user), ..stage.form("for you") };
    stage.messages.send(&ann, room, whisper).await.unwrap();
    for (who, open_one, secret_one) in
        [(&ann, true, true), (&bob, true, true), (&cid, true, false), (&dora, false, false)]
    {
        assert_eq!((sees(&stage, who, open.id).await, sees(&stage, who, secret).await), (open_one, secret_one));
    }
    stage.rooms.leave(&cid, room).await.unwrap();
    assert!(!sees(&stage, &cid, open.id).await, "who has left");

    stage.messages.delete(&ann, room, said.seq).await.unwrap();
    for who in [&ann, &bob] {
        assert!(!sees(&stage, who, open.id).await, "the message is deleted");
    }
    assert!(stage.messages.send(&ann, room, form).await.unwrap().again, "a repeat is answered like the first time");
}

#[tokio::test]
async fn a_crash_before_the_images_are_forgotten_shows_them_to_nobody_else() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Private).await.id;
    stage.lets_in(&ann, &bob, room).await;
    let image = uploads(&stage, &ann, png(9, 9)).await.unwrap().id;
    let form = MessageForm { attachments: vec![image], ..stage.form("look") };
    let said = stage.messages.send(&ann, room, form).await.unwrap().entry;
    // What the service would do next does not happen: the entry alone is in the log.
    let deleted = natter_shared::entry::EntryKind::Deleted { target: said.seq };
    let entry =
        crate::store::NewEntry { room, author: ann.user, at: stage.parts.clock.now(), client_id: None, what: deleted };
    stage.parts.store.append(vec![entry]).await.unwrap();
    assert!(!sees(&stage, &bob, image).await);
}

#[tokio::test]
async fn nobody_sends_what_is_not_theirs_or_sent_already() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Private).await.id;
    stage.lets_in(&ann, &bob, room).await;
    let image = uploads(&stage, &ann, png(9, 9)).await.unwrap().id;
    let made_up = FileId::of_picture(stage.bytes(), (1, 1));
    for (who, ids) in [(&bob, vec![image]), (&ann, vec![image, made_up])] {
        let refused = stage.messages.send(who, room, MessageForm { attachments: ids, ..stage.form("look") }).await;
        assert!(
            matches!(&refused, Err(MessageError::Invalid(fields)) if fields.contains_key("attachments")),
            "{refused:?}"
        );
    }
    for sent in [true, false] {
        let form = MessageForm { attachments: vec![image], ..stage.form("look") };
        assert_eq!(stage.messages.send(&ann, room, form).await.is_ok(), sent);
    }
    let twice = MessageForm { attachments: vec![made_up, made_up], ..stage.form("look") };
    assert!(matches!(stage.messages.send(&ann, room, twice).await, Err(MessageError::Invalid(_))));
    let empty = MessageForm { body: " ".into(), ..stage.form("") };
    assert!(matches!(stage.messages.send(&ann, room, empty).await, Err(MessageError::Invalid(_))));
}

#[tokio::test]
async fn a_picture_is_for_everybody_and_replaces_the_one_before() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let set = async || {
        let me = stage.pictures.set_avatar(&ann, async { Ok::<_, PictureError>(png(30, 90)) }).await.unwrap();
        let url = me.user.avatar_url.unwrap();
        let id: FileId = url.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(url, path::file(id));
        id
    };
    let (first, second) = (set().await, set().await);
    assert_eq!(second.size(), (256, 256));
    assert!(!sees(&stage, &bob, first).await && sees(&stage, &bob, second).await);
    assert!(stage.pictures.show(&bob, second, true).await.unwrap().open);
    assert_eq!(stage.pictures.drop_avatar(&ann).await.unwrap().user.avatar_url, None);
    assert!(!sees(&stage, &ann, second).await);
    let guest = Caller { guest: true, ..bob };
    let refused = stage.pictures.set_avatar(&guest, async { Ok::<_, PictureError>(png(3, 3)) }).await;
    assert!(matches!(refused, Err(PictureError::Forbidden(_))));
}

#[tokio::test]
async fn bytes_go_with_what_is_forgotten() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let image = uploads(&stage, &ann, png(900, 900)).await.unwrap();
    let place = stage.folder.path().join("files");
    let kept = || walk(&place).len();
    assert_eq!(kept(), 2, "the image and its preview");
    assert_eq!(stage.pictures.prune().await.unwrap(), 0, "it may still be sent");
    assert!(crate::files::open(&FilesPlace::Folder(place.clone())).is_ok());
    stage.pictures.forget(&[image.id]).await;
    assert_eq!(kept(), 0);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() { files.extend(walk(&entry.path())) } else { files.push(entry.path()) }
    }
    files
}
