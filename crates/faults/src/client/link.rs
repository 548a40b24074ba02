//! The connection of a client: knock, sign in, send what is unsent, take over what comes, notice silence, come back.

use super::log::Came;
use super::outbox::{Unsent, Via};
use super::{BACKOFF_BASE, BACKOFF_CAP, Ended, Shared, Wish};
use crate::dice::Dice;
use crate::ledger::Ack;
use crate::people::{Tokens, ack_in};
use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use natter_shared::entry::Entry;
use natter_shared::frame::{ClientFrame, CloseCode, Cursors, SendFrame, ServerFrame};
use natter_shared::id::{RoomId, Seq};
use natter_shared::path;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// A handshake, and each later write, takes no longer.
const STEP: Duration = Duration::from_secs(10);
/// A connection that is silent for so long is dead (docs/protocol.md).
const SILENCE: Duration = Duration::from_secs(45);
/// How often the outbox, gaps and tokens are looked at.
const TICK: Duration = Duration::from_millis(200);
/// A head that is ahead by a push that is still on its way is no gap.
const ON_ITS_WAY: Duration = Duration::from_secs(1);
/// REST calls of one client at once.
const CALLS: usize = 8;
/// A connection that held for so long was a good one: the next failure is the first again.
const GOOD: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<TcpStream>;

/// How a connection ended.
enum End {
    Wished,
    /// The code, and whether a fresh token was the cure.
    Closed(Option<u16>),
}

pub async fn run(shared: Arc<Shared>, mut wishes: watch::Receiver<Wish>, mut dice: Dice) {
    let mut tries: u32 = 0;
    let mut gate = dice.below(shared.manner.gates.len());
    let mut connection: u32 = 0;
    loop {
        let stopped = shared.state().stopped.is_some();
        let wish = *wishes.borrow_and_update();
        if wish == Wish::Gone {
            return;
        }
        if wish == Wish::Offline || stopped {
            if wishes.changed().await.is_err() {
                return;
            }
            tries = 0;
            continue;
        }
        connection += 1;
        let address = shared.manner.gates[gate];
        let since = Instant::now();
        let tokens = shared.manner.person.tokens();
        let ended = connect(&shared, &mut wishes, address, connection).await;
        shared.state().connected = false;
        let mut least = Duration::ZERO;
        match ended {
            Ok(End::Wished) => continue,
            Ok(End::Closed(code)) => {
                shared.state().ended.push(Ended { at: Instant::now(), code });
                if since.elapsed() > GOOD {
                    tries = 0;
                }
                if code == Some(CloseCode::SignIn.code()) {
                    // The page gets a fresh token once; a login that has ended says so there.
                    if !shared.manner.renews {
                        shared.state().stopped = Some("the token has ended".to_owned());
                    } else if let Err(error) = shared.manner.person.renew(address, &tokens).await
                        && format!("{error:#}").contains("401")
                    {
                        shared.state().stopped = Some(format!("{error:#}"));
                    }
                } else if code.is_some_and(|code| !CloseCode::may_return(code)) {
                    shared.state().stopped = Some(format!("closed with {code:?}"));
                }
            }
            Err(refusal) => {
                least = refusal.after.unwrap_or_default();
                shared.state().refusals.push(refusal.why);
                gate = (gate + 1) % shared.manner.gates.len();
            }
        }
        if !shared.manner.hostile {
            let most = BACKOFF_BASE.saturating_mul(1 << tries.min(10)).min(BACKOFF_CAP);
            tries += 1;
            let wait = least + dice.between(Duration::ZERO, most);
            tokio::select! {
                () = sleep(wait) => {}
                _ = wishes.changed() => {}
            }
        }
    }
}

/// A connection that was not made.
struct Refusal {
    why: String,
    after: Option<Duration>,
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self { why: format!("{error:#}"), after: None }
    }
}

async fn connect(
    shared: &Arc<Shared>,
    wishes: &mut watch::Receiver<Wish>,
    gate: SocketAddr,
    connection: u32,
) -> Result<End, Refusal> {
    let mut socket = tokio::select! {
        socket = timeout(STEP, handshake(gate)) => socket.context("no answer to the handshake")??,
        _ = wishes.changed() => return Ok(End::Wished),
    };
    let cursors: Cursors = {
        let mut state = shared.state();
        let begun = state.rooms.iter_mut().map(|(room, log)| {
            log.begin();
            (*room, Seq::new(log.cursor()).unwrap_or(Seq::MAX))
        });
        begun.collect()
    };
    let tokens = shared.manner.person.tokens();
    if shared.manner.renews && tokens.are_old() {
        // Whether the old one is still good the server will say.
        let _ = shared.manner.person.renew(gate, &tokens).await;
    }
    let token = shared.manner.person.tokens().access;
    let shown = token.clone();
    send(&mut socket, &ClientFrame::Hello { token, cursors: Some(cursors) }).await?;
    let mut talk = Talk { shared: Arc::clone(shared), socket, gate, connection, behind_since: None, shown };
    let ended = talk.go_on(wishes).await;
    Ok(ended.unwrap_or(End::Closed(None)))
}

async fn handshake(gate: SocketAddr) -> Result<Socket, Refusal> {
    let tcp = TcpStream::connect(gate).await.context("cannot connect")?;
    tcp.set_nodelay(true).context("cannot connect")?;
    let request = format!("ws://{gate}{}", path::WEBSOCKET).into_client_request().context("no request")?;
    match client_async(request, tcp).await {
        Ok((socket, _)) => Ok(socket),
        Err(WsError::Http(response)) => {
            let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let why = format!("refused with {}", response.status().as_u16());
            Err(Refusal { why, after: after.map(Duration::from_secs) })
        }
        Err(error) => Err(anyhow::Error::from(error).context("the handshake failed").into()),
    }
}

async fn send(socket: &mut Socket, frame: &ClientFrame) -> Result<()> {
    let text = serde_json::to_string(frame).context("a frame that is no JSON")?;
    timeout(STEP, socket.send(Message::text(text))).await.context("the server takes nothing")??;
    Ok(())
}

struct Talk {
    shared: Arc<Shared>,
    socket: Socket,
    gate: SocketAddr,
    connection: u32,
    behind_since: Option<Instant>,
    /// The token that was shown last.
    shown: String,
}

impl Talk {
    async fn go_on(&mut self, wishes: &mut watch::Receiver<Wish>) -> Result<End> {
        let mut ticks = interval(TICK);
        let mut heard = Instant::now();
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    heard = Instant::now();
                    shared.state().last_frame = Some(heard);
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            let frame = serde_json::from_str(&text).with_context(|| format!("no frame: {text}"))?;
                            self.takes(frame).await?;
                        }
                        Some(Ok(Message::Close(frame))) => {
                            return Ok(End::Closed(frame.map(|frame| frame.code.into())));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => return Ok(End::Closed(None)),
                    }
                }
                _ = wishes.changed() => return Ok(End::Wished),
                () = shared.work.notified() => self.say_what_is_due().await?,
                _ = ticks.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Ok(End::Closed(None));
                    }
                    self.say_what_is_due().await?;
                    self.fill().await;
                    self.show_fresh_token().await?;
                }
            }
        }
    }

    async fn say_what_is_due(&mut self) -> Result<()> {
        let via = self.shared.manner.via;
        let (calls, frames) = {
            let mut state = self.shared.state();
            if !state.connected {
                return Ok(());
            }
            match via {
                Via::Socket => (Vec::new(), state.outbox.due_on(self.connection)),
                Via::Rest => (state.outbox.due_for_call(CALLS), Vec::new()),
            }
        };
        for unsent in calls {
            tokio::spawn(call(Arc::clone(&self.shared), self.gate, unsent));
        }
        for Unsent { client_id, room, body } in frames {
            let frame = SendFrame { client_id, room, body, reply_to: None, attachments: Vec::new(), to: None };
            send(&mut self.socket, &ClientFrame::Send(frame)).await?;
        }
        Ok(())
    }

    async fn takes(&mut self, frame: ServerFrame) -> Result<()> {
        match frame {
            ServerFrame::Welcome { rooms, .. } => {
                {
                    let mut state = self.shared.state();
                    state.connected = true;
                    state.welcomes += 1;
                    state.gate = Some(self.gate);
                    for overview in rooms {
                        if let Some(room) = state.rooms.get_mut(&overview.room.id) {
                            room.heard_of(overview.head.get());
                        }
                    }
                }
                self.say_what_is_due().await?;
            }
            ServerFrame::Ack { client_id, seq, at, .. } => {
                self.shared.ledger.ack(client_id, Ack { seq: seq.get(), at: at.millis() });
                self.shared.state().outbox.done(client_id);
            }
            ServerFrame::Entries { room, entries } => self.arrive(room, &entries),
            ServerFrame::Resync { room, head } => {
                if let Some(room) = self.shared.state().rooms.get_mut(&room) {
                    room.jumps(head.get());
                }
                self.behind_since = Some(Instant::now() - ON_ITS_WAY);
            }
            ServerFrame::Heads { heads } => {
                let mut state = self.shared.state();
                for (room, head) in heads {
                    if let Some(room) = state.rooms.get_mut(&room) {
                        room.heard_of(head.get());
                    }
                }
            }
            ServerFrame::RoomGone { room } => {
                self.shared.state().gone_rooms.push((room, Instant::now()));
            }
            ServerFrame::Error { client_id, retry, retry_after_ms, message, code } => {
                let Some(client_id) = client_id else {
                    // Before a close frame that says the same; or about a frame that is no message.
                    return Ok(());
                };
                if retry {
                    let after = Duration::from_millis(retry_after_ms.unwrap_or(1_000));
                    self.shared.state().outbox.again(client_id, after);
                } else {
                    self.shared.ledger.refused(client_id, &format!("{code:?}: {message}"));
                    self.shared.state().outbox.done(client_id);
                }
            }
            ServerFrame::Marks { .. }
            | ServerFrame::Typing { .. }
            | ServerFrame::Presence { .. }
            | ServerFrame::Room { .. }
            | ServerFrame::Notify { .. } => {}
        }
        Ok(())
    }

    fn arrive(&mut self, room: RoomId, entries: &[Entry]) {
        let (ledger, reader) = (&self.shared.ledger, self.shared.reader);
        for entry in entries {
            let seq = entry.seq.get();
            let came = match self.shared.state().rooms.get_mut(&room) {
                Some(log) => log.arrives(seq),
                // A room that this client does not follow.
                None => return,
            };
            match came {
                Came::Next => took(&self.shared, entry),
                Came::Known => {}
                Came::Ahead { missing } => {
                    ledger.gap(reader, room, missing);
                    self.behind_since.get_or_insert(Instant::now() - ON_ITS_WAY);
                }
                Came::Doubled => ledger.doubled(reader, room, seq),
                Came::Late => ledger.reordered(reader, room, seq),
            }
        }
    }

    /// Reads from the log what should have come and did not.
    async fn fill(&mut self) {
        let behind: Vec<RoomId> = {
            let state = self.shared.state();
            state.rooms.iter().filter(|(_, log)| log.is_behind()).map(|(room, _)| *room).collect()
        };
        if behind.is_empty() {
            self.behind_since = None;
            return;
        }
        if self.behind_since.get_or_insert_with(Instant::now).elapsed() < ON_ITS_WAY {
            return;
        }
        for room in behind {
            // What cannot be read now is tried again a moment later.
            let _ = timeout(STEP, self.read(room)).await;
        }
        self.behind_since = None;
    }

    async fn read(&self, room: RoomId) -> Result<()> {
        loop {
            let after = self.shared.state().rooms.get(&room).map_or(0, super::Room::cursor);
            let path = format!("{}?after={after}&limit=500", path::entries(room));
            let answer = self.shared.manner.person.once(self.gate, reqwest::Method::GET, &path, None).await?;
            if !answer.status.is_success() {
                bail!("{} {}", answer.status, answer.text);
            }
            let page: natter_shared::page::EntryPage = answer.read()?;
            for entry in &page.entries {
                let next = self.shared.state().rooms.get_mut(&room).is_some_and(|log| log.take(entry.seq.get()));
                if next {
                    took(&self.shared, entry);
                }
            }
            if page.complete || page.entries.is_empty() {
                return Ok(());
            }
        }
    }

    /// In the middle of a token's life the next one is shown.
    async fn show_fresh_token(&mut self) -> Result<()> {
        if !self.shared.manner.renews {
            return Ok(());
        }
        let person = &self.shared.manner.person;
        let tokens = person.tokens();
        if tokens.are_old() {
            // Where it cannot be renewed now, the next tick tries again.
            let _ = person.renew(self.gate, &tokens).await;
        }
        // Another connection of the same person may have got it.
        let Tokens { access, .. } = person.tokens();
        if access != self.shown {
            send(&mut self.socket, &ClientFrame::Token { token: access.clone() }).await?;
            self.shown = access;
        }
        Ok(())
    }
}

/// An entry is the reader's now.
fn took(shared: &Shared, entry: &Entry) {
    let delay = shared.ledger.observed(shared.reader, entry);
    let mut state = shared.state();
    if let Some(delay) = delay {
        state.delays.push((Instant::now(), delay));
    }
    if shared.manner.keeps {
        state.kept.push(entry.clone());
    }
}

/// One message by REST.
async fn call(shared: Arc<Shared>, gate: SocketAddr, unsent: Unsent) {
    let Unsent { client_id, room, body } = unsent;
    let tokens = shared.manner.person.tokens();
    let answer = shared.manner.person.tries_to_say(gate, room, client_id, &body).await;
    let again = Duration::from_secs(1);
    match answer {
        Ok(answer) => {
            if let Some(ack) = ack_in(&answer) {
                shared.ledger.ack(client_id, ack);
                shared.state().outbox.done(client_id);
            } else if answer.status.as_u16() == 401 && shared.manner.person.renew(gate, &tokens).await.is_ok() {
                shared.state().outbox.call_again(client_id, Duration::ZERO);
            } else if answer.may_be_retried() || answer.status.is_server_error() || answer.status.as_u16() == 401 {
                shared.state().outbox.call_again(client_id, answer.retry_after().unwrap_or(again));
            } else {
                shared.ledger.refused(client_id, &format!("{}: {}", answer.status, answer.text));
                shared.state().outbox.done(client_id);
            }
        }
        // Whether it was stored is not known: the same client id finds out.
        Err(_) => shared.state().outbox.call_again(client_id, again),
    }
    shared.work.notify_one();
}
