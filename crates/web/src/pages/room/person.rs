//! Somebody in a room, and what one can do: write to them, whisper to them, look at their profile; and for those who may,
//! give them a role or take them out.

use super::{Mode, Open, RoomFrame};
use crate::api::rooms;
use crate::components::avatar::Avatar;
use crate::components::dialog::{Anchor, Confirm, Dialog};
use crate::components::field::Segmented;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::Go;
use crate::pages::shell::go_to_room;
use crate::place;
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::room::{Role, RoomKind};
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Person(user: User, anchor: Option<Anchor>, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let frame = RoomFrame::take();
    let id = user.id;
    let online = Signal::derive(move || chat.online(id));
    let myself = untrack(|| chat.me()).is_some_and(|me| me.id == id);
    let room = untrack(|| chat.room(frame.room)).map(|it| it.room).filter(|room| room.kind == RoomKind::Room);
    let open = room.as_ref().is_some_and(|room| !room.archived);
    let own_role = room.and_then(|room| room.role);
    let role = untrack(|| chat.members(frame.room))
        .and_then(|members| members.iter().find(|member| member.user.id == id).map(|member| member.role));
    let directly = !myself && !user.guest && !user.bot && !untrack(|| chat.is_guest());
    let username = user.username.clone();
    let write = move |_| {
        on_close.run(());
        let username = username.clone();
        spawn_local(async move {
            match chat.direct(&username).await {
                Ok(room) => go_to_room(go, room.id),
                Err(error) => chat.complain(&error),
            }
        });
    };
    let whispered = user.clone();
    let whisper = move |_| {
        on_close.run(());
        frame.mode.set(Mode::Whisper(whispered.clone()));
    };
    // A program is what it was made; its room's integrations are where it ends.
    let may_remove = open
        && !user.bot
        && !myself
        && (own_role == Some(Role::Owner) || own_role == Some(Role::Admin) && role == Some(Role::Member));
    let may_rank = open && own_role == Some(Role::Owner) && !user.guest && !user.bot;
    let removed = user.clone();
    view! {
        <Dialog label=user.display_name.to_string() class="pop" anchor on_close>
            <div class="person">
                <Avatar face=&user online />
                <div>
                    <h2 class="name">{user.display_name.to_string()}</h2>
                    <p class="soft">"@" {user.username.to_string()}</p>
                </div>
            </div>
            <div class="row-btns">
                {directly
                    .then(|| {
                        view! {
                            <button type="button" class="btn main" on:click=write>
                                {t("people.message")}
                            </button>
                        }
                            .into_any()
                    })}
                {(!myself && open && role.is_some())
                    .then(|| {
                        view! {
                            <button type="button" class="btn" on:click=whisper>
                                {t("people.whisper")}
                            </button>
                        }
                            .into_any()
                    })}
                <a class="btn" href=place::profile(&user.username)>
                    {t("people.profile")}
                </a>
            </div>
            {role.filter(|_| may_rank).map(|role| view! { <Rank user role /> }.into_any())}
            {role.filter(|_| may_remove).map(|_| view! { <TakeOut user=removed /> }.into_any())}
        </Dialog>
    }
}

/// The role of a member, given with a click.
#[component]
fn Rank(user: User, role: Role) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let value = RwSignal::new(role);
    let given = StoredValue::new(role);
    let changed = Callback::new(move |role: Role| {
        spawn_local(async move {
            match rooms::set_role(&chat.api(), room, user.id, role).await {
                Ok(()) => given.set_value(role),
                Err(error) => {
                    if let Some(before) = given.try_get_value() {
                        value.try_set(before);
                    }
                    chat.complain(&error);
                }
            }
        });
    });
    view! {
        <div class="ranks">
            <Segmented
                name="role"
                legend=t("people.role")
                value
                choices=vec![
                    (Role::Member, t("role.member")),
                    (Role::Admin, t("role.admin")),
                    (Role::Owner, t("role.owner")),
                ]
                changed
            />
        </div>
    }
}

#[component]
fn TakeOut(user: User) -> impl IntoView {
    let frame = RoomFrame::take();
    let user = StoredValue::new(user);
    let ask = move |ban: bool| frame.open.set(Some(Open::Remove(user.get_value(), ban)));
    view! {
        <div class="row-btns">
            <button type="button" class="btn bad" on:click=move |_| ask(false)>
                {t("people.remove")}
            </button>
            <button type="button" class="btn bad" on:click=move |_| ask(true)>
                {t("people.ban")}
            </button>
        </div>
    }
}

/// Asks before somebody is taken out of the room.
#[component]
pub fn Remove(user: User, ban: bool, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let busy = RwSignal::new(false);
    let User { id, display_name, .. } = user;
    let name = display_name.to_string();
    let on_act = Callback::new(move |()| {
        busy.set(true);
        spawn_local(async move {
            if let Err(error) = rooms::remove(&chat.api(), room, id, ban).await {
                chat.complain(&error);
            }
            on_close.run(());
        });
    });
    let (title, text, act) = if ban {
        ("people.ban_title", t("people.ban_text"), t("people.ban"))
    } else {
        ("people.remove_title", t("people.remove_text"), t("people.remove"))
    };
    view! { <Confirm title=tf(title, &[("name", &name)]) text act busy on_act on_close /> }
}
