//! Where one is signed in, and ending the logins that should not be.

use super::Panel;
use crate::api::{ApiError, accounts};
use crate::components::moment::day_and_clock;
use crate::components::notice::{Alert, ListSkeleton};
use crate::live::use_chat;
use crate::locale::{t, tf};
use leptos::prelude::*;
use natter_shared::account::SessionInfo;
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Logins() -> impl IntoView {
    let chat = use_chat();
    let found = RwSignal::new(None::<Result<Vec<SessionInfo>, ApiError>>);
    let ask = Callback::new(move |()| {
        spawn_local(async move {
            let answer = accounts::sessions(&chat.api()).await;
            found.try_set(Some(answer));
        });
    });
    ask.run(());
    view! {
        <Panel heading=t("settings.logins") text=t("settings.logins_text")>
            {move || match found.get() {
                None => view! { <ListSkeleton rows=2 /> }.into_any(),
                Some(Err(error)) => view! { <Alert text=error.message() retry=Some(ask) /> }.into_any(),
                Some(Ok(logins)) => {
                    let lines = logins.into_iter().map(|login| view! { <Line login ask /> }).collect::<Vec<_>>();
                    view! {
                        <ul class="cards" aria-label=t("settings.logins")>
                            {lines}
                        </ul>
                    }
                        .into_any()
                }
            }}
        </Panel>
    }
}

#[component]
fn Line(login: SessionInfo, ask: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let busy = RwSignal::new(false);
    let id = login.id;
    let end = move |_| {
        busy.set(true);
        spawn_local(async move {
            if let Err(error) = accounts::end_session(&chat.api(), id).await {
                chat.complain(&error);
            }
            busy.try_set(false);
            ask.run(());
        });
    };
    let browser = if login.user_agent.is_empty() { t("settings.some_browser").to_owned() } else { login.user_agent };
    view! {
        <li class="row-card" data-testid="session" data-current=if login.current { "true" } else { "false" }>
            <div class="grow">
                <b>{browser}</b>
                <p class="soft">
                    {tf("settings.since", &[("when", &day_and_clock(login.created_at))])} " · "
                    {tf("settings.used", &[("when", &day_and_clock(login.last_used_at))])}
                </p>
            </div>
            {if login.current {
                view! { <span class="soft">{t("settings.this_login")}</span> }.into_any()
            } else {
                view! {
                    <button type="button" class="btn bad" disabled=busy on:click=end>
                        {t("settings.end_login")}
                    </button>
                }
                    .into_any()
            }}
        </li>
    }
}
