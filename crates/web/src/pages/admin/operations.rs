//! The slowest of what the node that answers was asked for in the last hour.

use super::failure;
use crate::api::{ApiError, admin};
use crate::components::drawing::live;
use crate::components::moment::day_and_clock;
use crate::components::notice::ListSkeleton;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::plot::{number, pixels, took};
use leptos::prelude::*;
use natter_shared::admin::{Operation, Operations};
use wasm_bindgen_futures::spawn_local;

/// So many are shown.
const SHOWN: usize = 10;

#[component]
pub fn Slowest(
    /// Whatever changes has it asked again.
    rounds: RwSignal<u32>,
) -> impl IntoView {
    let chat = use_chat();
    let found = RwSignal::new(None::<Result<Operations, ApiError>>);
    let ask = Callback::new(move |()| {
        spawn_local(async move {
            let answer = admin::operations(&chat.api()).await;
            found.try_set(Some(answer));
        });
    });
    Effect::new(move |_| {
        rounds.track();
        ask.run(());
    });
    view! {
        <div class="chart wide" data-testid="operations">
            <h2>{t("admin.slowest")}</h2>
            {live(move || match found.get() {
                None => view! { <ListSkeleton rows=4 /> }.into_any(),
                Some(Err(error)) => failure(&error, ask),
                Some(Ok(operations)) => table(&operations),
            })}
        </div>
    }
}

fn table(operations: &Operations) -> AnyView {
    let point = t("number.point");
    let most = operations.items.iter().map(|it| it.p95_us).max().unwrap_or(0).max(1);
    let row = |it: &Operation| {
        // Of a bar that is a hundred pixels long, in tenths of a pixel.
        let length = i64::try_from(u128::from(it.p95_us) * 1_000 / u128::from(most)).unwrap_or(0).max(10);
        view! {
            <tr>
                <th scope="row">
                    <code>{it.method.clone()}</code>
                    " "
                    <code>{it.route.clone()}</code>
                </th>
                <td>{number(it.count)}</td>
                <td>{took(it.p50_us, point)}</td>
                <td>
                    <svg class="length" viewBox="0 0 100 6" aria-hidden="true" preserveAspectRatio="none">
                        <path d=format!("M0 0H{}V6H0z", pixels(length)) />
                    </svg>
                    <span class="value">{took(it.p95_us, point)}</span>
                </td>
                <td>{took(it.max_us, point)}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <p class="soft">{tf("admin.slowest_text", &[("when", &day_and_clock(operations.since))])}</p>
        <div class="table open" tabindex="0" role="region" aria-label=t("admin.slowest")>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{t("admin.operation")}</th>
                        <th scope="col">{t("admin.count")}</th>
                        <th scope="col">{t("admin.half")}</th>
                        <th scope="col">{t("admin.most")}</th>
                        <th scope="col">{t("admin.longest")}</th>
                    </tr>
                </thead>
                <tbody>{operations.items.iter().take(SHOWN).map(row).collect::<Vec<_>>()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
