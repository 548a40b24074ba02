//! The pinned messages of a room: who said what when, the way there, and taking a pin away.

use super::RoomFrame;
use super::bubble::excerpt;
use super::message_tools::set_pin;
use crate::components::dialog::{Anchor, Dialog};
use crate::components::drawing::{List, Show};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::components::moment::day_and_clock;
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
        let go = move |_| {
            on_close.run(());
            frame.goal.set(Some(seq));
        };
        view! {
            <li class="pin">
                <button type="button" class="found" data-testid="pin" on:click=go>
                    <b class="name">{name}</b>
                    " "
                    <small class="soft">{day_and_clock(pin.at)}</small>
                    <span>{excerpt(pin.content.body.as_str())}</span>
                </button>
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
            <div class="row-btns">
                <button type="button" class="btn" on:click=move |_| on_close.run(())>
                    {t("form.close")}
                </button>
            </div>
        </Dialog>
    }
}
