//! Where one writes. What is written stays a draft until it is in the outbox, and in the outbox until the server has it.

use super::attach::{self, Attach};
use super::formatting::format;
use super::mention::{Names, Offer};
use super::{Mode, Open, RoomFrame};
use crate::components::dialog::{Anchor, CloseButton};
use crate::components::drawing::{Show, live};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::live::tray::Obstacle;
use crate::live::use_chat;
use crate::locale::{said, t, tf};
use crate::pages::parts::{self, Overlay};
use crate::state::{Row, Tick};
use leptos::html;
use leptos::prelude::*;
use natter_shared::id::Seq;
use natter_shared::limits::BODY_MAX;
use natter_shared::room::RoomKind;
use natter_shared::text::MessageBody;
use wasm_bindgen_futures::spawn_local;

/// From so many characters before the limit on, the rest is counted.
const COUNT_FROM: usize = 200;

/// Makes the field as high as its text.
fn grow(field: &web_sys::HtmlTextAreaElement) {
    let style = web_sys::HtmlElement::style(field);
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}

#[component]
pub fn Composer() -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let archived = Memo::new(move || chat.room(room).is_some_and(|it| it.room.archived));
    // A conversation of two is closed by nothing but the end of an account.
    let direct = Memo::new(move || chat.room(room).is_some_and(|it| it.room.kind == RoomKind::Direct));
    let why = move || if direct.get() { t("composer.gone") } else { t("composer.archived") };
    view! {
        <Typing />
        <Show when=move || !archived.get() fallback=move || view! { <p class="closed">{why}</p> }>
            <Field />
        </Show>
    }
}

/// Who is writing.
#[component]
fn Typing() -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let text = Memo::new(move || {
        let me = chat.me().map(|me| me.id);
        let names: Vec<String> = chat
            .typing(room)
            .into_iter()
            .filter(|user| Some(*user) != me)
            .map(|user| {
                chat.person(user).map_or_else(|| t("event.somebody").to_owned(), |it| it.display_name.to_string())
            })
            .collect();
        match &names[..] {
            [] => None,
            [one] => Some(tf("composer.typing_one", &[("a", one)])),
            [one, two] => Some(tf("composer.typing_two", &[("a", one), ("b", two)])),
            _ => Some(t("composer.typing_many").to_owned()),
        }
    });
    view! {
        <p class="typing" role="status">
            {move || {
                text.get()
                    .map(|text| {
                        view! {
                            <span data-testid="typing">
                                <i></i>
                                <i></i>
                                <i></i>
                                " "
                                {text}
                            </span>
                        }
                            .into_any()
                    })
            }}
        </p>
    }
}

#[component]
fn Field() -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let room = frame.room;
    let mode = frame.mode;
    let node = NodeRef::<html::Textarea>::new();
    let text = RwSignal::new(chat.draft(room));
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);

    let tray = chat.tray(room);
    let offer = Offer::new(room, node);

    let placeholder = Memo::new(move || {
        chat.room(room).map(|it| {
            let key = if it.room.kind == RoomKind::Direct { "composer.to_person" } else { "composer.to_room" };
            tf(key, &[("name", it.room.name.as_str())])
        })
    });
    // The field grows with its text, whoever changed it.
    Effect::new(move |_| {
        text.track();
        if let Some(field) = node.get() {
            request_animation_frame(move || grow(&field));
        }
    });
    let focus = move || {
        request_animation_frame(move || {
            if let Some(field) = node.try_get_untracked().flatten() {
                let _ = field.focus();
                let end = field.value().encode_utf16().count();
                let end = u32::try_from(end).unwrap_or(u32::MAX);
                let _ = field.set_selection_range(end, end);
            }
        });
    };
    // A change of mode changes what stands in the field: the message to be edited, or the draft.
    Effect::new(move |before: Option<Mode>| {
        let now = mode.get();
        match (&before, &now) {
            (_, Mode::Edit { text: old, .. }) => text.set(old.clone()),
            (Some(Mode::Edit { .. }), _) => text.set(chat.draft(room)),
            _ => {}
        }
        wrong.set(None);
        if before.is_some_and(|before| before != now) {
            focus();
        }
        now
    });
    Effect::new(move |_| {
        let Some(more) = frame.insert.get() else { return };
        let (start, end) = match node.get_untracked() {
            Some(field) => {
                let at = |place: Result<Option<u32>, _>| place.ok().flatten();
                (at(field.selection_start()), at(field.selection_end()))
            }
            None => (None, None),
        };
        text.update(|text| {
            // The field counts in UTF-16, as browsers do.
            let units: Vec<u16> = text.encode_utf16().collect();
            let place =
                |at: Option<u32>| at.and_then(|at| usize::try_from(at).ok()).unwrap_or(units.len()).min(units.len());
            let (start, end) = (place(start), place(end));
            let before = String::from_utf16_lossy(&units[..start]);
            let after = String::from_utf16_lossy(&units[end.max(start)..]);
            *text = format!("{before}{more}{after}");
        });
        if !matches!(mode.get_untracked(), Mode::Edit { .. }) {
            chat.set_draft(room, &text.get_untracked());
        }
        frame.insert.set(None);
        focus();
    });

    let typed = move |value: String| {
        wrong.set(None);
        text.set(value);
        if !matches!(mode.get_untracked(), Mode::Edit { .. }) {
            text.with_untracked(|text| chat.set_draft(room, text));
            if text.with_untracked(|text| !text.trim().is_empty()) {
                chat.typed(room);
            }
        }
        offer.look();
    };
    let change = move |seq: Seq, body: String| {
        if let Err(why) = MessageBody::parse(&body) {
            wrong.set(Some(why.to_string()));
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = chat.edit(room, seq, body).await;
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    mode.try_set(Mode::Write);
                }
                // The changed text stays in the field until the server has it.
                Err(error) => {
                    wrong.try_set(Some(error.message()));
                }
            }
        });
    };
    let send = move || {
        let body = text.get_untracked();
        let bare = chat.tray(room).ready().is_empty() || matches!(mode.get_untracked(), Mode::Edit { .. });
        if (body.trim().is_empty() && bare) || busy.get_untracked() {
            return;
        }
        let (reply_to, to) = match mode.get_untracked() {
            Mode::Edit { seq, .. } => return change(seq, body),
            Mode::Reply { seq, .. } => (Some(seq), None),
            Mode::Whisper(user) => (None, Some(user.id)),
            Mode::Write => (None, None),
        };
        if let Some(obstacle) = chat.tray(room).obstacle() {
            let key = match obstacle {
                Obstacle::Coming => "image.wait",
                Obstacle::Failed => "image.not_taken",
            };
            return wrong.set(Some(t(key).to_owned()));
        }
        match chat.send(room, &body, reply_to, to) {
            Ok(_) => {
                text.set(String::new());
                if !matches!(mode.get_untracked(), Mode::Write | Mode::Whisper(_)) {
                    mode.set(Mode::Write);
                }
                frame.to_end.update(|count| *count += 1);
                focus();
            }
            Err(why) => wrong.set(Some(why.to_string())),
        }
    };
    let edit_last = move || {
        let rows = untrack(|| chat.rows(room));
        let last = rows.into_iter().rev().find_map(|row| match row {
            Row::Message(key) => untrack(|| chat.message(room, key)).filter(|message| {
                message.own
                    && !message.deleted
                    && message.seq.is_some()
                    && !matches!(message.tick, Some(Tick::Failed(_)))
            }),
            Row::Day(_) | Row::New | Row::Event(_) => None,
        });
        if let Some((seq, text)) = last.and_then(|message| Some((message.seq?, message.body))) {
            mode.set(Mode::Edit { seq, text });
        }
    };
    let keys = move |ev: web_sys::KeyboardEvent| match ev.key().as_str() {
        _ if offer.takes_key(&ev) => {}
        // While an input method composes, Enter belongs to it (229 is what some browsers report instead).
        "Enter" if !ev.shift_key() && !ev.is_composing() && ev.key_code() != 229 => {
            ev.prevent_default();
            send();
        }
        "Escape" if mode.get_untracked() != Mode::Write => {
            ev.prevent_default();
            ev.stop_propagation();
            mode.set(Mode::Write);
        }
        "ArrowUp" if !ev.alt_key() && mode.get_untracked() == Mode::Write && text.with_untracked(String::is_empty) => {
            ev.prevent_default();
            edit_last();
        }
        _ => {}
    };
    let rest = live(move || {
        let used = text.with(|text| text.chars().count());
        (used + COUNT_FROM > BODY_MAX)
            .then(|| {
                let (used, most) = (used.to_string(), BODY_MAX.to_string());
                view! { <p class="count">{tf("composer.count", &[("used", &used), ("most", &most)])}</p> }.into_any()
            })
            .into_any()
    });
    let banner = live(move || {
        let text = match mode.get() {
            Mode::Write => return ().into_any(),
            Mode::Reply { name, text, .. } => tf("composer.replying", &[("name", &name), ("text", &text)]),
            Mode::Edit { .. } => t("composer.editing").to_owned(),
            Mode::Whisper(user) => tf("composer.whispering", &[("name", user.display_name.as_str())]),
        };
        let cancel = Callback::new(move |()| mode.set(Mode::Write));
        view! {
            <div class="mode" data-testid="composer-mode">
                <span>{text}</span>
                <CloseButton label=t("form.cancel") on_close=cancel />
            </div>
        }
        .into_any()
    });
    view! {
        <form
            class="composer"
            class:whisper=move || matches!(mode.get(), Mode::Whisper(_))
            on:dragover=move |ev| attach::drag(&ev)
            on:drop=move |ev| attach::drop(chat, room, &ev)
            on:submit=move |ev| {
                ev.prevent_default();
                send();
            }
        >
            {banner}
            <Show when=move || !tray.is_empty()>{parts::overlay(Overlay::Tray, Callback::new(|()| ()))}</Show>
            <Names offer />
            <div class="line">
                <textarea
                    id="composer"
                    rows="1"
                    aria-label=t("composer.label")
                    aria-describedby="composer-note"
                    placeholder=move || placeholder.get().unwrap_or_default()
                    autocomplete="off"
                    enterkeyhint="send"
                    node_ref=node
                    prop:value=text
                    on:input=move |ev| typed(event_target_value(&ev))
                    on:keydown=move |ev: web_sys::KeyboardEvent| if !format(&ev) { keys(ev) }
                    on:paste=move |ev| attach::paste(chat, room, &ev)
                    on:click=move |_| offer.look()
                    on:blur=move |_| offer.hide()
                    aria-autocomplete="list"
                    aria-haspopup="listbox"
                    aria-controls=move || offer.is_open().then_some("names")
                    aria-activedescendant=move || offer.active()
                ></textarea>
                <Attach />
                <button
                    type="button"
                    class="icon"
                    aria-label=t("composer.emoji")
                    title=t("composer.emoji")
                    on:click=move |ev| frame.open.set(Some(Open::Emoji(Anchor::of(&ev))))
                >
                    <Sign icon=Icon::Smile />
                </button>
                <button type="submit" class="send" aria-label=t("composer.send") title=t("composer.send") disabled=busy>
                    <Sign icon=Icon::Send />
                </button>
            </div>
            <div id="composer-note" aria-live="polite">
                {rest}
                {move || wrong.get().map(|why| view! { <p class="wrong">{said(&why)}</p> }.into_any())}
            </div>
        </form>
    }
}
