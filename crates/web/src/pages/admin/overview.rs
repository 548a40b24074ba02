//! How the server is doing: figures over an hour, a day or a month, and what was slow. Asked again each minute.

use super::chart::{Chart, Kind, Series, Shown};
use super::failure;
use super::operations::Slowest;
use crate::api::{ApiError, admin};
use crate::components::drawing::live;
use crate::components::field::Segmented;
use crate::components::memo::Memo;
use crate::live::use_chat;
use crate::locale::t;
use crate::plot::{number, short};
use leptos::prelude::*;
use natter_shared::admin::{Figure, Figures, Step};
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// From here on a tile says a number in short.
const MANY: u64 = 1_000_000;
/// How often it is asked again.
const AGAIN: Duration = Duration::from_mins(1);

#[component]
pub fn Overview() -> impl IntoView {
    let chat = use_chat();
    let step = RwSignal::new(Step::Hour);
    let found = RwSignal::new(None::<Result<Figures, ApiError>>);
    let rounds = RwSignal::new(0_u32);
    let generation = StoredValue::new(0_u32);
    let ask = Callback::new(move |()| {
        generation.update_value(|it| *it += 1);
        let (mine, wanted) = (generation.get_value(), step.get_untracked());
        spawn_local(async move {
            let answer = admin::figures(&chat.api(), wanted).await;
            if generation.try_get_value() == Some(mine) {
                found.set(Some(answer));
            }
        });
    });
    ask.run(());
    let again = set_interval_with_handle(
        move || {
            ask.run(());
            rounds.update(|rounds| *rounds = rounds.wrapping_add(1));
        },
        AGAIN,
    );
    on_cleanup(move || {
        if let Ok(again) = again {
            again.clear();
        }
    });
    let retry = Callback::new(move |()| {
        found.set(None);
        ask.run(());
    });
    // The charts stay while newer numbers come, and are drawn anew for another length of time.
    let state = Memo::new(move || {
        found.with(|found| match found {
            None => None,
            Some(Ok(_)) => Some(Ok(())),
            Some(Err(error)) => Some(Err(error.clone())),
        })
    });
    view! {
        <div class="admin-span">
            <Segmented
                name="span"
                legend=t("admin.span")
                value=step
                choices=vec![
                    (Step::Minute, t("admin.hour")),
                    (Step::Hour, t("admin.day")),
                    (Step::Day, t("admin.month")),
                ]
                changed=Callback::new(move |_| {
                    found.set(None);
                    ask.run(());
                })
            />
        </div>
        {live(move || match state.get() {
            None => view! { <Waiting /> }.into_any(),
            Some(Err(error)) => failure(&error, retry),
            Some(Ok(())) => view! { <Charts found /> }.into_any(),
        })}
        <Slowest rounds />
    }
}

/// Grey charts: numbers that are on their way.
#[component]
fn Waiting() -> impl IntoView {
    let block = |_| view! { <div class="sk sk-chart"></div> }.into_any();
    view! {
        <div class="charts" aria-hidden="true" data-testid="charts-skeleton">
            {(0..4).map(block).collect::<Vec<_>>()}
        </div>
    }
}

/// What a chart draws in one colour: the key of its name, its class, and how a figure has it.
type Drawn = (&'static str, &'static str, fn(&Figure) -> u64);

#[component]
fn Charts(found: RwSignal<Option<Result<Figures, ApiError>>>) -> impl IntoView {
    let figures = Memo::new(move || {
        found.with(|found| match found {
            Some(Ok(figures)) => figures.clone(),
            _ => Figures { step: Step::Hour, items: Vec::new() },
        })
    });
    let shown = move |series: &'static [Drawn]| {
        Memo::new(move || {
            figures.with(|figures| Shown {
                step: figures.step,
                times: figures.items.iter().map(|figure| figure.at).collect(),
                series: series
                    .iter()
                    .map(|(name, class, value)| {
                        let values = figures.items.iter().map(value).collect();
                        Series { name: t(name), class, values }
                    })
                    .collect(),
            })
        })
    };
    let online = shown(&[("admin.online", "calm", |figure| figure.online)]);
    let messages = shown(&[("admin.messages", "calm", |figure| figure.messages_sent)]);
    let logins = shown(&[
        ("admin.logins", "calm", |figure| figure.logins),
        ("admin.logins_failed", "trouble", |figure| figure.logins_failed),
    ]);
    let errors = shown(&[("admin.errors", "trouble", |figure| figure.errors)]);
    view! {
        {live(move || figures.with(|figures| tiles(&figures.items)))}
        <div class="charts">
            <Chart id="online" title=t("admin.online") kind=Kind::Line shown=online />
            <Chart id="messages" title=t("admin.messages") kind=Kind::Bars shown=messages />
            <Chart id="logins" title=t("admin.logins") kind=Kind::Bars shown=logins />
            <Chart id="errors" title=t("admin.errors") kind=Kind::Bars shown=errors />
        </div>
    }
}

/// The whole time in a few numbers.
fn tiles(figures: &[Figure]) -> AnyView {
    let sum = |value: fn(&Figure) -> u64| figures.iter().map(value).sum::<u64>();
    let most = figures.iter().map(|figure| figure.online).max().unwrap_or(0);
    let tiles = [
        (t("admin.most_online"), most),
        (t("admin.messages"), sum(|figure| figure.messages_sent)),
        (t("admin.delivered"), sum(|figure| figure.entries_delivered)),
        (t("admin.logins"), sum(|figure| figure.logins)),
        (t("admin.registrations"), sum(|figure| figure.registrations)),
        (t("admin.errors"), sum(|figure| figure.errors)),
    ];
    let tile = |(name, value): (&'static str, u64)| {
        view! {
            <div class="tile">
                <dt>{name}</dt>
                <dd title=number(value)>
                    {if value < MANY { number(value) } else { short(value, t("number.point")) }}
                </dd>
            </div>
        }
        .into_any()
    };
    view! { <dl class="tiles">{tiles.into_iter().map(tile).collect::<Vec<_>>()}</dl> }.into_any()
}
