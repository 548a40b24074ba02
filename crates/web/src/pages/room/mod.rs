//! One room or direct conversation: its head, its timeline, the composer, its people, and the dialogs that belong to them.

mod attach;
mod attention;
mod bubble;
mod composer;
mod dialogs;
mod emoji;
mod formatting;
mod found;
mod head;
mod integrations;
mod lightbox;
mod manage;
mod mention;
mod message;
mod message_tools;
mod people;
mod person;
mod pictures;
mod pins;
mod place_keeper;
mod search;
mod timeline;
mod tray;
mod window;

pub use dialogs::Dialogs;
pub use emoji::EmojiPicker;
pub use search::SearchPanel;
pub use tray::Tray;

use super::shell::{Banner, Frame, RoomsButton};
use super::{Go, Lost, title};
use crate::api::rooms;
use crate::components::dialog::Anchor;
use crate::components::drawing::{Show, live};
use crate::components::memo::Memo;
use crate::components::notice::{Alert, LogSkeleton};
use crate::live::{Chat, use_chat};
use crate::locale::t;
use crate::pages::parts::{self, Overlay};
use crate::place;
use crate::state::Load;
use composer::Composer;
use head::Head;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use mention::FirstMention;
use natter_shared::account::User;
use natter_shared::id::{FileId, RoomId, Seq};
use natter_shared::room::{Role, RoomKind};
use people::People;
use timeline::Log;
use wasm_bindgen_futures::spawn_local;

/// What the composer is for at the moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    Write,
    Reply {
        seq: Seq,
        name: String,
        text: String,
    },
    Edit {
        seq: Seq,
        text: String,
    },
    /// To one member alone.
    Whisper(User),
}

/// A dialog of the room. One at a time is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Open {
    React(Seq, Option<Anchor>),
    Reached(Seq, Option<Anchor>),
    Delete(Seq),
    Person(User, Option<Anchor>),
    Emoji(Option<Anchor>),
    Pins(Option<Anchor>),
    /// Whether for good.
    Remove(User, bool),
    Manage,
    Attention(Option<Anchor>),
    Integrations,
    Leave,
    /// Images of a message, and which of them is shown first.
    Picture(Vec<FileId>, usize),
}

/// What the parts of an open room share.
#[derive(Clone, Copy)]
pub struct RoomFrame {
    pub room: RoomId,
    pub mode: RwSignal<Mode>,
    pub open: RwSignal<Option<Open>>,
    pub searching: RwSignal<bool>,
    /// The message that the timeline shall show next.
    pub goal: RwSignal<Option<Seq>>,
    /// Counts up whenever the timeline shall go to its end.
    pub to_end: RwSignal<u32>,
    /// The join code, once it is known, for those who may see it.
    pub code: RwSignal<Option<String>>,
    /// A text for the composer to put in at the cursor.
    pub insert: RwSignal<Option<String>>,
}

impl RoomFrame {
    pub fn take() -> Self {
        expect_context::<Self>()
    }

    fn new(room: RoomId) -> Self {
        Self {
            room,
            mode: RwSignal::new(Mode::Write),
            open: RwSignal::new(None),
            searching: RwSignal::new(false),
            goal: RwSignal::new(None),
            to_end: RwSignal::new(0),
            code: RwSignal::new(None),
            insert: RwSignal::new(None),
        }
    }
}

fn open_room(chat: Chat, room: RoomId) {
    spawn_local(async move {
        // What went wrong stands in the timeline's own state, and is shown there with a retry.
        let _ = chat.open(room).await;
    });
}

#[component]
pub fn RoomPage(room: RoomId) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::new(room);
    provide_context(frame);
    open_room(chat, room);
    // Administrators alone see the code; where it is switched off there is none to show.
    let has_code = Memo::new(move || {
        chat.room(room).is_some_and(|it| it.room.kind == RoomKind::Room && it.room.role >= Some(Role::Admin))
    });
    Effect::new(move |_| {
        frame.code.set(None);
        // Asked for once more when there is a network again.
        if has_code.get() && !chat.is_restored() {
            spawn_local(async move {
                if let Ok(code) = rooms::code(&chat.api(), room).await {
                    frame.code.try_set(Some(code));
                }
            });
        }
    });
    // A link to a message leads to it once; then the address is the room's, so that the same link leads there again.
    let search = use_location().search;
    let go = Go::take();
    Effect::new(move |_| {
        if let Some(seq) = place::message_at(&search.get()) {
            frame.goal.set(Some(seq));
            go.replace(&place::room(room));
        }
    });
    on_cleanup(move || {
        chat.attend(None);
        chat.stand_at_end(None);
    });
    let load = Memo::new(move || chat.timeline(room).load);
    let lost = Memo::new(move || load.get() == Load::NotFound);
    view! {
        <Show when=move || !lost.get() fallback=|| view! { <Nothing /> }>
            <Inside load />
        </Show>
    }
}

/// A wrong room id and a foreign one look the same.
#[component]
fn Nothing() -> impl IntoView {
    view! {
        <main class="sheet" id="page">
            <div class="sheet-in">
                <RoomsButton />
                <Lost text=t("lost.room") />
            </div>
        </main>
    }
}

#[component]
fn Inside(load: Memo<Load>) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let room = frame.room;
    let shell = Frame::take();
    let name = Memo::new(move || chat.room(room).map(|it| it.room.name.to_string()).unwrap_or_default());
    title(move || name.get());
    let failed = Memo::new(move || match load.get() {
        Load::Failed(why) => Some(why),
        _ => None,
    });
    let ready = Memo::new(move || load.get() == Load::Ready);
    let close = Callback::new(move |()| frame.open.set(None));
    view! {
        <main class="room" id="page">
            <Head />
            <Banner />
            <Show when=move || frame.searching.get()>
                {parts::overlay(Overlay::Search, Callback::new(move |()| frame.searching.set(false)))}
            </Show>
            <div class="room-body">
                <Show
                    when=move || ready.get()
                    fallback=move || match failed.get() {
                        Some(why) => {
                            view! {
                                <div class="empty">
                                    <Alert
                                        text=why
                                        retry=Some(Callback::new(move |()| open_room(chat, room)))
                                    />
                                </div>
                            }
                                .into_any()
                        }
                        None => view! { <LogSkeleton /> }.into_any(),
                    }
                >
                    <Log />
                    <FirstMention />
                </Show>
            </div>
            <Composer />
        </main>
        <Show when=move || shell.people_drawn()>
            <People />
        </Show>
        {live(move || match frame.open.get() {
            Some(Open::React(seq, anchor)) => parts::emoji(Some(seq), anchor, close),
            Some(Open::Emoji(anchor)) => parts::emoji(None, anchor, close),
            Some(open) => parts::overlay(Overlay::OfRoom(open), close),
            None => ().into_any(),
        })}
    }
}
