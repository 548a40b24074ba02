//! Backups over time: which are kept, how old the newest is, and those that are made by a schedule.

use super::{Shelf, names_in, refuses, said, succeeds};
use crate::support::{PATIENCE, Server, eventually, picture};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn old_backups_go_and_nothing_else_does() {
    let shelf = Shelf::new();
    let server = Server::start();
    server.person("ann").await;
    refuses(&server.orders(&["backup", "status"], &shelf.plain()), 1, "there is no backup");
    assert!(succeeds(&server.orders(&["backup", "list"], &shelf.plain())).contains("There is no backup"));
    fs::create_dir(shelf.path()).unwrap();
    let others = [
        "natter-20200101T000000Z.backup.txt",
        "natter-2020.backup",
        "notes.txt",
        "natter-20200101T000000Z",
        ".natter-20200101T000000Z.backup",
        "xnatter-20200101T000000Z.backup",
    ];
    // What is of the future says nothing about how old the newest is, and neither goes nor takes a place.
    let future = "natter-99990101T000000Z.backup";
    fs::write(shelf.path().join(future), "x").unwrap();
    let old = ["natter-20200101T000000Z.backup", "natter-20200102T000000Z.backup.age"];
    for name in others.iter().chain(&old) {
        fs::write(shelf.path().join(name), "x").unwrap();
    }
    // Left by one that was killed.
    fs::write(shelf.path().join(".natter-20200103T000000Z.backup.part"), "x").unwrap();
    refuses(&server.orders(&["backup", "status"], &shelf.plain()), 1, "natter-20200102T000000Z.backup.age, is ");

    let one_day = [shelf.plain()[0], ("NATTER_BACKUP_KEEP", "1d")];
    let made = succeeds(&server.orders(&["backup"], &one_day));
    assert!(made.contains("NATTER_BACKUP_RECIPIENT is not set"), "it says that it is not encrypted: {made}");
    let mut left = shelf.files();
    left.retain(|name| !others.contains(&name.as_str()) && name != future);
    let [new] = &left[..] else { panic!("{left:?}") };
    assert_eq!(shelf.files().len(), others.len() + 2, "{:?}", shelf.files());
    let told = made.lines().find(|line| line.starts_with(new.as_str())).unwrap_or_else(|| panic!("{made}"));
    let bytes = fs::metadata(shelf.path().join(new)).unwrap().len();
    assert!(told.contains(&format!(": {bytes} bytes in ")), "{told}");
    assert!(succeeds(&server.orders(&["backup", "status"], &shelf.plain())).contains(new));
    let listed = succeeds(&server.orders(&["backup", "list"], &shelf.plain()));
    let line = listed.lines().nth(1).unwrap();
    assert!(line.starts_with(new) && line.ends_with(&format!("{bytes} bytes  not encrypted")), "{listed}");
    let permissions = fs::metadata(shelf.path().join(new)).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
}

/// A schedule that runs until it is told to stop.
struct Scheduled {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Scheduled {
    fn start(server: &Server, every: &str, settings: &[(&str, &str)]) -> Self {
        let store = format!("sqlite:{}", server.database().display());
        let settings: Vec<_> = settings.iter().copied().chain([("NATTER_STORE", store.as_str())]).collect();
        let mut command = crate::binary::natter(&settings);
        command.args(["backup", "--every", every]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (said, lines) = (Arc::new(Mutex::new(String::new())), BufReader::new(child.stderr.take().unwrap()).lines());
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { child, said }
    }

    async fn says(&self, words: &str) {
        eventually(words, async || self.said.lock().unwrap().contains(words)).await;
    }

    /// Sends SIGTERM; what it said, and with which code it ended.
    fn stops(mut self) -> (Option<i32>, String) {
        let begun = tokio::time::Instant::now();
        let killed = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let ended = loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                break ended;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        };
        (ended.code(), self.said.lock().unwrap().clone())
    }
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_schedule_makes_what_is_due_and_stops_when_told() {
    let shelf = Shelf::new();
    let server = Server::start();
    server.person("ann").await;
    let scheduled = Scheduled::start(&server, "7d", &shelf.sealed());
    // At once, for there is none.
    scheduled.says("made a backup").await;
    assert!(shelf.files()[0].ends_with(".backup.age"), "{:?}", shelf.files());
    let (code, said) = scheduled.stops();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(shelf.files().len(), 1);
    // Started again, it knows that there is one.
    let scheduled = Scheduled::start(&server, "7d", &shelf.sealed());
    scheduled.says("the next backup is due then").await;
    let (code, said) = scheduled.stops();
    assert!(code == Some(0) && !said.contains("made a backup"), "{said}");
    assert_eq!(shelf.files().len(), 1);
}

#[tokio::test]
async fn a_schedule_goes_on_after_a_failure_and_ends_for_a_setting() {
    let shelf = Shelf::new();
    let server = Server::start();
    server.person("ann").await;
    let file = shelf.folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let below = format!("file:{}/below", file.display());
    let scheduled = Scheduled::start(&server, "6h", &[("NATTER_BACKUP_TO", &below)]);
    scheduled.says("it is tried again").await;
    let (code, text) = scheduled.stops();
    assert_eq!(code, Some(0), "{text}");
    let missing = [("NATTER_SECRET_FILE", "/nowhere/secret"), shelf.plain()[0]];
    let ended = server.orders(&["backup", "--daily", "03:30"], &missing);
    refuses(&ended, 2, "NATTER_SECRET_FILE");
    assert!(said(&ended).contains("/nowhere/secret"));
}

/// A bucket that takes the call and never answers.
#[tokio::test]
async fn a_backup_that_hangs_is_given_up_on_a_signal() {
    let shelf = Shelf::new();
    let server = Server::start();
    server.person("ann").await;
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let key = shelf.folder.path().join("bucket.key");
    fs::write(&key, "id\nsecret\n").unwrap();
    let to = format!("s3://bucket/backups?endpoint=http://{}", mute.local_addr().unwrap());
    let settings = [("NATTER_BACKUP_TO", to.as_str()), ("NATTER_BACKUP_KEY_FILE", key.to_str().unwrap())];
    let scheduled = Scheduled::start(&server, "6h", &settings);
    // It has called.
    let (_held, _) = mute.accept().unwrap();
    let begun = tokio::time::Instant::now();
    let (code, said) = scheduled.stops();
    assert!(code == Some(0), "{code:?} {said}");
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert!(names_in(&shelf.path()).is_empty());
}

/// A real bucket: `id secret endpoint bucket`.
#[tokio::test]
#[ignore = "needs a bucket: NATTER_TEST_S3"]
async fn a_bucket_keeps_backups_too() {
    let named = std::env::var("NATTER_TEST_S3").expect("NATTER_TEST_S3: id secret endpoint bucket");
    let [id, secret, endpoint, bucket] = named.split(' ').collect::<Vec<_>>().try_into().expect("four words");
    let shelf = Shelf::new();
    let key = shelf.folder.path().join("bucket.key");
    fs::write(&key, format!("{id}\n{secret}\n")).unwrap();
    let (own, key) = (std::process::id(), key.display().to_string());
    let place = |what: &str| format!("s3://{bucket}/test/{own}/{what}?region=us-east-1&endpoint={endpoint}");
    let (to, images) = (place("backups"), place("images"));
    let there = [("NATTER_BACKUP_TO", &*to), ("NATTER_BACKUP_KEY_FILE", &*key), ("NATTER_BACKUP_KEEP", "1d")];
    let in_bucket = [("NATTER_FILES", &*images), ("NATTER_FILES_KEY_FILE", &*key)];
    let server = Server::with(&in_bucket);
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let image = ann.uploads(picture(1_500, 1_500)).await;
    ann.shows(room, &[image.id], "look").await;
    let all = [&there[..], &in_bucket, &[("NATTER_BACKUP_RECIPIENT", &*shelf.recipient)]].concat();
    succeeds(&server.orders_meanwhile(&["backup"], &all).await);
    eventually("a second later it has another name", async || {
        server.orders_meanwhile(&["backup"], &all).await.status.success()
    })
    .await;
    let listed = succeeds(&server.orders_meanwhile(&["backup", "list"], &all).await);
    assert_eq!(listed.lines().count(), 1, "the first one of the day is gone: {listed}");
    succeeds(&server.orders_meanwhile(&["backup", "status"], &all).await);
    let check = ["backup", "check", "latest", "--identity", &shelf.key()];
    assert!(succeeds(&server.orders_meanwhile(&check, &all).await).contains("is whole"));

    let bytes = ann.looks_at(&image.url, None).await.2;
    let ruin = server.burns_down();
    let restore = ["restore", "latest", "--identity", &shelf.key()];
    // The bucket of images did not burn: what is of this backup in it stays.
    succeeds(&ruin.orders(&restore, &all));
    let server = ruin.starts();
    let ann = ann.login_again(&server).await;
    assert!(ann.looks_at(&image.url, None).await.2 == bytes);
}
