//! Notifications of the browser for what calls: mentions and what is said directly. One tab shows them, the one that holds a
//! lock of this site; the choice is kept in this browser and is the same in all tabs. The browser is asked only when the
//! person wants it (`pages/settings/notifications.rs`).

use super::browser;
use super::tab::Tab;
use crate::locale::tf;
use crate::state::ChatState;
use crate::text_spans::plain;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Promise, Reflect};
use leptos::task::spawn_local;
use natter_shared::entry::Author;
use natter_shared::id::{RoomId, Seq};
use natter_shared::room::RoomKind;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

/// Where the choice is kept.
const KEY: &str = "natter.notices";
/// The lock of the tab that shows them.
const LOCK: &str = "natter.notices";
/// So long, in milliseconds, somebody who looks at the room in another tab has for reading it there.
const PAUSE_MS: u32 = 600;
/// So much of a text is shown, in characters.
const SHOWN: usize = 200;

/// What a notification shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Nothing,
    /// Who called and where.
    NoText,
    /// And what they said.
    Text,
}

/// Whether the browser lets this site show notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    Yes,
    No,
    Unasked,
    /// This browser has none.
    Never,
}

thread_local! {
    /// Whether this tab shows them.
    static LEADS: Cell<bool> = const { Cell::new(false) };
}

fn has(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &JsValue::from_str(name)).ok().filter(|it| !it.is_undefined() && !it.is_null())
}

pub fn allowed() -> Allowed {
    if has(&js_sys::global(), "Notification").is_none() {
        return Allowed::Never;
    }
    of(Notification::permission())
}

fn of(permission: NotificationPermission) -> Allowed {
    match permission {
        NotificationPermission::Granted => Allowed::Yes,
        NotificationPermission::Denied => Allowed::No,
        _ => Allowed::Unasked,
    }
}

/// Has the browser ask the person.
pub async fn ask() -> Allowed {
    if let Ok(asked) = Notification::request_permission() {
        // What came of it stands with the browser.
        let _ = JsFuture::from(asked).await;
    }
    allowed()
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

pub fn chosen() -> Show {
    let kept = storage().and_then(|storage| storage.get_item(KEY).ok()?);
    match kept.as_deref() {
        Some("text") => Show::Text,
        Some("no-text") => Show::NoText,
        _ => Show::Nothing,
    }
}

pub fn choose(show: Show) {
    let Some(storage) = storage() else { return };
    // A browser that keeps nothing shows nothing, which the settings then say.
    let _ = match show {
        Show::Text => storage.set_item(KEY, "text"),
        Show::NoText => storage.set_item(KEY, "no-text"),
        Show::Nothing => storage.remove_item(KEY),
    };
}

/// Waits for the lock, as long as the page lives; the tab that has it keeps it until it closes.
pub fn stand_by() {
    let lead = Closure::once_into_js(|| {
        LEADS.set(true);
        Promise::new(&mut |_, _| {})
    });
    let asked = has(&js_sys::global(), "navigator").and_then(|navigator| {
        let locks = has(&navigator, "locks")?;
        let request: Function = has(&locks, "request")?.dyn_into().ok()?;
        request.call2(&locks, &JsValue::from_str(LOCK), &lead).ok()
    });
    // Where there are no locks each tab shows them, and the browser puts those of one room into one.
    if asked.is_none() {
        LEADS.set(true);
    }
}

/// A message calls for the person.
pub fn call(tab: &Rc<Tab>, room: RoomId, seq: Seq) {
    if chosen() == Show::Nothing || allowed() != Allowed::Yes {
        return;
    }
    let tab = Rc::clone(tab);
    spawn_local(async move {
        TimeoutFuture::new(PAUSE_MS).await;
        let show = chosen();
        if show == Show::Nothing || !LEADS.get() {
            return;
        }
        let Some(notice) = tab.peek(|state| Notice::of(state, room, seq)) else { return };
        notice.show(&tab, room, show);
    });
}

struct Notice {
    title: String,
    text: String,
}

impl Notice {
    /// `None` if it was read meanwhile, or is in view.
    fn of(state: &ChatState, room: RoomId, seq: Seq) -> Option<Self> {
        let it = state.rooms.get(room).filter(|it| it.read < seq)?;
        let before_it = state.opened == Some(room) && browser::is_visible() && browser::path_has(room);
        if state.attended == Some(room) || before_it {
            return None;
        }
        let last = it.last_message.as_ref().filter(|message| message.seq == seq);
        let message = state.timelines.get(&room).and_then(|timeline| timeline.get(seq)).or(last)?;
        let Author { display_name, .. } = &message.author;
        let names = [("name", display_name.as_str()), ("room", it.room.name.as_str())];
        let direct = it.room.kind == RoomKind::Direct || message.content.to.is_some();
        let title = tf(if direct { "notices.wrote" } else { "notices.mentioned" }, &names);
        Some(Self { title, text: plain(message.content.body.as_str()).chars().take(SHOWN).collect() })
    }

    fn show(self, tab: &Rc<Tab>, room: RoomId, show: Show) {
        let options = NotificationOptions::new();
        options.set_icon("/favicon.svg");
        // The next one of the room takes its place.
        options.set_tag(&room.to_string());
        if show == Show::Text {
            options.set_body(&self.text);
        }
        // Some browsers on phones have the class and refuse to make one.
        let Ok(notification) = Notification::new_with_options(&self.title, &options) else { return };
        let (tab, shown) = (Rc::downgrade(tab), notification.clone());
        let clicked = Closure::once_into_js(move || {
            if let Some(window) = web_sys::window() {
                let _ = window.focus();
            }
            if let Some(tab) = tab.upgrade() {
                tab.open_room(room);
            }
            shown.close();
        });
        notification.set_onclick(Some(clicked.unchecked_ref()));
    }
}
