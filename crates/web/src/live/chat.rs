//! The handle that components use: what they may read, each reading drawn anew when its part changes.

use super::images::{self, Images};
use super::tab::{Part, Tab};
use super::tray::Tray;
use super::{browser, link, notices, saved, session, worker};
use crate::api::Api;
use crate::state::order::{Order, sorted};
use crate::state::{
    Auth, ChatState, MessageView, Presence, Reached, Rooms, Row, RowKey, Status, TimelineView, Toast, offered,
};
use gloo_timers::callback::Interval;
use leptos::ev;
use leptos::prelude::{
    GetValue, LocalStorage, StoredValue, expect_context, provide_context, window_event_listener_untyped,
};
use natter_shared::account::User;
use natter_shared::entry::{Author, Entry, Message};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Member, RoomOverview};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How often what runs out is looked at, in milliseconds.
const TICK_MS: u32 = 1_000;

/// Everything that components need of the live side. Reading methods draw their caller anew when what they read changes.
#[derive(Clone, Copy)]
pub struct Chat(StoredValue<Rc<Tab>, LocalStorage>);

/// The chat that the root component started and provided.
pub fn use_chat() -> Chat {
    expect_context()
}

impl Chat {
    /// Starts the one chat of this tab, asks the server who is signed in, and provides it to all components below.
    pub fn start() -> Self {
        let tab = Tab::new();
        session::resume(&tab);
        listen(&tab);
        let chat = Self(StoredValue::new_local(tab));
        provide_context(chat);
        images::provide(chat);
        chat
    }

    pub(super) fn images<R>(&self, of: impl FnOnce(&Images) -> R) -> R {
        of(&self.tab().images)
    }

    /// The images that were chosen for a room and are not sent.
    pub fn tray(&self, room: RoomId) -> Tray {
        let tab = self.tab();
        tab.trays.borrow_mut().or_insert_with(room, Tray::default).clone()
    }

    pub(super) fn tab(&self) -> Rc<Tab> {
        self.0.get_value()
    }

    fn read<R>(&self, parts: &[Part], read: impl FnOnce(&ChatState) -> R) -> R {
        let tab = self.tab();
        for part in parts {
            tab.track(*part);
        }
        tab.peek(read)
    }

    /// Reads anything without being drawn anew by its changes.
    pub fn peek<R>(&self, read: impl FnOnce(&ChatState) -> R) -> R {
        self.tab().peek(read)
    }

    /// For the functions of [`crate::api`].
    pub fn api(&self) -> Api {
        self.tab().api.clone()
    }

    pub fn auth(&self) -> Auth {
        self.read(&[Part::Auth], |state| state.auth.clone())
    }

    pub fn me(&self) -> Option<User> {
        self.read(&[Part::Auth], |state| state.me().cloned())
    }

    /// Whether one came by a room's code, without an account.
    pub fn is_guest(&self) -> bool {
        self.read(&[Part::Auth], |state| state.me().is_some_and(|me| me.guest))
    }

    /// Whether one administers the server, as far as this login knows.
    pub fn is_admin(&self) -> bool {
        self.read(&[Part::Auth], |state| state.admin && state.me().is_some())
    }

    pub fn status(&self) -> Status {
        self.read(&[Part::Status], |state| state.status)
    }

    /// Whether what is shown was saved and may be old.
    pub fn is_restored(&self) -> bool {
        self.read(&[Part::Status], |state| state.restored)
    }

    /// Whether there is a newer version of this page, ready to be loaded.
    pub fn is_newer(&self) -> bool {
        worker::is_newer(&self.tab())
    }

    /// Loads the newer version in place of this one.
    pub fn take_newer(&self) {
        worker::take_newer(&self.tab());
    }

    /// Has the browser keep the page for a time without a network.
    pub fn keep_page(&self) {
        worker::keep_page(&self.tab());
    }

    /// The rooms, direct conversations and the directory.
    pub fn with_rooms<R>(&self, read: impl FnOnce(&Rooms) -> R) -> R {
        self.read(&[Part::Rooms], |state| read(&state.rooms))
    }

    pub fn room(&self, room: RoomId) -> Option<RoomOverview> {
        self.with_rooms(|rooms| rooms.get(room).cloned())
    }

    pub fn online(&self, user: UserId) -> bool {
        self.read(&[Part::Presence], |state| state.presence.is_online(user))
    }

    pub fn with_online<R>(&self, read: impl FnOnce(&BTreeSet<UserId>) -> R) -> R {
        self.read(&[Part::Presence], |state| read(Presence::online(&state.presence)))
    }

    /// Who is typing in a room, but for oneself.
    pub fn typing(&self, room: RoomId) -> Vec<UserId> {
        self.read(&[Part::Typing], |state| state.typing.in_room(room))
    }

    /// Somebody whom this tab has met.
    pub fn person(&self, user: UserId) -> Option<User> {
        self.read(&[Part::People], |state| state.people.get(user).cloned())
    }

    /// What the author of something that was loaded before is called now.
    pub fn name_of(&self, author: &Author) -> String {
        self.read(&[Part::People], |state| state.people.author(author).display_name.to_string())
    }

    /// Who is in a room, those online first, then by name; `None` as long as they are not loaded.
    pub fn members(&self, room: RoomId) -> Option<Vec<Member>> {
        self.read(&[Part::Members(room)], |state| {
            let members = state.members.get(&room).filter(|members| members.is_complete())?;
            let order = |it: &Member| {
                let name = it.user.display_name.as_str().to_lowercase();
                Order::new((!it.online).into(), name).id(*it.user.id.as_bytes())
            };
            Some(sorted(members.iter().cloned(), order))
        })
    }

    /// The members whose names fit what is typed, the best first, but for oneself.
    pub fn named(&self, room: RoomId, typed: &str) -> Vec<User> {
        self.read(&[Part::Members(room)], |state| {
            let (Some(members), Some(me)) = (state.members.get(&room), state.my_id()) else { return Vec::new() };
            offered(members.iter().map(|member| &member.user), typed, me)
        })
    }

    /// The oldest loaded message that was new when the room was opened and mentions the person.
    pub fn first_mention(&self, room: RoomId) -> Option<Seq> {
        self.read(&[Part::Timeline(room)], |state| state.first_mention(room))
    }

    /// The member of that username.
    pub fn member_named(&self, room: RoomId, username: &str) -> Option<User> {
        self.read(&[Part::Members(room)], |state| {
            let mut people = state.members.get(&room)?.iter().map(|member| &member.user);
            people.find(|user| user.username.as_str() == username).cloned()
        })
    }

    pub fn timeline(&self, room: RoomId) -> TimelineView {
        self.read(&[Part::Timeline(room)], |state| state.timeline_view(room))
    }

    /// What a room's timeline shows, oldest first.
    pub fn rows(&self, room: RoomId) -> Vec<Row> {
        self.read(&[Part::Timeline(room)], |state| state.rows(room))
    }

    /// The message of a row as it stands now.
    pub fn message(&self, room: RoomId, key: RowKey) -> Option<MessageView> {
        self.read(&[Part::Timeline(room), Part::Members(room), Part::Auth], |state| state.message(room, key))
    }

    /// The entry of an event row.
    pub fn event(&self, room: RoomId, seq: Seq) -> Option<Entry> {
        let find = |state: &ChatState| {
            let entry = state.timelines.get(&room)?.event(seq)?;
            Some(Entry { author: state.people.author(&entry.author), ..entry.clone() })
        };
        self.read(&[Part::Timeline(room)], find)
    }

    /// How far a message has got with each of those for whom it is, the slowest first.
    pub fn ticks(&self, room: RoomId, seq: Seq) -> Vec<(User, Reached)> {
        self.read(&[Part::Timeline(room), Part::Members(room)], |state| state.ticks(room, seq))
    }

    /// What is pinned in a room, what was pinned last first; nothing as long as it is not loaded.
    pub fn pins(&self, room: RoomId) -> Vec<Message> {
        self.read(&[Part::Timeline(room)], |state| {
            state.pins.get(&room).map(|pins| pins.messages().to_vec()).unwrap_or_default()
        })
    }

    /// Whether this person may say what is pinned there.
    pub fn may_pin(&self, room: RoomId) -> bool {
        self.read(&[Part::Rooms], |state| state.may_pin(room))
    }

    /// How many messages of a room the server has not confirmed.
    pub fn unsent(&self, room: RoomId) -> usize {
        self.read(&[Part::Timeline(room)], |state| state.outbox.unconfirmed(room))
    }

    pub fn toasts(&self) -> Vec<Toast> {
        self.read(&[Part::Toasts], |state| state.toasts.shown().to_vec())
    }

    /// Says how this tab goes to a room, for what is clicked outside the page.
    pub fn set_way_to_rooms(&self, way: impl Fn(RoomId) + 'static) {
        self.tab().set_way_to_rooms(way);
    }

    /// What was typed in a room and not sent. Not drawn anew: the composer has it.
    pub fn draft(&self, room: RoomId) -> String {
        self.peek(|state| state.drafts.get(room).to_owned())
    }
}

/// Hears the browser, as long as the page lives.
fn listen(tab: &Rc<Tab>) {
    let on = |name: &'static str, run: fn(&Rc<Tab>)| {
        let tab = Rc::clone(tab);
        (name, move || run(&tab))
    };
    for (name, run) in [on("online", link::network_came), on("offline", link::network_went), on("pageshow", into_view)]
    {
        // The listener is the page's own and never taken away.
        let _ = window_event_listener_untyped(name, move |_| run());
    }
    let shown = Rc::clone(tab);
    leptos::leptos_dom::helpers::window_event_listener(ev::visibilitychange, move |_| into_view(&shown));
    let ticking = Rc::clone(tab);
    notices::stand_by();
    Interval::new(TICK_MS, move || ticking.tick()).forget();
}

fn into_view(tab: &Rc<Tab>) {
    if browser::is_visible() {
        session::came_into_view(tab);
    } else {
        saved::flush(tab, true);
    }
}
