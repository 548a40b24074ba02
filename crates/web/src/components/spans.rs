//! A message's text as nodes: plain text, links, code and mentions. Nothing of it is ever parsed as HTML.

use crate::text_spans::{Span, spans};
use leptos::prelude::*;

#[component]
pub fn Spans<'a>(
    text: &'a str,
    /// Draws a name that is mentioned.
    mention: fn(&str) -> AnyView,
) -> impl IntoView + use<> {
    spans(text)
        .into_iter()
        .map(|span| match span {
            Span::Text(text) => text.to_owned().into_any(),
            Span::Code(text) => view! { <code>{text.to_owned()}</code> }.into_any(),
            Span::Block(text) => view! { <code class="block">{text.to_owned()}</code> }.into_any(),
            Span::Mention(name) => mention(name),
            Span::Link(address) => {
                let text = address.to_owned();
                view! {
                    <a href=address.to_owned() target="_blank" rel="noopener noreferrer nofollow">
                        {text}
                    </a>
                }
                .into_any()
            }
        })
        .collect::<Vec<_>>()
}
