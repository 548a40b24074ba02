//! The images of a message: one at its own shape, several as a grid of squares, each a button that shows it large.

use super::message::part;
use super::{Open, RoomFrame};
use crate::components::drawing::live;
use crate::components::image::Image;
use crate::components::memo::Memo;
use crate::locale::tf;
use crate::state::MessageView;
use leptos::prelude::*;
use natter_shared::id::FileId;
use natter_shared::path;

/// The most that a single image takes in a timeline, in CSS pixels.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 300.0;

/// The size of a single image in a timeline, in whole CSS pixels: never larger than it is.
fn shown(id: FileId) -> (u32, u32) {
    let (width, height) = id.size();
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let scale = (WIDTH / width).min(HEIGHT / height).min(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 360")]
    let whole = |length: f64| (length * scale).max(24.0) as u32;
    (whole(width), whole(height))
}

#[component]
pub fn Pictures(view: Memo<Option<MessageView>>) -> impl IntoView {
    let frame = RoomFrame::take();
    let ids = part(view, |view| view.attachments.clone());
    live(move || {
        let ids = ids.get().unwrap_or_default();
        let author = view.with_untracked(|view| view.as_ref().map(|view| view.author.display_name.to_string()));
        let alt = tf("image.of", &[("name", &author.unwrap_or_default())]);
        let all = StoredValue::new(ids.clone());
        let picture = |(at, id): (usize, FileId)| {
            let alone = (all.with_value(Vec::len) == 1).then(|| shown(id));
            let width = alone.map(|(width, _)| format!("{width}px"));
            let shape = alone.map(|(width, height)| format!("{width} / {height}"));
            let open = move |_| frame.open.set(Some(Open::Picture(all.get_value(), at)));
            view! {
                <button
                    type="button"
                    class="picture"
                    data-testid="picture"
                    style:width=width
                    style:aspect-ratio=shape
                    on:click=open
                >
                    <Image path=path::file_preview(id) alt=alt.clone() />
                </button>
            }
            .into_any()
        };
        if ids.is_empty() {
            return ().into_any();
        }
        let many = ids.len() > 1;
        let pictures = ids.into_iter().enumerate().map(picture).collect::<Vec<_>>();
        view! {
            <div class="pictures" class:many=many>
                {pictures}
            </div>
        }
        .into_any()
    })
}
