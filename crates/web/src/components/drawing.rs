//! What changes on the page, in the few shapes that it changes in: a view that is drawn anew, a part that comes and goes,
//! a list. Leptos has its own of each, made anew for every closure and every type; these are made once for all, which is
//! a tenth of the page.

use crate::components::memo::Memo;
use leptos::prelude::*;
use std::sync::{Arc, Mutex};

/// A view that is drawn anew whenever what it reads changes.
pub fn live(draw: impl FnMut() -> AnyView + Send + 'static) -> AnyView {
    let draw: Arc<Mutex<dyn FnMut() -> AnyView + Send>> = Arc::new(Mutex::new(draw));
    draw.into_any()
}

/// Shows its children as long as `when` holds, else `fallback`.
#[component]
pub fn Show(
    #[prop(into)] when: Signal<bool>,
    #[prop(optional, into)] fallback: ViewFn,
    children: ChildrenFn,
) -> AnyView {
    let shown = Memo::new(move || when.get());
    live(move || if shown.get() { children() } else { fallback.run() })
}

/// An item of a list: what it is known by, and how it is drawn.
struct Item {
    key: String,
    draw: Box<dyn FnOnce() -> AnyView + Send>,
}

/// Draws each item once; one whose key is still there stays as it is.
#[component]
pub fn List<T: Send + 'static, N: IntoView + 'static>(
    each: impl Fn() -> Vec<T> + Send + 'static,
    /// Says everything that an item is drawn from and does not follow by itself.
    key: impl Fn(&T) -> String + Send + 'static,
    children: impl Fn(T) -> N + Clone + Send + 'static,
) -> AnyView {
    list(Box::new(move || {
        let item = |item| {
            let (key, children) = (key(&item), children.clone());
            Item { key, draw: Box::new(move || children(item).into_any()) }
        };
        each().into_iter().map(item).collect()
    }))
}

fn list(each: Box<dyn Fn() -> Vec<Item> + Send>) -> AnyView {
    view! { <For each key=|item| item.key.clone() children=|item| (item.draw)() /> }.into_any()
}
