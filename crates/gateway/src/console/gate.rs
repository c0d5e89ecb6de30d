//! The doors of the console: which Host and Origin are answered, signing in and out, events, files, and how a refusal looks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::Event;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use quorate_custody::Refusal;
use quorate_terms::{Digest, Malformed};
use quorate_web::{Allowed, Site, Sparse, Stray, to_with, with_cookie};
use serde::Deserialize;
use serde_json::{Value, json};

use super::provider::Provider;
use super::visit::{Answered, Member, Via, Visit, digest_of};
use super::{Here, paper};
use crate::office::{CosignerView, Reply};

/// The cookie of a session, as [`Allowed::cookie`] names it.
pub(crate) const COOKIE: &str = "quorate-console";
/// Where an open page hears that the book has grown.
pub(crate) const EVENTS: &str = "/events";
/// Where one that shows how cosigners are hears of that too.
pub(crate) const COSIGNER_EVENTS: &str = "/events/cosigners";
/// How often a stream looks at the links of cosigners. It asks nobody: the desk holds what it last heard.
const LOOK: Duration = Duration::from_secs(2);
/// The largest form, in bytes: a policy is the largest thing that is sent.
const FORM_BYTES: usize = 512 * 1024;

/// Puts the doors around the pages.
pub(crate) fn around(pages: Router<Here>, allowed: Allowed) -> Router<Here> {
    let pages = pages
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route(EVENTS, get(events))
        .route(COSIGNER_EVENTS, get(cosigner_events));
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

/// What an open page has seen, and who looks at it.
struct Following {
    console: Here,
    session: Digest,
    token: Digest,
    size: u64,
    /// What it has seen of the cosigners, where it shows them.
    links: Option<Digest>,
}

/// What a page had seen when it was made. Its stream begins there: nothing is missed while it connects, or connects again.
#[derive(Deserialize, Default)]
struct Seen {
    size: Option<u64>,
    links: Option<Digest>,
}

type Asked = Result<Query<Seen>, QueryRejection>;

/// Where a page hears of changes to what it shows.
pub(crate) fn live(visit: &Visit) -> String {
    let size = visit.status.size;
    let mut path = format!("{}?size={size}", visit.events);
    if visit.events == COSIGNER_EVENTS {
        path.push_str(&format!("&links={}", links(&visit.status.cosigners, size)));
    }
    path
}

/// Of each cosigner its name, whether its link is up, and whether it follows the book to its end: as one digest.
fn links(cosigners: &[CosignerView], size: u64) -> Digest {
    let follows = |one: &CosignerView| one.size.is_some_and(|known| known >= size);
    let all = cosigners.iter().map(|one| json!([one.cosigner, one.up, follows(one)]));
    Digest::sha256(Value::from_iter(all).to_string().as_bytes())
}

impl Following {
    fn of(visit: Visit, seen: Seen, links: Option<Digest>) -> Self {
        let (session, token) = (visit.session.name, visit.session.who.token);
        let size = seen.size.unwrap_or(u64::MAX).min(visit.status.size);
        let links = links.map(|now| seen.links.unwrap_or(now));
        Self { console: visit.console, session, token, size, links }
    }

    /// Waits until there is something new to see.
    async fn changed(&mut self) -> Reply<()> {
        let office = Arc::clone(&self.console.office);
        let Some(seen) = self.links else {
            self.size = office.beyond(self.size).await?;
            return Ok(());
        };
        loop {
            let links = links(&office.cosigners().await?, self.size);
            if links != seen {
                self.links = Some(links);
                return Ok(());
            }
            if let Ok(grown) = tokio::time::timeout(LOOK, office.beyond(self.size)).await {
                self.size = grown?;
                return Ok(());
            }
        }
    }

    /// Tells the page of each change, as long as its session and its credential hold.
    fn told(self) -> Response {
        let (here, name) = (Arc::clone(&self.console), self.session);
        let changes = stream::unfold(self, |mut following| async move {
            following.changed().await.ok()?;
            let (console, now) = (&following.console, following.console.now());
            console.people(|people| people.still(&following.session, now))?;
            console.recognise(following.token).await?;
            let event = Event::default().event("changed").data("book");
            Some((Ok::<_, Infallible>(event), following))
        });
        here.streams.follow(name, changes)
    }
}

/// Tells an open page that the book has grown.
async fn events(visit: Visit, asked: Asked) -> Response {
    Following::of(visit, seen(asked), None).told()
}

/// Tells an open page that the book has grown, or that a cosigner came, went, fell behind or caught up: no entry says so.
async fn cosigner_events(visit: Visit, asked: Asked) -> Response {
    let now = links(&visit.status.cosigners, visit.status.size);
    Following::of(visit, seen(asked), Some(now)).told()
}

/// What cannot be read was not seen.
fn seen(asked: Asked) -> Seen {
    asked.map(|Query(seen)| seen).unwrap_or_default()
}
