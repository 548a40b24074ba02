//! What stands in a message's bubble: the text, the ticks, the reactions, and the toolbar of what one can do with it.

use super::mention::called;
use super::message::part;
use super::message_tools::{LinkButton, PinButton};
use super::{Mode, Open, RoomFrame};
use crate::components::dialog::Anchor;
use crate::components::drawing::{List, Show, live};
use crate::components::icon::{Icon, Sign, TickSign};
use crate::components::memo::Memo;
use crate::components::moment::Clock;
use crate::components::spans::Spans;
use crate::live::use_chat;
use crate::locale::{said, t, tf};
use crate::state::{MessageView, Tick};
use crate::text_spans::plain;
use leptos::prelude::*;
use natter_shared::entry::Reaction;
use natter_shared::text::Emoji;
use wasm_bindgen_futures::spawn_local;

/// So much of a quoted message is shown, in characters.
const QUOTED: usize = 120;

/// A message's beginning, on one line and as it reads; of images alone, that it is one.
pub fn excerpt(text: &str) -> String {
    if text.is_empty() {
        return t("image.large").to_owned();
    }
    let text = plain(text);
    let mut line: String = text.chars().take(QUOTED).collect();
    if text.chars().nth(QUOTED).is_some() {
        line.push('…');
    }
    line
}

/// What the message answers to, and its text.
#[component]
pub fn Body(view: Memo<Option<MessageView>>) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let reply = part(view, |view| view.reply.clone().filter(|_| !view.deleted));
    let text = part(view, |view| (!view.deleted).then(|| view.body.clone()));
    let quote = live(move || {
        let Some(reply) = reply.get().flatten() else { return ().into_any() };
        {
            let mine = chat.peek(|state| {
                let author = state.timelines.get(&frame.room)?.get(reply.seq)?.author.id;
                (state.my_id() == Some(author)).then_some(())
            });
            let name = match (mine, reply.author) {
                (Some(()), _) => t("message.you").to_owned(),
                (None, Some(name)) => name.to_string(),
                (None, None) => t("message.earlier").to_owned(),
            };
            let text = if reply.deleted { t("message.deleted").to_owned() } else { excerpt(&reply.body) };
            let seq = reply.seq;
            view! {
                <button
                    type="button"
                    class="quote"
                    data-testid="quote"
                    on:click=move |_| frame.goal.set(Some(seq))
                >
                    <b class="name">{name}</b>
                    " "
                    {text}
                </button>
            }
            .into_any()
        }
    });
    // What a link to a room says depends on who reads it.
    let names = Callback::new(move |room| untrack(|| chat.room(room)).map(|it| it.room.name.to_string()));
    let body = live(move || match text.get().flatten() {
        Some(text) => view! {
            <span class="body" data-testid="body">
                <Spans text=&text mention=called room_name=names />
            </span>
        }
        .into_any(),
        None => view! { <i class="gone">{t("message.deleted")}</i> }.into_any(),
    });
    view! {
        {quote}
        {body}
    }
}

/// When it was written, whether it was changed, and how far it has got.
#[component]
pub fn Meta(view: Memo<Option<MessageView>>, own: bool) -> impl IntoView {
    let edited = part(view, |view| view.edited && !view.deleted);
    let at = part(view, |view| view.at);
    let tick = part(view, |view| view.tick.clone());
    let failed = Memo::new(move || match tick.get().flatten() {
        Some(Tick::Failed(why)) => Some(why),
        _ => None,
    });
    let mark = live(move || match edited.get() {
        Some(true) => view! { <span class="edited">{t("message.edited")}</span> }.into_any(),
        _ => ().into_any(),
    });
    let pinned = part(view, |view| view.pinned);
    let pin = live(move || match pinned.get() {
        Some(true) => view! {
            <span class="pinned" role="img" aria-label=t("message.pinned") title=t("message.pinned")>
                <Sign icon=Icon::Pin />
            </span>
        }
        .into_any(),
        _ => ().into_any(),
    });
    let own_part = move || match failed.get() {
        Some(why) => view! { <NotSent view why /> }.into_any(),
        None => view! {
            {move || at.get().map(|at| view! { <Clock at /> }.into_any())}
            {move || tick.get().flatten().map(|tick| view! { <TickButton view tick /> }.into_any())}
        }
        .into_any(),
    };
    view! { <span class="meta">{pin} {mark} {own.then(|| live(own_part))}</span> }
}

#[component]
fn TickButton(view: Memo<Option<MessageView>>, tick: Tick) -> impl IntoView {
    let frame = RoomFrame::take();
    let (name, double) = match tick {
        Tick::Stored => (t("tick.stored"), false),
        Tick::Received => (t("tick.received"), true),
        Tick::Read => (t("tick.read"), true),
        Tick::Sending | Tick::Failed(_) => {
            return view! { <span class="sending" role="img" aria-label=t("tick.sending")></span> }.into_any();
        }
    };
    let open = move |ev: web_sys::MouseEvent| {
        if let Some(seq) = view.with_untracked(|view| view.as_ref().and_then(|view| view.seq)) {
            frame.open.set(Some(Open::Reached(seq, Anchor::of(&ev))));
        }
    };
    view! {
        <button type="button" class="tick" class:read=tick == Tick::Read aria-label=name title=name on:click=open>
            <TickSign double />
        </button>
    }
    .into_any()
}

/// The server would not have it: why, and what one can do.
#[component]
fn NotSent(view: Memo<Option<MessageView>>, why: String) -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let client_id = move || view.with_untracked(|view| view.as_ref().and_then(|view| view.client_id));
    let again = move |_| {
        if let Some(id) = client_id() {
            chat.resend(id);
        }
    };
    let discard = move |_| {
        if let Some(text) = client_id().and_then(|id| chat.discard(id)) {
            // Thrown away by mistake, it is still there to be sent.
            frame.insert.set(Some(text));
        }
    };
    view! {
        <span class="why">{said(&why)}</span>
        <button type="button" on:click=again>
            {t("message.not_sent")}
        </button>
        <button type="button" aria-label=t("message.discard") on:click=discard>
            {t("message.delete")}
        </button>
    }
}

#[component]
pub fn Reactions(view: Memo<Option<MessageView>>) -> impl IntoView {
    let reactions = part(view, |view| view.reactions.clone());
    let some = Memo::new(move || reactions.with(|it| it.as_ref().is_some_and(|it| !it.is_empty())));
    view! {
        <Show when=move || some.get()>
            <div class="react">
                <List
                    each=move || reactions.get().unwrap_or_default()
                    key=|reaction| format!("{} {:?}", reaction.emoji, reaction.users)
                    let:reaction
                >
                    <ReactionButton view reaction />
                </List>
            </div>
        </Show>
    }
}

#[component]
fn ReactionButton(view: Memo<Option<MessageView>>, reaction: Reaction) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let me = untrack(|| chat.me()).map(|me| me.id);
    let mine = me.is_some_and(|me| reaction.users.contains(&me));
    let name = |user| chat.person(user).map(|user| user.display_name.to_string());
    let who = untrack(|| reaction.users.iter().filter_map(|user| name(*user)).collect::<Vec<_>>().join(", "));
    let emoji = reaction.emoji;
    let text = format!("{emoji} {}", reaction.users.len());
    let toggled = emoji.clone();
    let toggle = move |_| {
        if let Some(seq) = view.with_untracked(|view| view.as_ref().and_then(|view| view.seq)) {
            react(chat, room, seq, toggled.clone(), !mine);
        }
    };
    view! {
        <button
            type="button"
            data-testid="reaction"
            data-emoji=emoji.to_string()
            aria-pressed=if mine { "true" } else { "false" }
            title=who
            on:click=toggle
        >
            {text}
        </button>
    }
}

/// Adds or takes back one's own reaction, and says so if it fails.
pub fn react(
    chat: crate::live::Chat,
    room: natter_shared::id::RoomId,
    seq: natter_shared::id::Seq,
    emoji: Emoji,
    on: bool,
) {
    spawn_local(async move {
        if let Err(error) = chat.react(room, seq, &emoji, on).await {
            chat.complain(&error);
        }
    });
}

/// What one can do with a message.
#[component]
pub fn Toolbar(view: Memo<Option<MessageView>>, own: bool) -> impl IntoView {
    let frame = RoomFrame::take();
    let seq = move || view.with_untracked(|view| view.as_ref().and_then(|view| view.seq));
    let at = part(view, |view| (!view.own && !view.starts).then_some(view.at));
    let pick = move |ev: web_sys::MouseEvent| {
        if let Some(seq) = seq() {
            frame.open.set(Some(Open::React(seq, Anchor::of(&ev))));
        }
    };
    let reply = move |_| {
        let Some(view) = view.get_untracked() else { return };
        let Some(seq) = view.seq else { return };
        let name = if view.own { t("message.you").to_owned() } else { view.author.display_name.to_string() };
        frame.mode.set(Mode::Reply { seq, name, text: excerpt(&view.body) });
    };
    let edit = move |_| {
        let Some(view) = view.get_untracked() else { return };
        if let Some(seq) = view.seq {
            frame.mode.set(Mode::Edit { seq, text: view.body });
        }
    };
    let delete = move |_| {
        if let Some(seq) = seq() {
            frame.open.set(Some(Open::Delete(seq)));
        }
    };
    let label = view.with_untracked(|view| {
        let name = view.as_ref().map(|view| view.author.display_name.to_string()).unwrap_or_default();
        tf("message.actions", &[("name", &name)])
    });
    view! {
        <div class="bar" role="toolbar" aria-label=label>
            {move || at.get().flatten().map(|at| view! { <Clock at /> }.into_any())}
            <button type="button" class="icon" aria-label=t("message.react") title=t("message.react") on:click=pick>
                <Sign icon=Icon::Smile />
            </button>
            <button type="button" class="icon" aria-label=t("message.reply") title=t("message.reply") on:click=reply>
                <Sign icon=Icon::Reply />
            </button>
            <PinButton view />
            <LinkButton view />
            {own
                .then(|| {
                    view! {
                        <button type="button" class="icon" aria-label=t("message.edit") title=t("message.edit") on:click=edit>
                            <Sign icon=Icon::Edit />
                        </button>
                        <button
                            type="button"
                            class="icon"
                            aria-label=t("message.delete")
                            title=t("message.delete")
                            on:click=delete
                        >
                            <Sign icon=Icon::Trash />
                        </button>
                    }
                        .into_any()
                })}
        </div>
    }
}
