//! Modal dialogs and small ones that stand beside what opened them. The browser's own `<dialog>` traps the focus and hears
//! Esc; here the focus goes back to where it was, and a click outside closes.

use crate::components::icon::{Icon, Sign};
use crate::locale::t;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Where a small dialog stands: the edges of what opened it, in CSS pixels from the window's corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Anchor {
    /// The place of the element that an event came to.
    pub fn of(event: &web_sys::Event) -> Option<Self> {
        let element = event.current_target()?.dyn_into::<web_sys::Element>().ok()?;
        let rect = element.get_bounding_client_rect();
        Some(Self { left: rect.left(), right: rect.right(), top: rect.top(), bottom: rect.bottom() })
    }
}

/// Space that stays free around a small dialog, in CSS pixels.
const MARGIN: f64 = 8.0;

/// A length for a style. The browser spells numbers with a point by itself; Rust's way to do it is 10 KB of the page.
fn pixels(length: f64) -> String {
    let length = js_sys::Number::from(length).to_string_with_radix(10).map_or_else(|_| String::new(), String::from);
    length + "px"
}

/// Below its anchor if there is room, else above; within the window in any case.
fn place(dialog: &web_sys::HtmlDialogElement, anchor: Anchor) {
    let size = |value: Result<wasm_bindgen::JsValue, _>| value.ok().and_then(|value| value.as_f64()).unwrap_or(0.0);
    let (width, height) = (size(window().inner_width()), size(window().inner_height()));
    let own = dialog.get_bounding_client_rect();
    // The side that is nearer to the window's edge is the side that lines up.
    let left = if anchor.left + anchor.right > width { anchor.right - own.width() } else { anchor.left };
    let left = left.min(width - own.width() - MARGIN).max(MARGIN);
    let below = anchor.bottom + MARGIN / 2.0;
    let top = if below + own.height() + MARGIN <= height { below } else { anchor.top - own.height() - MARGIN / 2.0 };
    let style = web_sys::HtmlElement::style(dialog);
    let _ = style.set_property("left", &pixels(left));
    let _ = style.set_property("top", &pixels(top.max(MARGIN)));
}

/// Shows its children above everything else for as long as it is drawn; whoever draws it takes it away on `on_close`.
#[component]
pub fn Dialog(
    /// Its name, for screen readers; the visible heading is the children's.
    #[prop(into)]
    label: String,
    on_close: Callback<()>,
    /// `pop` for a small one beside its anchor, `jump` for the switcher, nothing for an ordinary one.
    #[prop(optional)]
    class: &'static str,
    #[prop(optional_no_strip)] anchor: Option<Anchor>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let before = document().active_element().and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    let before = StoredValue::new_local(before);
    let shown = StoredValue::new_local(None::<web_sys::HtmlDialogElement>);
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if !dialog.open() {
            let _ = dialog.show_modal();
            shown.set_value(Some(dialog.clone()));
            if let Some(anchor) = anchor {
                place(&dialog, anchor);
            }
        }
    });
    on_cleanup(move || {
        // As long as it is open nothing outside of it takes the focus.
        if let Some(dialog) = shown.try_get_value().flatten() {
            dialog.close();
        }
        if let Some(element) = before.try_get_value().flatten().filter(|element| element.is_connected()) {
            let _ = element.focus();
        }
    });
    let outside = move |ev: &web_sys::MouseEvent| {
        let Some(dialog) = node.get_untracked() else { return false };
        let rect = dialog.get_bounding_client_rect();
        let (x, y) = (f64::from(ev.client_x()), f64::from(ev.client_y()));
        // A key press on a button inside counts as a click at 0, 0; only the dialog's own ground is outside.
        let own = ev.target().is_some_and(|target| target.loose_eq(dialog.as_ref()));
        own && (x < rect.left() || x > rect.right() || y < rect.top() || y > rect.bottom())
    };
    view! {
        <dialog
            class=class
            aria-label=label
            node_ref=node
            on:cancel=move |ev: web_sys::Event| {
                ev.prevent_default();
                on_close.run(());
            }
            on:keydown=move |ev| {
                // Also out of a search field, which would empty itself first.
                if ev.key() == "Escape" && !ev.is_composing() {
                    ev.stop_propagation();
                    ev.prevent_default();
                    on_close.run(());
                }
            }
            on:mousedown=move |ev| {
                if outside(&ev) {
                    on_close.run(());
                }
            }
        >
            {children()}
        </dialog>
    }
}

/// Asks before something that can't be undone.
#[component]
pub fn Confirm(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// What the button that does it says.
    #[prop(into)]
    act: String,
    #[prop(into)] busy: Signal<bool>,
    on_act: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog label=title.clone() on_close>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="row-btns">
                <button type="button" class="btn" on:click=move |_| on_close.run(())>
                    {t("form.cancel")}
                </button>
                <button
                    type="button"
                    class="btn bad main"
                    aria-busy=move || if busy.get() { "true" } else { "false" }
                    disabled=busy
                    on:click=move |_| on_act.run(())
                >
                    {act}
                </button>
            </div>
        </Dialog>
    }
}

/// The row below what is only looked at: the button that closes.
#[component]
pub fn CloseRow(on_close: Callback<()>) -> impl IntoView {
    view! {
        <div class="row-btns">
            <button type="button" class="btn" on:click=move |_| on_close.run(())>
                {t("form.close")}
            </button>
        </div>
    }
}

/// The cross that closes.
#[component]
pub fn CloseButton(#[prop(into)] label: String, on_close: Callback<()>) -> impl IntoView {
    view! {
        <button type="button" class="icon" aria-label=label on:click=move |_| on_close.run(())>
            <Sign icon=Icon::Close />
        </button>
    }
}
