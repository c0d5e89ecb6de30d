//! Server-sent events: one whenever the ledger has grown. The id is the ledger's size, so `Last-Event-ID` goes on where a
//! connection broke; nothing is lost, because what was missed stands in the ledger.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use quorate_terms::{Digest, Malformed};
use quorate_web::sole;

use super::Api;
use super::asked::invalid;
use crate::errors::Complaint;
use crate::limit::Place;

const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// How often a silent stream says that it is still there.
const STILL_HERE: Duration = Duration::from_secs(15);

struct Following {
    api: Arc<Api>,
    token: Digest,
    size: u64,
    _place: Place,
}

/// A stream of the ledger's sizes, from the size that the caller knows. It ends with the credential.
pub(super) fn stream(
    api: Arc<Api>,
    headers: &HeaderMap,
    token: Digest,
    place: Place,
) -> Result<Response, Complaint> {
    // Whoever names no size is told the present one first.
    let size = last(headers)?.unwrap_or_default();
    let following = Following { api, token, size, _place: place };
    let events = stream::unfold(following, |mut following| async move {
        let size = following.api.office.beyond(following.size).await.ok()?;
        // The end of a credential is an entry, so it is seen here before anything is told.
        following.api.desk.authenticate(following.token).await?;
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
