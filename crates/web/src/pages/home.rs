//! Where one lands without a room: a greeting, and the ways from here.

use super::shell::{Banner, Frame, Page};
use super::title;
use crate::components::drawing::Show;
use crate::components::icon::Mark;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::place;
use leptos::prelude::*;

#[component]
pub fn Home() -> impl IntoView {
    let chat = use_chat();
    let frame = Frame::take();
    title(String::new);
    let name = move || chat.me().map(|me| me.display_name.to_string()).unwrap_or_default();
    view! {
        <Page>
            <Banner />
            <div class="empty welcome">
                <Mark />
                <h1>{t("home.heading")}</h1>
                <p>{move || tf("home.text", &[("name", &name())])}</p>
                <div class="ways">
                    <Show
                        when=move || !chat.is_guest()
                        fallback=|| {
                            view! {
                                <a class="btn main" href=place::KEEP>
                                    {t("keep.heading")}
                                </a>
                            }
                        }
                    >
                        <a class="btn main" href=place::BROWSE>
                            {t("home.browse")}
                        </a>
                        <button type="button" class="btn" on:click=move |_| frame.open_new_room()>
                            {t("home.new_room")}
                        </button>
                        <button type="button" class="btn" on:click=move |_| frame.open_jump()>
                            {t("home.find")}
                        </button>
                    </Show>
                </div>
            </div>
        </Page>
    }
}
