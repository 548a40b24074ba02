//! The head of a room: its name, what it is about, how to let others in, and what one can do with the room as a whole.

use super::{Open, RoomFrame};
use crate::components::avatar::Avatar;
use crate::components::copy::CopyButton;
use crate::components::dialog::Anchor;
use crate::components::drawing::{Show, live};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::live::use_chat;
use crate::locale::{t, tn};
use crate::pages::invite_link;
use crate::pages::shell::{Frame, RoomsButton};
use leptos::prelude::*;
use natter_shared::room::{Notify, Role, Room, RoomKind, Visibility};

#[component]
pub fn Head() -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let shell = Frame::take();
    let id = frame.room;
    let room = Memo::new(move || chat.room(id).map(|it| it.room));
    let muted = Memo::new(move || chat.room(id).is_some_and(|it| it.notify != Notify::Everything));
    let is_room = Memo::new(move || room.with(|room| room.as_ref().is_some_and(|it| it.kind == RoomKind::Room)));
    let pinned = Memo::new(move || chat.pins(id).len());
    let may_manage = Memo::new(move || {
        is_room.get() && room.with(|room| room.as_ref().is_some_and(|it| it.role >= Some(Role::Admin)))
    });
    view! {
        <header class="top">
            <RoomsButton />
            {move || match room.get() {
                Some(room) => view! { <Name room /> }.into_any(),
                None => view! { <div class="title"><h1 class="vh">{t("room.loading")}</h1></div> }.into_any(),
            }}
            <Show when=move || is_room.get()>
                <Code />
            </Show>
            <Show when=move || pinned.get() != 0>
                <button
                    type="button"
                    class="chip pins-count"
                    data-testid="pins"
                    aria-label=move || tn("pins.count.one", "pins.count.other", pinned.get())
                    title=t("pins.title")
                    on:click=move |ev| frame.open.set(Some(Open::Pins(Anchor::of(&ev))))
                >
                    <Sign icon=Icon::Pin />
                    {move || pinned.get().to_string()}
                </button>
            </Show>
            <button
                type="button"
                class="icon"
                aria-label=t("room.search")
                title=t("room.search")
                aria-expanded=move || if frame.searching.get() { "true" } else { "false" }
                on:click=move |_| frame.searching.update(|open| *open = !*open)
            >
                <Sign icon=Icon::Search />
            </button>
            <button
                type="button"
                class="icon"
                aria-label=t("people.label")
                title=t("people.label")
                aria-expanded=move || if shell.people_shown() { "true" } else { "false" }
                on:click=move |_| shell.toggle_people()
            >
                <Sign icon=Icon::People />
            </button>
            <button
                type="button"
                class="icon"
                aria-label=t("notify.title")
                title=t("notify.title")
                data-notify=move || if muted.get() { "less" } else { "everything" }
                on:click=move |ev| frame.open.set(Some(Open::Attention(Anchor::of(&ev))))
            >
                {live(move || {
                    let icon = if muted.get() { Icon::BellOff } else { Icon::Bell };
                    view! { <Sign icon /> }.into_any()
                })}
            </button>
            <Show when=move || may_manage.get()>
                <button
                    type="button"
                    class="icon"
                    aria-label=t("manage.title")
                    title=t("manage.title")
                    on:click=move |_| frame.open.set(Some(Open::Manage))
                >
                    <Sign icon=Icon::Gear />
                </button>
            </Show>
            <Show when=move || is_room.get()>
                <button
                    type="button"
                    class="icon"
                    aria-label=t("room.leave")
                    title=t("room.leave")
                    on:click=move |_| frame.open.set(Some(Open::Leave))
                >
                    <Sign icon=Icon::Leave />
                </button>
            </Show>
        </header>
    }
}

#[component]
fn Name(room: Room) -> impl IntoView {
    let chat = use_chat();
    let name = room.name.to_string();
    if let Some(peer) = room.peer.filter(|_| room.kind == RoomKind::Direct) {
        let id = peer.id;
        let online = Signal::derive(move || chat.online(id));
        let state = move || if online.get() { t("people.is_online") } else { t("people.is_offline") };
        let username = peer.username.to_string();
        view! {
            <Avatar face=&peer online />
            <div class="title direct">
                <h1>
                    <span class="name">{name}</span>
                </h1>
                <p data-testid="topic">"@" {username} " · " {move || state()}</p>
            </div>
        }
        .into_any()
    } else {
        let icon = if room.visibility == Visibility::Private { Icon::Lock } else { Icon::Hash };
        view! {
            <div class="title">
                <h1>
                    <Sign icon />
                    <span class="name">{name}</span>
                </h1>
                <p data-testid="topic">{room.topic.to_string()}</p>
            </div>
        }
        .into_any()
    }
}

/// The join code and the link, to be handed on. A direct conversation has neither.
#[component]
pub fn Code() -> impl IntoView {
    let code = RoomFrame::take().code;
    live(move || {
        code.get()
            .map(|code| {
                let link = invite_link(&code);
                view! {
                    <div class="code">
                        <CopyButton
                            label=t("room.copy_code")
                            text=code.clone()
                            value=code
                            class="chip"
                            testid="join-code"
                        />
                        <CopyButton label=t("room.copy_link") text="" value=link class="icon by-link" icon=Icon::Link />
                    </div>
                }
                .into_any()
            })
            .into_any()
    })
}
