//! The picture of a person: their own, or a drawn one, its shape picked by gender, its colours by the id, so that everybody
//! sees the same one. A program is a robot.

use crate::components::drawing::live;
use crate::components::image::{Loaded, image_at};

use leptos::prelude::*;
use natter_shared::account::{Gender, User};
use natter_shared::entry::Author;
use natter_shared::id::UserId;

/// What a picture depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    id: UserId,
    gender: Option<Gender>,
    own: Option<String>,
    bot: bool,
}

impl From<&User> for Face {
    fn from(user: &User) -> Self {
        Self { id: user.id, gender: user.gender, own: user.avatar_url.clone(), bot: user.bot }
    }
}

impl From<&Author> for Face {
    fn from(author: &Author) -> Self {
        Self { id: author.id, gender: author.gender, own: author.avatar_url.clone(), bot: author.bot }
    }
}

/// Ground and clothes belong together; hair and skin vary by themselves.
const PAIRS: [(&str, &str); 8] = [
    ("#cfe0f2", "#2b5f9e"),
    ("#cfe3d4", "#3c7a57"),
    ("#d6dcf2", "#3b4fa0"),
    ("#efdcc9", "#7a6a58"),
    ("#f1d9e4", "#96456f"),
    ("#dfe6cf", "#5f7430"),
    ("#e2d8f0", "#6a4a9c"),
    ("#cfe6e6", "#2f7478"),
];
const HAIR: [&str; 7] = ["#1f1b18", "#3b2a1e", "#5b3a29", "#6b4a1f", "#8a8f98", "#22304a", "#a05a2c"];
const SKIN: [&str; 6] = ["#f0c9a8", "#e8bd98", "#eac7ab", "#d9a981", "#a8744f", "#7d5236"];

const LONG_BACK: &str = "M8 40V20a12 12 0 0 1 24 0v20z";
const LONG_FRONT: &str = "M11 18c4 0 8-2 9.5-6 2 4 5 5.5 8.5 6-.5-7-4-10-9-10s-8.5 3.5-9 10z";
const SHORT: &str = "M11 18c0-7 4-11 9.5-11S29 11 29 17c-2-1-3.5-2.5-4.5-4-3 2.5-8.5 3-12 2.5-.8.8-1.2 1.5-1.5 2.5z";
const MIDDLE: &str = "M10.5 20C10 11 14 7.5 20 7.5S30 11 29.5 20c-1.5-3-2.5-5-4-6-3 1.5-8 1.5-11 0-1.5 1-3 3-4 6z";
/// A robot: its head with an aerial and ears, and its eyes and mouth.
const ROBOT: &str = "M19 10V7.5a2 2 0 1 1 2 0V10h6a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H13a4 4 0 0 1-4-4V14a4 4 0 0 1 4-4zM5 17h2.5v7H5zM32.5 17H35v7h-2.5zM12 34h16v6H12z";
const ROBOT_FACE: &str = "M13.5 16h4v4h-4zM22.5 16h4v4h-4zM15 24h10v2H15z";
const CLOTHES: &str = "M6 42c1-8 7-11 14-11s13 3 14 11z";

fn pick<T: Copy>(of: &[T], by: u8) -> T {
    of[usize::from(by) % of.len()]
}

/// The picture alone; the name stands beside it.
#[component]
pub fn Avatar(
    #[prop(into)] face: Face,
    /// Whether the dot for "online" shows.
    #[prop(optional, into)]
    online: Signal<bool>,
    /// `small`, `large`, or nothing for the size of a timeline.
    #[prop(optional)]
    size: &'static str,
) -> impl IntoView {
    // Until one's own is here, and where it does not come, the drawn one stands in for it.
    let picture = match face.own.as_deref().map(image_at) {
        None => drawn(&face),
        Some(loaded) => live(move || match loaded.get() {
            Loaded::Here(url) => view! { <img src=url alt="" draggable="false" /> }.into_any(),
            Loaded::Coming | Loaded::Failed => drawn(&face),
        }),
    };
    view! {
        <span class=format!("ava {size}") class:on=online aria-hidden="true">
            {picture}
        </span>
    }
}

fn drawn(face: &Face) -> AnyView {
    let seed = face.id.as_bytes();
    let (ground, clothes) = pick(&PAIRS, seed[15]);
    let (hair, skin) = (pick(&HAIR, seed[14]), pick(&SKIN, seed[13]));
    let (back, front) = match face.gender {
        Some(Gender::Female) => (Some(LONG_BACK), LONG_FRONT),
        Some(Gender::Male) => (None, SHORT),
        Some(Gender::Other) | None => (None, MIDDLE),
    };
    let person = [
        (back.unwrap_or_default(), hair),
        ("M28.5 19a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0z", skin),
        (front, hair),
        (CLOTHES, clothes),
    ];
    let robot = [(ROBOT, clothes), (ROBOT_FACE, ground)];
    let shapes: &[(&'static str, &'static str)] = if face.bot { &robot } else { &person };
    let shapes = shapes.iter().map(|(path, fill)| view! { <path d=*path fill=*fill /> }.into_any());
    view! {
        <svg viewBox="0 0 40 40">
            <path d="M0 0h40v40H0z" fill=ground />
            {shapes.collect::<Vec<_>>()}
        </svg>
    }
    .into_any()
}
