//! As much of MongoDB's wire protocol as it takes to initiate a replica set: one command, one answer (`OP_MSG` and BSON, as
//! MongoDB and bsonspec.org describe them). Not for anything that runs for long.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How long connecting, writing and each read may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers have some hundred bytes.
const LONGEST: usize = 1 << 20;
const OP_MSG: i32 = 2013;
/// Length, request id, id answered to, kind of message; flags; and the byte before the document.
const HEADER: usize = 16 + 4 + 1;

/// The elements of a BSON document, in the order in which they were added.
#[derive(Default)]
pub struct Document(Vec<u8>);

impl Document {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn int(self, name: &str, value: i32) -> Self {
        self.element(0x10, name, &value.to_le_bytes())
    }

    pub fn truth(self, name: &str, value: bool) -> Self {
        self.element(0x08, name, &[u8::from(value)])
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        let mut bytes = length(value.len() + 1).to_vec();
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
        self.element(0x02, name, &bytes)
    }

    pub fn document(self, name: &str, value: &Self) -> Self {
        self.element(0x03, name, &value.bytes())
    }

    /// A list is a document whose names are 0, 1, 2, ….
    pub fn list(self, name: &str, values: &[&Self]) -> Self {
        let list =
            values.iter().enumerate().fold(Self::new(), |list, (at, value)| list.document(&at.to_string(), value));
        self.element(0x04, name, &list.bytes())
    }

    fn element(mut self, kind: u8, name: &str, value: &[u8]) -> Self {
        self.0.push(kind);
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        self.0.extend_from_slice(value);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = length(self.0.len() + 5).to_vec();
        bytes.extend_from_slice(&self.0);
        bytes.push(0);
        bytes
    }
}

/// What the answer says on its first level; what is nested is left out.
#[derive(Debug, Default)]
pub struct Answer(BTreeMap<String, Value>);

#[derive(Debug, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
    Truth(bool),
}

impl Answer {
    pub fn number(&self, name: &str) -> Option<f64> {
        if let Some(Value::Number(number)) = self.0.get(name) { Some(*number) } else { None }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.0.get(name) { Some(text) } else { None }
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Truth(true))
    }

    fn read(document: &[u8]) -> Result<Self> {
        let mut answer = Self::default();
        let mut rest = Bytes(document);
        rest.take(4)?;
        loop {
            let kind = rest.take(1)?[0];
            if kind == 0 {
                return Ok(answer);
            }
            let name = rest.name()?;
            let value = match kind {
                0x01 => Some(Value::Number(f64::from_le_bytes(rest.array()?))),
                0x02 => {
                    let text = rest.counted(0)?;
                    Some(Value::Text(String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text)).into_owned()))
                }
                // Documents and lists count their own length, binary data has a kind besides.
                0x03 | 0x04 => rest.counted(-4).map(|_| None)?,
                0x05 => rest.counted(1).map(|_| None)?,
                0x07 => rest.take(12).map(|_| None)?,
                0x08 => Some(Value::Truth(rest.take(1)? == [1])),
                0x09 | 0x11 | 0x12 => rest.take(8).map(|_| None)?,
                0x0A => None,
                0x10 => Some(Value::Number(f64::from(i32::from_le_bytes(rest.array()?)))),
                other => bail!("an answer with a value of the unknown kind {other}"),
            };
            if let Some(value) = value {
                answer.0.insert(name, value);
            }
        }
    }
}

/// Sends `command`, which names its database as `$db`, to 127.0.0.1 and returns the answer, good or bad.
pub fn ask(port: u16, command: &Document) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&message(command))?;
    let mut header = [0; HEADER];
    stream.read_exact(&mut header)?;
    let mut fields = Bytes(&header);
    let whole = usize::try_from(i32::from_le_bytes(fields.array()?)).unwrap_or(0);
    fields.take(8)?;
    ensure!(i32::from_le_bytes(fields.array()?) == OP_MSG, "it answers in another protocol than MongoDB's");
    ensure!((HEADER..LONGEST).contains(&whole), "an answer of {whole} bytes");
    let mut document = vec![0; whole - HEADER];
    stream.read_exact(&mut document)?;
    Answer::read(&document)
}

fn message(command: &Document) -> Vec<u8> {
    let document = command.bytes();
    let mut message = length(HEADER + document.len()).to_vec();
    for field in [1, 0, OP_MSG, 0] {
        message.extend_from_slice(&field.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(&document);
    message
}

fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_le_bytes()
}

/// What is still to be read. Short input is an error, never a panic.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).context("the answer ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into()?)
    }

    /// As many bytes as the number before them says, and `more`.
    fn counted(&mut self, more: i64) -> Result<&'a [u8]> {
        let count = i64::from(i32::from_le_bytes(self.array()?)) + more;
        self.take(usize::try_from(count).context("a negative length")?)
    }

    fn name(&mut self) -> Result<String> {
        let end = self.0.iter().position(|byte| *byte == 0).context("a name without an end")?;
        let name = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_document_has_the_bytes_that_the_specification_gives() {
        let hello = Document::new().text("hello", "world");
        assert_eq!(hello.bytes(), b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0");
        let list = Document::new().list("a", &[&Document::new().int("b", 1)]);
        assert_eq!(list.bytes(), b"\x1c\0\0\0\x04a\0\x14\0\0\0\x030\0\x0c\0\0\0\x10b\0\x01\0\0\0\0\0\0");
    }

    #[test]
    fn an_answer_is_read_whatever_lies_between() {
        let nested = Document::new().text("errmsg", "not this one");
        let document = Document::new()
            .document("nested", &nested)
            .list("list", &[&nested])
            .element(0x05, "binary", b"\x02\0\0\0\0xy")
            .element(0x07, "id", &[7; 12])
            .element(0x11, "at", &[1; 8])
            .element(0x0A, "nothing", &[])
            .element(0x01, "ok", &1.0_f64.to_le_bytes())
            .int("code", 23)
            .text("errmsg", "already initialized")
            .truth("isWritablePrimary", true)
            .bytes();
        let answer = Answer::read(&document).unwrap();
        assert_eq!((answer.number("ok"), answer.number("code")), (Some(1.0), Some(23.0)));
        assert_eq!(answer.text("errmsg"), Some("already initialized"));
        assert!(answer.is_true("isWritablePrimary") && !answer.is_true("ok"));
        for end in 0..document.len() - 1 {
            assert!(Answer::read(&document[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_command_is_answered_over_a_real_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let command = || Document::new().int("hello", 1).text("$db", "admin");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; message(&command()).len()];
            stream.read_exact(&mut asked).unwrap();
            assert_eq!(asked, message(&command()));
            stream.write_all(&message(&Document::new().truth("isWritablePrimary", true))).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        });
        assert!(ask(port, &command()).unwrap().is_true("isWritablePrimary"));
        assert!(ask(port, &command()).unwrap_err().to_string().contains("another protocol"));
        server.join().unwrap();
    }
}
