//! Catching up: what a client that was away is sent so that it has everything, or is told that it has not.

use super::stretches::Wanted;
use super::{MessageError, Messages, field};
use natter_shared::frame::{Cursors, ServerFrame};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use std::collections::HashMap;

/// Entries that one resuming client is sent altogether; the rooms past it are told to load afresh.
const TOTAL_MAX: u64 = 10_000;
/// The same as `limits::RESUME_MAX`, as stores count.
#[expect(clippy::cast_possible_truncation, reason = "five hundred")]
pub(super) const STRETCH_MAX: u32 = limits::RESUME_MAX as u32;

impl Messages {
    /// What follows a welcome. `rooms` are the rooms that the reader is in with their heads, as the welcome has just read
    /// them. Each cursor is answered by nothing (it is at the head), by the entries after it, by `resync`, or by `room_gone`;
    /// never by a part. Costs one read of the store, or none; seldom two.
    pub async fn resume(
        &self,
        reader: UserId,
        rooms: &[(RoomId, Seq)],
        cursors: &Cursors,
    ) -> Result<Vec<ServerFrame>, MessageError> {
        if cursors.len() > limits::CURSORS_MAX {
            return Err(field("cursors", format!("At most {} rooms", limits::CURSORS_MAX)));
        }
        let heads: HashMap<RoomId, Seq> = rooms.iter().copied().collect();
        let mut frames = Vec::new();
        let mut behind: Vec<Wanted> = Vec::new();
        let mut total = 0;
        for (&room, &cursor) in cursors {
            let Some(&head) = heads.get(&room) else {
                frames.push(ServerFrame::RoomGone { room });
                continue;
            };
            let missing = head.get().saturating_sub(cursor.get());
            if cursor > head || missing > limits::RESUME_MAX || total + missing > TOTAL_MAX {
                frames.push(ServerFrame::Resync { room, head });
            } else if missing > 0 {
                total += missing;
                behind.push(Wanted { room, after: cursor, head });
            }
        }
        if !behind.is_empty() {
            self.catch_up(reader, &behind, &mut frames).await?;
        }
        Ok(frames)
    }

    async fn catch_up(
        &self,
        reader: UserId,
        behind: &[Wanted],
        frames: &mut Vec<ServerFrame>,
    ) -> Result<(), MessageError> {
        let slices = self.stretches.read(behind).await?;
        for &Wanted { room, .. } in behind {
            frames.push(match slices.get(&room) {
                // The room grew past the limit since its head was read.
                Some(slice) if slice.entries.is_empty() => ServerFrame::Resync { room, head: slice.head },
                Some(slice) => {
                    let entries = slice.entries.iter().map(|entry| entry.seen_by(reader)).collect();
                    ServerFrame::Entries { room, entries }
                }
                None => ServerFrame::RoomGone { room },
            });
        }
        Ok(())
    }
}
