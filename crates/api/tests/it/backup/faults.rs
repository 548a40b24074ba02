//! What can be wrong with a backup, with the place of it, or with where it is put back: each is a sentence, and changes nothing.

use super::{Shelf, names_in, natter, refuses, said, succeeds};
use crate::binary::{Running, ends};
use crate::support::{PASSWORD, Person, Ruin, Server, picture};
use natter_shared::account::Session;
use natter_shared::path;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server with a message and an image, a backup of it, and where it was.
async fn backed_up(shelf: &Shelf, settings: &[(&str, &str)]) -> (Server, Person, PathBuf, String) {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let image = ann.uploads(picture(400, 300)).await;
    ann.shows(room, &[image.id], "a word and an image").await;
    succeeds(&server.orders_meanwhile(&["backup"], settings).await);
    let [name] = &shelf.files()[..] else { panic!("{:?}", shelf.files()) };
    let file = shelf.path().join(name);
    (server, ann, file, image.url)
}

/// A target of its own, where the key of before may be or not.
struct Target {
    folder: tempfile::TempDir,
    store: String,
}

impl Target {
    fn new(key_of: Option<&Server>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(server) = key_of {
            fs::copy(server.database().with_file_name("secret"), folder.path().join("secret")).unwrap();
        }
        let store = format!("sqlite:{}", folder.path().join("natter.db").display());
        Self { folder, store }
    }

    fn restores(&self, arguments: &[&str]) -> std::process::Output {
        let arguments = [&["restore"], arguments].concat();
        natter(&arguments, &[("NATTER_STORE", &self.store)])
    }

    #[track_caller]
    fn is_untouched(&self) {
        let there = names_in(self.folder.path());
        assert!(there.iter().all(|name| name == "secret"), "{there:?}");
    }
}

#[tokio::test]
async fn a_damaged_backup_changes_nothing() {
    let shelf = Shelf::new();
    let (server, _, file, _) = backed_up(&shelf, &shelf.sealed()).await;
    let (key, name) = (shelf.key(), file.display().to_string());
    let plain = Shelf::new();
    succeeds(&server.orders(&["backup"], &plain.plain()));
    let plain_file = plain.path().join(&plain.files()[0]).display().to_string();
    let target = Target::new(Some(&server));
    for (name, options) in [(&name, vec!["--identity", &key]), (&plain_file, vec![])] {
        let whole = fs::read(name).unwrap();
        let bad = shelf.path().join("copy");
        let bad_name = bad.display().to_string();
        let orders = |order: &[&str]| {
            let arguments = [order, &[bad_name.as_str()], &options].concat();
            natter(&arguments, &[("NATTER_STORE", &target.store)])
        };
        for at in [whole.len() / 10, whole.len() / 2, whole.len() - 2_000, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            fs::write(&bad, flipped).unwrap();
            refuses(&orders(&["backup", "check"]), 1, "copy");
            refuses(&orders(&["restore"]), 1, "copy");
        }
        fs::write(&bad, &whole[..whole.len() * 2 / 3]).unwrap();
        refuses(&orders(&["restore"]), 1, "copy is");
        fs::write(&bad, "Dear diary").unwrap();
        refuses(&orders(&["restore"]), 1, "copy is no backup");
        target.is_untouched();
        fs::write(&bad, whole).unwrap();
        assert!(succeeds(&orders(&["backup", "check"])).contains("is whole"));
    }
    target.is_untouched();
}

#[tokio::test]
async fn keys_that_are_not_there_are_asked_for() {
    let shelf = Shelf::new();
    let (server, _, file, _) = backed_up(&shelf, &shelf.sealed()).await;
    let file = file.to_str().unwrap();
    let (key, other) = (shelf.key(), Shelf::new());
    let target = Target::new(None);
    refuses(&target.restores(&[file]), 2, "--identity FILE");
    refuses(&target.restores(&[file, "--identity", &other.key()]), 2, "another key");
    refuses(&target.restores(&[file, "--identity", file]), 2, "--identity: ");
    refuses(&target.restores(&[file, "--identity", "/nowhere"]), 2, "/nowhere cannot be read");
    // Without the signing key, and with another one.
    refuses(&target.restores(&[file, "--identity", &key]), 2, "the signing key ");
    target.is_untouched();
    let stranger = Server::start();
    fs::copy(stranger.database().with_file_name("secret"), target.folder.path().join("secret")).unwrap();
    refuses(&target.restores(&[file, "--identity", &key]), 2, "--without-key");
    target.is_untouched();
    let restored = target.restores(&[file, "--identity", &key, "--without-key"]);
    assert!(succeeds(&restored).contains("no password that was set under it is right"), "{}", said(&restored));
    // The key itself is in no backup, encrypted or not.
    let plain = Shelf::new();
    succeeds(&server.orders(&["backup"], &plain.plain()));
    let bytes = fs::read(plain.path().join(&plain.files()[0])).unwrap();
    let secret = fs::read_to_string(server.database().with_file_name("secret")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("\"keys\"") && !text.contains(secret.trim()));
}

#[tokio::test]
async fn what_is_in_the_way_stays_as_it_is() {
    let shelf = Shelf::new();
    let (server, ann, file, url) = backed_up(&shelf, &shelf.plain()).await;
    let file = file.to_str().unwrap();
    refuses(&server.orders(&["restore", file], &[]), 1, "another process uses");
    let target = Target::new(Some(&server));
    let images = target.folder.path().join("files");
    fs::create_dir_all(images.join("no")).unwrap();
    fs::write(images.join("no/notes"), "mine").unwrap();
    refuses(&target.restores(&[file]), 2, "holds notes, which is not of this backup");
    assert!(!target.folder.path().join("natter.db").exists());
    fs::remove_file(images.join("no/notes")).unwrap();

    // An image that cannot be written: the store is begun, and no server starts on it; the next try goes on.
    let id = url.rsplit('/').next().unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", images.join(&id[..2])).unwrap();
    let stopped = target.restores(&[file]);
    refuses(&stopped, 1, "was not read on");
    let started = natter(&["serve"], &[("NATTER_STORE", &target.store), ("NATTER_LISTEN", "127.0.0.1:0")]);
    refuses(&started, 1, "natter restore");
    fs::remove_file(images.join(&id[..2])).unwrap();
    succeeds(&target.restores(&[file]));
    let running = Running::start(target.folder.path(), 0);
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("http://{}{path}", running.address);
    let form = json!({"username": "ann", "password": PASSWORD});
    let session: Session = browser.post(at(path::LOGIN)).json(&form).send().await.unwrap().json().await.unwrap();
    let shown = browser.get(at(&url)).bearer_auth(session.access_token).send().await.unwrap();
    assert!(shown.bytes().await.unwrap() == ann.looks_at(&url, None).await.2, "the image of before");
    drop(running);
    // Now it holds this backup: another one does not go in.
    let later = Shelf::new();
    succeeds(&server.orders(&["backup"], &later.plain()));
    let later = later.path().join(&later.files()[0]).display().to_string();
    refuses(&target.restores(&[&later]), 2, "holds something else already");
}

#[tokio::test]
async fn a_place_that_cannot_be_used_is_named() {
    let shelf = Shelf::new();
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    ann.says(room, "hello").await;
    refuses(&server.orders(&["backup"], &[]), 2, "NATTER_BACKUP_TO is not set");
    refuses(&server.orders(&["backup"], &[("NATTER_BACKUP_TO", "nowhere")]), 2, "NATTER_BACKUP_TO must be file:");
    let file = shelf.folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let below = format!("file:{}/below", file.display());
    refuses(&server.orders(&["backup"], &[("NATTER_BACKUP_TO", &below)]), 1, "a file/below");
    let scratch = [("NATTER_BACKUP_TO", shelf.to.as_str()), ("NATTER_BACKUP_SCRATCH", "/nowhere")];
    refuses(&server.orders(&["backup"], &scratch), 2, "NATTER_BACKUP_SCRATCH");
    let recipient = [("NATTER_BACKUP_TO", shelf.to.as_str()), ("NATTER_BACKUP_RECIPIENT", "age1nobody")];
    refuses(&server.orders(&["backup"], &recipient), 2, "NATTER_BACKUP_RECIPIENT");
    refuses(&server.orders(&["backup", "everything"], &shelf.plain()), 2, "is not understood");
    refuses(&server.orders(&["backup", "check", "latest"], &shelf.plain()), 1, "there is no backup");
    let name = "natter-20200101T000000Z.backup";
    refuses(&server.orders(&["restore", name], &shelf.plain()), 2, "`natter backup list` shows");
    assert!(shelf.files().is_empty());

    // The wrong folder of images is no reason to make a backup without any.
    let image = ann.uploads(picture(40, 30)).await;
    ann.shows(room, &[image.id], "").await;
    let elsewhere = format!("file:{}", shelf.folder.path().join("elsewhere").display());
    let wrong = [("NATTER_BACKUP_TO", shelf.to.as_str()), ("NATTER_FILES", elsewhere.as_str())];
    refuses(&server.orders(&["backup"], &wrong), 1, "is that where the server has them?");
    assert!(shelf.files().is_empty(), "{:?}", shelf.files());
}

/// A file may not grow above some KiB: what a full disk is like, for this process alone.
fn with_a_full_disk(arguments: &[&str], settings: &[(&str, &str)]) -> std::process::Output {
    let program = crate::binary::natter(&[]).get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 96; exec \"$0\" \"$@\""]).arg(program).args(arguments);
    shell.env_clear().envs(settings.iter().copied()).stdin(Stdio::null());
    ends(shell)
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_behind() {
    let shelf = Shelf::new();
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let image = ann.uploads(picture(1_200, 1_200)).await;
    ann.shows(room, &[image.id], "more than fits").await;
    let store = format!("sqlite:{}", server.database().display());
    let settings = [("NATTER_STORE", store.as_str()), ("NATTER_BACKUP_TO", shelf.to.as_str())];
    let made = with_a_full_disk(&["backup"], &settings);
    refuses(&made, 1, "the place of backups");
    assert!(shelf.files().is_empty(), "{:?}", shelf.files());
    succeeds(&natter(&["backup"], &settings));
    assert_eq!(shelf.files().len(), 1);
}

#[tokio::test]
async fn a_ruin_is_told_what_it_lacks() {
    let shelf = Shelf::new();
    let (server, _, file, _) = backed_up(&shelf, &shelf.plain()).await;
    let ruin: Ruin = server.burns_down();
    refuses(&ruin.orders(&["restore", "latest"], &[]), 2, "NATTER_BACKUP_TO is not set");
    assert!(Path::new(&file).is_file());
    succeeds(&ruin.orders(&["restore", "latest"], &shelf.plain()));
    let server = ruin.starts();
    server.stranger().get(path::READY).await.expect(200);
}
