//! What is asked of an authorization server: what it says of itself (RFC 8414, or OpenID Connect Discovery), and its keys.
//! Each answer is bounded in time and bytes, and what it says counts only if it names the issuer that we asked.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use quorate_host::fault::Fault;
use quorate_web::Sparse;
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;

/// The most bytes of one answer, or of a file of keys.
pub(super) const BYTES_MAX: usize = 65_536;
/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Anybody who knows the console's address can have codes asked about.
static CODES: Sparse = Sparse::new();

/// One server, by its issuer.
pub(super) struct Server {
    client: Client,
    issuer: String,
    /// Where people sign in, as last heard; of a server that is asked for keys alone, never.
    ends: Option<RwLock<Option<Ends>>>,
}

/// Where people sign in, and where codes are redeemed.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) authorize: Url,
    pub(super) token: Url,
    /// Where they sign out, if the server has such a place and one that is safe to send people to.
    pub(super) end_session: Option<Url>,
}

/// Why a code was not redeemed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoAnswer {
    /// The server could not be had.
    Unheard,
    /// It was, and gives nothing for this code.
    Refused,
}

/// What the server's metadata must say, and what a provider's must.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint: Option<String>,
    /// OpenID Connect RP-Initiated Logout 1.0, section 2.1.
    #[serde(default)]
    end_session_endpoint: Option<String>,
}

/// Why a server refuses (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct Error {
    error: String,
}

impl Server {
    /// An authorization server, which is asked for its keys alone. Nothing is asked yet.
    pub(super) fn new(issuer: &str) -> Result<Self, Fault> {
        Ok(Self { client: client()?, issuer: issuer.to_owned(), ends: None })
    }

    /// An OpenID provider, which also says where people sign in.
    pub(super) fn provider(issuer: &str) -> Result<Self, Fault> {
        Ok(Self { ends: Some(RwLock::default()), ..Self::new(issuer)? })
    }

    /// Where people sign in, as last heard.
    pub(super) fn ends(&self) -> Option<Ends> {
        self.ends.as_ref()?.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the server gives for a code, which the client proves itself with.
    pub(super) async fn redeem(
        &self,
        token: Url,
        (client, secret): (&str, &str),
        form: String,
    ) -> Result<Vec<u8>, NoAnswer> {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let request = self.client.post(token).basic_auth(client, Some(secret));
        let (status, bytes) =
            bounded(request.header(kind.0, kind.1).body(form)).await.map_err(|why| {
                if let Some(left_out) = CODES.now() {
                    tracing::warn!(why, left_out, "the provider cannot be asked about a code");
                }
                NoAnswer::Unheard
            })?;
        if status == 200 {
            return Ok(bytes);
        }
        let word = |c: char| c.is_ascii_lowercase() || c == '_';
        let said = serde_json::from_slice(&bytes).map(|said: Error| said.error).unwrap_or_default();
        let why = if said.len() < 64 && said.chars().all(word) { said } else { String::new() };
        if let Some(left_out) = CODES.now() {
            tracing::warn!(status, why, left_out, "the provider gives nothing for a code");
        }
        if status >= 500 { Err(NoAnswer::Unheard) } else { Err(NoAnswer::Refused) }
    }

    /// Keeps where people sign in, if it is where nobody listens.
    fn learn(&self, said: &Metadata) -> Result<(), &'static str> {
        let Some(ends) = &self.ends else { return Ok(()) };
        let end = |url: &Option<String>| url.as_deref().and_then(private);
        let (Some(authorize), Some(token)) =
            (end(&said.authorization_endpoint), end(&said.token_endpoint))
        else {
            return Err("people sign in neither at https nor on loopback");
        };
        let end_session = end(&said.end_session_endpoint);
        let learnt = Some(Ends { authorize, token, end_session });
        *ends.write().unwrap_or_else(PoisonError::into_inner) = learnt;
        Ok(())
    }

    /// Its keys, from where its metadata says that they are.
    pub(super) async fn keys(&self) -> Result<Vec<u8>, String> {
        let mut why = "its issuer is no URL".to_owned();
        // A provider describes itself at the second place only.
        let skipped = usize::from(self.ends.is_some());
        for place in places(&self.issuer).into_iter().flatten().skip(skipped) {
            let said = match self.get(place).await {
                Ok(said) => said,
                Err(error) => {
                    why = error;
                    continue;
                }
            };
            let said: Metadata = serde_json::from_slice(&said)
                .map_err(|_| "its metadata names no issuer and keys".to_owned())?;
            // RFC 8414 section 3.3: metadata of somebody else must not be used.
            if said.issuer != self.issuer {
                return Err("its metadata is of another issuer".to_owned());
            }
            self.learn(&said)?;
            let keys =
                private(&said.jwks_uri).ok_or("its keys are neither at https nor on loopback")?;
            return self.get(keys).await;
        }
        Err(why)
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, String> {
        match bounded(self.client.get(url)).await? {
            (200..300, said) => Ok(said),
            (status, _) => Err(format!("it answers with status {status}")),
        }
    }
}

fn client() -> Result<Client, Fault> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build();
    client.map_err(|e| Fault::new("oauth", e.without_url().to_string(), "report this"))
}

async fn bounded(request: RequestBuilder) -> Result<(u16, Vec<u8>), String> {
    let sent = request.header("accept", "application/json").send().await;
    let answer = sent.map_err(|e| e.without_url().to_string())?;
    let status = answer.status().as_u16();
    Ok((status, crate::bounded::bounded(answer, BYTES_MAX).await?))
}

/// Where a server of this issuer says what it is: RFC 8414 section 3.1, then OpenID Connect Discovery section 4.
fn places(issuer: &str) -> Option<[Url; 2]> {
    let url = Url::parse(issuer).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    let mut first = url.clone();
    first.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    let mut second = url;
    second.set_path(&format!("{path}/.well-known/openid-configuration"));
    Some([first, second])
}

/// TLS, or plain HTTP that never leaves this machine; and nobody's name or password in the address.
pub(super) fn private(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && local);
    let is_bare = url.username().is_empty() && url.password().is_none();
    (is_private && is_bare).then_some(url)
}

/// An issuer is a URL without query and fragment (RFC 8414 section 2).
pub(super) fn check_issuer(what: &str, url: &str) -> Result<(), Fault> {
    let fits = private(url).is_some_and(|u| u.query().is_none() && u.fragment().is_none());
    let mend = "give the issuer as its metadata spells it: an https URL, or http on loopback";
    if fits { Ok(()) } else { Err(Fault::new(what, "is no issuer", mend)) }
}

/// The origin under which clients reach a door: scheme, host and port, and nothing behind them.
pub(super) fn public_origin(what: &str, url: &str) -> Result<String, Fault> {
    let bad = |why: &str| {
        let mend = "give scheme and host alone, such as `https://desk.example`, with a port unless it is 443; the \
            desk adds `/mcp` and `/api/v1` itself";
        Fault::new(what, why, mend)
    };
    let parsed = Url::parse(url).map_err(|_| bad("is no URL"))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(bad("holds a user"));
    }
    if private(url).is_none() {
        return Err(bad("is neither https nor http on loopback"));
    }
    if parsed.path() != "/" {
        return Err(bad("has a path"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(bad("has a query or a fragment"));
    }
    Ok(parsed.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_and_its_refusal_names_the_field() {
        for (given, origin) in [
            ("https://desk.example", "https://desk.example"),
            ("https://desk.example/", "https://desk.example"),
            ("https://Desk.Example:443", "https://desk.example"),
            ("https://desk.example:8443", "https://desk.example:8443"),
            ("http://127.0.0.1:7410", "http://127.0.0.1:7410"),
        ] {
            assert_eq!(public_origin("oauth.public_url", given).unwrap(), origin);
        }
        for (given, why) in [
            ("desk.example", "is no URL"),
            ("", "is no URL"),
            ("http://desk.example", "neither https"),
            ("ftp://desk.example", "neither https"),
            ("https://desk.example/mcp", "has a path"),
            ("https://desk.example//", "has a path"),
            ("https://desk.example?x", "query"),
            ("https://desk.example/#x", "fragment"),
            ("https://ann@desk.example", "holds a user"),
            ("https://:pass@desk.example", "holds a user"),
        ] {
            let told = public_origin("oauth.public_url", given).unwrap_err().to_string();
            assert!(told.contains(why), "{given}: {told}");
            assert!(told.contains("oauth.public_url") && told.contains("such as"), "{told}");
        }
    }

    #[test]
    fn an_issuer_is_an_address_under_tls_or_of_this_machine() {
        for (url, good) in [
            ("https://as.example", true),
            ("https://as.example/tenant", true),
            ("http://127.0.0.1:9000", true),
            ("http://as.example", false),
            ("https://as.example?x=1", false),
            ("https://as.example#x", false),
            ("https://ann:pass@as.example", false),
            ("as.example", false),
        ] {
            assert_eq!(check_issuer("oauth.issuer", url).is_ok(), good, "{url}");
        }
    }
}
