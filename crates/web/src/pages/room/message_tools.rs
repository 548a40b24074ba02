//! Two of the buttons beside a message: pinning it for all, and the link that leads to it.

use super::RoomFrame;
use super::message::part;
use crate::components::copy::to_clipboard;
use crate::components::drawing::live;
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::live::{Chat, use_chat};
use crate::locale::t;
use crate::place;
use crate::state::MessageView;
use leptos::prelude::*;
use natter_shared::id::{RoomId, Seq};
use wasm_bindgen_futures::spawn_local;

fn seq_of(view: Memo<Option<MessageView>>) -> Option<Seq> {
    view.with_untracked(|view| view.as_ref().and_then(|view| view.seq))
}

/// Pins a message or takes the pin away, and says so if it fails.
pub fn set_pin(chat: Chat, room: RoomId, seq: Seq, on: bool) {
    spawn_local(async move {
        if let Err(error) = chat.pin(room, seq, on).await {
            chat.complain(&error);
        }
    });
}

/// For those who may. A message to one person is not pinned for all.
#[component]
pub fn PinButton(view: Memo<Option<MessageView>>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let for_all = part(view, |view| view.to.is_none());
    let pinned = part(view, |view| view.pinned);
    live(move || {
        if for_all.get() != Some(true) || !chat.may_pin(room) {
            return ().into_any();
        }
        let on = pinned.get() != Some(true);
        let name = t(if on { "message.pin" } else { "message.unpin" });
        let turn = move |_| {
            if let Some(seq) = seq_of(view) {
                set_pin(chat, room, seq, on);
            }
        };
        view! {
            <button type="button" class="icon" aria-label=name title=name on:click=turn>
                <Sign icon=Icon::Pin />
            </button>
        }
        .into_any()
    })
}

#[component]
pub fn LinkButton(view: Memo<Option<MessageView>>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let copy = move |_| {
        let Some(seq) = seq_of(view) else { return };
        let link = format!("{}{}", window().location().origin().unwrap_or_default(), place::message(room, seq));
        spawn_local(async move {
            // Where there is no clipboard, the link is at least there to be read.
            let copied = to_clipboard(&link).await;
            chat.tell(if copied { t("message.link_copied").to_owned() } else { link });
        });
    };
    view! {
        <button type="button" class="icon" aria-label=t("message.copy_link") title=t("message.copy_link") on:click=copy>
            <Sign icon=Icon::Link />
        </button>
    }
}
