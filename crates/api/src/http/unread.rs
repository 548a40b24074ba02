//! What a client still sends of a chunked body when the answer is there. actix goes on reading such a body for as long as
//! it comes, which may be for ever, once nobody holds it any more; while somebody does, it ends the connection right after
//! the answer, as it does with a body of a declared length. So the answer holds it.

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The body of a request, in the hands of whoever reads it and of the answer.
#[derive(Clone)]
pub struct Rest(Rc<RefCell<Payload>>);

impl Rest {
    /// Takes hold of the body, if it is one without a declared length.
    pub fn of(req: &mut ServiceRequest) -> Option<Self> {
        if !req.headers().contains_key(header::TRANSFER_ENCODING) {
            return None;
        }
        let rest = Self(Rc::new(RefCell::new(req.take_payload())));
        req.set_payload(Payload::Stream { payload: Box::pin(rest.clone()) });
        Some(rest)
    }

    /// An answer that holds the body until it is written.
    pub fn held_by(self, answer: BoxBody) -> BoxBody {
        BoxBody::new(Holding { answer, _rest: self })
    }
}

impl Stream for Rest {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

struct Holding {
    answer: BoxBody,
    _rest: Rest,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}
