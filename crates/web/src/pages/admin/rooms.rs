//! All rooms of the server, also private and archived ones: what they are, never what was written in them.

use super::searched::{Found, Searched};
use crate::api::admin;
use crate::components::drawing::List;
use crate::components::icon::{Icon, Sign};
use crate::components::moment::day_and_clock;
use crate::live::use_chat;
use crate::locale::{t, tf, tn};
use crate::plot::number;
use leptos::prelude::*;
use natter_shared::admin::AdminRoom;
use natter_shared::room::Visibility;

#[component]
pub fn Rooms() -> impl IntoView {
    let chat = use_chat();
    let found = Found::new(move |q, cursor| async move { admin::rooms(&chat.api(), q, cursor).await });
    view! {
        <Searched found label=t("admin.search_rooms") none=("admin.no_rooms", "admin.no_rooms_text")>
            <ul class="cards" aria-label=t("admin.rooms")>
                <List
                    each=move || found.items.get()
                    key=|it: &AdminRoom| format!("{} {} {:?}", it.room.id, it.head, it.room)
                    let:it
                >
                    <Line it />
                </List>
            </ul>
        </Searched>
    }
}

#[component]
fn Line(it: AdminRoom) -> impl IntoView {
    let AdminRoom { room, head } = it;
    let private = room.visibility == Visibility::Private;
    let members = usize::try_from(room.member_count).unwrap_or(usize::MAX);
    let entries = if head.get() == 1 { "admin.entry" } else { "admin.entries" };
    let entries = tf(entries, &[("n", &number(head.get()))]);
    let tags = [(private, t("new_room.private"), ""), (room.archived, t("admin.is_archived"), "trouble")];
    let tags = tags.into_iter().filter(|(is, ..)| *is);
    let tags = tags.map(|(_, name, class)| view! { <span class=format!("tag {class}")>{name}</span> }.into_any());
    view! {
        <li class="row-card" data-testid="admin-room">
            <Sign icon=if private { Icon::Lock } else { Icon::Hash } />
            <div class="grow">
                <b class="name">{room.name.to_string()}</b>
                " "
                {tags.collect::<Vec<_>>()}
                <p class="soft">{room.topic.to_string()}</p>
                <p class="soft">{tf("admin.since", &[("when", &day_and_clock(room.created_at))])}</p>
            </div>
            <div class="figures">
                <span>{tn("browse.members.one", "browse.members.other", members)}</span>
                <span class="soft">{entries}</span>
            </div>
        </li>
    }
}
