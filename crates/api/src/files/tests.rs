//! What every place of images promises, on a folder, and on a bucket if `NATTER_TEST_S3` names one: `id secret endpoint bucket`.

use super::place::Access;
use super::{Files, FilesPlace, LargeBucket, open};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use std::sync::Arc;

async fn text(files: &dyn Files, name: &str) -> Option<(u64, Vec<u8>)> {
    let opened = files.open(name).await.unwrap()?;
    let parts: Vec<Bytes> = opened.bytes.try_collect().await.unwrap();
    Some((opened.size, parts.concat()))
}

async fn keeps_its_promises(files: &dyn Files) {
    let name = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";
    assert_eq!(text(files, name).await, None);
    let large: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[0]).collect();
    files.put(name, Bytes::from(large.clone())).await.unwrap();
    files.put(&format!("{name}.preview"), Bytes::from_static(b"small")).await.unwrap();
    assert_eq!(text(files, name).await, Some((300_000, large)));
    assert_eq!(text(files, &format!("{name}.preview")).await, Some((5, b"small".to_vec())));
    let mut all: Vec<(String, u64)> = files.all().try_collect().await.unwrap();
    all.sort_unstable();
    assert_eq!(all, [(name.to_owned(), 300_000), (format!("{name}.preview"), 5)]);
    files.delete(name).await.unwrap();
    files.delete(name).await.unwrap();
    assert_eq!(text(files, name).await, None);
    assert_eq!(text(files, &format!("{name}.preview")).await, Some((5, b"small".to_vec())));
    files.delete(&format!("{name}.preview")).await.unwrap();
    assert!(files.all().next().await.is_none());
}

#[test]
fn a_prefix_of_several_folders_is_several_folders() {
    assert_eq!(super::spread("", "0b8e").as_ref(), "0b/0b8e");
    assert_eq!(super::spread("some/where", "0b8e").as_ref(), "some/where/0b/0b8e");
}

#[tokio::test]
async fn a_folder_keeps_bytes_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = FilesPlace::Folder(folder.path().join("not/there/yet"));
    keeps_its_promises(&*open(&place).unwrap()).await;
    let again: Arc<dyn Files> = open(&place).unwrap();
    again.put("ab", Bytes::from_static(b"kept")).await.unwrap();
    assert_eq!(text(&*open(&place).unwrap(), "ab").await, Some((4, b"kept".to_vec())));
}

#[tokio::test]
#[ignore = "needs a bucket: NATTER_TEST_S3"]
async fn a_bucket_keeps_bytes_by_name() {
    let named = std::env::var("NATTER_TEST_S3").expect("NATTER_TEST_S3: id secret endpoint bucket");
    let [id, secret, endpoint, bucket] = named.split(' ').collect::<Vec<_>>().try_into().expect("four words");
    let place = FilesPlace::S3 {
        bucket: bucket.to_owned(),
        prefix: "some/where".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        access: Access { id: id.to_owned(), secret: secret.to_owned() },
    };
    keeps_its_promises(&*open(&place).unwrap()).await;

    let large = LargeBucket::open(&place).unwrap().unwrap();
    let name = "natter-test.large";
    let bytes: Vec<u8> = (0..12_000_000u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut given_up = large.begin(name, 0).await.unwrap();
    given_up.put(&bytes).await.unwrap();
    given_up.discard().await;
    assert_eq!(large.size(name).await.unwrap(), None, "what was given up is not there");
    let mut upload = large.begin(name, 0).await.unwrap();
    for some in bytes.chunks(700_000) {
        upload.put(some).await.unwrap();
    }
    assert_eq!(large.size(name).await.unwrap(), None, "it appears when it is whole");
    upload.finish().await.unwrap();
    assert_eq!(large.size(name).await.unwrap(), Some(12_000_000));
    assert_eq!(large.range(name, 9_000_000..9_000_100).await.unwrap(), bytes[9_000_000..9_000_100]);
    assert_eq!(large.all().await.unwrap(), [(name.to_owned(), 12_000_000)]);
    large.delete(name).await.unwrap();
    large.delete(name).await.unwrap();
    assert_eq!(large.size(name).await.unwrap(), None);
}
