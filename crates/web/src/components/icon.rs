//! The drawn signs: one stroke path each on a 20 by 20 grid, without a name of their own; the button around them has it.

use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Hash,
    Lock,
    Search,
    Plus,
    Copy,
    Link,
    People,
    Gear,
    Smile,
    Send,
    Leave,
    Menu,
    Down,
    Reply,
    Edit,
    Trash,
    Close,
    Eye,
    EyeOff,
    Compass,
    Picture,
    Chart,
    Bell,
    BellOff,
    Keys,
    Up,
    Pin,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Hash => "M7.5 3 6 17M14 3l-1.5 14M3.5 7.5H17M3 12.5h13.5",
            Self::Lock => {
                "M6 9h8a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2zM7 9V6.5a3 3 0 0 1 6 0V9"
            }
            Self::Search => "M14.5 9a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0zM13.5 13.5 17 17",
            Self::Plus => "M10 4v12M4 10h12",
            Self::Copy => {
                "M9 7h5a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM13 7V5.5A1.5 1.5 0 0 0 11.5 \
                 4h-6A1.5 1.5 0 0 0 4 5.5v6A1.5 1.5 0 0 0 5.5 13H7"
            }
            Self::Link => {
                "M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2l-1 1M11.5 8.5a3 3 0 0 0-4.2 \
                 0l-2.6 2.6a3 3 0 0 0 4.2 4.2l1-1"
            }
            Self::People => {
                "M11 7.5a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM2.5 16.5c.5-3.5 2.7-5 5.5-5s5 1.5 5.5 5M13 5a3 3 0 0 1 0 \
                 5.5M15 11.8c1.5.6 2.3 2 2.5 4.2"
            }
            Self::Gear => {
                "M12.5 10a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM10 3v2M10 15v2M3 10h2M15 10h2M5 5l1.5 \
                 1.5M13.5 13.5 15 15M15 5l-1.5 1.5M6.5 13.5 5 15"
            }
            Self::Smile => {
                "M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0zM7 12c.8 1.2 1.8 1.7 3 1.7s2.2-.5 3-1.7M7.5 8v.4M12.5 8v.4"
            }
            Self::Send => "M10 16V4.5M5 9l5-5 5 5",
            Self::Leave => "M8 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16H8M12.5 13.5 16 10l-3.5-3.5M16 10H8",
            Self::Menu => "M3.5 6h13M3.5 10h13M3.5 14h13",
            Self::Up => "m5 12 5-5 5 5",
            Self::Down => "m5 8 5 5 5-5",
            Self::Reply => "M8 6 4 10l4 4M4 10h7.5c2.5 0 4.5 1.8 4.5 5",
            Self::Edit => "M4 16l.6-3L13 4.6a1.6 1.6 0 0 1 2.3 2.3L7 15.3zM11.5 6l2.5 2.5",
            Self::Trash => "M4 6h12M8 6V4.5h4V6M5.5 6l.7 10h7.6l.7-10M8.5 9v4.5M11.5 9v4.5",
            Self::Close => "m5.5 5.5 9 9M14.5 5.5l-9 9",
            Self::Eye => {
                "M2.5 10c1.8-3.3 4.3-5 7.5-5s5.7 1.7 7.5 5c-1.8 3.3-4.3 5-7.5 5s-5.7-1.7-7.5-5zM12.2 10a2.2 \
                 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0z"
            }
            Self::EyeOff => {
                "M2.5 10c1.8-3.3 4.3-5 7.5-5s5.7 1.7 7.5 5c-1.8 3.3-4.3 5-7.5 5s-5.7-1.7-7.5-5zM4.5 15.5l11-11"
            }
            Self::Picture => {
                "M5 4h10a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 15 16H5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 5 4zM4 \
                 14l4-4 3 3 2-2 3 3M12.5 7.5h.4"
            }
            Self::Chart => "M4 16.5V10M8 16.5V4M12 16.5v-5M16 16.5V7.5",
            Self::Bell => {
                "M5 14.5h10c-1-1-1.3-2.2-1.3-4.5V8.7a3.7 3.7 0 0 0-7.4 0V10c0 2.3-.3 3.5-1.3 4.5zM8.7 16.8c.7.6 1.9.6 2.6 0"
            }
            Self::BellOff => {
                "M5 14.5h10c-1-1-1.3-2.2-1.3-4.5V8.7a3.7 3.7 0 0 0-7.4 0V10c0 2.3-.3 3.5-1.3 4.5zM3.5 3.5l13 13"
            }
            Self::Keys => {
                "M3.5 5.5h13a1.5 1.5 0 0 1 1.5 1.5v6a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 2 13V7a1.5 1.5 0 0 1 \
                 1.5-1.5zM5.5 8.5h.5M9.8 8.5h.5M14 8.5h.5M7 11.5h6"
            }
            Self::Pin => "m11.5 3 5.5 5.5-3 .8-3 3-.8 3L4.7 9.8l3-.8 3-3zM7.4 12.6 3.5 16.5",
            Self::Compass => "M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0zM12.8 7.2l-1.5 4.1-4.1 1.5 1.5-4.1z",
        }
    }
}

#[component]
pub fn Sign(icon: Icon) -> impl IntoView {
    view! {
        <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d=icon.path() />
        </svg>
    }
}

/// The ticks of an own message: one or two.
#[component]
pub fn TickSign(double: bool) -> impl IntoView {
    let path = if double { "m1 6.5 3.5 3.5L11 3.5M8 9l1 1 7.5-7.5" } else { "m2 6.5 3.5 3.5L13 2.5" };
    view! {
        <svg viewBox="0 0 18 12" aria-hidden="true">
            <path d=path />
        </svg>
    }
}

/// Natter's own sign.
#[component]
pub fn Mark() -> impl IntoView {
    let bubble = "M6 6h20a4 4 0 0 1 4 4v10a4 4 0 0 1-4 4H15l-7 5v-5H6a4 4 0 0 1-4-4V10a4 4 0 0 1 4-4z";
    let letters = "M10 18v-5.5M10 14c.5-1 1.6-1.7 3-1.7 2 0 3 1.2 3 3V18M20 10v6.3c0 1.2.7 1.8 2.3 1.7M18 12.5h4";
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <path d=bubble fill="var(--accent)" />
            <path d=letters stroke="var(--accent-ink)" stroke-width="2" />
        </svg>
    }
}
