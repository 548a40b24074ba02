//! Images that were chosen for a message: each goes to the server at once, by what draws it (`pages/room/tray.rs`), and waits
//! here for the message to be sent.

use super::chat::Chat;
use leptos::prelude::{ArcRwSignal, Get, GetUntracked, Set, Update, With, WithUntracked};
use natter_shared::file::Uploaded;
use natter_shared::id::{FileId, RoomId};
use natter_shared::limits::{ATTACHMENTS_MAX, IMAGE_MAX_BYTES};
use std::sync::atomic::{AtomicU32, Ordering};

/// How far a chosen image is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    New,
    /// So much of it is sent, from 0 to 1.
    Sending(f64),
    Ready(Uploaded),
    /// Why it is not taken, and whether trying again may help.
    Failed(String, bool),
}

/// A chosen image.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub id: u32,
    pub name: String,
    /// The browser's own URL for what was chosen.
    pub url: Option<String>,
    pub stage: ArcRwSignal<Stage>,
}

/// The images chosen for one room, in their order.
#[derive(Clone)]
pub struct Tray(ArcRwSignal<Vec<Chosen>>);

impl Default for Tray {
    fn default() -> Self {
        Self(ArcRwSignal::new(Vec::new()))
    }
}

/// What keeps a message from being sent with its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    Coming,
    Failed,
}

fn forget(chosen: &Chosen) {
    if let Some(url) = &chosen.url {
        // Without a URL of that name there is nothing to take back.
        let _ = web_sys::Url::revoke_object_url(url);
    }
}

impl Tray {
    pub fn all(&self) -> Vec<Chosen> {
        self.0.get()
    }

    pub fn is_empty(&self) -> bool {
        self.0.with(Vec::is_empty)
    }

    pub fn obstacle(&self) -> Option<Obstacle> {
        let stages = self.0.get_untracked().into_iter().map(|chosen| chosen.stage.get_untracked());
        stages.fold(None, |found, stage| match stage {
            Stage::Failed(..) => Some(Obstacle::Failed),
            Stage::New | Stage::Sending(_) => found.or(Some(Obstacle::Coming)),
            Stage::Ready(_) => found,
        })
    }

    /// The images that are ready, in their order.
    pub fn ready(&self) -> Vec<FileId> {
        let all = self.0.get_untracked();
        let ids = all.iter().filter_map(|chosen| match chosen.stage.get_untracked() {
            Stage::Ready(uploaded) => Some(uploaded.id),
            Stage::New | Stage::Sending(_) | Stage::Failed(..) => None,
        });
        ids.collect()
    }
}

impl Chat {
    /// Takes images for the next message in a room. Says of what is not taken why, as a key
    /// of the locales.
    pub fn choose(&self, room: RoomId, files: impl IntoIterator<Item = web_sys::File>) -> Option<&'static str> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let tray = self.tray(room);
        let mut wrong = None;
        for file in files {
            #[expect(clippy::cast_precision_loss, reason = "a few MiB are exact")]
            let too_large = file.size() > IMAGE_MAX_BYTES as f64;
            if !file.type_().starts_with("image/") {
                wrong = Some("image.no_image");
            } else if too_large {
                wrong = Some("image.too_large");
            } else if tray.0.with_untracked(Vec::len) >= ATTACHMENTS_MAX {
                wrong = Some("image.too_many");
            } else {
                let chosen = Chosen {
                    id: NEXT.fetch_add(1, Ordering::Relaxed),
                    name: file.name(),
                    url: web_sys::Url::create_object_url_with_blob(&file).ok(),
                    stage: ArcRwSignal::new(Stage::New),
                };
                self.tab().chosen.borrow_mut().insert(chosen.id, file);
                tray.0.update(|all| all.push(chosen));
            }
        }
        wrong
    }

    /// The file of a chosen image, while it is in a tray.
    pub fn chosen_file(&self, id: u32) -> Option<web_sys::File> {
        self.tab().chosen.borrow().get(&id).cloned()
    }

    pub fn unchoose(&self, room: RoomId, id: u32) {
        self.tab().chosen.borrow_mut().remove(&id);
        self.tray(room).0.update(|all| {
            all.retain(|chosen| {
                if chosen.id == id {
                    forget(chosen);
                }
                chosen.id != id
            });
        });
    }

    /// The images of a room are in a message now, or nobody wants them any more.
    pub fn clear_tray(&self, room: RoomId) {
        let tray = self.tray(room);
        let tab = self.tab();
        for chosen in tray.0.get_untracked() {
            tab.chosen.borrow_mut().remove(&chosen.id);
            forget(&chosen);
        }
        if !tray.0.with_untracked(Vec::is_empty) {
            tray.0.set(Vec::new());
        }
    }
}
