//! Searching the messages of a room, and going to what was found.

use super::RoomFrame;
use super::found::FoundMessage;
use crate::api::{ApiError, messages};
use crate::components::dialog::CloseButton;
use crate::components::drawing::live;
use crate::components::field::focus;
use crate::components::notice::{Alert, ListSkeleton};
use crate::live::{Chat, use_chat};
use crate::locale::{said, t, tn};
use crate::pages::shell::is_phone;
use leptos::prelude::*;
use natter_shared::entry::Message;
use natter_shared::id::RoomId;
use natter_shared::text::parse_query;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// So long after the last key the server is asked.
const PAUSE: Duration = Duration::from_millis(300);

/// What has come of the search so far.
#[derive(Clone)]
enum Found {
    Nothing,
    Asking,
    Wrong(String),
    Failed(ApiError),
    /// The messages, newest first, and where the next ones begin.
    Messages(Vec<Message>, Option<String>),
}

/// A search and what has come of it.
#[derive(Clone, Copy)]
struct Search {
    chat: Chat,
    room: RoomId,
    wanted: RwSignal<String>,
    found: RwSignal<Found>,
    /// Counts what was typed and asked, so that the answer to an older question is dropped.
    generation: StoredValue<u32>,
}

impl Search {
    fn new(room: RoomId) -> Self {
        Self {
            chat: use_chat(),
            room,
            wanted: RwSignal::new(String::new()),
            found: RwSignal::new(Found::Nothing),
            generation: StoredValue::new(0),
        }
    }

    fn step(self) -> u32 {
        self.generation.update_value(|it| *it = it.wrapping_add(1));
        self.generation.get_value()
    }

    fn typed(self, text: String) {
        self.wanted.set(text);
        let mine = self.step();
        let later = move || {
            if self.generation.try_get_value() == Some(mine) {
                self.ask(None);
            }
        };
        set_timeout(later, PAUSE);
    }

    /// Asks the server; `cursor` for what follows the messages that are shown already.
    fn ask(self, cursor: Option<String>) {
        let mine = self.step();
        let text = self.wanted.get_untracked();
        if text.trim().is_empty() {
            self.found.set(Found::Nothing);
            return;
        }
        let q = match parse_query(&text) {
            Ok(q) => q,
            Err(why) => {
                self.found.set(Found::Wrong(why.to_string()));
                return;
            }
        };
        let before = match self.found.get_untracked() {
            Found::Messages(before, _) if cursor.is_some() => before,
            _ => Vec::new(),
        };
        if before.is_empty() {
            self.found.set(Found::Asking);
        }
        spawn_local(async move {
            let answer = messages::search(&self.chat.api(), &q, Some(self.room), cursor).await;
            if self.generation.try_get_value() == Some(mine) {
                self.found.set(match answer {
                    Ok(page) => Found::Messages(before.into_iter().chain(page.items).collect(), page.cursor),
                    Err(error) => Found::Failed(error),
                });
            }
        });
    }
}

#[component]
pub fn SearchPanel() -> impl IntoView {
    let frame = RoomFrame::take();
    let search = Search::new(frame.room);
    focus("search");
    let close = Callback::new(move |()| frame.searching.set(false));
    view! {
        <section
            class="search-panel"
            aria-label=t("room.search")
            on:keydown=move |ev| {
                if ev.key() == "Escape" {
                    ev.stop_propagation();
                    close.run(());
                }
            }
        >
            <div class="search-line">
                <input
                    class="input"
                    id="search"
                    type="search"
                    aria-label=t("search.label")
                    placeholder=t("search.label")
                    autocomplete="off"
                    prop:value=search.wanted
                    on:input=move |ev| search.typed(event_target_value(&ev))
                />
                <CloseButton label=t("search.close") on_close=close />
            </div>
            <div class="search-results"><Results search /></div>
        </section>
    }
}

#[component]
fn Results(search: Search) -> impl IntoView {
    let frame = RoomFrame::take();
    let line = move |message: Message| {
        let seq = message.seq;
        let on_go = Callback::new(move |()| {
            frame.goal.set(Some(seq));
            // On a phone the list would hide what was found.
            if is_phone() {
                frame.searching.set(false);
            }
        });
        view! {
            <li>
                <FoundMessage message testid="search-result" on_go />
            </li>
        }
        .into_any()
    };
    live(move || match search.found.get() {
        Found::Nothing => view! { <p class="hint">{t("search.hint")}</p> }.into_any(),
        Found::Asking => view! { <ListSkeleton rows=3 /> }.into_any(),
        Found::Wrong(why) => view! { <p class="hint">{said(&why)}</p> }.into_any(),
        Found::Failed(error) => {
            let retry = Callback::new(move |()| search.ask(None));
            view! { <Alert text=error.message() retry=Some(retry) /> }.into_any()
        }
        Found::Messages(messages, cursor) => {
            let count = tn("search.count.one", "search.count.other", messages.len());
            let more = cursor.map(|cursor| {
                view! {
                    <button type="button" class="btn" on:click=move |_| search.ask(Some(cursor.clone()))>
                        {t("search.more")}
                    </button>
                }
                .into_any()
            });
            let none = messages.is_empty();
            view! {
                <p class="hint" role="status">
                    {if none { t("search.none").to_owned() } else { count }}
                </p>
                <ul>{messages.into_iter().map(line).collect::<Vec<_>>()}</ul>
                {more}
            }
            .into_any()
        }
    })
}
