//! The doors of the console: which Host and Origin are answered, signing in and out, events, files, and how a refusal looks.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::Event;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use quorate_custody::Refusal;
use quorate_terms::{Digest, Malformed};
use quorate_web::{Allowed, Site, Sparse, Stray, to_with, with_cookie};
use serde::Deserialize;

use super::provider::Provider;
use super::visit::{Answered, Member, Via, Visit, digest_of};
use super::{Here, paper};

/// The cookie of a session, as [`Allowed::cookie`] names it.
pub(crate) const COOKIE: &str = "quorate-console";
/// The largest form, in bytes: a policy is the largest thing that is sent.
const FORM_BYTES: usize = 512 * 1024;

/// Puts the doors around the pages.
pub(crate) fn around(pages: Router<Here>, allowed: Allowed) -> Router<Here> {
    let pages = pages
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/events", get(events));
    Site { allowed, form_bytes: FORM_BYTES, stray }.around(pages)
}

/// What is said where there is no page.
fn stray(why: Stray) -> Response {
    let (code, message, next) = match why {
        Stray::Elsewhere => (
            "elsewhere",
            "this is not the console's own address",
            "open the console under the address that desk.toml gives it",
        ),
        Stray::Nothing => {
            ("nothing_here", "there is nothing at this path", "go back to the first page")
        }
        Stray::Form => (
            "form_only",
            "this address only takes what a form sends",
            "open the page with that form again, or go back to the first page",
        ),
    };
    Refused::from(Refusal::new(code, message, next)).of_a_stranger().into_response()
}

/// A refusal as a page.
#[derive(Debug)]
pub(crate) struct Refused {
    refusal: Refusal,
    path: Box<str>,
    /// Through whom one may sign in, beside one's token.
    provider: Option<Box<str>>,
    /// Whether it is said where nobody need be signed in, so that anybody can have it said, as often as they like.
    stranger: bool,
}

impl Refused {
    /// Nobody is signed in.
    pub(crate) fn sign_in(path: &str, provider: Option<&dyn Provider>) -> Self {
        let next = "sign in with the token of your credential";
        let refusal = Refusal::new("sign_in", "nobody is signed in", next);
        let provider = provider.map(|provider| provider.issuer().into());
        Self { refusal, path: path.into(), provider, stranger: true }
    }

    /// The same refusal, said where nobody need be signed in.
    pub(crate) fn of_a_stranger(self) -> Self {
        Self { stranger: true, ..self }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, path: Box::default(), provider: None, stranger: false }
    }
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        Refusal::from(malformed).into()
    }
}

/// Anybody can have themselves refused, and takes no line away from whoever is signed in.
static STRANGERS: Sparse = Sparse::new();
/// Whoever is signed in can, as often as they like.
static REFUSALS: Sparse = Sparse::new();

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.refusal.code.as_str() {
            // The first page is where one signs in.
            "sign_in" if &*self.path == "/" => StatusCode::OK,
            "sign_in" | "no_such_token" | "not_vouched" => StatusCode::UNAUTHORIZED,
            "elsewhere" | "role" => StatusCode::FORBIDDEN,
            "unknown_case" | "nothing_here" => StatusCode::NOT_FOUND,
            "form_only" => StatusCode::METHOD_NOT_ALLOWED,
            "not_now" | "unreadable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        let so_far = if self.stranger { &STRANGERS } else { &REFUSALS };
        let is_stray = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        if !is_stray
            && self.refusal.code != "sign_in"
            && let Some(left_out) = so_far.now()
        {
            tracing::warn!(code = %self.refusal.code, left_out, "refused somebody at the console");
        }
        let page = match self.refusal.code.as_str() {
            "sign_in" => paper::sign_in(self.provider.as_deref()),
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
        return Err(Refused::from(Refusal::new("no_such_token", message, next)).of_a_stranger());
    };
    let (cookie, now) = ((console.setup.secret)()?, console.now());
    let who = Member { token, credential: caller.credential, via: Via::Token };
    tracing::info!(person = %caller.owner, credential = %who.credential, "signed in at the console");
    console.people(|people| people.begin(&cookie, who, now));
    Ok(to_with("/", &console.cookie(), Some(&cookie)))
}

/// Ends the session. Whoever came through the provider is signed in there still, and is offered to end that too: as a link,
/// because no form of a page of ours leads to another site.
async fn sign_out(State(console): State<Here>, headers: HeaderMap) -> Response {
    let mut came_via = Via::Token;
    if let Some((session, ..)) = console.session(&headers).await {
        console.people(|people| people.end(&session.name));
        tracing::info!(credential = %session.who.credential, "signed out at the console");
        came_via = session.who.via;
    }
    if let (Via::Provider, Some(provider)) = (came_via, console.setup.provider.as_deref())
        && provider.farewell().await.is_some()
    {
        let page = Html(paper::signed_out(provider.issuer())).into_response();
        return with_cookie(page, &console.cookie(), None);
    }
    to_with("/", &console.cookie(), None)
}

/// Tells an open page that the book has grown, as long as its session and its credential hold.
async fn events(visit: Visit) -> Response {
    let (name, token): (Digest, Digest) = (visit.session.name, visit.session.who.token);
    let here = Arc::clone(&visit.console);
    let start = (visit.console, visit.status.size);
    let changes = stream::unfold(start, move |(console, size)| async move {
        let grown = console.office.beyond(size).await.ok()?;
        let now = console.now();
        console.people(|people| people.still(&name, now))?;
        console.recognise(token).await?;
        let event = Event::default().event("changed").data("book");
        Some((Ok::<_, Infallible>(event), (console, grown)))
    });
    here.streams.follow(name, changes)
}
