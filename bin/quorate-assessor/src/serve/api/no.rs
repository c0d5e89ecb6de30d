//! A refusal of the API: its status, and the same words as the command line's.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::trouble::Trouble;

/// Which credential is asked for (RFC 6750).
const CHALLENGE: &str = "Bearer realm=\"quorate-office\"";
/// Seconds after which a busy office is asked again.
const BUSY_S: u64 = 5;

/// See the module.
pub(super) struct No {
    pub(super) status: u16,
    pub(super) trouble: Box<Trouble>,
    /// Seconds to wait.
    after: Option<u64>,
    /// The methods that there are.
    allow: Option<HeaderValue>,
}

impl No {
    pub(super) fn new(
        status: u16,
        code: &'static str,
        message: impl Into<String>,
        next: &str,
    ) -> Self {
        let trouble = Box::new(Trouble::refused(code, message, next));
        Self { status, trouble, after: None, allow: None }
    }

    /// What a command would have said. A change says of a field what a look says of its path.
    pub(super) fn of(trouble: Trouble, is_change: bool) -> Self {
        let status = match trouble.code {
            "busy" => 503,
            "in_flight" => 429,
            "unknown_token" => 401,
            "malformed" | "unknown_standard" | "unknown_level" | "unknown_field" if is_change => {
                422
            }
            "malformed" => 400,
            "no_audit" => 404,
            code if code.starts_with("unknown") => 404,
            _ if trouble.refused => 409,
            _ => 503,
        };
        let after = match status {
            429 => Some(1),
            503 => Some(BUSY_S),
            _ => None,
        };
        Self { status, trouble: Box::new(trouble), after, allow: None }
    }

    /// The same for somebody who showed no token: where things lie on the office's disk is for its own people.
    pub(super) fn of_a_stranger(self) -> Self {
        if self.status != 503 {
            return self;
        }
        let next = "wait as long as `Retry-After` says; if it stays so, tell the office";
        let trouble =
            Trouble::refused(self.trouble.code, "the office cannot answer this now", next);
        Self { trouble: Box::new(trouble), ..self }
    }

    pub(super) fn elsewhere() -> Self {
        let next = "ask under the address that the office printed";
        Self::new(403, "elsewhere", "this is not the office's own address", next)
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, "too_large", "the body is too large", "send less")
    }

    /// The token asked too much.
    pub(super) fn later(seconds: u64) -> Self {
        let next = "wait as long as `Retry-After` says";
        let no = Self::new(429, "too_many", "this token asks too much at once", next);
        Self { after: Some(seconds), ..no }
    }

    pub(super) fn method(allow: &str) -> Self {
        let message = "this path takes no such method";
        let no = Self::new(405, "method", message, "use one that `Allow` names");
        Self { allow: HeaderValue::from_str(allow).ok(), ..no }
    }

    pub(super) fn response(self) -> Response {
        let body = json!({ "error": self.trouble }).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let all = response.headers_mut();
        if self.status == 401 {
            all.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if let Some(after) = self.after {
            all.insert(header::RETRY_AFTER, HeaderValue::from(after));
        }
        if let Some(allow) = self.allow {
            all.insert(header::ALLOW, allow);
        }
        response
    }
}
