//! How images come to the composer: by a button, out of the clipboard, or dropped on it.

use super::RoomFrame;
use crate::components::icon::{Icon, Sign};
use crate::live::{Chat, use_chat};
use crate::locale::t;
use leptos::html;
use leptos::prelude::*;
use natter_shared::id::RoomId;
use wasm_bindgen::JsCast;

/// What the file chooser offers; the server takes the same.
const ACCEPT: &str = "image/png,image/jpeg,image/gif,image/webp";

fn of(list: Option<&web_sys::FileList>) -> Vec<web_sys::File> {
    list.map(|list| (0..list.length()).filter_map(|at| list.get(at)).collect()).unwrap_or_default()
}

fn choose(chat: Chat, room: RoomId, files: Vec<web_sys::File>) {
    if let Some(wrong) = chat.choose(room, files) {
        chat.tell(t(wrong));
    }
}

/// Takes images out of the clipboard; text goes its own way.
pub fn paste(chat: Chat, room: RoomId, ev: &web_sys::ClipboardEvent) {
    let files = of(ev.clipboard_data().and_then(|data| data.files()).as_ref());
    if !files.is_empty() {
        ev.prevent_default();
        choose(chat, room, files);
    }
}

fn has_files(ev: &web_sys::DragEvent) -> bool {
    ev.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Lets files be dropped here.
pub fn drag(ev: &web_sys::DragEvent) {
    if has_files(ev) {
        ev.prevent_default();
    }
}

pub fn drop(chat: Chat, room: RoomId, ev: &web_sys::DragEvent) {
    if has_files(ev) {
        ev.prevent_default();
        choose(chat, room, of(ev.data_transfer().and_then(|data| data.files()).as_ref()));
    }
}

/// The button that opens the browser's chooser.
#[component]
pub fn Attach() -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let input = NodeRef::<html::Input>::new();
    let open = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let chosen = move |ev: web_sys::Event| {
        let input = ev.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        if let Some(input) = input {
            choose(chat, room, of(input.files().as_ref()));
            // The same file can be chosen once more.
            input.set_value("");
        }
    };
    view! {
        <input
            type="file"
            class="vh"
            tabindex="-1"
            aria-hidden="true"
            data-testid="image-chooser"
            accept=ACCEPT
            multiple
            node_ref=input
            on:change=chosen
        />
        <button type="button" class="icon" aria-label=t("image.attach") title=t("image.attach") on:click=open>
            <Sign icon=Icon::Picture />
        </button>
    }
}
