//! One tab of the page: its state, who is told when a part of it changes, and the one way to change it.

use super::images::Images;
use super::link::Link;
use super::tabs::{Said, Tabs};
use super::tray::Tray;
use super::watermarks::Watermarks;
use super::{browser, effects, kept, saved};
use crate::api::Api;
use crate::state::map::Map;
use crate::state::{Changes, ChatState, Effect, ToastKind, Unsaved};
use leptos::prelude::{ArcTrigger, Notify, Track};
use natter_shared::id::RoomId;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// A part of the state that is drawn by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Auth,
    Status,
    Rooms,
    Presence,
    Typing,
    People,
    Toasts,
    Timeline(RoomId),
    Members(RoomId),
}

#[derive(Default)]
struct Triggers {
    auth: ArcTrigger,
    status: ArcTrigger,
    rooms: ArcTrigger,
    presence: ArcTrigger,
    typing: ArcTrigger,
    people: ArcTrigger,
    toasts: ArcTrigger,
    timelines: RefCell<Map<RoomId, ArcTrigger>>,
    members: RefCell<Map<RoomId, ArcTrigger>>,
}

impl Triggers {
    fn of(&self, part: Part) -> ArcTrigger {
        let keyed = |map: &RefCell<Map<RoomId, ArcTrigger>>, room| {
            map.borrow_mut().or_insert_with(room, ArcTrigger::new).clone()
        };
        match part {
            Part::Auth => self.auth.clone(),
            Part::Status => self.status.clone(),
            Part::Rooms => self.rooms.clone(),
            Part::Presence => self.presence.clone(),
            Part::Typing => self.typing.clone(),
            Part::People => self.people.clone(),
            Part::Toasts => self.toasts.clone(),
            Part::Timeline(room) => keyed(&self.timelines, room),
            Part::Members(room) => keyed(&self.members, room),
        }
    }

    fn notify(&self, changes: Changes) {
        let Changes { auth, status, rooms, presence, typing, people, toasts, timelines, members } = changes;
        let single = [
            (auth, Part::Auth),
            (status, Part::Status),
            (rooms, Part::Rooms),
            (presence, Part::Presence),
            (typing, Part::Typing),
            (people, Part::People),
            (toasts, Part::Toasts),
        ];
        let single = single.into_iter().filter(|(changed, _)| *changed).map(|(_, part)| part);
        let keyed = timelines.into_iter().map(Part::Timeline).chain(members.into_iter().map(Part::Members));
        for part in single.chain(keyed) {
            self.of(part).notify();
        }
    }
}

type WayToRooms = Box<dyn Fn(RoomId)>;

pub struct Tab {
    state: RefCell<ChatState>,
    triggers: Triggers,
    tabs: OnceCell<Tabs>,
    pub(super) api: Api,
    pub(super) images: Images,
    pub(super) trays: RefCell<Map<RoomId, Tray>>,
    /// The images of all trays, by their ids.
    pub(super) chosen: RefCell<Map<u32, web_sys::File>>,
    pub(super) link: RefCell<Link>,
    pub(super) watermarks: RefCell<Watermarks>,
    /// Whether the list of rooms is being read, and whether it must be read once more after that.
    pub(super) reading_rooms: Cell<(bool, bool)>,
    /// When the person's typing was last told, in milliseconds since 1970.
    pub(super) typing_told: Cell<i64>,
    /// Whether another tab signed in: the next token belongs to another login than the connection.
    pub(super) login_changed: Cell<bool>,
    /// How often in a row the server asked for another token than the fresh one.
    pub(super) token_doubts: Cell<u8>,
    storage_failed: Cell<bool>,
    /// How this tab goes to a room.
    to_room: RefCell<Option<WayToRooms>>,
    /// What is to be saved for a time without a network, and when that was last done, in milliseconds since 1970.
    pub(super) unsaved: RefCell<Unsaved>,
    pub(super) saved_at: Cell<i64>,
    /// The worker that has a newer page than this one.
    pub(super) newer: RefCell<Option<web_sys::ServiceWorker>>,
}

impl Tab {
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            state: RefCell::new(ChatState::new(browser::offset_min())),
            triggers: Triggers::default(),
            tabs: OnceCell::new(),
            api: Api::default(),
            images: Images::default(),
            trays: RefCell::default(),
            chosen: RefCell::default(),
            link: RefCell::default(),
            watermarks: RefCell::default(),
            reading_rooms: Cell::default(),
            typing_told: Cell::default(),
            login_changed: Cell::default(),
            token_doubts: Cell::default(),
            storage_failed: Cell::default(),
            to_room: RefCell::default(),
            unsaved: RefCell::default(),
            saved_at: Cell::default(),
            newer: RefCell::default(),
        })
    }

    /// Reads the state and nothing else; what is drawn from it is not drawn anew by that alone.
    pub fn peek<R>(&self, read: impl FnOnce(&ChatState) -> R) -> R {
        read(&self.state.borrow())
    }

    /// Draws what is being drawn again whenever that part changes.
    pub fn track(&self, part: Part) {
        self.triggers.of(part).track();
    }

    /// Changes the state, keeps what must be kept, tells those who draw, and does what follows from it.
    pub fn change(self: &Rc<Self>, change: impl FnOnce(&mut ChatState) -> Vec<Effect>) {
        let (effects, changes, writes, user) = {
            let mut state = self.state.borrow_mut();
            let effects = change(&mut state);
            (effects, state.take_changes(), state.outbox.take_writes(), state.my_id())
        };
        if let Some(user) = user {
            let kept = writes.iter().fold(true, |kept, (id, item)| kept & kept::put_unsent(user, *id, item.as_ref()));
            self.storage_worked(kept);
        }
        saved::touched(&mut self.unsaved.borrow_mut(), changes.rooms, &changes.timelines);
        self.triggers.notify(changes);
        for effect in effects {
            effects::run(self, effect);
        }
    }

    /// Changes the state where nothing follows from it.
    pub fn update(self: &Rc<Self>, change: impl FnOnce(&mut ChatState)) {
        self.change(|state| {
            change(state);
            Vec::new()
        });
    }

    /// Says once that unsent text will not outlive a reload in this browser.
    pub fn storage_worked(self: &Rc<Self>, worked: bool) {
        if !worked && !self.storage_failed.replace(true) {
            let text = "This browser keeps nothing for this page: unsent text will be lost on a reload.";
            self.toast(ToastKind::Failed(text.to_owned()));
        }
    }

    /// Says how this tab goes to a room.
    pub fn set_way_to_rooms(&self, way: impl Fn(RoomId) + 'static) {
        *self.to_room.borrow_mut() = Some(Box::new(way));
    }

    pub fn open_room(&self, room: RoomId) {
        if let Some(way) = &*self.to_room.borrow() {
            way(room);
        }
    }

    pub fn toast(self: &Rc<Self>, kind: ToastKind) {
        self.update(|state| {
            state.toasts.push(kind, browser::now());
            state.changes.toasts = true;
        });
    }

    pub fn hear_other_tabs(&self, heard: impl Fn(Said) + 'static) {
        self.tabs.get_or_init(|| Tabs::listen(heard));
    }

    pub fn tell_other_tabs(&self, said: Said) {
        if let Some(tabs) = self.tabs.get() {
            tabs.say(said);
        }
    }

    /// Once a second: drops what has run out, and looks after the connection.
    pub fn tick(self: &Rc<Self>) {
        let now = browser::now();
        self.update(|state| {
            state.changes.typing |= state.typing.next_expiry().is_some_and(|at| at <= now) && state.typing.expire(now);
            state.changes.toasts |= state.toasts.next_expiry().is_some_and(|at| at <= now) && state.toasts.expire(now);
        });
        super::link::watch(self, now);
        super::session::watch(self);
        effects::tell_marks(self);
        effects::drain(self);
        saved::flush(self, false);
    }
}
