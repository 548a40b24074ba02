//! The line of a form that says why the server did not take it.

use crate::api::ApiError;
use crate::components::notice::Alert;
use leptos::prelude::*;

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
