//! The body of a request, with a time for the whole of it: whoever drips does not stay.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

/// A body that breaks off when its time is over.
pub(crate) struct Timed {
    body: Incoming,
    /// None for a request without a body.
    late: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    /// A body that must have come whole within this time from now.
    pub(crate) fn new(body: Incoming, within: Duration) -> Self {
        let late = (!body.is_end_stream()).then(|| Box::pin(tokio::time::sleep(within)));
        Self { body, late }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

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
