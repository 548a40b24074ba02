//! The frame around every page inside: the rail of rooms, the page itself, what lies above them. It stays while the pages
//! in it change.

mod jump;
mod keys;
mod new_room;
mod newer;
mod rail;
mod sheet;
mod toasts;

pub use jump::Jump;
pub use new_room::NewRoom;
pub use sheet::Sheet as KeySheet;

use crate::components::drawing::Show;
use crate::components::memo::Memo;
use crate::components::notice::{ListSkeleton, LogSkeleton};
use crate::live::{Chat, use_chat};
use crate::locale::t;
use crate::pages::home::Home;
use crate::pages::parts::{self, Overlay, Sheet};
use crate::pages::room::RoomPage;
use crate::pages::{Go, Lost};
use crate::place::Place;
use crate::state::{Rooms, Status, Waiting};
use keys::Keys;
use leptos::ev;
use leptos::prelude::*;
use newer::Newer;
use rail::Rail;
use toasts::Toasts;
use wasm_bindgen::JsCast;

/// Below this width, in CSS pixels, the people slide in from the side (style/layout.css).
const NARROW: f64 = 1100.0;
/// Below this width the rooms do as well.
const PHONE: f64 = 720.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawer {
    Rooms,
    People,
}

/// What lies above or beside the page, and how to open it.
#[derive(Clone, Copy)]
pub struct Frame {
    drawer: RwSignal<Option<Drawer>>,
    /// Whether the people stand beside the room on a wide screen.
    people: RwSignal<bool>,
    jump: RwSignal<bool>,
    /// The sheet of keys.
    keys: RwSignal<bool>,
    new_room: RwSignal<bool>,
    /// What had the focus before a drawer opened.
    before: StoredValue<Option<web_sys::HtmlElement>, LocalStorage>,
}

impl Frame {
    pub fn take() -> Self {
        expect_context::<Self>()
    }

    fn new() -> Self {
        Self {
            drawer: RwSignal::new(None),
            people: RwSignal::new(true),
            jump: RwSignal::new(false),
            keys: RwSignal::new(false),
            new_room: RwSignal::new(false),
            before: StoredValue::new_local(None),
        }
    }

    pub fn open_jump(self) {
        self.jump.set(true);
    }

    pub fn open_keys(self) {
        self.keys.set(true);
    }

    pub fn open_new_room(self) {
        self.new_room.set(true);
    }

    pub fn open(self, drawer: Drawer) {
        let focused = document().active_element().and_then(|element| element.dyn_into().ok());
        self.before.set_value(focused);
        self.drawer.set(Some(drawer));
        request_animation_frame(move || {
            let pane = match drawer {
                Drawer::Rooms => ".rail",
                Drawer::People => ".people",
            };
            let first = document().query_selector(&format!("{pane} button, {pane} a")).ok().flatten();
            if let Some(first) = first.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = first.focus();
            }
        });
    }

    pub fn close(self) {
        if self.drawer.get_untracked().is_some() {
            self.drawer.set(None);
            let before = self.before.try_update_value(Option::take).flatten();
            request_animation_frame(move || {
                if let Some(element) = before.filter(|element| element.is_connected()) {
                    let _ = element.focus();
                }
            });
        }
    }

    /// Shows or hides the people, in the way that the width allows.
    pub fn toggle_people(self) {
        if !is_narrow() {
            self.people.update(|shown| *shown = !*shown);
        } else if self.drawer.get_untracked() == Some(Drawer::People) {
            self.close();
        } else {
            self.open(Drawer::People);
        }
    }

    /// Whether the people are part of the page at all: beside the room, or ready to slide in.
    pub fn people_drawn(self) -> bool {
        self.people.get() || self.drawer.get() == Some(Drawer::People)
    }

    pub fn people_shown(self) -> bool {
        self.drawer.get() == Some(Drawer::People) || (self.people.get() && !is_narrow())
    }
}

fn is_at_most(most: f64) -> bool {
    window().inner_width().ok().and_then(|width| width.as_f64()).is_some_and(|width| width <= most)
}

fn is_narrow() -> bool {
    is_at_most(NARROW)
}

/// Whether there is one column only.
pub fn is_phone() -> bool {
    is_at_most(PHONE)
}

#[component]
pub fn Shell(place: Memo<Place>) -> impl IntoView {
    let chat = use_chat();
    let frame = Frame::new();
    provide_context(frame);
    let go = Go::take();
    let keys = Keys { chat, go, frame, place };
    let keys = window_event_listener(ev::keydown, move |ev| keys.pressed(&ev));
    chat.set_way_to_rooms(move |room| go_to_room(go, room));
    show_what_waits(chat);
    let resized = window_event_listener(ev::resize, move |_| {
        if !is_narrow() && frame.drawer.get_untracked().is_some() {
            frame.drawer.set(None);
        }
    });
    on_cleanup(move || {
        keys.remove();
        resized.remove();
    });
    // Going somewhere closes what slid over it.
    Effect::new(move |_| {
        place.with(|_| ());
        frame.drawer.set(None);
    });

    let in_room = Memo::new(move || matches!(place.get(), Place::Room(_)));
    let drawer = move || match frame.drawer.get() {
        Some(Drawer::Rooms) => Some("rooms"),
        Some(Drawer::People) => Some("people"),
        None => None,
    };
    view! {
        <a class="skip" href="#page">
            {t("shell.skip")}
        </a>
        <div class="app" class:no-people=move || !in_room.get() || !frame.people.get() data-drawer=drawer>
            <Rail place />
            {move || match place.get() {
                Place::Home => view! { <Home /> }.into_any(),
                Place::Room(room) => view! { <RoomPage room /> }.into_any(),
                Place::Browse => parts::sheet(Sheet::Browse),
                Place::Join(code) => parts::sheet(Sheet::Join(code)),
                Place::Profile(name) => parts::sheet(Sheet::Profile(name)),
                Place::Settings => parts::sheet(Sheet::Settings),
                Place::Admin(desk) if chat.is_admin() => parts::desk(desk),
                Place::Admin(_)
                | Place::Login
                | Place::Register
                | Place::Guest
                | Place::Keep
                | Place::NotFound => {
                    view! {
                        <Page>
                            <Lost text=t("lost.address") />
                        </Page>
                    }
                        .into_any()
                }
            }}
            <div class="scrim" aria-hidden="true" on:click=move |_| frame.close()></div>
        </div>
        <Newer />
        <Toasts />
        <Show when=move || frame.jump.get()>
            {parts::overlay(Overlay::Jump, Callback::new(move |()| frame.jump.set(false)))}
        </Show>
        <Show when=move || frame.keys.get()>
            {parts::overlay(Overlay::Keys, Callback::new(move |()| frame.keys.set(false)))}
        </Show>
        <Show when=move || frame.new_room.get()>
            {parts::overlay(Overlay::NewRoom, Callback::new(move |()| frame.new_room.set(false)))}
        </Show>
    }
}

/// Has the tab's icon say whether something waits, for as long as the frame is there.
fn show_what_waits(chat: Chat) {
    let draw = |address: &str| {
        let link = document().query_selector("link[rel=icon]").ok().flatten();
        if let Some(link) = link.filter(|link| link.get_attribute("href").as_deref() != Some(address)) {
            let _ = link.set_attribute("href", address);
        }
    };
    Effect::new(move |_| {
        draw(match chat.with_rooms(Rooms::waiting) {
            Waiting { calls: 1.., .. } => "/favicon-calls.svg",
            Waiting { more: true, .. } => "/favicon-new.svg",
            Waiting { .. } => "/favicon.svg",
        });
    });
    on_cleanup(move || draw("/favicon.svg"));
}

/// The frame of a page that is not a conversation. On a phone it begins with the way to the rooms.
#[component]
pub fn Page(children: Children) -> impl IntoView {
    view! {
        <main class="sheet" id="page">
            <div class="sheet-in">
                <RoomsButton />
                {children()}
            </div>
        </main>
    }
}

/// Opens the rail on a phone.
#[component]
pub fn RoomsButton() -> impl IntoView {
    use crate::components::icon::{Icon, Sign};
    let frame = Frame::take();
    view! {
        <button
            type="button"
            class="icon only-phone"
            aria-label=t("shell.rooms")
            on:click=move |_| frame.open(Drawer::Rooms)
        >
            <Sign icon=Icon::Menu />
        </button>
    }
}

/// Says that the connection is lost, before anyone wonders.
#[component]
pub fn Banner() -> impl IntoView {
    let chat = use_chat();
    let lost = Memo::new(move || {
        chat.is_restored() || matches!(chat.status(), Status::Reconnecting { .. } | Status::Offline { .. })
    });
    let offline = Memo::new(move || matches!(chat.status(), Status::Offline { .. }));
    let restored = Memo::new(move || chat.is_restored());
    let text = move || match (restored.get(), offline.get()) {
        (true, _) => "banner.saved",
        (false, true) => "banner.offline",
        (false, false) => "banner.reconnecting",
    };
    view! {
        <div role="status">
            <Show when=move || lost.get()>
                <div class="banner" data-testid="banner">
                    <i class="spin"></i>
                    <span>{move || t(text())}</span>
                    <button type="button" class="link" on:click=move |_| chat.retry_now()>
                        {t("banner.now")}
                    </button>
                </div>
            </Show>
        </div>
    }
}

/// The three columns in grey, while the server is asked who this is.
#[component]
pub fn ShellSkeleton() -> impl IntoView {
    let chat = use_chat();
    let waits = move || matches!(chat.status(), Status::Reconnecting { .. } | Status::Offline { .. });
    view! {
        <div class="app" data-testid="app-skeleton">
            <div class="rail">
                <ListSkeleton rows=7 />
            </div>
            <main class="room">
                <h1 class="vh">{t("shell.starting")}</h1>
                <Show when=waits>
                    <div class="banner" role="status" data-testid="banner">
                        <i class="spin"></i>
                        {t("shell.unreachable")}
                        <button type="button" class="link" on:click=move |_| chat.retry_now()>
                            {t("banner.now")}
                        </button>
                    </div>
                </Show>
                <LogSkeleton />
            </main>
            <div class="people">
                <ListSkeleton rows=5 />
            </div>
        </div>
    }
}

/// Opens a room and closes whatever lay above.
pub fn go_to_room(go: Go, room: natter_shared::id::RoomId) {
    go.to(&crate::place::room(room));
}
