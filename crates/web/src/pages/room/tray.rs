//! The images that were chosen for the next message, above the field: how far each is, and how to be rid of it.

use super::RoomFrame;
use crate::api::{ApiError, upload};
use crate::components::dialog::CloseButton;
use crate::components::drawing::{List, live};
use crate::live::tray::{Chosen, Stage};
use crate::live::{Chat, use_chat};
use crate::locale::{t, tf};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

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

/// Sends a chosen image to the server, for the first time or again.
fn send(chat: Chat, chosen: &Chosen) {
    let Some(file) = chat.chosen_file(chosen.id) else { return };
    let stage = chosen.stage.clone();
    stage.set(Stage::Sending(0.0));
    spawn_local(async move {
        let shown = stage.clone();
        let answer = upload::image(&chat.api(), &file, move |part| shown.set(Stage::Sending(part))).await;
        stage.set(match answer {
            Ok(uploaded) => Stage::Ready(uploaded),
            Err(error) => {
                let why = error.field("file").unwrap_or_else(|| ApiError::message(&error));
                Stage::Failed(why, error.may_retry())
            }
        });
    });
}

#[component]
fn Item(chosen: Chosen) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    if chosen.stage.get_untracked() == Stage::New {
        send(chat, &chosen);
    }
    let Chosen { id, name, url, stage } = chosen.clone();
    let shown = stage.clone();
    let state = live(move || match shown.get() {
        Stage::Sending(part) => {
            view! { <progress max="1" value=part.to_string() aria-label=t("image.sending")></progress> }.into_any()
        }
        Stage::New | Stage::Ready(_) => ().into_any(),
        Stage::Failed(why, may_retry) => {
            let chosen = chosen.clone();
            let again = move |_| send(chat, &chosen);
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
    // What the browser cannot show either is called by its name.
    let unseen = RwSignal::new(url.is_none());
    let called = name.clone();
    let seen = live(move || {
        if unseen.get() {
            return view! { <span class="unseen">{called.clone()}</span> }.into_any();
        }
        let alt = tf("image.named", &[("name", &called)]);
        view! { <img src=url.clone() alt=alt on:error=move |_| unseen.set(true) /> }.into_any()
    });
    let word = move || match stage.get() {
        Stage::New | Stage::Sending(_) => "sending",
        Stage::Ready(_) => "ready",
        Stage::Failed(..) => "failed",
    };
    view! {
        <li data-testid="chosen" data-stage=word>
            {seen}
            {state}
            <CloseButton
                label=tf("image.remove", &[("name", &name)])
                on_close=Callback::new(move |()| chat.unchoose(room, id))
            />
        </li>
    }
}
