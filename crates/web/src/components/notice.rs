//! What is shown instead of content: that something failed, that it is on its way, that there is none yet.

use crate::components::icon::Mark;
use crate::locale::t;
use leptos::prelude::*;

/// Something went wrong, in words, with what to do.
#[component]
pub fn Alert(
    #[prop(into)] text: Signal<String>,
    #[prop(optional_no_strip)] retry: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <div class="alert" role="alert">
            <span>{text}</span>
            {retry
                .map(|retry| {
                    view! {
                        <button type="button" class="btn" on:click=move |_| retry.run(())>
                            {t("form.try_again")}
                        </button>
                    }
                        .into_any()
                })}
        </div>
    }
}

/// Nothing is here yet, and what one can do about it.
#[component]
pub fn Empty(#[prop(into)] title: String, #[prop(into)] text: String) -> impl IntoView {
    view! {
        <div class="empty">
            <Mark />
            <h2>{title}</h2>
            <p>{text}</p>
        </div>
    }
}

/// Grey bars in the shape of a list that is on its way.
#[component]
pub fn ListSkeleton(#[prop(default = 4)] rows: usize) -> impl IntoView {
    view! {
        <div class="sk-list" aria-hidden="true">
            {(0..rows).map(|_| view! { <div class="sk sk-row"></div> }.into_any()).collect::<Vec<_>>()}
        </div>
    }
}

/// Grey bubbles: a conversation that is on its way.
#[component]
pub fn LogSkeleton() -> impl IntoView {
    let bubble = |class: &'static str| view! { <div class=format!("sk sk-bubble {class}")></div> };
    view! {
        <div class="sk-log" data-testid="log-skeleton">
            <span class="vh">{t("room.loading")}</span>
            {bubble("a")}
            {bubble("b")}
            {bubble("own")}
            {bubble("c")}
            {bubble("a")}
            {bubble("own wide")}
        </div>
    }
}
