//! Short notices at the lower edge: who came and went, and what failed. They go away by themselves.

use crate::components::avatar::Avatar;
use crate::components::dialog::CloseButton;
use crate::components::drawing::List;
use crate::live::use_chat;
use crate::locale::{said, t, tf};
use crate::state::{Toast, ToastKind};
use leptos::prelude::*;

#[component]
pub fn Toasts() -> impl IntoView {
    let chat = use_chat();
    view! {
        <div class="toasts" role="status" aria-label=t("toast.region")>
            <List each=move || chat.toasts() key=|toast| toast.id.to_string() let:toast>
                <Notice toast />
            </List>
        </div>
    }
}

#[component]
fn Notice(toast: Toast) -> impl IntoView {
    let chat = use_chat();
    let id = toast.id;
    let about = |key: &'static str, name: &str| tf(key, &[("name", name)]);
    let (who, online, text, failed) = match toast.kind {
        ToastKind::Joined { user, .. } => {
            let text = about("toast.joined", user.display_name.as_str());
            let online = !user.bot;
            (Some(user), online, text, false)
        }
        ToastKind::Left { user, .. } => {
            let text = about("toast.left", user.display_name.as_str());
            (Some(user), false, text, false)
        }
        ToastKind::CameOnline { user } => {
            let text = about("toast.online", user.display_name.as_str());
            (Some(user), true, text, false)
        }
        ToastKind::WentOffline { user } => {
            let text = about("toast.offline", user.display_name.as_str());
            (Some(user), false, text, false)
        }
        ToastKind::RoomGone { name } => (None, false, about("toast.room_gone", &name), false),
        ToastKind::Told(text) => (None, false, text, false),
        ToastKind::Failed(text) => (None, false, said(&text), true),
    };
    let plain = who.is_none();
    view! {
        <div class="toast" class:plain=plain class:failure=failed data-testid="toast">
            {who.map(|user| view! { <Avatar face=&user online=Signal::stored(online) size="small" /> }.into_any())}
            <span>{text}</span>
            {failed
                .then(|| {
                    let close = Callback::new(move |()| chat.dismiss(id));
                    view! { <CloseButton label=t("toast.close") on_close=close /> }.into_any()
                })}
        </div>
    }
}
