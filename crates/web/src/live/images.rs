//! The images that this tab has fetched, as the browser's own URLs. Those on the screen are kept; of the others the latest
//! few, so that a room that one scrolls through does not fill the memory.

use super::chat::Chat;
use crate::components::image::{ImageSource, Loaded};
use crate::state::map::Map;
use leptos::prelude::{ArcRwSignal, Callback, Set, provide_context};
use std::cell::{Cell, RefCell};
use wasm_bindgen_futures::spawn_local;

/// Images off the screen that are kept.
const SPARE: usize = 60;

struct Held {
    loaded: ArcRwSignal<Loaded>,
    url: Option<String>,
    /// How often it is on the screen.
    shown: u32,
    /// When it left the screen, as a count.
    left: u32,
}

#[derive(Default)]
pub struct Images {
    held: RefCell<Map<String, Held>>,
    clock: Cell<u32>,
}

fn revoke(held: &Held) {
    if let Some(url) = &held.url {
        // Without a URL of that name there is nothing to take back.
        let _ = web_sys::Url::revoke_object_url(url);
    }
}

impl Images {
    /// How far an image is, and whether it must be fetched.
    fn take(&self, path: &str) -> (ArcRwSignal<Loaded>, bool) {
        let mut held = self.held.borrow_mut();
        let mut new = false;
        let image = held.or_insert_with(path.to_owned(), || {
            new = true;
            Held { loaded: ArcRwSignal::new(Loaded::Coming), url: None, shown: 0, left: 0 }
        });
        image.shown += 1;
        (image.loaded.clone(), new)
    }

    fn give_back(&self, path: &str) {
        let mut held = self.held.borrow_mut();
        self.clock.set(self.clock.get() + 1);
        if let Some(image) = held.get_mut(&path.to_owned()) {
            image.shown = image.shown.saturating_sub(1);
            image.left = self.clock.get();
        }
        let spare = held.values().filter(|image| image.shown == 0).count();
        if spare > SPARE {
            let oldest = held.values().filter(|image| image.shown == 0).map(|image| image.left).min();
            held.retain(|_, image| {
                let goes = image.shown == 0 && Some(image.left) == oldest;
                if goes {
                    revoke(image);
                }
                !goes
            });
        }
    }

    fn came(&self, path: &str, blob: Option<&web_sys::Blob>) {
        let url = blob.and_then(|blob| web_sys::Url::create_object_url_with_blob(blob).ok());
        // Told outside the borrow: who draws may take other images.
        let told = self.held.borrow_mut().get_mut(&path.to_owned()).map(|image| {
            image.url.clone_from(&url);
            image.loaded.clone()
        });
        match (told, url) {
            (Some(loaded), Some(url)) => loaded.set(Loaded::Here(url)),
            (Some(loaded), None) => loaded.set(Loaded::Failed),
            (None, Some(url)) => drop(web_sys::Url::revoke_object_url(&url)),
            (None, None) => {}
        }
    }

    /// Somebody else signs in at this browser, or nobody does.
    pub fn forget_all(&self) {
        let mut held = self.held.borrow_mut();
        held.values().for_each(revoke);
        held.clear();
    }
}

fn fetch(chat: Chat, path: String) {
    spawn_local(async move {
        let blob = chat.api().bytes(&path).await;
        chat.images(|images| images.came(&path, blob.as_ref().ok()));
    });
}

/// Provides the images of the server to all components below.
pub fn provide(chat: Chat) {
    provide_context(ImageSource {
        take: Callback::new(move |path: String| {
            let (loaded, new) = chat.images(|images| images.take(&path));
            if new {
                fetch(chat, path);
            }
            loaded
        }),
        give_back: Callback::new(move |path: String| chat.images(|images| images.give_back(&path))),
        again: Callback::new(move |path: String| {
            let loaded = chat.images(|images| images.held.borrow().get(&path).map(|image| image.loaded.clone()));
            if let Some(loaded) = loaded {
                loaded.set(Loaded::Coming);
                fetch(chat, path);
            }
        }),
    });
}
