//! A TCP proxy that makes a network bad: slow, narrow, torn, silent, or with an ear and no mouth. It knows nothing of what
//! it carries. One is put between clients and a node, a node and MongoDB, or a node and Redis.

use crate::dice::Dice;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What is carried in one piece. A read is delayed and counted as a whole.
const PIECE: usize = 16 * 1024;

/// What the network does. A change holds at once, also for connections that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Each piece is late by this much, both ways, give or take `jitter`.
    pub latency: Duration,
    pub jitter: Duration,
    /// Bytes a second each way; `None`: all that fits.
    pub bytes_per_s: Option<u64>,
    /// Connections are accepted, nothing passes, nobody is told.
    pub partition: bool,
    /// What the server answers is thrown away.
    pub deaf: bool,
    /// A connection is reset when the server has sent so many bytes more, counted for all connections together.
    pub cut_after: Option<u64>,
}

pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    target: SocketAddr,
    cut: Notify,
    /// Bytes from the server since the weather changed.
    answered: AtomicU64,
    dice: Mutex<Dice>,
}

/// Which way a half of a connection carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

impl Proxy {
    /// Starts in fine weather, on a free port.
    pub async fn start(target: SocketAddr, dice: Dice) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a proxy cannot listen")?;
        let address = listener.local_addr().context("a proxy has no address")?;
        let (weather, forecast) = watch::channel(Weather::default());
        let cut = Notify::new();
        let shared = Arc::new(Shared { target, cut, answered: AtomicU64::new(0), dice: Mutex::new(dice) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared), forecast));
        Ok(Self { address, weather, shared, accepting })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, weather: Weather) {
        self.shared.answered.store(0, Ordering::SeqCst);
        self.weather.send_replace(weather);
    }

    /// Fine weather again; connections that were silent stay, and carry what comes next.
    pub fn heal(&self) {
        self.set(Weather::default());
    }

    /// Resets every connection that is there.
    pub fn reset(&self) {
        self.shared.cut.notify_waiters();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.reset();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, weather: watch::Receiver<Weather>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of descriptors for a moment.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(carry(client, Arc::clone(&shared), weather.clone()));
    }
}

async fn carry(client: TcpStream, shared: Arc<Shared>, weather: watch::Receiver<Weather>) {
    let cut = shared.cut.notified();
    let Ok(server) = TcpStream::connect(shared.target).await else {
        tear(&client);
        return;
    };
    let (reset_client, reset_server) = (socket2::SockRef::from(&client), socket2::SockRef::from(&server));
    // Whenever this ends otherwise than by both sides having said goodbye, it ends with a reset.
    let _ = reset_client.set_tcp_nodelay(true);
    let _ = reset_server.set_tcp_nodelay(true);
    let (mut client, mut server) = (client, server);
    let torn = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            tokio::try_join!(
                pump(from_client, to_server, Way::ToServer, &shared, weather.clone()),
                pump(from_server, to_client, Way::ToClient, &shared, weather.clone()),
            )
        };
        tokio::select! {
            both = both => both.is_err(),
            () = cut => true,
        }
    };
    if torn {
        tear(&client);
        tear(&server);
    }
}

/// Has the connection end with a reset instead of a goodbye.
fn tear(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// The connection is to be reset.
struct Torn;

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    way: Way,
    shared: &Shared,
    mut weather: watch::Receiver<Weather>,
) -> Result<(), Torn> {
    let mut piece = vec![0; PIECE];
    let mut free_at = Instant::now();
    loop {
        // In a partition bytes wait where they are, so that healing it carries them on, as a network would.
        weather.wait_for(|now| !now.partition).await.map_err(|_| Torn)?;
        let read = tokio::select! {
            read = from.read(&mut piece) => read.map_err(|_| Torn)?,
            changed = weather.changed() => {
                changed.map_err(|_| Torn)?;
                continue;
            }
        };
        weather.wait_for(|now| !now.partition).await.map_err(|_| Torn)?;
        let now = *weather.borrow();
        if read == 0 {
            let _ = to.shutdown().await;
            return Ok(());
        }
        if now.latency > Duration::ZERO {
            sleep(late(now, shared)).await;
        }
        if let Some(rate) = now.bytes_per_s {
            let begins = free_at.max(Instant::now());
            let bytes = u32::try_from(read).unwrap_or(u32::MAX);
            free_at = begins + Duration::from_secs(1) * bytes / u32::try_from(rate.max(1)).unwrap_or(u32::MAX);
            tokio::time::sleep_until(free_at).await;
        }
        let mut carried = read;
        if way == Way::ToClient {
            if now.deaf {
                continue;
            }
            if let Some(limit) = now.cut_after {
                let length = u64::try_from(read).unwrap_or(u64::MAX);
                let before = shared.answered.fetch_add(length, Ordering::SeqCst);
                if before + length >= limit {
                    carried = usize::try_from(limit.saturating_sub(before)).unwrap_or(0);
                    let _ = to.write_all(&piece[..carried]).await;
                    return Err(Torn);
                }
            }
        }
        to.write_all(&piece[..carried]).await.map_err(|_| Torn)?;
    }
}

fn late(weather: Weather, shared: &Shared) -> Duration {
    let mut dice = shared.dice.lock().unwrap_or_else(PoisonError::into_inner);
    let least = weather.latency.saturating_sub(weather.jitter);
    dice.between(least, weather.latency + weather.jitter + Duration::from_micros(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(10);

    /// A server that sends everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = peer.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn says(stream: &mut TcpStream, text: &str) -> Option<String> {
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).await.ok()?;
        String::from_utf8(answer).ok()
    }

    #[tokio::test]
    async fn weather_changes_for_connections_that_are_there() {
        let proxy = Proxy::start(echo().await, Dice::new(1)).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, "fine").await.as_deref(), Some("fine"));

        proxy.set(Weather { partition: true, ..Weather::default() });
        stream.write_all(b"later").await.unwrap();
        let mut answer = [0; 5];
        let silence = timeout(Duration::from_millis(200), stream.read_exact(&mut answer)).await;
        assert!(silence.is_err(), "a partition lets something through");
        proxy.heal();
        timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"later");

        proxy.reset();
        assert!(timeout(SOON, stream.read(&mut answer)).await.unwrap().is_err(), "a reset is no goodbye");
    }

    #[tokio::test]
    async fn a_connection_is_cut_after_so_many_bytes_and_slow_ones_are_slow() {
        let proxy = Proxy::start(echo().await, Dice::new(1)).await.unwrap();
        proxy.set(Weather { cut_after: Some(3), ..Weather::default() });
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        stream.write_all(b"abcdef").await.unwrap();
        let mut got = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut got)).await.unwrap();
        assert!(got.len() <= 3, "{got:?}");

        let latency = Duration::from_millis(100);
        proxy.set(Weather { latency, ..Weather::default() });
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let since = Instant::now();
        assert_eq!(says(&mut stream, "slow").await.as_deref(), Some("slow"));
        assert!(since.elapsed() >= 2 * latency);
    }
}
