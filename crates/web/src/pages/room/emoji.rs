//! Picking an emoji, to react with or to write: those used last, all of them by group, and finding some by words. The arrow
//! keys go about in them.

use super::RoomFrame;
use super::bubble::react;
use crate::components::dialog::{Anchor, Dialog};
use crate::components::drawing::live;
use crate::components::field::focus;
use crate::emoji::{self, Emoji};
use crate::language;
use crate::live::use_chat;
use crate::locale::t;
use leptos::html;
use leptos::prelude::*;
use natter_shared::id::Seq;
use natter_shared::text::Emoji as Reaction;
use wasm_bindgen::JsCast;

/// Where those used last are kept.
const KEPT: &str = "natter.emoji";

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}

fn kept() -> String {
    storage().and_then(|storage| storage.get_item(KEPT).ok().flatten()).unwrap_or_default()
}

fn keep(sign: &str) {
    if let Some(storage) = storage() {
        // A browser that keeps nothing shows the common ones again.
        let _ = storage.set_item(KEPT, &emoji::used(&kept(), sign));
    }
}

/// Either of the two dialogs that pick one.
#[component]
pub fn EmojiPicker(
    /// The message to react to; none to write with it.
    seq: Option<Seq>,
    anchor: Option<Anchor>,
    on_close: Callback<()>,
) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let label = if seq.is_some() { t("message.react") } else { t("composer.emoji") };
    let on_pick = Callback::new(move |sign: &'static str| {
        keep(sign);
        on_close.run(());
        match (seq, Reaction::parse(sign)) {
            (Some(seq), Ok(emoji)) => react(chat, frame.room, seq, emoji, true),
            (Some(_), Err(_)) => {}
            (None, _) => frame.insert.set(Some(sign.to_owned())),
        }
    });
    view! { <Picker label anchor on_pick on_close /> }
}

#[component]
fn Picker(
    label: &'static str,
    anchor: Option<Anchor>,
    on_pick: Callback<&'static str>,
    on_close: Callback<()>,
) -> impl IntoView {
    let german = language::current() == "de";
    let wanted = RwSignal::new(String::new());
    let list = NodeRef::<html::Div>::new();
    focus("emoji-search");
    let button = move |emoji: &'static Emoji| {
        let sign = emoji.sign;
        // It is called what it is: screen readers know the names of emoji. The title is for those who see.
        view! {
            <button type="button" class="icon" tabindex="-1" title=emoji.name(german) on:click=move |_| on_pick.run(sign)>
                {sign}
            </button>
        }
        .into_any()
    };
    let group = move |name: &'static str, all: Vec<&'static Emoji>| {
        view! {
            <section aria-label=name>
                <h3>{name}</h3>
                <div class="emoji">{all.into_iter().map(button).collect::<Vec<_>>()}</div>
            </section>
        }
        .into_any()
    };
    let shown = live(move || {
        let wanted = wanted.get();
        if wanted.trim().is_empty() {
            let recent = group(t("emoji.recent"), emoji::recent(&kept()));
            let all = emoji::groups().iter().map(|it| group(t(it.key), it.emoji.iter().collect()));
            return std::iter::once(recent).chain(all).collect::<Vec<_>>().into_any();
        }
        let found = emoji::find(&wanted);
        if found.is_empty() {
            return view! { <p class="soft" role="status">{t("emoji.none")}</p> }.into_any();
        }
        group(t("emoji.found"), found)
    });
    let keys = move |ev: web_sys::KeyboardEvent| {
        let Some(list) = list.get_untracked() else { return };
        if step(&list, ev.key().as_str()) {
            ev.prevent_default();
        }
    };
    let first = move |ev: web_sys::KeyboardEvent| {
        if ev.key() == "Enter" && !ev.is_composing() {
            ev.prevent_default();
            let found = emoji::find(&wanted.get_untracked());
            if let Some(emoji) = found.first() {
                on_pick.run(emoji.sign);
            }
        }
    };
    view! {
        <Dialog label class="pop pick" anchor on_close>
            <div on:keydown=keys>
                <input
                    class="input"
                    id="emoji-search"
                    type="search"
                    aria-label=t("emoji.search")
                    placeholder=t("emoji.search")
                    autocomplete="off"
                    prop:value=wanted
                    on:input=move |ev| wanted.set(event_target_value(&ev))
                    on:keydown=first
                />
                <div class="pick-list" tabindex="0" role="group" aria-label=label node_ref=list>
                    {shown}
                </div>
            </div>
        </Dialog>
    }
}

/// Moves the focus by an arrow key; says whether it moved.
fn step(list: &web_sys::Element, key: &str) -> bool {
    let Ok(found) = list.query_selector_all(".emoji button") else { return false };
    let buttons: Vec<web_sys::HtmlElement> =
        (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect();
    let active = document().active_element();
    let now = buttons.iter().position(|button| active.as_ref().is_some_and(|active| active.loose_eq(button)));
    let place = |button: &web_sys::HtmlElement| {
        let rect = button.get_bounding_client_rect();
        (rect.left(), rect.top())
    };
    let next = match (now, key) {
        // Out of the field, or the list as a whole, into the first row; sideways there moves the cursor.
        (None, "ArrowDown") | (Some(_), "Home") => buttons.first(),
        (None, _) => None,
        (Some(at), "ArrowRight") => buttons.get(at + 1),
        (Some(at), "ArrowLeft") => at.checked_sub(1).and_then(|at| buttons.get(at)),
        (Some(_), "End") => buttons.last(),
        (Some(at), "ArrowDown" | "ArrowUp") => {
            let (left, top) = place(&buttons[at]);
            let (rest, down): (&mut dyn Iterator<Item = &web_sys::HtmlElement>, bool) = if key == "ArrowDown" {
                (&mut buttons[at + 1..].iter(), true)
            } else {
                (&mut buttons[..at].iter().rev(), false)
            };
            beyond(rest, left, top, down, place)
        }
        _ => return false,
    };
    match next {
        Some(button) => {
            let _ = button.focus();
            true
        }
        // Up from the first row leads back to the words.
        None if now.is_some() && key == "ArrowUp" => {
            focus("emoji-search");
            true
        }
        None => false,
    }
}

/// The button of the next row that is nearest to this column.
fn beyond<'a>(
    rest: &mut dyn Iterator<Item = &'a web_sys::HtmlElement>,
    left: f64,
    top: f64,
    down: bool,
    place: impl Fn(&web_sys::HtmlElement) -> (f64, f64),
) -> Option<&'a web_sys::HtmlElement> {
    let mut row = None;
    let mut best: Option<(f64, &web_sys::HtmlElement)> = None;
    for button in rest {
        let (x, y) = place(button);
        let away = if down { y - top } else { top - y };
        if away < 1.0 {
            continue;
        }
        let row = *row.get_or_insert(y);
        if (y - row).abs() >= 1.0 {
            break;
        }
        let off = (x - left).abs();
        if best.is_none_or(|(least, _)| off < least) {
            best = Some((off, button));
        }
    }
    best.map(|(_, button)| button)
}
