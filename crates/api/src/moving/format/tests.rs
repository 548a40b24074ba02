use super::*;
use crate::store::UserRecord;
use crate::store::archive::ArchivedEntry;
use natter_shared::account::User;
use natter_shared::entry::MessageContent;
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::text::{DisplayName, MessageBody, Username};

fn header() -> Header {
    Header {
        natter_archive: VERSION,
        id: "0123456789abcdef".to_owned(),
        made_at: Timestamp::from_millis(1_795_000_000_000),
        natter: "0.1.0".to_owned(),
        source: source("sqlite:/data/natter.db"),
    }
}

fn person(n: u8) -> Piece {
    Piece::Person(UserRecord {
        user: User {
            id: UserId::from_bytes([n; 16]),
            username: Username::parse(&format!("person{n}")).unwrap(),
            display_name: DisplayName::parse("Ann\u{301} ✨").unwrap(),
            gender: None,
            avatar_url: None,
            guest: false,
            deleted: false,
            bot: false,
        },
        email: None,
        password_hash: Some("natter1$…".to_owned()),
        created_at: Timestamp::from_millis(1_795_000_000_000),
        disabled: false,
        admin: false,
        last_login_at: None,
        deletion: None,
        integration: None,
    })
}

fn entry(seq: u64) -> Piece {
    let body = MessageBody::from_stored(format!("line {seq}\nand \"more\""));
    let content =
        MessageContent { body, reply_to: Seq::new(seq - 1), attachments: Vec::new(), to: None, mentions: Vec::new() };
    Piece::Entry(ArchivedEntry {
        room: RoomId::from_bytes([9; 16]),
        seq: Seq::new(seq).unwrap(),
        at: Timestamp::from_millis(1_795_000_000_000),
        author: UserId::from_bytes([1; 16]),
        client_id: Some(ClientId::from_bytes([2; 16])),
        what: EntryKind::Message(content),
    })
}

fn pieces() -> Vec<Piece> {
    let people = (1..=3).map(person);
    people.chain((1..=1_200).map(entry)).chain([Piece::Everybody]).collect()
}

const CENSUS: Census = Census { people: 3, logins: 0, rooms: 1, entries: 1_200 };

/// A whole archive, and where each of its members ends.
fn archive() -> (Vec<u8>, Vec<usize>) {
    let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
    let mut ends = vec![writer.output.len()];
    for piece in pieces() {
        if writer.put(&piece).unwrap() {
            ends.push(writer.output.len());
        }
    }
    writer.flush().unwrap();
    ends.push(writer.output.len());
    let bytes = writer.finish(CENSUS).unwrap();
    ends.push(bytes.len());
    (bytes, ends)
}

/// The chunks that can be read, and what comes after them.
fn read(bytes: &[u8]) -> (Vec<Chunk>, Result<Footer, Damage>) {
    let mut chunks = Vec::new();
    let mut reader = match Reader::open(bytes) {
        Ok(reader) => reader,
        Err(damage) => return (chunks, Err(damage)),
    };
    loop {
        match reader.next() {
            Ok(Member::Chunk(chunk)) => chunks.push(chunk),
            Ok(Member::End(footer)) => return (chunks, Ok(footer)),
            Err(damage) => return (chunks, Err(damage)),
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let (bytes, _) = archive();
    assert_eq!(Reader::open(&*bytes).map(|reader| reader.header).unwrap(), header());
    let (chunks, footer) = read(&bytes);
    assert_eq!(footer.unwrap().census(), CENSUS);
    assert_eq!(chunks.iter().map(|chunk| chunk.number).collect::<Vec<_>>(), [1, 2, 3]);
    let there: Vec<Piece> = chunks.iter().flat_map(|chunk| chunk.pieces().unwrap()).collect();
    assert!(there == pieces(), "other pieces");
}

/// Archives of today are read by every later version: this text may grow, and never change.
#[test]
fn the_format_stays() {
    let spelled = |piece: &Piece| serde_json::to_string(piece).unwrap();
    assert_eq!(
        spelled(&person(1)),
        r#"{"person":{"user":{"id":"01010101-0101-0101-0101-010101010101","username":"person1","display_name":"Ańn ✨","guest":false},"email":null,"password_hash":"natter1$…","created_at":"2026-11-18T11:06:40.000Z","disabled":false}}"#
            .replace("Ańn", "Ann\u{301}")
    );
    let Piece::Person(ordinary) = person(1) else { panic!("a person") };
    let last_login_at = Some(Timestamp::from_millis(1_795_000_000_000));
    let admin = spelled(&Piece::Person(UserRecord { admin: true, last_login_at, ..ordinary }));
    let more = r#""disabled":false,"admin":true,"last_login_at":"2026-11-18T11:06:40.000Z"}}"#;
    assert!(admin.ends_with(more), "{admin}");
    assert_eq!(
        spelled(&entry(2)),
        r#"{"entry":{"room":"09090909-0909-0909-0909-090909090909","seq":2,"at":"2026-11-18T11:06:40.000Z","author":"01010101-0101-0101-0101-010101010101","client_id":"02020202-0202-0202-0202-020202020202","kind":"message","body":"line 2\nand \"more\"","reply_to":1}}"#
    );
    assert_eq!(spelled(&Piece::Everybody), r#""everybody""#);
}

#[test]
fn a_file_that_is_cut_is_good_up_to_there_and_not_whole() {
    let (bytes, ends) = archive();
    for (whole, end) in ends.iter().enumerate() {
        let before = ends.get(whole.wrapping_sub(1)).copied().unwrap_or(0);
        for cut in [*end, end - 1, end - 8, (before + end) / 2, before + 11, before + 1] {
            if cut == bytes.len() {
                continue;
            }
            let (chunks, damage) = read(&bytes[..cut]);
            assert_eq!(damage, Err(Damage::Cut), "cut at {cut}");
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(chunks.len(), whole.saturating_sub(1), "cut at {cut}");
            assert!(chunks.iter().all(|chunk| chunk.pieces().is_ok()));
        }
    }
    assert_eq!(read(&[]).1, Err(Damage::Foreign));
}

#[test]
fn a_flipped_bit_is_noticed() {
    let (bytes, ends) = archive();
    let last = ends[ends.len() - 2];
    for at in (0..bytes.len()).filter(|at| at % 61 == 0 || ends.iter().any(|end| at.abs_diff(*end) < 12)) {
        // Nothing vouches for what says nothing: a flag, the time and the system in the last member's gzip header, and the
        // bits that fill up the last byte before its check sum.
        if (last + 3..last + 10).contains(&at) || at == bytes.len() - 9 {
            continue;
        }
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            assert!(read(&changed).1.is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn members_that_are_gone_or_too_many_are_noticed() {
    let (bytes, ends) = archive();
    let without = [&bytes[..ends[0]], &bytes[ends[1]..]].concat();
    assert!(matches!(read(&without).1, Err(Damage::Damaged(_))));
    let twice = [&bytes[..ends[1]], &bytes[ends[0]..]].concat();
    assert!(matches!(read(&twice).1, Err(Damage::Damaged(_))));
    let longer = [&bytes[..], &bytes[ends[0]..ends[1]]].concat();
    assert!(matches!(read(&longer).1, Err(Damage::Damaged(_))));
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(read(&longer).1, Err(Damage::Damaged(_))));
}

/// A gzip member of any text.
fn zipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_no_archive_or_a_newer_one_is_told_apart() {
    for foreign in [&b"Dear diary, today"[..], &zipped("Dear diary"), &zipped("{\"a\":1}\n"), &[0; 64]] {
        assert_eq!(read(foreign).1, Err(Damage::Foreign));
    }
    let newer = zipped("{\"natter_archive\":3,\"whatever\":{\"comes\":\"then\"}}\n");
    assert_eq!(read(&newer).1, Err(Damage::Newer { found: 3 }));
    assert!(Damage::Newer { found: 3 }.to_string().contains("newer Natter"));
}

#[test]
fn an_entry_of_a_kind_that_is_not_known_is_refused() {
    let known = serde_json::to_string(&entry(1)).unwrap();
    assert!(piece(known.as_bytes(), 1).is_ok());
    let unknown = known.replace("\"kind\":\"message\"", "\"kind\":\"sung\"");
    assert!(matches!(piece(unknown.as_bytes(), 1), Err(Damage::Damaged(_))));
}
