//! What follows when a connection is over: waiting, a fresh token, the door.

use super::connect;
use crate::api::answers;
use crate::live::reconnect::{ABNORMAL, End, Next, Transport};
use crate::live::tab::Tab;
use crate::live::{browser, session};
use crate::state::Status;
use gloo_timers::callback::Timeout;
use leptos::task::spawn_local;
use std::rc::Rc;

/// How long to wait for a sign of life of the server, in milliseconds.
pub(super) const PROBE_MS: u32 = 5_000;

/// The connection is over, or did not come about.
pub(super) fn ended(tab: &Rc<Tab>, generation: u64, code: u16, retry_after_ms: Option<u64>) {
    let (old, transport, was_live) = {
        let mut link = tab.link.borrow_mut();
        if link.generation != generation {
            return;
        }
        link.generation += 1;
        let was_live = std::mem::take(&mut link.live);
        link.lost_at.get_or_insert_with(browser::now);
        link.timer = None;
        (link.via.take(), link.transport.unwrap_or(Transport::Socket), was_live)
    };
    drop(old);
    tab.watermarks.borrow_mut().forget();
    tab.update(|state| {
        state.outbox.connection_lost();
        state.changes.timelines.extend(state.outbox.items().iter().map(|item| item.message.room).collect::<Vec<_>>());
    });
    show_waiting(tab, browser::now());
    let generation = generation + 1;
    // Only a socket that never opened needs to know whether it is the server or the way that is closed.
    if code == ABNORMAL && !was_live && transport == Transport::Socket {
        let tab = Rc::clone(tab);
        spawn_local(async move {
            let server_answers = answers(PROBE_MS).await;
            decide(&tab, generation, transport, End { code, server_answers, retry_after_ms });
        });
    } else {
        decide(tab, generation, transport, End { code, server_answers: true, retry_after_ms });
    }
}

fn decide(tab: &Rc<Tab>, generation: u64, transport: Transport, end: End) {
    if tab.link.borrow().generation != generation {
        return;
    }
    let next = tab.link.borrow_mut().reconnect.ended(transport, end, browser::chance());
    match next {
        Next::Wait(ms) => {
            let later = Rc::clone(tab);
            let wait = u32::try_from(ms).unwrap_or(u32::MAX);
            tab.link.borrow_mut().timer = Some(Timeout::new(wait, move || connect(&later)));
            show_waiting(tab, browser::now().saturating_add(i64::from(wait)));
        }
        Next::Renew => {
            let tab = Rc::clone(tab);
            spawn_local(async move {
                let renewed = tab.api.renew().await;
                if tab.link.borrow().generation != generation {
                    return;
                }
                match renewed {
                    Ok(_) => connect(&tab),
                    Err(error) => {
                        let end = End { code: ABNORMAL, server_answers: false, retry_after_ms: error.retry_after_ms() };
                        decide(&tab, generation, transport, end);
                    }
                }
            });
        }
        Next::SignedOut => session::ended(tab),
        Next::Stop => {
            tab.link.borrow_mut().transport = None;
            tab.update(|state| {
                state.status = Status::Refused;
                state.changes.status = true;
            });
        }
    }
}

fn show_waiting(tab: &Rc<Tab>, retry_at: i64) {
    let since = tab.link.borrow().lost_at.unwrap_or_else(browser::now);
    let status =
        if browser::is_online() { Status::Reconnecting { since, retry_at } } else { Status::Offline { since } };
    tab.update(|state| {
        state.changes.status |= state.status != status;
        state.status = status;
    });
}
