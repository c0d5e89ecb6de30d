//! Server-sent events: one whenever the ledger has grown. The id is the ledger's size, so `Last-Event-ID` goes on where a
//! connection broke; nothing is lost, because what was missed stands in the ledger.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use quorate_terms::Malformed;
use quorate_web::sole;
use tokio::time::Instant;

use super::Api;
use super::asked::invalid;
use crate::errors::Complaint;
use crate::http::gate::Shown;
use crate::limit::Place;

const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// How often a silent stream says that it is still there.
const STILL_HERE: Duration = Duration::from_secs(15);

struct Following {
    api: Arc<Api>,
    shown: Shown,
    /// When a token that opened it ends.
    until: Option<Instant>,
    size: u64,
    _place: Place,
}

/// A stream of the ledger's sizes, from the size that the caller knows. It ends with the credential.
pub(super) fn stream(
    api: Arc<Api>,
    headers: &HeaderMap,
    shown: Shown,
    place: Place,
) -> Result<Response, Complaint> {
    // Whoever names no size is told the present one first.
    let size = last(headers)?.unwrap_or_default();
    let until = shown.lasts().map(|lasts| Instant::now().checked_add(lasts));
    let until = until.map(|until| until.unwrap_or_else(Instant::now));
    let following = Following { api, shown, until, size, _place: place };
    let events = stream::unfold(following, |mut following| async move {
        let beyond = following.api.office.beyond(following.size);
        let size = match following.until {
            Some(until) => tokio::time::timeout_at(until, beyond).await.ok()?.ok()?,
            None => beyond.await.ok()?,
        };
        // The end of a credential is an entry, so it is seen here before anything is told.
        let caller = following.shown.known(following.api.desk.as_ref()).await.ok()?;
        following.shown.narrowed(caller).ok()?;
        following.size = size;
        let event = Event::default().id(size.to_string()).event("grown");
        let event = event.data(format!("{{\"size\":{size}}}"));
        Some((Ok::<_, Infallible>(event), following))
    });
    let alive = KeepAlive::new().interval(STILL_HERE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

fn last(headers: &HeaderMap) -> Result<Option<u64>, Complaint> {
    let bad = || {
        let mend = "give the id of the last event, or leave it out";
        invalid(&Malformed::new("Last-Event-ID", "is not a ledger's size", mend))
    };
    let said = sole(headers, &LAST).map_err(|()| bad())?;
    said.map(|text| text.parse().map_err(|_| bad())).transpose()
}
