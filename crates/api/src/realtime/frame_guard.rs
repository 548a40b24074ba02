//! Looks at the header of every inbound WebSocket frame before anything is kept of it. actix' own parser first gathers a
//! whole frame, however long its header says it is, and only then asks whether it is too long; here the header is enough.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;
use natter_shared::frame::CloseCode;
use natter_shared::limits;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A message comes in at most so many frames.
const FRAGMENTS_MAX: u32 = 128;
/// The payload of a ping, a pong or a close frame (RFC 6455, 5.5).
const CONTROL_MAX: u64 = 125;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;

/// Follows the frames of one connection through pieces of any size.
#[derive(Debug, Default)]
pub struct FrameGuard {
    /// The header so far.
    head: Vec<u8>,
    /// Bytes of payload that still belong to the frame whose header was last read.
    payload: u64,
    /// The message that is coming in several frames: its bytes and frames so far.
    message: Option<(u64, u32)>,
    broken: bool,
}

impl FrameGuard {
    /// Looks at the next bytes. An error names the close code; after it, everything is an error.
    pub fn check(&mut self, mut bytes: &[u8]) -> Result<(), CloseCode> {
        if self.broken {
            return Err(CloseCode::Protocol);
        }
        while !bytes.is_empty() {
            let skipped = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
            self.payload -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some((byte, rest)) = bytes.split_first() else { break };
            bytes = rest;
            self.head.push(*byte);
            if let Err(code) = self.judge() {
                self.broken = true;
                return Err(code);
            }
        }
        Ok(())
    }

    /// Judges the header as far as it is there; once it is whole, its payload is next.
    fn judge(&mut self) -> Result<(), CloseCode> {
        let first = self.head[0];
        let (is_final, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0F);
        let is_control = matches!(opcode, 0x8..=0xA);
        if reserved != 0 || !(opcode <= BINARY || is_control) || (is_control && !is_final) {
            return Err(CloseCode::Protocol);
        }
        match (opcode, self.message) {
            (BINARY, _) => return Err(CloseCode::NotText),
            (CONTINUATION, None) | (TEXT, Some(_)) => return Err(CloseCode::Protocol),
            _ => {}
        }
        let Some(&second) = self.head.get(1) else { return Ok(()) };
        if second & 0x80 == 0 {
            return Err(CloseCode::Protocol);
        }
        let short = u64::from(second & 0x7F);
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if is_control && short > CONTROL_MAX {
            return Err(CloseCode::Protocol);
        }
        let Some(digits) = self.head.get(2..2 + extended) else { return Ok(()) };
        let length = if extended == 0 { short } else { digits.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)) };
        if length >> 63 != 0 {
            return Err(CloseCode::Protocol);
        }
        if !is_control {
            let (before, frames) = self.message.unwrap_or_default();
            if before.saturating_add(length) > limits::FRAME_MAX_BYTES as u64 || frames >= FRAGMENTS_MAX {
                return Err(CloseCode::TooLarge);
            }
        }
        // Four bytes of mask end the header.
        if self.head.len() == 2 + extended + 4 {
            if !is_control {
                let (before, frames) = self.message.unwrap_or_default();
                self.message = (!is_final).then_some((before + length, frames + 1));
            }
            self.payload = length;
            self.head.clear();
        }
        Ok(())
    }
}

/// A request's payload that ends at the first frame that must not be.
pub struct Guarded {
    payload: Rc<RefCell<Payload>>,
    guard: FrameGuard,
    verdict: Rc<Cell<Option<CloseCode>>>,
}

/// What is left of a guarded payload for the one who guards it.
pub struct Rest {
    payload: Rc<RefCell<Payload>>,
    verdict: Rc<Cell<Option<CloseCode>>>,
}

impl Guarded {
    /// The payload to hand to actix-ws, and the rest of it.
    pub fn around(payload: Payload) -> (Payload, Rest) {
        let payload = Rc::new(RefCell::new(payload));
        let verdict = Rc::default();
        let rest = Rest { payload: Rc::clone(&payload), verdict: Rc::clone(&verdict) };
        let guarded = Self { payload, guard: FrameGuard::default(), verdict };
        (Payload::Stream { payload: Box::pin(guarded) }, rest)
    }
}

impl Stream for Guarded {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.verdict.get().is_some() {
            return Poll::Ready(None);
        }
        let next = Pin::new(&mut *this.payload.borrow_mut()).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &next
            && let Err(code) = this.guard.check(bytes)
        {
            this.verdict.set(Some(code));
            return Poll::Ready(Some(Err(PayloadError::Overflow)));
        }
        next
    }
}

impl Rest {
    /// The code to close with, once a frame came that must not be.
    pub fn verdict(&self) -> Option<CloseCode> {
        self.verdict.get()
    }

    /// Waits for the peer to hang up, passing over at most so many bytes; `false` if it sends more. What is not read here
    /// is not read at all: the peer's own writes come to a stand.
    pub async fn hung_up(&self, mut bytes: usize) -> bool {
        loop {
            match poll_fn(|cx| Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx)).await {
                None | Some(Err(_)) => return true,
                Some(Ok(chunk)) if chunk.len() > bytes => return false,
                Some(Ok(chunk)) => bytes -= chunk.len(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A masked frame; `declared` is what its header says of its length.
    fn frame_declaring(first: u8, declared: u64, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        if let Some(short) = u8::try_from(declared).ok().filter(|n| *n < 126) {
            frame.push(0x80 | short);
        } else if let Ok(medium) = u16::try_from(declared) {
            frame.push(0x80 | 0x7E);
            frame.extend(medium.to_be_bytes());
        } else {
            frame.push(0x80 | 127);
            frame.extend(declared.to_be_bytes());
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(payload);
        frame
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        frame_declaring(first, payload.len() as u64, payload)
    }

    fn check(bytes: &[u8]) -> Result<(), CloseCode> {
        FrameGuard::default().check(bytes)
    }

    #[test]
    fn what_is_well_formed_passes() {
        let max = vec![0; limits::FRAME_MAX_BYTES];
        let mut guard = FrameGuard::default();
        for bytes in [frame(0x81, b""), frame(0x81, b"{}"), frame(0x81, &max), frame(0x89, &[0; 125]), frame(0x8A, b"")]
        {
            assert_eq!(guard.check(&bytes), Ok(()));
        }
        // A message in three parts with a ping between them.
        for bytes in
            [frame(0x01, b"a"), frame(0x00, b"b"), frame(0x89, b"?"), frame(0x80, b"c"), frame(0x88, &[3, 232])]
        {
            assert_eq!(guard.check(&bytes), Ok(()));
        }
    }

    #[test]
    fn a_length_is_refused_from_the_header_alone() {
        for declared in [limits::FRAME_MAX_BYTES as u64 + 1, 1 << 30, (1 << 63) - 1] {
            assert_eq!(check(&frame_declaring(0x81, declared, b"")), Err(CloseCode::TooLarge), "{declared}");
        }
        for declared in [1 << 63, u64::MAX] {
            assert_eq!(check(&frame_declaring(0x81, declared, b"")), Err(CloseCode::Protocol), "{declared}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let mut unmasked = frame(0x81, b"{}");
        unmasked[1] &= 0x7F;
        for (bytes, code) in [
            (unmasked, CloseCode::Protocol),
            (frame(0xC1, b""), CloseCode::Protocol),
            (frame(0x83, b""), CloseCode::Protocol),
            (frame(0x8B, b""), CloseCode::Protocol),
            (frame(0x82, b""), CloseCode::NotText),
            (frame(0x02, b""), CloseCode::NotText),
            (frame_declaring(0x89, 126, b""), CloseCode::Protocol),
            (frame(0x09, b""), CloseCode::Protocol),
            (frame(0x80, b""), CloseCode::Protocol),
            ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), CloseCode::Protocol),
        ] {
            assert_eq!(check(&bytes), Err(code), "{bytes:?}");
        }
    }

    #[test]
    fn a_message_in_too_many_parts_is_refused() {
        let mut guard = FrameGuard::default();
        guard.check(&frame(0x01, b"")).unwrap();
        let refused_after = (0..10_000).find(|_| guard.check(&frame(0x00, b"")) == Err(CloseCode::TooLarge));
        assert_eq!(refused_after, Some(127));

        let mut guard = FrameGuard::default();
        guard.check(&frame(0x01, &vec![0; limits::FRAME_MAX_BYTES])).unwrap();
        assert_eq!(guard.check(&frame(0x80, b"x")), Err(CloseCode::TooLarge));
    }

    fn any_frame() -> impl Strategy<Value = Vec<u8>> {
        let good = (prop_oneof![Just(0x81u8), Just(0x89), Just(0x01), Just(0x00), Just(0x80)], 0usize..300)
            .prop_map(|(first, length)| frame(first, &vec![0xAB; length]));
        let any = (any::<u8>(), any::<u64>()).prop_map(|(first, declared)| frame_declaring(first, declared, b"xyz"));
        prop_oneof![4 => good, 1 => any]
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_are_judged_like_the_whole(
            frames in prop::collection::vec(any_frame(), 0..12),
            cuts in prop::collection::vec(1usize..40, 1..60),
        ) {
            let bytes = frames.concat();
            let whole = check(&bytes);
            let mut guard = FrameGuard::default();
            let mut rest = &bytes[..];
            let mut in_pieces = Ok(());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() || in_pieces.is_err() {
                    break;
                }
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                in_pieces = guard.check(piece);
                rest = behind;
            }
            prop_assert_eq!(in_pieces, whole);
        }

        #[test]
        fn what_any_bytes_make_it_keep_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let mut guard = FrameGuard::default();
            let _ = guard.check(&bytes);
            prop_assert!(guard.head.len() <= 14);
            prop_assert!(guard.payload <= limits::FRAME_MAX_BYTES as u64);
        }
    }
}
