//! A button that puts a text into the clipboard and says so.

use crate::components::icon::{Icon, Sign};
use crate::locale::t;
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// How long "Copied" stands.
const SAID: Duration = Duration::from_secs(2);

/// Puts a text into the clipboard; `false` where there is none.
pub async fn to_clipboard(text: &str) -> bool {
    // The clipboard exists on secure pages only.
    let clipboard = window().navigator().clipboard();
    !AsRef::<wasm_bindgen::JsValue>::as_ref(&clipboard).is_undefined()
        && JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

#[component]
pub fn CopyButton(
    /// What it is called when its text is not enough.
    #[prop(into)]
    label: String,
    /// What it says.
    #[prop(into)]
    text: Signal<String>,
    /// What goes into the clipboard.
    #[prop(into)]
    value: Signal<String>,
    #[prop(default = "btn")] class: &'static str,
    #[prop(default = Icon::Copy)] icon: Icon,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let node = NodeRef::<html::Button>::new();
    let copy = move |_| {
        let value = value.get_untracked();
        spawn_local(async move {
            // Where there is no clipboard the text is selected, ready for the keys.
            if to_clipboard(&value).await {
                copied.set(true);
                set_timeout(move || copied.set(false), SAID);
            } else if let (Some(node), Ok(Some(selection))) = (node.get_untracked(), window().get_selection()) {
                let _ = selection.select_all_children(&node);
            }
        });
    };
    view! {
        <button
            type="button"
            class=class
            node_ref=node
            aria-label=label.clone()
            title=label
            data-testid=(!testid.is_empty()).then_some(testid)
            on:click=copy
        >
            <Sign icon />
            <span aria-live="polite">{move || if copied.get() { t("form.copied").to_owned() } else { text.get() }}</span>
        </button>
    }
}
