//! The program itself: what it says about bad settings, and that killing it loses nothing.

use crate::support::PATIENCE;
use natter_shared::entry::Entry;
use natter_shared::path;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The program with an empty environment but for these settings.
pub(crate) fn natter(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_natter"));
    command.env_clear().envs(settings.iter().copied()).stdin(Stdio::null());
    command
}

/// Runs it to its end, which must come soon.
pub(crate) fn ends(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    let id = child.id();
    let watch = std::thread::spawn(move || {
        if ended.recv_timeout(PATIENCE).is_err() {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        }
    });
    let mut stderr = child.stderr.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (mut err, mut out) = (Vec::new(), Vec::new());
    std::io::Read::read_to_end(&mut stderr, &mut err).unwrap();
    std::io::Read::read_to_end(&mut stdout, &mut out).unwrap();
    let status = child.wait().unwrap();
    let _ = done.send(());
    watch.join().unwrap();
    Output { status, stdout: out, stderr: err }
}

#[test]
fn a_bad_setting_stops_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("natter.db").display());
    let short = folder.path().join("short");
    std::fs::write(&short, "abc123\n").unwrap();
    let short = short.to_str().unwrap();
    let bad = [
        ("NATTER_LISTEN", "nowhere"),
        ("NATTER_LISTEN", "127.0.0.1:99999"),
        ("NATTER_PUBLIC_URL", "chat.example.org"),
        ("NATTER_PUBLIC_URL", "ftp://chat.example.org"),
        ("NATTER_STORE", "oracle://x"),
        ("NATTER_STORE", ""),
        ("NATTER_ACCESS_TTL", "0"),
        ("NATTER_ACCESS_TTL", "3601"),
        ("NATTER_ACCESS_TTL", "15min"),
        ("NATTER_REFRESH_TTL", "0"),
        ("NATTER_BCRYPT_COST", "3"),
        ("NATTER_BCRYPT_COST", "40"),
        ("NATTER_RATE_LIMITS", "maybe"),
        ("NATTER_WEB_DIR", "/does/not/exist"),
        ("NATTER_SECRET_FILE", short),
        ("NATTER_LOG", "natter=shout=loud"),
        ("NATTER_LISTENN", "127.0.0.1:0"),
    ];
    for (name, value) in bad {
        let mut settings = vec![("NATTER_LISTEN", "127.0.0.1:0"), ("NATTER_STORE", store.as_str())];
        settings.retain(|(n, _)| *n != name);
        settings.push((name, value));
        let output = ends(natter(&settings));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{name}={value} was accepted");
        assert!(said.contains(name) && !said.contains("panicked"), "{name}={value}: {said}");
        if name == "NATTER_SECRET_FILE" {
            assert!(!said.contains("abc123"), "a secret is not shown: {said}");
        }
    }
}

#[test]
fn help_lists_every_setting() {
    for arguments in [vec!["--help"], vec!["serve", "--help"]] {
        let mut command = natter(&[]);
        command.args(&arguments);
        let output = ends(command);
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for setting in ["NATTER_LISTEN", "NATTER_PUBLIC_URL", "NATTER_STORE", "NATTER_SECRET_FILE", "NATTER_WEB_DIR"] {
            assert!(text.contains(setting), "{arguments:?}: {setting} is missing in {text}");
        }
    }
    let mut command = natter(&[]);
    command.arg("teleport");
    let output = ends(command);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_version_says_for_what_it_was_built() {
    let mut command = natter(&[]);
    command.arg("--version");
    let said = String::from_utf8(ends(command).stdout).unwrap();
    let words: Vec<&str> = said.trim_end().split(' ').collect();
    assert_eq!(words[..2], ["natter", env!("CARGO_PKG_VERSION")]);
    assert!(said.contains(std::env::consts::ARCH) && said.ends_with(")\n"), "{said}");
}

#[tokio::test]
async fn the_page_beside_the_program_is_served_wherever_it_is_started() {
    let built = Path::new(env!("CARGO_BIN_EXE_natter"));
    let (unpacked, data) = (tempfile::tempdir_in(built.parent().unwrap()).unwrap(), tempfile::tempdir().unwrap());
    let program = unpacked.path().join("natter");
    std::fs::hard_link(built, &program).unwrap();
    std::fs::create_dir(unpacked.path().join("dist")).unwrap();
    std::fs::write(unpacked.path().join("dist/index.html"), "<!doctype html><title>beside</title>").unwrap();
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let settings = [("NATTER_STORE", store.as_str()), ("NATTER_LISTEN", "127.0.0.1:0")];
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let page = async |more: &[(&str, &str)]| {
        let mut command = Command::new(&program);
        command.env_clear().envs(settings).envs(more.iter().copied()).current_dir(data.path());
        let server = Running::of(command.stderr(Stdio::null()));
        client.get(format!("http://{}/", server.address)).send().await.unwrap().text().await.unwrap()
    };
    assert!(page(&[]).await.contains("beside"));
    assert!(!page(&[("NATTER_WEB_DIR", "")]).await.contains("beside"), "set but empty: no page");
}

/// A running program; killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(data: &Path, port: u16) -> Self {
        Self::with_log(data, port, Stdio::null(), "info")
    }

    /// One that logs all it has to say into a file.
    pub(crate) fn logging(data: &Path, log: &Path) -> Self {
        Self::with_log(data, 0, std::fs::File::create(log).unwrap().into(), "trace")
    }

    fn with_log(data: &Path, port: u16, log: Stdio, level: &str) -> Self {
        let store = format!("sqlite:{}", data.join("natter.db").display());
        let listen = format!("127.0.0.1:{port}");
        let mut command = natter(&[
            ("NATTER_STORE", &store),
            ("NATTER_LISTEN", &listen),
            ("NATTER_BCRYPT_COST", "4"),
            ("NATTER_RATE_LIMITS", "off"),
            ("NATTER_LOG", level),
        ]);
        Self::of(command.stderr(log))
    }

    /// What this command starts.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the program says where it listens").unwrap();
            if let Some(at) = line.find("http://127.0.0.1:") {
                let rest = &line[at + "http://".len()..];
                break rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).next().unwrap().to_owned();
            }
        };
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || for _ in lines {});
        Self { child, address }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success() && self.child.wait().unwrap().success(), "it stops in order");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_killed_server_has_every_acknowledged_message() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start(data.path(), 0);
    let port: u16 = server.address.rsplit(':').next().unwrap().parse().unwrap();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let form = json!({"username": "ann", "email": "a@example.org", "password": crate::support::PASSWORD});
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let session: serde_json::Value =
        client.post(url(path::REGISTER)).json(&form).send().await.unwrap().json().await.unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();
    let room = json!({"name": "garden", "visibility": "public"});
    let room: natter_shared::room::Room =
        client.post(url(path::ROOMS)).bearer_auth(&token).json(&room).send().await.unwrap().json().await.unwrap();

    let mut acknowledged: Vec<Entry> = Vec::new();
    for round in 0..3 {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (client, token, tell) = (client.clone(), token.clone(), tell.clone());
                let url = url(&path::messages(room.id));
                tokio::spawn(async move {
                    for n in 0.. {
                        let id = crate::support::client_id();
                        let form = json!({"client_id": id, "body": format!("{round} {writer} {n}")});
                        let Ok(answer) = client.post(&url).bearer_auth(&token).json(&form).send().await else { return };
                        let Ok(entry) = answer.json::<Entry>().await else { return };
                        if tell.send(entry).is_err() {
                            return;
                        }
                    }
                })
            })
            .collect();
        drop(tell);
        for _ in 0..150 {
            acknowledged.push(told.recv().await.expect("the server acknowledges"));
        }
        server.kill();
        for writer in writers {
            writer.await.unwrap();
        }
        while let Ok(entry) = told.try_recv() {
            acknowledged.push(entry);
        }
        server = Running::start(data.path(), port);
    }

    let mut log: Vec<Entry> = Vec::new();
    loop {
        let after = log.last().map_or(0, |e| e.seq.get());
        let url = url(&format!("{}?after={after}", path::entries(room.id)));
        let page: natter_shared::page::EntryPage =
            client.get(url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        log.extend(page.entries);
        if page.complete {
            break;
        }
    }
    assert!(log.iter().enumerate().all(|(i, e)| e.seq.get() == i as u64 + 1), "contiguous");
    for entry in &acknowledged {
        let index = usize::try_from(entry.seq.get() - 1).unwrap();
        assert_eq!(&log[index], entry, "acknowledged and there, as it was answered");
    }
    let mut ids: Vec<_> = log.iter().filter_map(|e| e.client_id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "nothing twice");
}

#[test]
fn one_data_folder_serves_one_program() {
    let data = tempfile::tempdir().unwrap();
    let _server = Running::start(data.path(), 0);
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let output = ends(natter(&[("NATTER_STORE", &store), ("NATTER_LISTEN", "127.0.0.1:0")]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("natter.db") && !said.contains("panicked"), "{said}");
}

#[test]
fn a_busy_address_is_one_sentence() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let output = ends(natter(&[("NATTER_STORE", &store), ("NATTER_LISTEN", &listen)]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&listen) && said.contains("NATTER_LISTEN"), "{said}");
}

/// Gives an order about administrators on a store, and returns whether it was carried out and what was said.
fn orders(store: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = natter(&[("NATTER_STORE", store)]);
    command.arg("admin").args(arguments);
    let output = ends(command);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn administrators_are_made_at_the_machine_while_the_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let (code, said) = orders(&store, &["list"]);
    assert!(code == Some(2) && said.contains("natter.db"), "there is no store yet, and none is made: {said}");
    assert!(!data.path().join("natter.db").exists());

    let server = Running::start(data.path(), 0);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let form = json!({"username": "ann", "email": "a@example.org", "password": crate::support::PASSWORD});
    let session: serde_json::Value =
        client.post(url(path::REGISTER)).json(&form).send().await.unwrap().json().await.unwrap();
    let token = session["access_token"].as_str().unwrap();
    let is_admin = async || {
        let me: natter_shared::account::Me =
            client.get(url(path::ME)).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        me.admin
    };
    assert!(!is_admin().await);
    let (code, said) = orders(&store, &["list"]);
    assert!(code == Some(0) && said.contains("natter admin grant"), "{said}");
    for (name, why) in [("bob", "register first"), ("no name", "no username")] {
        let (code, said) = orders(&store, &["grant", name]);
        assert!(code == Some(2) && said.contains(name) && said.contains(why), "{code:?} {said}");
    }
    for (order, says) in [("grant", "from now on"), ("grant", "was one before")] {
        let (code, said) = orders(&store, &[order, "ann"]);
        assert!(code == Some(0) && said.contains(says), "{said}");
        assert!(is_admin().await);
    }
    assert_eq!(orders(&store, &["list"]), (Some(0), "ann\n".to_owned()));
    let (code, said) = orders(&store, &["revoke", "@ann"]);
    assert!(code == Some(0) && said.contains("Nobody is"), "{said}");
    assert!(!is_admin().await);
    assert_eq!(orders(&store, &["depose", "ann"]).0, Some(2));
}

#[tokio::test]
async fn a_slow_request_is_a_line_in_the_log() {
    let data = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let log = data.path().join("log");
    let mut command = natter(&[
        ("NATTER_STORE", &store),
        ("NATTER_LISTEN", "127.0.0.1:0"),
        ("NATTER_LOG", "warn"),
        ("NATTER_SLOW_MS", "0"),
    ]);
    let said = std::fs::File::create(&log).unwrap();
    let server = Running::of(command.stderr(said));
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let answer = client.get(format!("http://{}/api/v1/users/somebody", server.address)).send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    crate::support::eventually("the line", async || {
        let log = std::fs::read_to_string(&log).unwrap();
        let line = log.lines().find(|line| line.contains(&id));
        line.is_some_and(|line| line.contains(path::USER) && line.contains("slow") && !line.contains("somebody"))
    })
    .await;
}
