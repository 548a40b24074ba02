//! The dialogs of an open room, one at a time: who has a message, deleting one, leaving; others in files of their own.

use super::attention::Attention;
use super::integrations::Integrations;
use super::lightbox::Lightbox;
use super::manage::Manage;
use super::person::{Person, Remove};
use super::pins::Pins;
use super::{Open, RoomFrame};
use crate::components::avatar::Avatar;
use crate::components::dialog::{Anchor, CloseRow, Confirm, Dialog};
use crate::components::drawing::{List, Show};
use crate::components::memo::Memo;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::Go;
use crate::place;
use crate::state::Reached;
use leptos::prelude::*;
use natter_shared::id::Seq;
use wasm_bindgen_futures::spawn_local;

/// The one that is open.
#[component]
pub fn Dialogs(open: Open, on_close: Callback<()>) -> impl IntoView {
    match open {
        // Drawn by another part of the page.
        Open::React(..) | Open::Emoji(_) => ().into_any(),
        Open::Pins(anchor) => view! { <Pins anchor on_close /> }.into_any(),
        Open::Reached(seq, anchor) => view! { <WhoHasIt seq anchor on_close /> }.into_any(),
        Open::Delete(seq) => view! { <Delete seq on_close /> }.into_any(),
        Open::Person(user, anchor) => view! { <Person user anchor on_close /> }.into_any(),
        Open::Leave => view! { <Leave on_close /> }.into_any(),
        Open::Picture(ids, at) => view! { <Lightbox ids at on_close /> }.into_any(),
        Open::Attention(anchor) => view! { <Attention anchor on_close /> }.into_any(),
        Open::Integrations => view! { <Integrations on_close /> }.into_any(),
        Open::Manage => view! { <Manage on_close /> }.into_any(),
        Open::Remove(user, ban) => view! { <Remove user ban on_close /> }.into_any(),
    }
}

/// How far a message has got with each of those for whom it is.
#[component]
fn WhoHasIt(seq: Seq, anchor: Option<Anchor>, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    spawn_local(async move { chat.look_round(room).await });
    let all = Memo::new(move || chat.ticks(room, seq));
    let group = move |reached: Reached, label: &'static str| {
        let people = Memo::new(move || {
            all.with(|all| {
                all.iter().filter(|(_, it)| *it == reached).map(|(user, _)| user.clone()).collect::<Vec<_>>()
            })
        });
        view! {
            <Show when=move || people.with(|people| !people.is_empty())>
                <h3>{label}</h3>
                <ul aria-label=label>
                    <List each=move || people.get() key=|user| user.id.to_string() let:user>
                        <li class="item">
                            <Avatar face=&user size="small" />
                            <span class="name">{user.display_name.to_string()}</span>
                        </li>
                    </List>
                </ul>
            </Show>
        }
    };
    view! {
        <Dialog label=t("tick.title") class="pop" anchor on_close>
            <h2>{t("tick.title")}</h2>
            {group(Reached::Read, t("tick.group_read"))}
            {group(Reached::Received, t("tick.group_received"))}
            {group(Reached::NotYet, t("tick.group_not_yet"))}
            <Show when=move || all.with(Vec::is_empty)>
                <p class="soft">{t("tick.nobody")}</p>
            </Show>
            <CloseRow on_close />
        </Dialog>
    }
}

#[component]
fn Delete(seq: Seq, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let busy = RwSignal::new(false);
    let on_act = Callback::new(move |()| {
        busy.set(true);
        spawn_local(async move {
            match chat.delete(room, seq).await {
                Ok(()) => on_close.run(()),
                Err(error) => {
                    busy.try_set(false);
                    chat.complain(&error);
                }
            }
        });
    });
    view! {
        <Confirm
            title=t("message.delete_title")
            text=t("message.delete_text")
            act=t("message.delete")
            busy
            on_act
            on_close
        />
    }
}

#[component]
fn Leave(on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let room = RoomFrame::take().room;
    let busy = RwSignal::new(false);
    let name = untrack(|| chat.room(room)).map(|it| it.room.name.to_string()).unwrap_or_default();
    let on_act = Callback::new(move |()| {
        busy.set(true);
        spawn_local(async move {
            match chat.leave(room).await {
                Ok(()) => go.replace(place::HOME),
                Err(error) => {
                    busy.try_set(false);
                    chat.complain(&error);
                    on_close.run(());
                }
            }
        });
    });
    view! {
        <Confirm
            title=t("room.leave_title")
            text=tf("room.leave_text", &[("name", &name)])
            act=t("room.leave_act")
            busy
            on_act
            on_close
        />
    }
}
