//! Every setting: its name, what it accepts, and what it is without being set. Read once, at the start, from the
//! environment; a wrong value or an unknown name stops the start with a sentence that names it.

mod backup;
mod origins;
mod proxies;
mod settings;
mod traces;

pub use backup::BackupSettings;
pub use origins::Origins;
pub use proxies::TrustedProxies;
pub use settings::{SETTINGS, Setting, help};
pub use traces::Traces;

use crate::bus::redis::{ACCEPTS, Address};
use crate::files::FilesPlace;
use crate::store::mongo::MongoUrl;
use natter_shared::limits;
use settings::nearest;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Settings that may hold a password, and the name under which a file with the value is given instead: what is in the
/// environment is seen by whoever may look at processes or containers.
const BY_FILE: &[(&str, &str)] = &[("NATTER_STORE", "NATTER_STORE_FILE"), ("NATTER_REDIS", "NATTER_REDIS_FILE")];

/// Names with these beginnings belong to the tools around the server; they are passed over.
const FOREIGN: &[&str] =
    &["NATTER_E2E_", "NATTER_TEST_", "NATTER_TOOLS_", "NATTER_XTASK_", "NATTER_BENCH_", "NATTER_BUILD_"];

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    Sqlite(PathBuf),
    Mongo(MongoUrl),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// As set: scheme, host and port without a slash at the end. `None`: derived from the address that is bound.
    pub public_url: Option<String>,
    pub store: StoreChoice,
    /// `None`: this process is alone.
    pub redis: Option<Address>,
    pub redis_prefix: String,
    pub secret_file: PathBuf,
    /// Where images lie.
    pub files: FilesPlace,
    /// What `natter backup` and `natter restore` go by.
    pub backup: BackupSettings,
    /// Holds an `index.html`; `None`: API only.
    pub web_dir: Option<PathBuf>,
    pub bcrypt_cost: u32,
    /// Code points.
    pub password_min: usize,
    /// Seconds.
    pub access_ttl_s: u64,
    /// Seconds.
    pub refresh_ttl_s: u64,
    pub rate_limits: bool,
    /// How far the log of events goes back; with 0 nothing is kept.
    pub events_days: u32,
    /// A request, a frame or a call of the store that took longer is told in the server's log; milliseconds.
    pub slow_ms: u64,
    /// Where Prometheus finds the numbers; never where people find the server.
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces are sent; `None`: nowhere.
    pub traces: Option<Traces>,
    pub trusted_proxies: TrustedProxies,
    /// In the form of `tracing_subscriber::EnvFilter`.
    pub log: String,
    pub log_format: LogFormat,
    /// What is accepted and not wise, for the log of the start.
    pub warnings: Vec<String>,
}

/// What is wrong with the settings, a sentence each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct BadSettings(pub Vec<String>);

/// The values as given, and what turned out to be wrong with them.
struct Reader {
    values: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Reader {
    /// The value of a setting, or what its default parses to. An empty value is the default as well.
    fn read<T>(&mut self, name: &str, accepts: &str, parse: impl Fn(&str) -> Option<T>, default: T) -> T {
        match self.values.get(name).map(|value| value.trim()) {
            None | Some("") => default,
            Some(value) => parse(value).unwrap_or_else(|| {
                self.wrong.push(format!("{name} is \"{value}\", but must be {accepts}"));
                default
            }),
        }
    }

    /// Puts what is in the file that `by_file` names in the place of the setting `name`.
    fn take_from_file(&mut self, name: &str, by_file: &str) {
        let file = self.values.get(by_file).map(|file| file.trim().to_owned()).filter(|file| !file.is_empty());
        let Some(file) = file else { return };
        if self.values.contains_key(name) {
            self.wrong.push(format!("{name} and {by_file} are both set; only one of them can be"));
            return;
        }
        match std::fs::read_to_string(&file).map(|value| value.trim().to_owned()) {
            Ok(value) if value.is_empty() => self.wrong.push(format!("{by_file} is {file}, which is empty")),
            Ok(value) => {
                self.values.insert(name.to_owned(), value);
            }
            Err(why) => self.wrong.push(format!("{by_file} is {file}, which cannot be read: {why}")),
        }
    }

    fn number(&mut self, name: &str, from: u64, to: u64, default: u64) -> u64 {
        let accepts = format!("a whole number from {from} to {to}");
        self.read(name, &accepts, |value| value.parse().ok().filter(|n| (from..=to).contains(n)), default)
    }
}

impl Config {
    /// Reads the settings out of names and values; names that do not start with `NATTER_` are passed over.
    pub fn from_variables(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadSettings> {
        let values: BTreeMap<_, _> = vars.into_iter().filter(|(name, _)| name.starts_with("NATTER_")).collect();
        let mut warnings = Vec::new();
        let wrong = unknown_names(&values, &mut warnings);
        let mut reader = Reader { values, wrong };
        for (name, by_file) in BY_FILE {
            reader.take_from_file(name, by_file);
        }

        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        let listen = reader.read("NATTER_LISTEN", "an address and port such as 127.0.0.1:8080", parse_listen, listen);
        let public_url = reader.read(
            "NATTER_PUBLIC_URL",
            "http:// or https:// and a host, without a path, such as https://chat.example.org",
            |value| parse_public_url(value).map(Some),
            None,
        );
        let store = read_store(&mut reader);
        let redis = read_redis(&mut reader);
        if redis.is_some() && matches!(store, StoreChoice::Sqlite(_)) {
            warnings.push(
                "NATTER_REDIS is set, but everything is kept in SQLite, which is one node's own: other nodes cannot share it"
                    .to_owned(),
            );
        }
        let redis_prefix = reader.read(
            "NATTER_REDIS_PREFIX",
            "up to 64 letters, digits and :._-",
            parse_redis_prefix,
            "natter:".to_owned(),
        );
        let secret_file = read_secret_file(&mut reader, &store);
        let files = read_files(&mut reader, &store);
        if redis.is_some() && matches!(store, StoreChoice::Mongo(_)) && matches!(files, FilesPlace::Folder(_)) {
            // Whoever names a folder has thought of it.
            if reader.values.get("NATTER_FILES").is_none_or(|place| place.trim().is_empty()) {
                warnings.push(
                    "NATTER_FILES is not set, and images lie in a folder of this node: other nodes do not show them"
                        .to_owned(),
                );
            }
        }
        let backup = backup::read(&mut reader, &store);
        let web_dir = read_web_dir(&mut reader);
        let bcrypt_cost = read_bcrypt_cost(&mut reader, &mut warnings);
        let password_min = reader.number("NATTER_PASSWORD_MIN", 8, 64, limits::PASSWORD_MIN as u64);
        let access_ttl_s = reader.number("NATTER_ACCESS_TTL", 1, 3_600, 900);
        let refresh_ttl_s = reader.number("NATTER_REFRESH_TTL", 1, 31_536_000, 86_400);
        let rate_limits = reader.read("NATTER_RATE_LIMITS", "on or off", parse_switch, true);
        if !rate_limits {
            warnings.push(
                "NATTER_RATE_LIMITS is off: anybody can guess passwords and flood rooms at full speed".to_owned(),
            );
        }
        let events_days = u32::try_from(reader.number("NATTER_EVENTS_DAYS", 0, 3_650, 90)).unwrap_or(90);
        let slow_ms = reader.number("NATTER_SLOW_MS", 0, 600_000, 500);
        let metrics_listen = read_metrics_listen(&mut reader, listen);
        let traces = Traces::read(&mut reader);
        let trusted_proxies = reader.read(
            "NATTER_TRUSTED_PROXIES",
            "addresses and ranges between commas, such as 10.0.0.0/8,::1",
            TrustedProxies::parse,
            TrustedProxies::default(),
        );
        let log = reader.read(
            "NATTER_LOG",
            "error, warn, info, debug, trace, or a filter such as natter_api=debug",
            |value| tracing_subscriber::EnvFilter::try_new(value).ok().map(|_| value.to_owned()),
            "info".to_owned(),
        );
        let log_format = reader.read("NATTER_LOG_FORMAT", "text or json", parse_log_format, LogFormat::Text);

        if !reader.wrong.is_empty() {
            return Err(BadSettings(reader.wrong));
        }
        Ok(Self {
            listen,
            public_url,
            store,
            redis,
            redis_prefix,
            secret_file,
            files,
            backup,
            web_dir,
            bcrypt_cost,
            password_min: usize::try_from(password_min).unwrap_or(limits::PASSWORD_MIN),
            access_ttl_s,
            refresh_ttl_s,
            rate_limits,
            events_days,
            slow_ms,
            metrics_listen,
            traces,
            trusted_proxies,
            log,
            log_format,
            warnings,
        })
    }
}

/// What is wrong with names that are no settings; those of the tools around the server are only said.
fn unknown_names(values: &BTreeMap<String, String>, warnings: &mut Vec<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in values.keys().filter(|name| SETTINGS.iter().all(|known| known.name != name.as_str())) {
        if FOREIGN.iter().any(|start| name.starts_with(start)) {
            warnings.push(format!("{name} is no setting of the server and is passed over"));
        } else {
            wrong
                .push(format!("{name} is no setting; did you mean {}? `natter serve --help` lists all", nearest(name)));
        }
    }
    wrong
}

fn parse_listen(value: &str) -> Option<SocketAddr> {
    let by_name = value.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    by_name.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).or_else(|| value.parse().ok())
}

/// The numbers say how busy a server is and with what: they are not for whoever reaches the public address.
fn read_metrics_listen(reader: &mut Reader, public: SocketAddr) -> Option<SocketAddr> {
    let name = "NATTER_METRICS_LISTEN";
    let accepts = "an address and port such as 127.0.0.1:9464";
    let listen = reader.read(name, accepts, |value| parse_listen(value).map(Some), None)?;
    let meet = listen.ip() == public.ip() || listen.ip().is_unspecified() || public.ip().is_unspecified();
    if meet && listen.port() == public.port() && listen.port() != 0 {
        let sentence = format!(
            "{name} is {listen}, but must have another port than NATTER_LISTEN ({public}): what Prometheus reads is not for \
             whoever reaches the server"
        );
        reader.wrong.push(sentence);
    }
    Some(listen)
}

fn parse_switch(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn parse_log_format(value: &str) -> Option<LogFormat> {
    match value {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// An origin as browsers spell it: lower case, without the scheme's own port, a path or a slash at the end.
fn parse_public_url(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let host = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
    let host = host.strip_suffix(own_port).unwrap_or(&host);
    let (name, port) = match host.rfind(':').filter(|at| !host[*at..].contains(']')) {
        Some(at) => (&host[..at], Some(&host[at + 1..])),
        None => (host, None),
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let name_ok = match bare {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
                && !name.ends_with('.')
        }
    };
    let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    (name_ok && port_ok).then(|| format!("{scheme}://{host}"))
}

fn read_store(reader: &mut Reader) -> StoreChoice {
    let default = StoreChoice::Sqlite(PathBuf::from("./data/natter.db"));
    let value = reader.values.get("NATTER_STORE").map_or("sqlite:./data/natter.db", |value| value.trim());
    if value.is_empty() {
        let sentence = "NATTER_STORE is empty, but must be sqlite: and a file, or mongodb://…, or not be set at all";
        reader.wrong.push(sentence.to_owned());
        return default;
    }
    if let Some(url) = MongoUrl::parse(value) {
        return StoreChoice::Mongo(url);
    }
    let parse = |value: &str| {
        let file = value.strip_prefix("sqlite:")?;
        let file = file.strip_prefix("//").unwrap_or(file);
        let name = Path::new(file).file_name()?;
        (!name.is_empty() && !file.ends_with('/') && !file.contains('?'))
            .then(|| StoreChoice::Sqlite(PathBuf::from(file)))
    };
    let accepts = "sqlite: and a file, such as sqlite:./data/natter.db, or an address that begins with mongodb://";
    if value.contains('@') && parse(value).is_none() {
        // An address may hold a password: it is not repeated.
        reader.wrong.push(format!("NATTER_STORE must be {accepts}"));
        return default;
    }
    reader.read("NATTER_STORE", accepts, parse, default)
}

/// The file with the signing key. Only a lone server has a place of its own for it.
fn read_secret_file(reader: &mut Reader, store: &StoreChoice) -> PathBuf {
    let default = match store {
        StoreChoice::Sqlite(database) => database.parent().unwrap_or(Path::new(".")).join("secret"),
        StoreChoice::Mongo(_) => {
            if reader.values.get("NATTER_SECRET_FILE").is_none_or(|value| value.trim().is_empty()) {
                let sentence = "NATTER_SECRET_FILE is not set, but must be where NATTER_STORE is a MongoDB: every node \
                                signs with the same key; `openssl rand -hex 32` makes one";
                reader.wrong.push(sentence.to_owned());
            }
            PathBuf::new()
        }
    };
    reader.read("NATTER_SECRET_FILE", "a file", |value| Some(PathBuf::from(value)), default)
}

/// The place of images. The key of a bucket is in a file of its own, so that it is in no list of processes.
fn read_files(reader: &mut Reader, store: &StoreChoice) -> FilesPlace {
    let database = match store {
        StoreChoice::Sqlite(database) => Some(database.as_path()),
        StoreChoice::Mongo(_) => None,
    };
    read_place(reader, "NATTER_FILES", "NATTER_FILES_KEY_FILE").unwrap_or_else(|| FilesPlace::beside(database))
}

/// A folder or a bucket, if there is one.
fn read_place(reader: &mut Reader, setting: &str, key_setting: &str) -> Option<FilesPlace> {
    let value = |name: &str| reader.values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let place = value(setting)?;
    let key = || match value(key_setting) {
        None => Err(format!("needs {key_setting} with two lines: the id of the bucket's key, and the key")),
        Some(file) => std::fs::read_to_string(file).map_err(|why| format!("needs {file}, which cannot be read: {why}")),
    };
    match FilesPlace::parse(place, key_setting, key) {
        Ok(place) => Some(place),
        Err(why) => {
            reader.wrong.push(format!("{setting} {why}"));
            None
        }
    }
}

/// The address may hold a password: it is not repeated.
fn read_redis(reader: &mut Reader) -> Option<Address> {
    let value = reader.values.get("NATTER_REDIS").map(|value| value.trim()).filter(|value| !value.is_empty())?;
    let address = Address::parse(value);
    if address.is_none() {
        reader.wrong.push(format!("NATTER_REDIS cannot be read; it must be {ACCEPTS}"));
    }
    address
}

fn parse_redis_prefix(value: &str) -> Option<String> {
    let fits = value.len() <= 64 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b":._-".contains(&b));
    fits.then(|| value.to_owned())
}

fn read_bcrypt_cost(reader: &mut Reader, warnings: &mut Vec<String>) -> u32 {
    let cost = u32::try_from(reader.number("NATTER_BCRYPT_COST", 4, 16, 12)).unwrap_or(12);
    if cost < 10 {
        warnings.push(format!("NATTER_BCRYPT_COST is {cost}: passwords in a stolen database are guessed fast"));
    }
    cost
}

fn read_web_dir(reader: &mut Reader) -> Option<PathBuf> {
    match reader.values.get("NATTER_WEB_DIR").map(|value| value.trim()) {
        Some("") => None,
        None => {
            let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("dist")));
            [Some(PathBuf::from("dist")), beside].into_iter().flatten().find(|dir| dir.join("index.html").is_file())
        }
        Some(value) => {
            let dir = PathBuf::from(value);
            if !dir.join("index.html").is_file() {
                let sentence = format!("NATTER_WEB_DIR is \"{value}\", but must be a folder with an index.html");
                reader.wrong.push(sentence);
            }
            Some(dir)
        }
    }
}

#[cfg(test)]
mod tests;
