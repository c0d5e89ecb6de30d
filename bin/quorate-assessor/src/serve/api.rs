//! The office's HTTP API: what its command line does, for programs, below `/api/v1` at the office's own origin.
//!
//! Order of the checks: Host and Origin; the path and the method; the token, its rate, its scope; query, key and one strict
//! body; then the functions behind the commands. Reading order: every route ([`table`]), what a query may hold ([`query`]), what
//! is answered ([`answers`], of one audit [`audited`] and its [`files`], of marks [`marks`]), what is done once ([`once`]), how
//! much a token may ask ([`limit`]), and how all of it is described ([`openapi`]).
//!
//! Invariant: a cookie opens nothing here and a token opens no page. Invariant: a token signs nothing: a step and a claim count
//! by the signature of their person. The office's own key stands under what is on record (its bulletin, the register's
//! checkpoint and status list), and beside the signature of an assessor whom the token names, under a mark.

mod answers;
mod audited;
mod files;
mod limit;
mod marks;
mod no;
mod once;
mod openapi;
mod query;
mod table;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{DefaultBodyLimit, FromRequest as _, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use quorate_host::sealed_files::FILE_BYTES_MAX;
use quorate_pages::{headers, headers_under_tls};
use quorate_terms::strict::{self, Limits};
use quorate_terms::{Digest, Timestamp, canonical};
use quorate_web::{Allowed, Known, Peer, sole, within};
use serde_json::{Value, json};

use super::hall::Hall;
use super::routes::{SANDBOX, attachment};
use super::steps::ARRIVES_WITHIN;
use crate::token::{self, Kept, PREFIX};
use crate::trouble::Trouble;
pub(in crate::serve) use files::Sent;
use limit::{Limit, Place};
use no::No;
use once::{Once, Turn};
use query::Query;
use table::{BASE, ROUTES, Route, Scope, Way};

/// The largest body, in bytes: a step with what stands around it.
const BODY_BYTES: usize = 2 * 1024 * 1024;
/// How deep values of a body may stand in one another.
const DEPTH: usize = 64;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_mins(1);
/// The longest token that is looked for.
const TOKEN_BYTES: usize = 128;
/// The longest key of a request.
const KEY_BYTES: usize = 64;
const JSON: &str = "application/json";
/// A file of whatever kind.
const FILE: &str = "application/octet-stream";
/// As the pages say it.
const STRICTLY: &str = "max-age=31536000; includeSubDomains";

/// The description, made once.
static DESCRIPTION: LazyLock<String> = LazyLock::new(openapi::text);

type Named = Result<RawPathParams, RawPathParamsRejection>;

/// What is answered.
struct Answer {
    bytes: Bytes,
    /// What it is called where it is a file; all else is JSON.
    file: Option<String>,
}

impl From<Bytes> for Answer {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, file: None }
    }
}

impl From<Value> for Answer {
    fn from(json: Value) -> Self {
        Self::from(Bytes::from(json.to_string()))
    }
}

/// What a change brings.
enum Brought {
    Form(Value),
    File(files::File),
}

struct Api {
    hall: Arc<Hall>,
    allowed: Allowed,
    once: Once,
    limit: Limit,
}

/// Everything below [`BASE`].
pub(super) fn routes(hall: Arc<Hall>, allowed: Allowed) -> Router {
    let limit = Limit::new(hall.a_minute());
    let api = Arc::new(Api { hall, allowed, once: Once::default(), limit });
    let paths: BTreeSet<&'static str> = ROUTES.iter().map(|route| route.path).collect();
    // At the last three there is nothing, and programs are told so in JSON.
    let paths = paths.into_iter().chain(["", "/", "/{*rest}"]);
    let mut router = Router::new();
    for path in paths {
        let asked = move |State(api): State<Arc<Api>>, named: Named, request: Request| {
            asked(path, api, named, request)
        };
        router = router.route(&format!("{BASE}{path}"), any(asked));
    }
    let described = format!("{BASE}/openapi.json");
    let router = router.route(&described, any(description));
    router.layer(DefaultBodyLimit::max(BODY_BYTES)).with_state(api)
}

async fn description(State(api): State<Arc<Api>>, request: Request) -> Response {
    let is_look = matches!(request.method().as_str(), "GET" | "HEAD");
    let outcome = match api.allowed.admit(request.headers()) {
        Ok(()) if is_look => Ok(Bytes::from_static(DESCRIPTION.as_bytes()).into()),
        Ok(()) => Err(No::method("GET")),
        Err(_) => Err(No::elsewhere()),
    };
    api.response(outcome, request.headers().get(header::IF_NONE_MATCH))
}

async fn asked(path: &'static str, api: Arc<Api>, named: Named, request: Request) -> Response {
    let kept = request.headers().get(header::IF_NONE_MATCH).cloned();
    let from = request.extensions().get::<Peer>().map(|Peer(address)| address.to_string());
    let is_change = request.method().as_str() == "POST";
    let mut known = None;
    let outcome = api.answer(path, named, request, &mut known).await;
    if let Err(no) = &outcome {
        api.told(no, from, known.as_deref());
    }
    let is_known = known.is_some();
    let outcome = outcome.map_err(|no| if is_known { no } else { no.of_a_stranger() });
    let mut response = api.response(outcome, kept.as_ref().filter(|_| !is_change));
    if is_known {
        response.extensions_mut().insert(Known);
    }
    response
}

impl Api {
    async fn answer(
        &self,
        path: &str,
        named: Named,
        request: Request,
        known: &mut Option<String>,
    ) -> Result<Answer, No> {
        if self.allowed.admit(request.headers()).is_err() {
            return Err(No::elsewhere());
        }
        let route = found(path, request.method().as_str())?;
        let now = self.hall.now();
        let who = match route.scope {
            Scope::Public => None,
            _ => Some(self.token(request.headers(), now)?),
        };
        *known = who.as_ref().map(|who| who.name.clone());
        let place = who.as_ref().map(|who| self.limit.take(who.token, now)).transpose();
        let place = place.map_err(No::later)?;
        fits(route.scope, who.as_ref().map(|who| who.scope))?;
        let bad = || No::new(400, "malformed", "the path is not text", "mend it");
        let name = named.map_err(|_| bad())?;
        let name = name.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default();
        let query = Query::read(route, request.uri())?;
        if let (Some(who), "me") = (&who, route.id) {
            return Ok(answers::me(who).into());
        }
        let (who, _until_it_is_answered) = match (who, place, route.body.is_some()) {
            (Some(who), Some(place), true) => {
                return self.change((route, who, place), (name, query), request).await;
            }
            (who, place, _) => (who, place),
        };
        let seen = answers::look(&self.hall, route.id, name, (who.as_ref(), query)).await;
        let seen = seen.map_err(|trouble| No::of(trouble, false))?;
        who.map_or(Ok(()), |who| self.still(who.token))?;
        Ok(seen.into())
    }

    /// Whose token a request shows.
    fn token(&self, headers: &HeaderMap, now: Timestamp) -> Result<Kept, No> {
        let shown = sole(headers, &header::AUTHORIZATION).ok().flatten();
        let bearer = shown.and_then(|shown| {
            let (scheme, token) = shown.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let Some(token) = bearer else {
            let next = "send `Authorization: Bearer` with a token of `quorate-assessor token new`";
            return Err(No::new(401, "no_token", "no token was shown", next));
        };
        let found = match token.starts_with(PREFIX) && token.len() <= TOKEN_BYTES {
            true => token::find(self.hall.dir(), token, now).map_err(|t| No::of(t, false))?,
            false => None,
        };
        found.ok_or_else(|| No::of(token::unknown(), false))
    }

    /// Whether a token still opens what it opened before something that may have taken its time.
    fn still(&self, token: Digest) -> Result<(), No> {
        let found = token::demanded(self.hall.dir(), token, self.hall.now());
        found.map(drop).map_err(|trouble| No::of(trouble, false))
    }

    /// Does what a request asks, once under its key.
    async fn change(
        &self,
        (route, who, place): (&'static Route, Kept, Place),
        (name, query): (String, Query),
        request: Request,
    ) -> Result<Answer, No> {
        let key = key(request.headers())?;
        let (brought, digest) = match route.file {
            Way::In => self.file((&name, query.text()), &who, request).await?,
            Way::None | Way::Out => read(request).await?,
        };
        let request = canonical::to_bytes(&json!([route.id, name, digest]), "request");
        let request = request.map_err(|malformed| No::of(malformed.into(), true))?;
        let request = Digest::sha256(&request);
        self.still(who.token)?;
        let turn = self.once.begin((who.token, &key), request, self.hall.now());
        let first = match turn.map_err(|trouble| No::of(trouble, true))? {
            Turn::Again(answer) => return Ok(answer.into()),
            Turn::First(first) => first,
        };
        // What stays on the ledger for good by the word of the token alone.
        let counted = match route.id {
            "assess" | "offer_mark" => {
                Some(self.limit.assesses(who.token, self.hall.now()).map_err(No::later)?)
            }
            _ => None,
        };
        let hall = Arc::clone(&self.hall);
        // It goes on, and its answer is kept, also when whoever asked hangs up.
        let working = tokio::spawn(async move {
            let _until_it_is_done = place;
            let answer = answers::change(&hall, (route.id, name), &who, brought).await;
            if let (Ok(_), Some(counted)) = (&answer, counted) {
                counted.made();
            }
            if let Ok(answer) = &answer
                && route.is_kept
            {
                first.done(&answer.bytes);
            }
            answer
        });
        let done = working.await.map_err(|e| {
            No::of(
                Trouble::fault("work", e.to_string(), "try again; if it stays so, report this"),
                true,
            )
        })?;
        done.map_err(|trouble| No::of(trouble, true))
    }

    /// A file as it comes, with what tells it from every other. Nothing of it is read before there is room for it.
    async fn file(
        &self,
        (audit, name): (&str, String),
        who: &Kept,
        mut request: Request,
    ) -> Result<(Brought, Digest), No> {
        is_said_to_be(request.headers(), FILE)?;
        let room = files::room(&self.hall, audit, who.token).await;
        let room = room.map_err(|trouble| No::of(trouble, true))?;
        DefaultBodyLimit::max(FILE_BYTES_MAX).apply(&mut request);
        let bytes = whole(within(request, ARRIVES_WITHIN)).await?;
        let digest = canonical::to_bytes(&json!([name, Digest::sha256(&bytes)]), "file");
        let digest = Digest::sha256(&digest.map_err(|malformed| No::of(malformed.into(), true))?);
        Ok((Brought::File(files::File { name, bytes, room }), digest))
    }

    /// Tells the log whom the office turned away, so many lines a minute, and nothing of what they sent.
    fn told(&self, no: &No, from: Option<String>, token: Option<&str>) {
        if no.status == 404 {
            return;
        }
        let so_far = if token.is_some() { self.hall.known() } else { self.hall.strangers() };
        if let Some(left_out) = so_far.now() {
            let (code, from) = (no.trouble.code, from.unwrap_or_default());
            // What is wrong with the office itself is told in full, and here alone.
            let why = (no.status == 503).then_some(no.trouble.message.as_str());
            tracing::warn!(code, from, token, why, left_out, "refused a program at the office");
        }
    }

    /// The answer, or that whoever asked has it already.
    fn response(&self, outcome: Result<Answer, No>, kept: Option<&HeaderValue>) -> Response {
        let mut response = match outcome {
            Err(no) => no.response(),
            Ok(Answer { bytes, file: Some(name) }) => given_out(&name, bytes),
            Ok(Answer { bytes, file: None }) => tagged(bytes, kept),
        };
        let is_secure = self.allowed.is_secure();
        let all = response.headers_mut();
        all.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(JSON));
        all.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let around = if is_secure { headers_under_tls() } else { headers() };
        for (name, value) in around {
            let name = HeaderName::from_static(name);
            all.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if is_secure {
            let strictly = HeaderValue::from_static(STRICTLY);
            all.insert(header::STRICT_TRANSPORT_SECURITY, strictly);
        }
        response
    }
}

/// Whether a token of this scope, or none, may ask.
fn fits(route: Scope, token: Option<token::Scope>) -> Result<(), No> {
    let needed = match route {
        Scope::Public => return Ok(()),
        Scope::Look if token.is_some() => return Ok(()),
        Scope::Look => token::Scope::Look,
        Scope::File => token::Scope::File,
        Scope::Mark => token::Scope::Mark,
    };
    if token == Some(needed) {
        return Ok(());
    }
    let next = format!("use one of the scope `{}`", needed.word());
    Err(No::new(403, "scope", "this token does not do that", &next))
}

/// The route of a path, as the table has it, and a method.
fn found(path: &str, method: &str) -> Result<&'static Route, No> {
    let here: Vec<&'static Route> = ROUTES.iter().filter(|route| route.path == path).collect();
    let method = match method {
        "GET" | "HEAD" => "get",
        "POST" => "post",
        _ => "",
    };
    if let Some(route) = here.iter().copied().find(|route| route.method == method) {
        return Ok(route);
    }
    if here.is_empty() {
        let next = "see /api/v1/openapi.json";
        return Err(No::new(404, "nothing_here", "there is nothing at this path", next));
    }
    let allow: Vec<String> = here.iter().map(|route| route.method.to_uppercase()).collect();
    Err(No::method(&allow.join(", ")))
}

/// The caller's own name for a request.
fn key(headers: &HeaderMap) -> Result<String, No> {
    let name = HeaderName::from_static("idempotency-key");
    let given = sole(headers, &name).ok().flatten();
    let fits = |key: &&str| {
        (1..=KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    given.filter(fits).map(str::to_owned).ok_or_else(|| {
        let next = "send `Idempotency-Key`, 1 to 64 visible characters, a new one for each request";
        No::new(400, "idempotency_key", "the request has no key of its own", next)
    })
}

/// Reads a body of strict JSON, with what tells it from every other.
async fn read(request: Request) -> Result<(Brought, Digest), No> {
    is_said_to_be(request.headers(), JSON)?;
    let body = whole(within(request, BODY_TIME)).await?;
    let read = strict::read(&body, Limits { bytes: BODY_BYTES, depth: DEPTH });
    let value = read.map_err(|refused| match refused {
        strict::Refused::TooLarge => No::too_large(),
        strict::Refused::Unreadable(why) => {
            No::new(400, "malformed", format!("the body is no JSON: {why}"), "send strict JSON")
        }
    })?;
    let digest = canonical::to_bytes(&value, "body");
    let digest = Digest::sha256(&digest.map_err(|malformed| No::of(malformed.into(), true))?);
    Ok((Brought::Form(value), digest))
}

async fn whole(request: Request) -> Result<Bytes, No> {
    let body = Bytes::from_request(request, &()).await;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => No::too_large(),
        _ => No::new(408, "late", "the body broke off", "send it again"),
    })
}

fn is_said_to_be(headers: &HeaderMap, wanted: &str) -> Result<(), No> {
    let kind = sole(headers, &header::CONTENT_TYPE).ok().flatten().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let message = format!("the body is not said to be {wanted}");
    Err(No::new(415, "media_type", message, &format!("send `Content-Type: {wanted}`")))
}

/// JSON with its tag, or that whoever asked has it already.
fn tagged(body: Bytes, kept: Option<&HeaderValue>) -> Response {
    let tag = format!("\"{}\"", Digest::sha256(&body));
    let is_kept = kept.and_then(|kept| kept.to_str().ok()).is_some_and(|kept| {
        let mut tags = kept.split(',').map(str::trim);
        tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
    });
    let mut response = match is_kept {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Response::new(Body::from(body)),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A file: never shown as a page of this origin.
fn given_out(name: &str, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let all = response.headers_mut();
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static(FILE));
    all.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    let name = attachment(name).unwrap_or(HeaderValue::from_static("attachment"));
    all.insert(header::CONTENT_DISPOSITION, name);
    response
}

/// A body with one strict form.
fn form<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Trouble> {
    serde_json::from_value(value).map_err(|e| {
        let next = "send the fields of /api/v1/openapi.json and no others";
        Trouble::refused("malformed", format!("the body does not fit: {e}"), next)
    })
}
