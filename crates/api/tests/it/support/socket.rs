//! A WebSocket of somebody, spoken with tungstenite.

use super::{PATIENCE, Person};
use futures_util::{SinkExt, StreamExt};
use natter_shared::frame::{ClientFrame, Cursors, ServerFrame};
use natter_shared::id::{ClientId, RoomId};
use natter_shared::path;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    /// Every frame so far, the newest last.
    pub seen: Vec<ServerFrame>,
}

impl Socket {
    /// Opens a socket and signs in; the first frame seen is the welcome.
    pub async fn open(person: &Person, cursors: Option<Cursors>) -> Self {
        let mut socket = Self::raw(person, &[]).await.expect("the socket opens");
        socket.says(&ClientFrame::Hello { token: person.token.clone(), cursors }).await;
        let first = socket.next().await;
        assert!(matches!(first, ServerFrame::Welcome { .. }), "{first:?}");
        socket
    }

    /// Opens a socket with further headers and says nothing; the status of a refusal is the error.
    pub async fn raw(person: &Person, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}{}", person.address, path::WEBSOCKET).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let tcp = Self::line(person, None).await;
        match timeout(PATIENCE, client_async(request, tcp)).await.expect("an answer to the handshake") {
            Ok((stream, _)) => Ok(Self { stream, seen: Vec::new() }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// A TCP connection, on request with a small receive buffer, so that a reader who stops reading is felt early.
    async fn line(person: &Person, receive_buffer: Option<u32>) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        socket.connect(person.address).await.unwrap()
    }

    /// Signs in and reads nothing after the handshake.
    pub async fn deaf(person: &Person) -> Self {
        let request = format!("ws://{}{}", person.address, path::WEBSOCKET).into_client_request().unwrap();
        let tcp = Self::line(person, Some(4096)).await;
        let (stream, _) = timeout(PATIENCE, client_async(request, tcp)).await.unwrap().expect("the socket opens");
        let mut socket = Self { stream, seen: Vec::new() };
        socket.says(&ClientFrame::Hello { token: person.token.clone(), cursors: None }).await;
        socket.next().await;
        socket
    }

    pub async fn says(&mut self, frame: &ClientFrame) {
        self.says_text(&serde_json::to_string(frame).unwrap()).await;
    }

    pub async fn says_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the socket takes a frame");
    }

    pub async fn sends(&mut self, room: RoomId, client_id: ClientId, body: &str) {
        let frame = json!({"type": "send", "client_id": client_id, "room": room, "body": body});
        self.says_text(&frame.to_string()).await;
    }

    /// The next frame from the server.
    pub async fn next(&mut self) -> ServerFrame {
        loop {
            match self.message().await {
                Message::Text(text) => {
                    let frame: ServerFrame = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
                    self.seen.push(frame.clone());
                    return frame;
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a frame: {other:?}"),
            }
        }
    }

    async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.stream.next())
            .await
            .unwrap_or_else(|_| panic!("nothing came; seen so far: {:#?}", self.seen))
            .expect("the socket is open")
            .expect("the socket is well")
    }

    /// Waits for a frame of which `pick` makes something. Other frames, such as heartbeats, do not make the wait longer.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&ServerFrame) -> Option<T>) -> T {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let frame = self.next().await;
            if let Some(found) = pick(&frame) {
                return found;
            }
            assert!(tokio::time::Instant::now() < end, "it never came; seen so far: {:#?}", self.seen);
        }
    }

    /// Waits for a message with this text.
    pub async fn sees(&mut self, body: &str) {
        self.until(|frame| texts(frame).iter().any(|text| text == body).then_some(())).await;
    }

    /// Waits for the server's close frame and returns its code.
    pub async fn close_code(mut self) -> u16 {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await.expect("the server closes the socket");
            match message {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Close(None))) | None => return 1005,
                Some(Err(_)) => return 1006,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// The texts of the messages in a frame.
pub fn texts(frame: &ServerFrame) -> Vec<String> {
    let ServerFrame::Entries { entries, .. } = frame else { return Vec::new() };
    let json = |entry| serde_json::to_value(entry).unwrap_or(Value::Null);
    entries.iter().map(json).filter_map(|entry| entry["body"].as_str().map(str::to_owned)).collect()
}
