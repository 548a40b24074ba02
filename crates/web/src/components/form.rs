//! What all forms have: how they are sent, the line that says why that failed, and the button.

use crate::api::ApiError;
use crate::components::notice::Alert;
use leptos::prelude::*;

/// Hands a form to `submit` in place of the browser.
pub fn on_submit(submit: Callback<()>) -> impl Fn(web_sys::SubmitEvent) + Clone + 'static {
    move |ev| {
        ev.prevent_default();
        submit.run(());
    }
}

/// Why the form could not be sent, with the way to try again if that may help.
#[component]
pub fn Failure(failed: RwSignal<Option<ApiError>>, submit: Callback<()>) -> impl IntoView {
    move || {
        failed.get().map(|error| {
            let retry = error.may_retry().then_some(submit);
            view! { <Alert text=error.message() retry /> }.into_any()
        })
    }
}

#[component]
pub fn Submit(
    busy: RwSignal<bool>,
    text: &'static str,
    #[prop(default = "btn main")] class: &'static str,
) -> impl IntoView {
    view! {
        <button type="submit" class=class aria-busy=move || if busy.get() { "true" } else { "false" } disabled=busy>
            {text}
        </button>
    }
}
