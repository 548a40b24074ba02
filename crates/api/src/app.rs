//! Puts the server together, the only file that picks backends, and takes it apart again without losing anything.

use crate::bus::local::LocalBus;
use crate::bus::redis::{Options as BusOptions, RedisBus};
use crate::bus::{Bus, News};
use crate::clock::{Clock, Entropy};
use crate::config::{Config, Origins, StoreChoice};
use crate::files::{self, FilesError};
use crate::http::metrics as scraped;
use crate::http::pace;
use crate::http::page::Page;
use crate::http::server;
use crate::metrics::{self, Process, Registry, StoreCalls};
use crate::moving::{NotYet, refuse_half_imported};
use crate::realtime::doors::Doors;
use crate::realtime::hub::Hub;
use crate::realtime::upgrade::Upgraded;
use crate::realtime::{heal, recheck};
use crate::secret::{self, BadSecret};

use crate::service::accounts::Accounts;
use crate::service::admin::Admin;
use crate::service::deletion::Deletions;
use crate::service::events::Events;
use crate::service::guests::Guests;
use crate::service::integrations::Integrations;
use crate::service::log_writer::LogWriter;
use crate::service::marks::Marks;
use crate::service::messages::Messages;
use crate::service::operations::Operations;
use crate::service::pictures::Pictures;
use crate::service::presence::Presence;
use crate::service::rooms::Rooms;
use crate::service::sessions::Sessions;
use crate::service::{Parts, Settings};
use crate::state::{AppState, Stopping};
use crate::store::mongo::{self, Mongo};
use crate::store::sqlite::{OpenError, Options, Sqlite};
use crate::store::{Log, Measured, Store};
use actix_web::dev::{Server, ServerHandle};
use actix_web::rt;
use actix_web::web::Data;
use natter_shared::event::EventKind;
use natter_shared::id::UserId;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// How long after a signal this node says that it is not ready, before it stops listening: time for a balancer to see it.
const NOT_READY: Duration = Duration::from_secs(1);
/// How long sockets have to say goodbye. Together with the rest it stays below 15 seconds.
const GOODBYES: Duration = Duration::from_secs(8);
const LAST_FRAMES: Duration = Duration::from_millis(1_500);
/// How often logins that have ended are forgotten.
const PRUNE: Duration = Duration::from_hours(1);
/// How often the people who are connected are counted.
const STOCK: Duration = Duration::from_mins(1);
/// How often deletions of accounts that are under way are gone on with.
const DELETIONS: Duration = Duration::from_mins(1);
/// Pieces of news of who is online that may wait to be announced, each of some hundred people.
const NEWS_OF_PEOPLE: usize = 1_024;

/// Why the server does not start or ends early, as a sentence for who runs it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    NotYet(#[from] NotYet),
    #[error(transparent)]
    Mongo(#[from] mongo::OpenError),
    #[error(transparent)]
    Secret(#[from] BadSecret),
    #[error("NATTER_FILES: {0}")]
    Files(#[from] FilesError),
    #[error("NATTER_WEB_DIR: the page in {} cannot be read: {why}", folder.display())]
    Page { folder: PathBuf, why: std::io::Error },
    #[error("NATTER_LISTEN: {address} cannot be listened on: {why}")]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error("NATTER_METRICS_LISTEN: {address} cannot be listened on: {why}")]
    MetricsListen { address: SocketAddr, why: std::io::Error },
    #[error("signals cannot be waited for: {0}")]
    Signals(std::io::Error),
    #[error("the server failed: {0}")]
    Failed(std::io::Error),
}

impl StartError {
    /// Whether a setting must be changed.
    pub const fn is_a_setting(&self) -> bool {
        match self {
            Self::Mongo(error) => error.is_a_setting(),
            Self::Secret(BadSecret::Keys { .. } | BadSecret::Missing(_)) | Self::Page { .. } => true,
            _ => false,
        }
    }
}

/// A server that listens and, once [`App::run_until_stopped`] is polled, answers.
pub struct App {
    address: SocketAddr,
    server: Server,
    /// Where Prometheus asks, if it may.
    scraped: Option<(SocketAddr, Server)>,
    /// The connections that have left HTTP, signed in or not.
    upgraded: Upgraded,
    state: Data<AppState>,
    /// The embedded store, which must be closed at the end; MongoDB is let go.
    sqlite: Option<Arc<Sqlite>>,
    log: LogWriter,
    marks: Marks,
    stop: Handle,
    /// Set by a signal: this node first says for a moment that it is not ready.
    linger: Arc<std::sync::atomic::AtomicBool>,
}

/// Stops a server from anywhere.
#[derive(Clone, Default)]
pub struct Handle(Arc<Notify>);

impl Handle {
    /// Asks the server to stop; its `run_until_stopped` returns when it has.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Runs a future on the runtime that the server needs, on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    rt::System::new().block_on(future)
}

impl App {
    /// Opens the store, binds the address and starts the background tasks.
    pub async fn build(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Self, StartError> {
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let (store, sqlite, keys): (Arc<dyn Store>, _, _) = match &config.store {
            StoreChoice::Sqlite(database) => {
                let sqlite = Arc::new(Sqlite::open(database, Options::default())?);
                refuse_half_imported(&*sqlite).await?;
                let keys = secret::read_or_make(&config.secret_file, &*entropy)?;
                (Arc::<Sqlite>::clone(&sqlite), Some(sqlite), keys)
            }
            StoreChoice::Mongo(url) => {
                let keys = secret::read(&config.secret_file)?;
                let mongo = Mongo::open(url).await?;
                refuse_half_imported(&mongo).await?;
                (Arc::new(mongo), None, keys)
            }
        };
        let calls = StoreCalls::default();
        let slow = Duration::from_millis(config.slow_ms);
        let store: Arc<dyn Store> = Arc::new(Measured::new(store, calls.clone(), slow));
        let files = files::open(&config.files)?;
        let page = match &config.web_dir {
            None => Page::none(),
            Some(folder) => Page::read(folder).map_err(|why| StartError::Page { folder: folder.clone(), why })?,
        };
        let listener =
            server::listen(config.listen).map_err(|why| StartError::Listen { address: config.listen, why })?;
        let address = listener.local_addr().map_err(StartError::Failed)?;
        let origins = Origins::new(config.public_url.as_deref(), address);
        if config.public_url.is_none() && !address.ip().is_loopback() {
            let url = origins.public_url();
            tracing::warn!(url, "NATTER_PUBLIC_URL is not set: browsers are let in from this address only");
        }

        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let hub = Arc::new(Hub::new(workers));
        let redis = metrics::Redis::default();
        let (bus, news) = pick_bus(&config, &hub, &clock, &entropy, &redis).await;
        let settings = Arc::new(Settings {
            access_ttl_s: config.access_ttl_s,
            refresh_ttl_s: config.refresh_ttl_s,
            bcrypt_cost: config.bcrypt_cost,
            password_min: config.password_min,
            rate_limits: config.rate_limits,
            keys,
            // Tokens name it: a server that takes another free port after a restart shall still know its own.
            public_url: config.public_url.clone().unwrap_or_else(|| "http://localhost".to_owned()),
        });
        let events =
            Events::start(Arc::clone(&store) as _, Arc::clone(&clock), Arc::clone(&entropy), config.events_days);
        let parts = Parts { store, bus, clock, entropy, settings, events };
        let log = LogWriter::start(Arc::clone(&parts.store) as Arc<dyn Log>, Arc::clone(&parts.bus));
        let marks = Marks::start(&parts);
        let sessions = Sessions::new(&parts);
        let operations = Arc::new(Operations::new(pace::all(), Arc::clone(&parts.clock)));
        let rooms = Arc::new(Rooms::new(&parts, log.clone()));
        let pictures = Pictures::new(&parts, files);
        let messages = Arc::new(Messages::new(&parts, log.clone(), pictures.clone()));
        let state = Data::new(AppState {
            accounts: Accounts::new(&parts, &sessions),
            admin: Admin::new(&parts, &sessions, &operations),
            deletions: Deletions::new(&parts, &sessions, &pictures, log.clone()),
            operations,
            guests: Guests::new(&parts, &sessions, &rooms),
            integrations: Integrations::new(&parts, &rooms, &messages),
            sessions,
            rooms,
            messages,
            pictures,
            marks: marks.clone(),
            presence: Presence::new(&parts),
            events: parts.events.clone(),
            store: Arc::clone(&parts.store),
            bus: Arc::clone(&parts.bus),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            doors: Arc::new(Doors::new(config.rate_limits)),
            config,
            origins,
            hub: Arc::clone(&hub),
            stopping: Stopping::default(),
        });
        let mut registry = Registry::default();
        calls.register(&mut registry);
        redis.register(&mut registry);
        expose(&state, &log, &mut registry);
        let scraped = state.config.metrics_listen.map(|address| scrapers(address, registry)).transpose()?;
        rt::spawn(heal::run(Arc::clone(&hub), Arc::clone(&parts.store)));
        rt::spawn(recheck::run(Arc::clone(&hub), state.sessions.clone()));
        rt::spawn(prune(Data::clone(&state)));
        rt::spawn(take_stock(Data::clone(&state)));
        rt::spawn(finish_deletions(Data::clone(&state)));
        if let Some(news) = news {
            rt::spawn(hear(news, Data::clone(&state)));
        }
        let upgraded = Upgraded::default();
        let server = server::serve(listener, workers, &hub, &state, &Data::new(page), &upgraded);
        let server = server.map_err(StartError::Failed)?;
        let linger = Arc::default();
        Ok(Self { address, server, scraped, upgraded, state, sqlite, log, marks, stop: Handle::default(), linger })
    }

    /// The address that is bound.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Prometheus finds the numbers.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.scraped.as_ref().map(|(address, _)| *address)
    }

    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where browsers find it.
    pub fn url(&self) -> &str {
        self.state.origins.public_url()
    }

    pub fn handle(&self) -> Handle {
        self.stop.clone()
    }

    /// SIGTERM and SIGINT stop the server, after a moment in which it says that it is not ready.
    pub fn stop_on_signals(&self) -> Result<(), StartError> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
        let (handle, linger) = (self.handle(), Arc::clone(&self.linger));
        rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            linger.store(true, std::sync::atomic::Ordering::SeqCst);
            handle.stop();
        });
        Ok(())
    }

    /// Serves until it is told to stop; then sockets are closed, what is under way is answered, and what was acknowledged
    /// is stored.
    pub async fn run_until_stopped(self) -> Result<(), StartError> {
        let Self { address, server, scraped, upgraded, state, sqlite, log, marks, stop, linger } = self;
        tracing::info!(%address, url = state.origins.public_url(), "listening");
        let scraped = scraped.map(|(address, server)| {
            tracing::info!(%address, "listening for Prometheus");
            let handle = server.handle();
            rt::spawn(server);
            handle
        });
        let handle = server.handle();
        let mut server = rt::spawn(server);
        tokio::select! {
            () = stop.0.notified() => {}
            ended = &mut server => return ended.map_or(Ok(()), |ended| ended.map_err(StartError::Failed)),
        }
        drain(&state, &upgraded, &handle, linger.load(std::sync::atomic::Ordering::SeqCst)).await;
        let _ = server.await;
        log.stop().await;
        marks.stop().await;
        count(&state);
        state.events.stop().await;
        state.bus.close().await;
        if let Some(sqlite) = sqlite {
            sqlite.close().await;
        }
        // Last, so that the end can be watched.
        if let Some(scraped) = scraped {
            scraped.stop(false).await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Gathers what everybody counts.
fn expose(state: &Data<AppState>, log: &LogWriter, to: &mut Registry) {
    to.collect(Process { started: state.clock.now() });
    to.collect(Arc::clone(&state.operations));
    state.hub.register(to);
    log.register(to);
    state.sessions.register(to);
    state.events.register(to);
    let bus = Arc::clone(&state.bus);
    let away = move || u64::from(bus.without().is_some());
    to.ask("natter_redis_away", "1 while Redis is set and cannot be reached, 0 otherwise", away);
    let bus = Arc::clone(&state.bus);
    to.ask("natter_redis_publish_queue_depth", "Notices that wait to be told to other nodes", move || {
        bus.waiting() as u64
    });
}

/// The listener for Prometheus, and the address that it has.
fn scrapers(address: SocketAddr, registry: Registry) -> Result<(SocketAddr, Server), StartError> {
    let cannot = |why| StartError::MetricsListen { address, why };
    let listener = server::listen(address).map_err(cannot)?;
    let bound = listener.local_addr().map_err(cannot)?;
    Ok((bound, scraped::serve(listener, registry).map_err(cannot)?))
}

/// The bus of this node, and what it hears that is for the services.
async fn pick_bus(
    config: &Config,
    hub: &Arc<Hub>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    numbers: &metrics::Redis,
) -> (Arc<dyn Bus>, Option<mpsc::Receiver<News>>) {
    let (hub, clock) = (Arc::clone(hub), Arc::clone(clock));
    let Some(address) = config.redis.clone() else { return (Arc::new(LocalBus::new(hub, clock)), None) };
    let options = BusOptions { numbers: numbers.clone(), ..BusOptions::new(address, &config.redis_prefix) };
    let (bus, news) = RedisBus::start(options, hub, clock, Arc::clone(entropy)).await;
    (Arc::new(bus), Some(news))
}

/// Hands what the bus hears from other nodes to the services.
async fn hear(mut news: mpsc::Receiver<News>, state: Data<AppState>) {
    // The people of a whole node take a while; an ended login must not wait for them.
    let (to_presence, mut of_people) = mpsc::channel::<(Vec<UserId>, bool)>(NEWS_OF_PEOPLE);
    let presence = state.presence.clone();
    rt::spawn(async move {
        while let Some((people, online)) = of_people.recv().await {
            if online { presence.returned(&people).await } else { presence.departed(&people).await }
        }
    });
    while let Some(news) = news.recv().await {
        let told = match news {
            News::SessionsEnded(sessions) => {
                state.sessions.forget(&sessions);
                state.integrations.forget(&sessions);
                continue;
            }
            News::Departed(people) => (people, false),
            News::Returned(people) => (people, true),
        };
        if to_presence.send(told).await.is_err() {
            return;
        }
    }
}

/// Goes on with what a crash, or an order at the machine, has left of deletions, now and once a minute.
async fn finish_deletions(state: Data<AppState>) {
    let mut minutes = tokio::time::interval(DELETIONS);
    loop {
        minutes.tick().await;
        match state.deletions.resume().await {
            Ok(0) => {}
            Ok(done) => tracing::info!(done, "accounts were deleted"),
            Err(error) => tracing::warn!(%error, "deletions of accounts are not complete; they go on in a minute"),
        }
    }
}

/// Counts, once a minute, what only the bus and the hub know.
async fn take_stock(state: Data<AppState>) {
    let mut minutes = tokio::time::interval(STOCK);
    loop {
        minutes.tick().await;
        state.events.online(state.bus.counted().await);
        count(&state);
    }
}

fn count(state: &AppState) {
    state.events.count(EventKind::EntriesDelivered, "", state.hub.take_delivered());
}

/// Forgets logins that have ended, images that were never sent and events that are old, now and once an hour.
async fn prune(state: Data<AppState>) {
    let mut hours = tokio::time::interval(PRUNE);
    loop {
        hours.tick().await;
        match state.sessions.prune().await {
            Ok(0) => {}
            Ok(pruned) => tracing::info!(pruned, "forgot logins that had ended"),
            Err(error) => {
                tracing::warn!(%error, "logins that have ended could not be forgotten; tried again in an hour");
            }
        }
        match state.pictures.prune().await {
            Ok(0) => {}
            Ok(pruned) => tracing::info!(pruned, "forgot images that were never sent"),
            Err(error) => tracing::warn!(%error, "images that were never sent stay for another hour"),
        }
        match state.events.prune().await {
            Ok(0) => {}
            Ok(pruned) => tracing::info!(pruned, "forgot old events"),
            Err(error) => tracing::warn!(%error, "old events could not be forgotten; tried again in an hour"),
        }
    }
}

async fn drain(state: &AppState, upgraded: &Upgraded, server: &ServerHandle, linger: bool) {
    state.stopping.begin();
    tracing::info!(connections = state.hub.connections(), "stopping");
    let begun = Instant::now();
    state.bus.wind_down();
    state.hub.wind_down();
    while state.hub.connections() > 0 && begun.elapsed() < GOODBYES {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Who has left the hub may still be owed the frame that says so.
    let left = Instant::now();
    while upgraded.count() > 0 && left.elapsed() < LAST_FRAMES {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if linger {
        tokio::time::sleep_until(begun + NOT_READY).await;
    }
    server.stop(true).await;
}
