//! What of the page is fetched only when it is used, and in which part it lies. All that is reached from here alone leaves
//! the module that a first visit loads, when the page is built for release (docs/adr/0012); while one works on the page, and
//! in tests, everything is one module and each part is here at once.
//!
//! What several parts share becomes a file for each combination of them, so there are few: one a way of using Natter, not one
//! a dialog.

use super::admin::Admin;
use super::auth::{Guest, Register};
use super::browse::Browse;
use super::coming::{Around, Part, coming};
use super::join::Join;
use super::profile::Profile;
use super::room::{Dialogs, EmojiPicker, Open, SearchPanel, Tray};
use super::settings::Settings;
use super::shell::{Jump, KeySheet, NewRoom};
use crate::components::dialog::Anchor;
use crate::language;
use crate::place::Desk;
use futures_util::FutureExt;
use futures_util::future::join;
use leptos::prelude::*;
use leptos::wasm_split::SplitLoaderError;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;
use natter_shared::id::Seq;
use natter_shared::text::Username;

/// Puts what `$draw` reaches into a part, which `$fetch` fetches.
macro_rules! part {
    ($name:ident, $fetch:ident, $draw:ident($what:ident: $of:ty) $body:block) => {
        #[cfg(feature = "split")]
        #[wasm_split($name, wasm_split_path = ::leptos::wasm_split, preload($fetch), fallible)]
        fn $draw($what: $of) -> Result<AnyView, SplitLoaderError> {
            Ok($body)
        }

        #[cfg(not(feature = "split"))]
        fn $fetch() -> std::future::Ready<Result<(), SplitLoaderError>> {
            std::future::ready(Ok(()))
        }

        #[cfg(not(feature = "split"))]
        fn $draw($what: $of) -> std::future::Ready<Result<AnyView, SplitLoaderError>> {
            std::future::ready(Ok($body))
        }
    };
}

/// A part whose English is not in the first module comes with it.
async fn with_words(part: impl Future<Output = Result<(), SplitLoaderError>>) -> bool {
    let (words, part) = join(language::load_more(), part).await;
    words && part.is_ok()
}

/// Ways in, but for the login.
#[derive(Clone)]
pub enum Entry {
    Register { keep: bool },
    Guest { code: String },
}

static ENTRIES: Part = Part::new(|| Box::pin(async { fetch_entries().await.is_ok() }));

part!(entries, fetch_entries, draw_entry(entry: Entry) {
    match entry {
        Entry::Register { keep } => view! { <Register keep /> }.into_any(),
        Entry::Guest { code } => view! { <Guest code /> }.into_any(),
    }
});

pub fn entry(entry: Entry) -> AnyView {
    coming(&ENTRIES, Around::Door, move || now(draw_entry(entry.clone())))
}

/// Pages inside that are no conversation.
#[derive(Clone)]
pub enum Sheet {
    Browse,
    Join(String),
    Profile(String),
    Settings,
}

static SHEETS: Part = Part::new(|| Box::pin(with_words(fetch_sheets())));

part!(sheets, fetch_sheets, draw_sheet(sheet: Sheet) {
    match sheet {
        Sheet::Browse => view! { <Browse /> }.into_any(),
        Sheet::Join(code) => view! { <Join code /> }.into_any(),
        Sheet::Profile(name) => view! { <Profile username=Username::parse(&name) /> }.into_any(),
        Sheet::Settings => view! { <Settings /> }.into_any(),
    }
});

pub fn sheet(sheet: Sheet) -> AnyView {
    coming(&SHEETS, Around::Page, move || now(draw_sheet(sheet.clone())))
}

static DESKS: Part = Part::new(|| Box::pin(with_words(fetch_desks())));

part!(desks, fetch_desks, draw_desk(desk: Desk) {
    view! { <Admin desk /> }.into_any()
});

/// The administrators' page.
pub fn desk(desk: Desk) -> AnyView {
    coming(&DESKS, Around::Page, move || now(draw_desk(desk)))
}

/// What opens above the page or above a room's messages, and how it closes.
#[derive(Clone)]
pub enum Overlay {
    Jump,
    Keys,
    NewRoom,
    Search,
    /// Images that were chosen for the next message.
    Tray,
    OfRoom(Open),
}

static OVERLAYS: Part = Part::new(|| Box::pin(with_words(fetch_overlays())));

part!(overlays, fetch_overlays, draw_overlay(overlay: (Overlay, Callback<()>)) {
    let (overlay, on_close) = overlay;
    match overlay {
        Overlay::Jump => view! { <Jump on_close /> }.into_any(),
        Overlay::Keys => view! { <KeySheet on_close /> }.into_any(),
        Overlay::NewRoom => view! { <NewRoom on_close /> }.into_any(),
        Overlay::Search => view! { <SearchPanel /> }.into_any(),
        Overlay::Tray => view! { <Tray /> }.into_any(),
        Overlay::OfRoom(open) => view! { <Dialogs open on_close /> }.into_any(),
    }
});

pub fn overlay(overlay: Overlay, on_close: Callback<()>) -> AnyView {
    let around = match overlay {
        Overlay::Search => Around::Panel,
        Overlay::Tray => Around::Nothing,
        Overlay::Jump | Overlay::NewRoom | Overlay::Keys | Overlay::OfRoom(_) => Around::Above(on_close),
    };
    coming(&OVERLAYS, around, move || now(draw_overlay((overlay.clone(), on_close))))
}

static EMOJI: Part = Part::new(|| Box::pin(async { fetch_emoji().await.is_ok() }));

part!(emoji, fetch_emoji, draw_emoji(picker: Picker) {
    let (seq, anchor, on_close) = picker;
    view! { <EmojiPicker seq anchor on_close /> }.into_any()
});

/// The message to react to, or none to write with; where the dialog stands, and how it closes.
type Picker = (Option<Seq>, Option<Anchor>, Callback<()>);

/// Picking an emoji, for which there is a table of them all.
pub fn emoji(seq: Option<Seq>, anchor: Option<Anchor>, on_close: Callback<()>) -> AnyView {
    coming(&EMOJI, Around::Above(on_close), move || now(draw_emoji((seq, anchor, on_close))))
}

/// What a part that is here draws, in the midst of its surroundings: it takes what it needs from the contexts there.
fn now(drawn: impl Future<Output = Result<AnyView, SplitLoaderError>>) -> Option<AnyView> {
    drawn.now_or_never()?.ok()
}
