//! The list of all settings, as the program shows it: each with its name, what it is without being set, and what it accepts.
//! The manual, `config.default.toml`, has the same in more words; a test compares the two.

use std::fmt::Write as _;

/// One setting as `natter serve --help` lists it.
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    /// What it accepts and what it does.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// All of them, in the order of the manual (`config.default.toml`).
pub const SETTINGS: &[Setting] = &[
    setting("NATTER_LISTEN", "127.0.0.1:8080", "address and port to listen on; port 0 takes a free one"),
    setting(
        "NATTER_PUBLIC_URL",
        "",
        "scheme, host and port by which browsers reach this server, such as https://chat.example.org; \
         empty: http and the address listened on",
    ),
    setting(
        "NATTER_STORE",
        "sqlite:./data/natter.db",
        "where everything is kept: sqlite:<file>, or the address of a MongoDB that is a replica set, such as \
         mongodb://user:password@host:27017/natter?replicaSet=rs0",
    ),
    setting(
        "NATTER_REDIS",
        "",
        "through which several nodes are one system: redis://name:password@host:port/number, rediss:// for TLS, \
         redis+cluster://name:password@host:port,host:port for a cluster; empty: this process is alone",
    ),
    setting("NATTER_STORE_FILE", "", "file that holds the value of NATTER_STORE, which may have a password in it"),
    setting("NATTER_REDIS_FILE", "", "file that holds the value of NATTER_REDIS, which may have a password in it"),
    setting(
        "NATTER_REDIS_PREFIX",
        "natter:",
        "what all keys and channels in Redis begin with, so that several systems can share one: up to 64 letters, digits \
         and :._-",
    ),
    setting(
        "NATTER_SECRET_FILE",
        "",
        "file with the signing key, a line of 64 hexadecimal characters; further lines are older keys that are still \
         accepted. Empty: the file `secret` beside the database, made on the first start; with MongoDB it must be set, to \
         the same key on every node",
    ),
    setting(
        "NATTER_FILES",
        "the folder `files` beside the database, or ./data/files",
        "where images lie: file:<folder>, or a bucket that speaks S3, \
         s3://bucket/prefix?region=eu-central-1&endpoint=https://s3.example.org; several nodes need one place",
    ),
    setting("NATTER_FILES_KEY_FILE", "", "file with two lines for the bucket: the id of its key, and the key"),
    setting(
        "NATTER_BACKUP_TO",
        "",
        "where `natter backup` puts backups, and `natter restore` finds them: file:<folder>, or a bucket, as in NATTER_FILES; \
         a place of their own",
    ),
    setting(
        "NATTER_BACKUP_KEY_FILE",
        "",
        "file with two lines for the bucket of backups: the id of its key, and the key",
    ),
    setting(
        "NATTER_BACKUP_RECIPIENT",
        "",
        "who alone can read backups: age1… as `natter backup keygen` prints it, several between commas; empty: whoever has a \
         backup can read it",
    ),
    setting(
        "NATTER_BACKUP_KEEP",
        "7d 4w 6m",
        "which backups stay: the newest of each of so many days (d), weeks (w), months (m) and years (y), or all",
    ),
    setting(
        "NATTER_BACKUP_SCRATCH",
        "the folder of the database, or the system's temporary one",
        "folder in which a backup is made ready, unencrypted and for its owner alone; it needs room for all texts, compressed",
    ),
    setting(
        "NATTER_WEB_DIR",
        "./dist, or dist beside the program, if it is there",
        "folder of the built page (with an index.html); set but empty: API only",
    ),
    setting(
        "NATTER_BCRYPT_COST",
        "12",
        "how hard passwords are to guess from a stolen database: 4 to 16, 12 or more is wise",
    ),
    setting("NATTER_PASSWORD_MIN", "10", "the fewest characters of a new password: 8 to 64"),
    setting("NATTER_ACCESS_TTL", "900", "life of an access token in seconds: 1 to 3600"),
    setting("NATTER_REFRESH_TTL", "86400", "life of a login in seconds: 1 to 31536000"),
    setting("NATTER_RATE_LIMITS", "on", "on or off; off is for load tests"),
    setting(
        "NATTER_EVENTS_DAYS",
        "90",
        "how many days the log of events, which administrators read, goes back: 0 (nothing is kept) to 3650",
    ),
    setting(
        "NATTER_SLOW_MS",
        "500",
        "a request, a frame or a call of the store that took longer, in milliseconds, is a line in the log at `warn`: 0 \
         (each is) to 600000",
    ),
    setting(
        "NATTER_METRICS_LISTEN",
        "",
        "address and port at which Prometheus finds /metrics, such as 127.0.0.1:9464; never that of NATTER_LISTEN; empty: \
         nowhere",
    ),
    setting(
        "NATTER_OTLP_ENDPOINT",
        "",
        "where traces are sent, by OTLP over HTTP, such as http://collector:4318; empty: nowhere",
    ),
    setting("NATTER_OTLP_SAMPLE", "1", "the share of requests that are traced: 0 (none) to 1 (each), such as 0.05"),
    setting(
        "NATTER_TRUSTED_PROXIES",
        "",
        "addresses and ranges (10.0.0.0/8) between commas, whose X-Forwarded-For and \
         X-Request-Id are believed; empty: nobody's",
    ),
    setting(
        "NATTER_LOG",
        "info",
        "what is logged: error, warn, info, debug, trace, or a filter such as natter_api=debug",
    ),
    setting("NATTER_LOG_FORMAT", "text", "text or json"),
];

/// The known name that is longer only, or takes the fewest changes to get to.
pub(super) fn nearest(name: &str) -> &'static str {
    let nearest = SETTINGS.iter().min_by_key(|known| (!known.name.starts_with(name), distance(known.name, name)));
    nearest.map_or("", |known| known.name)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What `natter serve --help` says.
pub fn help() -> String {
    let mut text = String::from(
        "natter: self-hosted chat\n\nUsage: natter [serve]       start the server; all settings come from the environment\n\
         \x20      natter export FILE   write all that NATTER_STORE holds to a file; the server may go on meanwhile\n\
         \x20      natter import FILE   fill the empty store that NATTER_STORE names from such a file\n\
         \x20      natter backup        put a backup of NATTER_STORE and NATTER_FILES where NATTER_BACKUP_TO says; the server may\n\
         \x20                           go on meanwhile; --daily 03:30 (UTC) or --every 6h: go on making them\n\
         \x20      natter backup list | check NAME | status [--max-age 26h] | keygen FILE\n\
         \x20                           show backups; read one and see whether it is whole; fail if the newest is older; make\n\
         \x20                           the key that can read what is encrypted to NATTER_BACKUP_RECIPIENT\n\
         \x20      natter restore NAME  fill the empty NATTER_STORE and NATTER_FILES from a backup; NAME may be `latest`, or the\n\
         \x20                           path of a file; --identity FILE: the key; --without-key: though the signing key is lost\n\
         \x20      natter admin grant NAME | revoke NAME | list\n\
         \x20                           say who administers the server, which may go on meanwhile\n\
         \x20      natter admin delete NAME\n\
         \x20                           delete somebody's account, for good; the server may go on meanwhile\n\
         \x20      natter healthcheck   ask the server that these settings start whether it can do its work\n\
         \x20      natter caddy FOLDER  the headers of the built page in that folder, for a Caddy that serves it\n\
         \x20      natter mongodb prepare HOST:PORT FOLDER\n\
         \x20                           make the fresh mongod of this machine ready, with the passwords in a folder\n\
         \x20      natter --version\n\nAn export, import or restore that was interrupted goes on when it is started again.\n\nSettings:\n",
    );
    for Setting { name, default, help } in SETTINGS {
        let shown = if default.is_empty() { "empty" } else { default };
        let _ = writeln!(text, "  {name} ({shown})\n      {help}");
    }
    text
}
