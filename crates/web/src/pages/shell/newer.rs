//! That there is a newer version of the page: said quietly, and taken when the person wants it.

use crate::components::dialog::CloseButton;
use crate::components::drawing::Show;
use crate::live::use_chat;
use crate::locale::t;
use leptos::prelude::*;

#[component]
pub fn Newer() -> impl IntoView {
    let chat = use_chat();
    let put_away = RwSignal::new(false);
    let close = Callback::new(move |()| put_away.set(true));
    view! {
        <div class="newer" role="status">
            <Show when=move || chat.is_newer() && !put_away.get()>
                <div class="toast plain" data-testid="newer">
                    <span>{t("newer.text")}</span>
                    <button type="button" class="btn" on:click=move |_| chat.take_newer()>
                        {t("newer.reload")}
                    </button>
                    <CloseButton label=t("newer.later") on_close=close />
                </div>
            </Show>
        </div>
    }
}
