//! An invite link: joins its room and opens it.

use super::shell::Page;
use super::{Go, title};
use crate::api::ApiError;
use crate::components::notice::{Alert, ListSkeleton};
use crate::live::use_chat;
use crate::locale::t;
use crate::place;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Join(code: String) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    title(|| t("join.heading").to_owned());
    let failed = RwSignal::new(None::<ApiError>);
    let join = Callback::new(move |()| {
        let code = code.clone();
        failed.set(None);
        spawn_local(async move {
            match chat.join_code(&code).await {
                Ok(room) => go.replace(&place::room(room.id)),
                Err(error) => {
                    failed.try_set(Some(error));
                }
            }
        });
    });
    join.run(());
    view! {
        <Page>
            <h1>{t("join.heading")}</h1>
            {move || match failed.get() {
                None => view! { <ListSkeleton rows=3 /> }.into_any(),
                Some(error) => {
                    let retry = error.may_retry().then_some(join);
                    // The server answers a wrong code like any unknown thing; here it can be said what it means.
                    let text = if error.is_not_found() { t("join.wrong").to_owned() } else { error.message() };
                    view! {
                        <Alert text retry />
                        <p>
                            <a class="link" href=place::BROWSE>
                                {t("join.browse")}
                            </a>
                        </p>
                    }
                        .into_any()
                }
            }}
        </Page>
    }
}
