//! An event stream of somebody, read line by line.

use super::{PATIENCE, Person};
use futures_util::StreamExt;
use natter_shared::frame::ServerFrame;
use natter_shared::path;
use tokio::time::timeout;

pub struct EventStream {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    buffer: String,
    /// The id of the last event: what a reader resumes with.
    pub last_id: String,
}

impl EventStream {
    pub async fn open(person: &Person, last_event_id: Option<&str>) -> Self {
        let url = format!("http://{}{}", person.address, path::EVENTS);
        // The shared client bounds whole answers; a stream has no end.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(url).bearer_auth(&person.token);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = timeout(PATIENCE, request.send()).await.expect("an answer").expect("a stream");
        assert_eq!(response.status().as_u16(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { body: Box::pin(response.bytes_stream()), buffer: String::new(), last_id: String::new() }
    }

    /// The next event; `None` once the server has ended the stream.
    pub async fn next(&mut self) -> Option<ServerFrame> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let (mut name, mut data) = (String::new(), String::new());
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("event", value)) => value.clone_into(&mut name),
                        Some(("data", value)) => data.push_str(value),
                        Some(("id", value)) => value.clone_into(&mut self.last_id),
                        _ => assert!(line.is_empty() || line.starts_with(':'), "{line}"),
                    }
                }
                if !data.is_empty() {
                    let frame: ServerFrame = serde_json::from_str(&data).unwrap();
                    assert_eq!(frame.kind(), name);
                    return Some(frame);
                }
            }
            let part = timeout(PATIENCE, self.body.next()).await.expect("something comes")?;
            self.buffer.push_str(std::str::from_utf8(&part.ok()?).unwrap());
        }
    }

    /// Waits for a frame of which `pick` makes something.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = self.next().await.expect("the stream is open");
            if let Some(found) = pick(&frame) {
                return found;
            }
        }
    }
}
