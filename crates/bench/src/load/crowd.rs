//! Everybody who is connected to one server, and the closed loops of those who speak: at most so many messages in flight,
//! each answered one followed by the next. What is measured is read off before and after a stretch of time.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::{Buffer, Connection, Person, close_code};
use crate::plan;
use crate::process::cpu_seconds;
use crate::statistics::figure;
use crate::wire::dialect::{Dialect, Said};
use crate::wire::frame;

/// Every so many messages, a listener that checks reads the frame whole.
const CHECK_EVERY: u64 = 61;
/// How a server that is too busy to sign somebody in says so, and how often and after what time one comes again.
const AGAIN: &str = r#""retry":true"#;
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const REPEATS: usize = 5;
/// How often the end of something is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// What happened in a stretch of time.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub seconds: f64,
    /// Messages that arrived, at all connections together.
    pub deliveries: u64,
    /// The frames that they arrived in: how far the server gathers.
    pub frames: u64,
    pub acks: u64,
    /// Of the server's processes, and of this one.
    pub server_cpu_s: f64,
    pub client_cpu_s: f64,
}

/// One connection's count.
struct Seat {
    group: usize,
    /// Messages.
    heard: Cell<u64>,
    /// Whether a frame is read whole now and then.
    checks: bool,
}

struct Speaker {
    room: Rc<str>,
    group: usize,
    /// How many may be in flight, and how many are.
    allowed: Cell<usize>,
    in_flight: Cell<usize>,
    changed: Notify,
}

/// What the connections tell the one who measures.
struct Shared {
    dialect: Dialect,
    buffer: Buffer,
    acks: Cell<u64>,
    /// Frames of messages.
    frames: Cell<u64>,
    /// Messages that were said, by group.
    said: RefCell<Vec<u64>>,
    checked: Cell<u64>,
    /// The first thing that went wrong.
    failure: RefCell<Option<String>>,
}

impl Shared {
    fn fail(&self, who: usize, why: &anyhow::Error) {
        self.failure.borrow_mut().get_or_insert_with(|| format!("connection {who}: {why:#}"));
    }
}

pub struct Crowd {
    shared: Rc<Shared>,
    seats: Vec<Rc<Seat>>,
    speakers: Vec<Rc<Speaker>>,
    /// Dropping them hangs up.
    tasks: JoinSet<()>,
}

impl Crowd {
    /// Connects everybody; the first person of each group can be made to speak.
    pub async fn gather(address: SocketAddr, dialect: Dialect, people: &[Person]) -> Result<Self> {
        let groups = people.iter().map(|person| person.group + 1).max().unwrap_or(0);
        let shared = Rc::new(Shared {
            dialect,
            buffer: Buffer::new(),
            acks: Cell::new(0),
            frames: Cell::new(0),
            said: RefCell::new(vec![0; groups]),
            checked: Cell::new(0),
            failure: RefCell::new(None),
        });
        let mut crowd = Self { shared, seats: Vec::new(), speakers: Vec::new(), tasks: JoinSet::new() };
        let shared = Rc::clone(&crowd.shared);
        let opening = stream::iter(people.iter().enumerate()).map(|(at, person)| {
            let buffer = &shared.buffer;
            async move {
                let mut opened = Connection::open(address, dialect, person, buffer).await;
                for _ in 0..REPEATS {
                    // What a client does that is told to come again; the time counts.
                    if !matches!(&opened, Err(why) if why.to_string().contains(AGAIN)) {
                        break;
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                    opened = Connection::open(address, dialect, person, buffer).await;
                }
                opened.map(|connection| (at, person, connection)).with_context(|| format!("connection {at}"))
            }
        });
        let mut opening = opening.buffer_unordered(plan::SIGN_INS);
        let mut led = vec![false; groups];
        while let Some((at, person, connection)) = opening.try_next().await? {
            let leads = !std::mem::replace(&mut led[person.group], true);
            crowd.admit(at, person, connection, leads);
        }
        drop(opening);
        Ok(crowd)
    }

    fn admit(&mut self, at: usize, person: &Person, connection: Connection, leads: bool) {
        let checks = self.seats.iter().all(|seat| seat.group != person.group);
        let seat = Rc::new(Seat { group: person.group, heard: Cell::new(0), checks });
        self.seats.push(Rc::clone(&seat));
        let speaker = leads.then(|| {
            Rc::new(Speaker {
                room: Rc::clone(&person.room),
                group: person.group,
                allowed: Cell::new(0),
                in_flight: Cell::new(0),
                changed: Notify::new(),
            })
        });
        self.speakers.extend(speaker.clone());
        let shared = Rc::clone(&self.shared);
        self.tasks.spawn_local(async move {
            let ended = match speaker {
                Some(speaker) => converse(connection, &shared, &seat, &speaker).await,
                None => listen(connection, &shared, &seat).await,
            };
            if let Err(why) = ended {
                shared.fail(at, &why);
            }
            // A connection that ended stays ended; the failure is found by who measures.
            pending::<()>().await;
        });
    }

    /// Lets so many messages be in flight, shared out evenly among as many speakers as that needs.
    pub fn speak(&self, in_flight: usize) -> Result<()> {
        let needed = in_flight.div_ceil(plan::IN_FLIGHT_A_SENDER);
        ensure!(needed <= self.speakers.len(), "{in_flight} in flight need {needed} speakers");
        for (at, speaker) in self.speakers.iter().enumerate() {
            let share = if at < needed { (in_flight + at) / needed } else { 0 };
            speaker.allowed.set(share);
            speaker.changed.notify_one();
        }
        Ok(())
    }

    /// What happens in the next stretch of time.
    pub async fn measure(&self, window: Duration, server: &[u32]) -> Result<Sample> {
        let own = [std::process::id()];
        let (deliveries, frames, acks) = (self.heard(), self.shared.frames.get(), self.shared.acks.get());
        let (server_cpu, client_cpu) = (cpu_seconds(server)?, cpu_seconds(&own)?);
        let since = Instant::now();
        tokio::time::sleep(window).await;
        let seconds = since.elapsed().as_secs_f64();
        let sample = Sample {
            seconds,
            deliveries: self.heard() - deliveries,
            frames: self.shared.frames.get() - frames,
            acks: self.shared.acks.get() - acks,
            server_cpu_s: cpu_seconds(server)? - server_cpu,
            client_cpu_s: cpu_seconds(&own)? - client_cpu,
        };
        self.still_well()?;
        Ok(sample)
    }

    /// Ends all loops and waits until every message is acknowledged and has reached everybody, once.
    pub async fn fall_silent(&self) -> Result<()> {
        for speaker in &self.speakers {
            speaker.allowed.set(0);
        }
        let since = Instant::now();
        loop {
            self.still_well()?;
            let unanswered: usize = self.speakers.iter().map(|speaker| speaker.in_flight.get()).sum();
            let missing = self.missing()?;
            if unanswered == 0 && missing == 0 {
                break;
            }
            if since.elapsed() > plan::DRAIN {
                bail!("{unanswered} messages are not acknowledged and {missing} deliveries are missing");
            }
            tokio::time::sleep(LOOK).await;
        }
        let most = self.seats.iter().filter(|seat| seat.checks).map(|seat| seat.heard.get()).max().unwrap_or(0);
        ensure!(self.shared.checked.get() > 0 || most < CHECK_EVERY, "no frame was read whole");
        Ok(())
    }

    /// How many of this crowd are connected.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// An error if a connection has ended or was refused something.
    pub fn still_well(&self) -> Result<()> {
        match &*self.shared.failure.borrow() {
            None => Ok(()),
            Some(why) => bail!("{why}"),
        }
    }

    fn heard(&self) -> u64 {
        self.seats.iter().map(|seat| seat.heard.get()).sum()
    }

    fn missing(&self) -> Result<u64> {
        let said = self.shared.said.borrow();
        let mut missing = 0;
        for seat in &self.seats {
            let Some(left) = said[seat.group].checked_sub(seat.heard.get()) else {
                bail!("a connection was delivered more than was said: {} of {}", seat.heard.get(), said[seat.group])
            };
            missing += left;
        }
        Ok(missing)
    }
}

impl Sample {
    pub fn deliveries_a_second(&self) -> f64 {
        figure(self.deliveries) / self.seconds
    }

    pub fn messages_a_frame(&self) -> f64 {
        figure(self.deliveries) / figure(self.frames.max(1))
    }

    pub fn acks_a_second(&self) -> f64 {
        figure(self.acks) / self.seconds
    }

    /// Microseconds of the server's CPU.
    pub fn cpu_us_a_delivery(&self) -> f64 {
        self.server_cpu_s * 1e6 / figure(self.deliveries.max(1))
    }

    pub fn cpu_us_an_ack(&self) -> f64 {
        self.server_cpu_s * 1e6 / figure(self.acks.max(1))
    }

    /// The share of its core that the client needs.
    pub fn client_share(&self) -> f64 {
        self.client_cpu_s / self.seconds
    }
}

async fn listen(mut connection: Connection, shared: &Shared, seat: &Seat) -> Result<()> {
    let mut wire = Vec::new();
    loop {
        hear(&mut connection, shared, seat, &mut wire).await?;
        if !wire.is_empty() {
            connection.stream.write_all(&wire).await.context("hung up")?;
            wire = Vec::new();
        }
    }
}

async fn converse(mut connection: Connection, shared: &Shared, seat: &Seat, speaker: &Speaker) -> Result<()> {
    let mut wire = Vec::new();
    loop {
        // All that may be said now goes out as one write.
        while speaker.in_flight.get() < speaker.allowed.get() {
            let text = shared.dialect.write_message(&speaker.room);
            frame::write_from_client(&mut wire, frame::TEXT, text.as_bytes());
            speaker.in_flight.set(speaker.in_flight.get() + 1);
            shared.said.borrow_mut()[speaker.group] += 1;
        }
        if !wire.is_empty() {
            connection.stream.write_all(&wire).await.context("hung up")?;
            wire.clear();
        }
        tokio::select! {
            acks = hear(&mut connection, shared, seat, &mut wire) => {
                let left = speaker.in_flight.get().checked_sub(acks?).context("more acks than messages")?;
                speaker.in_flight.set(left);
            }
            () = speaker.changed.notified() => {}
        }
    }
}

/// Takes what has come off a connection. Returns the acks in it; what has to be answered at once is appended to `wire`.
async fn hear(connection: &mut Connection, shared: &Shared, seat: &Seat, wire: &mut Vec<u8>) -> Result<usize> {
    let mut acks = 0;
    let mut messages = 0;
    let heard = connection.receive(&shared.buffer, |opcode, payload| {
        match opcode {
            frame::TEXT => match shared.dialect.hear(payload) {
                Said::Messages(count) => {
                    messages += count;
                    shared.frames.set(shared.frames.get() + 1);
                    let heard = seat.heard.get() + messages;
                    if seat.checks && heard / CHECK_EVERY > (heard - count) / CHECK_EVERY {
                        shared.dialect.check(payload, count)?;
                        shared.checked.set(shared.checked.get() + 1);
                    }
                }
                Said::Ack => acks += 1,
                Said::Ping(answer) => frame::write_from_client(wire, frame::TEXT, answer.as_bytes()),
                Said::Refused(why) => bail!("refused: {why}"),
                Said::Aside => {}
            },
            frame::PING => frame::write_from_client(wire, frame::PONG, payload),
            frame::CLOSE => bail!("closed with {}", close_code(payload)),
            _ => {}
        }
        Ok(())
    });
    heard.await?;
    seat.heard.set(seat.heard.get() + messages);
    shared.acks.set(shared.acks.get() + acks as u64);
    Ok(acks)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;
    use tokio::task::{LocalSet, spawn_local};

    use super::*;
    use crate::floor::broadcast;

    fn people(count: usize) -> Vec<Person> {
        let person = Person { hello: r#"{"type":"hello"}"#.into(), room: "room".into(), group: 0 };
        vec![person; count]
    }

    #[test]
    fn a_sample_says_what_each_delivery_cost() {
        let sample =
            Sample { seconds: 2.0, deliveries: 1_000, frames: 250, acks: 10, server_cpu_s: 0.004, client_cpu_s: 0.5 };
        assert!((sample.deliveries_a_second() - 500.0).abs() < 1e-9);
        assert!((sample.messages_a_frame() - 4.0).abs() < 1e-9);
        assert!((sample.acks_a_second() - 5.0).abs() < 1e-9);
        assert!((sample.cpu_us_a_delivery() - 4.0).abs() < 1e-9);
        assert!((sample.cpu_us_an_ack() - 400.0).abs() < 1e-9);
        assert!((sample.client_share() - 0.25).abs() < 1e-9);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_closed_loop_counts_every_message_once_and_gathers_what_is_in_flight() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let work = async {
            spawn_local(broadcast::serve_on(listener));
            let crowd = Crowd::gather(address, Dialect::Natter, &people(5)).await.unwrap();
            for in_flight in [1, 8] {
                crowd.speak(in_flight).unwrap();
                let sample = crowd.measure(Duration::from_millis(100), &[]).await.unwrap();
                crowd.fall_silent().await.unwrap();
                assert!(sample.acks > 0 && sample.deliveries > 0, "{sample:?}");
                assert!((sample.messages_a_frame() - figure(in_flight as u64)).abs() < 1e-9, "{sample:?}");
            }
            // Everybody, the speaker too, has heard all that was said.
            assert_eq!(crowd.heard(), 5 * crowd.shared.said.borrow()[0]);
            assert!(crowd.speak(plan::IN_FLIGHT_A_SENDER + 1).is_err(), "there is one speaker");
        };
        LocalSet::new().run_until(work).await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_server_that_hangs_up_is_found_out() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let work = async {
            let (hang_up, asked) = tokio::sync::oneshot::channel::<()>();
            let server = spawn_local(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await.unwrap();
                let mut wire = Vec::new();
                frame::write_from_server(&mut wire, frame::TEXT, br#"{"type":"welcome"}"#);
                stream.write_all(&wire).await.unwrap();
                asked.await.unwrap();
                wire.clear();
                frame::write_from_server(&mut wire, frame::CLOSE, &1013_u16.to_be_bytes());
                stream.write_all(&wire).await.unwrap();
                stream
            });
            let crowd = Crowd::gather(address, Dialect::Natter, &people(1)).await.unwrap();
            crowd.still_well().unwrap();
            crowd.speak(1).unwrap();
            hang_up.send(()).unwrap();
            let stream = server.await.unwrap();
            let failure = crowd.fall_silent().await.unwrap_err().to_string();
            assert!(failure.contains("connection 0") && failure.contains("1013"), "{failure}");
            drop(stream);
        };
        LocalSet::new().run_until(work).await;
    }
}
