//! Who is in the room: online first, with what they may do. A click opens what one can do with a person. Of a long list only
//! what is near the view is in the document.

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
use leptos::html;
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
    let (online, offline) = (group(true), group(false));
    let column = NodeRef::<html::Aside>::new();
    let moved = Trigger::new();
    let resized = window_event_listener_untyped("resize", move |_| moved.notify());
    on_cleanup(move || resized.remove());
    // A list also moves when the one above it grows.
    Effect::new(move |_| {
        online.with(Vec::len);
        offline.with(Vec::len);
        moved.notify();
    });
    let list = move |people: Memo<Vec<Member>>, label: &'static str, off: bool| {
        view! {
            <Show when=move || people.with(|people| !people.is_empty())>
                <h2>{label} " " <span>{move || people.with(Vec::len)}</span></h2>
                <Lines people label off column moved />
            </Show>
        }
    };
    view! {
        <aside class="people" aria-label=t("people.label") node_ref=column on:scroll=move |_| moved.notify()>
            <div class="only-narrow people-close">
                <CloseButton label=t("people.close") on_close=Callback::new(move |()| shell.close()) />
            </div>
            <div class="only-phone">
                <Code />
            </div>
            <Show when=move || members.with(Option::is_some) fallback=|| view! { <ListSkeleton rows=5 /> }>
                {list(online, t("people.online"), false)}
                {list(offline, t("people.offline"), true)}
            </Show>
        </aside>
    }
}

/// Up to so many people are all in the document.
const ALL: usize = 100;
/// Of more, so many on either side of the view, and so many more or fewer at a time.
const AROUND: usize = 24;
const STEP: usize = 12;
/// How high a line is, in CSS pixels: what `.people li` says.
const LINE: usize = 44;

/// The lines of one list, or of a long one those that are near the view, with room for the others above and below.
#[component]
fn Lines(
    people: Memo<Vec<Member>>,
    label: &'static str,
    off: bool,
    /// What scrolls.
    column: NodeRef<html::Aside>,
    /// Something has moved.
    moved: Trigger,
) -> impl IntoView {
    let list = NodeRef::<html::Ul>::new();
    let near = RwSignal::new((0, ALL));
    let look = move || {
        let (Some(column), Some(list)) = (column.try_get_untracked().flatten(), list.try_get_untracked().flatten())
        else {
            return;
        };
        let hidden = column.get_bounding_client_rect().top() - list.get_bounding_client_rect().top();
        let seen = near_to(hidden, column.client_height());
        if near.get_untracked() != seen {
            near.set(seen);
        }
    };
    Effect::new(move |_| {
        moved.track();
        request_animation_frame(look);
    });
    let drawn = Memo::new(move || {
        let (first, last) = near.get();
        people.with(|people| part_of(people.len(), first, last))
    });
    let above = move || format!("{}px", drawn.get().0 * LINE);
    let below = move || format!("{}px", (people.with(Vec::len).saturating_sub(drawn.get().1)) * LINE);
    view! {
        <ul class:off=off aria-label=label node_ref=list style:padding-top=above style:padding-bottom=below>
            <List
                each=move || {
                    let (first, last) = drawn.get();
                    people.with(|people| people[first.min(people.len())..last.min(people.len())].to_vec())
                }
                key=shown
                let:member
            >
                <Line member />
            </List>
        </ul>
    }
}

/// Which lines are near the view, if so many CSS pixels of their list are hidden above it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole lines, and none below zero")]
fn near_to(hidden: f64, height: i32) -> (usize, usize) {
    let above = (hidden.max(0.0) as usize) / LINE;
    let seen = usize::try_from(height).unwrap_or(0) / LINE + 1;
    // A list that is still below the view has its beginning drawn.
    let first = above.saturating_sub(AROUND) / STEP * STEP;
    (first, first + (seen + 2 * AROUND).next_multiple_of(STEP) + STEP)
}

/// The lines to draw, first and past the last, of so many.
fn part_of(all: usize, first: usize, last: usize) -> (usize, usize) {
    if all <= ALL {
        return (0, all);
    }
    let last = last.min(all);
    (first.min(last.saturating_sub(STEP)), last)
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
