//! A real system without an edge, for the tests of services: the embedded store in a folder of its own, the bus of a lone
//! node, and an ear on what is published.

use crate::bus::local::LocalBus;
use crate::bus::{Bus, Notice, Rate, TooOften};
use crate::clock::{Clock, Entropy, ManualClock, SystemEntropy, random};
use crate::files::{self, FilesPlace};
use crate::realtime::hub::Hub;
use crate::service::events::Events;
use crate::service::log_writer::LogWriter;
use crate::service::messages::{MessageError, Messages, Sent};
use crate::service::pictures::Pictures;
use crate::service::rooms::Rooms;
use crate::service::token::SigningKeys;
use crate::service::{Caller, Origin, Parts, Settings};
use crate::store::sqlite::{Options, Sqlite};
use crate::store::{CreatedUser, NewUser, Store};
use async_trait::async_trait;
use natter_shared::entry::{Entry, MessageForm};
use natter_shared::id::{ClientId, ConnectionId, RoomId, SessionId, UserId};
use natter_shared::room::{CodeForm, Room, RoomForm, Visibility};
use natter_shared::text::{DisplayName, Username};
use natter_shared::timestamp::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long anything is waited for before that is a failure.
const BOUND: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub parts: Parts,
    pub sqlite: Arc<Sqlite>,
    pub heard: Arc<Heard>,
    pub log: LogWriter,
    pub rooms: Rooms,
    pub messages: Messages,
    pub pictures: Pictures,
    pub folder: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Arc::new(Sqlite::open(folder.path().join("natter.db"), Options::default()).unwrap());
        let store = Arc::clone(&sqlite) as Arc<dyn Store>;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_millis(1_790_000_000_000)));
        let heard = Arc::new(Heard::new(Arc::clone(&clock)));
        let settings = Settings {
            access_ttl_s: 900,
            refresh_ttl_s: 86_400,
            bcrypt_cost: 4,
            password_min: 10,
            rate_limits: false,
            keys: SigningKeys::new([7; 32], []),
            public_url: "http://localhost".to_owned(),
        };
        // Whoever tests the log of events starts it; for the others nothing is kept.
        let events = Events::start(Arc::clone(&store) as _, Arc::clone(&clock) as _, Arc::new(SystemEntropy), 0);
        let parts = Parts {
            events,
            store: Arc::clone(&store),
            bus: Arc::clone(&heard) as Arc<dyn Bus>,
            clock,
            entropy: Arc::new(SystemEntropy) as Arc<dyn Entropy>,
            settings: Arc::new(settings),
        };
        let log = LogWriter::start(store, Arc::clone(&parts.bus));
        let rooms = Rooms::new(&parts, log.clone());
        let files = files::open(&FilesPlace::Folder(folder.path().join("files"))).unwrap();
        let pictures = Pictures::new(&parts, files);
        let messages = Messages::new(&parts, log.clone(), pictures.clone());
        Self { parts, sqlite, heard, log, rooms, messages, pictures, folder }
    }

    /// 16 bytes that nothing else has.
    pub fn bytes(&self) -> [u8; 16] {
        random(&*self.parts.entropy)
    }

    pub async fn person(&self, name: &str) -> Caller {
        let user = NewUser {
            id: UserId::from_random_bytes(self.bytes()),
            username: Username::parse(name).unwrap(),
            display_name: DisplayName::parse(name).unwrap(),
            email: None,
            gender: None,
            password_hash: None,
            guest: false,
            integration: None,
            created_at: self.parts.clock.now(),
        };
        let user = match self.parts.store.create_user(user).await.unwrap() {
            CreatedUser::Created(user) => user.id,
            CreatedUser::UsernameTaken => panic!("{name} is taken"),
        };
        let expires_at = self.parts.clock.now().plus_millis(900_000);
        Caller { user, session: SessionId::from_random_bytes(self.bytes()), expires_at, guest: false, bot: None }
    }

    pub async fn room(&self, owner: &Caller, name: &str, visibility: Visibility) -> Room {
        let form = RoomForm { name: name.to_owned(), topic: None, visibility };
        self.rooms.create(owner, form).await.unwrap()
    }

    /// Lets somebody in by the room's code.
    pub async fn lets_in(&self, owner: &Caller, who: &Caller, room: RoomId) -> Room {
        let code = self.rooms.code(owner, room).await.unwrap();
        let origin = Origin { ip: [127, 0, 0, 1].into(), user_agent: String::new() };
        let form = CodeForm { code: code.as_str().to_owned() };
        self.rooms.join_by_code(who, &form, &origin).await.unwrap()
    }

    /// A message with a fresh client id.
    pub fn form(&self, body: &str) -> MessageForm {
        let client_id = ClientId::from_random_bytes(self.bytes());
        MessageForm { client_id, body: body.to_owned(), reply_to: None, attachments: Vec::new(), to: None }
    }

    pub async fn says(&self, who: &Caller, room: RoomId, body: &str) -> Entry {
        self.tries_to_say(who, room, self.form(body)).await.unwrap().entry
    }

    pub async fn tries_to_say(&self, who: &Caller, room: RoomId, form: MessageForm) -> Result<Sent, MessageError> {
        self.messages.send(who, room, form).await
    }
}

/// The bus of a lone node that also remembers what was published.
pub(crate) struct Heard {
    bus: LocalBus,
    notices: Mutex<Vec<Notice>>,
    more: Notify,
    /// Whether the sockets are still being written to; nobody is until a test says so.
    pub behind: watch::Sender<bool>,
}

impl Heard {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let bus = LocalBus::new(Arc::new(Hub::new(1)), clock);
        Self { bus, notices: Mutex::default(), more: Notify::new(), behind: watch::Sender::new(false) }
    }

    pub fn all(&self) -> Vec<Notice> {
        self.notices.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.notices.lock().unwrap().clear();
    }

    /// Waits until `look` finds what it looks for among all that was published.
    pub async fn until<T>(&self, look: impl Fn(&[Notice]) -> Option<T>) -> T {
        let found = async {
            loop {
                let more = self.more.notified();
                if let Some(found) = look(&self.all()) {
                    return found;
                }
                more.await;
            }
        };
        let found = tokio::time::timeout(BOUND, found).await;
        found.unwrap_or_else(|_| panic!("never heard; this was: {:#?}", self.all()))
    }

    /// The entries of a room that were published, notice by notice.
    pub fn entries(notices: &[Notice], of: RoomId) -> Vec<Vec<Entry>> {
        let of_room = |notice: &Notice| match notice {
            Notice::Entries { room, entries } if *room == of => Some(entries.to_vec()),
            _ => None,
        };
        notices.iter().filter_map(of_room).collect()
    }
}

#[async_trait]
impl Bus for Heard {
    fn publish(&self, notice: Notice) {
        self.notices.lock().unwrap().push(notice.clone());
        self.bus.publish(notice);
        self.more.notify_waiters();
    }

    async fn caught_up(&self) {
        let _ = self.behind.subscribe().wait_for(|behind| !behind).await;
    }

    async fn came(&self, user: UserId, connection: ConnectionId) -> bool {
        self.bus.came(user, connection).await
    }

    async fn went(&self, user: UserId, connection: ConnectionId) -> bool {
        self.bus.went(user, connection).await
    }

    async fn online(&self, users: &[UserId]) -> Vec<UserId> {
        self.bus.online(users).await
    }

    async fn counted(&self) -> u64 {
        self.bus.counted().await
    }

    async fn take(&self, bucket: &str, rate: Rate) -> Result<(), TooOften> {
        self.bus.take(bucket, rate).await
    }
}
