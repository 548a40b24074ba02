//! The sheet of keys (`?`): everything that the keyboard does, said where a person looks for it.

use crate::components::dialog::{CloseRow, Dialog};
use crate::locale::t;
use leptos::prelude::*;

/// Keys between blanks are pressed together; what stands after a bar does the same.
const EVERYWHERE: &[(&str, &str)] = &[
    ("Ctrl K", "keys.jump"),
    ("? | Ctrl /", "keys.sheet"),
    ("Alt ↑ | Alt ↓", "keys.rooms"),
    ("Alt Shift ↑ | Alt Shift ↓", "keys.unread"),
    ("A – Z", "keys.write"),
    ("Esc", "keys.close"),
];
const WRITING: &[(&str, &str)] = &[
    ("Enter", "keys.send"),
    ("Shift Enter", "keys.line"),
    ("↑", "keys.edit"),
    ("@", "keys.mention"),
    ("Esc", "keys.cancel"),
];
const READING: &[(&str, &str)] = &[("↑ | ↓", "keys.messages"), ("Tab", "keys.actions")];

#[component]
pub fn Sheet(on_close: Callback<()>) -> impl IntoView {
    view! {
        <Dialog label=t("keys.title") class="keys" on_close>
            <h2>{t("keys.title")}</h2>
            {part(t("keys.everywhere"), EVERYWHERE)}
            {part(t("keys.writing"), WRITING)}
            {part(t("keys.reading"), READING)}
            <CloseRow on_close />
        </Dialog>
    }
}

fn part(heading: &'static str, keys: &'static [(&'static str, &'static str)]) -> AnyView {
    let lines = keys.iter().map(|(keys, text)| {
        view! {
            <div>
                <dt>{combinations(keys)}</dt>
                <dd>{t(text)}</dd>
            </div>
        }
        .into_any()
    });
    view! {
        <h3>{heading}</h3>
        <dl>{lines.collect::<Vec<_>>()}</dl>
    }
    .into_any()
}

fn combinations(keys: &'static str) -> AnyView {
    let mut out = Vec::new();
    for (at, one) in keys.split(" | ").enumerate() {
        if at > 0 {
            out.push(view! { <span class="soft">{format!(" {} ", t("keys.or"))}</span> }.into_any());
        }
        // A stretch of the alphabet is one key cap.
        let caps = if one.contains('–') { vec![one] } else { one.split(' ').collect() };
        let named = |key| match key {
            "Ctrl" => t("keys.ctrl"),
            "Shift" => t("keys.shift"),
            other => other,
        };
        out.extend(caps.into_iter().map(|key| view! { <kbd>{named(key)}</kbd> }.into_any()));
    }
    out.into_any()
}
