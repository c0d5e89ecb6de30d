//! What the office answers. The register of marks is for anybody, an audit for its people, everything else for the office: who
//! signed in with the code that the server showed, and its auditors. Steps are taken in [`super::steps`].

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Form, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use quorate_assessor::finding::EntryRef;
use quorate_web::{Allowed, Known, Peer, Site, Stray, to_with, within};
use serde::Deserialize;

use super::hall::Hall;
use super::paper::{Nav, Page, refused};
use super::visitor::Visit;
use super::{api, control, door, history, marks, overview, reports, steps};
use crate::look;
use crate::trouble::Trouble;

/// The largest form, in bytes.
const FORM_BYTES: usize = 4 * 1024;
/// How long a form may take to arrive that brings no file.
const FORM_TIME: Duration = Duration::from_mins(1);
/// What a file that is fetched may do where somebody opens it in a browser.
pub(super) const SANDBOX: &str = "sandbox; default-src 'none'";

type Here = State<Arc<Hall>>;

/// Everything that is answered.
pub(super) fn router(hall: Arc<Hall>, allowed: Allowed) -> Router {
    let office = Router::new()
        .route("/", get(home))
        .route("/standards/{key}", get(standard))
        .route("/assessments/{digest}", get(assessment))
        .route("/controls/{key}", get(one_control))
        .route("/proof", get(proof))
        .route("/history", get(changes))
        .route("/audits/{audit}/reports/{name}", get(audit_report))
        .route("/reports", get(all_reports))
        .route("/reports/{name}", get(one_report))
        .layer(from_fn(of_the_office));
    let office = steps::routes(office).layer(from_fn_with_state(Arc::clone(&hall), signed_in));
    let public = door::routes(Router::new())
        .route("/marks", get(all_marks))
        .route("/marks/{mark}", get(one_mark))
        .route("/marks/{mark}/file", get(mark_file))
        .route("/sign-in", get(ask_code).post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(from_fn(at_once));
    let programs = api::routes(Arc::clone(&hall), allowed.clone());
    let site = Site { allowed, form_bytes: FORM_BYTES, stray };
    let framed = from_fn_with_state(Arc::clone(&hall), framed);
    let told = from_fn_with_state(Arc::clone(&hall), told);
    site.around(public.merge(office)).layer(framed).layer(told).with_state(hall).merge(programs)
}

/// Has the body of a request come soon. The server's own patience is that of the forms which bring files, and those are for
/// whoever is signed in.
pub(super) async fn at_once(request: Request, next: Next) -> Response {
    next.run(within(request, FORM_TIME)).await
}

/// A refusal as it is told to who was refused: with the ways to the pages that this visitor has.
async fn framed(State(hall): Here, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let mut response = next.run(request).await;
    if let Some(Told(trouble)) = response.extensions_mut().remove::<Told>() {
        let ours = trouble.code != "elsewhere";
        // Under another address nobody is looked for: to be looked for is to be seen, and keeps a session open.
        let who = ours.then(|| hall.visit(&headers)).flatten();
        let nav = Nav::of(who.map(|visit| visit.who).as_ref());
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(refused(&trouble, nav).render(hall.name(), "", nav));
    }
    response
}

/// Rides on the answer to who was refused, until it has its frame.
#[derive(Clone)]
struct Told(Arc<Trouble>);

/// What is said where there is no page.
fn stray(why: Stray) -> Response {
    let (code, message, next) = match why {
        Stray::Elsewhere => (
            "elsewhere",
            "this is not the office's own address",
            "open the pages under the address that the office printed",
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
    Refused(Trouble::refused(code, message, next)).into_response()
}

/// Lets nobody through who is not signed in; the others find who they are in the request.
async fn signed_in(State(hall): Here, mut request: Request, next: Next) -> Response {
    let Some(visit) = hall.visit(request.headers()) else {
        return Redirect::to("/sign-in").into_response();
    };
    request.extensions_mut().insert(visit);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Known);
    response
}

/// Lets only the office and its auditors through.
async fn of_the_office(
    Extension(visit): Extension<Visit>,
    request: Request,
    next: Next,
) -> Response {
    if visit.who.sees_office() {
        return next.run(request).await;
    }
    let next = "see the page Audits; who audits here, and who starts the pages, sees this";
    Refused(Trouble::refused("not_yours", "this page is for the office", next)).into_response()
}

/// A refusal as a page.
pub(super) struct Refused(pub(super) Trouble);

impl<T: Into<Trouble>> From<T> for Refused {
    fn from(trouble: T) -> Self {
        Self(trouble.into())
    }
}

/// In an answer: why somebody was refused, for the log.
#[derive(Clone, Copy)]
struct Why(&'static str);

/// Tells the log whom the office turned away, from where and why: so many lines a minute, and nothing of what they sent. Those
/// of people who are signed in are counted by themselves.
async fn told(State(hall): Here, request: Request, next: Next) -> Response {
    let from = request.extensions().get::<Peer>().map(|Peer(address)| address.to_string());
    let response = next.run(request).await;
    let is_known = response.extensions().get::<Known>().is_some();
    let so_far = if is_known { hall.known() } else { hall.strangers() };
    if let Some(Why(code)) = response.extensions().get::<Why>()
        && let Some(left_out) = so_far.now()
    {
        let from = from.unwrap_or_default();
        tracing::warn!(code, from, left_out, "refused somebody at the office");
    }
    response
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            "elsewhere" | "not_yours" => StatusCode::FORBIDDEN,
            "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "upload" => StatusCode::BAD_REQUEST,
            "wrong_code" => StatusCode::UNAUTHORIZED,
            code if code.starts_with("unknown") || code.starts_with("no_") => StatusCode::NOT_FOUND,
            "nothing_here" => StatusCode::NOT_FOUND,
            "form_only" => StatusCode::METHOD_NOT_ALLOWED,
            _ if self.0.refused => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        // The frame is put around it where it is known who asked.
        let mut response = (status, Html(String::new())).into_response();
        if !matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            response.extensions_mut().insert(Why(self.0.code));
        }
        response.extensions_mut().insert(Told(Arc::new(self.0)));
        response
    }
}

pub(super) type Answer = Result<Response, Refused>;

fn page(hall: &Hall, here: &str, page: Page) -> Response {
    Html(page.render(hall.name(), here, Nav::Office)).into_response()
}

/// That a file is kept under this name and not shown, in letters that every browser reads alike.
pub(super) fn attachment(name: &str) -> Option<HeaderValue> {
    let safe = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).ok()
}

/// A file to keep: never shown as a page of this origin.
pub(super) fn file(name: &str, mime: &'static str, bytes: Vec<u8>) -> Answer {
    let disposition = attachment(name).ok_or_else(|| {
        Refused(Trouble::fault("name", "the file's name cannot be told", "rename it"))
    })?;
    let mut response = ([(header::CONTENT_TYPE, mime)], bytes).into_response();
    let all = response.headers_mut();
    all.insert(header::CONTENT_DISPOSITION, disposition);
    all.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    Ok(response)
}

#[derive(Deserialize)]
struct Code {
    code: Option<String>,
}

async fn ask_code(State(hall): Here, Query(asked): Query<Code>) -> Answer {
    hall.offer()?;
    let page = overview::sign_in(asked.code.as_deref());
    Ok(Html(page.render(hall.name(), "/sign-in", Nav::Stranger)).into_response())
}

async fn sign_in(State(hall): Here, Form(given): Form<Code>) -> Answer {
    let code = given.code.unwrap_or_default();
    match hall.let_in(code.trim())? {
        Some(cookie) => {
            tracing::info!("signed in at the office with its code");
            Ok(to(&hall, "/", Some(&cookie)))
        }
        None => {
            let next = "take the newest code from where the office was started; each opens once, within ten minutes";
            Err(Trouble::refused("wrong_code", "this code does not open", next).into())
        }
    }
}

async fn sign_out(State(hall): Here, headers: HeaderMap) -> Response {
    if let Some(visit) = hall.visit(&headers) {
        hall.let_out(&headers);
        tracing::info!(who = visit.who.name(), "signed out at the office");
    }
    to(&hall, "/marks", None)
}

/// Elsewhere in the office, with this session's cookie or with none from now on.
pub(super) fn to(hall: &Hall, path: &str, value: Option<&str>) -> Response {
    to_with(path, hall.cookie(), value)
}

async fn home(State(hall): Here) -> Answer {
    Ok(page(&hall, "/", hall.look(overview::overview).await?))
}

async fn standard(State(hall): Here, Path(key): Path<String>) -> Answer {
    Ok(page(&hall, "", hall.look(move |seen| overview::standard(seen, &key)).await?))
}

async fn assessment(State(hall): Here, Path(digest): Path<String>) -> Answer {
    Ok(page(&hall, "", hall.look(move |seen| history::assessment(seen, &digest)).await?))
}

async fn one_control(State(hall): Here, Path(key): Path<String>) -> Answer {
    Ok(page(&hall, "", hall.look(move |seen| control::control(seen, &key)).await?))
}

#[derive(Deserialize)]
struct Proof {
    book: String,
    entry: u64,
    part: String,
}

async fn proof(State(hall): Here, Query(asked): Query<Proof>) -> Answer {
    let index = asked.entry;
    let entry = EntryRef { book: asked.book, index };
    let found = hall.look(move |seen| look::proven(seen.home, seen.asked, &entry));
    let (bytes, proof) = found.await?;
    match asked.part.as_str() {
        "entry" => file(&format!("entry-{index}.json"), "application/json", bytes),
        _ => file(&format!("entry-{index}.tlog-proof"), "text/plain", proof.into_bytes()),
    }
}

async fn changes(State(hall): Here) -> Answer {
    Ok(page(&hall, "/history", hall.look(history::history).await?))
}

async fn audit_report(State(hall): Here, Path((audit, name)): Path<(String, String)>) -> Answer {
    let (bytes, mime) = reports::of_audit(&hall, &audit, &name).await?;
    file(&format!("{audit}-{name}"), mime, bytes)
}

async fn all_reports(State(hall): Here) -> Answer {
    Ok(page(&hall, "/reports", hall.look(reports::reports).await?))
}

async fn one_report(State(hall): Here, Path(name): Path<String>) -> Answer {
    let (wanted, typst) = (name.clone(), hall.typst().to_owned());
    let made = hall.look(move |seen| reports::one(seen, &wanted, &typst));
    let (bytes, mime) = made.await?;
    file(&name, mime, bytes)
}

async fn all_marks(State(hall): Here, headers: HeaderMap) -> Answer {
    let made = marks::marks(hall.register().await?.as_ref());
    let who = hall.visit(&headers).map(|visit| visit.who);
    let text = made.render(hall.name(), "/marks", Nav::of(who.as_ref()));
    Ok(Html(text).into_response())
}

async fn one_mark(State(hall): Here, headers: HeaderMap, Path(mark): Path<String>) -> Answer {
    let made = marks::mark(hall.register().await?.as_ref(), &mark)?;
    let who = hall.visit(&headers).map(|visit| visit.who);
    Ok(Html(made.render(hall.name(), "", Nav::of(who.as_ref()))).into_response())
}

async fn mark_file(State(hall): Here, Path(mark): Path<String>) -> Answer {
    let (name, bytes) = marks::file(hall.register().await?.as_ref(), &mark)?;
    file(&name, "application/json", bytes)
}
