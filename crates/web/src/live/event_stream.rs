//! Reads an event stream (WHATWG HTML, "Server-sent events") as its bytes come in, in whatever pieces.

/// A line or an event longer than this is not of this server, in bytes. A welcome with a thousand rooms is below it.
const LONGEST: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// Empty if the stream did not name it.
    pub kind: String,
    pub data: String,
    /// What to resume from: the last id that the stream gave, if any.
    pub id: Option<String>,
}

/// The stream is not one that can be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

#[derive(Debug, Default)]
pub struct EventStream {
    /// Bytes of a line that has not ended.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed right after it ends the same line.
    after_return: bool,
    begun: bool,
    kind: String,
    data: String,
    has_data: bool,
    last_id: Option<String>,
}

impl EventStream {
    /// Takes the next bytes and returns the events that are complete with them. Comments and unknown fields say nothing.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<StreamEvent>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            if std::mem::take(&mut self.after_return) && *byte == b'\n' {
                continue;
            }
            if *byte == b'\n' || *byte == b'\r' {
                self.after_return = *byte == b'\r';
                let line = std::mem::take(&mut self.line);
                events.extend(self.end_line(&line));
            } else {
                self.line.push(*byte);
            }
            if self.line.len() + self.data.len() > LONGEST {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, line: &[u8]) -> Option<StreamEvent> {
        let line = String::from_utf8_lossy(line);
        let line = if std::mem::replace(&mut self.begun, true) { &*line } else { line.trim_start_matches('\u{FEFF}') };
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()),
            // A comment has an empty field name.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<StreamEvent> {
        let kind = std::mem::take(&mut self.kind);
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then(|| StreamEvent { kind, data, id: self.last_id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{FEFF}: hello\r\nevent: heads\r\nid: r1=4\r\ndata: {\"a\":\r\ndata:  1}\r\n\r\n: ping\n\nevent:typing\ndata:näh\n\ndata\n\nid\nevent: lost\n\n";

    fn all(pieces: &[&[u8]]) -> Vec<StreamEvent> {
        let mut stream = EventStream::default();
        pieces.iter().flat_map(|piece| stream.push(piece).unwrap()).collect()
    }

    #[test]
    fn events_are_read_whatever_pieces_they_come_in() {
        let whole = all(&[STREAM.as_bytes()]);
        let event = |kind: &str, data: &str| StreamEvent {
            kind: kind.to_owned(),
            data: data.to_owned(),
            id: Some("r1=4".to_owned()),
        };
        assert_eq!(whole, [event("heads", "{\"a\":\n 1}"), event("typing", "näh"), event("", "")]);
        for cut in 0..STREAM.len() {
            let (a, b) = STREAM.as_bytes().split_at(cut);
            assert_eq!(all(&[a, b]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_without_an_end_is_given_up() {
        let mut stream = EventStream::default();
        let piece = vec![b'x'; 1024 * 1024];
        assert!((0..17).any(|_| stream.push(&piece).is_err()));
    }
}
