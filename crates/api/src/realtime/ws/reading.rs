//! The reading side of a WebSocket: the task that signs it in and then takes what its peer says, until one of the two ends
//! it.

use crate::bus::TooOften;
use crate::http::error::ApiError;
use crate::http::extract::parse_json;
use crate::http::headers::RequestId;
use crate::realtime::dispatch;
use crate::realtime::doors::Pass;
use crate::realtime::frame_guard::Rest;
use crate::realtime::link::Link;
use crate::realtime::opening::{self, Opened};
use crate::realtime::outbox::{End, Over, Parted};
use crate::realtime::outgoing::Outgoing;
use crate::realtime::patience::Patience;
use crate::realtime::shard::Shard;
use crate::service::Caller;
use crate::service::events::Note;
use crate::state::AppState;
use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, ProtocolError};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use natter_shared::event::EventKind;
use natter_shared::frame::{ClientFrame, CloseCode, SendFrame};
use natter_shared::id::ConnectionId;
use natter_shared::limits;
use std::error::Error;
use std::future::poll_fn;
use std::str::Utf8Error;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

/// Messages of one connection that are on their way into the log; further frames are read when one is answered.
const IN_FLIGHT_MAX: usize = 128;
/// What is under way when the server stops is waited for this long.
const LAST_ANSWERS: Duration = Duration::from_secs(6);
/// After a close frame the peer has this long to hang up, and may send this many bytes more, before the connection is cut.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: usize = 64 * 1024;

/// The reading side.
pub(super) struct Socket {
    pub state: Data<AppState>,
    pub shard: Arc<Shard>,
    pub link: Arc<Link>,
    pub messages: AggregatedMessageStream,
    pub rest: Rest,
    pub patience: Patience,
    pub ip: String,
}

impl Drop for Socket {
    /// A panic ends the task in the middle of anything. Its connection must not live on in silence: the peer would find out
    /// a minute later only.
    fn drop(&mut self) {
        self.link.outbox.end(End::Gone(None));
        self.link.outbox.part(Parted::Cut);
    }
}

/// What came from the peer.
enum Heard {
    Frame(Box<ClientFrame>),
    /// A text that is no frame of the contract.
    Nonsense(ApiError),
    /// Nothing follows.
    End(End),
}

impl Socket {
    /// `asked_by` is the request that became this socket.
    pub async fn run(mut self, pass: Pass, asked_by: RequestId) {
        let hello = tracing::error_span!("hello", request_id = %asked_by, connection = tracing::field::Empty);
        drop(asked_by);
        // Boxed: what a sign-in needs is given back after it, and is not part of every connection's task for good.
        if let Some(opened) = Box::pin(self.sign_in(pass).instrument(hello)).await {
            let end = self.converse(&opened).await;
            self.link.outbox.end(end);
            opened.close(end);
        }
        let hung_up = tokio::time::timeout(FAREWELL, async {
            if !self.rest.hung_up(FAREWELL_BYTES).await {
                // The close frame may still be on its way; what comes is left unread.
                std::future::pending::<()>().await;
            }
        });
        let how = if hung_up.await.is_ok() { Parted::Quietly } else { Parted::Cut };
        self.link.outbox.part(how);
    }

    /// Waits for `hello` and answers it.
    async fn sign_in(&mut self, pass: Pass) -> Option<Opened> {
        let hello = tokio::time::timeout(Duration::from_millis(limits::HELLO_MS), self.hear()).await;
        let error = match hello {
            Ok(Heard::Frame(frame)) => match *frame {
                ClientFrame::Hello { token, cursors } => match self.welcome(pass, &token, cursors).await {
                    Ok(opened) => return Some(opened),
                    Err(error) => error,
                },
                _ => ApiError::bad_request("The first frame must be hello"),
            },
            Ok(Heard::Nonsense(error)) => error,
            Ok(Heard::End(end)) => {
                self.link.outbox.end(end);
                return None;
            }
            Err(_) => ApiError::bad_request("The first frame must be hello, within 5 seconds"),
        };
        tracing::info!(ip = self.ip, code = ?error.code, cause = error.cause().unwrap_or("-"), "socket refused");
        self.state.hub.numbers().refused(error.code);
        let code = opening::close_code(&error);
        self.link.outbox.end_saying(Outgoing::new(&error.frame(None)), End::Close(code));
        None
    }

    async fn welcome(
        &self,
        pass: Pass,
        token: &str,
        cursors: Option<natter_shared::frame::Cursors>,
    ) -> Result<Opened, ApiError> {
        let (caller, person) = self.state.sessions.recognise(token).await?;
        opening::open(&self.state, &self.shard, &self.link, pass, caller, person, &cursors.unwrap_or_default()).await
    }

    /// The next thing that the peer says. Pings are answered here.
    async fn hear(&mut self) -> Heard {
        loop {
            let Some(message) = self.messages.next().await else {
                return Heard::End(self.rest.verdict().map_or(End::Gone(None), End::Close));
            };
            self.link.pulse.heard(Instant::now());
            match message {
                Ok(AggregatedMessage::Text(text)) => {
                    return match parse_json::<ClientFrame>(text.as_bytes()) {
                        Ok(frame) => Heard::Frame(Box::new(frame)),
                        Err(error) => Heard::Nonsense(error),
                    };
                }
                Ok(AggregatedMessage::Ping(payload)) => {
                    if !self.patience.spend_control(Instant::now()) {
                        return Heard::End(End::Close(CloseCode::Abuse));
                    }
                    self.link.outbox.push(&Outgoing::pong(&payload));
                }
                Ok(AggregatedMessage::Pong(_)) => {}
                Ok(AggregatedMessage::Binary(_)) => return Heard::End(End::Close(CloseCode::NotText)),
                Ok(AggregatedMessage::Close(reason)) => return Heard::End(End::Gone(Some(goodbye(reason.as_ref())))),
                Err(error) => return Heard::End(End::Close(self.rest.verdict().unwrap_or(violation(&error)))),
            }
        }
    }

    /// Everything after the welcome, until one side ends it.
    async fn converse(&mut self, opened: &Opened) -> End {
        let (mut caller, connection) = (opened.caller, opened.connection());
        let state = Data::clone(&self.state);
        let link = Arc::clone(&self.link);
        let mut in_flight: FuturesUnordered<LocalBoxFuture<'static, (Outgoing, Option<ApiError>)>> =
            FuturesUnordered::new();
        loop {
            let heard = tokio::select! {
                biased;
                over = poll_fn(|cx| link.outbox.poll_over(cx)) => match over {
                    Over::Ended(end) => return end,
                    Over::Asked(code) => {
                        let answers = async {
                            while let Some((answer, _)) = in_flight.next().await {
                                link.outbox.push(&answer);
                            }
                        };
                        // Whoever is not answered by then asks again after the restart.
                        let _ = tokio::time::timeout(LAST_ANSWERS, answers).await;
                        link.outbox.end_after_queue(End::Close(code));
                        return End::Close(code);
                    }
                },
                Some(answer) = in_flight.next() => {
                    if let Some(end) = self.answer(answer) {
                        return end;
                    }
                    continue;
                }
                heard = self.hear(), if in_flight.len() < IN_FLIGHT_MAX => heard,
            };
            let frame = match heard {
                Heard::Frame(frame) => *frame,
                Heard::Nonsense(error) => {
                    if let Some(end) = self.refuse(&error) {
                        return end;
                    }
                    continue;
                }
                Heard::End(end) => return end,
            };
            if !matches!(frame, ClientFrame::Send(_))
                && let Err(too_often) = self.spend_frame(&caller).await
            {
                if let Some(end) = self.refuse(&too_often.into()) {
                    return end;
                }
                continue;
            }
            let done = match frame {
                ClientFrame::Send(frame) => {
                    let mut sending = sending(&state, caller, frame, of_frame(connection, "send"));
                    // Polled here, it is queued before the next frame is read.
                    match futures_util::poll!(&mut sending) {
                        Poll::Ready(answer) => {
                            if let Some(end) = self.answer(answer) {
                                return end;
                            }
                        }
                        Poll::Pending => in_flight.push(sending),
                    }
                    Ok(())
                }
                ClientFrame::Typing { room } => {
                    dispatch::typing(&state, &caller, room).instrument(of_frame(connection, "typing")).await
                }
                ClientFrame::Read { room, seq } => {
                    dispatch::read(&state, &caller, room, seq);
                    Ok(())
                }
                ClientFrame::Received { room, seq } => {
                    dispatch::received(&state, &caller, room, seq);
                    Ok(())
                }
                ClientFrame::Token { token } => {
                    let shown = dispatch::token(&state, &caller, &token);
                    match shown.instrument(of_frame(connection, "token")).await {
                        Ok(fresh) => {
                            link.pulse.shown(fresh.expires_at, state.clock.now());
                            caller = fresh;
                            Ok(())
                        }
                        Err(error) => Err(error),
                    }
                }
                ClientFrame::Hello { .. } => Err(ApiError::bad_request("hello was said already")),
            };
            if let Err(error) = done
                && let Some(end) = self.refuse(&error)
            {
                return end;
            }
        }
    }

    /// Counts a frame that is no message for its person.
    async fn spend_frame(&mut self, caller: &Caller) -> Result<(), TooOften> {
        self.patience.may_ask(Instant::now())?;
        let taken = self.state.presence.frame(caller).await;
        if let Err(too_often) = taken {
            self.patience.was_refused(too_often, Instant::now());
        }
        taken
    }

    /// Passes an answer on; an end if refusals have become abuse.
    fn answer(&mut self, (answer, error): (Outgoing, Option<ApiError>)) -> Option<End> {
        self.link.outbox.push(&answer);
        error.and_then(|error| self.count(&error))
    }

    fn refuse(&mut self, error: &ApiError) -> Option<End> {
        self.link.outbox.push(&Outgoing::new(&error.frame(None)));
        self.count(error)
    }

    fn count(&mut self, error: &ApiError) -> Option<End> {
        tracing::debug!(ip = self.ip, code = ?error.code, cause = error.cause().unwrap_or("-"), "frame refused");
        self.state.events.count(EventKind::Errors, error.code.word(), 1);
        if !self.state.config.rate_limits || self.patience.bears(error.code, Instant::now()) {
            return None;
        }
        let abuse = Note::of(EventKind::SocketAbuse);
        self.state.events.note(match self.ip.parse() {
            Ok(ip) => abuse.at_ip(ip),
            Err(_) => abuse,
        });
        Some(End::Close(CloseCode::Abuse))
    }
}

fn sending(
    state: &Data<AppState>,
    caller: Caller,
    frame: SendFrame,
    span: Span,
) -> LocalBoxFuture<'static, (Outgoing, Option<ApiError>)> {
    let state = Data::clone(state);
    async move { dispatch::send(&state, &caller, frame).await }.instrument(span).boxed_local()
}

/// What every line of the log has on it that is about a frame, and a trace's beginning. It lives as long as the frame is
/// worked on: a span for each connection would be half a kilobyte for each that says nothing.
fn of_frame(connection: ConnectionId, frame: &'static str) -> Span {
    tracing::error_span!("frame", %connection, frame)
}

/// The code that answers a close frame: the same, if it is one that may be sent.
fn goodbye(reason: Option<&CloseReason>) -> u16 {
    reason.map_or(1000, |reason| reason.code.into())
}

/// What the guard lets pass and actix refuses: text that is not UTF-8, and malformed close frames.
fn violation(error: &ProtocolError) -> CloseCode {
    match error {
        ProtocolError::Overflow => CloseCode::TooLarge,
        ProtocolError::Io(io) if io.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<Utf8Error>) => {
            CloseCode::NotText
        }
        _ => CloseCode::Protocol,
    }
}
