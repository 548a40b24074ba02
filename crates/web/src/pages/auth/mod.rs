//! The door: the pages that one sees without a login.

mod guest;
mod login;
mod register;

pub use guest::Guest;
pub use login::Login;
pub use register::Register;

use crate::components::icon::Mark;
use leptos::prelude::*;

/// The centred card with Natter's name above it.
#[component]
pub fn Door(children: Children) -> impl IntoView {
    view! {
        <div class="door">
            <main>
                <p class="brand">
                    <Mark />
                    "natter"
                </p>
                {children()}
            </main>
        </div>
    }
}
