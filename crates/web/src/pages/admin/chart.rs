//! A chart: values over time as a line or as bars, read off with the pointer or the arrow keys, and as a table for who
//! would rather have that.

use super::moments;
use crate::components::drawing::{Show, live};
use crate::components::memo::Memo;
use crate::locale::t;
use crate::plot::{Axis, Place, area, bars, line, named, number, pixels, short, slot_at};
use leptos::html;
use leptos::prelude::*;
use natter_shared::admin::Step;
use natter_shared::timestamp::Timestamp;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};

/// The whole height, and the borders in which names of values and times stand; tenths of a pixel, as in `plot`.
const HEIGHT: i64 = 1_720;
const LEFT: i64 = 400;
const RIGHT: i64 = 160;
const TOP: i64 = 100;
const BOTTOM: i64 = 240;
/// So wide is a chart until its place has been measured.
const WIDTH: i64 = 5_000;
/// A named time takes so much room, and so many steps are drawn upwards at most.
const NAME_ROOM: i64 = 620;
const STEPS: u64 = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Line,
    Bars,
}

/// What is drawn in one colour.
#[derive(Clone, PartialEq, Eq)]
pub struct Series {
    pub name: &'static str,
    /// `calm` is the accent, `trouble` says that something was.
    pub class: &'static str,
    pub values: Vec<u64>,
}

/// Everything that a chart shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    pub step: Step,
    pub times: Vec<Timestamp>,
    pub series: Vec<Series>,
}

impl Shown {
    fn most(&self) -> u64 {
        let sum = |at: usize| self.series.iter().map(|series| series.values.get(at).copied().unwrap_or(0)).sum();
        (0..self.times.len()).map(sum).max().unwrap_or(0)
    }

    /// `14:05: 12 people online`
    fn told(&self, at: usize) -> String {
        let Some(time) = self.times.get(at) else { return String::new() };
        let values = self.series.iter().map(|it| format!("{}: {}", it.name, number(value(it, at))));
        format!("{} – {}", moments::stretch(self.step, *time), values.collect::<Vec<_>>().join(", "))
    }
}

fn value(series: &Series, at: usize) -> u64 {
    series.values.get(at).copied().unwrap_or(0)
}

#[component]
pub fn Chart(id: &'static str, title: &'static str, kind: Kind, shown: Memo<Shown>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let width = RwSignal::new(WIDTH);
    measure(node, width);
    let chosen = RwSignal::new(None::<usize>);
    let place = Memo::new(move || {
        let (count, most) = shown.with(|shown| (shown.times.len(), shown.most()));
        let width = (width.get() - LEFT - RIGHT).max(100);
        Plot(Place { width, height: HEIGHT - TOP - BOTTOM, count, axis: Axis::new(most, STEPS) })
    });
    let at_pointer = move |ev: leptos::ev::PointerEvent| {
        let Some(element) = node.get_untracked() else { return };
        #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
        let x = (f64::from(ev.client_x()) - element.get_bounding_client_rect().left()) as i64 * 10 - LEFT;
        let Plot(place) = place.get_untracked();
        chosen.set((place.count > 0).then(|| slot_at(place, x)));
    };
    let keys = move |ev: web_sys::KeyboardEvent| {
        let last = shown.with_untracked(|shown| shown.times.len()).saturating_sub(1);
        let now = chosen.get_untracked().unwrap_or(last);
        let next = match ev.key().as_str() {
            "ArrowLeft" | "ArrowDown" => now.saturating_sub(1),
            "ArrowRight" | "ArrowUp" => (now + 1).min(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        ev.prevent_default();
        chosen.set(Some(next));
    };
    let focused = move |_| {
        if chosen.get_untracked().is_none() {
            chosen.set(shown.with_untracked(|shown| shown.times.len()).checked_sub(1));
        }
    };
    let last = move || shown.with(|shown| shown.times.len()).saturating_sub(1);
    let now = move || chosen.get().unwrap_or_else(last);
    let empty = Memo::new(move || shown.with(|shown| shown.most() == 0));
    view! {
        <figure class="chart" data-testid=format!("chart-{id}")>
            <figcaption>
                <h2>{title}</h2>
                {live(move || legend(&shown.get()))}
            </figcaption>
            <div
                class="plot"
                node_ref=node
                tabindex="0"
                role="slider"
                aria-label=title
                aria-valuemin="0"
                aria-valuemax=move || last().to_string()
                aria-valuenow=move || now().to_string()
                aria-valuetext=move || shown.with(|shown| shown.told(now()))
                on:pointermove=at_pointer
                on:pointerdown=at_pointer
                on:pointerleave=move |_| chosen.set(None)
                on:focus=focused
                on:blur=move |_| chosen.set(None)
                on:keydown=keys
            >
                {live(move || drawn(kind, &shown.get(), place.get().0, width.get()))}
                {live(move || marker(&shown.get(), place.get().0, chosen.get()))}
                <Show when=move || empty.get()>
                    <p class="nothing">{t("admin.nothing")}</p>
                </Show>
            </div>
            <Table title shown />
        </figure>
    }
}

/// A place as a memo holds it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Plot(Place);

/// Keeps the width at that of the element.
fn measure(node: NodeRef<html::Div>, width: RwSignal<i64>) {
    let held = StoredValue::new_local(None::<(web_sys::ResizeObserver, Closure<dyn FnMut(JsValue)>)>);
    Effect::new(move |_| {
        let Some(element) = node.get() else { return };
        let look = {
            let element = element.clone();
            move || {
                let now = i64::from(element.client_width()) * 10;
                if now > 0 && width.try_get_untracked().is_some_and(|before| before != now) {
                    width.set(now);
                }
            }
        };
        look();
        let changed = Closure::<dyn FnMut(JsValue)>::new(move |_| look());
        if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&element);
            held.set_value(Some((observer, changed)));
        }
    });
    on_cleanup(move || {
        if let Some((observer, _)) = held.try_update_value(Option::take).flatten() {
            observer.disconnect();
        }
    });
}

/// What the colours mean, where there is more than one.
fn legend(shown: &Shown) -> AnyView {
    if shown.series.len() < 2 {
        return ().into_any();
    }
    let entry = |it: &Series| view! { <span class=format!("key {}", it.class)>{it.name}</span> }.into_any();
    view! { <span class="legend">{shown.series.iter().map(entry).collect::<Vec<_>>()}</span> }.into_any()
}

fn drawn(kind: Kind, shown: &Shown, place: Place, width: i64) -> AnyView {
    let steps = place.axis.ticks().into_iter().map(|tick| {
        let y = TOP + place.down(tick);
        view! {
            <path class="grid" d=format!("M{} {}H{}", pixels(LEFT), pixels(y), pixels(width - RIGHT)) />
            <text x=pixels(LEFT - 80) y=pixels(y + 40) text-anchor="end">
                {short(tick, t("number.point"))}
            </text>
        }
        .into_any()
    });
    let stamps: Vec<_> = shown.times.iter().map(|at| moments::stamp(*at)).collect();
    let room = usize::try_from(place.width / NAME_ROOM).unwrap_or(0);
    let times = named(shown.step, &stamps, room).into_iter().map(|at| {
        let (x, text) = (LEFT + place.middle(at), moments::below(shown.step, shown.times[at]));
        view! {
            <text x=pixels(x) y=pixels(HEIGHT - 60) text-anchor="middle">
                {text}
            </text>
        }
        .into_any()
    });
    let mut below = vec![0; place.count];
    let series = shown.series.iter().map(|it| {
        let drawn = match kind {
            Kind::Line => view! {
                <path class=format!("area {}", it.class) d=area(place, &it.values) />
                <path class=format!("line {}", it.class) d=line(place, &it.values) />
            }
            .into_any(),
            Kind::Bars => {
                view! { <path class=format!("bar {}", it.class) d=bars(place, &it.values, &below) /> }.into_any()
            }
        };
        for (sum, value) in below.iter_mut().zip(&it.values) {
            *sum += value;
        }
        drawn
    });
    let series = series.collect::<Vec<_>>();
    view! {
        <svg class="drawn" aria-hidden="true" width=pixels(width) height=pixels(HEIGHT)>
            {steps.collect::<Vec<_>>()}
            {times.collect::<Vec<_>>()}
            <g transform=format!("translate({} {})", pixels(LEFT), pixels(TOP))>{series}</g>
        </svg>
    }
    .into_any()
}

/// The stretch that is read off, and what it says.
fn marker(shown: &Shown, place: Place, chosen: Option<usize>) -> AnyView {
    let Some((at, time)) = chosen.and_then(|at| Some((at, shown.times.get(at)?))) else { return ().into_any() };
    let (left, width) = place.slot(at);
    let band = format!(
        "M{} {}h{}v{}h-{}z",
        pixels(LEFT + left),
        pixels(TOP),
        pixels(width),
        pixels(place.height),
        pixels(width)
    );
    let values = shown.series.iter().map(|it| {
        view! {
            <span>
                <span class=format!("key {}", it.class)>{it.name}</span>
                <b>{number(value(it, at))}</b>
            </span>
        }
        .into_any()
    });
    // The note stands on the side that has room.
    let middle = LEFT + place.middle(at);
    let is_right = place.middle(at) * 2 > place.width;
    let right =
        if is_right { format!("{}px", pixels(LEFT + place.width + RIGHT - middle + 120)) } else { "auto".to_owned() };
    let left = if is_right { "auto".to_owned() } else { format!("{}px", pixels(middle + 120)) };
    view! {
        <svg class="band" aria-hidden="true" width="100%" height=pixels(HEIGHT)>
            <path d=band />
        </svg>
        <div class="tip" style:left=left style:right=right data-testid="chart-tip">
            <span class="soft">{moments::stretch(shown.step, *time)}</span>
            {values.collect::<Vec<_>>()}
        </div>
    }
    .into_any()
}

/// The same numbers to read, once somebody wants to.
#[component]
fn Table(title: &'static str, shown: Memo<Shown>) -> impl IntoView {
    let open = RwSignal::new(false);
    let rows = move || {
        if !open.get() {
            return ().into_any();
        }
        let shown = shown.get();
        let head = shown.series.iter().map(|it| view! { <th scope="col">{it.name}</th> }.into_any());
        let rows = shown.times.iter().enumerate().rev().map(|(at, time)| {
            let cells = shown.series.iter().map(|it| view! { <td>{number(value(it, at))}</td> }.into_any());
            view! {
                <tr>
                    <th scope="row">{moments::stretch(shown.step, *time)}</th>
                    {cells.collect::<Vec<_>>()}
                </tr>
            }
            .into_any()
        });
        view! {
            <div class="table" tabindex="0" role="region" aria-label=title>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{t("admin.time")}</th>
                            {head.collect::<Vec<_>>()}
                        </tr>
                    </thead>
                    <tbody>{rows.collect::<Vec<_>>()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <button
            type="button"
            class="link as-table"
            aria-expanded=move || if open.get() { "true" } else { "false" }
            on:click=move |_| open.update(|open| *open = !*open)
        >
            {move || if open.get() { t("admin.hide_table") } else { t("admin.show_table") }}
            <span class="vh">": " {title}</span>
        </button>
        {live(rows)}
    }
}
