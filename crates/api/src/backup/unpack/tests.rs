//! What was packed is read again, and nothing else is.

use super::*;
use crate::backup::pack::Packer;
use crate::backup::seal::{Recipients, keygen};
use natter_shared::timestamp::Timestamp;

const IMAGE: &str = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";

fn of(archive: &[u8]) -> Manifest {
    Manifest {
        natter_backup: VERSION,
        made_at: Timestamp::from_millis(1_795_000_000_123),
        natter: "0.1.0".to_owned(),
        source: "ab".repeat(16),
        archive_bytes: u64::try_from(archive.len()).unwrap(),
        people: 3,
        logins: 4,
        rooms: 5,
        entries: 6,
        keys: vec!["01234567".to_owned()],
        images: 1,
        image_bytes: 905,
    }
}

fn some_bytes(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|n| (n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).wrapping_mul(7).wrapping_add(seed)).collect()
}

fn packed(recipients: &Recipients, archive: &[u8]) -> Vec<u8> {
    let mut packer = Packer::begin(recipients, &of(archive)).unwrap();
    packer.archive(u64::try_from(archive.len()).unwrap()).unwrap();
    let mut out = packer.take();
    for piece in archive.chunks(1_000) {
        packer.put(piece).unwrap();
        out.extend(packer.take());
    }
    for (name, length) in [(IMAGE.to_owned(), 900), (format!("{IMAGE}.preview"), 5)] {
        packer.image(&name, length).unwrap();
        packer.put(&some_bytes(usize::try_from(length).unwrap(), 9)).unwrap();
    }
    packer.missing();
    let (end, last) = packer.finish().unwrap();
    assert_eq!((end.files, end.file_bytes, end.missing), (2, 905, 1));
    out.extend(last);
    out
}

/// What is read, as far as it goes, and how that ends.
type Seen = (Vec<u8>, Vec<(String, Vec<u8>)>);

fn read(bytes: &[u8], identities: Option<&Identities>) -> (Seen, Result<(Manifest, End), Damage>) {
    let (mut archive, mut images) = (Vec::new(), Vec::new());
    let mut take = |part: Part<'_>| {
        match part {
            Part::Archive(piece) => archive.extend_from_slice(piece),
            Part::Image(name, bytes) => images.push((name.to_owned(), bytes)),
        }
        Ok(())
    };
    let ended = unpack(bytes, identities, &mut take);
    ((archive, images), ended)
}

fn keys() -> (Recipients, Identities) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let public = keygen(&path, Timestamp::from_millis(0)).unwrap();
    (Recipients::parse(&public).unwrap(), Identities::read(&path).unwrap())
}

#[test]
fn what_was_packed_is_read_again() {
    let (recipients, identities) = keys();
    for length in [0, 1, 511, 512, 513, 700_000] {
        let archive = some_bytes(length, 3);
        for (to, by) in [(Recipients::default(), None), (recipients.clone(), Some(&identities))] {
            let ((read_archive, images), ended) = read(&packed(&to, &archive), by);
            let (manifest, end) = ended.unwrap();
            assert_eq!((manifest, read_archive), (of(&archive), archive.clone()));
            assert_eq!(end.missing, 1);
            let expected = [(IMAGE.to_owned(), some_bytes(900, 9)), (format!("{IMAGE}.preview"), some_bytes(5, 9))];
            assert_eq!(images, expected);
        }
    }
}

#[test]
fn no_byte_can_be_changed_cut_or_added() {
    let (recipients, identities) = keys();
    let archive = some_bytes(1_500, 3);
    for (to, by) in [(Recipients::default(), None), (recipients, Some(&identities))] {
        let whole = packed(&to, &archive);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x04;
            assert!(read(&flipped, by).1.is_err(), "the byte at {at} of {} was changed", whole.len());
            if at % 7 == 0 {
                assert!(read(&whole[..at], by).1.is_err(), "cut at {at}");
            }
        }
        for more in [vec![0], vec![0; BLOCK], b"more".to_vec()] {
            assert!(read(&[&whole[..], &more].concat(), by).1.is_err());
        }
        assert!(read(&whole, by).1.is_ok(), "the test itself reads well");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let (recipients, identities) = keys();
    let (_, others) = keys();
    let archive = some_bytes(3_000, 3);
    let sealed = packed(&recipients, &archive);
    let plain = packed(&Recipients::default(), &archive);
    let said = |bytes: &[u8], by: Option<&Identities>| read(bytes, by).1.unwrap_err().to_string();
    assert!(said(&sealed, None).contains("--identity FILE"));
    assert!(said(&sealed, Some(&others)).contains("another key"));
    assert!(said(&plain[..plain.len() - 1], None).contains("cut short"));
    let mut flipped = plain.clone();
    flipped[2_000] ^= 1;
    assert!(said(&flipped, None).contains("is damaged"), "{}", said(&flipped, None));
    let mut flipped = sealed.clone();
    flipped[2_000] ^= 1;
    assert!(said(&flipped, Some(&identities)).contains("is damaged"), "{}", said(&flipped, Some(&identities)));
    for foreign in [&b""[..], b"Dear diary", &[0x1f; 5_000]] {
        assert!(said(foreign, None).contains("is no backup"));
    }
    let newer = Manifest { natter_backup: VERSION + 1, ..of(&archive) };
    let mut packer = Packer::begin(&Recipients::default(), &newer).unwrap();
    assert!(said(&packer.take(), None).contains("newer Natter"));
}

#[test]
fn a_name_that_is_no_images_is_never_handed_out() {
    for name in ["../../etc/passwd", "secret", "0B8E1A5C-7D3F-4A61-9D7E-2F6F0A9C1B22", &format!("{IMAGE}.exe")] {
        let mut packer = Packer::begin(&Recipients::default(), &of(b"")).unwrap();
        packer.archive(0).unwrap();
        // The tar itself refuses to leave its folder.
        if packer.image(name, 3).is_err() {
            continue;
        }
        packer.put(b"abc").unwrap();
        let mut bytes = packer.take();
        bytes.extend(packer.finish().unwrap().1);
        let ((_, images), ended) = read(&bytes, None);
        assert!(images.is_empty() && matches!(ended, Err(Damage::Damaged(_))), "{name}");
    }
}

#[test]
fn a_part_must_be_as_long_as_it_was_said_to_be() {
    let mut packer = Packer::begin(&Recipients::default(), &of(b"")).unwrap();
    packer.archive(3).unwrap();
    assert!(packer.put(b"abcd").is_err());
    packer.put(b"ab").unwrap();
    assert!(packer.image(IMAGE, 1).is_err());
    assert!(packer.finish().is_err());
}

/// The tools of tar read one too.
#[test]
fn a_backup_is_a_tar() {
    let archive = some_bytes(3_000, 3);
    let bytes = packed(&Recipients::default(), &archive);
    let mut tar = tar::Archive::new(&bytes[..]);
    let names: Vec<String> =
        tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    let preview = format!("{IMAGES}{IMAGE}.preview");
    assert_eq!(names, [MANIFEST, ARCHIVE, &format!("{IMAGES}{IMAGE}"), &preview, END]);
}
