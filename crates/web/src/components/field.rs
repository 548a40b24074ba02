//! Form fields: each with its label, its note beside it, and what is wrong with it said to eyes and screen readers alike.

use crate::components::icon::{Icon, Sign};
use crate::locale::{said, t};
use leptos::prelude::*;
use natter_shared::account::Gender;
use natter_shared::error::Fields;
use wasm_bindgen::JsCast;

/// What is wrong with which field of a form.
#[derive(Clone, Copy)]
pub struct Errors(RwSignal<Fields>);

impl Errors {
    pub fn new() -> Self {
        Self(RwSignal::new(Fields::new()))
    }

    pub fn of(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.0.with(|fields| fields.get(name).map(|why| said(why))))
    }

    /// Replaces everything, and puts the cursor into the first bad field of those in `order`.
    pub fn show(self, fields: Fields, order: &[&str]) {
        let first = order.iter().find(|name| fields.contains_key(**name)).map(|name| (*name).to_owned());
        self.0.set(fields);
        if let Some(name) = first {
            focus(&name);
        }
    }

    /// Says or takes back what is wrong with one field.
    pub fn set(self, name: &str, why: Option<String>) {
        if self.0.with_untracked(|fields| fields.get(name) != why.as_ref()) {
            self.0.update(|fields| match why {
                Some(why) => {
                    fields.insert(name.to_owned(), why);
                }
                None => {
                    fields.remove(name);
                }
            });
        }
    }

    /// Everything that is wrong so far.
    pub fn all(self) -> Fields {
        self.0.get_untracked()
    }

    pub fn clear(self) {
        self.0.set(Fields::new());
    }
}

impl Default for Errors {
    fn default() -> Self {
        Self::new()
    }
}

/// Puts the cursor into an element after what is drawn now has been drawn.
pub fn focus(id: &str) {
    let id = id.to_owned();
    request_animation_frame(move || {
        let element =
            document().get_element_by_id(&id).and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(element) = element {
            let _ = element.focus();
        }
    });
}

/// A line of text.
#[component]
pub fn TextField(
    /// The form's name for it, which is also its id.
    name: &'static str,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(into)] error: Signal<Option<String>>,
    /// Said while nothing is wrong.
    #[prop(optional, into)]
    hint: Signal<String>,
    /// Whether the hint is good news.
    #[prop(optional, into)]
    good: Signal<bool>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] optional: bool,
    /// After each change, with the whole text.
    #[prop(optional, into)]
    changed: Option<Callback<String>>,
    /// When the cursor leaves it.
    #[prop(optional, into)]
    left: Option<Callback<()>>,
    /// How well a password resists guessing, drawn below the field.
    #[prop(optional)]
    score: Option<RwSignal<Option<u8>>>,
    /// Stands in the note after its text.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let note = format!("{name}-note");
    let secret = kind == "password";
    let shown = RwSignal::new(false);
    view! {
        <div class="field">
            <label for=name>{label} {optional.then(|| view! { <i>" " {t("form.optional")}</i> }.into_any())}</label>
            <div class:with-button=secret>
                <input
                    class="input"
                    id=name
                    name=name
                    type=move || if shown.get() { "text" } else { kind }
                    autocomplete=autocomplete
                    autocapitalize="off"
                    spellcheck="false"
                    aria-describedby=note.clone()
                    aria-invalid=move || if error.get().is_some() { "true" } else { "false" }
                    prop:value=value
                    on:input=move |ev| {
                        let text = event_target_value(&ev);
                        value.set(text.clone());
                        if let Some(changed) = changed {
                            changed.run(text);
                        }
                    }
                    on:blur=move |_| {
                        if let Some(left) = left {
                            left.run(());
                        }
                    }
                />
                {secret
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="icon"
                                aria-label=move || if shown.get() { t("form.hide_password") } else { t("form.show_password") }
                                on:click=move |_| shown.update(|shown| *shown = !*shown)
                            >
                                {move || {
                                    let icon = if shown.get() { Icon::EyeOff } else { Icon::Eye };
                                    view! { <Sign icon /> }
                                }}
                            </button>
                        }
                            .into_any()
                    })}
            </div>
            {score.map(|score| view! { <Meter score /> }.into_any())}
            <div
                class="note"
                class:bad=move || error.get().is_some()
                class:ok=move || error.get().is_none() && good.get()
                id=note
                aria-live="polite"
            >
                {move || error.get().unwrap_or_else(|| hint.get())}
                {children.map(|children| children())}
            </div>
        </div>
    }
}

/// A choice of few, drawn as one bar. `T` names the choice.
#[component]
pub fn Segmented<T: Copy + PartialEq + Send + Sync + 'static>(
    name: &'static str,
    #[prop(into)] legend: String,
    value: RwSignal<T>,
    choices: Vec<(T, &'static str)>,
    #[prop(optional)] hint: &'static str,
    #[prop(optional, into)] changed: Option<Callback<T>>,
) -> impl IntoView {
    let options = choices.into_iter().map(|(choice, label)| {
        view! {
            <label>
                <input
                    type="radio"
                    name=name
                    prop:checked=move || value.get() == choice
                    on:change=move |_| {
                        value.set(choice);
                        if let Some(changed) = changed {
                            changed.run(choice);
                        }
                    }
                />
                {label}
            </label>
        }
        .into_any()
    });
    view! {
        <fieldset class="field">
            <legend>{legend}</legend>
            <div class="seg">{options.collect::<Vec<_>>()}</div>
            {(!hint.is_empty()).then(|| view! { <div class="note">{hint}</div> }.into_any())}
        </fieldset>
    }
}

/// The choice of the drawn picture.
#[component]
pub fn GenderField(value: RwSignal<Option<Gender>>, #[prop(optional)] unsaid: bool) -> impl IntoView {
    let mut choices = vec![
        (Some(Gender::Female), t("gender.female")),
        (Some(Gender::Male), t("gender.male")),
        (Some(Gender::Other), t("gender.other")),
    ];
    if unsaid {
        choices.push((None, t("gender.unsaid")));
    }
    view! { <Segmented name="gender" legend=t("gender.label") value choices hint=t("gender.hint") /> }
}

/// How well a password resists guessing: zxcvbn's score, 0 to 4, in four parts.
#[component]
fn Meter(score: RwSignal<Option<u8>>) -> impl IntoView {
    let part = move |at: u8| view! { <i class:on=move || score.get().is_some_and(|score| score >= at)></i> };
    view! {
        <div
            class="meter"
            data-testid="password-meter"
            data-score=move || score.get().map_or_else(String::new, |score| score.to_string())
            aria-hidden="true"
        >
            {part(1)}
            {part(2)}
            {part(3)}
            {part(4)}
        </div>
    }
}
