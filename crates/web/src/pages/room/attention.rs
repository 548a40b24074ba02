//! What of a room calls for one's attention: everything, mentions only, or nothing.

use super::RoomFrame;
use crate::components::dialog::{Anchor, CloseRow, Dialog};
use crate::components::field::Segmented;
use crate::live::use_chat;
use crate::locale::t;
use leptos::prelude::*;
use natter_shared::room::Notify;
use wasm_bindgen_futures::spawn_local;

/// The choice by itself, beside the bell in the room's head.
#[component]
pub fn Attention(anchor: Option<Anchor>, on_close: Callback<()>) -> impl IntoView {
    view! {
        <Dialog label=t("notify.title") class="pop" anchor on_close>
            <NotifyChoice />
            <CloseRow on_close />
        </Dialog>
    }
}

#[component]
pub fn NotifyChoice() -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let now = move || chat.room(room).map(|it| it.notify).unwrap_or_default();
    let value = RwSignal::new(untrack(now));
    // What another tab chooses is shown here as well.
    Effect::new(move |_| value.set(now()));
    let changed = Callback::new(move |notify: Notify| {
        spawn_local(async move {
            if let Err(error) = chat.set_notify(room, notify).await {
                chat.complain(&error);
                value.try_set(untrack(now));
            }
        });
    });
    view! {
        <Segmented
            name="notify"
            legend=t("notify.title")
            value
            choices=vec![
                (Notify::Everything, t("notify.everything")),
                (Notify::Mentions, t("notify.mentions")),
                (Notify::Nothing, t("notify.nothing")),
            ]
            hint=t("notify.hint")
            changed
        />
    }
}
