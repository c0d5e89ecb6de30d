//! Host and Origin: exact lists, checked before a request is looked at. This is what stops DNS rebinding.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, header};

use quorate_terms::Malformed;

/// What of a request was not on the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAdmitted {
    /// Its Host.
    Host,
    /// Its Origin.
    Origin,
}

/// The Host and Origin values that a server accepts.
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

    /// The hosts, in lower case.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// The origins, in lower case.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().map(String::as_str)
    }

    /// Whether every origin is one that browsers open under TLS.
    pub fn is_secure(&self) -> bool {
        !self.origins.is_empty() && self.origins.iter().all(|one| one.starts_with("https://"))
    }

    /// What the cookie of a session is called here. `__Host-` stands before it, and browsers then take it over a secure channel
    /// only. Where every origin is plain loopback there is none, and Safari would keep no such cookie: it gets the bare name.
    pub fn cookie(&self, name: &str) -> String {
        let plain =
            !self.origins.is_empty() && self.origins.iter().all(|one| is_plain_loopback(one));
        if plain { name.to_owned() } else { format!("{}{name}", crate::sessions::SECURE) }
    }

    /// Whether a request with these headers is answered.
    ///
    /// # Errors
    /// [`NotAdmitted`] for a Host that is not on the list or stands twice, and for such an Origin where there is one.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), NotAdmitted> {
        let host = sole(headers, &header::HOST).map_err(|()| NotAdmitted::Host)?;
        if !host.is_some_and(|host| self.hosts.contains(&host.to_ascii_lowercase())) {
            return Err(NotAdmitted::Host);
        }
        match sole(headers, &header::ORIGIN).map_err(|()| NotAdmitted::Origin)? {
            Some(origin) if !self.origins.contains(&origin.to_ascii_lowercase()) => {
                Err(NotAdmitted::Origin)
            }
            _ => Ok(()),
        }
    }
}

/// Whether an origin is of the browser's own machine, and opened without TLS.
fn is_plain_loopback(origin: &str) -> bool {
    let own = ["localhost", "127.0.0.1", "[::1]"];
    let is_port = |rest: &str| rest.is_empty() || rest.starts_with(':');
    let host = origin.strip_prefix("http://");
    host.is_some_and(|host| own.iter().any(|one| host.strip_prefix(one).is_some_and(is_port)))
}

/// The one value of a header; an error when it stands twice or is not text.
///
/// # Errors
/// Nothing more is said of it.
#[expect(clippy::result_unit_err, reason = "the caller says what is refused")]
pub fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_a_secure_channel_unless_every_origin_is_plain_loopback() {
        let (bare, secure) = ("quorate-x", "__Host-quorate-x");
        for (origins, expected) in [
            (vec!["http://localhost:7420"], bare),
            (vec!["http://127.0.0.1:7420", "http://[::1]:7420", "http://LOCALHOST"], bare),
            (vec!["https://localhost:7420"], secure),
            (vec!["https://console.example"], secure),
            (vec!["http://localhost:7420", "https://console.example"], secure),
            (vec!["http://console.example"], secure),
            (vec!["http://localhost.example:1"], secure),
            (vec!["http://127.0.0.1.example"], secure),
            (vec!["http://evil@localhost"], secure),
            (vec![], secure),
        ] {
            assert_eq!(Allowed::new(["x"], &origins).cookie("quorate-x"), expected, "{origins:?}");
        }
        assert_eq!(Allowed::loopback(7420).cookie("quorate-x"), bare);
    }
}
