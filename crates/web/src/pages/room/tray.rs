//! The images that were chosen for the next message, above the field: how far each is, and how to be rid of it.

use super::RoomFrame;
use crate::components::dialog::CloseButton;
use crate::components::drawing::{List, live};
use crate::live::tray::{Chosen, Stage};
use crate::live::use_chat;
use crate::locale::{t, tf};
use leptos::prelude::*;

#[component]
pub fn Tray() -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let tray = chat.tray(room);
    view! {
        <ul class="tray" aria-label=t("image.chosen")>
            <List each=move || tray.all() key=|chosen| chosen.id.to_string() let:chosen>
                <Item chosen />
            </List>
        </ul>
    }
}

#[component]
fn Item(chosen: Chosen) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let Chosen { id, name, url, stage } = chosen.clone();
    let shown = stage.clone();
    let state = live(move || match shown.get() {
        Stage::Sending(part) => {
            view! { <progress max="1" value=part.to_string() aria-label=t("image.sending")></progress> }.into_any()
        }
        Stage::Ready(_) => ().into_any(),
        Stage::Failed(why, may_retry) => {
            let chosen = chosen.clone();
            let again = move |_| chat.upload(&chosen);
            view! {
                <span class="wrong" role="alert">
                    {why}
                </span>
                {may_retry
                    .then(|| {
                        view! {
                            <button type="button" class="btn" on:click=again>
                                {t("form.try_again")}
                            </button>
                        }
                            .into_any()
                    })}
            }
            .into_any()
        }
    });
    let word = move || match stage.get() {
        Stage::Sending(_) => "sending",
        Stage::Ready(_) => "ready",
        Stage::Failed(..) => "failed",
    };
    view! {
        <li data-testid="chosen" data-stage=word>
            <img src=url alt=tf("image.named", &[("name", &name)]) />
            {state}
            <CloseButton
                label=tf("image.remove", &[("name", &name)])
                on_close=Callback::new(move |()| chat.unchoose(room, id))
            />
        </li>
    }
}
