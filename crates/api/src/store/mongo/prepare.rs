//! `natter mongodb prepare`: makes a fresh mongod, which asks for passwords and has no user yet, into what Natter needs: a
//! replica set of one, an owner, and a user each for the server and for backups with no more rights than they need. It is
//! spoken to from its own machine (or network namespace), where MongoDB lets the first user be made. Done again, it only
//! sets the passwords anew.

use super::open::DATABASE;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{ClientOptions, Credential, ServerAddress};
use mongodb::{Client, Database};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The name of the set: what mongod was started with after `--replSet`.
const SET: &str = "natter";
/// Where mongod listens.
const PORT: u16 = 27_017;
/// The owner of the whole MongoDB.
const ROOT: &str = "root";
/// A mongod that starts, or a set that chooses its primary, is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
const BETWEEN: Duration = Duration::from_millis(250);
const CALL: Duration = Duration::from_secs(5);

/// The users beside the owner, in the database of Natter: a name, its role, and the file of its password.
const USERS: &[(&str, &str, &str)] = &[("natter", "readWrite", "mongo_natter"), ("backup", "read", "mongo_backup")];
const ROOT_FILE: &str = "mongo_root";

const NOT_AUTHORISED: i32 = 13;
const AUTHENTICATION_FAILED: i32 = 18;
const USER_IS_THERE: i32 = 51_003;

/// Why it could not be done, as a sentence for who runs it.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error("{} cannot be read ({why}); it must hold a password", path.display())]
    NoPassword { path: PathBuf, why: io::Error },
    #[error("{} is empty; it must hold a password", .0.display())]
    EmptyPassword(PathBuf),
    #[error("the password in {} is not the one that this MongoDB's data was made with; put that one back", .0.display())]
    OtherPassword(PathBuf),
    #[error("{0} is no host and port, such as mongo:27017")]
    NoMember(String),
    #[error("no MongoDB answers on this machine: {0}")]
    NoAnswer(String),
    #[error("this mongod is of no replica set; start it with --replSet {SET}")]
    Standalone,
    #[error("MongoDB: {0}")]
    Failed(#[from] Error),
}

impl PrepareError {
    /// Whether an argument or a setting must be changed.
    pub const fn is_an_argument(&self) -> bool {
        !matches!(self, Self::NoAnswer(_) | Self::Failed(_))
    }
}

/// Prepares the mongod of this machine, which its clients reach as `member`, with the passwords in the files of a folder.
/// Returns what to tell.
pub async fn prepare(member: &str, secrets: &Path) -> Result<String, PrepareError> {
    prepare_at(PORT, member, secrets).await
}

pub(super) async fn prepare_at(port: u16, member: &str, secrets: &Path) -> Result<String, PrepareError> {
    let named = member.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !named {
        return Err(PrepareError::NoMember(member.to_owned()));
    }
    let root_file = secrets.join(ROOT_FILE);
    let root = password(&root_file)?;
    let users: Vec<_> = USERS.iter().map(|(_, _, file)| password(&secrets.join(file))).collect::<Result<_, _>>()?;

    let stranger = client(port, None)?.database("admin");
    let set = initiated(&stranger, member).await?;
    primary(&stranger).await?;
    // Only while there is no user at all does MongoDB let a stranger make one.
    let first = doc! { "createUser": ROOT, "pwd": &root, "roles": ["root"] };
    let made = match stranger.run_command(first).await {
        Ok(_) => true,
        Err(error) if refused(&error) => false,
        Err(error) => return Err(error.into()),
    };
    let owner = client(port, Some(&root))?;
    owner
        .database("admin")
        .run_command(doc! { "connectionStatus": 1 })
        .await
        .map_err(|error| if refused(&error) { PrepareError::OtherPassword(root_file.clone()) } else { error.into() })?;
    let own = owner.database(DATABASE);
    for ((name, role, _), password) in USERS.iter().zip(&users) {
        let roles = || vec![Bson::from(doc! { "role": role, "db": DATABASE })];
        let created = own.run_command(doc! { "createUser": name, "pwd": password, "roles": roles() }).await;
        match created {
            Err(error) if code(&error) == Some(USER_IS_THERE) => {
                own.run_command(doc! { "updateUser": name, "pwd": password, "roles": roles() }).await?;
            }
            created => {
                created?;
            }
        }
    }
    let set = if set { "was made" } else { "was there" };
    let made = if made { "was made" } else { "was there" };
    Ok(format!(
        "The replica set {SET} of {member} {set}, its owner {made}, the passwords of natter and backup are set.\n"
    ))
}

fn password(path: &Path) -> Result<String, PrepareError> {
    let read = std::fs::read_to_string(path).map_err(|why| PrepareError::NoPassword { path: path.to_owned(), why })?;
    let password = read.trim();
    if password.is_empty() { Err(PrepareError::EmptyPassword(path.to_owned())) } else { Ok(password.to_owned()) }
}

/// To this machine's mongod alone, whatever it says about other members.
fn client(port: u16, root: Option<&str>) -> Result<Client, Error> {
    let credential = root.map(|password| {
        Credential::builder().username(ROOT.to_owned()).password(password.to_owned()).source("admin".to_owned()).build()
    });
    let options = ClientOptions::builder()
        .hosts(vec![ServerAddress::Tcp { host: "127.0.0.1".to_owned(), port: Some(port) }])
        .direct_connection(true)
        .server_selection_timeout(CALL)
        .connect_timeout(CALL)
        .app_name("natter-prepare".to_owned())
        .credential(credential)
        .build();
    Client::with_options(options)
}

/// Waits for the mongod and makes it a set, if it is none yet. Returns whether it was none.
async fn initiated(admin: &Database, member: &str) -> Result<bool, PrepareError> {
    let hello = eventually(admin, |_| true).await?;
    if hello.contains_key("setName") {
        return Ok(false);
    }
    if !hello.get_bool("isreplicaset").unwrap_or(false) {
        return Err(PrepareError::Standalone);
    }
    let members = vec![Bson::from(doc! { "_id": 0, "host": member })];
    admin.run_command(doc! { "replSetInitiate": { "_id": SET, "members": members } }).await?;
    Ok(true)
}

async fn primary(admin: &Database) -> Result<(), PrepareError> {
    eventually(admin, |hello| hello.get_bool("isWritablePrimary").unwrap_or(false)).await.map(|_| ())
}

/// What mongod says of itself, once it says what is waited for.
async fn eventually(admin: &Database, holds: impl Fn(&Document) -> bool) -> Result<Document, PrepareError> {
    let end = Instant::now() + PATIENCE;
    loop {
        let why = match admin.run_command(doc! { "hello": 1 }).await {
            Ok(hello) if holds(&hello) => return Ok(hello),
            Ok(_) => "it is not the primary of its set".to_owned(),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= end {
            return Err(PrepareError::NoAnswer(why));
        }
        sleep(BETWEEN).await;
    }
}

fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        _ => None,
    }
}

fn refused(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => true,
        // A server that refuses its first connection is passed over, until there is none left.
        ErrorKind::ServerSelection { message, .. } => message.contains("AuthenticationFailed"),
        _ => matches!(code(error), Some(NOT_AUTHORISED | AUTHENTICATION_FAILED)),
    }
}
