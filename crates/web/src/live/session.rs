//! Signing in and out, for this tab and with the others. The server's cookie is what lasts; a token lives in memory only.

use super::reconnect::backoff;
use super::tab::Tab;
use super::tabs::Said;
use super::{browser, effects, kept, link, saved};
use crate::api::{ApiError, accounts};
use crate::state::{Auth, ChatState, Status};
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::task::spawn_local;
use natter_shared::account::{AccountDeletion, GuestForm, LoginForm, RegisterForm, Session, User};
use std::rc::Rc;

/// A renewal that failed for want of a connection is tried again after so long, in milliseconds.
const RENEW_AGAIN_MS: i64 = 5_000;
/// The server has so long to say who is signed in before what was saved is shown, in milliseconds.
const SOON_MS: u32 = 4_000;

/// Asks the server whether this browser is signed in, until it says something.
pub fn resume(tab: &Rc<Tab>) {
    let heard = Rc::downgrade(tab);
    tab.api.on_renewal(move |answer| {
        let Some(tab) = heard.upgrade() else { return };
        match answer {
            Ok(session) => renewed(&tab, session),
            Err(error) if means_signed_out(error) => ended(&tab),
            Err(_) => tab.api.put_off_renewal(RENEW_AGAIN_MS),
        }
    });
    let other = Rc::downgrade(tab);
    tab.hear_other_tabs(move |said| {
        if let Some(tab) = other.upgrade() {
            heard_from_other_tab(&tab, said);
        }
    });
    let dropped = Rc::downgrade(tab);
    kept::on_dropped_elsewhere(move |user, client_id| {
        let Some(tab) = dropped.upgrade() else { return };
        tab.update(|state| {
            if state.my_id() == Some(user) {
                let room = state.outbox.dropped_elsewhere(client_id);
                state.changes.timelines.extend(room);
            }
        });
    });
    let tab = Rc::clone(tab);
    spawn_local(async move {
        let since = browser::now();
        let mut tries = 0;
        while tab.peek(|state| state.auth == Auth::Unknown) {
            let answer = if tries == 0 { renew_soon(&tab).await } else { Some(tab.api.renew().await) };
            let error = match answer {
                Some(Ok(_)) => break,
                Some(Err(error)) => Some(error),
                None => None,
            };
            // The connection asks on from there.
            if tab.peek(|state| state.auth != Auth::Unknown) || (tries == 0 && restore(&tab).await) {
                break;
            }
            let wished = error.and_then(|error| error.retry_after_ms()).unwrap_or(0);
            let wait = backoff(tries, browser::chance()).max(wished).max(200);
            tries += 1;
            tab.update(|state| {
                let retry_at = browser::now().saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
                state.status = Status::Reconnecting { since, retry_at };
                state.changes.status = true;
            });
            TimeoutFuture::new(u32::try_from(wait).unwrap_or(u32::MAX)).await;
        }
    });
}

/// What the server says, or nothing if it takes long.
async fn renew_soon(tab: &Rc<Tab>) -> Option<Result<Session, ApiError>> {
    match select(Box::pin(tab.api.renew()), TimeoutFuture::new(SOON_MS)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}

/// Without an answer of the server: shows what was saved of the person who was signed in last, if anything was.
async fn restore(tab: &Rc<Tab>) -> bool {
    let Some(saved) = saved::read().await else { return false };
    if tab.peek(|state| state.auth != Auth::Unknown) {
        return true;
    }
    let id = saved.user.id;
    tab.update(|state| {
        state.restore(saved);
        state.drafts = kept::drafts(id);
        state.outbox.adopt(kept::unsent(id));
    });
    link::start(tab);
    true
}

fn means_signed_out(error: &ApiError) -> bool {
    // Of all that can go wrong, only what the server itself says and trying again would not change.
    matches!(error, ApiError::Refused { .. }) && !error.may_retry()
}

/// A renewal came out well: the same login goes on, or the one that another tab made comes in.
fn renewed(tab: &Rc<Tab>, session: &Session) {
    if !tab.login_changed.take() && tab.peek(ChatState::my_id) == Some(session.user.id) {
        tab.update(|state| {
            state.sign_in(session.user.clone());
            state.set_admin(session.admin);
        });
        link::tell_token(tab, session.access_token.clone());
    } else {
        come_in(tab, session.user.clone(), session.admin);
    }
}

/// Puts somebody's rooms on the screen and connects.
fn come_in(tab: &Rc<Tab>, user: User, admin: bool) {
    tab.login_changed.set(false);
    link::stop(tab);
    let id = user.id;
    saved::belongs_to(id);
    tab.update(|state| {
        state.sign_in(user);
        state.set_admin(admin);
        state.drafts = kept::drafts(id);
        state.outbox.adopt(kept::unsent(id));
    });
    link::start(tab);
}

pub async fn login(tab: &Rc<Tab>, form: LoginForm) -> Result<User, ApiError> {
    let session = accounts::login(&tab.api, &form).await?;
    Ok(signed_in(tab, session))
}

pub async fn register(tab: &Rc<Tab>, form: RegisterForm) -> Result<User, ApiError> {
    let session = accounts::register(&tab.api, &form).await?;
    Ok(signed_in(tab, session))
}

pub async fn come_as_guest(tab: &Rc<Tab>, form: GuestForm) -> Result<User, ApiError> {
    let session = accounts::guest(&tab.api, &form).await?;
    Ok(signed_in(tab, session))
}

/// Makes an account of the guest that one is, and has everything know it.
pub async fn keep(tab: &Rc<Tab>, form: RegisterForm) -> Result<(), ApiError> {
    accounts::keep(&tab.api, &form).await?;
    // Whoever hears of renewals does the rest.
    tab.api.renew().await.map(drop)
}

fn signed_in(tab: &Rc<Tab>, session: Session) -> User {
    tab.api.signed_in(&session);
    come_in(tab, session.user.clone(), session.admin);
    tab.tell_other_tabs(Said::SignedIn);
    session.user
}

/// Ends the login, here and in the other tabs. An error means that it has not ended.
pub async fn logout(tab: &Rc<Tab>) -> Result<(), ApiError> {
    match tab.api.end().await {
        Ok(()) => {}
        // What has ended already needs no ending.
        Err(error) if error.is_signed_out() => {}
        Err(error) => return Err(error),
    }
    go_out(tab, false);
    tab.tell_other_tabs(Said::SignedOut);
    Ok(())
}

/// Deletes the account of who is signed in, and goes out here and in the other tabs. An error means that it is still there.
pub async fn delete_account(tab: &Rc<Tab>, form: AccountDeletion) -> Result<(), ApiError> {
    let me = tab.peek(ChatState::my_id);
    accounts::delete_me(&tab.api, &form).await?;
    go_out(tab, false);
    if let Some(me) = me {
        kept::forget(me);
    }
    tab.tell_other_tabs(Said::SignedOut);
    Ok(())
}

/// The server says that the login has ended.
pub fn ended(tab: &Rc<Tab>) {
    let was_in = tab.peek(|state| state.my_id().is_some());
    go_out(tab, was_in);
}

fn go_out(tab: &Rc<Tab>, ended: bool) {
    tab.images.forget_all();
    tab.trays.borrow_mut().clear();
    tab.chosen.borrow_mut().clear();
    tab.api.signed_out();
    link::stop(tab);
    tab.update(|state| state.sign_out(ended));
    tab.unsaved.take();
    saved::clear();
}

fn heard_from_other_tab(tab: &Rc<Tab>, said: Said) {
    match said {
        Said::SignedOut => {
            if tab.peek(|state| state.my_id().is_some()) {
                go_out(tab, false);
            }
        }
        Said::Read { user, room, seq } => {
            let mine = tab.peek(ChatState::my_id) == Some(user);
            tab.change(|state| if mine { state.read_elsewhere(room, seq) } else { Vec::new() });
        }
        // The cookie is another one now: whoever it belongs to is signed in here as well.
        Said::SignedIn => {
            tab.api.signed_out();
            tab.login_changed.set(true);
            let tab = Rc::clone(tab);
            spawn_local(async move {
                // A failure shows itself with the next call.
                let _ = tab.api.renew().await;
            });
        }
    }
}

/// Renews the token when it is time.
pub fn watch(tab: &Rc<Tab>) {
    if tab.peek(|state| state.my_id().is_some()) && tab.api.wants_renewal() {
        let tab = Rc::clone(tab);
        spawn_local(async move {
            // Whoever hears of renewals does the rest.
            let _ = tab.api.renew().await;
        });
    }
}

/// The tab is in view again: what its slowed timers left undone is done now.
pub fn came_into_view(tab: &Rc<Tab>) {
    watch(tab);
    link::watch(tab, browser::now());
    link::retry_now(tab);
    effects::drain(tab);
}
