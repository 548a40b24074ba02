//! An image of the server. It is fetched with the person's login by whoever keeps the images (`live/images.rs`); here it is
//! shown, with its place kept free while it comes.

use crate::components::drawing::live;
use crate::locale::t;
use leptos::prelude::*;

/// How far an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    Coming,
    /// The browser's own URL for it.
    Here(String),
    Failed,
}

/// Where images come from: takes a server's path and says how far it is, for as long as it is not given back.
#[derive(Clone, Copy)]
pub struct ImageSource {
    pub take: Callback<String, ArcRwSignal<Loaded>>,
    pub give_back: Callback<String>,
    pub again: Callback<String>,
}

/// How far the image at a path is, while whoever asks is drawn.
pub fn image_at(path: &str) -> ArcRwSignal<Loaded> {
    let source = expect_context::<ImageSource>();
    let loaded = source.take.run(path.to_owned());
    let path = path.to_owned();
    on_cleanup(move || source.give_back.run(path.clone()));
    loaded
}

/// The image, or what stands in its place: a grey ground while it comes, and a way to try again if it does not.
#[component]
pub fn Image(#[prop(into)] path: String, #[prop(into)] alt: String) -> impl IntoView {
    let loaded = image_at(&path);
    let source = expect_context::<ImageSource>();
    live(move || match loaded.get() {
        Loaded::Here(url) => view! { <img src=url alt=alt.clone() draggable="false" /> }.into_any(),
        Loaded::Coming => view! { <i class="coming" role="img" aria-label=t("image.coming")></i> }.into_any(),
        Loaded::Failed => {
            let path = path.clone();
            // Inside a button there is no other one: a click anywhere on it comes here first.
            let again = move |ev: web_sys::MouseEvent| {
                ev.stop_propagation();
                source.again.run(path.clone());
            };
            view! {
                <span class="broken" on:click=again>
                    {t("image.failed")}
                </span>
            }
            .into_any()
        }
    })
}
