//! What a form says when the server did not take it: beside its fields, or in a line of its own.

use crate::api::ApiError;
use crate::components::field::Errors;
use crate::components::notice::Alert;
use leptos::prelude::*;
use natter_shared::error::ErrorCode;

/// Says what the server did not accept: beside the fields that it names, in their `order`, else in the form's line. An error
/// of the `code` is about one field, whether or not the server names it.
pub fn refused(
    error: ApiError,
    (code, field): (ErrorCode, &str),
    errors: Errors,
    order: &[&str],
    failed: RwSignal<Option<ApiError>>,
) {
    let mut fields = error.fields().cloned().unwrap_or_default();
    if error.code() == Some(code) {
        fields.entry(field.to_owned()).or_insert_with(|| error.message());
    }
    if fields.is_empty() {
        failed.try_set(Some(error));
    } else {
        errors.show(fields, order);
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
