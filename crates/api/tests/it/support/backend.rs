//! Where a story takes place: one node on SQLite, or two nodes on one database of a real MongoDB and one Redis. Stories do
//! not know which; what a node must be told is in one function here.

use super::PATIENCE;
use natter_api::clock::{SystemEntropy, random};
use std::cell::Cell;
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Cluster,
}

thread_local! {
    // A story runs on one thread, its test's.
    static BACKEND: Cell<Backend> = const { Cell::new(Backend::Sqlite) };
}

impl Backend {
    /// The one that servers started now are on.
    pub fn of_this_story() -> Self {
        BACKEND.get()
    }

    /// Runs a test that is already there once more, on this backend.
    pub fn tells(self, story: impl FnOnce()) {
        struct Back(Backend);
        impl Drop for Back {
            fn drop(&mut self) {
                // Also after a panic: the thread may go on with another test.
                BACKEND.set(self.0);
            }
        }
        let _back = Back(BACKEND.replace(self));
        story();
    }
}

/// Makes of each named test another one, `cluster::<its name>`, in which people are spread over two nodes.
macro_rules! also_on_a_cluster {
    ($($story:ident,)+) => {
        mod cluster {
            $(
                #[test]
                #[ignore = "needs a MongoDB and a Redis: cargo xtask test starts them"]
                fn $story() {
                    $crate::support::Backend::Cluster.tells(super::$story);
                }
            )+
        }
    };
}
pub(crate) use also_on_a_cluster;

/// What the nodes of one server share. It goes with the last server on it.
pub struct Place {
    folder: TempDir,
    cluster: Option<Cluster>,
}

/// A database nobody else has, and the beginning of all names in Redis.
struct Cluster {
    mongodb: String,
    redis: String,
    name: String,
}

impl Place {
    pub fn new(backend: Backend) -> Self {
        let cluster = (backend == Backend::Cluster).then(|| Cluster {
            mongodb: given("NATTER_TEST_MONGODB"),
            redis: given("NATTER_TEST_REDIS"),
            name: format!("natter_test_{}", uuid::Uuid::from_bytes(random(&SystemEntropy)).simple()),
        });
        let folder = tempfile::tempdir().unwrap();
        if cluster.is_some() {
            // Nodes that are one system are given their common key; only a lone one makes its own.
            let half = || uuid::Uuid::from_bytes(random(&SystemEntropy)).simple().to_string();
            let key = format!("{}{}", half(), half());
            std::fs::write(folder.path().join("secret"), key).unwrap();
        }
        Self { folder, cluster }
    }

    /// The file in which everything is kept, on SQLite.
    pub fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("natter.db")
    }

    /// The file with the signing key.
    pub fn key(&self) -> std::path::PathBuf {
        self.folder.path().join("secret")
    }

    pub const fn nodes(&self) -> usize {
        if self.cluster.is_some() { 2 } else { 1 }
    }

    /// The settings of each node: where things are.
    pub fn settings(&self) -> Vec<(String, String)> {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let settings = match &self.cluster {
            None => vec![("NATTER_STORE", format!("sqlite:{}", file("natter.db")))],
            Some(Cluster { mongodb, redis, name }) => vec![
                ("NATTER_STORE", with_database(mongodb, name)),
                ("NATTER_REDIS", redis.clone()),
                ("NATTER_REDIS_PREFIX", format!("{name}:")),
                ("NATTER_SECRET_FILE", file("secret")),
                ("NATTER_FILES", format!("file:{}", file("files"))),
            ],
        };
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Place {
    /// Runs the program at the machine with the settings of each node and further ones, to its end.
    pub fn orders(&self, arguments: &[&str], further: &[(&str, &str)]) -> std::process::Output {
        let settings = self.settings();
        let settings = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings: Vec<_> = settings.chain(further.iter().copied()).collect();
        let mut command = crate::binary::natter(&settings);
        command.args(arguments);
        crate::binary::ends(command)
    }

    /// Takes away the database and the images; the signing key stays.
    pub fn lose_everything(&self) {
        for item in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = item.unwrap().path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some("secret") => {}
                _ if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
                _ => std::fs::remove_file(path).unwrap(),
            }
        }
        if let Some(cluster) = &self.cluster {
            cluster.drop_database().unwrap();
        }
    }
}

impl Cluster {
    fn drop_database(&self) -> Result<(), String> {
        let Self { mongodb, name, .. } = self;
        let (mongodb, name) = (mongodb.clone(), name.clone());
        // On a thread of its own, for a story's thread is in the middle of a runtime.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
            let removal = async {
                let client = mongodb::Client::with_uri_str(&mongodb).await?;
                client.database(&name).drop().await
            };
            let dropped = runtime.block_on(async { tokio::time::timeout(PATIENCE, removal).await });
            dropped.map_err(|_| "MongoDB does not answer".to_owned())?.map_err(|e| e.to_string())
        });
        dropped.join().map_err(|_| "it panicked".to_owned())?
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(Err(why)) = self.cluster.take().map(|cluster| cluster.drop_database()) {
            eprintln!("a test's database stays behind: {why}");
        }
    }
}

fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: `cargo xtask test` starts a server and sets it"))
}

/// The address of a MongoDB with another database.
fn with_database(address: &str, name: &str) -> String {
    let (path, query) =
        address.split_once('?').map_or((address, String::new()), |(path, query)| (path, format!("?{query}")));
    let (scheme, rest) = path.split_once("://").expect("an address with a scheme");
    let hosts = rest.split_once('/').map_or(rest, |(hosts, _)| hosts);
    format!("{scheme}://{hosts}/{name}{query}")
}

#[test]
fn a_database_takes_the_place_of_another() {
    assert_eq!(with_database("mongodb://a:1,b:2/?replicaSet=x", "t"), "mongodb://a:1,b:2/t?replicaSet=x");
    assert_eq!(with_database("mongodb://a:1", "t"), "mongodb://a:1/t");
    assert_eq!(with_database("mongodb://a:1/chat", "t"), "mongodb://a:1/t");
}

#[test]
fn a_story_is_told_on_sqlite_unless_it_is_told_elsewhere() {
    assert_eq!(Backend::of_this_story(), Backend::Sqlite);
    Backend::Cluster.tells(|| assert_eq!(Backend::of_this_story(), Backend::Cluster));
    assert!(std::panic::catch_unwind(|| Backend::Cluster.tells(|| panic!("a test that fails"))).is_err());
    assert_eq!(Backend::of_this_story(), Backend::Sqlite);
}

#[test]
fn every_story_is_told_on_a_cluster_too_or_says_why_not() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for file in ["access", "admin", "auth", "event_stream", "hostile", "messages", "rooms", "socket"] {
        let text = std::fs::read_to_string(folder.join(file).with_extension("rs")).unwrap();
        let (_, list) = text.split_once("also_on_a_cluster! {").unwrap_or_else(|| panic!("{file}.rs has no list"));
        let (list, _) = list.split_once("\n}\n").unwrap();
        let listed: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        for (before, after) in text.match_indices("#[tokio::test]\n").map(|(at, _)| text.split_at(at)) {
            let name =
                after.split(['(', '\n']).nth(1).and_then(|line| line.strip_prefix("async fn ")).unwrap_or_default();
            let excused = before.trim_end().lines().last().is_some_and(|line| line.starts_with("/// On SQLite only: "));
            assert!(
                listed.contains(&name) != excused,
                "{file}.rs: {name} belongs into the list of also_on_a_cluster!, or gets a line `/// On SQLite only: why`"
            );
        }
    }
}
