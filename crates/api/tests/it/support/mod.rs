//! The real product on a free port with its own database, and the people who use it as strangers would: over HTTP and
//! sockets, with other client libraries than the server's.

mod backend;
mod node;
mod person;
mod picture;
mod ruin;
mod socket;
mod stream;

pub use backend::Backend;
pub(crate) use backend::also_on_a_cluster;
pub use person::{Answer, Person, client_id};
pub use picture::{form, picture};
pub(crate) use ruin::Ruin;
pub use socket::{Socket, texts};
pub use stream::EventStream;

pub use backend::Place;
use natter_api::clock::{Clock, ManualClock};
use natter_shared::timestamp::Timestamp;
use node::Node;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// No answer is waited for longer than this.
pub const PATIENCE: Duration = Duration::from_secs(15);

pub const PASSWORD: &str = "violet kettle orbit 93";

/// A running server: one node on SQLite, or two on MongoDB and Redis, as the story's backend is. Dropping it stops it.
pub struct Server {
    /// The address of the first node.
    pub address: SocketAddr,
    /// The clock of all nodes.
    pub clock: Arc<ManualClock>,
    settings: Vec<(String, String)>,
    nodes: Vec<Node>,
    next: AtomicUsize,
    /// After the nodes: they write there until they have stopped.
    place: Arc<Place>,
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
        Self::launch(all, Arc::new(Place::new(Backend::of_this_story())))
    }

    /// A server on data that `prepare` puts where it looks for them.
    pub fn on_what_is_there(prepare: impl FnOnce(&Place)) -> Self {
        let place = Place::new(Backend::of_this_story());
        prepare(&place);
        let settings = [("NATTER_BCRYPT_COST", "4"), ("NATTER_RATE_LIMITS", "off"), ("NATTER_LISTEN", "127.0.0.1:0")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self::launch(settings, Arc::new(place))
    }

    fn launch(settings: Vec<(String, String)>, place: Arc<Place>) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_795_000_000_000)));
        let start = |_| {
            let settings = settings.iter().cloned().chain(place.settings()).collect();
            Node::start(settings, Arc::clone(&clock) as Arc<dyn Clock>)
        };
        let nodes: Vec<Node> = (0..place.nodes()).map(start).collect();
        Self { address: nodes[0].address, clock, settings, nodes, next: AtomicUsize::new(0), place }
    }

    /// Stops the server and starts another one on the same data (and another port).
    pub fn restart(mut self) -> Self {
        self.nodes.iter().for_each(Node::ask_to_stop);
        self.nodes.drain(..).for_each(Node::stop);
        Self::launch(self.settings.clone(), Arc::clone(&self.place))
    }

    /// The node whose turn it is: people and requests are spread over all of them.
    fn next_address(&self) -> SocketAddr {
        self.nodes[self.next.fetch_add(1, Ordering::Relaxed) % self.nodes.len()].address
    }

    /// The file in which everything is kept, on SQLite.
    pub fn database(&self) -> PathBuf {
        self.place.database()
    }

    /// An address on the listener for Prometheus of the first node.
    pub fn metrics_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.nodes[0].metrics.expect("NATTER_METRICS_LISTEN is set"))
    }

    /// An address of the next node.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.next_address())
    }

    /// Says at the machine who is an administrator, while the server runs: `natter admin grant NAME`, or `revoke`.
    pub fn administers(&self, order: &str, username: &str) {
        let settings = self.place.settings();
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut command = crate::binary::natter(&settings);
        command.args(["admin", order, username]);
        let output = crate::binary::ends(command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs the program at the machine with the settings of this server and further ones, while it runs, to its end.
    pub fn orders(&self, arguments: &[&str], further: &[(&str, &str)]) -> std::process::Output {
        self.place.orders(arguments, further)
    }

    /// The same on another thread: whoever writes meanwhile goes on.
    pub async fn orders_meanwhile(&self, arguments: &[&str], further: &[(&str, &str)]) -> std::process::Output {
        let owned = |text: &str| text.to_owned();
        let arguments: Vec<String> = arguments.iter().map(|word| owned(word)).collect();
        let further: Vec<(String, String)> = further.iter().map(|(name, value)| (owned(name), owned(value))).collect();
        let place = Arc::clone(&self.place);
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let further: Vec<(&str, &str)> = further.iter().map(|(name, value)| (&**name, &**value)).collect();
            place.orders(&arguments, &further)
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// Stops the server and loses everything that it kept but the signing key.
    pub fn burns_down(mut self) -> Ruin {
        self.nodes.iter().for_each(Node::ask_to_stop);
        self.nodes.drain(..).for_each(Node::stop);
        self.place.lose_everything();
        Ruin::new(self.settings.clone(), Arc::clone(&self.place))
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
        // All at once; the nodes then wait for their ends one after the other.
        self.nodes.iter().for_each(Node::ask_to_stop);
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
