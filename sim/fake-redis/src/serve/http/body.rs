//! Bodies, in and out.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Frame, Incoming};
use tokio::sync::mpsc;

/// The body of an answer: all of it, or events as they come.
pub(in crate::serve) type Body = Either<Full<Bytes>, Events>;

/// All of a body.
pub(in crate::serve) fn full(bytes: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(bytes.into()))
}

/// Why a request has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum NoBody {
    TooLarge,
    Broken,
}

/// Reads a whole body of at most `limit` bytes.
pub(in crate::serve) async fn receive(body: Incoming, limit: usize) -> Result<Bytes, NoBody> {
    // What the header announces is believed: nobody waits for more than is taken.
    if body.size_hint().lower() > limit as u64 {
        return Err(NoBody::TooLarge);
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(NoBody::TooLarge),
        Err(_) => Err(NoBody::Broken),
    }
}

/// A body that ends when its sender is dropped.
#[derive(Debug)]
pub(in crate::serve) struct Events(mpsc::Receiver<Bytes>);

impl Events {
    /// A body, and where to put its pieces. Few of them wait for a client that does not read.
    pub(in crate::serve) fn channel() -> (mpsc::Sender<Bytes>, Self) {
        let (sender, receiver) = mpsc::channel(16);
        (sender, Self(receiver))
    }
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
