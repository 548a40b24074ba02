//! Deleting one's account. What goes and what stays is said before, and the password is asked for.

use super::Panel;
use crate::api::ApiError;
use crate::components::dialog::Dialog;
use crate::components::drawing::Show;
use crate::components::field::{Errors, TextField};
use crate::components::form::{Submit, on_submit};
use crate::components::notice::Alert;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::Go;
use crate::pages::failure::Failure;
use crate::place;
use leptos::prelude::*;
use natter_shared::account::AccountDeletion;
use natter_shared::error::{ErrorCode, Fields};
use natter_shared::text::Password;
use wasm_bindgen_futures::spawn_local;

/// The field is called otherwise than that of the form for another password, which stands on the same page.
const FIELD: &str = "deletion_password";

#[component]
pub fn DeletionPart() -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <Panel heading=t("deletion.heading") text=t("deletion.intro")>
            <button type="button" class="btn bad" on:click=move |_| open.set(true)>
                {t("deletion.open")}
            </button>
        </Panel>
        <Show when=move || open.get()>
            <Question on_close=Callback::new(move |()| open.set(false)) />
        </Show>
    }
}

#[component]
fn Question(on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let guest = untrack(|| chat.is_guest());
    let admin = untrack(|| chat.is_admin());
    let password = RwSignal::new(String::new());
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    // The rooms that would be left without an owner.
    let owned = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        owned.set(None);
        if !guest && password.with_untracked(String::is_empty) {
            errors.show(Fields::from([(FIELD.to_owned(), t("deletion.password_missing").to_owned())]), &[FIELD]);
            return;
        }
        let typed = (!guest).then(|| Password::from_typed(password.get_untracked()));
        busy.set(true);
        spawn_local(async move {
            let answer = chat.delete_account(AccountDeletion { password: typed }).await;
            busy.try_set(false);
            match answer {
                Ok(()) => go.replace(place::LOGIN),
                Err(error) if error.code() == Some(ErrorCode::LastOwner) => {
                    owned.try_set(Some(error.field("rooms").unwrap_or_default()));
                }
                Err(error) => match error.field("password") {
                    Some(why) => errors.show(Fields::from([(FIELD.to_owned(), why)]), &[FIELD]),
                    None => {
                        failed.try_set(Some(error));
                    }
                },
            }
        });
    });
    view! {
        <Dialog label=t("deletion.title") on_close>
            <h2>{t("deletion.title")}</h2>
            <div class="explained">
                <p>{t("deletion.goes")}</p>
                <p>{t("deletion.stays")}</p>
                {admin.then(|| view! { <p>{t("deletion.admin")}</p> }.into_any())}
                <p>
                    <b>{t("deletion.for_good")}</b>
                </p>
            </div>
            <form class="form" novalidate on:submit=on_submit(submit)>
                <Failure failed submit />
                {move || {
                    let rooms = owned.get()?;
                    let text = tf("deletion.last_owner", &[("rooms", &rooms)]);
                    Some(view! { <Alert text /> }.into_any())
                }}
                {(!guest)
                    .then(|| {
                        view! {
                            <TextField
                                name=FIELD
                                label=t("field.password")
                                value=password
                                error=errors.of(FIELD)
                                kind="password"
                                autocomplete="current-password"
                                changed=Callback::new(move |_| errors.set(FIELD, None))
                            />
                        }
                            .into_any()
                    })}
                <div class="row-btns">
                    <button type="button" class="btn" on:click=move |_| on_close.run(())>
                        {t("form.cancel")}
                    </button>
                    <Submit busy text=t("deletion.act") class="btn bad main" />
                </div>
            </form>
        </Dialog>
    }
}
