//! What a room is called, what it is about and who can come in: the form for a new room and for one that is there.

use super::failure::{Failure, refused};
use crate::api::ApiError;
use crate::components::field::{Errors, Segmented, TextField};
use crate::components::form::{Submit, on_submit};
use crate::locale::t;
use leptos::prelude::*;
use natter_shared::error::{ErrorCode, Fields};
use natter_shared::room::Visibility;

const ORDER: &[&str] = &["name", "topic"];

/// The form as far as it is filled in, and what is wrong with it.
#[derive(Clone, Copy)]
pub struct RoomDraft {
    pub name: RwSignal<String>,
    pub topic: RwSignal<String>,
    pub visibility: RwSignal<Visibility>,
    errors: Errors,
    failed: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
}

impl RoomDraft {
    pub fn new(name: String, topic: String, visibility: Visibility) -> Self {
        Self {
            name: RwSignal::new(name),
            topic: RwSignal::new(topic),
            visibility: RwSignal::new(visibility),
            errors: Errors::new(),
            failed: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// Begins to send what `read` makes of the form; `None` if it is on its way already, or if something is wrong with it.
    pub fn begin<T>(self, read: impl FnOnce() -> Result<T, Fields>) -> Option<T> {
        if self.busy.get_untracked() {
            return None;
        }
        self.failed.set(None);
        match read() {
            Ok(form) => {
                self.busy.set(true);
                Some(form)
            }
            Err(fields) => {
                self.errors.show(fields, ORDER);
                None
            }
        }
    }

    /// The server did not take it.
    pub fn refused(self, error: ApiError) {
        self.busy.try_set(false);
        refused(error, (ErrorCode::RoomNameTaken, "name"), self.errors, ORDER, self.failed);
    }
}

#[component]
pub fn RoomFields(
    draft: RoomDraft,
    /// Whether the choice of who can come in is explained.
    #[prop(optional)]
    explained: bool,
    /// What the button that sends it says.
    act: &'static str,
    submit: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let RoomDraft { name, topic, visibility, errors, failed, busy } = draft;
    let hint = move || match visibility.get() {
        Visibility::Public => t("new_room.public_hint"),
        Visibility::Private => t("new_room.private_hint"),
    };
    view! {
        <form class="form" novalidate on:submit=on_submit(submit)>
            <Failure failed submit />
            <TextField
                name="name"
                label=t("new_room.name")
                value=name
                error=errors.of("name")
                changed=Callback::new(move |_| errors.set("name", None))
            />
            <TextField
                name="topic"
                label=t("new_room.topic")
                optional=true
                value=topic
                error=errors.of("topic")
                changed=Callback::new(move |_| errors.set("topic", None))
            />
            <div>
                <Segmented
                    name="visibility"
                    legend=t("new_room.visibility")
                    value=visibility
                    choices=vec![
                        (Visibility::Public, t("new_room.public")),
                        (Visibility::Private, t("new_room.private")),
                    ]
                />
                {explained.then(|| view! { <p class="note">{hint}</p> }.into_any())}
            </div>
            <div class="row-btns">
                <button type="button" class="btn" on:click=move |_| on_close.run(())>
                    {t("form.cancel")}
                </button>
                <Submit busy text=act />
            </div>
        </form>
    }
}
