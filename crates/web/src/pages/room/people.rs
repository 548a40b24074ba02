//! Who is in the room: online first, with what they may do. A click opens what one can do with a person.

use super::head::Code;
use super::{Open, RoomFrame};
use crate::components::avatar::Avatar;
use crate::components::dialog::{Anchor, CloseButton};
use crate::components::drawing::{List, Show};
use crate::components::memo::Memo;
use crate::components::notice::ListSkeleton;
use crate::live::use_chat;
use crate::locale::t;
use crate::pages::shell::Frame;
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::room::{Member, Role};

#[component]
pub fn People() -> impl IntoView {
    let chat = use_chat();
    let shell = Frame::take();
    let room = RoomFrame::take().room;
    let members = Memo::new(move || chat.members(room));
    let group = move |online: bool| {
        Memo::new(move || {
            members.with(|members| {
                let all = members.as_deref().unwrap_or_default();
                all.iter().filter(|member| member.online == online).cloned().collect::<Vec<_>>()
            })
        })
    };
    let list = move |people: Memo<Vec<Member>>, label: &'static str, off: bool| {
        view! {
            <Show when=move || people.with(|people| !people.is_empty())>
                <h2>{label} " " <span>{move || people.with(Vec::len)}</span></h2>
                <ul class:off=off aria-label=label>
                    <List
                        each=move || people.get()
                        key=shown
                        let:member
                    >
                        <Line member />
                    </List>
                </ul>
            </Show>
        }
    };
    view! {
        <aside class="people" aria-label=t("people.label")>
            <div class="only-narrow people-close">
                <CloseButton label=t("people.close") on_close=Callback::new(move |()| shell.close()) />
            </div>
            <div class="only-phone">
                <Code />
            </div>
            <Show when=move || members.with(Option::is_some) fallback=|| view! { <ListSkeleton rows=5 /> }>
                {list(group(true), t("people.online"), false)}
                {list(group(false), t("people.offline"), true)}
            </Show>
        </aside>
    }
}

/// All that the line of a member shows.
fn shown(Member { user, role, online, .. }: &Member) -> String {
    let User { id, username, gender, guest, bot, display_name, .. } = user;
    format!("{id} {username} {gender:?} {guest} {bot} {role:?} {online} {display_name}")
}

#[component]
fn Line(member: Member) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let user = member.user.clone();
    let myself = untrack(|| chat.me()).is_some_and(|me| me.id == user.id);
    let role = match member.role {
        Role::Owner => Some(t("role.owner")),
        Role::Admin => Some(t("role.admin")),
        Role::Member if user.bot => Some(t("role.bot")),
        Role::Member if user.guest => Some(t("role.guest")),
        Role::Member => None,
    };
    let open = move |ev: web_sys::MouseEvent| {
        frame.open.set(Some(Open::Person(member.user.clone(), Anchor::of(&ev))));
    };
    view! {
        <li>
            <button
                type="button"
                class="item"
                data-testid="person"
                data-user=user.username.to_string()
                data-online=if member.online { "true" } else { "false" }
                on:click=open
            >
                <Avatar face=&user online=Signal::stored(member.online) />
                <span class="name">
                    {user.display_name.to_string()}
                    {myself.then(|| view! { " " <small>{t("people.you")}</small> }.into_any())}
                </span>
                {role.map(|role| view! { <em>{role}</em> }.into_any())}
            </button>
        </li>
    }
}
