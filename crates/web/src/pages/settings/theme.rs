//! Light, dark, or what the system says, and the language. Both choices stay in this browser; assets/theme.js puts the theme
//! on before the page draws.

use super::Panel;
use crate::components::field::Segmented;
use crate::language;
use crate::locale::{LANGUAGES, t};
use leptos::prelude::*;

/// Where the choice is kept (assets/theme.js reads it).
const KEY: &str = "natter-theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    System,
    Light,
    Dark,
}

impl Choice {
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

#[component]
pub fn Theme() -> impl IntoView {
    let root = document().document_element();
    let now = root.and_then(|root| root.get_attribute("data-theme"));
    let value = RwSignal::new(match now.as_deref() {
        Some("light") => Choice::Light,
        Some("dark") => Choice::Dark,
        _ => Choice::System,
    });
    let changed = Callback::new(|choice: Choice| {
        let Some(root) = document().document_element() else { return };
        // A browser that keeps nothing still changes for as long as the page is open.
        let storage = window().local_storage().ok().flatten();
        if let Some(word) = choice.word() {
            let _ = root.set_attribute("data-theme", word);
            let _ = storage.map(|storage| storage.set_item(KEY, word));
        } else {
            let _ = root.remove_attribute("data-theme");
            let _ = storage.map(|storage| storage.remove_item(KEY));
        }
    });
    view! {
        <Panel heading=t("settings.look")>
            <Segmented
                name="theme"
                legend=t("settings.theme")
                value
                choices=vec![
                    (Choice::System, t("settings.system")),
                    (Choice::Light, t("settings.light")),
                    (Choice::Dark, t("settings.dark")),
                ]
                changed
            />
            <Segmented
                name="language"
                legend=t("settings.language")
                value=RwSignal::new(language::current())
                choices=LANGUAGES.to_vec()
                changed=Callback::new(|code: &'static str| {
                    if language::choose(code) {
                        let _ = window().location().reload();
                    }
                })
            />
        </Panel>
    }
}
