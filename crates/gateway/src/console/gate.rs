//! The doors of the console: which Host and Origin are answered, signing in and out, events, files, and how a refusal looks.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream;
use quorate_custody::Refusal;
use quorate_pages::{ASSET_CACHE, asset, headers};
use quorate_terms::{Digest, Malformed};
use quorate_web::Allowed;
use quorate_web::sessions::set_cookie;
use serde::Deserialize;

use super::visit::{Answered, Member, Visit, digest_of};
use super::{Here, paper};

/// The cookie of a session.
pub(crate) const COOKIE: &str = "__Host-quorate-console";
/// The largest form, in bytes: a policy is the largest thing that is sent.
const FORM_BYTES: usize = 512 * 1024;

/// Puts the doors around the pages.
pub(crate) fn around(pages: Router<Here>, allowed: Arc<Allowed>) -> Router<Here> {
    pages
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/events", get(events))
        .route("/assets/{name}", get(assets))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(from_fn_with_state(allowed, guarded))
}

/// Host, Origin and the headers of every answer. A change must name the console's own Origin.
async fn guarded(State(allowed): State<Arc<Allowed>>, request: Request, next: Next) -> Response {
    let is_change = !matches!(request.method().as_str(), "GET" | "HEAD");
    let names_origin = request.headers().contains_key(header::ORIGIN);
    let admitted = allowed.admit(request.headers()).is_ok() && (!is_change || names_origin);
    let mut response = if admitted {
        next.run(request).await
    } else {
        let next = "open the console under the address that desk.toml gives it";
        Refused::from(Refusal::new("elsewhere", "this is not the console's own address", next))
            .into_response()
    };
    for (name, value) in headers() {
        let name = HeaderName::from_static(name);
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A refusal as a page.
#[derive(Debug)]
pub(crate) struct Refused {
    refusal: Refusal,
    path: String,
}

impl Refused {
    /// Nobody is signed in.
    pub(crate) fn sign_in(path: &str) -> Self {
        let next = "sign in with the token of your credential";
        let refusal = Refusal::new("sign_in", "nobody is signed in", next);
        Self { refusal, path: path.to_owned() }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, path: String::new() }
    }
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        Refusal::from(malformed).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.refusal.code.as_str() {
            // The first page is where one signs in.
            "sign_in" if self.path == "/" => StatusCode::OK,
            "sign_in" | "no_such_token" => StatusCode::UNAUTHORIZED,
            "elsewhere" | "role" => StatusCode::FORBIDDEN,
            "unknown_case" | "nothing_here" => StatusCode::NOT_FOUND,
            "not_now" | "unreadable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        let page = match self.refusal.code.as_str() {
            "sign_in" => paper::sign_in(),
            _ => paper::refused(&self.refusal),
        };
        (status, Html(page)).into_response()
    }
}

/// What a person pastes.
#[derive(Deserialize)]
struct Token {
    token: String,
}

async fn sign_in(State(console): State<Here>, Form(typed): Form<Token>) -> Answered {
    let token = digest_of(&typed.token);
    let Some((caller, _)) = console.recognise(token).await else {
        let next =
            "paste the token that `quorate member new` wrote; it may have lapsed or been revoked";
        let message = "no person holds this token in a role now";
        return Err(Refusal::new("no_such_token", message, next).into());
    };
    let (cookie, now) = ((console.setup.secret)()?, console.now());
    let who = Member { token, credential: caller.credential };
    console.people(|people| people.begin(&cookie, who, now));
    Ok(home_with(Some(&cookie)))
}

async fn sign_out(State(console): State<Here>, headers: HeaderMap) -> Response {
    if let Some((session, ..)) = console.session(&headers).await {
        console.people(|people| people.end(&session.name));
    }
    home_with(None)
}

/// Back to the first page, with this cookie or without one.
fn home_with(value: Option<&str>) -> Response {
    let mut response = Redirect::to("/").into_response();
    if let Some(line) = set_cookie(COOKIE, value) {
        response.headers_mut().insert(header::SET_COOKIE, line);
    }
    response
}

/// Tells an open page that the book has grown, as long as its credential holds.
async fn events(visit: Visit) -> impl IntoResponse {
    let token: Digest = visit.session.who.token;
    let start = (visit.console, visit.status.size);
    let changes = stream::unfold(start, move |(console, size)| async move {
        let grown = console.office.beyond(size).await.ok()?;
        console.recognise(token).await?;
        let event = Event::default().event("changed").data("book");
        Some((Ok::<_, Infallible>(event), (console, grown)))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

async fn assets(request: Request) -> Response {
    match asset(request.uri().path()) {
        Some(found) => {
            let kind = [(header::CONTENT_TYPE, found.mime), (header::CACHE_CONTROL, ASSET_CACHE)];
            (kind, found.bytes).into_response()
        }
        None => nothing_here().await.into_response(),
    }
}

async fn nothing_here() -> Refused {
    let next = "go back to the first page";
    Refusal::new("nothing_here", "there is nothing at this path", next).into()
}
