//! What opens without a network: the rooms and newest messages of whoever was signed in last, in `IndexedDB`, one text a key.
//! Never a token. It goes when somebody logs out, when another person signs in, and when the server ends the login.

use super::browser;
use super::tab::Tab;
use crate::json;
use crate::state::map::Set;
use crate::state::{ChatState, Saved, Unsaved, keep_rooms};
use js_sys::Promise;
use leptos::task::spawn_local;
use natter_shared::account::User;
use natter_shared::id::{RoomId, UserId};
use serde::Serialize;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

const DATABASE: &str = "natter";
const STORE: &str = "saved";
const WHO: &str = "who";
const ROOMS: &str = "rooms";
/// The rooms whose messages are saved, what changed last first.
const ORDER: &str = "order";

/// What changed is saved after so long, in milliseconds.
const EVERY_MS: i64 = 4_000;

fn key_of(room: RoomId) -> String {
    format!("room.{room}")
}

/// The one store of the page. `None` in a browser that keeps nothing.
struct Store(web_sys::IdbDatabase);

impl Drop for Store {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What a request brings.
async fn answer(request: &web_sys::IdbRequest) -> Option<JsValue> {
    let done = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(done).await.ok()?;
    request.result().ok()
}

impl Store {
    async fn open() -> Option<Self> {
        let factory = web_sys::window()?.indexed_db().ok()??;
        let request = factory.open_with_u32(DATABASE, 1).ok()?;
        let opening = request.clone();
        let make = Closure::<dyn FnMut()>::new(move || {
            if let Some(database) = opening.result().ok().and_then(|it| it.dyn_into::<web_sys::IdbDatabase>().ok()) {
                let _ = database.create_object_store(STORE);
            }
        });
        request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
        let database = answer(&request).await?.dyn_into().ok()?;
        Some(Self(database))
    }

    fn store(&self, mode: web_sys::IdbTransactionMode) -> Option<web_sys::IdbObjectStore> {
        self.0.transaction_with_str_and_mode(STORE, mode).ok()?.object_store(STORE).ok()
    }

    async fn get(&self, key: &str) -> Option<String> {
        let request = self.store(web_sys::IdbTransactionMode::Readonly)?.get(&JsValue::from_str(key)).ok()?;
        answer(&request).await?.as_string()
    }

    /// Writes texts, or forgets keys, all or nothing.
    async fn put(&self, all: &[(String, Option<String>)]) -> Option<()> {
        let store = self.store(web_sys::IdbTransactionMode::Readwrite)?;
        let mut last = None;
        for (key, text) in all {
            let key = JsValue::from_str(key);
            last = Some(match text {
                Some(text) => store.put_with_key(&JsValue::from_str(text), &key).ok()?,
                None => store.delete(&key).ok()?,
            });
        }
        answer(&last?).await.map(drop)
    }

    async fn clear(&self) -> Option<()> {
        let request = self.store(web_sys::IdbTransactionMode::Readwrite)?.clear().ok()?;
        answer(&request).await.map(drop)
    }

    async fn who(&self) -> Option<User> {
        json::read(&self.get(WHO).await?).ok()
    }

    async fn is_of(&self, user: UserId) -> bool {
        self.who().await.is_some_and(|who| who.id == user)
    }

    async fn order(&self) -> Vec<RoomId> {
        let order = self.get(ORDER).await.and_then(|text| json::read(&text).ok());
        order.unwrap_or_default()
    }

    async fn saved(&self) -> Option<Saved> {
        let user = self.who().await?;
        let rooms = json::read(&self.get(ROOMS).await?).ok()?;
        let mut pages = Vec::new();
        for room in self.order().await {
            if let Some(page) = self.get(&key_of(room)).await.and_then(|text| json::read(&text).ok()) {
                pages.push((room, page));
            }
        }
        Some(Saved { user, rooms, pages })
    }
}

/// Forgets everything, whoever's it is.
pub fn clear() {
    spawn_local(async {
        if let Some(store) = Store::open().await {
            store.clear().await;
        }
    });
}

/// Forgets what is somebody else's.
pub fn belongs_to(user: UserId) {
    spawn_local(async move {
        if let Some(store) = Store::open().await
            && !store.is_of(user).await
        {
            store.clear().await;
        }
    });
}

/// What was saved, if there is anything.
pub async fn read() -> Option<Saved> {
    Store::open().await?.saved().await
}

fn text(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// What is to be written of a state: the person, the rooms if they changed, the messages of the rooms that did.
fn written(state: &ChatState, unsaved: &Unsaved, order: &[RoomId]) -> Option<Vec<(String, Option<String>)>> {
    let mut all = vec![(WHO.to_owned(), text(state.me()?))];
    if unsaved.rooms {
        all.push((ROOMS.to_owned(), text(&state.rooms.iter().collect::<Vec<_>>())));
    }
    let mut loaded = Vec::new();
    for room in unsaved.timelines.iter() {
        match state.page_to_save(*room) {
            Some(page) => {
                all.push((key_of(*room), text(&page)));
                loaded.push(*room);
            }
            // A room that is gone is nothing to be shown.
            None if !state.rooms.contains(*room) => all.push((key_of(*room), None)),
            None => {}
        }
    }
    let known: Vec<RoomId> = order.iter().copied().filter(|room| state.rooms.contains(*room)).collect();
    let (keep, dropped) = keep_rooms(&known, loaded.into_iter());
    all.extend(dropped.into_iter().map(|room| (key_of(room), None)));
    all.push((ORDER.to_owned(), text(&keep)));
    Some(all)
}

/// Saves what has changed, if it is time for that or `now`.
pub fn flush(tab: &Rc<Tab>, now: bool) {
    let at = browser::now();
    // What the server has not confirmed for this person may be old already.
    let ready = |state: &ChatState| state.my_id().filter(|_| state.rooms.loaded() && !state.restored);
    let Some(user) = tab.peek(ready) else { return };
    if tab.unsaved.borrow().is_empty() || (!now && at - tab.saved_at.get() < EVERY_MS) {
        return;
    }
    tab.saved_at.set(at);
    let mut unsaved = tab.unsaved.take();
    let tab = Rc::clone(tab);
    spawn_local(async move {
        let Some(store) = Store::open().await else { return };
        if !store.is_of(user).await {
            store.clear().await;
            unsaved.rooms = true;
        }
        let order = store.order().await;
        // The person may have gone meanwhile, and what was theirs with them.
        let still = |state: &ChatState| written(state, &unsaved, &order).filter(|_| state.my_id() == Some(user));
        let Some(all) = tab.peek(still) else { return };
        store.put(&all).await;
    });
}

/// Takes note of what a change touched.
pub fn touched(unsaved: &mut Unsaved, rooms: bool, timelines: &Set<RoomId>) {
    unsaved.rooms |= rooms;
    unsaved.timelines.extend(timelines.iter().copied());
}
