//! One address for several nodes: hands each TCP connection to the next node that takes it and copies bytes both ways, a
//! thread a direction. Adds nothing to them, so nodes see its address instead of people's. For trying by hand only.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::progress::say;

/// More connections at a time than this are hung up on.
const CONNECTIONS: usize = 512;
/// How long a node may take to accept a connection before the next one is asked.
const CONNECT: Duration = Duration::from_secs(1);
/// How long to leave the machine alone when it has no room for a connection.
const RECOVER: Duration = Duration::from_millis(100);
/// Two copies a connection, which need little.
const STACK: usize = 128 * 1024;

/// A listening address.
pub struct Front {
    listener: TcpListener,
}

impl Front {
    /// Takes `port` of 127.0.0.1; connections wait until [`Front::serve`].
    pub fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        Ok(Self { listener: listener.with_context(|| format!("port {port} of 127.0.0.1 cannot be used"))? })
    }

    /// Spreads connections over `nodes` until the program ends.
    pub fn serve(self, nodes: Vec<SocketAddr>) {
        let nodes = Arc::new(Nodes { addresses: nodes, next: AtomicUsize::new(0) });
        let open = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            loop {
                let Ok((client, _)) = self.listener.accept() else {
                    // Most often there is no file descriptor left; at once it would be the same again.
                    thread::park_timeout(RECOVER);
                    continue;
                };
                let Some(place) = Place::take(&open) else {
                    say(&format!("front: hung up on a connection, for {CONNECTIONS} are open already"));
                    continue;
                };
                let nodes = Arc::clone(&nodes);
                // Without a thread for it, the connection is hung up on like one too many.
                let _ = thread::Builder::new().stack_size(STACK).spawn(move || {
                    nodes.carry(&client);
                    drop(place);
                });
            }
        });
    }
}

/// A place among the open connections, given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let more = |open| (open < CONNECTIONS).then_some(open + 1);
        open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        Some(Self(Arc::clone(open)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Nodes {
    addresses: Vec<SocketAddr>,
    next: AtomicUsize,
}

impl Nodes {
    /// Carries one connection to its end. Where no node takes it, it is closed.
    fn carry(&self, client: &TcpStream) {
        let Some(node) = self.connect() else { return };
        for stream in [client, &node] {
            // Frames are small, and each side has already put together what belongs together.
            let _ = stream.set_nodelay(true);
        }
        thread::scope(|scope| {
            let there = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || copy(client, &node));
            if there.is_ok() {
                copy(&node, client);
            }
        });
    }

    /// A connection to the node whose turn it is, or to the next one that takes it.
    fn connect(&self) -> Option<TcpStream> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let turns = (0..self.addresses.len()).map(|turn| &self.addresses[(first + turn) % self.addresses.len()]);
        turns.into_iter().find_map(|address| TcpStream::connect_timeout(address, CONNECT).ok())
    }
}

/// Copies until `from` has said everything, and then says so to `to`; the other direction may go on. After a failure it
/// may not: both are cut off.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    if io::copy(&mut from, &mut to).is_ok() && to.shutdown(Shutdown::Write).is_ok() {
        return;
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// How long anything may take here.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A node that says its name to each connection, hears it out, and repeats in capitals what it heard.
    fn node(name: &'static str) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    stream.write_all(name.as_bytes()).unwrap();
                    let mut heard = Vec::new();
                    if stream.read_to_end(&mut heard).is_ok() {
                        let _ = stream.write_all(&heard.to_ascii_uppercase());
                    }
                });
            }
        });
        address
    }

    /// An address on which nothing listens.
    fn nobody() -> SocketAddr {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
    }

    fn front(nodes: Vec<SocketAddr>) -> SocketAddr {
        let front = Front::listen(0).unwrap();
        let address = front.listener.local_addr().unwrap();
        front.serve(nodes);
        address
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn name(stream: &mut TcpStream) -> String {
        let mut name = [0; 1];
        stream.read_exact(&mut name).unwrap();
        String::from_utf8_lossy(&name).into_owned()
    }

    #[test]
    fn connections_go_to_each_node_in_turn() {
        let front = front(vec![node("a"), node("b"), node("c")]);
        let mut streams: Vec<_> = (0..6).map(|_| name(&mut connect(front))).collect();
        assert_eq!(streams[..3], streams[3..], "three take turns");
        streams.sort();
        assert_eq!(streams, ["a", "a", "b", "b", "c", "c"]);
    }

    #[test]
    fn a_node_that_is_gone_is_passed_over() {
        let front = front(vec![nobody(), node("b"), nobody()]);
        for _ in 0..6 {
            assert_eq!(name(&mut connect(front)), "b");
        }
    }

    #[test]
    fn without_any_node_a_connection_is_closed() {
        let mut stream = connect(front(vec![nobody(), nobody()]));
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    }

    #[test]
    fn what_is_half_closed_still_hears_the_answer() {
        let mut stream = connect(front(vec![node("a")]));
        // More than all buffers on the way hold, so that both directions must flow at once.
        let said = b"x".repeat(8 << 20);
        let mut writing = stream.try_clone().unwrap();
        let writer = thread::spawn(move || {
            writing.write_all(&said).unwrap();
            writing.shutdown(Shutdown::Write).unwrap();
        });
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        writer.join().unwrap();
        assert_eq!(heard.len(), (8 << 20) + 1);
        assert!(heard[0] == b'a' && heard[1..].iter().all(|byte| *byte == b'X'));
    }

    #[test]
    fn a_node_that_dies_takes_its_connections_with_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = connect(front(vec![listener.local_addr().unwrap()]));
        let (node, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        // Closing with unread bytes resets the connection, as the end of a process does.
        let mut first = [0; 1];
        (&node).read_exact(&mut first).unwrap();
        drop(node);
        assert_eq!(client.read(&mut first).unwrap_or(0), 0, "the client is told");
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let open = Arc::new(AtomicUsize::new(0));
        let mut places: Vec<_> = (0..CONNECTIONS).map(|_| Place::take(&open).unwrap()).collect();
        assert!(Place::take(&open).is_none());
        places.pop();
        assert!(Place::take(&open).is_some());
    }
}
