//! The timeline as it is drawn: a window of the room's rows in a log that keeps its place.

use super::RoomFrame;
use super::message::{EventRow, MessageRow};
use super::place_keeper::PlaceKeeper;
use super::window::Window;
use crate::components::drawing::{List, Show, live};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::components::moment::day_name;
use crate::components::notice::{Alert, Empty};
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::state::Row;
use leptos::prelude::*;
use leptos::{ev, html};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Log() -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let log = NodeRef::<html::Div>::new();
    let list = NodeRef::<html::Ol>::new();
    let keeper = PlaceKeeper::new(log, list);
    let following = keeper.following();
    let window = Window::new(keeper);

    // What is at the end of a visible tab counts as read.
    let visible = RwSignal::new(!document().hidden());
    let seen = window_event_listener_untyped("visibilitychange", move |_| visible.set(!document().hidden()));
    on_cleanup(move || seen.remove());
    Effect::new(move |_| chat.attend((following.get() && visible.get()).then_some(frame.room)));
    Effect::new(move |_| chat.stand_at_end(following.get().then_some(frame.room)));
    Effect::new(move |_| {
        if frame.to_end.get() > 0 {
            window.to_end();
        }
    });
    Effect::new(move |_| {
        if let Some(seq) = frame.goal.get() {
            frame.goal.set(None);
            spawn_local(window.go_to(seq));
        }
    });

    let keys = move |ev: web_sys::KeyboardEvent| {
        let forward = match ev.key().as_str() {
            // With Alt they lead to another room.
            _ if ev.alt_key() => return,
            "ArrowUp" => false,
            "ArrowDown" => true,
            _ => return,
        };
        let target = ev.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.matches(".log, .msg").unwrap_or(false)) && keeper.step(forward) {
            ev.prevent_default();
        }
    };
    view! {
        <div
            class="log"
            role="log"
            aria-label=t("room.log")
            aria-live=move || if following.get() { "polite" } else { "off" }
            tabindex="0"
            node_ref=log
            on:scroll=move |_| window.scrolled()
            on:wheel=move |ev: ev::WheelEvent| {
                if ev.delta_y() < 0.0 {
                    keeper.let_go();
                }
            }
            on:keydown=keys
        >
            <Top window />
            <ol node_ref=list>
                <List each=move || window.drawn.get() key=|row| format!("{:?}", row.key()) children=draw />
            </ol>
        </div>
        <Show when=move || !following.get()>
            <button type="button" class="latest" on:click=move |_| window.to_end()>
                <Sign icon=Icon::Down />
                {t("room.latest")}
            </button>
        </Show>
    }
}

fn draw(row: Row) -> AnyView {
    match row {
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
    }
}

/// What stands above the first row: that older ones are coming, that they could not be loaded, or that there are none.
#[component]
fn Top(window: Window) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let name = Memo::new(move || chat.room(room).map(|it| it.room.name.to_string()).unwrap_or_default());
    let older = Memo::new(move || window.view.with(|view| view.older));
    let loading = Memo::new(move || window.view.with(|view| view.loading_older));
    let empty = Memo::new(move || window.view.with(|view| view.empty));
    let content = live(move || {
        if let Some(why) = window.failed.get() {
            let retry = Callback::new(move |()| window.load_older());
            view! { <Alert text=why retry=Some(retry) /> }.into_any()
        } else if older.get() {
            // As high when it waits as when it loads, so that nothing moves.
            let spinner = live(move || {
                if !loading.get() {
                    return ().into_any();
                }
                view! {
                    <i class="spin"></i>
                    <span data-testid="older-loading">{t("room.loading_older")}</span>
                }
                .into_any()
            });
            view! { <div class="older">{spinner}</div> }.into_any()
        } else if empty.get() {
            view! { <Empty title=t("room.empty") text=t("room.empty_text") /> }.into_any()
        } else {
            view! {
                <p class="sys" data-testid="log-start">
                    {move || tf("room.start", &[("name", &name.get())])}
                </p>
            }
            .into_any()
        }
    });
    view! { <div class="log-top">{content}</div> }
}
