//! The real product on a free port with its own database, and the people who use it as strangers would: over HTTP and
//! sockets, with other client libraries than the server's.

mod person;
mod socket;
mod stream;

pub use person::{Answer, Person, client_id};
pub use socket::{Socket, texts};
pub use stream::EventStream;

use natter_api::app::{App, Handle};
use natter_api::clock::{ManualClock, SystemEntropy};
use natter_api::config::Config;
use natter_shared::timestamp::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// No answer is waited for longer than this.
pub const PATIENCE: Duration = Duration::from_secs(15);

pub const PASSWORD: &str = "violet kettle orbit 93";

/// A running server. Dropping it stops it.
pub struct Server {
    pub address: SocketAddr,
    pub clock: Arc<ManualClock>,
    settings: Vec<(String, String)>,
    data: Arc<TempDir>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server with rates off and cheap password hashes.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same with further settings.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let mut all = vec![
            ("NATTER_BCRYPT_COST".to_owned(), "4".to_owned()),
            ("NATTER_RATE_LIMITS".to_owned(), "off".to_owned()),
            ("NATTER_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ];
        for (name, value) in settings {
            all.retain(|(n, _)| n != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        let data = Arc::new(tempfile::tempdir().unwrap());
        Self::launch(all, data)
    }

    fn launch(settings: Vec<(String, String)>, data: Arc<TempDir>) -> Self {
        let mut variables = settings.clone();
        variables.push(("NATTER_STORE".to_owned(), format!("sqlite:{}", data.path().join("natter.db").display())));
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_795_000_000_000)));
        let (send, receive) = mpsc::channel();
        let thread = {
            let clock = Arc::clone(&clock);
            std::thread::spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    let config = Config::from_variables(variables).unwrap();
                    let app = App::build(config, clock, Arc::new(SystemEntropy)).await.unwrap();
                    send.send((app.address(), app.handle())).unwrap();
                    app.run_until_stopped().await.unwrap();
                });
            })
        };
        let (address, handle) = receive.recv_timeout(PATIENCE).expect("the server starts");
        Self { address, clock, settings, data, handle, thread: Some(thread) }
    }

    /// Stops the server and starts another one on the same data (and another port).
    pub fn restart(mut self) -> Self {
        self.stop();
        Self::launch(self.settings.clone(), Arc::clone(&self.data))
    }

    fn stop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server stops without a panic");
        }
    }

    /// The file in which everything is kept.
    pub fn database(&self) -> PathBuf {
        self.data.path().join("natter.db")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Registers somebody who can chat from here on.
    pub async fn person(&self, username: &str) -> Person {
        Person::register(self, username).await
    }

    /// Somebody without a login.
    pub fn stranger(&self) -> Person {
        Person::nobody(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.handle.stop();
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Waits, with a bound, until something holds.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "never came true: {what}");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
