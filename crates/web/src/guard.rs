//! Host and Origin: exact lists, checked before a request is looked at. This is what stops DNS rebinding.

use std::collections::BTreeSet;
use std::net::SocketAddr;

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

    /// What browsers may call a server of people: these origins, or at a loopback address its own names. Credentials and sessions
    /// travel to it, so beyond this machine its address is one under TLS, which it ends itself (`tls`) or a named proxy does
    /// (`proxied`).
    ///
    /// # Errors
    /// [`Malformed`] for origins that no browser shows, that are not under TLS, or whose TLS nobody ends; and when there is
    /// none beyond loopback.
    pub fn typed(
        origins: &[String],
        listens: &SocketAddr,
        tls: bool,
        proxied: bool,
    ) -> Result<Self, Malformed> {
        let bad = |why: String, mend: &str| Malformed::new("origins", why, mend);
        if origins.is_empty() {
            if !listens.ip().to_canonical().is_loopback() {
                let mend = "name the address that people type, such as `https://pages.example`";
                return Err(bad("is empty".to_owned(), mend));
            }
            let plain = Self::loopback(listens.port());
            if !tls {
                return Ok(plain);
            }
            let origins = plain.hosts().map(|host| format!("https://{host}"));
            return Ok(Self::new(plain.hosts(), origins));
        }
        if !tls && !proxied {
            let why = "are addresses under TLS, and nobody ends it".to_owned();
            return Err(bad(why, "give a certificate and its key, or name the proxy in front"));
        }
        let mut hosts = Vec::new();
        for origin in origins {
            let host = origin.strip_prefix("https://").filter(|host| is_host(host));
            hosts.push(host.ok_or_else(|| {
                let mend = "give each as a browser shows it: `https://`, a name, and a port unless it is 443";
                bad(format!("holds `{origin}`"), mend)
            })?);
        }
        Ok(Self::new(hosts, origins))
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

    /// The origin under which a browser reached the host that a request names: what a browser is sent back to.
    pub fn origin_of(&self, headers: &HeaderMap) -> Option<&str> {
        let host = sole(headers, &header::HOST).ok().flatten()?.to_ascii_lowercase();
        let is_of =
            |origin: &&str| origin.split_once("://").is_some_and(|(_, reached)| reached == host);
        self.origins().find(is_of)
    }

    /// Whether every origin is one that browsers open under TLS.
    pub fn is_secure(&self) -> bool {
        !self.origins.is_empty() && self.origins.iter().all(|one| one.starts_with("https://"))
    }

    /// What the cookie of a session is called here. `__Host-` stands before it, and browsers then take it over a secure channel
    /// only. Where every origin is plain loopback there is none, and Safari would keep no such cookie. It gets the bare name and
    /// the port of the first origin: ports of one host share their cookies, and another server here must not replace ours.
    pub fn cookie(&self, name: &str) -> String {
        let plain = self.origins.iter().all(|one| is_plain_loopback(one));
        let Some(first) = self.origins.first().filter(|_| plain) else {
            return format!("{}{name}", crate::sessions::SECURE);
        };
        port_of(first).map_or_else(|| name.to_owned(), |port| format!("{name}-{port}"))
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

fn is_host(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !text.is_empty() && text.chars().all(is_part) && !text.ends_with(":443")
}

/// Whether an origin is of the browser's own machine, and opened without TLS.
fn is_plain_loopback(origin: &str) -> bool {
    let own = ["localhost", "127.0.0.1", "[::1]"];
    let is_port = |rest: &str| rest.is_empty() || rest.starts_with(':');
    let host = origin.strip_prefix("http://");
    host.is_some_and(|host| own.iter().any(|one| host.strip_prefix(one).is_some_and(is_port)))
}

/// The port that an origin names.
fn port_of(origin: &str) -> Option<&str> {
    let (_, port) = origin.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_port.then_some(port)
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

    fn check(
        origins: &[&str],
        proxied: bool,
        listens: &str,
        tls: bool,
    ) -> Result<Vec<String>, Malformed> {
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        let allowed = Allowed::typed(&origins, &listens.parse().unwrap(), tls, proxied)?;
        Ok(allowed.origins().map(str::to_owned).collect())
    }

    #[test]
    fn on_loopback_its_own_names_are_enough() {
        let plain = check(&[], false, "127.0.0.1:7420", false).unwrap();
        assert!(plain.contains(&"http://localhost:7420".to_owned()));
        let tls = check(&[], false, "127.0.0.1:7420", true).unwrap();
        assert!(tls.iter().all(|origin| origin.starts_with("https://")), "{tls:?}");
    }

    #[test]
    fn beyond_this_machine_it_says_what_people_type() {
        let typed = ["https://console.example"];
        assert!(check(&[], false, "192.0.2.1:7420", true).is_err());
        assert_eq!(check(&typed, false, "192.0.2.1:7420", true).unwrap(), typed);
        assert_eq!(check(&typed, true, "127.0.0.1:7420", false).unwrap(), typed);
        assert!(check(&typed, false, "127.0.0.1:7420", false).is_err(), "nobody ends TLS");
    }

    #[test]
    fn an_origin_that_no_browser_shows_is_refused() {
        for origin in [
            "http://console.example",
            "console.example",
            "https://",
            "https://console.example/",
            "https://console.example:443",
            "https://*",
            "https://user@console.example",
        ] {
            assert!(check(&[origin], false, "192.0.2.1:7420", true).is_err(), "{origin}");
        }
    }

    #[test]
    fn a_cookie_is_for_a_secure_channel_unless_every_origin_is_plain_loopback() {
        let (bare, ported, secure) = ("quorate-x", "quorate-x-7420", "__Host-quorate-x");
        for (origins, expected) in [
            (vec!["http://localhost:7420"], ported),
            (vec!["http://127.0.0.1:7420", "http://[::1]:7420", "http://LOCALHOST"], ported),
            (vec!["http://[::1]:7420"], ported),
            (vec!["http://[::1]"], bare),
            (vec!["http://localhost"], bare),
            (vec!["http://localhost:"], bare),
            (vec!["http://localhost:7;x=y"], bare),
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
        assert_eq!(Allowed::loopback(7420).cookie("quorate-x"), ported);
    }

    #[test]
    fn servers_of_one_kind_on_one_machine_keep_their_cookies_apart() {
        let [one, two] = [7420, 7421].map(|port| Allowed::loopback(port).cookie("quorate-x"));
        assert_ne!(one, two);
    }
}
