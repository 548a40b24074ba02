//! Images as browsers and strangers send them: what is taken, who may see it, with which headers, and every hostile file.

use crate::support::{Server, also_on_a_cluster, form, picture};
use natter_shared::account::Me;
use natter_shared::entry::EntryKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::FileId;
use natter_shared::limits::{ATTACHMENTS_MAX, AVATAR_MAX_BYTES, IMAGE_MAX_BYTES};
use natter_shared::path;
use reqwest::Method;

also_on_a_cluster! {
    an_image_goes_from_one_browser_to_another,
    a_picture_of_ones_own_is_seen_by_others,
    hostile_files_are_refused_and_change_nothing,
    the_twenty_first_image_in_an_hour_waits,
}

#[tokio::test]
async fn an_image_goes_from_one_browser_to_another() {
    let server = Server::start();
    let (ann, bob, eve) = (server.person("ann").await, server.person("bob").await, server.person("eve").await);
    let room = ann.makes_room("garden", "private").await;
    ann.lets_in(&bob, room.id).await;
    let mut socket = bob.connects().await;
    let sent = ann.uploads(picture(1_200, 800)).await;
    assert_eq!((sent.width, sent.height, sent.url.as_str()), (1_200, 800, path::file(sent.id).as_str()));
    let entry = ann.shows(room.id, &[sent.id], "").await;
    let heard = |frame: &ServerFrame| match frame {
        ServerFrame::Entries { entries, .. } => entries.iter().find(|it| it.seq == entry.seq).map(|it| it.what.clone()),
        _ => None,
    };
    assert!(matches!(socket.until(heard).await, EntryKind::Message(it) if it.attachments == [sent.id]));

    let (status, headers, bytes) = bob.looks_at(&sent.url, None).await;
    assert_eq!(status, 200);
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (1_200, 800));
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin");
    assert_eq!(header("content-disposition"), "inline");
    assert!(header("content-security-policy").contains("sandbox"));
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert!(header("content-type").starts_with("image/"));
    assert_eq!(header("cache-control"), "private, no-cache");
    assert_eq!(header("content-length"), bytes.len().to_string());

    let (status, _, small) = bob.looks_at(&path::file_preview(sent.id), None).await;
    assert_eq!((status.as_u16(), image::load_from_memory(&small).unwrap().width()), (200, 720));
    let (status, _, nothing) = bob.looks_at(&sent.url, Some(&header("etag"))).await;
    assert_eq!((status.as_u16(), nothing.len()), (304, 0));

    let unknown = FileId::of_picture([3; 16], (1, 1));
    let stranger = eve.get(&sent.url).await.refused(404, "not_found");
    let nobody = eve.get(&path::file(unknown)).await.refused(404, "not_found");
    assert_eq!(stranger.json()["error"]["message"], nobody.json()["error"]["message"]);
    server.stranger().get(&sent.url).await.refused(401, "not_signed_in");
    let (status, ..) = eve.looks_at(&sent.url, Some(&header("etag"))).await;
    assert_eq!(status, 404, "who may not see it is not told that it is still good");

    ann.delete(&path::message(room.id, entry.seq)).await.expect(200);
    for person in [&ann, &bob] {
        person.get(&sent.url).await.refused(404, "not_found");
    }
    let deleted = &bob.history(room.id, "").await.messages[0];
    assert!(deleted.deleted && deleted.content.attachments.is_empty());
}

#[tokio::test]
async fn a_picture_of_ones_own_is_seen_by_others() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let me: Me = ann.sends(Method::PUT, path::AVATAR, "image/png", picture(700, 300)).await.expect(200).read();
    let url = me.user.avatar_url.expect("a picture");
    let (status, headers, bytes) = bob.looks_at(&url, None).await;
    assert_eq!(status, 200);
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (256, 256));
    let shown = bob.get(&path::user(&me.user.username)).await.expect(200).json();
    assert_eq!(shown["avatar_url"], url);
    let room = ann.makes_room("garden", "public").await;
    assert_eq!(ann.says(room.id, "hello").await.author.avatar_url.as_ref(), Some(&url));
    let me: Me = ann.delete(path::AVATAR).await.expect(200).read();
    assert_eq!(me.user.avatar_url, None);
    bob.get(&url).await.refused(404, "not_found");
    server.stranger().sends(Method::PUT, path::AVATAR, "image/png", picture(7, 3)).await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn hostile_files_are_refused_and_change_nothing() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "private").await;
    let png = picture(40, 40);
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice();
    let html = [b"\x89PNG\r\n\x1a\n".as_slice(), b"<script>alert(1)</script>"].concat();
    for bytes in [b"".as_slice(), svg, &html, b"GIF89a=1;alert(1)", &png[..60], b"%PDF-1.4", &[0; 5000]] {
        let refused = ann.tries_to_upload(bytes).await.refused(400, "invalid");
        assert!(refused.json()["error"]["fields"]["file"].is_string(), "{}", refused.text);
        ann.sends(Method::PUT, path::AVATAR, "image/png", bytes.to_vec()).await.refused(400, "invalid");
    }
    // Whatever it is called, it is what its bytes say.
    for name in ["../../etc/passwd", "a\\u0000.png", &"x".repeat(5_000), "%22; rm -rf", "x.html", ""] {
        let (kind, body) = form("file", name, &png);
        let answer = ann.sends(Method::POST, path::FILES, &kind, body).await;
        assert!([201, 400].contains(&answer.status.as_u16()), "{name}: {} {}", answer.status, answer.text);
        assert!(!answer.text.contains("passwd"));
    }
    let too_large = vec![7; IMAGE_MAX_BYTES + 1];
    ann.tries_to_upload(&too_large).await.refused(413, "too_large");
    ann.sends(Method::PUT, path::AVATAR, "image/png", vec![7; AVATAR_MAX_BYTES + 1]).await.refused(413, "too_large");

    let (kind, body) = form("file", "a.png", &png);
    ann.sends(Method::POST, path::FILES, "text/html", body.clone()).await.refused(415, "unsupported_media_type");
    ann.sends(Method::POST, path::FILES, "multipart/form-data", body.clone())
        .await
        .refused(415, "unsupported_media_type");
    ann.sends(Method::PUT, path::AVATAR, "text/html", png.clone()).await.refused(415, "unsupported_media_type");
    let (_, other) = form("picture", "a.png", &png);
    let twice = [&body[..body.len() - 4], b"\r\n".as_slice(), &body[..]].concat();
    let without_end = body[..body.len() - 30].to_vec();
    let nested =
        String::from_utf8_lossy(&form("file", "a", b"x").1).replace("image/png", "multipart/mixed; boundary=b");
    let many = "------border7MA4YWxk\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(10_000);
    for bad in [other, twice, without_end, nested.into_bytes(), many.into_bytes(), b"nothing of the kind".to_vec()] {
        let answer = ann.sends(Method::POST, path::FILES, &kind, bad).await;
        assert_eq!(answer.status.as_u16(), 400, "{}", answer.text);
    }

    let images: Vec<FileId> =
        (0..=ATTACHMENTS_MAX).map(|n| FileId::from_bytes([u8::try_from(n).unwrap(); 16])).collect();
    ann.tries_to_show(room.id, &images, "too many").await.refused(400, "invalid");
    ann.tries_to_show(room.id, &images[..1], "not there").await.refused(400, "invalid");
    ann.tries_to_show(room.id, &[], "").await.refused(400, "invalid");
    assert!(ann.history(room.id, "").await.messages.is_empty());
    for bad in ["null", "..", "%2e%2e%2fsecret", "0b8e1a5c7d3f4a619d7e2f6f0a9c1b22"] {
        ann.get(&format!("{}/{bad}", path::FILES)).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn the_twenty_first_image_in_an_hour_waits() {
    let server = Server::with(&[("NATTER_RATE_LIMITS", "on")]);
    let ann = server.person("ann").await;
    let png = picture(3, 3);
    for _ in 0..20 {
        ann.uploads(png.clone()).await;
    }
    let refused = ann.tries_to_upload(&png).await.refused(429, "rate_limited");
    assert!(refused.headers.contains_key("retry-after"));
}
