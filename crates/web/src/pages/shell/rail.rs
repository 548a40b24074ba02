//! The rail: the rooms and conversations that one is in, what is unread there, and oneself.

use super::{Frame, go_to_room};
use crate::components::avatar::Avatar;
use crate::components::drawing::{List, Show};
use crate::components::icon::{Icon, Mark, Sign};
use crate::components::memo::Memo;
use crate::components::notice::ListSkeleton;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::Go;
use crate::place::{self, Desk, Place};
use crate::state::Rooms;
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::id::RoomId;
use natter_shared::room::{Notify, RoomKind, Visibility};
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Rail(place: Memo<Place>) -> impl IntoView {
    let chat = use_chat();
    let frame = Frame::take();
    let loaded = Memo::new(move || chat.with_rooms(Rooms::loaded));
    let rooms =
        Memo::new(move || chat.with_rooms(|rooms| rooms.rooms().iter().map(|it| it.room.id).collect::<Vec<_>>()));
    let directs =
        Memo::new(move || chat.with_rooms(|rooms| rooms.directs().iter().map(|it| it.room.id).collect::<Vec<_>>()));
    let guest = Memo::new(move || chat.is_guest());
    let here = Memo::new(move || match place.get() {
        Place::Room(room) => Some(room),
        _ => None,
    });
    let lines = move |ids: Memo<Vec<RoomId>>, label: &'static str, empty: &'static str| {
        view! {
            <ul aria-label=label>
                <List each=move || ids.get() key=RoomId::to_string let:id>
                    <Line room=id here />
                </List>
            </ul>
            <Show when=move || loaded.get() && ids.with(Vec::is_empty)>
                <p class="hint">{empty}</p>
            </Show>
        }
    };
    view! {
        <nav class="rail" aria-label=t("rail.label")>
            <header class="brand">
                <a class="brand" href=place::HOME>
                    <Mark />
                    <b>"natter"</b>
                </a>
                <Show when=move || !guest.get()>
                    <button
                        type="button"
                        class="icon"
                        aria-label=t("rail.new_room")
                        on:click=move |_| frame.open_new_room()
                    >
                        <Sign icon=Icon::Plus />
                    </button>
                </Show>
            </header>
            <button type="button" class="jump-btn" on:click=move |_| frame.open_jump()>
                <Sign icon=Icon::Search />
                <span>{t("rail.jump")}</span>
                <kbd>"Ctrl K"</kbd>
            </button>
            <div class="rail-scroll">
                <Show when=move || loaded.get() fallback=|| view! { <ListSkeleton rows=6 /> }>
                    <section>
                        <h2>{t("rail.rooms")}</h2>
                        {lines(rooms, t("rail.rooms"), t("rail.no_rooms"))}
                        <Show when=move || !guest.get()>
                            <a
                                class="item quiet"
                                href=place::BROWSE
                                aria-current=move || (place.get() == Place::Browse).then_some("page")
                            >
                                <Sign icon=Icon::Compass />
                                <span class="name">{t("rail.browse")}</span>
                            </a>
                        </Show>
                        <Show when=move || chat.is_admin()>
                            <a
                                class="item quiet"
                                href=place::admin(Desk::Overview)
                                aria-current=move || matches!(place.get(), Place::Admin(_)).then_some("page")
                            >
                                <Sign icon=Icon::Chart />
                                <span class="name">{t("admin.heading")}</span>
                            </a>
                        </Show>
                    </section>
                    <Show
                        when=move || !guest.get()
                        fallback=|| {
                            view! {
                                <p class="hint">
                                    {t("keep.offer")} " "
                                    <a class="link" href=place::KEEP>
                                        {t("keep.heading")}
                                    </a>
                                </p>
                            }
                        }
                    >
                        <section>
                            <h2>{t("rail.directs")}</h2>
                            {lines(directs, t("rail.directs"), t("rail.no_directs"))}
                        </section>
                    </Show>
                </Show>
            </div>
            <Oneself />
        </nav>
    }
}

/// Who one is here, and the ways to the settings and out.
#[component]
fn Oneself() -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let leaving = RwSignal::new(false);
    let log_out = move |_| {
        leaving.set(true);
        spawn_local(async move {
            if let Err(error) = chat.logout().await {
                leaving.try_set(false);
                chat.complain(&error);
            } else {
                go.replace(place::LOGIN);
            }
        });
    };
    view! {
        <footer class="me" data-testid="me">
            {move || {
                chat.me()
                    .map(|me| {
                        let live = Signal::derive(move || chat.status() == crate::state::Status::Live);
                        view! {
                            <Avatar face=&me online=live />
                            <div class="self">
                                <b class="name">{me.display_name.to_string()}</b>
                                <small>"@" {me.username.to_string()}</small>
                            </div>
                        }
                            .into_any()
                    })
            }}
            <a class="icon" href=place::SETTINGS aria-label=t("rail.settings") title=t("rail.settings")>
                <Sign icon=Icon::Gear />
            </a>
            <button
                type="button"
                class="icon"
                aria-label=t("rail.log_out")
                title=t("rail.log_out")
                disabled=leaving
                on:click=log_out
            >
                <Sign icon=Icon::Leave />
            </button>
        </footer>
    }
}

/// What the line of one room shows.
#[derive(Clone, PartialEq)]
struct Shown {
    name: String,
    unread: u32,
    mentions: u32,
    muted: bool,
    icon: Icon,
    peer: Option<User>,
}

#[component]
fn Line(room: RoomId, here: Memo<Option<RoomId>>) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let shown = Memo::new(move || {
        let it = chat.room(room)?;
        let peer = it.room.peer.filter(|_| it.room.kind == RoomKind::Direct);
        Some(Shown {
            name: it.room.name.to_string(),
            // What comes into the open room is read as it comes.
            unread: it.unread,
            mentions: it.mentions,
            muted: it.notify != Notify::Everything,
            icon: if it.room.visibility == Visibility::Private { Icon::Lock } else { Icon::Hash },
            peer,
        })
    });
    let unread = Memo::new(move || shown.with(|shown| shown.as_ref().map_or(0, |shown| shown.unread)));
    let mentions = Memo::new(move || shown.with(|shown| shown.as_ref().map_or(0, |shown| shown.mentions)));
    let muted = Memo::new(move || shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.muted)));
    let name = Memo::new(move || shown.with(|shown| shown.as_ref().map_or_else(String::new, |it| it.name.clone())));
    let picture = Memo::new(move || shown.with(|shown| shown.as_ref().map(|it| (it.icon, it.peer.clone()))));
    let is_direct = move || picture.with(|it| it.as_ref().is_some_and(|(_, peer)| peer.is_some()));
    view! {
        <li>
            <a
                class="item"
                class:unread=move || unread.get() != 0 && (!muted.get() || mentions.get() != 0)
                class:muted=move || muted.get()
                href=place::room(room)
                data-testid="room-link"
                data-room=room.to_string()
                data-unread=move || unread.get().to_string()
                data-mentions=move || mentions.get().to_string()
                aria-current=move || (here.get() == Some(room)).then_some("page")
                on:click=move |ev| {
                    // A plain click goes to the room; with a modifier key the browser has its way.
                    if !(ev.ctrl_key() || ev.meta_key() || ev.shift_key() || ev.button() != 0) {
                        ev.prevent_default();
                        go_to_room(go, room);
                    }
                }
            >
                {move || match picture.get() {
                    Some((_, Some(peer))) => {
                        let id = peer.id;
                        let online = Signal::derive(move || chat.online(id));
                        view! { <Avatar face=&peer online size="small" /> }.into_any()
                    }
                    Some((icon, None)) => view! { <Sign icon /> }.into_any(),
                    None => ().into_any(),
                }}
                <span class="name">{move || name.get()}</span>
                <Show when=move || muted.get()>
                    <span class="vh">{t("rail.muted")}</span>
                </Show>
                <Show when=move || mentions.get() != 0>
                    <span class="badge mentions" aria-hidden="true">
                        "@"
                        {move || few(mentions.get())}
                    </span>
                    <span class="vh">{move || tf("rail.mentions", &[("n", &mentions.get().to_string())])}</span>
                </Show>
                <Show when=move || unread.get() != 0>
                    <span class="badge" class:at=move || is_direct() && !muted.get() aria-hidden="true">
                        {move || few(unread.get())}
                    </span>
                    <span class="vh">{move || tf("rail.unread", &[("n", &unread.get().to_string())])}</span>
                </Show>
            </a>
        </li>
    }
}

/// A number that a badge has room for.
fn few(count: u32) -> String {
    if count > 99 { "99+".to_owned() } else { count.to_string() }
}
