//! A message's text as nodes: plain text, emphasis, links, code and mentions. Nothing of it is ever parsed as HTML.

use crate::place;
use crate::text_spans::{Item, Span, spans};
use leptos::prelude::*;
use natter_shared::id::RoomId;

/// What a link to a message of this server is called: the name of its room, as far as it is known.
pub type RoomName = Callback<RoomId, Option<String>>;

#[component]
pub fn Spans<'a>(
    text: &'a str,
    /// Draws a name that is mentioned.
    mention: fn(&str) -> AnyView,
    #[prop(into)] room_name: RoomName,
) -> impl IntoView + use<> {
    draw(&spans(text), Names { mention, room_name })
}

/// How names are drawn.
#[derive(Clone, Copy)]
struct Names {
    mention: fn(&str) -> AnyView,
    room_name: RoomName,
}

fn draw(spans: &[Span<'_>], names: Names) -> Vec<AnyView> {
    spans.iter().map(|span| one(span, names)).collect()
}

fn one(span: &Span<'_>, names: Names) -> AnyView {
    match span {
        Span::Text(text) => (*text).to_owned().into_any(),
        Span::Code(text) => view! { <code>{(*text).to_owned()}</code> }.into_any(),
        Span::Block(text) => view! { <code class="block">{(*text).to_owned()}</code> }.into_any(),
        Span::Mention(name) => (names.mention)(name),
        Span::Link(address) => link(address, names),
        Span::Bold(inner) => view! { <strong>{draw(inner, names)}</strong> }.into_any(),
        Span::Italic(inner) => view! { <em>{draw(inner, names)}</em> }.into_any(),
        Span::Struck(inner) => view! { <del>{draw(inner, names)}</del> }.into_any(),
        Span::Quote(inner) => view! { <blockquote>{draw(inner, names)}</blockquote> }.into_any(),
        Span::List(items) => list(items, names),
    }
}

fn list(items: &[Item<'_>], names: Names) -> AnyView {
    let numbered = items.iter().any(|item| item.number.is_some());
    let item = |item: &Item<'_>| {
        // Each keeps the number that was written.
        let number = item.number.map(|number| number.to_string());
        view! { <li value=number>{draw(&item.spans, names)}</li> }.into_any()
    };
    let items: Vec<AnyView> = items.iter().map(item).collect();
    if numbered { view! { <ol>{items}</ol> }.into_any() } else { view! { <ul>{items}</ul> }.into_any() }
}

fn link(address: &str, names: Names) -> AnyView {
    // What leads to a room of this server needs no other page, and says the room's name in place of its id.
    let origin = window().location().origin().unwrap_or_default();
    if let Some((path, room, seq)) = place::own_link(address, &origin) {
        let text = names.room_name.run(room).map_or_else(
            || address.to_owned(),
            |name| seq.map_or_else(|| format!("#{name}"), |seq| format!("#{name} › {seq}")),
        );
        return view! { <a href=path rel="noopener noreferrer nofollow">{text}</a> }.into_any();
    }
    let text = address.to_owned();
    view! {
        <a href=address.to_owned() target="_blank" rel="noopener noreferrer nofollow">
            {text}
        </a>
    }
    .into_any()
}
