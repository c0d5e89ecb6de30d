//! Streams that tell an open page of changes: they keep their place as anybody's who is signed in does, and no session holds
//! more than a few of them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use quorate_terms::Digest;

use crate::listen::Known;

/// Open streams of one session: a browser that speaks HTTP/1.1 opens six connections to a server.
const EACH: usize = 8;
/// What is said beyond them.
const ENOUGH: &str = "this session follows enough already; close other pages\n";

/// The streams that are open, by their session.
#[derive(Default, Debug)]
pub struct Streams {
    open: Mutex<BTreeMap<Digest, Weak<()>>>,
}

impl Streams {
    /// None is open.
    #[must_use]
    pub const fn new() -> Self {
        Self { open: Mutex::new(BTreeMap::new()) }
    }

    /// A place for one more stream of a session, for as long as it is held.
    fn place(&self, session: Digest) -> Option<Arc<()>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, places| places.strong_count() > 0);
        let places = open.get(&session).map_or(0, Weak::strong_count);
        if places >= EACH {
            return None;
        }
        let place = open.get(&session).and_then(Weak::upgrade).unwrap_or_default();
        open.insert(session, Arc::downgrade(&place));
        Some(place)
    }

    /// Answers with a stream of changes to a session that is signed in, or with 429 if it holds too many.
    pub fn follow<S>(&self, session: Digest, changes: S) -> Response
    where
        S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
    {
        let Some(place) = self.place(session) else {
            return (StatusCode::TOO_MANY_REQUESTS, ENOUGH).into_response();
        };
        let held = changes.inspect(move |_| {
            let _held_until_the_stream_ends = &place;
        });
        let mut response = Sse::new(held).keep_alive(KeepAlive::default()).into_response();
        response.extensions_mut().insert(Known);
        response
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::pending;

    use super::*;

    #[tokio::test]
    async fn one_session_holds_a_few_streams_and_another_still_gets_its_own() {
        let (streams, hers) = (Streams::new(), Digest::of(quorate_terms::digest::tag::TOKEN, b"o"));
        let mut open: Vec<Response> = Vec::new();
        for _ in 0..EACH {
            let answer = streams.follow(Digest::ZERO, pending());
            assert_eq!(answer.status(), StatusCode::OK);
            assert!(answer.extensions().get::<Known>().is_some());
            open.push(answer);
        }
        let answer = streams.follow(Digest::ZERO, pending());
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.extensions().get::<Known>().is_none());
        assert_eq!(streams.follow(hers, pending()).status(), StatusCode::OK);
        open.pop();
        open.push(streams.follow(Digest::ZERO, pending()));
        assert!(open.iter().all(|answer| answer.status() == StatusCode::OK));
        let answer = streams.follow(Digest::ZERO, pending());
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        drop(open);
        assert_eq!(streams.follow(Digest::ZERO, pending()).status(), StatusCode::OK);
        streams.place(hers);
        assert_eq!(streams.open.lock().unwrap().len(), 1, "who left is forgotten");
    }
}
