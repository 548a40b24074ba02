//! The connections that leave HTTP behind. For as long as a connection lives, actix' dispatcher keeps two buffers of 8 KiB;
//! a WebSocket needs neither after its handshake. What comes is read when somebody asks for it, and what goes out is
//! written from where it is.

use actix_codec::{Encoder, Framed, FramedParts};
use actix_http::body::{BoxBody, MessageBody};
use actix_http::error::PayloadError;
use actix_http::h1::{Codec, Message};
use actix_http::{BoxedPayloadStream, ConnectionType, Payload, Request, Response, StatusCode};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::dev::ServiceResponse;
use actix_web::rt;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// What is read at once.
const READ_BYTES: usize = 8 * 1024;
/// A peer that takes nothing of what is written to it is given up after this time.
pub const UNTAKEN: Duration = Duration::from_secs(30);

/// What actix hands over: the request that asks to leave, and the connection.
type Leaving = (Request, Framed<TcpStream, Codec>);

/// Answers requests that ask to leave HTTP with `app`, like all others. Where the answer is to switch protocols, its body
/// is what the connection is told from then on, and the request's payload is what the connection says.
pub fn factory<S, B>(
    app: S,
    upgraded: Upgraded,
) -> impl ServiceFactory<Leaving, Config = (), Response = (), Error = actix_web::Error, InitError = ()>
where
    S: ServiceFactory<Request, Config = (), Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::InitError: std::fmt::Debug,
    B: MessageBody + 'static,
{
    let app = Rc::new(app);
    fn_factory(move || {
        let (app, upgraded) = (Rc::clone(&app), upgraded.clone());
        async move {
            let app = app.new_service(()).await.map_err(|error| tracing::error!(?error, "no app for a worker"))?;
            let app = Rc::new(app);
            Ok(fn_service(move |(request, connection)| {
                let (app, live) = (Rc::clone(&app), upgraded.one_more());
                async move {
                    if let Err(error) = serve(&*app, request, connection, live).await {
                        tracing::debug!(%error, "a connection broke");
                    }
                    Ok::<_, actix_web::Error>(())
                }
            }))
        }
    })
}

async fn serve<S, B>(app: &S, request: Request, connection: Framed<TcpStream, Codec>, live: Live) -> io::Result<()>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let FramedParts { io, mut codec, read_buf, mut write_buf, .. } = connection.into_parts();
    let (reading, mut writing) = io.into_split();
    let incoming = Incoming { early: Bytes::copy_from_slice(&read_buf), reading, read_much: false };
    drop(read_buf);
    let (request, _) = request.replace_payload(Payload::Stream { payload: Box::pin(incoming) as BoxedPayloadStream });
    let answer: Response<_> = match app.call(request).await {
        Ok(answer) => Response::from(answer).map_into_boxed_body(),
        Err(error) => error.into(),
    };
    let (mut answer, body) = answer.into_parts();
    let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    if !switched {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    codec.encode(Message::Item((answer, body.size())), &mut write_buf)?;
    write(&mut writing, write_buf.freeze()).await?;
    if switched {
        // A task of its own, for the one that this runs in holds all that a dispatcher needs.
        rt::spawn(speak(writing, body, live));
        return Ok(());
    }
    let mut body = pin!(body);
    while let Some(bytes) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let bytes = bytes.map_err(|error| io::Error::other(error.to_string()))?;
        write(&mut writing, chunk(&mut codec, Some(bytes))?).await?;
    }
    write(&mut writing, chunk(&mut codec, None)?).await?;
    writing.shutdown().await
}

/// Says on a connection that has left HTTP what its body holds, until that ends.
async fn speak(mut writing: OwnedWriteHalf, mut body: BoxBody, live: Live) {
    while let Some(Ok(bytes)) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
        if let Err(error) = write(&mut writing, bytes).await {
            tracing::debug!(%error, "a connection broke");
            break;
        }
    }
    // First the body, which hears of the end; with the writing half the connection's own end is sent.
    drop(body);
    drop(writing);
    drop(live);
}

/// Counts the connections that have left HTTP, which actix does not see any more: a server that stops waits for them.
#[derive(Clone, Default)]
pub struct Upgraded(Arc<AtomicUsize>);

impl Upgraded {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn one_more(&self) -> Live {
        self.0.fetch_add(1, Ordering::AcqRel);
        Live(self.clone())
    }
}

/// One of them.
struct Live(Upgraded);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A piece of an ordinary answer as HTTP writes it; its end without bytes.
fn chunk(codec: &mut Codec, bytes: Option<Bytes>) -> io::Result<Bytes> {
    let mut out = BytesMut::new();
    codec.encode(Message::Chunk(bytes), &mut out)?;
    Ok(out.freeze())
}

/// Writes all of it. Most often the kernel takes it at once, and no timer is started.
async fn write(writing: &mut OwnedWriteHalf, mut bytes: Bytes) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    match writing.try_write(&bytes) {
        Ok(taken) => bytes.advance(taken),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
    }
    if bytes.is_empty() {
        return Ok(());
    }
    tokio::time::timeout(UNTAKEN, writing.write_all(&bytes)).await?
}

/// What the peer says, read when it is asked for and kept nowhere.
struct Incoming {
    /// What came together with the request.
    early: Bytes,
    reading: OwnedReadHalf,
    /// The last read may have left something: others get their turn before the next.
    read_much: bool,
}

impl Stream for Incoming {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.early.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.early))));
        }
        if std::mem::take(&mut self.read_much) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut space = [0; READ_BYTES];
        let mut buffer = ReadBuf::new(&mut space);
        let result = ready!(Pin::new(&mut self.reading).poll_read(cx, &mut buffer));
        self.read_much = buffer.remaining() == 0;
        Poll::Ready(match result {
            Ok(()) if buffer.filled().is_empty() => None,
            Ok(()) => Some(Ok(Bytes::copy_from_slice(buffer.filled()))),
            Err(error) => Some(Err(PayloadError::Io(error))),
        })
    }
}
