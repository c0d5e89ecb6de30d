//! The gate of `/mcp`: who asks, how often, and whether the body is one strict message that its headers agree with.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use rmcp::ServerHandler;
use rmcp::transport::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::tower::StreamableHttpService;
use serde_json::json;

use quorate_terms::credential::Band;
use quorate_terms::digest::tag;
use quorate_terms::{CredentialId, Digest};

use super::session::Sessions;
use super::{Limits, Setup, complained, turned_away};
use crate::desk::{Alarm, Caller, Desk};
use crate::door::{VERSIONS, agents_only, request_id};
use crate::errors::{Code, Complaint};
use crate::limit::{Limiter, Place, Use};
use crate::strict::{self, Message, Refused};
use crate::tokens::{self, How, PROOF_BYTES_MAX, Proof, ReadTokens, TOKEN_BYTES_MAX, Vouched};
use quorate_web::{Known, Peer, sole};

/// The method by which a tool is called (MCP, Tools).
const CALL: &str = "tools/call";

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
/// Where a proof of the key stands that an access token is bound to (RFC 9449 section 4.1).
const PROOF: HeaderName = HeaderName::from_static("dpop");

/// What is wrong with a header that holds no token.
const FORM: &str = "the Authorization header is not `Bearer` or `DPoP` and one token; send that";
/// What is wrong with a proof beside a token that has no key.
const NO_KEY: &str =
    "a token of the desk's own is bound to no key; send it as `Authorization: Bearer`";
/// What an access token does not do, whatever the book says of its subject.
const NO_NAME: &str = "no access token files or attests as a person; send the desk's own token, \
    which `quorate member new` wrote";
/// The longest token of the desk's own, in bytes.
const OWN_BYTES_MAX: usize = 512;

struct Gate<S: ServerHandler> {
    desk: Arc<dyn Desk>,
    service: StreamableHttpService<S, LocalSessionManager>,
    sessions: Option<Arc<Sessions>>,
    limiter: Arc<Limiter>,
    limits: Limits,
    public_url: String,
    tokens: Option<Arc<dyn ReadTokens>>,
}

/// The routes of MCP in front of a handler.
pub(super) fn routes<S>(
    desk: Arc<dyn Desk>,
    handler: S,
    limiter: Arc<Limiter>,
    setup: &Setup,
) -> Router
where
    S: ServerHandler + Clone,
{
    let sessions = Sessions::new(&setup.limits);
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = setup.stateful;
    config.max_request_body_bytes = setup.limits.body_bytes;
    // The library's own checks stay on behind ours.
    let config = config
        .with_allowed_hosts(setup.allowed.hosts())
        .with_allowed_origins(setup.allowed.origins())
        .enforce_origin_validation();
    let manager = sessions.manager();
    let gate = Gate {
        desk,
        service: StreamableHttpService::new(move || Ok(handler.clone()), manager, config),
        sessions: setup.stateful.then_some(sessions),
        limiter,
        limits: setup.limits,
        public_url: setup.public_url.clone(),
        tokens: setup.tokens.clone(),
    };
    let scopes = Band::ALL.map(Band::as_str);
    let metadata = metadata(setup, super::MCP, &scopes);
    Router::new()
        .route(super::MCP, any(mcp::<S>))
        .with_state(Arc::new(gate))
        .route(METADATA, get(async move || axum::Json(metadata)))
}

/// Protected resource metadata, RFC 9728. Without an authorization server the vault's own people issue opaque tokens.
pub(crate) fn metadata(setup: &Setup, path: &str, scopes: &[&str]) -> serde_json::Value {
    let mut said = json!({
        "resource": format!("{}{path}", setup.public_url),
        "resource_name": "quorate",
        "bearer_methods_supported": ["header"],
        "scopes_supported": scopes,
    });
    if let (Some(tokens), Some(said)) = (&setup.tokens, said.as_object_mut()) {
        said.insert("authorization_servers".to_owned(), json!([tokens.issuer()]));
        for (name, value) in [
            ("dpop_signing_alg_values_supported", json!(tokens.proof_algorithms())),
            ("dpop_bound_access_tokens_required", json!(tokens.demands_proof())),
        ] {
            said.insert(name.to_owned(), value);
        }
    }
    said
}

async fn mcp<S: ServerHandler + Clone>(
    State(gate): State<Arc<Gate<S>>>,
    request: Request,
) -> Response {
    let from = request.extensions().get::<Peer>().copied();
    match gate.pass(request).await {
        Ok(mut response) => {
            response.extensions_mut().insert(Known);
            response
        }
        Err(No::Http(complaint)) => {
            let complaint = complaint.under(&request_id());
            turned_away(&complaint, "mcp", from, &gate.limiter);
            challenged(complaint, (&gate.public_url, METADATA), gate.tokens.as_deref())
        }
        Err(No::Rpc(refused)) => {
            let (request, code) = (request_id(), refused.complaint.code);
            tracing::info!(%request, code = code.as_str(), "refused");
            let status = StatusCode::from_u16(code.http_status());
            let said = axum::Json(refused.to_json(&request));
            (status.unwrap_or(StatusCode::BAD_REQUEST), said).into_response()
        }
    }
}

/// A refusal, in the form that its reader can use.
enum No {
    Http(Complaint),
    /// Of a message, which is read only once its caller is known.
    Rpc(Box<Refused>),
}

impl From<Complaint> for No {
    fn from(complaint: Complaint) -> Self {
        Self::Http(complaint)
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        Self::Rpc(Box::new(refused))
    }
}

impl<S: ServerHandler + Clone> Gate<S> {
    async fn pass(&self, request: Request) -> Result<Response, No> {
        let (mut parts, body) = request.into_parts();
        let (shown, caller) = self.caller(&parts).await?;
        forget(&mut parts.headers);
        let what = if parts.method == Method::GET { Use::Stream } else { Use::Request };
        let place = Arc::new(self.limiter.enter(&caller.credential, what)?);
        // Only now: what is refused to a credential is bounded as what is answered.
        let caller = shown.narrowed(caller).and_then(agents_only)?;
        let message = match parts.method {
            Method::POST => Some(self.message(body).await?),
            _ => None,
        };
        let id = message.as_ref().and_then(|(message, _)| message.id().cloned());
        headers_agree(&parts.headers, message.as_ref().map(|(message, _)| message))
            .map_err(|(rpc, complaint)| Refused::with(rpc, id, complaint))?;
        self.own_session(&parts.headers, &caller).await?;
        let opening = self.opening(&parts.headers, message.as_ref(), &caller.credential).await?;
        parts.extensions.insert(caller);
        if message.as_ref().and_then(|(message, _)| message.method()) == Some(CALL) {
            // In a session a call goes on when its caller hangs up, and so does its place.
            parts.extensions.insert(Arc::clone(&place));
        }
        let bytes = message.map(|(_, bytes)| bytes).unwrap_or_default();
        let inner = axum::http::Request::from_parts(parts, Full::new(bytes));
        let response = self.service.handle(inner).await;
        if let (Some(opening), Some(id)) = (opening, response.headers().get(SESSION)) {
            id.to_str().map(|id| opening.opened(id)).ok();
        }
        let response = held(response, place);
        match shown.lasts() {
            Some(lasts) if what == Use::Stream => Ok(until(response, lasts)),
            _ => Ok(response),
        }
    }

    /// Recognises the token, anew on every request. What it opens is looked at once its place is taken.
    async fn caller(&self, parts: &Parts) -> Result<(Shown, Caller), Complaint> {
        if parts.uri.query().is_some() {
            let message =
                "the URL has a query; send the credential in the Authorization header only";
            return Err(Complaint::new(Code::CredentialMalformed, message).of_a_stranger());
        }
        let door = (self.public_url.as_str(), super::MCP);
        let (tokens, desk) = (self.tokens.as_deref(), self.desk.as_ref());
        Shown::admitted(parts, tokens, door, desk).await
    }

    async fn message(&self, body: Body) -> Result<(Message, Bytes), No> {
        let bytes = read(body, &self.limits).await?;
        let message = strict::read(&bytes, self.limits.body_bytes)?;
        Ok((message, bytes))
    }

    /// A session is used by the credential that opened it, or not at all.
    async fn own_session(&self, headers: &HeaderMap, caller: &Caller) -> Result<(), Complaint> {
        let (Some(sessions), Ok(Some(id))) = (&self.sessions, sole(headers, &SESSION)) else {
            return Ok(());
        };
        match sessions.owner(id).await {
            Some(owner) if owner != caller.credential => {
                let credential = caller.credential.clone();
                tracing::warn!(%credential, %owner, "a session was used by another credential");
                self.desk.alarm(Alarm::ForeignSession { credential, owner }).await;
                let message = "the session belongs to another credential; open one of your own";
                Err(Complaint::new(Code::SessionNotYours, message))
            }
            _ => Ok(()),
        }
    }

    async fn opening(
        &self,
        headers: &HeaderMap,
        message: Option<&(Message, Bytes)>,
        owner: &CredentialId,
    ) -> Result<Option<super::session::Opening>, Complaint> {
        let initialize = message.is_some_and(|(m, _)| m.method() == Some("initialize"));
        match &self.sessions {
            Some(sessions) if initialize && !headers.contains_key(SESSION) => {
                sessions.open(owner).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// How a token is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// Nothing behind this line ever sees the token, or the proof beside it.
pub(crate) fn forget(headers: &mut HeaderMap) {
    headers.remove(header::AUTHORIZATION);
    headers.remove(PROOF);
}

/// The one token, and how it is shown.
fn token(headers: &HeaderMap) -> Result<(Scheme, &str), Complaint> {
    let malformed = |why| Complaint::new(Code::CredentialMalformed, why);
    let value = sole(headers, &header::AUTHORIZATION)
        .map_err(|()| malformed("the Authorization header is doubled or not text; send one"))?;
    let Some(value) = value else {
        let message = "there is no credential; send `Authorization: Bearer <token>`";
        return Err(Complaint::new(Code::CredentialMissing, message));
    };
    under_scheme(value).ok_or_else(|| malformed(FORM))
}

/// The one proof of a key.
fn proof(headers: &HeaderMap) -> Result<&str, Complaint> {
    let said = match sole(headers, &PROOF) {
        Ok(Some(proof)) if proof.len() <= PROOF_BYTES_MAX => return Ok(proof),
        Ok(Some(_)) => {
            "the proof in the `DPoP` header is longer than 4096 bytes; send a shorter one"
        }
        Ok(None) => {
            "the `DPoP` header is missing; send a proof of the key that the token is bound to"
        }
        Err(()) => "the `DPoP` header is doubled or not text; send one proof",
    };
    Err(Complaint::new(Code::ProofInvalid, said))
}

/// Who asks, as far as a request shows it.
pub(crate) struct Shown {
    /// By what the book knows the credential.
    name: Digest,
    vouched: Option<Vouched>,
}

impl Shown {
    /// Reads the one token at a door, by its origin and path: the desk's own, or an access token where those of a server are
    /// taken. Then it is looked up in the book, and a proof that came with it is spent. No door admits in another way.
    pub(crate) async fn admitted(
        parts: &Parts,
        tokens: Option<&dyn ReadTokens>,
        door: (&str, &str),
        desk: &dyn Desk,
    ) -> Result<(Self, Caller), Complaint> {
        // Whatever fails here, it fails for anybody.
        let shown = Self::found(parts, tokens, door).await.map_err(Complaint::of_a_stranger)?;
        let caller = shown.known(desk).await?;
        let vouched = shown.vouched.as_ref();
        if let (Some(tokens), Some(vouched)) = (tokens, vouched)
            && let Some(proof) = vouched.proof
        {
            // Before the limiter, so that whoever replays what they saw takes nothing of the owner's rate: told as a stranger's.
            tokens.spend(vouched.subject, proof).map_err(Complaint::of_a_stranger)?;
        }
        Ok((shown, caller))
    }

    async fn found(
        parts: &Parts,
        tokens: Option<&dyn ReadTokens>,
        (origin, path): (&str, &str),
    ) -> Result<Self, Complaint> {
        let (scheme, token) = token(&parts.headers)?;
        match tokens {
            // A token of the desk's own has no dot, and a JWT has two.
            Some(tokens) if token.contains('.') => {
                let url = format!("{origin}{}", parts.uri.path());
                let how = match scheme {
                    Scheme::Bearer => How::Bearer,
                    Scheme::Dpop => How::Proved(Proof {
                        text: proof(&parts.headers)?,
                        method: parts.method.as_str(),
                        url: &url,
                    }),
                };
                let vouched = tokens.read(token, &format!("{origin}{path}"), how).await?;
                Ok(Self { name: vouched.subject, vouched: Some(vouched) })
            }
            _ if scheme == Scheme::Dpop => Err(Complaint::new(Code::CredentialMalformed, NO_KEY)),
            _ if token.len() > OWN_BYTES_MAX => {
                Err(Complaint::new(Code::CredentialMalformed, FORM))
            }
            _ => Ok(Self { name: Digest::of(tag::TOKEN, token.as_bytes()), vouched: None }),
        }
    }

    /// Whose it is, anew by the book. How far it goes, [`Shown::narrowed`] says, after [`Limiter::enter`].
    pub(crate) async fn known(&self, desk: &dyn Desk) -> Result<Caller, Complaint> {
        desk.authenticate(self.name).await.ok_or_else(|| {
            let message =
                "the credential is unknown, revoked or expired; ask the operator for a new one";
            Complaint::new(Code::CredentialInvalid, message).of_a_stranger()
        })
    }

    /// The caller, as far as the scopes of what was shown go.
    pub(crate) fn narrowed(&self, caller: Caller) -> Result<Caller, Complaint> {
        match &self.vouched {
            Some(vouched) => vouched.narrowed(caller),
            None => Ok(caller),
        }
    }

    /// What is said to a caller whose role does not reach: a scope that no token can have is not named.
    pub(crate) fn beyond(&self, complaint: Complaint) -> Complaint {
        let can = |needs| tokens::roles().any(|role| role.as_str() == needs);
        if self.vouched.is_none() || complaint.needs.is_none_or(can) {
            return complaint;
        }
        Complaint::new(complaint.code, NO_NAME)
    }

    /// Refuses what is done in a person's name to whoever shows an access token.
    pub(crate) fn own(&self) -> Result<(), Complaint> {
        match self.vouched {
            None => Ok(()),
            Some(_) => Err(Complaint::new(Code::RoleTooLow, NO_NAME)),
        }
    }

    /// How long it holds, where the request itself says so.
    pub(crate) fn lasts(&self) -> Option<Duration> {
        self.vouched.as_ref().map(|vouched| vouched.lasts)
    }
}

/// A body, in time and under its bound.
pub(crate) async fn read(body: Body, limits: &Limits) -> Result<Bytes, Complaint> {
    let reading = to_bytes(body, limits.body_bytes);
    match tokio::time::timeout(limits.body_time, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let most = limits.body_bytes;
            let message =
                format!("the body is larger than {most} bytes or broke off; send a smaller one");
            Err(Complaint::new(Code::MessageTooLarge, message))
        }
        Err(_) => {
            let message = "the body did not arrive in time; send it at once";
            Err(Complaint::new(Code::MalformedMessage, message))
        }
    }
}

/// Says a complaint, with the discovery that a 401 owes (RFC 6750, RFC 9449 section 7.1, RFC 9728): a challenge for each way in
/// which a token can be shown here. Whoever brought a bad proof is told of proofs alone.
pub(crate) fn challenged(
    complaint: Complaint,
    (url, metadata): (&str, &str),
    tokens: Option<&dyn ReadTokens>,
) -> Response {
    let (code, needs) = (complaint.code, complaint.needs);
    let mut response = complained(complaint);
    let error = match code {
        Code::CredentialMissing => "",
        Code::CredentialInvalid => ", error=\"invalid_token\"",
        Code::ProofInvalid => ", error=\"invalid_dpop_proof\"",
        Code::CredentialMalformed => ", error=\"invalid_request\"",
        Code::SessionNotYours | Code::BandTooLow | Code::RoleTooLow => {
            ", error=\"insufficient_scope\""
        }
        _ => return response,
    };
    let scope = needs.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
    let why = format!("realm=\"quorate\", resource_metadata=\"{url}{metadata}\"{error}{scope}");
    let bearer = (code != Code::ProofInvalid).then(|| format!("Bearer {why}"));
    let dpop = tokens
        .map(|tokens| format!("DPoP {why}, algs=\"{}\"", tokens.proof_algorithms().join(" ")));
    for said in bearer.into_iter().chain(dpop) {
        if let Ok(value) = HeaderValue::from_str(&said) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    response
}

fn under_scheme(value: &str) -> Option<(Scheme, &str)> {
    let (scheme, token) = value.split_once(' ')?;
    let known = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let (_, scheme) = known.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(plain);
    fits.then_some((scheme, token))
}

/// What the protocol library does not refuse: a protocol header that stands twice, and a revision that we do not speak.
fn headers_agree(headers: &HeaderMap, message: Option<&Message>) -> Result<(), (i32, Complaint)> {
    let ours = |name: &HeaderName| {
        name.as_str().starts_with("mcp-")
            || *name == header::CONTENT_TYPE
            || name == "last-event-id"
    };
    if let Some(name) = headers.keys().find(|name| ours(name) && sole(headers, name).is_err()) {
        let message = format!("the header `{name}` is doubled or not text; send it once");
        return Err((strict::HEADER_MISMATCH, Complaint::new(Code::HeaderMismatch, message)));
    }
    let version = sole(headers, &VERSION).ok().flatten();
    let negotiates =
        message.is_some_and(|m| m.method() == Some("initialize") || m.meta_version().is_some());
    match version {
        Some(version) if !negotiates && VERSIONS.iter().all(|v| v.as_str() != version) => {
            let spoken: Vec<_> = VERSIONS.iter().map(|v| v.as_str()).collect();
            let message = format!(
                "this protocol version is not spoken here; use one of {}",
                spoken.join(", ")
            );
            Err((strict::UNSUPPORTED_VERSION, Complaint::new(Code::HeaderMismatch, message)))
        }
        _ => Ok(()),
    }
}

/// The response, which ends when the token does that opened it.
fn until(response: Response, lasts: Duration) -> Response {
    response.map(|body| {
        let end = Box::pin(tokio::time::sleep(lasts));
        Body::from_stream(body.into_data_stream().take_until(end))
    })
}

/// The response, holding its place until the last byte is out.
fn held<B>(response: Response<B>, place: Arc<Place>) -> Response
where
    B: axum::body::HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}
