//! Bold, italic, struck out and code by the keyboard, in a field that one writes a message in.

use crate::text_spans::toggled;
use wasm_bindgen::JsCast;

/// The sign that these keys put around what is selected.
fn sign(ev: &web_sys::KeyboardEvent) -> Option<&'static str> {
    if !(ev.ctrl_key() || ev.meta_key()) || ev.alt_key() || ev.is_composing() {
        return None;
    }
    match (ev.key().as_str(), ev.shift_key()) {
        ("b", false) => Some("**"),
        ("i", false) => Some("_"),
        ("e", false) => Some("`"),
        ("x" | "X", true) => Some("~~"),
        _ => None,
    }
}

/// Changes the field if the keys are for that, and says whether they were.
pub fn format(ev: &web_sys::KeyboardEvent) -> bool {
    let field = ev.target().and_then(|target| target.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let (Some(sign), Some(field)) = (sign(ev), field) else { return false };
    ev.prevent_default();
    let place = |at: Result<Option<u32>, _>| at.ok().flatten().unwrap_or(u32::MAX);
    let change = toggled(&field.value(), place(field.selection_start()), place(field.selection_end()), sign);
    let _ = field.set_selection_range(change.from, change.to);
    // The browser's own way to change a field: it can be undone, and the field's listeners hear of it. It is called
    // deprecated everywhere and has no successor.
    let document = field.owner_document().and_then(|document| document.dyn_into::<web_sys::HtmlDocument>().ok());
    let command = if change.with.is_empty() { "delete" } else { "insertText" };
    if let Some(document) = document {
        let _ = document.exec_command_with_show_ui_and_value(command, false, &change.with);
    }
    let _ = field.set_selection_range(change.select.0, change.select.1);
    true
}
