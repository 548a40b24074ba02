//! Everybody who has an account, or is here as a guest: who they are, when they came last, and keeping them out.

use super::searched::{Found, Searched};
use crate::api::admin;
use crate::components::avatar::Avatar;
use crate::components::dialog::Confirm;
use crate::components::drawing::List;
use crate::components::memo::Memo;
use crate::components::moment::day_and_clock;
use crate::live::use_chat;
use crate::locale::{t, tf};
use leptos::prelude::*;
use natter_shared::admin::Account;
use wasm_bindgen_futures::spawn_local;

/// What is to be done with somebody, once the question is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Disable,
    Enable,
    SignOut,
}

#[derive(Clone, Copy)]
struct Accounts {
    items: RwSignal<Vec<Account>>,
    asked: RwSignal<Option<(Act, usize)>>,
}

#[component]
pub fn Users() -> impl IntoView {
    let chat = use_chat();
    let found = Found::new(move |q, cursor| async move { admin::users(&chat.api(), q, cursor).await });
    let list = Accounts { items: found.items, asked: RwSignal::new(None) };
    view! {
        <Searched found label=t("admin.search_users") none=("admin.no_users", "admin.no_users_text")>
            <ul class="cards" aria-label=t("admin.users")>
                <List
                    each=move || list.items.get().into_iter().enumerate().collect()
                    key=|(at, it): &(usize, Account)| {
                        format!("{at} {} {} {} {:?}", it.user.id, it.disabled, it.admin, it.last_login_at)
                    }
                    let((at, account))
                >
                    <Line list at account />
                </List>
            </ul>
        </Searched>
        {move || list.asked.get().map(|(act, at)| view! { <Question list act at /> }.into_any())}
    }
}

#[component]
fn Line(list: Accounts, at: usize, account: Account) -> impl IntoView {
    let chat = use_chat();
    let id = account.user.id;
    let online = Signal::derive(move || chat.online(id));
    let myself = Memo::new(move || chat.me().is_some_and(|me| me.id == id));
    let tags = [
        (account.admin, t("admin.is_admin"), "calm"),
        (account.user.guest, t("role.guest"), ""),
        (account.disabled, t("admin.is_disabled"), "trouble"),
    ];
    let tags = tags.into_iter().filter(|(is, ..)| *is);
    let tags = tags.map(|(_, name, class)| view! { <span class=format!("tag {class}")>{name}</span> }.into_any());
    let came = match account.last_login_at {
        Some(at) => tf("admin.last_login", &[("when", &day_and_clock(at))]),
        None => t("admin.no_login").to_owned(),
    };
    let ask = move |act| list.asked.set(Some((act, at)));
    let disabled = account.disabled;
    view! {
        <li class="row-card" data-testid="account" data-username=account.user.username.to_string()>
            <Avatar face=&account.user online />
            <div class="grow">
                <b class="name">{account.user.display_name.to_string()}</b>
                " "
                <span class="soft">"@" {account.user.username.to_string()}</span>
                " "
                {tags.collect::<Vec<_>>()}
                <p class="soft">
                    {tf("admin.since", &[("when", &day_and_clock(account.created_at))])} " · " {came}
                </p>
            </div>
            <Show when=move || !myself.get() fallback=|| view! { <span class="soft">{t("people.you")}</span> }>
                <div class="row-btns">
                    <button type="button" class="btn" on:click=move |_| ask(Act::SignOut)>
                        {t("admin.sign_out")}
                    </button>
                    <button
                        type="button"
                        class="btn"
                        class:bad=!disabled
                        on:click=move |_| ask(if disabled { Act::Enable } else { Act::Disable })
                    >
                        {if disabled { t("admin.enable") } else { t("admin.disable") }}
                    </button>
                </div>
            </Show>
        </li>
    }
}

/// Asks before it is done, and says in words what could not be done.
#[component]
fn Question(list: Accounts, act: Act, at: usize) -> impl IntoView {
    let chat = use_chat();
    let account = untrack(|| list.items.with(|items| items.get(at).cloned()));
    let busy = RwSignal::new(false);
    let close = Callback::new(move |()| list.asked.set(None));
    let Some(account) = account else { return ().into_any() };
    let (id, name) = (account.user.id, account.user.username.to_string());
    let (title, text, label) = match act {
        Act::Disable => ("admin.disable_title", t("admin.disable_text"), t("admin.disable")),
        Act::Enable => ("admin.enable_title", t("admin.enable_text"), t("admin.enable")),
        Act::SignOut => ("admin.sign_out_title", t("admin.sign_out_text"), t("admin.sign_out")),
    };
    let done = {
        let name = name.clone();
        move || match act {
            Act::Disable => tf("admin.disabled", &[("name", &name)]),
            Act::Enable => tf("admin.enabled", &[("name", &name)]),
            Act::SignOut => tf("admin.signed_out", &[("name", &name)]),
        }
    };
    let run = Callback::new(move |()| {
        busy.set(true);
        let done = done.clone();
        spawn_local(async move {
            let answer = match act {
                Act::Disable => admin::disable(&chat.api(), id, true).await.map(Some),
                Act::Enable => admin::disable(&chat.api(), id, false).await.map(Some),
                Act::SignOut => admin::sign_out(&chat.api(), id).await.map(|()| None),
            };
            match answer {
                Ok(changed) => {
                    list.items.try_update(|items| {
                        if let (Some(changed), Some(there)) = (changed, items.iter_mut().find(|it| it.user.id == id)) {
                            *there = changed;
                        }
                    });
                    chat.tell(done());
                }
                Err(error) => chat.complain(&error),
            }
            list.asked.try_set(None);
        });
    });
    view! { <Confirm title=tf(title, &[("name", &name)]) text act=label busy on_act=run on_close=close /> }.into_any()
}
