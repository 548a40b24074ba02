//! Moving between real stores: everything is there afterwards, also if the one moved out of is in use, and if the move is
//! ended in its middle.

mod busy;
mod interrupted;
mod same;

use super::export::export;
use super::format::{Header, VERSION};
use super::import::{check, import};
use super::{MoveError, Step};
use crate::clock::{SystemEntropy, random};
use crate::store::archive::{Archive, Census};
use crate::store::conformance::script::live;
use crate::store::conformance::{Dice, World, body, emoji, message, reply, whisper};
use crate::store::mongo::{Mongo, MongoUrl};
use crate::store::sqlite::{Options, Sqlite};
use crate::store::{
    Appended, CreatedUser, EventSearch, Events, IntegrationRecord, Log, NewEntry, NewMark, NewSession, NewUser, Posted,
    Rotate, Rotation, UploadRecord,
};
use natter_shared::account::{Gender, ProfileChange, User};
use natter_shared::entry::{EntryKind, MessageContent};
use natter_shared::event::{Event, EventKind};
use natter_shared::file::ImageKind;
use natter_shared::id::{ClientId, EventId, FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::integration::{IntegrationKind, Scope, Scopes};
use natter_shared::room::{Notify, Role, Visibility};
use natter_shared::text::{DisplayName, MessageBody, RoomName, Topic};
use natter_shared::timestamp::Timestamp;
use same::same;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A store with a folder of its own.
struct Place {
    world: World,
    store: Arc<Sqlite>,
    folder: Arc<TempDir>,
}

impl Place {
    fn new() -> Self {
        Self::at(Arc::new(TempDir::new().unwrap()))
    }

    fn at(folder: Arc<TempDir>) -> Self {
        let store = Arc::new(Sqlite::open(folder.path().join("natter.db"), Options::default()).unwrap());
        Self { world: World::new(Arc::<Sqlite>::clone(&store), Arc::clone(&folder)), store, folder }
    }

    /// Closes the store and opens it again, as another process would.
    async fn reopened(self) -> Self {
        let Self { world, store, folder } = self;
        drop(world);
        store.close().await;
        Self::at(folder)
    }
}

fn new_header(of: &str) -> Header {
    let id = format!("{:016x}", u64::from_be_bytes(random(&SystemEntropy)));
    super::new_header(id, Timestamp::from_millis(1_795_000_000_000), of)
}

async fn written(store: &dyn Archive, file: &Path) -> Census {
    export(store, file, new_header("a"), &mut |_| ()).await.unwrap()
}

/// Fills an empty store.
async fn filled(store: &dyn Archive, file: &Path) {
    assert!(!import(store, &check(file).unwrap(), &mut |_| ()).await.unwrap(), "it was there before");
}

/// The hash of the secret of the town's bot.
const SECRET: [u8; 32] = [0xB0; 32];

/// Who and what was made in a world.
struct Town {
    people: Vec<User>,
    rooms: Vec<RoomId>,
    logins: Vec<SessionId>,
    images: Vec<FileId>,
    /// Somebody whose account was deleted.
    gone: UserId,
}

/// The hash of the token of a login at a generation.
fn token(login: usize, generation: u32) -> [u8; 32] {
    [u8::try_from(login * 16).unwrap() + u8::try_from(generation).unwrap(); 32]
}

fn name(text: &str) -> EntryKind {
    EntryKind::Renamed { name: RoomName::parse(text).unwrap() }
}

/// An image in a message, alone in it, and a picture of somebody's own.
async fn images(world: &World, room: RoomId, ann: &User) -> Vec<FileId> {
    let store = &world.store;
    let picture = UploadRecord {
        id: FileId::of_picture(world.fresh(), (640, 480)),
        owner: ann.id,
        kind: ImageKind::Jpeg,
        preview: Some(ImageKind::Png),
        bytes: 12_345,
        created_at: world.now(),
        avatar: false,
        posted: None,
    };
    store.add_upload(picture.clone()).await.unwrap();
    let client_id = ClientId::from_bytes(world.fresh());
    assert!(store.post_uploads(&[picture.id], ann.id, Posted { room, client_id }).await.unwrap());
    // An image without a word beside it is no deleted message.
    let content = MessageContent {
        body: MessageBody::parse_caption("").unwrap(),
        reply_to: None,
        attachments: vec![picture.id],
        to: None,
        mentions: Vec::new(),
    };
    let alone = EntryKind::Message(content);
    world.append(NewEntry { client_id: Some(client_id), ..world.entry(room, ann, alone) }).await;
    let avatar = UploadRecord { id: FileId::of_picture(world.fresh(), (256, 256)), avatar: true, ..picture.clone() };
    store.add_upload(avatar.clone()).await.unwrap();
    vec![picture.id, avatar.id]
}

/// A program, which was used and revoked: what it is goes along.
async fn program(world: &World, room: RoomId, made_by: UserId) -> User {
    let store = &world.store;
    let integration = IntegrationRecord {
        room,
        kind: IntegrationKind::Bot,
        scopes: Scopes::from(vec![Scope::MessagesRead, Scope::MessagesWrite]),
        secret: SECRET,
        made_by,
        last_used_at: None,
        revoked_at: None,
    };
    let new = NewUser { integration: Some(integration), password_hash: None, ..world.new_user("bot-1") };
    let CreatedUser::Created(bot) = store.create_user(new).await.unwrap() else { panic!("taken") };
    world.does(room, &bot, EntryKind::Joined).await;
    world.says(room, &bot, "word4 of a program").await;
    store.touch_integration(bot.id, world.now()).await.unwrap();
    store.revoke_integration(bot.id, world.now()).await.unwrap();
    bot
}

/// A little of everything that a store can hold.
async fn town(world: &World) -> Town {
    let mut people = Vec::new();
    for name in ["ann", "bob", "cid", "dora", "eve", "finn"] {
        people.push(world.person(name).await);
    }
    let store = &world.store;
    let shown = DisplayName::parse("Ann of the Lake").unwrap();
    let change = ProfileChange { display_name: Some(shown), email: None, gender: Some(Gender::Female) };
    people[0] = store.update_profile(people[0].id, &change).await.unwrap().unwrap().user;

    let lobby = world.room("Lobby", &people.iter().collect::<Vec<_>>()).await.id;
    live(world, lobby, &people, &mut Dice::new(7), 250).await;

    let [ann, bob, cid, dora, ..] = &people[..] else { unreachable!() };
    let cellar = world.room("Cellar", &[ann, bob, cid, dora]).await.id;
    let first = world.says(cellar, bob, "word1 at the beginning").await;
    world.does(cellar, cid, reply("reply1", first.seq)).await;
    let secret = world.does(cellar, ann, whisper("whisper1", bob)).await;
    world.does(cellar, bob, EntryKind::Reacted { target: secret.seq, emoji: emoji("👍") }).await;
    world.does(cellar, ann, EntryKind::Role { user: bob.id, role: Role::Admin }).await;
    world.does(cellar, bob, EntryKind::Removed { user: cid.id, banned: true }).await;
    world.does(cellar, bob, EntryKind::Removed { user: dora.id, banned: false }).await;
    world.does(cellar, ann, name("The Cellar")).await;
    world.does(cellar, ann, EntryKind::Topic { topic: Topic::parse("wine").unwrap() }).await;
    world.does(cellar, ann, EntryKind::Visibility { visibility: Visibility::Private }).await;
    store.set_code(cellar, None).await.unwrap();
    let images = images(world, cellar, ann).await;
    let archived = world.room("Old times", &[ann, dora]).await.id;
    world.says(archived, dora, "word2 and goodbye").await;
    world.does(archived, ann, EntryKind::Archived { archived: true }).await;

    let mut rooms = vec![lobby, cellar, archived];
    for (a, b) in [(ann, bob), (bob, cid), (ann, ann)] {
        let id = RoomId::from_bytes(world.fresh());
        rooms.push(store.direct(a.id, b.id, id, world.now()).await.unwrap().0.id);
    }
    let hello = world.says(rooms[3], ann, "word3 between two").await;
    world.does(rooms[3], bob, EntryKind::edited(world.says(rooms[3], bob, "tpyo").await.seq, body("typo"))).await;
    store.set_notify(lobby, bob.id, Notify::Mentions).await.unwrap();
    store.set_notify(rooms[3], ann.id, Notify::Nothing).await.unwrap();
    let gus = world.person("gus").await;
    world.does(lobby, &gus, EntryKind::Joined).await;
    world.says(lobby, &gus, "word4 before I go").await;
    let closed = RoomId::from_bytes(world.fresh());
    rooms.push(store.direct(bob.id, gus.id, closed, world.now()).await.unwrap().0.id);
    store.erase_person(gus.id).await.unwrap();
    world.does(closed, &gus, EntryKind::Archived { archived: true }).await;
    for (room, user) in [(lobby, bob.id), (cellar, bob.id), (rooms[3], ann.id)] {
        store
            .raise_marks(vec![NewMark { room, user, delivered: hello.seq.forward(5), read: hello.seq }])
            .await
            .unwrap();
    }
    let bot = program(world, lobby, people[0].id).await;
    people.push(bot);

    let happened = |n: usize| Event {
        id: EventId::from_bytes(world.fresh()),
        at: Timestamp::from_millis(1_900_000_000_000 + i64::try_from(n / 3).unwrap()),
        kind: EventKind::ALL[n % EventKind::ALL.len()],
        user: Some(people[n % 3].id),
        other: None,
        room: Some(lobby),
        session: None,
        ip: Some("2001:db8::7".to_owned()),
        what: None,
        count: 1,
    };
    // More than are read at once, three in each moment.
    store.append_events((0..1_300).map(happened).collect()).await.unwrap();

    let mut logins = Vec::new();
    for (n, person) in people.iter().take(3).enumerate() {
        let login = NewSession {
            id: SessionId::from_bytes(world.fresh()),
            user: person.id,
            created_at: world.now(),
            expires_at: world.now().plus_millis(86_400_000),
            user_agent: "Firefox".to_owned(),
            token: token(n, 0),
        };
        logins.push(login.id);
        store.create_session(login).await.unwrap();
        assert_eq!(
            store.rotate(rotation(logins[n], n, 0, world.now())).await.unwrap(),
            Rotation::Rotated { generation: 1 }
        );
    }
    Town { people, rooms, logins, images, gone: gus.id }
}

/// Shows the token of a generation.
fn rotation(id: SessionId, login: usize, generation: u32, now: Timestamp) -> Rotate {
    let (presented, next) = (token(login, generation), token(login, generation + 1));
    Rotate { id, presented, generation, next, was_ours: true, now, grace_ms: 10_000 }
}

/// Life goes on where it stood: people stay signed in, a repeat is known, and an entry gets the next seq.
async fn goes_on(before: &World, after: &World, town: &Town) {
    for (n, login) in town.logins.iter().enumerate() {
        let now = before.now();
        let again = after.store.rotate(rotation(*login, n, 0, now)).await.unwrap();
        assert_eq!(again, Rotation::Again { generation: 1 }, "the answer was lost in the move");
        let next = after.store.rotate(rotation(*login, n, 1, now)).await.unwrap();
        assert_eq!(next, Rotation::Rotated { generation: 2 });
    }
    let ann = &town.people[0];
    for room in [town.rooms[1], town.rooms[3], town.rooms[5]] {
        let log = before.log(room).await;
        let head = log.last().map_or(Seq::ZERO, |last| last.seq);
        let said = message("word9 said after the move");
        let new = after.append(before.entry(room, ann, said)).await;
        assert!(matches!(&new, Appended::New(entry) if entry.seq == head.next()), "{new:?}");
        if let Some(sent) = log.iter().find(|entry| entry.client_id.is_some() && entry.author.id == ann.id) {
            let mut repeat = before.entry(room, ann, message("another text"));
            repeat.client_id = sent.client_id;
            assert_eq!(after.append(repeat).await, Appended::Again(sent.clone()));
        }
    }
    live(after, town.rooms[0], &town.people, &mut Dice::new(8), 20).await;
    same::view_equals_log(after, town.rooms[0], &town.people).await;
}

#[tokio::test]
async fn everything_moves_from_file_to_file() {
    let (old, new) = (Place::new(), Place::new());
    let town = town(&old.world).await;
    let file = old.folder.path().join("move.natter");
    let census = written(&*old.store, &file).await;
    assert_eq!(census.rooms, 7);
    assert_eq!((census.people, census.logins), (8, 3));
    filled(&*new.store, &file).await;
    same(&old.world, &new.world, &town).await;

    // A second time changes nothing, and another archive has no place.
    assert!(import(&*new.store, &check(&file).unwrap(), &mut |_| ()).await.unwrap());
    let other = old.folder.path().join("other.natter");
    written(&*old.store, &other).await;
    let refused = import(&*new.store, &check(&other).unwrap(), &mut |_| ()).await;
    assert!(matches!(refused, Err(MoveError::HoldsOther)));
    let refused = import(&*old.store, &check(&file).unwrap(), &mut |_| ()).await;
    assert!(matches!(refused, Err(MoveError::HoldsOther)), "a store that was never empty");
    same(&old.world, &new.world, &town).await;

    let new = new.reopened().await;
    same(&old.world, &new.world, &town).await;
    goes_on(&old.world, &new.world, &town).await;
}

/// What Natter wrote before the log of events went along.
#[tokio::test]
async fn an_archive_of_the_first_version_is_taken() {
    let (old, new) = (Place::new(), Place::new());
    let town = town(&old.world).await;
    let before = old.store.events(EventSearch { limit: 2_000, ..EventSearch::default() }).await.unwrap();
    assert_eq!(old.store.prune_events(old.world.now()).await.unwrap(), u64::try_from(before.len()).unwrap());
    let file = old.folder.path().join("move.natter");
    let header = Header { natter_archive: 1, ..new_header("a") };
    export(&*old.store, &file, header, &mut |_| ()).await.unwrap();
    assert_eq!(check(&file).unwrap().header.natter_archive, 1);
    filled(&*new.store, &file).await;
    same(&old.world, &new.world, &town).await;
}

#[tokio::test]
async fn an_export_that_an_older_natter_began_is_begun_anew() {
    let old = Place::new();
    interrupted::long_town(&old.world, 16).await;
    let file = old.folder.path().join("move.natter");
    let older = Header { natter_archive: 1, ..new_header("a") };
    interrupted::ends_after(2, async |tell| export(&*old.store, &file, older, tell).await.map(drop)).await;
    let new = new_header("a");
    let id = new.id.clone();
    export(&*old.store, &file, new, &mut |_| ()).await.unwrap();
    let header = check(&file).unwrap().header;
    assert_eq!((header.natter_archive, header.id), (VERSION, id));
}

#[tokio::test]
async fn an_empty_store_moves_too() {
    let (old, new) = (Place::new(), Place::new());
    let file = old.folder.path().join("move.natter");
    assert_eq!(written(&*old.store, &file).await, Census::default());
    filled(&*new.store, &file).await;
    new.world.person("ann").await;
}

#[tokio::test]
async fn a_file_that_is_not_whole_changes_nothing() {
    let (old, new) = (Place::new(), Place::new());
    town(&old.world).await;
    let file = old.folder.path().join("move.natter");
    written(&*old.store, &file).await;
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let error = check(&file).err().unwrap();
    assert!(error.to_string().contains("move.natter is cut short"), "{error}");
    assert_eq!(new.store.census().await.unwrap(), Census::default());
    assert!(!new.store.is_half_imported().await.unwrap());
    let error = check(&old.folder.path().join("nothing")).err().unwrap();
    assert!(error.is_an_argument(), "{error}");
}

/// Through the other store and back: what comes out of it is what went in.
#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn everything_moves_to_mongodb_and_back() {
    let server = std::env::var("NATTER_TEST_MONGODB").expect("NATTER_TEST_MONGODB is the address of a MongoDB");
    let (hosts, options) = server.split_once("/?").unwrap_or((server.trim_end_matches('/'), ""));
    let unique = u64::from_be_bytes(random(&SystemEntropy));
    let url = MongoUrl::parse(&format!("{hosts}/natter_test_{unique:016x}?{options}")).unwrap();
    let mongo = Mongo::open(&url).await.unwrap();

    let (old, new) = (Place::new(), Place::new());
    let town = interrupted::long_town(&old.world, 4).await;
    let there = old.folder.path().join("there.natter");
    written(&*old.store, &there).await;
    assert!(check(&there).unwrap().footer.chunks >= 3, "too few to end it in the middle");
    // Ended in its middle, and begun again.
    interrupted::ends_after(1, async |tell| import(&mongo, &check(&there).unwrap(), tell).await.map(drop)).await;
    assert!(mongo.is_half_imported().await.unwrap());
    filled(&mongo, &there).await;
    assert!(!mongo.is_half_imported().await.unwrap());
    assert!(import(&mongo, &check(&there).unwrap(), &mut |_| ()).await.unwrap());

    // A store is searched, paged and read in the same way, whichever it is.
    same::same_logs(&*old.store, &mongo, &town).await;
    let back = old.folder.path().join("back.natter");
    written(&mongo, &back).await;
    filled(&*new.store, &back).await;
    same(&old.world, &new.world, &town).await;

    // And the log goes on in it.
    let (room, ann) = (town.rooms[1], &town.people[0]);
    let head = old.world.log(room).await.last().unwrap().seq;
    let appended = mongo.append(vec![old.world.entry(room, ann, message("word9 there"))]).await.unwrap();
    assert!(matches!(&appended[..], [Appended::New(entry)] if entry.seq == head.next()), "{appended:?}");
    goes_on(&old.world, &new.world, &town).await;
    mongo.drop_database().await;
}
