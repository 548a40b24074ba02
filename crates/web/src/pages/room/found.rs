//! A message in a list that leads to it: who said it when, and how it begins.

use super::bubble::excerpt;
use crate::components::moment::day_and_clock;
use crate::live::use_chat;
use leptos::prelude::*;
use natter_shared::entry::Message;

#[component]
pub fn FoundMessage(message: Message, testid: &'static str, on_go: Callback<()>) -> impl IntoView {
    let Message { author, at, content, .. } = message;
    let name = use_chat().name_of(&author);
    view! {
        <button type="button" class="found" data-testid=testid on:click=move |_| on_go.run(())>
            <b class="name">{name}</b>
            " "
            <small class="soft">{day_and_clock(at)}</small>
            <span>{excerpt(content.body.as_str())}</span>
        </button>
    }
}
