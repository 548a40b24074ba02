//! One's own picture: choosing an image, cutting a square out of it, and having the drawn one again.

use crate::api::{ApiError, accounts, upload};
use crate::components::avatar::Avatar;
use crate::components::dialog::Dialog;
use crate::components::drawing::live;
use crate::components::notice::Alert;
use crate::live::use_chat;
use crate::locale::t;
use leptos::html;
use leptos::prelude::*;
use natter_shared::account::Me;
use natter_shared::limits::AVATAR_SIDE;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;

/// The side of the square that is cut out, in pixels.
const SIDE: f64 = AVATAR_SIDE as f64;
/// How far one may go in.
const ZOOM: f64 = 4.0;
/// An arrow key moves the image by so many pixels of the square.
const STEP: f64 = 8.0;

/// The part of an image that the square shows: how much larger than to fit, and where its middle lies in the image, each
/// from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    zoom: f64,
    x: f64,
    y: f64,
}

impl Cut {
    const MIDDLE: Self = Self { zoom: 1.0, x: 0.5, y: 0.5 };

    /// The side of the part in the image's own pixels.
    fn side(self, (width, height): (f64, f64)) -> f64 {
        width.min(height) / self.zoom
    }

    /// The same part, kept within the image.
    fn within(self, size: (f64, f64)) -> Self {
        let half = self.side(size) / 2.0;
        let keep = |at: f64, length: f64| at.clamp(half / length, 1.0 - half / length);
        Self { x: keep(self.x, size.0), y: keep(self.y, size.1), ..self }
    }

    /// Moved by so many pixels of the square.
    fn moved(self, size: (f64, f64), (x, y): (f64, f64)) -> Self {
        let scale = self.side(size) / SIDE;
        Self { x: self.x - x * scale / size.0, y: self.y - y * scale / size.1, ..self }.within(size)
    }
}

#[component]
pub fn Picture() -> impl IntoView {
    let chat = use_chat();
    let input = NodeRef::<html::Input>::new();
    let chosen = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let changed = Callback::new(move |me: Me| {
        chat.renamed(me.user);
        chat.tell(t("settings.saved"));
    });
    let choose = move |ev: web_sys::Event| {
        let Some(input) = ev.target().and_then(|it| it.dyn_into::<web_sys::HtmlInputElement>().ok()) else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            chosen.set(web_sys::Url::create_object_url_with_blob(&file).ok());
        }
        input.set_value("");
    };
    let close = Callback::new(move |()| {
        if let Some(url) = chosen.get_untracked() {
            let _ = web_sys::Url::revoke_object_url(&url);
        }
        chosen.set(None);
    });
    on_cleanup(move || close.run(()));
    let drop_it = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = accounts::drop_avatar(&chat.api()).await;
            busy.try_set(false);
            match answer {
                Ok(me) => changed.run(me),
                Err(error) => chat.complain(&error),
            }
        });
    };
    let face = live(move || match chat.me() {
        Some(me) => view! { <Avatar face=&me size="large" /> }.into_any(),
        None => ().into_any(),
    });
    let has_own = move || chat.me().is_some_and(|me| me.avatar_url.is_some());
    view! {
        <div class="own-picture" data-testid="own-picture">
            {face}
            <div class="row-btns">
                <input
                    type="file"
                    class="vh"
                    tabindex="-1"
                    aria-hidden="true"
                    data-testid="picture-chooser"
                    accept="image/png,image/jpeg,image/gif,image/webp"
                    node_ref=input
                    on:change=choose
                />
                <button
                    type="button"
                    class="btn"
                    on:click=move |_| {
                        if let Some(input) = input.get_untracked() {
                            input.click();
                        }
                    }
                >
                    {t("picture.choose")}
                </button>
                {live(move || {
                    if has_own() {
                        view! {
                            <button type="button" class="btn" disabled=busy on:click=drop_it>
                                {t("picture.drop")}
                            </button>
                        }
                            .into_any()
                    } else {
                        ().into_any()
                    }
                })}
            </div>
        </div>
        {live(move || match chosen.get() {
            Some(url) => view! { <Cutter url on_done=changed on_close=close /> }.into_any(),
            None => ().into_any(),
        })}
    }
}

fn draw(canvas: &web_sys::HtmlCanvasElement, image: &web_sys::HtmlImageElement, cut: Cut) -> Option<()> {
    let context = canvas.get_context("2d").ok()??.dyn_into::<web_sys::CanvasRenderingContext2d>().ok()?;
    let (width, height) = size_of(image);
    let side = cut.side((width, height));
    let (x, y) = (cut.x * width - side / 2.0, cut.y * height - side / 2.0);
    context.clear_rect(0.0, 0.0, SIDE, SIDE);
    context
        .draw_image_with_html_image_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            image, x, y, side, side, 0.0, 0.0, SIDE, SIDE,
        )
        .ok()
}

fn size_of(image: &web_sys::HtmlImageElement) -> (f64, f64) {
    (f64::from(image.natural_width().max(1)), f64::from(image.natural_height().max(1)))
}

/// Cuts a square out of an image: by dragging it, with the arrow keys, and with a slider for its size.
#[component]
fn Cutter(url: String, on_done: Callback<Me>, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let canvas = NodeRef::<html::Canvas>::new();
    let image = NodeRef::<html::Img>::new();
    let cut = RwSignal::new(Cut::MIDDLE);
    let held = RwSignal::new(None::<(f64, f64)>);
    let ready = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let cut = cut.get();
        if let (true, Some(canvas), Some(image)) = (ready.get(), canvas.get(), image.get_untracked()) {
            let _ = draw(&canvas, &image, cut);
        }
    });
    let shift = move |by: (f64, f64)| {
        if let Some(image) = image.get_untracked() {
            cut.update(|cut| *cut = cut.moved(size_of(&image), by));
        }
    };
    let at = |ev: &web_sys::PointerEvent| (f64::from(ev.client_x()), f64::from(ev.client_y()));
    let keys = move |ev: web_sys::KeyboardEvent| {
        let by = match ev.key().as_str() {
            "ArrowLeft" => (-STEP, 0.0),
            "ArrowRight" => (STEP, 0.0),
            "ArrowUp" => (0.0, -STEP),
            "ArrowDown" => (0.0, STEP),
            _ => return,
        };
        ev.prevent_default();
        shift(by);
    };
    let zoom = move |ev: web_sys::Event| {
        let zoom = event_target_value(&ev).parse().unwrap_or(1.0);
        if let Some(image) = image.get_untracked() {
            cut.update(|cut| *cut = Cut { zoom, ..*cut }.within(size_of(&image)));
        }
    };
    let save = move |_| {
        let Some(canvas) = canvas.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        busy.set(true);
        wrong.set(None);
        let send = Closure::once_into_js(move |blob: Option<web_sys::Blob>| {
            spawn_local(async move {
                let answer = match blob {
                    Some(blob) => upload::avatar(&chat.api(), &blob).await,
                    None => Err(ApiError::Unreachable),
                };
                busy.try_set(false);
                match answer {
                    Ok(me) => {
                        on_done.run(me);
                        on_close.run(());
                    }
                    Err(error) => {
                        wrong.try_set(Some(error.field("file").unwrap_or_else(|| error.message())));
                    }
                }
            });
        });
        if canvas.to_blob(send.unchecked_ref()).is_err() {
            busy.set(false);
            wrong.set(Some(t("picture.unreadable").to_owned()));
        }
    };
    view! {
        <Dialog label=t("picture.cut") on_close>
            <h2>{t("picture.cut")}</h2>
            <img
                class="gone"
                alt=""
                src=url
                node_ref=image
                on:load=move |_| ready.set(true)
                on:error=move |_| wrong.set(Some(t("picture.unreadable").to_owned()))
            />
            <canvas
                class="cut"
                width=AVATAR_SIDE.to_string()
                height=AVATAR_SIDE.to_string()
                tabindex="0"
                role="application"
                aria-label=t("picture.move")
                node_ref=canvas
                on:keydown=keys
                on:pointerdown=move |ev| {
                    if let Some(canvas) = canvas.get_untracked() {
                        let _ = canvas.set_pointer_capture(ev.pointer_id());
                    }
                    held.set(Some(at(&ev)));
                }
                on:pointermove=move |ev| {
                    if let Some(before) = held.get_untracked() {
                        let now = at(&ev);
                        held.set(Some(now));
                        shift((now.0 - before.0, now.1 - before.1));
                    }
                }
                on:pointerup=move |_| held.set(None)
                on:pointercancel=move |_| held.set(None)
            ></canvas>
            <label class="slider">
                {t("picture.zoom")} <input type="range" min="1" max=ZOOM.to_string() step="0.05" value="1" on:input=zoom />
            </label>
            {live(move || match wrong.get() {
                Some(text) => view! { <Alert text retry=None /> }.into_any(),
                None => ().into_any(),
            })}
            <div class="row-btns">
                <button type="button" class="btn" on:click=move |_| on_close.run(())>
                    {t("form.cancel")}
                </button>
                <button
                    type="button"
                    class="btn main"
                    disabled=move || busy.get() || !ready.get()
                    aria-busy=move || if busy.get() { "true" } else { "false" }
                    on:click=save
                >
                    {t("picture.save")}
                </button>
            </div>
        </Dialog>
    }
}
