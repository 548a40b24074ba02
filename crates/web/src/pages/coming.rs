//! A part of the page that comes when it is first used: what stands in its place while it is on its way, and what is said,
//! with ways on, if it does not come.

use super::auth::Door;
use super::shell::Page;
use crate::components::dialog::CloseButton;
use crate::components::drawing::live;
use crate::components::notice::ListSkeleton;
use crate::locale::t;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use wasm_bindgen_futures::spawn_local;

/// So long a part may take to come, in milliseconds: as long as an answer of the server may.
const PATIENCE: u32 = 20_000;

/// Says whether the part is here now.
pub type Fetching = Pin<Box<dyn Future<Output = bool>>>;

/// A part of the page, in a file of its own.
pub struct Part {
    here: AtomicBool,
    fetch: fn() -> Fetching,
}

impl Part {
    pub const fn new(fetch: fn() -> Fetching) -> Self {
        Self { here: AtomicBool::new(false), fetch }
    }

    fn is_here(&self) -> bool {
        self.here.load(Ordering::Relaxed)
    }

    async fn fetch(&self) -> bool {
        // Whoever asks again after too long a wait hears of the same request, and uses what it brought meanwhile.
        let here = match select((self.fetch)(), TimeoutFuture::new(PATIENCE)).await {
            Either::Left((here, _)) => here,
            Either::Right(_) => false,
        };
        self.here.fetch_or(here, Ordering::Relaxed);
        here
    }
}

/// Where the part will stand.
#[derive(Clone, Copy)]
pub enum Around {
    /// Outside, in the place of the login form.
    Door,
    /// Inside, beside the rooms.
    Page,
    /// Above the messages of a room.
    Panel,
    /// In the midst of something.
    Nothing,
    /// Above the page. The focus stays with what opened it until the dialog is there, so that it can go back.
    Above(Callback<()>),
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Coming,
    Here,
    Failed,
}

/// Draws something of `part` as soon as it is here; at once if it was fetched before. `draw` has nothing to give only if the
/// part is not here.
pub fn coming(part: &'static Part, around: Around, draw: impl Fn() -> Option<AnyView> + Send + 'static) -> AnyView {
    let stage = RwSignal::new(if part.is_here() { Stage::Here } else { Stage::Coming });
    let fetch = Callback::new(move |()| {
        stage.set(Stage::Coming);
        spawn_local(async move {
            let here = part.fetch().await;
            stage.try_set(if here { Stage::Here } else { Stage::Failed });
        });
    });
    if !part.is_here() {
        fetch.run(());
    }
    live(move || match stage.get() {
        Stage::Here => untrack(&draw).unwrap_or_else(|| framed(around, Some(fetch))),
        Stage::Coming => framed(around, None),
        Stage::Failed => framed(around, Some(fetch)),
    })
}

/// The grey bars, or with a `retry` what went wrong.
fn framed(around: Around, retry: Option<Callback<()>>) -> AnyView {
    let inside = move || match retry {
        Some(retry) => view! { <Missing retry /> }.into_any(),
        None => view! {
            <p class="vh" role="status">
                {t("part.loading")}
            </p>
            <ListSkeleton rows=3 />
        }
        .into_any(),
    };
    match around {
        Around::Door => view! { <Door>{inside()}</Door> }.into_any(),
        Around::Page => view! { <Page>{inside()}</Page> }.into_any(),
        Around::Nothing => view! { <div>{inside()}</div> }.into_any(),
        Around::Panel => view! { <section class="search-panel">{inside()}</section> }.into_any(),
        Around::Above(on_close) => {
            let inside = match retry {
                Some(retry) => view! {
                    <Missing retry />
                    <CloseButton label=t("toast.close") on_close />
                }
                .into_any(),
                None => view! {
                    <i class="spin"></i>
                    <span role="status">{t("part.loading")}</span>
                }
                .into_any(),
            };
            view! {
                <div class="toasts">
                    <div class="toast plain" class:failure=retry.is_some()>
                        {inside}
                    </div>
                </div>
            }
            .into_any()
        }
    }
}

/// That the part did not come. After an update of the server only the whole page anew helps.
#[component]
fn Missing(retry: Callback<()>) -> impl IntoView {
    let reload = move |_| {
        let _ = window().location().reload();
    };
    view! {
        <div class="alert" role="alert" data-testid="part-missing">
            <span>{t("part.missing")}</span>
            <button type="button" class="btn" on:click=move |_| retry.run(())>
                {t("form.try_again")}
            </button>
            <button type="button" class="btn" on:click=reload>
                {t("part.reload")}
            </button>
        </div>
    }
}
