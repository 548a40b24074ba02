//! One row of the timeline: a message in its bubble, or a line that says what happened.

use super::bubble::{Body, Meta, Reactions, Toolbar};
use super::pictures::Pictures;
use super::{Open, RoomFrame};
use crate::components::avatar::{Avatar, Face};
use crate::components::dialog::Anchor;
use crate::components::drawing::{Show, live};
use crate::components::memo::Memo;
use crate::components::moment::{Clock, clock};
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::state::{MessageView, RowKey, Tick};
use leptos::prelude::*;
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::{Seq, UserId};
use natter_shared::room::{Role, Visibility};
use natter_shared::timestamp::Timestamp;

const fn tick_word(tick: &Tick) -> &'static str {
    match tick {
        Tick::Sending => "sending",
        Tick::Failed(_) => "failed",
        Tick::Stored => "stored",
        Tick::Received => "received",
        Tick::Read => "read",
    }
}

/// A part of a message that is drawn anew only when it changes.
pub fn part<T: PartialEq + Send + Sync + 'static>(
    view: Memo<Option<MessageView>>,
    read: fn(&MessageView) -> T,
) -> Memo<Option<T>> {
    Memo::new(move || view.with(|view| view.as_ref().map(read)))
}

#[component]
pub fn MessageRow(key: RowKey) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let room = frame.room;
    let view = Memo::new(move || chat.message(room, key));
    let Some(now) = view.get_untracked() else { return ().into_any() };
    let own = now.own;
    let author = StoredValue::new(now.author.clone());
    let person = now.author.id;

    let seq = part(view, |view| view.seq);
    let starts = part(view, |view| view.starts);
    let ends = part(view, |view| view.ends);
    let at = part(view, |view| view.at);
    let tick = part(view, |view| view.tick.clone());
    let edited = part(view, |view| view.edited && !view.deleted);
    let deleted = part(view, |view| view.deleted);
    let to = part(view, |view| view.to);
    let mentions_me = part(view, |view| view.mentions_me);
    let is = |memo: Memo<Option<bool>>| move || memo.get() == Some(true);
    let word = |memo: Memo<Option<bool>>| move || if memo.get() == Some(true) { "true" } else { "false" };
    let failed = move || tick.with(|tick| matches!(tick, Some(Some(Tick::Failed(_)))));
    let pending = move || tick.with(|tick| matches!(tick, Some(Some(Tick::Sending | Tick::Failed(_)))));

    // The toolbar is there for the row under the pointer or the focus alone.
    let hovered = RwSignal::new(false);
    let focused = RwSignal::new(false);
    let usable = Memo::new(move || {
        (hovered.get() || focused.get()) && seq.get().flatten().is_some() && deleted.get() != Some(true)
    });
    let whisper = live(move || {
        to.get()
            .flatten()
            .map(|to| {
                let text = if own {
                    let name = chat.person(to).map(|user| user.display_name.to_string()).unwrap_or_default();
                    tf("message.only_they", &[("name", &name)])
                } else {
                    t("message.only_you").to_owned()
                };
                view! { <small>{text}</small> }.into_any()
            })
            .into_any()
    });
    let picture = move || {
        let online = Signal::derive(move || chat.online(person));
        let face = author.with_value(|author| Face::from(author));
        ends.get().filter(|ends| *ends).map(|_| view! { <Avatar face online /> }.into_any()).into_any()
    };
    view! {
        <li
            class="msg"
            class:own=own
            class:other=!own
            class:first=is(starts)
            class:last=is(ends)
            class:mentions-me=is(mentions_me)
            tabindex="-1"
            data-testid="message"
            data-seq=move || seq.get().flatten().map(|seq| seq.to_string())
            data-own=if own { "true" } else { "false" }
            data-author=author.with_value(|author| author.username.to_string())
            data-tick=move || tick.with(|tick| tick.as_ref().and_then(Option::as_ref).map(tick_word))
            data-edited=word(edited)
            data-deleted=word(deleted)
            data-pending=move || pending().then_some("true")
            on:pointerenter=move |_| hovered.set(true)
            on:pointerleave=move |_| {
                hovered.try_set(false);
            }
            on:focusin=move |_| focused.set(true)
            on:focusout=move |_| {
                // The button that opened a dialog has to be there when the focus comes back. A row that is taken away while
                // the focus is in it hears of that when nothing of it is left.
                if frame.open.try_with_untracked(Option::is_none) == Some(true) {
                    focused.try_set(false);
                }
            }
        >
            {(!own).then(|| live(picture))}
            <div class="col">
                <Above view own starts at />
                <div class="b" class:failed=failed class:whisper=move || to.get().flatten().is_some()>
                    {whisper}
                    <Pictures view />
                    <Body view />
                    <Meta view own />
                    <Reactions view />
                    <Show when=move || usable.get()>
                        <Toolbar view own />
                    </Show>
                </div>
            </div>
        </li>
    }
    .into_any()
}

/// Whose message it is: shown above the first of a group, and said before each.
#[component]
fn Above(
    view: Memo<Option<MessageView>>,
    own: bool,
    starts: Memo<Option<bool>>,
    at: Memo<Option<Timestamp>>,
) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let author = part(view, |view| (view.author.id, view.author.display_name.to_string()));
    let bot = part(view, |view| view.author.bot);
    let name = move || author.get().map(|(_, name)| name).unwrap_or_default();
    let open_person = move |ev: web_sys::MouseEvent| {
        let user = author.get_untracked().and_then(|(id, _)| untrack(|| chat.person(id)));
        if let Some(user) = user {
            frame.open.set(Some(Open::Person(user, Anchor::of(&ev))));
        }
    };
    live(move || {
        if !own && starts.get() == Some(true) {
            view! {
                <div class="who">
                    <button type="button" class="name" on:click=open_person>
                        {move || name()}
                    </button>
                    {(bot.get_untracked() == Some(true)).then(|| view! { <em>{t("role.bot")}</em> }.into_any())}
                    {move || at.get().map(|at| view! { <Clock at /> }.into_any())}
                </div>
            }
            .into_any()
        } else {
            let spoken = move || {
                let at = at.get().map(clock).unwrap_or_default();
                let who = if own { t("message.you").to_owned() } else { name() };
                tf("message.spoken", &[("name", &who), ("time", &at)])
            };
            view! { <span class="vh">{move || spoken()}</span> }.into_any()
        }
    })
}

/// What happened in the room, as a line of its own.
#[component]
pub fn EventRow(seq: Seq) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let room = frame.room;
    let entry = Memo::new(move || chat.event(room, seq));
    let name_of = move |user: UserId| {
        chat.person(user).map_or_else(|| t("event.somebody").to_owned(), |user| user.display_name.to_string())
    };
    view! {
        <li class="sys" data-testid="event" data-seq=seq.to_string()>
            {move || {
                entry
                    .get()
                    .map(|entry| {
                        let text = event_text(&entry, name_of);
                        if let EntryKind::Pinned { target } = entry.what {
                            return view! {
                                <button
                                    type="button"
                                    class="to-message"
                                    on:click=move |_| frame.goal.set(Some(target))
                                >
                                    {text}
                                </button>
                                " · "
                                <Clock at=entry.at />
                            }
                                .into_any();
                        }
                        view! {
                            <span>{text}</span>
                            " · "
                            <Clock at=entry.at />
                        }
                            .into_any()
                    })
            }}
        </li>
    }
}

fn event_text(entry: &Entry, name_of: impl Fn(UserId) -> String) -> String {
    let by = entry.author.display_name.as_str();
    match &entry.what {
        EntryKind::Joined => tf("event.joined", &[("by", by)]),
        EntryKind::Left => tf("event.left", &[("by", by)]),
        EntryKind::Removed { user, banned: false } => tf("event.removed", &[("by", by), ("who", &name_of(*user))]),
        EntryKind::Removed { user, banned: true } => tf("event.banned", &[("by", by), ("who", &name_of(*user))]),
        EntryKind::Unbanned { user } => tf("event.unbanned", &[("by", by), ("who", &name_of(*user))]),
        EntryKind::Renamed { name } => tf("event.renamed", &[("by", by), ("name", name.as_str())]),
        EntryKind::Topic { topic } if topic.as_str().is_empty() => tf("event.no_topic", &[("by", by)]),
        EntryKind::Topic { topic } => tf("event.topic", &[("by", by), ("topic", topic.as_str())]),
        EntryKind::Visibility { visibility: Visibility::Public } => tf("event.public", &[("by", by)]),
        EntryKind::Visibility { visibility: Visibility::Private } => tf("event.private", &[("by", by)]),
        EntryKind::Archived { archived: true } if entry.author.deleted => t("event.account_deleted").to_owned(),
        EntryKind::Archived { archived: true } => tf("event.archived", &[("by", by)]),
        EntryKind::Archived { archived: false } => tf("event.unarchived", &[("by", by)]),
        EntryKind::Role { user, role } => {
            let role = match role {
                Role::Member => t("role.member"),
                Role::Admin => t("role.admin"),
                Role::Owner => t("role.owner"),
            };
            tf("event.role", &[("by", by), ("who", &name_of(*user)), ("role", role)])
        }
        EntryKind::Pinned { .. } => tf("event.pinned", &[("by", by)]),
        EntryKind::Message(_)
        | EntryKind::Edited { .. }
        | EntryKind::Deleted { .. }
        | EntryKind::Reacted { .. }
        | EntryKind::Unreacted { .. }
        | EntryKind::Unpinned { .. }
        | EntryKind::Withheld
        | EntryKind::Unknown => String::new(),
    }
}
