//! A list that is searched by a text and comes page by page.

use super::{More, failure};
use crate::api::ApiError;
use crate::components::drawing::Show;
use crate::components::notice::{Empty, ListSkeleton};
use crate::live::use_chat;
use crate::locale::t;
use leptos::prelude::*;
use natter_shared::page::Page;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// So long after the last key the server is asked.
const PAUSE: Duration = Duration::from_millis(250);

/// What was found so far.
pub struct Found<T: Send + Sync + 'static> {
    pub items: RwSignal<Vec<T>>,
    wanted: RwSignal<String>,
    cursor: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// `None` until the first answer.
    state: RwSignal<Option<Result<(), ApiError>>>,
    /// Asks from the start, or for more.
    ask: Callback<bool>,
}

impl<T: Send + Sync + 'static> Clone for Found<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Found<T> {}

impl<T: Clone + Send + Sync + 'static> Found<T> {
    /// `read` asks the server for a page: of what holds a text, behind a cursor.
    pub fn new<F>(read: impl Fn(Option<String>, Option<String>) -> F + Copy + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Page<T>, ApiError>> + 'static,
    {
        let chat = use_chat();
        let (items, wanted) = (RwSignal::new(Vec::new()), RwSignal::new(String::new()));
        let (cursor, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
        let state = RwSignal::new(None::<Result<(), ApiError>>);
        let generation = StoredValue::new(0_u32);
        let ask = Callback::new(move |more: bool| {
            generation.update_value(|it| *it += 1);
            let mine = generation.get_value();
            let q = Some(wanted.with_untracked(|text| text.trim().to_owned())).filter(|text| !text.is_empty());
            let after = cursor.get_untracked().filter(|_| more);
            busy.set(true);
            spawn_local(async move {
                let answer = read(q, after).await;
                // Somebody went on typing, or away.
                if generation.try_get_value() != Some(mine) {
                    return;
                }
                busy.set(false);
                match answer {
                    Ok(page) => {
                        cursor.set(page.cursor);
                        items.update(|items: &mut Vec<T>| {
                            if !more {
                                items.clear();
                            }
                            items.extend(page.items);
                        });
                        state.set(Some(Ok(())));
                    }
                    Err(error) if more => chat.complain(&error),
                    Err(error) => state.set(Some(Err(error))),
                }
            });
        });
        ask.run(false);
        Self { items, wanted, cursor, busy, state, ask }
    }
}

/// The field, the list, and what stands in its place while it comes, fails or is empty.
#[component]
pub fn Searched<T: Clone + Send + Sync + 'static>(
    found: Found<T>,
    label: &'static str,
    /// The title and the text of an empty list.
    none: (&'static str, &'static str),
    children: Children,
) -> impl IntoView {
    let Found { items, wanted, cursor, busy, state, ask } = found;
    let again = Callback::new(move |()| ask.run(false));
    view! {
        <Search label wanted again />
        {move || match state.get() {
            None => view! { <ListSkeleton rows=6 /> }.into_any(),
            Some(Err(error)) => failure(&error, again),
            Some(Ok(())) => ().into_any(),
        }}
        {children()}
        <Show when=move || matches!(state.get(), Some(Ok(()))) && items.with(Vec::is_empty)>
            <Empty title=t(none.0) text=t(none.1) />
        </Show>
        <More cursor busy on_more=Callback::new(move |()| ask.run(true)) />
    }
}

/// A field that asks a moment after the last key.
#[component]
fn Search(label: &'static str, wanted: RwSignal<String>, again: Callback<()>) -> impl IntoView {
    let typed = StoredValue::new(0_u32);
    view! {
        <input
            class="input search"
            type="search"
            aria-label=label
            placeholder=label
            prop:value=wanted
            on:input=move |ev| {
                wanted.set(event_target_value(&ev));
                typed.update_value(|it| *it += 1);
                let mine = typed.get_value();
                let later = move || {
                    if typed.try_get_value() == Some(mine) {
                        again.run(());
                    }
                };
                set_timeout(later, PAUSE);
            }
        />
    }
}
