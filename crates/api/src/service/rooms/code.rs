//! The join code of a room: whoever has it may come in, also into a private room. Administrators see it, renew it and switch
//! it off; the old one is void from then on.

use super::{CODE_ATTEMPTS, RoomError, Rooms, codes_run_out};
use crate::service::events::Note;
use crate::service::{Caller, access, rate};
use crate::store::SetCode;
use natter_shared::event::EventKind;
use natter_shared::id::RoomId;
use natter_shared::room::Role;
use natter_shared::text::JoinCode;

impl Rooms {
    /// The code; [`RoomError::Unknown`] while it is switched off.
    pub async fn code(&self, caller: &Caller, room: RoomId) -> Result<JoinCode, RoomError> {
        let (record, _) = access::at_least(Role::Admin, &self.parts, caller, room, "see a join code").await?;
        record.code.ok_or(RoomError::Unknown)
    }

    /// A new code in the place of the old one, if there was one.
    pub async fn renew_code(&self, caller: &Caller, room: RoomId) -> Result<JoinCode, RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        access::at_least(Role::Admin, &self.parts, caller, room, "renew a join code").await?;
        for _ in 0..CODE_ATTEMPTS {
            let code = self.random_code();
            match self.parts.store.set_code(room, Some(&code)).await? {
                SetCode::Set => {
                    self.parts.events.note(Note::of(EventKind::RoomCodeRenewed).by(caller.user).in_room(room));
                    return Ok(code);
                }
                SetCode::CodeTaken => {}
                SetCode::NoRoom => return Err(RoomError::Unknown),
            }
        }
        Err(codes_run_out())
    }

    /// Switches the code off.
    pub async fn drop_code(&self, caller: &Caller, room: RoomId) -> Result<(), RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        access::at_least(Role::Admin, &self.parts, caller, room, "switch off a join code").await?;
        self.parts.store.set_code(room, None).await?;
        self.parts.events.note(Note::of(EventKind::RoomCodeDropped).by(caller.user).in_room(room));
        Ok(())
    }
}
