//! The pinned messages of a room: who said what when, the way there, and taking a pin away.

use super::RoomFrame;
use super::found::FoundMessage;
use super::message_tools::set_pin;
use crate::components::dialog::{Anchor, CloseRow, Dialog};
use crate::components::drawing::{List, Show};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::live::use_chat;
use crate::locale::{t, tf};
use leptos::prelude::*;
use natter_shared::entry::Message;

#[component]
pub fn Pins(anchor: Option<Anchor>, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let room = frame.room;
    let pins = Memo::new(move || chat.pins(room));
    let may_pin = Memo::new(move || chat.may_pin(room));
    let line = move |pin: Message| {
        let seq = pin.seq;
        let name = chat.name_of(&pin.author);
        let away = tf("pins.unpin", &[("name", &name)]);
        let on_go = Callback::new(move |()| {
            on_close.run(());
            frame.goal.set(Some(seq));
        });
        view! {
            <li class="pin">
                <FoundMessage message=pin testid="pin" on_go />
                <Show when=move || may_pin.get()>
                    <button
                        type="button"
                        class="icon"
                        aria-label=away.clone()
                        title=t("message.unpin")
                        on:click=move |_| set_pin(chat, room, seq, false)
                    >
                        <Sign icon=Icon::Close />
                    </button>
                </Show>
            </li>
        }
    };
    view! {
        <Dialog label=t("pins.title") class="pop" anchor on_close>
            <h2>{t("pins.title")}</h2>
            <ul class="pins">
                <List each=move || pins.get() key=|pin| format!("{} {}", pin.seq, pin.content.body.as_str()) children=line />
            </ul>
            <Show when=move || pins.with(Vec::is_empty)>
                <p class="soft">{t("pins.none")}</p>
            </Show>
            <CloseRow on_close />
        </Dialog>
    }
}
