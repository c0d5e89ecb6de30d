//! Host and Origin: exact lists, checked before a request is looked at. This is what stops DNS rebinding.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;

use quorate_terms::Malformed;

use crate::errors::{Code, Complaint};

/// The Host and Origin values that a door accepts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allowed {
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
}

impl Allowed {
    /// These hosts (`127.0.0.1:3000`) and these origins (`http://localhost:3000`), each with its port, exactly.
    pub fn new<H, O>(hosts: H, origins: O) -> Self
    where
        H: IntoIterator<Item: AsRef<str>>,
        O: IntoIterator<Item: AsRef<str>>,
    {
        Self {
            hosts: hosts.into_iter().map(|h| h.as_ref().to_ascii_lowercase()).collect(),
            origins: origins.into_iter().map(|o| o.as_ref().to_ascii_lowercase()).collect(),
        }
    }

    /// The loopback names with this port, as hosts and as origins.
    pub fn loopback(port: u16) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
        let origins = hosts.clone().map(|host| format!("http://{host}"));
        Self::new(hosts, origins)
    }

    /// Whether there is any host at all.
    ///
    /// # Errors
    /// [`Malformed`] when the list is empty, because an empty list must never mean "any".
    pub fn check(&self) -> Result<(), Malformed> {
        if self.hosts.is_empty() {
            let mend = "name each host with its port, such as `127.0.0.1:3000`";
            return Err(Malformed::new("hosts", "is empty", mend));
        }
        if let Some(wild) = self.hosts.iter().chain(&self.origins).find(|v| v.contains('*')) {
            let why = format!("holds `{wild}`");
            return Err(Malformed::new("hosts", why, "name each one exactly, without `*`"));
        }
        Ok(())
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().map(String::as_str)
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Complaint> {
        let host = sole(headers, &header::HOST).map_err(|()| refused_host())?;
        if !host.is_some_and(|host| self.hosts.contains(&host.to_ascii_lowercase())) {
            return Err(refused_host());
        }
        let refused = || {
            Complaint::new(Code::OriginRefused, "the Origin is not on the list; ask the operator")
        };
        match sole(headers, &header::ORIGIN).map_err(|()| refused())? {
            Some(origin) if !self.origins.contains(&origin.to_ascii_lowercase()) => Err(refused()),
            _ => Ok(()),
        }
    }
}

fn refused_host() -> Complaint {
    Complaint::new(Code::HostRefused, "the Host is not on the list; ask the operator")
}

/// The one value of a header; an error when it stands twice or is not text.
pub(super) fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// The outermost layer.
pub(super) async fn check(
    State(allowed): State<Arc<Allowed>>,
    request: Request,
    next: Next,
) -> Response {
    match allowed.admit(request.headers()) {
        Ok(()) => {
            let mut response = next.run(request).await;
            let nosniff = axum::http::HeaderValue::from_static("nosniff");
            response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
            response
        }
        Err(complaint) => super::complained(complaint),
    }
}
