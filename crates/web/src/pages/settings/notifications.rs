//! Notifications of this browser for mentions and direct messages. The browser is asked by a button here and nowhere else.

use super::Panel;
use crate::components::field::Segmented;
use crate::live::notices::{self, Allowed, Show};
use crate::locale::t;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Notifications() -> impl IntoView {
    let allowed = RwSignal::new(notices::allowed());
    let value = RwSignal::new(notices::chosen());
    let ask = move |_| {
        spawn_local(async move {
            let answer = notices::ask().await;
            if answer == Allowed::Yes {
                notices::choose(Show::Text);
                value.try_set(Show::Text);
            }
            allowed.try_set(answer);
        });
    };
    let content = crate::components::drawing::live(move || match allowed.get() {
        Allowed::Yes => view! {
            <Segmented
                name="notices"
                legend=t("notices.show")
                value
                choices=vec![
                    (Show::Text, t("notices.text")),
                    (Show::NoText, t("notices.no_text")),
                    (Show::Nothing, t("notices.nothing")),
                ]
                hint=t("notices.hint")
                changed=Callback::new(notices::choose)
            />
        }
        .into_any(),
        Allowed::Unasked => view! {
            <button type="button" class="btn" on:click=ask>
                {t("notices.ask")}
            </button>
        }
        .into_any(),
        Allowed::No => view! { <p role="status">{t("notices.denied")}</p> }.into_any(),
        Allowed::Never => view! { <p>{t("notices.never")}</p> }.into_any(),
    });
    view! { <Panel heading=t("notices.heading") text=t("notices.about")>{content}</Panel> }
}
