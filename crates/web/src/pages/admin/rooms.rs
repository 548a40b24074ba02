//! All rooms of the server, also private and archived ones: what they are, never what was written in them.

use super::users::Search;
use super::{More, failure};
use crate::api::{ApiError, admin};
use crate::components::drawing::{List, Show};
use crate::components::icon::{Icon, Sign};
use crate::components::moment::day_and_clock;
use crate::components::notice::{Empty, ListSkeleton};
use crate::live::use_chat;
use crate::locale::{t, tf, tn};
use crate::plot::number;
use leptos::prelude::*;
use natter_shared::admin::AdminRoom;
use natter_shared::room::Visibility;
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Rooms() -> impl IntoView {
    let chat = use_chat();
    let wanted = RwSignal::new(String::new());
    let state = RwSignal::new(None::<Result<(), ApiError>>);
    let items = RwSignal::new(Vec::<AdminRoom>::new());
    let cursor = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let generation = StoredValue::new(0_u32);
    let ask = Callback::new(move |more: bool| {
        generation.update_value(|it| *it += 1);
        let mine = generation.get_value();
        let q = Some(wanted.with_untracked(|text| text.trim().to_owned())).filter(|text| !text.is_empty());
        let after = cursor.get_untracked().filter(|_| more);
        busy.set(true);
        spawn_local(async move {
            let answer = admin::rooms(&chat.api(), q, after).await;
            if generation.try_get_value() != Some(mine) {
                return;
            }
            busy.set(false);
            match answer {
                Ok(page) => {
                    cursor.set(page.cursor);
                    items.update(|items| {
                        if !more {
                            items.clear();
                        }
                        items.extend(page.items);
                    });
                    state.set(Some(Ok(())));
                }
                Err(error) if more => chat.complain(&error),
                Err(error) => state.set(Some(Err(error))),
            }
        });
    });
    let again = Callback::new(move |()| ask.run(false));
    again.run(());
    view! {
        <Search label=t("admin.search_rooms") wanted again />
        {move || match state.get() {
            None => view! { <ListSkeleton rows=6 /> }.into_any(),
            Some(Err(error)) => failure(&error, again),
            Some(Ok(())) => ().into_any(),
        }}
        <ul class="cards" aria-label=t("admin.rooms")>
            <List each=move || items.get() key=|it: &AdminRoom| format!("{} {} {:?}", it.room.id, it.head, it.room) let:it>
                <Line it />
            </List>
        </ul>
        <Show when=move || matches!(state.get(), Some(Ok(()))) && items.with(Vec::is_empty)>
            <Empty title=t("admin.no_rooms") text=t("admin.no_rooms_text") />
        </Show>
        <More cursor busy on_more=Callback::new(move |()| ask.run(true)) />
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
