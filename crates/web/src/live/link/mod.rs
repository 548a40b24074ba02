//! The connection of a tab: opens it, notices its death, comes back. One at a time; what an older one still says is not
//! heard.

mod ending;

use self::ending::{PROBE_MS, ended};
use crate::api::{ApiError, answers};
use crate::live::browser;
use crate::live::frame;
use crate::live::reconnect::{ABNORMAL, Reconnect, SILENCE_MS, Transport};
use crate::live::socket::Socket;
use crate::live::sse::Stream;
use crate::live::tab::Tab;
use crate::state::{Status, apply};
use gloo_timers::callback::Timeout;
use leptos::task::spawn_local;
use natter_shared::frame::{ClientFrame, ServerFrame};
use std::rc::Rc;

/// A connection without a welcome for so long did not come about, in milliseconds.
const OPEN_MS: u32 = 15_000;
/// After the network came back, the server's next frame must come within this time, in milliseconds.
const AFTER_ONLINE_MS: i64 = 12_000;

enum Via {
    Socket(Socket),
    Stream { _ends_when_dropped: Stream },
}

#[derive(Default)]
pub struct Link {
    via: Option<Via>,
    live: bool,
    /// Counts connections.
    generation: u64,
    transport: Option<Transport>,
    reconnect: Reconnect,
    /// When to connect next, or by when the welcome must have come.
    timer: Option<Timeout>,
    /// When the server last said anything, in milliseconds since 1970.
    heard_at: i64,
    lost_at: Option<i64>,
    /// What an event stream resumes from.
    last_event_id: Option<String>,
}

pub fn is_live(tab: &Tab) -> bool {
    tab.link.borrow().live
}

/// Whether this tab connects, or will by itself.
fn is_running(tab: &Tab) -> bool {
    tab.link.borrow().transport.is_some()
}

/// Connects, unless that is under way.
pub fn start(tab: &Rc<Tab>) {
    if !is_running(tab) {
        connect(tab);
    }
}

/// Connects anew, as whoever is signed in by now.
pub fn restart(tab: &Rc<Tab>) {
    stop(tab);
    start(tab);
}

/// Ends the connection and stays away.
pub fn stop(tab: &Rc<Tab>) {
    let old = {
        let mut link = tab.link.borrow_mut();
        let generation = link.generation + 1;
        std::mem::replace(&mut *link, Link { generation, ..Link::default() })
    };
    drop(old);
    tab.watermarks.borrow_mut().forget();
    tab.update(|state| {
        state.outbox.connection_lost();
        state.status = Status::Connecting;
        state.changes.status = true;
    });
}

/// Comes back at once if it is waiting to.
pub fn retry_now(tab: &Rc<Tab>) {
    let waits = {
        let mut link = tab.link.borrow_mut();
        link.reconnect.start_over();
        link.transport.is_some() && link.via.is_none() && link.timer.is_some()
    };
    if waits {
        connect(tab);
    }
}

fn connect(tab: &Rc<Tab>) {
    if tab.peek(|state| state.my_id().is_none()) {
        return;
    }
    let (generation, transport) = {
        let mut link = tab.link.borrow_mut();
        link.generation += 1;
        link.via = None;
        link.live = false;
        let generation = link.generation;
        let transport = link.reconnect.transport(browser::now());
        link.reconnect.begins();
        link.transport = Some(transport);
        let late = Rc::clone(tab);
        link.timer = Some(Timeout::new(OPEN_MS, move || ended(&late, generation, ABNORMAL, None)));
        (generation, transport)
    };
    let tab = Rc::clone(tab);
    spawn_local(async move {
        let token = tab.api.token().await;
        if tab.link.borrow().generation != generation {
            return;
        }
        match token {
            Ok(token) => open(&tab, generation, transport, token),
            // Whoever hears of renewals has signed out already if that was the answer.
            Err(error) => ended(&tab, generation, ABNORMAL, error.retry_after_ms()),
        }
    });
}

fn open(tab: &Rc<Tab>, generation: u64, transport: Transport, token: String) {
    let via = match transport {
        Transport::Socket => {
            let opened = {
                let tab = Rc::clone(tab);
                move || hello(&tab, generation, token.clone())
            };
            let heard = {
                let tab = Rc::clone(tab);
                move |text: &str| hear(&tab, generation, text)
            };
            let closed = {
                let tab = Rc::clone(tab);
                move |code| ended(&tab, generation, code, None)
            };
            Socket::open(opened, heard, closed).map(Via::Socket)
        }
        Transport::EventStream => {
            let last_id = tab.link.borrow().last_event_id.clone();
            let resumes = last_id.is_some();
            tab.update(|state| state.resuming = resumes);
            let heard = {
                let tab = Rc::clone(tab);
                move |event: Option<(&str, Option<String>)>| match event {
                    Some((text, id)) => {
                        hear(&tab, generation, text);
                        let mut link = tab.link.borrow_mut();
                        if link.generation == generation && id.is_some() {
                            link.last_event_id = id;
                        }
                    }
                    // A comment: nothing to read, but a sign of life.
                    None => drop(sign_of_life(&tab, generation)),
                }
            };
            let closed = {
                let tab = Rc::clone(tab);
                move |error: Option<ApiError>| {
                    let code = if error.as_ref().is_some_and(ApiError::is_signed_out) { 4401 } else { ABNORMAL };
                    ended(&tab, generation, code, error.and_then(|error| error.retry_after_ms()));
                }
            };
            Some(Via::Stream { _ends_when_dropped: Stream::open(token, last_id, heard, closed) })
        }
    };
    match via {
        Some(via) => {
            let mut link = tab.link.borrow_mut();
            if link.generation == generation {
                link.via = Some(via);
            }
        }
        None => ended(tab, generation, ABNORMAL, None),
    }
}

fn hello(tab: &Rc<Tab>, generation: u64, token: String) {
    if tab.link.borrow().generation != generation {
        return;
    }
    let cursors = Some(tab.peek(crate::state::ChatState::cursors)).filter(|cursors| !cursors.is_empty());
    let resumes = cursors.is_some();
    tab.update(|state| state.resuming = resumes);
    write(tab, &ClientFrame::Hello { token, cursors });
}

/// Sends a frame if the connection can carry it.
pub fn post(tab: &Tab, frame: &ClientFrame) -> bool {
    is_live(tab) && write(tab, frame)
}

fn write(tab: &Tab, frame: &ClientFrame) -> bool {
    match (&tab.link.borrow().via, serde_json::to_string(frame)) {
        (Some(Via::Socket(socket)), Ok(text)) => socket.send(&text),
        _ => false,
    }
}

fn sign_of_life(tab: &Rc<Tab>, generation: u64) -> bool {
    let mut link = tab.link.borrow_mut();
    let current = link.generation == generation;
    if current {
        link.heard_at = browser::now();
    }
    current
}

fn hear(tab: &Rc<Tab>, generation: u64, text: &str) {
    if !sign_of_life(tab, generation) {
        return;
    }
    // A frame of a newer server that this page does not know says nothing to it; gaps are found by seq.
    let Some(frame) = frame::read(text) else {
        leptos::logging::warn!("a frame that this page does not know was left out");
        return;
    };
    let welcome = matches!(frame, ServerFrame::Welcome { .. });
    if welcome {
        let mut link = tab.link.borrow_mut();
        let transport = link.transport.unwrap_or(Transport::Socket);
        link.reconnect.welcomed(transport);
        link.live = true;
        link.lost_at = None;
        link.timer = None;
    }
    let now = browser::now();
    tab.change(|state| {
        if welcome {
            state.status = Status::Live;
            state.changes.status = true;
        }
        apply(frame, state, now)
    });
}

/// Looks whether the connection is still alive. A tab that slept finds out here.
pub fn watch(tab: &Rc<Tab>, now: i64) {
    let (silent, generation) = {
        let link = tab.link.borrow();
        (link.live && now.saturating_sub(link.heard_at) > SILENCE_MS, link.generation)
    };
    if silent {
        ended(tab, generation, ABNORMAL, None);
    }
}

/// The browser says that there is a network again.
pub fn network_came(tab: &Rc<Tab>) {
    // A socket of the network before may be dead without knowing: it gets until the server's next frame to prove it isn't.
    let latest = browser::now() - SILENCE_MS + AFTER_ONLINE_MS;
    {
        let mut link = tab.link.borrow_mut();
        link.heard_at = link.heard_at.min(latest);
    }
    retry_now(tab);
}

/// The browser says that the network is gone. It is asked, for a server on this machine is still there.
pub fn network_went(tab: &Rc<Tab>) {
    if !is_running(tab) {
        return;
    }
    let tab = Rc::clone(tab);
    spawn_local(async move {
        let generation = tab.link.borrow().generation;
        if !answers(PROBE_MS).await && !browser::is_online() {
            ended(&tab, generation, ABNORMAL, None);
        }
    });
}

/// A fresh token, before the old one ends.
pub fn tell_token(tab: &Tab, token: String) {
    post(tab, &ClientFrame::Token { token });
}
