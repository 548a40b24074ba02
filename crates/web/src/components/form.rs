//! What all forms have: how they are sent, and the button.

use leptos::prelude::*;

/// Hands a form to `submit` in place of the browser.
pub fn on_submit(submit: Callback<()>) -> impl Fn(web_sys::SubmitEvent) + Clone + 'static {
    move |ev| {
        ev.prevent_default();
        submit.run(());
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
