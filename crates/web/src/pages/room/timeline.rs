//! The timeline: a window of a room's rows, so that a long room costs no more than a short one, and a scroll position that
//! stays where it is when rows come in above, change, or leave.

use super::RoomFrame;
use super::message::{EventRow, MessageRow};
use super::place_keeper::PlaceKeeper;
use crate::components::icon::{Icon, Sign};
use crate::components::moment::day_name;
use crate::components::notice::{Alert, Empty};
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::state::{Row, RowKey};
use leptos::prelude::*;
use leptos::{ev, html};
use natter_shared::id::Seq;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

/// So many rows are in the document at most, and so many are exchanged at a time.
const DRAWN: usize = 160;
const STEP: usize = 60;
/// This near to the window's edge, in CSS pixels, the next rows are drawn; this near to the top, older ones are loaded.
const NEAR: i32 = 800;
const NEAR_TOP: i32 = 300;
/// This near to the end, in CSS pixels, one is at the end.
const AT_END: i32 = 16;
/// So many pages are loaded at most to get to a message that was asked for.
const PAGES: usize = 400;

/// Where the window begins: at a row, or so that it reaches the end.
fn start_of(rows: &[Row], first: Option<RowKey>) -> usize {
    let last = rows.len().saturating_sub(DRAWN);
    first.and_then(|key| rows.iter().position(|row| row.key() == key)).map_or(last, |at| at.min(last))
}

#[component]
pub fn Log() -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let room = frame.room;
    let log = NodeRef::<html::Div>::new();
    let list = NodeRef::<html::Ol>::new();
    let keeper = PlaceKeeper::new(log, list);
    let following = keeper.following();

    let view = Memo::new(move |_| chat.timeline(room));
    let rows = Memo::new(move |_| chat.rows(room));
    let first = RwSignal::new(None::<RowKey>);
    let slice = Memo::new(move |_| {
        let first = first.get();
        rows.with(|rows| {
            let start = start_of(rows, first);
            rows[start..(start + DRAWN).min(rows.len())].to_vec()
        })
    });
    let reaches_end = move || {
        let drawn = slice.with_untracked(|slice| slice.last().copied());
        rows.with_untracked(|rows| rows.last().copied()) == drawn
    };

    let failed = RwSignal::new(None::<String>);
    let load_older = Callback::new(move |()| {
        failed.set(None);
        spawn_local(async move {
            if let Err(error) = chat.older(room).await {
                failed.try_set(Some(error.message()));
            }
        });
    });
    // Draws or loads what lies beyond an edge that is near.
    let reach = move || {
        let Some(log) = log.get_untracked() else { return };
        let (above, below) = (log.scroll_top(), log.scroll_height() - log.scroll_top() - log.client_height());
        let start = rows.with_untracked(|rows| start_of(rows, first.get_untracked()));
        if above < NEAR && start > 0 {
            let row = rows.with_untracked(|rows| rows.get(start.saturating_sub(STEP)).copied());
            first.set(row.map(|row| row.key()));
        } else if above < NEAR_TOP && start == 0 {
            let view = view.get_untracked();
            if view.older && !view.loading_older && failed.with_untracked(Option::is_none) {
                load_older.run(());
            }
        }
        if below < NEAR && !reaches_end() {
            let next = rows.with_untracked(|rows| {
                let next = start + STEP;
                (next < rows.len().saturating_sub(DRAWN)).then(|| rows[next].key())
            });
            first.set(next);
        }
    };
    let scrolled = move || {
        let Some(log) = log.get_untracked() else { return };
        let below = log.scroll_height() - log.scroll_top() - log.client_height();
        keeper.scrolled(below <= AT_END && reaches_end());
        reach();
    };
    keeper.watch(reach);

    // What is at the end of a visible tab counts as read.
    let visible = RwSignal::new(!document().hidden());
    let seen = window_event_listener_untyped("visibilitychange", move |_| visible.set(!document().hidden()));
    on_cleanup(move || seen.remove());
    Effect::new(move |_| chat.attend((following.get() && visible.get()).then_some(room)));

    let to_end = move || {
        first.set(None);
        keeper.follow();
    };
    Effect::new(move |_| {
        if frame.to_end.get() > 0 {
            to_end();
        }
    });

    // Shows the message that somebody asked for, after loading up to it.
    Effect::new(move |_| {
        let Some(seq) = frame.goal.get() else { return };
        spawn_local(async move {
            for _ in 0..PAGES {
                let Some(found) = rows.try_with_untracked(|rows| {
                    rows.iter().position(|row| untrack(|| is_message(chat, room, *row, seq)))
                }) else {
                    return;
                };
                if let Some(at) = found {
                    let start = rows.with_untracked(|rows| rows[at.saturating_sub(DRAWN / 2)].key());
                    first.set(Some(start));
                    keeper.show(seq);
                    break;
                }
                if !view.get_untracked().older || chat.older(room).await.is_err() {
                    chat.tell(t("room.gone_message"));
                    break;
                }
            }
            frame.goal.try_set(None);
        });
    });

    let keys = move |ev: web_sys::KeyboardEvent| {
        let forward = match ev.key().as_str() {
            "ArrowUp" => false,
            "ArrowDown" => true,
            _ => return,
        };
        let target = ev.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.matches(".log, .msg").unwrap_or(false)) && keeper.step(forward) {
            ev.prevent_default();
        }
    };
    let row = move |row: Row| match row {
        Row::Day(day) => view! {
            <li class="day" data-testid="day">
                <span>{day_name(day)}</span>
            </li>
        }
        .into_any(),
        Row::New => view! {
            <li class="new" data-testid="new-line">
                <span>{t("room.new_messages")}</span>
            </li>
        }
        .into_any(),
        Row::Message(key) => view! { <MessageRow key /> }.into_any(),
        Row::Event(seq) => view! { <EventRow seq /> }.into_any(),
    };
    view! {
        <div
            class="log"
            role="log"
            aria-label=t("room.log")
            aria-live=move || if following.get() { "polite" } else { "off" }
            tabindex="0"
            node_ref=log
            on:scroll=move |_| scrolled()
            on:wheel=move |ev: ev::WheelEvent| {
                if ev.delta_y() < 0.0 {
                    keeper.let_go();
                }
            }
            on:keydown=keys
        >
            <div class="log-top">
                {move || {
                    let view = view.get();
                    if let Some(why) = failed.get() {
                        view! { <Alert text=why retry=Some(load_older) /> }.into_any()
                    } else if view.older {
                        // Always as high as when it loads, so that nothing moves.
                        view! {
                            <div class="older" data-testid=view.loading_older.then_some("older-loading")>
                                {view
                                    .loading_older
                                    .then(|| {
                                        view! {
                                            <i class="spin"></i>
                                            {t("room.loading_older")}
                                        }
                                    })}
                            </div>
                        }
                            .into_any()
                    } else if view.empty {
                        view! { <Empty title=t("room.empty") text=t("room.empty_text") /> }.into_any()
                    } else {
                        let name = chat.room(room).map(|it| it.room.name.to_string()).unwrap_or_default();
                        view! {
                            <p class="sys" data-testid="log-start">
                                {tf("room.start", &[("name", &name)])}
                            </p>
                        }
                            .into_any()
                    }
                }}
            </div>
            <ol node_ref=list>
                <For each=move || slice.get() key=Row::key children=row />
            </ol>
        </div>
        <Show when=move || !following.get()>
            <button type="button" class="latest" on:click=move |_| to_end()>
                <Sign icon=Icon::Down />
                {t("room.latest")}
            </button>
        </Show>
    }
}

/// Whether a row is the message of that seq.
fn is_message(chat: crate::live::Chat, room: natter_shared::id::RoomId, row: Row, seq: Seq) -> bool {
    match row {
        Row::Message(RowKey::Message(at)) => at == seq,
        Row::Message(key) => chat.message(room, key).is_some_and(|message| message.seq == Some(seq)),
        Row::Day(_) | Row::New | Row::Event(_) => false,
    }
}
