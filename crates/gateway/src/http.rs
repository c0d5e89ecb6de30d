//! MCP over streamable HTTP and the HTTP API, with `/health`, `/ready` and `/metrics`.
//!
//! Order of the checks, each before the next one reads anything: Host and Origin ([`Allowed`]); the bearer credential,
//! its rate, the strict body, doubled headers, the session's owner ([`gate`]); then the protocol library. Loopback
//! unless TLS ([`listen_check`]).

pub(crate) mod gate;
mod session;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rmcp::ServerHandler;

use quorate_terms::Malformed;
use quorate_terms::credential::Band;
use quorate_web::{NotAdmitted, Peer};

use crate::api;
use crate::desk::Desk;
use crate::door::Door;
use crate::errors::{Code, Complaint};
use crate::limit::{Clock, Limiter, Rate};
use crate::office::Office;
use crate::strict::MESSAGE_BYTES_DEFAULT;
use crate::tokens::ReadTokens;

pub use quorate_web::{Allowed, Connections, Peers, listen_check, serve, serve_tls};

/// Where MCP is: the one path behind the gate.
const MCP: &str = "/mcp";

/// Bounds of the HTTP door.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// Bounds of each credential.
    pub rate: Rate,
    /// Sessions in all.
    pub sessions: usize,
    /// Sessions of one credential.
    pub sessions_each: usize,
    /// How long an idle session lives.
    pub session_ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: MESSAGE_BYTES_DEFAULT,
            body_time: Duration::from_secs(10),
            rate: Rate::default(),
            sessions: 1000,
            sessions_each: 16,
            session_ttl: Duration::from_mins(30),
        }
    }
}

/// How the HTTP door is set up.
#[derive(Clone)]
pub struct Setup {
    /// The Host and Origin values that are accepted, exactly.
    pub allowed: Allowed,
    /// The URL under which clients reach the door, without a path: `https://desk.example`.
    pub public_url: String,
    /// Whether 2025-11-25 clients get sessions. 2026-07-28 has none.
    pub stateful: bool,
    /// Who reads access tokens of an authorization server; without it only the desk's own are taken.
    pub tokens: Option<Arc<dyn ReadTokens>>,
    /// Bounds.
    pub limits: Limits,
    /// A clock that only goes forward, in milliseconds.
    pub clock: Clock,
    /// Whether the desk can take questions now.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The text of `/metrics`, in the Prometheus form. It must hold no address, amount or name.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The product's router: the desk behind `/mcp`, and desk and office behind `/api/v1`. A credential's bounds hold for both
/// together.
///
/// # Errors
/// [`Malformed`] when the setup names no Host.
pub fn router(
    desk: Arc<dyn Desk>,
    office: Arc<dyn Office>,
    ceiling: Band,
    setup: Setup,
) -> Result<Router, Malformed> {
    let door = Door::for_requests(Arc::clone(&desk), ceiling);
    let limiter = limiter(&setup);
    let api = api::routes(Arc::clone(&desk), office, ceiling, Arc::clone(&limiter), &setup);
    let mcp = gate::routes(desk, door, Arc::clone(&limiter), &setup);
    guarded(mcp.merge(api), limiter, setup)
}

/// The same stack in front of any handler; conformance fixtures use it.
///
/// # Errors
/// [`Malformed`] when the setup names no Host.
pub fn mount<S>(desk: Arc<dyn Desk>, handler: S, setup: Setup) -> Result<Router, Malformed>
where
    S: ServerHandler + Clone,
{
    let limiter = limiter(&setup);
    let mcp = gate::routes(desk, handler, Arc::clone(&limiter), &setup);
    guarded(mcp, limiter, setup)
}

fn limiter(setup: &Setup) -> Arc<Limiter> {
    Arc::new(Limiter::new(setup.limits.rate, Arc::clone(&setup.clock)))
}

/// Doors behind the outermost layer, beside the operator's pages.
fn guarded(doors: Router, limiter: Arc<Limiter>, setup: Setup) -> Result<Router, Malformed> {
    setup.allowed.check()?;
    let allowed = Arc::new(setup.allowed.clone());
    let ops = Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(setup);
    let guarded = axum::middleware::from_fn_with_state((allowed, limiter), admitted);
    Ok(ops.merge(doors).fallback(nothing_here).layer(guarded))
}

/// The outermost layer: Host and Origin, before a request is looked at.
async fn admitted(
    State((allowed, limiter)): State<(Arc<Allowed>, Arc<Limiter>)>,
    request: Request,
    next: Next,
) -> Response {
    let from = request.extensions().get::<Peer>().copied();
    let (code, what) = match allowed.admit(request.headers()) {
        Ok(()) => {
            let mut response = next.run(request).await;
            let nosniff = HeaderValue::from_static("nosniff");
            response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
            return response;
        }
        Err(NotAdmitted::Host) => (Code::HostRefused, "Host"),
        Err(NotAdmitted::Origin) => (Code::OriginRefused, "Origin"),
    };
    let complaint =
        Complaint::new(code, format!("the {what} is not on the list; ask the operator"));
    let complaint = complaint.under(&crate::door::request_id()).of_a_stranger();
    turned_away(&complaint, "http", from, &limiter);
    said(&complaint)
}

async fn ready(State(setup): State<Setup>) -> Response {
    if (setup.ready)() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
}

async fn metrics(State(setup): State<Setup>) -> Response {
    let form = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], (setup.metrics)()).into_response()
}

/// Nobody is asked who they are before this, so nothing is logged of it.
async fn nothing_here() -> Response {
    let message = "there is nothing at this path; MCP is at /mcp, the API below /api/v1";
    said(&Complaint::new(Code::PathNotFound, message).under(&crate::door::request_id()))
}

/// A complaint as an HTTP answer. That of somebody whom nobody knows is told by the door ([`turned_away`]), or not at all; that
/// of somebody who asks too often, so many times a minute.
pub fn complained(mut complaint: Complaint) -> Response {
    if complaint.request_id.is_empty() {
        complaint = complaint.under(&crate::door::request_id());
    }
    if !complaint.stranger && !complaint.untold {
        tracing::info!(request = %complaint.request_id, code = complaint.code.as_str(), "refused");
    }
    said(&complaint)
}

/// Tells the log of somebody who was turned away at a door: what was refused and from where, never what was shown. So many
/// lines a minute, so that a flood fills nothing.
pub(crate) fn turned_away(
    complaint: &Complaint,
    door: &str,
    from: Option<Peer>,
    limiter: &Limiter,
) {
    if !complaint.stranger {
        return;
    }
    let Some(left_out) = limiter.told() else { return };
    let from = from.map(|Peer(address)| address.to_string()).unwrap_or_default();
    let (request, code) = (&complaint.request_id, complaint.code.as_str());
    tracing::warn!(%request, code, door, from, left_out, "turned somebody away");
}

fn said(complaint: &Complaint) -> Response {
    let status = StatusCode::from_u16(complaint.code.http_status())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(complaint)).into_response();
    if let Some(seconds) = complaint.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
