//! An image as large as the window allows, with those beside it in the same message.

use crate::components::dialog::{CloseButton, Dialog};
use crate::components::drawing::live;
use crate::components::icon::{Icon, Sign};
use crate::components::image::{Loaded, image_at};
use crate::locale::{t, tf};
use leptos::prelude::*;
use natter_shared::id::FileId;
use natter_shared::path;

#[component]
pub fn Lightbox(ids: Vec<FileId>, at: usize, on_close: Callback<()>) -> impl IntoView {
    let count = ids.len();
    let ids = StoredValue::new(ids);
    let place = RwSignal::new(at.min(count.saturating_sub(1)));
    let go = move |by: usize| place.update(|place| *place = (*place + by) % count.max(1));
    let keys = move |ev: web_sys::KeyboardEvent| match ev.key().as_str() {
        "ArrowRight" => go(1),
        "ArrowLeft" => go(count.saturating_sub(1)),
        _ => {}
    };
    let image = live(move || {
        let Some(id) = ids.with_value(|ids| ids.get(place.get()).copied()) else { return ().into_any() };
        let (width, height) = id.size();
        let loaded = image_at(&path::file(id));
        live(move || match loaded.get() {
            Loaded::Here(url) => view! {
                <img
                    src=url.clone()
                    alt=t("image.large")
                    width=width.to_string()
                    height=height.to_string()
                    data-testid="large-picture"
                />
                <a class="btn" href=url download=format!("{id}")>
                    {t("image.save")}
                </a>
            }
            .into_any(),
            Loaded::Coming => view! { <i class="spin" role="status" aria-label=t("image.coming")></i> }.into_any(),
            Loaded::Failed => view! { <p role="alert">{t("image.failed_large")}</p> }.into_any(),
        })
    });
    let steps = move || {
        (count > 1).then(|| {
            let text = move || {
                let (here, all) = ((place.get() + 1).to_string(), count.to_string());
                tf("image.place", &[("here", &here), ("all", &all)])
            };
            view! {
                <button type="button" class="icon back" aria-label=t("image.before") on:click=move |_| go(count - 1)>
                    <Sign icon=Icon::Down />
                </button>
                <span role="status">{text}</span>
                <button type="button" class="icon on" aria-label=t("image.after") on:click=move |_| go(1)>
                    <Sign icon=Icon::Down />
                </button>
            }
        })
    };
    // A click beside the image, and beside the buttons, closes.
    let beside = move |ev: web_sys::MouseEvent| {
        if ev.target() == ev.current_target() {
            on_close.run(());
        }
    };
    view! {
        <Dialog label=t("image.large") class="lightbox" on_close>
            <div class="large-view" on:keydown=keys on:click=beside>
                {image}
                <div class="steps">{steps()}</div>
                <CloseButton label=t("form.close") on_close />
            </div>
        </Dialog>
    }
}
