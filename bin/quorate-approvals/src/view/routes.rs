//! What the view answers. Every change is a POST from its own pages, under a cookie that no other site can send, and with a
//! question that is answered once.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::Event;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream;
use quorate_terms::digest::tag;
use quorate_terms::passkey::{Assertion, Blob, Passkey, PasskeyKey};
use quorate_terms::{CaseId, CredentialId, Digest};
use quorate_web::{Allowed, Known, Site, Sparse, Stray, to_with};
use serde::Deserialize;

use crate::trouble::{Done, Trouble};

use super::office::{Office, present};
use super::paper;
use super::sessions::{Ask, Session, Signer, may_end};

/// The cookie of a session, as [`Allowed::cookie`] names it.
const COOKIE: &str = "quorate-view";
/// The largest form, in bytes.
const FORM_BYTES: usize = 32 * 1024;

type Here = State<Arc<Office>>;

/// Everything that the view answers.
pub(super) fn router(office: Arc<Office>) -> Done<Router> {
    let allowed = allowed(&office);
    allowed.check().map_err(Trouble::from)?;
    let routes = Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/sessions", get(sessions))
        .route("/sessions/end", post(end_session))
        .route("/sessions/end-others", post(end_others))
        .route("/cases/{case}", get(case))
        .route("/cases/{case}/word", post(word))
        .route("/passkeys/new", get(ask_code).post(new_passkey))
        .route("/passkeys/made", post(made))
        .route("/passkeys/used", post(used))
        .route("/events", get(events));
    let site = Site { allowed, form_bytes: FORM_BYTES, stray };
    let keep = from_fn_with_state(Arc::clone(&office), with_ways);
    Ok(site.around(routes).layer(keep).with_state(office))
}

/// The one address under which the view is open: that of its seat.
fn allowed(office: &Office) -> Allowed {
    let origin = &office.seat().origin;
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    Allowed::new([host], [origin])
}

fn cookie(office: &Office) -> String {
    allowed(office).cookie(COOKIE)
}

/// Rides on the answer where there is no page, with what is said there.
#[derive(Clone)]
struct Nowhere(Arc<Trouble>);

/// Whoever is signed in keeps the ways on where there is no page: what is said there knows of nobody.
async fn with_ways(State(office): Here, request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    let nowhere = response.extensions_mut().remove::<Nowhere>();
    if let Some(Nowhere(said)) = nowhere.filter(|_| session(&office, &asked).is_some()) {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(paper::refused(&said, true));
    }
    response
}

/// What is said where there is no page.
fn stray(why: Stray) -> Response {
    let (code, message, next) = match why {
        Stray::Elsewhere => (
            "elsewhere",
            "this is not the view's own address",
            "open the view under the address that your charter names",
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
    let trouble = Trouble::refused(code, message, next);
    let nowhere = (why != Stray::Elsewhere).then(|| Nowhere(Arc::new(trouble.clone())));
    let mut response = Stranger(trouble).into_response();
    if let Some(nowhere) = nowhere {
        response.extensions_mut().insert(nowhere);
    }
    response
}

/// A refusal of somebody who is signed in, as a page.
struct Refused(Trouble);

impl<T: Into<Trouble>> From<T> for Refused {
    fn from(trouble: T) -> Self {
        Self(trouble.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        /// Whoever is signed in can have themselves refused, as often as they like.
        static REFUSALS: Sparse = Sparse::new();
        if self.0.code == SIGN_IN {
            return Stranger(self.0).into_response();
        }
        refused(&self.0, &REFUSALS, true)
    }
}

/// A refusal where nobody is asked who they are, as a page.
struct Stranger(Trouble);

impl<T: Into<Trouble>> From<T> for Stranger {
    fn from(trouble: T) -> Self {
        Self(trouble.into())
    }
}

impl IntoResponse for Stranger {
    fn into_response(self) -> Response {
        /// Anybody can, and takes no line away from whoever is signed in.
        static STRANGERS: Sparse = Sparse::new();
        refused(&self.0, &STRANGERS, false)
    }
}

/// The code of a refusal of somebody who is not signed in.
const SIGN_IN: &str = "sign_in";

fn refused(trouble: &Trouble, lines: &Sparse, is_signed_in: bool) -> Response {
    let status = match trouble.code.as_str() {
        "elsewhere" => StatusCode::FORBIDDEN,
        "unknown_case" | "unknown_session" | "nothing_here" => StatusCode::NOT_FOUND,
        "form_only" => StatusCode::METHOD_NOT_ALLOWED,
        SIGN_IN => StatusCode::UNAUTHORIZED,
        _ if trouble.refused => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    if !matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
        && let Some(left_out) = lines.now()
    {
        tracing::warn!(code = %trouble.code, left_out, "refused somebody at the view");
    }
    (status, Html(paper::refused(trouble, is_signed_in))).into_response()
}

/// What somebody who is signed in is answered.
type Page = Result<Response, Refused>;

/// What anybody is answered.
type Open = Result<Response, Stranger>;

fn page(text: String) -> Response {
    let mut response = Html(text).into_response();
    response.extensions_mut().insert(Known);
    response
}

/// Who asks, if somebody is signed in.
fn session(office: &Office, headers: &HeaderMap) -> Option<Session> {
    office.people(|people| people.of(headers, &cookie(office), present()))
}

fn signed_in(office: &Office, headers: &HeaderMap) -> Result<Session, Refused> {
    let next = "open the first page and sign in with your passkey";
    session(office, headers)
        .ok_or_else(|| Refused(Trouble::refused(SIGN_IN, "nobody is signed in", next)))
}

async fn home(State(office): Here, headers: HeaderMap) -> Page {
    let told = office.grown().borrow().clone();
    let Some(session) = session(&office, &headers) else {
        let passkeys = office.passkeys().await;
        // Nothing is kept for strangers, who could push out what others were asked.
        let name = match office.challenge_name() {
            Ok(name) => name,
            Err(trouble) => return Ok(Stranger(trouble).into_response()),
        };
        let text = paper::sign_in(office.seat(), &passkeys, (&name, &Office::challenge(&name)));
        return Ok(Html(text).into_response());
    };
    let text =
        office.look(&session, |view| Ok(paper::home(office.seat(), &session, view, &told))).await?;
    Ok(page(text))
}

/// What a browser gives when a passkey was used.
#[derive(Deserialize)]
struct Answer {
    ask: String,
    credential_id: String,
    authenticator_data: String,
    client_data: String,
    signature: String,
}

impl Answer {
    fn assertion(&self) -> Done<Assertion> {
        Ok(Assertion {
            authenticator_data: self.authenticator_data.parse::<Blob>()?,
            client_data: self.client_data.parse::<Blob>()?,
            signature: self.signature.parse::<Blob>()?,
        })
    }
}

fn asked(office: &Office, name: &str, by: Option<&Session>) -> Done<Ask> {
    office
        .people(|people| people.answered(name, by.map(|session| session.name), present()))
        .ok_or_else(not_open)
}

fn not_open() -> Trouble {
    let next = "open the page again; each question is answered once, within ten minutes";
    Trouble::refused("asked", "this question is not open", next)
}

fn unexpected() -> Trouble {
    let next = "go back to the first page";
    Trouble::refused("asked", "something else was asked", next)
}

async fn sign_in(State(office): Here, Form(answer): Form<Answer>) -> Open {
    if !office.has_asked(&answer.ask) {
        return Err(not_open().into());
    }
    let handle: Blob = answer.credential_id.parse()?;
    let passkeys = office.passkeys().await;
    let Some((seat, passkey)) = passkeys.into_iter().find(|(_, one)| one.handle == handle) else {
        let next = "use a passkey that the charter seats for this view";
        return Err(Trouble::refused(SIGN_IN, "this passkey has no seat here", next).into());
    };
    answer.assertion()?.check(office.seat(), &passkey.key, &Office::challenge(&answer.ask))?;
    if !office.spend(&answer.ask) {
        return Err(not_open().into());
    }
    let secret = Office::secret()?;
    let (approver, person, credential) = (seat.approver, seat.person, passkey.credential);
    let who = Signer { approver, person, credential };
    tracing::info!(approver = %who.approver, passkey = %who.credential, "signed in at the view");
    office.people(|people| people.begin(&secret, who, present()));
    Ok(to_with("/", &cookie(&office), Some(&secret)))
}

async fn sign_out(State(office): Here, headers: HeaderMap) -> Page {
    if let Some(session) = session(&office, &headers) {
        office.people(|people| people.end(&session.name));
        tracing::info!(approver = %session.who.approver, "signed out at the view");
    }
    Ok(to_with("/", &cookie(&office), None))
}

/// The sessions of whoever asks, and of nobody else.
fn own_sessions(office: &Office, session: &Session) -> Vec<Session> {
    let mut open = office.people(|people| people.live(present()));
    // A seat has two people while somebody stands in for it, and neither ends the other's sessions.
    open.retain(|one| {
        (&one.who.approver, &one.who.person) == (&session.who.approver, &session.who.person)
    });
    open
}

async fn sessions(State(office): Here, headers: HeaderMap) -> Page {
    let session = signed_in(&office, &headers)?;
    let (open, told) = (own_sessions(&office, &session), office.grown().borrow().clone());
    let is_fresh = session.is_fresh(present());
    Ok(page(paper::sessions(office.seat(), (&session, is_fresh), (&open, &told))))
}

/// Which session is to end.
#[derive(Deserialize)]
struct Ended {
    session: Digest,
}

async fn end_session(State(office): Here, headers: HeaderMap, Form(ended): Form<Ended>) -> Page {
    let session = signed_in(&office, &headers)?;
    if !own_sessions(&office, &session).iter().any(|one| one.name == ended.session) {
        let next = "open the list of sessions again";
        let message = "there is no such session of yours";
        return Err(Trouble::refused("unknown_session", message, next).into());
    }
    may_end(&session, &ended.session, present())?;
    office.people(|people| people.end(&ended.session));
    tracing::info!(approver = %session.who.approver, "ended a session at the view");
    if ended.session == session.name {
        return Ok(to_with("/", &cookie(&office), None));
    }
    Ok(Redirect::to("/sessions").into_response())
}

/// Ends every other session of whoever asks.
async fn end_others(State(office): Here, headers: HeaderMap) -> Page {
    let session = signed_in(&office, &headers)?;
    for other in own_sessions(&office, &session) {
        if other.name != session.name {
            may_end(&session, &other.name, present())?;
            office.people(|people| people.end(&other.name));
        }
    }
    tracing::info!(approver = %session.who.approver, "ended all other sessions at the view");
    Ok(Redirect::to("/sessions").into_response())
}

async fn case(State(office): Here, headers: HeaderMap, Path(id): Path<String>) -> Page {
    let session = signed_in(&office, &headers)?;
    // Before anything is read of the book: what comes meanwhile is told by the page's stream.
    let told = office.grown().borrow().clone();
    let id: CaseId = id.parse()?;
    let shown = office.show(&session, &id).await?;
    let simulated = office.simulate(&shown).await;
    let mut asks = Vec::new();
    for body in &shown.words {
        let ask = Ask::Word(Box::new(body.clone()));
        asks.push((office.ask(Some(&session), ask)?, body.clone()));
    }
    let passkeys = office.passkeys().await;
    let mine = passkeys.into_iter().find(|(_, one)| one.credential == session.who.credential);
    let case = paper::Case { shown: &shown, simulated: simulated.as_ref(), asks: &asks };
    Ok(page(paper::case(office.seat(), (&session, &id), &case, (mine, &told))?))
}

async fn word(
    State(office): Here,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(answer): Form<Answer>,
) -> Page {
    let session = signed_in(&office, &headers)?;
    let Ask::Word(body) = asked(&office, &answer.ask, Some(&session))? else {
        return Err(unexpected().into());
    };
    if id != CaseId::of_intent(body.intent).to_string() {
        return Err(unexpected().into());
    }
    let verdict = body.verdict;
    office.say(*body, answer.assertion()?).await?;
    tracing::info!(approver = %session.who.approver, case = %id, ?verdict, "said a word at the view");
    Ok(Redirect::to(&format!("/cases/{id}")).into_response())
}

/// What has to be typed and told before a passkey is made.
#[derive(Deserialize)]
struct Wanted {
    code: String,
    credential: String,
}

fn enrolment_code(office: &Office) -> Done<&str> {
    let next = "have the view started with --enrol";
    office
        .code()
        .ok_or_else(|| Trouble::refused("no_enrolment", "no passkeys are made here now", next))
}

async fn ask_code(State(office): Here) -> Open {
    enrolment_code(&office)?;
    Ok(Html(paper::ask_code(office.seat())).into_response())
}

async fn new_passkey(State(office): Here, Form(wanted): Form<Wanted>) -> Open {
    let code = enrolment_code(&office)?;
    // Through digests: how long comparing them takes tells nothing of the code.
    let digest = |text: &str| Digest::of(tag::TOKEN, text.as_bytes());
    if digest(wanted.code.trim()) != digest(code) {
        let next = "type the code that the view printed when it was started";
        return Err(Trouble::refused("wrong_code", "that is not the code", next).into());
    }
    let credential: CredentialId = wanted.credential.trim().parse()?;
    let name = office.ask(None, Ask::NewPasskey)?;
    let challenge = Office::challenge(&name);
    Ok(page(paper::create(office.seat(), &credential, (&name, &challenge))))
}

/// What a browser gives when a passkey was made.
#[derive(Deserialize)]
struct Made {
    ask: String,
    credential: String,
    credential_id: String,
    public_key: String,
}

async fn made(State(office): Here, Form(made): Form<Made>) -> Open {
    let Ask::NewPasskey = asked(&office, &made.ask, None)? else {
        return Err(unexpected().into());
    };
    let spki: Blob = made.public_key.parse()?;
    let passkey = Passkey {
        credential: made.credential.parse()?,
        view: office.seat().view.clone(),
        handle: made.credential_id.parse()?,
        key: PasskeyKey::from_spki(spki.as_bytes())?,
    };
    let name = office.ask(None, Ask::FirstUse(Box::new(passkey.clone())))?;
    let challenge = Office::challenge(&name);
    Ok(page(paper::first_use(office.seat(), &passkey, (&name, &challenge))))
}

async fn used(State(office): Here, Form(answer): Form<Answer>) -> Open {
    let Ask::FirstUse(passkey) = asked(&office, &answer.ask, None)? else {
        return Err(unexpected().into());
    };
    answer.assertion()?.check(office.seat(), &passkey.key, &Office::challenge(&answer.ask))?;
    let path = office.keep(&passkey)?;
    Ok(page(paper::kept(office.seat(), &passkey, &path)))
}

/// Tells open pages that the book has grown, or that the desk is away or back, as long as their session lasts. The path says what
/// the page has seen: nothing is missed while it connects, or connects again.
async fn events(State(office): Here, RawQuery(made): RawQuery, headers: HeaderMap) -> Page {
    let session = signed_in(&office, &headers)?.name;
    let here = Arc::clone(&office);
    let made = made.and_then(|query| query.strip_prefix("seen=")?.parse::<Digest>().ok());
    let mut grown = office.grown();
    let now = paper::seen(&grown.borrow_and_update());
    if made.is_some_and(|made| made != now) {
        grown.mark_changed();
    }
    let start = (grown, office);
    let changes = stream::unfold(start, move |(mut grown, office)| async move {
        grown.changed().await.ok()?;
        office.people(|people| people.still(&session, present()))?;
        let event = Event::default().event("changed").data("book");
        Some((Ok::<_, Infallible>(event), (grown, office)))
    });
    Ok(here.streams().follow(session, changes))
}

#[cfg(test)]
mod tests;
