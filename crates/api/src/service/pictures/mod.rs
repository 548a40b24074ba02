//! Images: taken in, shown to whom the message is shown, and forgotten. An image is its owner's until it is sent; from then
//! on whoever may see the message may see it, for as long as the message names it. A person's own picture is for everybody
//! who is signed in.

mod renew;

#[cfg(test)]
mod tests;

use super::access;
use super::events::Note;
use super::work::{Busy, Pool};
use super::{Caller, Parts, rate};
use crate::bus::TooOften;
use crate::clock::random;
use crate::files::{Files, FilesError, Opened, preview_of};
use crate::store::{Posted, Standing, StoreError, UploadRecord};
use bytes::Bytes;
use natter_shared::account::Me;
use natter_shared::event::EventKind;
use natter_shared::file::{ImageKind, Uploaded};
use natter_shared::id::{ClientId, FileId, RoomId, UserId};
use natter_shared::{limits, path};
pub use renew::BadImage;
use renew::{Renewed, renew, renew_avatar};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Images that are received at once, each up to its limit in memory; and how long one more waits for its turn.
const RECEIVED_AT_ONCE: usize = 16;
const TURN: Duration = Duration::from_secs(5);
/// Images that are decoded at once, and that wait for it.
const DECODED_AT_ONCE: usize = 2;
const DECODE_WAITING: usize = 16;
const DECODE_PATIENCE: Duration = Duration::from_secs(15);
/// What was never sent is forgotten after a day, so many at once.
const IDLE_MS: i64 = 24 * 3_600_000;
const DROPPED_AT_ONCE: u32 = 200;

#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No such image, or not for this caller.
    #[error("no such image")]
    Unknown,
    #[error("{0}")]
    Refused(#[from] BadImage),
    #[error("the images of one person take too much")]
    Full,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TooOften> for PictureError {
    fn from(too_often: TooOften) -> Self {
        Self::TooOften(too_often)
    }
}

/// An image on its way to a reader.
pub struct Shown {
    pub kind: ImageKind,
    /// Whether it never becomes anybody else's to see: a person's picture.
    pub open: bool,
    pub opened: Opened,
}

/// All that is done with images. Cloning it is cheap and gives the same one.
#[derive(Clone)]
pub struct Pictures {
    parts: Parts,
    files: Arc<dyn Files>,
    receiving: Arc<Semaphore>,
    pool: Arc<Pool>,
}

impl Pictures {
    pub fn new(parts: &Parts, files: Arc<dyn Files>) -> Self {
        Self {
            parts: parts.clone(),
            files,
            receiving: Arc::new(Semaphore::new(RECEIVED_AT_ONCE)),
            pool: Arc::new(Pool::bounded(DECODED_AT_ONCE, DECODE_WAITING, DECODE_PATIENCE)),
        }
    }

    /// Takes an image for a message. `body` receives it, and is polled once there is room for it in memory.
    pub async fn upload<E: From<PictureError>>(
        &self,
        caller: &Caller,
        body: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Uploaded, E> {
        let bytes = self.receive(caller, body).await?;
        let kept = self.keep(caller, bytes, renew, false).await?;
        let (width, height) = kept.id.size();
        Ok(Uploaded { id: kept.id, url: path::file(kept.id), width, height, bytes: kept.bytes })
    }

    /// Takes a person's own picture in place of the one they have.
    pub async fn set_avatar<E: From<PictureError>>(
        &self,
        caller: &Caller,
        body: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Me, E> {
        access::has_account(caller)
            .map_err(|_| PictureError::Forbidden("Guests have no picture. Keep your account first"))?;
        let bytes = self.receive(caller, body).await?;
        let kept = self.keep(caller, bytes, renew_avatar, true).await?;
        Ok(self.change_avatar(caller, Some(path::file(kept.id))).await?)
    }

    /// Gives a person the drawn picture again.
    pub async fn drop_avatar(&self, caller: &Caller) -> Result<Me, PictureError> {
        self.parts.take_for_user("profile", caller.user, rate::PROFILE).await?;
        self.change_avatar(caller, None).await
    }

    async fn change_avatar(&self, caller: &Caller, url: Option<String>) -> Result<Me, PictureError> {
        let before = self.parts.store.user(caller.user).await?.and_then(|record| record.user.avatar_url);
        let changed = self.parts.store.set_avatar(caller.user, url.as_deref()).await?;
        let changed = changed.ok_or(PictureError::Unknown)?;
        let replaced = before.filter(|before| Some(before) != url.as_ref());
        if let Some(id) = replaced.as_deref().and_then(|url| url.rsplit('/').next()).and_then(|id| id.parse().ok()) {
            self.forget(&[id]).await;
        }
        Ok(super::accounts::as_me(changed))
    }

    async fn receive<E: From<PictureError>>(
        &self,
        caller: &Caller,
        body: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Bytes, E> {
        let turn = tokio::time::timeout(TURN, self.receiving.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(PictureError::Busy(Busy))?;
        // Who is to be refused is heard out: a browser that is cut off while it sends shows no answer.
        let bytes = body.await?;
        let taken = self.parts.take_for_user("uploads", caller.user, rate::UPLOADS).await;
        taken.map_err(PictureError::TooOften)?;
        let used = self.parts.store.uploaded_bytes(caller.user).await.map_err(PictureError::Store)?;
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if used.saturating_add(more) > limits::IMAGES_PER_USER_BYTES {
            return Err(PictureError::Full.into());
        }
        Ok(bytes)
    }

    async fn keep(
        &self,
        caller: &Caller,
        bytes: Bytes,
        renew: fn(&[u8]) -> Result<Renewed, BadImage>,
        avatar: bool,
    ) -> Result<UploadRecord, PictureError> {
        let renewed = match self.pool.run(move || renew(&bytes)).await? {
            Ok(renewed) => renewed,
            Err(why) => {
                self.parts.events.note(Note::of(EventKind::UploadRefused).by(caller.user).saying(why.word()));
                return Err(why.into());
            }
        };
        let id = FileId::of_picture(random(&*self.parts.entropy), renewed.size);
        let small = renewed.preview.as_ref().map_or(0, |(_, small)| small.len());
        let upload = UploadRecord {
            id,
            owner: caller.user,
            kind: renewed.kind,
            preview: renewed.preview.as_ref().map(|(kind, _)| *kind),
            bytes: u64::try_from(renewed.bytes.len() + small).unwrap_or(u64::MAX),
            created_at: self.parts.clock.now(),
            avatar,
            posted: None,
        };
        // The bytes first: a note without bytes would be a broken image, bytes without a note are only lost room.
        self.files.put(&id.to_string(), renewed.bytes.into()).await?;
        if let Some((_, small)) = renewed.preview {
            self.files.put(&preview_of(id), small.into()).await?;
        }
        self.parts.store.add_upload(upload.clone()).await?;
        Ok(upload)
    }

    /// Makes images belong to a message that is about to be sent. `false` if they can't: one is not there, or not theirs.
    pub(super) async fn post(
        &self,
        caller: &Caller,
        room: RoomId,
        client_id: ClientId,
        ids: &[FileId],
    ) -> Result<bool, StoreError> {
        if self.parts.store.post_uploads(ids, caller.user, Posted { room, client_id }).await? {
            return Ok(true);
        }
        // A repeat of what was sent is answered like the first time, also when its images are gone meanwhile.
        Ok(self.parts.store.sent(room, caller.user, client_id).await?.is_some())
    }

    /// Forgets images whose message is deleted. What cannot be done now is only lost room: nobody can see them any more.
    pub(super) async fn forget(&self, ids: &[FileId]) {
        if ids.is_empty() {
            return;
        }
        match self.parts.store.drop_uploads(ids).await {
            Ok(dropped) => self.delete(&dropped).await,
            Err(error) => tracing::warn!(%error, "the images of a deleted message could not be forgotten"),
        }
    }

    /// Forgets what of a person's images is in no message: their picture, and what they never sent.
    pub(super) async fn forget_own(&self, user: UserId) -> Result<(), StoreError> {
        let dropped = self.parts.store.drop_own_uploads(user).await?;
        self.delete(&dropped).await;
        Ok(())
    }

    async fn delete(&self, dropped: &[UploadRecord]) {
        for upload in dropped {
            let names = [Some(upload.id.to_string()), upload.preview.map(|_| preview_of(upload.id))];
            for name in names.into_iter().flatten() {
                if let Err(error) = self.files.delete(&name).await {
                    tracing::warn!(%error, name, "the bytes of an image could not be deleted; nobody sees them any more");
                }
            }
        }
    }

    /// Forgets images that were never sent, and says how many.
    pub async fn prune(&self) -> Result<usize, StoreError> {
        let before = self.parts.clock.now().plus_millis(-IDLE_MS);
        let dropped = self.parts.store.drop_idle_uploads(before, DROPPED_AT_ONCE).await?;
        self.delete(&dropped).await;
        Ok(dropped.len())
    }

    /// The image for somebody who may see it, or a smaller one of it.
    pub async fn show(&self, caller: &Caller, id: FileId, preview: bool) -> Result<Shown, PictureError> {
        let upload = self.parts.store.upload(id).await?.ok_or(PictureError::Unknown)?;
        if !upload.avatar && upload.owner != caller.user && !self.may_see(caller, &upload).await? {
            return Err(PictureError::Unknown);
        }
        let (kind, name) = match upload.preview.filter(|_| preview) {
            Some(kind) => (kind, preview_of(id)),
            None => (upload.kind, id.to_string()),
        };
        let Some(opened) = self.files.open(&name).await? else {
            tracing::warn!(name, "the bytes of an image are not there");
            return Err(PictureError::Unknown);
        };
        Ok(Shown { kind, open: upload.avatar, opened })
    }

    async fn may_see(&self, caller: &Caller, upload: &UploadRecord) -> Result<bool, StoreError> {
        let Some(Posted { room, client_id }) = upload.posted else { return Ok(false) };
        if !matches!(self.parts.store.standing(room, caller.user).await?, Standing::Member(_)) {
            return Ok(false);
        }
        let message = self.parts.store.sent(room, upload.owner, client_id).await?;
        Ok(message.is_some_and(|message| {
            message.content.attachments.contains(&upload.id) && access::may_see(&message, caller.user)
        }))
    }
}
