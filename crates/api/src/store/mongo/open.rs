//! Connecting: what an address must look like, and saying in a sentence why a MongoDB cannot be used.

use super::authors::Authors;
use super::words::Indexer;
use super::writer::Writer;
use super::{Mongo, Shared, UNDER_WAY, indexes, words};
use mongodb::bson::doc;
use mongodb::error::{Error, ErrorKind};
use mongodb::options::ReadPreference;
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern, SelectionCriteria, WriteConcern};
use mongodb::{Client, Database};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// A write is durable on a majority within this time, or its outcome is unknown.
const WTIMEOUT: Duration = Duration::from_secs(5);
/// How long a member that can do the work is looked for.
const SELECTION: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// Connections of a node, unless `maxPoolSize` in the address says otherwise.
const POOL: u32 = 50;
/// A node that starts waits so long for a MongoDB that starts as well.
const START: Duration = Duration::from_secs(30);
const BETWEEN: Duration = Duration::from_secs(1);
/// The wire version of MongoDB 6.0, the oldest that is tried.
const WIRE_VERSION: i32 = 17;
/// The database, if the address names none.
pub(super) const DATABASE: &str = "natter";
/// Threads of the driver.
const THREADS: usize = 2;

/// The address of a MongoDB. It may hold a password, and is shown without it.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoUrl(String);

impl MongoUrl {
    /// `None` for what does not begin like an address of a MongoDB; the rest is found out by [`Mongo::open`].
    pub fn parse(text: &str) -> Option<Self> {
        let known = text.starts_with("mongodb://") || text.starts_with("mongodb+srv://");
        known.then(|| Self(text.to_owned()))
    }

    /// With its password.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MongoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for MongoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("mongodb", ""));
        let hosts = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
        let place = hosts.split('?').next().unwrap_or_default().trim_end_matches('/');
        write!(f, "{scheme}://{place}")
    }
}

/// Why a MongoDB is not used, as a sentence for who runs the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "NATTER_STORE is no address of a MongoDB ({0}); it must be like mongodb://user:password@host:27017/natter?replicaSet=rs0"
    )]
    BadUrl(String),
    #[error(
        "NATTER_STORE: no MongoDB that can write answers at {url} ({why}); is it running, is its replica set initiated, and is the address right?"
    )]
    Unreachable { url: MongoUrl, why: String },
    #[error(
        "NATTER_STORE: {url} refuses this user ({why}); check the name, the password, authSource and the user's rights on the database"
    )]
    Refused { url: MongoUrl, why: String },
    #[error(
        "NATTER_STORE: the MongoDB at {url} stands alone, and messages on it could be lost; start it with --replSet and initiate the set (a set of one member will do)"
    )]
    Standalone { url: MongoUrl },
    #[error("NATTER_STORE: the MongoDB at {url} is too old (wire version {found}); Natter needs 6.0 or newer")]
    Old { url: MongoUrl, found: i32 },
    #[error(
        "NATTER_STORE: the data is of version {stored}, and this Natter knows version {known}; run the newer Natter"
    )]
    Newer { stored: i32, known: i32 },
    #[error("NATTER_STORE: the MongoDB cannot be used: {0}")]
    Failed(String),
}

impl OpenError {
    /// Whether a setting must be changed.
    pub const fn is_a_setting(&self) -> bool {
        matches!(self, Self::BadUrl(_) | Self::Refused { .. } | Self::Standalone { .. })
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Serving,
    Reading,
}

impl Mongo {
    /// Connects, waits for a MongoDB that is still starting, and makes the indexes.
    pub async fn open(url: &MongoUrl) -> Result<Self, OpenError> {
        Self::open_with(url, START, |_| ()).await
    }

    /// Connects to read what is there, and makes nothing: a user whose role is `read` may do it.
    pub async fn open_to_read(url: &MongoUrl) -> Result<Self, OpenError> {
        Self::connect(url, START, |_| (), Purpose::Reading).await
    }

    /// The same as `open` with another patience, and with a last change to the driver's options.
    pub(super) async fn open_with(
        url: &MongoUrl,
        patience: Duration,
        change: impl FnOnce(&mut ClientOptions),
    ) -> Result<Self, OpenError> {
        Self::connect(url, patience, change, Purpose::Serving).await
    }

    async fn connect(
        url: &MongoUrl,
        patience: Duration,
        change: impl FnOnce(&mut ClientOptions),
        purpose: Purpose,
    ) -> Result<Self, OpenError> {
        let mut options = options(url).await?;
        change(&mut options);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("mongodb")
            .enable_all()
            .build()
            .map_err(|error| OpenError::Failed(error.to_string()))?;
        let url = url.clone();
        let handle = runtime.handle().clone();
        let opened = handle.spawn(async move {
            let client = Client::with_options(options).map_err(|error| OpenError::BadUrl(error.to_string()))?;
            let db = client.default_database().unwrap_or_else(|| client.database(DATABASE));
            greet(&db, &url, patience).await?;
            let shared = Arc::new(shared(client, db));
            match purpose {
                Purpose::Serving => {
                    indexes::prepare(&shared).await?;
                    words::start(&shared);
                }
                Purpose::Reading => drop(indexes::check_version(&shared).await?),
            }
            Ok::<_, OpenError>(shared)
        });
        let opened = opened.await.map_err(|error| OpenError::Failed(error.to_string())).and_then(|opened| opened);
        match opened {
            Ok(shared) => {
                Ok(Self { shared, runtime: Some(runtime), handle, turns: Arc::new(Semaphore::new(UNDER_WAY)) })
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }
}

fn shared(client: Client, db: Database) -> Shared {
    Shared {
        users: db.collection("users"),
        sessions: db.collection("sessions"),
        rooms: db.collection("rooms"),
        members: db.collection("members"),
        entries: db.collection("entries"),
        words: db.collection("words"),
        indexed: db.collection("indexed"),
        events: db.collection("events"),
        uploads: db.collection("uploads"),
        authors: Authors::default(),
        writer: Writer::default(),
        indexer: Indexer::default(),
        client,
        db,
    }
}

/// The driver's options: what an address may choose, and what it may not.
async fn options(url: &MongoUrl) -> Result<ClientOptions, OpenError> {
    let parsed = ClientOptions::parse(url.0.as_str()).await;
    // The driver's own sentence may quote the password out of the address.
    let mut options = parsed.map_err(|error| match error.kind.as_ref() {
        ErrorKind::DnsResolve { .. } => {
            OpenError::Unreachable { url: url.clone(), why: "its name is not known".into() }
        }
        _ => OpenError::BadUrl("the driver cannot read it".into()),
    })?;
    options.app_name = Some("natter".into());
    options.max_pool_size = options.max_pool_size.or(Some(POOL));
    options.server_selection_timeout = Some(SELECTION);
    options.connect_timeout = Some(CONNECT);
    options.retry_writes = Some(true);
    options.write_concern = Some(majority());
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(options)
}

/// What makes a write durable: in the journals of a majority.
pub(super) fn majority() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(WTIMEOUT).build()
}

/// Waits until a member that can write answers, and sees whether it will do.
async fn greet(db: &Database, url: &MongoUrl, patience: Duration) -> Result<(), OpenError> {
    let end = Instant::now() + patience;
    let mut said = false;
    loop {
        let why = match db.run_command(doc! { "hello": 1 }).await {
            Ok(hello) => {
                let wire = hello.get_i32("maxWireVersion").unwrap_or_default();
                if wire < WIRE_VERSION {
                    return Err(OpenError::Old { url: url.clone(), found: wire });
                }
                let of_a_set = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
                if !of_a_set && !hello.get_bool("isreplicaset").unwrap_or(false) {
                    return Err(OpenError::Standalone { url: url.clone() });
                }
                if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                    return Ok(());
                }
                "its replica set has no primary".to_owned()
            }
            Err(error) => match error.kind.as_ref() {
                ErrorKind::Authentication { message, .. } => {
                    return Err(OpenError::Refused { url: url.clone(), why: message.clone() });
                }
                ErrorKind::Command(command) if matches!(command.code, 13 | 18) => {
                    return Err(OpenError::Refused { url: url.clone(), why: command.message.clone() });
                }
                _ => error.to_string(),
            },
        };
        if Instant::now() >= end {
            return Err(OpenError::Unreachable { url: url.clone(), why });
        }
        if !said {
            said = true;
            tracing::warn!(%url, %why, "MongoDB does not answer yet; waiting up to {} s for it", patience.as_secs());
        }
        sleep(BETWEEN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let shown = |text: &str| MongoUrl::parse(text).unwrap().to_string();
        assert_eq!(shown("mongodb://ann:s3cr@t@a:1,b:2/natter?replicaSet=x"), "mongodb://a:1,b:2/natter");
        assert_eq!(shown("mongodb+srv://db.example.org/natter"), "mongodb+srv://db.example.org/natter");
        assert_eq!(format!("{:?}", MongoUrl::parse("mongodb://u:p@h/?w=1").unwrap()), "mongodb://h");
        assert_eq!(MongoUrl::parse("postgres://h/"), None);
    }
}
