//! The body of a request, with a time for the whole of it: whoever drips does not stay.
//!
//! A server has one time for all of its bodies, that of the longest. Routes that need less of it say so ([`within`]).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

/// Why a body broke off.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A body that breaks off when its time is over.
pub(crate) struct Timed<B> {
    body: B,
    /// None for a request without a body.
    late: Option<Pin<Box<Sleep>>>,
}

/// A request whose body must have come whole within this time from now.
pub fn within(request: Request, time: Duration) -> Request {
    request.map(|body| axum::body::Body::new(Timed::new(body, time)))
}

impl<B: Body> Timed<B> {
    /// A body that must have come whole within this time from now.
    pub(crate) fn new(body: B, within: Duration) -> Self {
        let late = (!body.is_end_stream()).then(|| Box::pin(tokio::time::sleep(within)));
        Self { body, late }
    }
}

impl<B> Body for Timed<B>
where
    B: Body<Data = Bytes, Error: Into<Failed>> + Unpin,
{
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        // The time first: a body that always has one more byte would never come to it.
        if this.late.as_mut().is_some_and(|late| late.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        Pin::new(&mut this.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
