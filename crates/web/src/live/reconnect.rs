//! When and how to come back after a connection is lost: full-jitter exponential backoff, the meaning of close codes, and
//! the change to an event stream where sockets don't get through. Plain decisions; time and chance are arguments.

use natter_shared::frame::CloseCode;

/// The longest first wait, doubled with each try up to the most, in milliseconds.
pub const BASE_MS: u64 = 500;
pub const CAP_MS: u64 = 30_000;
/// So many sockets in a row must fail to open before an event stream is used.
pub const FAILURES_BEFORE_STREAM: u32 = 3;
/// After so long on an event stream a socket is tried again, in milliseconds.
pub const STREAM_MS: i64 = 5 * 60 * 1_000;
/// A connection on which nothing came for so long is dead, in milliseconds. The server says something every 10 s, and a
/// dead connection is to be noticed within 45 s.
pub const SILENCE_MS: i64 = 35_000;
/// What a socket says that ended without a close frame (RFC 6455).
pub const ABNORMAL: u16 = 1006;

/// How to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Socket,
    EventStream,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The close code; [`ABNORMAL`] if there was none.
    pub code: u16,
    /// Whether the server answers plain requests. Only then does a socket that does not open say anything about sockets.
    pub server_answers: bool,
    /// The server's own wish for when to come back, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Come back after so many milliseconds.
    Wait(u64),
    /// Renew the token, then come back at once.
    Renew,
    /// The login has ended.
    SignedOut,
    /// The server does not let this login connect; only the person can do something.
    Stop,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconnect {
    tries: u32,
    socket_failures: u32,
    stream_since: Option<i64>,
    renewed: bool,
    welcomed: bool,
}

impl Reconnect {
    /// How to connect now.
    pub fn transport(&mut self, now: i64) -> Transport {
        if self.stream_since.is_some_and(|since| now.saturating_sub(since) >= STREAM_MS) {
            // One failure is enough to go back to the stream.
            self.stream_since = None;
            self.socket_failures = FAILURES_BEFORE_STREAM - 1;
        }
        if self.socket_failures < FAILURES_BEFORE_STREAM {
            return Transport::Socket;
        }
        self.stream_since.get_or_insert(now);
        Transport::EventStream
    }

    /// A connection is being made.
    pub fn begins(&mut self) {
        self.welcomed = false;
    }

    /// The server said welcome on that transport.
    pub fn welcomed(&mut self, transport: Transport) {
        self.tries = 0;
        self.renewed = false;
        self.welcomed = true;
        if transport == Transport::Socket {
            self.socket_failures = 0;
            self.stream_since = None;
        }
    }

    /// The connection is over, or did not come about. `chance` lies in 0..1.
    pub fn ended(&mut self, transport: Transport, end: End, chance: f64) -> Next {
        if end.code == CloseCode::NotAllowed.code() {
            return Next::Stop;
        }
        if end.code == CloseCode::SignIn.code() {
            if self.renewed {
                return Next::SignedOut;
            }
            self.renewed = true;
            return Next::Renew;
        }
        let unopened = transport == Transport::Socket && !self.welcomed && end.code == ABNORMAL;
        if unopened && end.server_answers {
            self.socket_failures += 1;
        }
        let wait = backoff(self.tries, chance);
        self.tries = self.tries.saturating_add(1);
        // A server that says when is believed; the jitter keeps all its clients from coming at that very moment.
        Next::Wait(end.retry_after_ms.unwrap_or_default().min(10 * CAP_MS).saturating_add(wait))
    }

    /// The person, the network or the tab came back: the next try counts as the first.
    pub fn start_over(&mut self) {
        self.tries = 0;
    }
}

/// Full jitter: anything from nothing to the doubled base, at most the cap. In milliseconds.
pub fn backoff(tries: u32, chance: f64) -> u64 {
    let most = BASE_MS.saturating_mul(1 << tries.min(10)).min(CAP_MS);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "at most 30 000, and chance lies in 0..1"
    )]
    let wait = (most as f64 * chance.clamp(0.0, 1.0)) as u64;
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: End = End { code: ABNORMAL, server_answers: false, retry_after_ms: None };
    const BLOCKED: End = End { code: ABNORMAL, server_answers: true, retry_after_ms: None };

    #[test]
    fn waits_grow_up_to_the_cap_and_are_spread_evenly() {
        assert_eq!(backoff(0, 1.0), 500);
        assert_eq!(backoff(3, 1.0), 4_000);
        assert_eq!(backoff(60, 1.0), 30_000);
        assert_eq!(backoff(60, 0.0), 0);
        // A thousand clients on their seventh try: no second takes more than 15 in 100 of them.
        let mut seconds = [0_u32; 31];
        for client in 0..1_000_u32 {
            let wait = backoff(7, f64::from(client) / 1_000.0);
            seconds[usize::try_from(wait / 1_000).unwrap()] += 1;
        }
        assert!(seconds.iter().all(|count| *count <= 150), "{seconds:?}");
    }

    #[test]
    fn a_server_that_is_down_never_leads_to_an_event_stream() {
        let mut reconnect = Reconnect::default();
        for _ in 0..20 {
            assert_eq!(reconnect.transport(0), Transport::Socket);
            reconnect.begins();
            assert!(matches!(reconnect.ended(Transport::Socket, GONE, 0.5), Next::Wait(_)));
        }
    }

    #[test]
    fn three_blocked_sockets_lead_to_an_event_stream_and_later_back() {
        let mut reconnect = Reconnect::default();
        for _ in 0..3 {
            assert_eq!(reconnect.transport(0), Transport::Socket);
            reconnect.begins();
            reconnect.ended(Transport::Socket, BLOCKED, 0.5);
        }
        assert_eq!(reconnect.transport(1_000), Transport::EventStream);
        reconnect.welcomed(Transport::EventStream);
        reconnect.ended(Transport::EventStream, GONE, 0.5);
        assert_eq!(reconnect.transport(1_000 + STREAM_MS - 1), Transport::EventStream);
        assert_eq!(reconnect.transport(1_000 + STREAM_MS), Transport::Socket);
        reconnect.begins();
        reconnect.ended(Transport::Socket, BLOCKED, 0.5);
        assert_eq!(reconnect.transport(2_000 + STREAM_MS), Transport::EventStream);
    }

    #[test]
    fn a_socket_that_worked_and_broke_is_no_failure_to_open() {
        let mut reconnect = Reconnect::default();
        for _ in 0..5 {
            assert_eq!(reconnect.transport(0), Transport::Socket);
            reconnect.begins();
            reconnect.welcomed(Transport::Socket);
            assert_eq!(reconnect.ended(Transport::Socket, BLOCKED, 1.0), Next::Wait(BASE_MS));
        }
    }

    #[test]
    fn an_ended_token_is_renewed_once() {
        let end = End { code: 4401, server_answers: true, retry_after_ms: None };
        let mut reconnect = Reconnect::default();
        assert_eq!(reconnect.ended(Transport::Socket, end, 0.5), Next::Renew);
        assert_eq!(reconnect.ended(Transport::Socket, end, 0.5), Next::SignedOut);
        reconnect.welcomed(Transport::Socket);
        assert_eq!(reconnect.ended(Transport::Socket, end, 0.5), Next::Renew);
        assert_eq!(reconnect.ended(Transport::Socket, End { code: 4403, ..end }, 0.5), Next::Stop);
    }

    #[test]
    fn the_servers_wish_is_kept() {
        let end = End { retry_after_ms: Some(7_000), ..BLOCKED };
        assert_eq!(Reconnect::default().ended(Transport::EventStream, end, 1.0), Next::Wait(7_500));
    }
}
