//! WebSocket frames (RFC 6455) as far as the benchmarks speak them: whole, without extensions. A frame is read where it
//! lies; nothing is copied.

use anyhow::{Result, bail, ensure};

pub const TEXT: u8 = 0x1;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// The bit of a header that says that a mask follows, and the two lengths that stand for a longer length after them.
const MASKED: u8 = 0x80;
const MEDIUM: u8 = 0x7E;
const LONG: u8 = 0x7F;

/// Larger frames are no part of a benchmark.
pub const PAYLOAD_MAX: usize = 192 * 1024;
/// A client masks what it sends (5.3). Against the attacks that this is for it would have to be random; there is nobody
/// here to be attacked, and the server's work is the same.
const MASK: [u8; 4] = [0x5A, 0xA5, 0x3C, 0xC3];

/// The frame that starts a piece of bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    /// The mask of a client's frame.
    mask: Option<[u8; 4]>,
    /// Where the payload starts and ends.
    start: usize,
    end: usize,
}

impl Frame {
    /// `None` if more bytes are needed.
    pub fn at_start_of(bytes: &[u8]) -> Result<Option<Self>> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        ensure!(first & 0xF0 == 0x80, "a frame in parts, or with an extension (first byte {first:#04x})");
        let (extended, length) = match second & !MASKED {
            MEDIUM => match rest {
                &[a, b, ..] => (2, usize::from(u16::from_be_bytes([a, b]))),
                _ => return Ok(None),
            },
            LONG => match rest.first_chunk() {
                Some(length) => (8, usize::try_from(u64::from_be_bytes(*length))?),
                None => return Ok(None),
            },
            short => (0, usize::from(short)),
        };
        if length > PAYLOAD_MAX {
            bail!("a frame of {length} bytes, and at most {PAYLOAD_MAX} are expected");
        }
        let mask = if second & MASKED == 0 {
            None
        } else if let Some(mask) = rest.get(extended..).and_then(<[u8]>::first_chunk) {
            Some(*mask)
        } else {
            return Ok(None);
        };
        let start = 2 + extended + if mask.is_some() { 4 } else { 0 };
        let end = start + length;
        Ok((bytes.len() >= end).then_some(Self { opcode: first & 0x0F, mask, start, end }))
    }

    /// As it was sent: masked if a client sent it.
    pub fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.end]
    }

    /// Takes the mask off, in place.
    pub fn unmask<'a>(&self, bytes: &'a mut [u8]) -> &'a mut [u8] {
        let payload = &mut bytes[self.start..self.end];
        if let Some(mask) = self.mask {
            apply(mask, payload);
        }
        payload
    }

    /// Where the next frame starts.
    pub const fn end(&self) -> usize {
        self.end
    }
}

fn apply(mask: [u8; 4], payload: &mut [u8]) {
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a client's frame, masked.
pub fn write_from_client(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    header(out, opcode, payload.len(), MASKED);
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    apply(MASK, &mut out[start..]);
}

/// Appends a server's frame.
pub fn write_from_server(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

fn header(out: &mut Vec<u8>, opcode: u8, length: usize, masked: u8) {
    out.push(0x80 | opcode);
    if let Some(short) = u8::try_from(length).ok().filter(|length| *length < MEDIUM) {
        out.push(masked | short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.push(masked | MEDIUM);
        out.extend_from_slice(&medium.to_be_bytes());
    } else {
        out.push(masked | LONG);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_whole_at_every_length_of_a_header() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, PAYLOAD_MAX] {
            let payload: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let mut wire = Vec::new();
            write_from_server(&mut wire, TEXT, &payload);
            let frame = Frame::at_start_of(&wire).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.end()), (TEXT, wire.len()));
            assert_eq!(frame.payload(&wire), payload);

            let mut wire = Vec::new();
            write_from_client(&mut wire, TEXT, &payload);
            let frame = Frame::at_start_of(&wire).unwrap().unwrap();
            assert_eq!(frame.end(), wire.len());
            assert_eq!(frame.unmask(&mut wire), payload);
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        // RFC 6455, 5.7: an unmasked "Hello", and a masked one with its own key.
        let mut wire = Vec::new();
        write_from_server(&mut wire, TEXT, b"Hello");
        assert_eq!(wire, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        let mut masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let frame = Frame::at_start_of(&masked).unwrap().unwrap();
        assert_eq!(frame.unmask(&mut masked), b"Hello");
    }

    #[test]
    fn a_part_of_a_frame_is_waited_for_at_every_byte() {
        for length in [5, 200, 70_000] {
            for write in [write_from_server, write_from_client] {
                let mut wire = Vec::new();
                write(&mut wire, TEXT, &vec![b'x'; length]);
                for cut in (0..wire.len().min(20)).chain([wire.len() - 1]) {
                    assert_eq!(Frame::at_start_of(&wire[..cut]).unwrap(), None, "{length} bytes cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn what_the_benchmarks_do_not_speak_is_refused() {
        assert!(Frame::at_start_of(&[0x01, 0x00]).is_err(), "a first part");
        assert!(Frame::at_start_of(&[0xC1, 0x00]).is_err(), "compressed");
        assert!(Frame::at_start_of(&[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]).is_err(), "too large");
    }
}
