//! The HTTP API: what agents ask over MCP and what people ask on the command line, as paths below `/api/v1`.
//!
//! Order of the checks: Host and Origin (the layer of [`crate::http`]); one credential, its rate; the path, the
//! method, the form of the answer; whose route it is; then key, query and one strict body; then the desk, which checks
//! again all that matters. Reading order: every route ([`table`]), how a request is read ([`asked`]), what people may do
//! ([`people`]), what agents may ([`agents`]), and how it is described ([`openapi`]).

mod agents;
mod asked;
mod brake;
mod checklists;
mod delegations;
mod events;
mod once;
pub mod openapi;
mod people;
mod refused;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use quorate_terms::Digest;
use quorate_terms::credential::{Band, Role};

use crate::desk::{Caller, Desk};
use crate::door::{Door, request_id};
use crate::errors::{Code, Complaint};
use crate::http::gate::{self, Shown};
use crate::http::{Limits, Setup, turned_away};
use crate::limit::{Limiter, Place, Use};
use crate::office::Office;
use crate::tokens::{self, ReadTokens};
use quorate_web::{Known, Peer};
use table::{Act, Does, Found, Route, Who};

/// Where the API is.
pub const ROOT: &str = "/api/v1";
const METADATA: &str = "/.well-known/oauth-protected-resource/api/v1";

pub(crate) struct Api {
    desk: Arc<dyn Desk>,
    office: Arc<dyn Office>,
    door: Door,
    ceiling: Band,
    limiter: Arc<Limiter>,
    limits: Limits,
    public_url: String,
    tokens: Option<Arc<dyn ReadTokens>>,
    once: once::Once,
}

/// The routes of the API.
pub(crate) fn routes(
    desk: Arc<dyn Desk>,
    office: Arc<dyn Office>,
    ceiling: Band,
    limiter: Arc<Limiter>,
    setup: &Setup,
) -> Router {
    let door = Door::for_requests(Arc::clone(&desk), ceiling);
    let (limits, public_url) = (setup.limits, setup.public_url.clone());
    let once = once::Once::default();
    // Scopes are the bands of agents and the roles of people, as far as an access token of theirs can reach.
    let reaches = |role: &Role| setup.tokens.is_none() || tokens::roles().any(|r| r == *role);
    let roles = Role::ALL.into_iter().filter(reaches).map(Role::as_str);
    let scopes: Vec<_> = Band::ALL.into_iter().map(Band::as_str).chain(roles).collect();
    let metadata = gate::metadata(setup, ROOT, &scopes);
    let tokens = setup.tokens.clone();
    let api = Api { desk, office, door, ceiling, limiter, limits, public_url, tokens, once };
    let described = Bytes::from(openapi::text());
    let json = [(header::CONTENT_TYPE, "application/json")];
    Router::new()
        .route(&format!("{ROOT}/openapi.json"), get(async move || (json, described)))
        .route(&format!("{ROOT}/{{*path}}"), any(answer))
        .with_state(Arc::new(api))
        .route(METADATA, get(async move || axum::Json(metadata)))
}

async fn answer(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (url, limiter) = (api.public_url.clone(), Arc::clone(&api.limiter));
    let tokens = api.tokens.clone();
    let from = request.extensions().get::<Peer>().copied();
    match api.pass(request).await {
        Ok(mut response) => {
            response.extensions_mut().insert(Known);
            response
        }
        Err(no) => {
            let complaint = no.complaint.under(&request_id());
            turned_away(&complaint, "api", from, &limiter);
            let mut response = gate::challenged(complaint, (&url, METADATA), tokens.as_deref());
            if let Some(allow) = no.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            response
        }
    }
}

/// A refusal, and the methods that a path has where another was used.
struct No {
    complaint: Complaint,
    allow: Option<String>,
}

impl From<Complaint> for No {
    fn from(complaint: Complaint) -> Self {
        Self { complaint, allow: None }
    }
}

impl Api {
    async fn pass(self: Arc<Self>, request: Request) -> Result<Response, No> {
        let (mut parts, body) = request.into_parts();
        let (tokens, door) = (self.tokens.as_deref(), (self.public_url.as_str(), ROOT));
        let (shown, caller) = Shown::admitted(&parts, tokens, door, self.desk.as_ref()).await?;
        gate::forget(&mut parts.headers);
        let path = parts.uri.path().strip_prefix(ROOT).unwrap_or_default();
        let found = table::find(&parts.method, path);
        let is_stream = matches!(&found, Found::Route(r, _) if r.does == Does::Act(Act::Events));
        let what = if is_stream { Use::Stream } else { Use::Request };
        let place = self.limiter.enter(&caller.credential, what)?;
        // Only now: what is refused to a credential is bounded as what is answered.
        let caller = shown.narrowed(caller)?;
        let (route, segments) = routed(found).map_err(|no| *no)?;
        acceptable(&parts.headers, is_stream)?;
        admitted(route, &caller).map_err(|no| shown.beyond(no))?;
        // An approval carries a proof of its own; all else that a person changes is in their name.
        let in_their_name = caller.role.is_some() && route.is_change();
        if in_their_name && route.does != Does::Act(Act::Approve) {
            shown.own()?;
        }
        let query = asked::query(&parts.uri)?;
        let key = asked::key(&parts.headers, route)?;
        if is_stream {
            let asked = asked::Asked { segments, query, body: serde_json::Map::new(), key };
            asked.only(&[])?;
            return Ok(events::stream(self, &parts.headers, shown, place)?);
        }
        if route.has_body() && !asked::is_json(&parts.headers) {
            let message = "the body is not said to be JSON; send `Content-Type: application/json`";
            return Err(Complaint::new(Code::MediaTypeUnknown, message).into());
        }
        let bytes = gate::read(body, &self.limits).await?;
        let body = asked::body(&bytes, self.limits.body_bytes, route)?;
        let asked = asked::Asked { segments, query, body, key };
        let said = self.asked(route, caller, (asked, place)).await?;
        Ok(tagged(said, &parts.headers, !route.is_change() && !route.has_body()))
    }

    /// Asks on a task of its own, so that a mistake of ours costs one answer, and a caller who hangs up ends no act half way.
    async fn asked(
        self: Arc<Self>,
        route: &'static Route,
        caller: Caller,
        (asked, place): (asked::Asked, Place),
    ) -> Result<Bytes, Complaint> {
        let work = tokio::spawn(async move {
            // Given back when the work ends, not when nobody waits for it any more.
            let _place = place;
            match route.does {
                Does::Ask(tool) => agents::ask(&self, caller, tool, asked).await,
                Does::Act(act) if route.is_change() => {
                    people::change(&self, &caller, act, &asked).await
                }
                Does::Act(act) => people::look(&self, &caller, act, &asked).await,
            }
        });
        work.await.unwrap_or_else(|_| Err(internal()))
    }
}

fn routed(found: Found) -> Result<(&'static Route, table::Segments), Box<No>> {
    match found {
        Found::Route(route, segments) => Ok((route, segments)),
        Found::Methods(methods) => {
            let allow = methods.join(", ");
            let message = format!("this path takes {allow} only; use that");
            let complaint = Complaint::new(Code::MethodUnknown, message);
            Err(Box::new(No { complaint, allow: Some(allow) }))
        }
        Found::Nothing => {
            let message = "there is nothing at this path; see /api/v1/openapi.json";
            Err(Box::new(Complaint::new(Code::PathNotFound, message).into()))
        }
    }
}

fn acceptable(headers: &HeaderMap, is_stream: bool) -> Result<(), Complaint> {
    let kind = if is_stream { "text/event-stream" } else { "application/json" };
    if asked::accepts(headers, kind) {
        return Ok(());
    }
    let message = format!("this answers in `{kind}` only; accept that");
    Err(Complaint::new(Code::NotAcceptable, message))
}

/// Whether the route takes the caller's kind of credential and its role. Bands and wallets come with the question.
fn admitted(route: &Route, caller: &Caller) -> Result<(), Complaint> {
    let message = match (route.who, caller.role) {
        (Who::Anyone, _) | (Who::Agent, None) => return Ok(()),
        (Who::Person(least), Some(role)) if role >= least => return Ok(()),
        (Who::Person(least), Some(_)) => {
            let message =
                format!("this takes the role of {least}; ask for it with `quorate member new`");
            return Err(Complaint::new(Code::RoleTooLow, message).needing(least.as_str()));
        }
        (Who::Agent, Some(_)) => {
            "this is for agents, and the credential is a person's; use one of an agent".to_owned()
        }
        (Who::Person(_), None) => {
            "this is for people, and the credential is an agent's; use one of a person".to_owned()
        }
    };
    Err(Complaint::new(Code::RoleTooLow, message))
}

/// The answer, under a strong tag where it only looks; nothing but the tag for a caller that has it already.
fn tagged(said: Bytes, headers: &HeaderMap, looks: bool) -> Response {
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let fresh = (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if !looks {
        let never = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return ([json, never], said).into_response();
    }
    let tag = format!("\"{}\"", Digest::sha256(&said));
    let mut known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    let has = known.any(|list| {
        list.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    });
    let tag = HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let tag = (header::ETAG, tag);
    if has {
        return (StatusCode::NOT_MODIFIED, [tag, fresh]).into_response();
    }
    ([json, tag, fresh], said).into_response()
}

fn internal() -> Complaint {
    Complaint::new(Code::Internal, "the desk made a mistake; tell the operator the request id")
}
