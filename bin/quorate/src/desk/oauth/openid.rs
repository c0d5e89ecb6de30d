//! Signing in at the console through the organisation's OpenID provider (OpenID Connect Core): authorization code with PKCE, as a
//! confidential client. What it gives is whom the provider speaks of; the book says whether they may look
//! ([`quorate_gateway::console::provider`]).
//!
//! The identity token is checked although it came straight from the provider: signature, issuer, audience, nonce and times.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quorate_custody::Refusal;
use quorate_gateway::console::provider::{Bound, Identified, Provider, not_vouched};
use quorate_gateway::office::Reply;
use quorate_host::fault::Fault;
use quorate_host::secret::Secret;
use quorate_host::{Clock, secret_file};
use quorate_terms::Digest;
use quorate_terms::credential::subject_digest;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::keys::Keys;
use super::server::{NoAnswer, check_issuer, private};
use super::{Audience, LEEWAY_S, No, keys, signed};
use crate::config::OpenidConfig;

/// The longest code that is carried to the provider, in bytes.
const CODE_BYTES_MAX: usize = 2048;
/// The longest name of the client, or secret, in bytes.
const CLIENT_BYTES_MAX: usize = 512;
/// The oldest identity token that is taken, in seconds: it was made for this sign-in.
const AGE_S_MAX: u64 = 600;
/// How many codes are redeemed at once: strangers can bring codes too, and each costs the provider a question.
const AT_ONCE: usize = 8;

/// One client of one provider.
pub(crate) struct Openid {
    issuer: String,
    client: String,
    secret: Secret,
    /// Where the provider sends people who signed out there.
    signed_out: Option<String>,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    places: Semaphore,
}

/// What an identity token must say (OpenID Connect Core section 2), and no field twice.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: u64,
    iat: u64,
    nonce: String,
    #[serde(default)]
    azp: Option<String>,
}

/// What the provider gives for a code. An access token is not looked at.
#[derive(Deserialize)]
struct Given {
    id_token: String,
}

impl Openid {
    /// Reads the configuration and the secret, and, as far as it can be had, what the provider says of itself.
    ///
    /// # Errors
    /// [`Fault`] for an issuer off TLS, a client without a name, or a secret that others can read.
    pub(crate) async fn start(
        config: &OpenidConfig,
        resolve: impl Fn(&Path) -> PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        check_issuer("console.openid.issuer", &config.issuer)?;
        let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let fits = |text: &str| (1..=CLIENT_BYTES_MAX).contains(&text.len()) && printable(text);
        if !fits(&config.client) {
            let mend = "give the client's name as the provider registered it";
            return Err(Fault::new("console.openid.client", "is no name of a client", mend));
        }
        let signed_out = config.signed_out.clone();
        if signed_out.as_deref().is_some_and(|url| private(url).is_none()) {
            let mend = "give an address of the console as it is registered with the client, such as `https://console.example/`";
            let what = "console.openid.signed_out";
            return Err(Fault::new(what, "is neither https nor http on loopback", mend));
        }
        let path = resolve(&config.secret);
        let secret = secret_file::read(&path)?.without_line_break();
        if !std::str::from_utf8(secret.expose()).is_ok_and(fits) {
            let mend = "put the client's secret there in one line, as the provider gave it";
            return Err(Fault::new(path.display().to_string(), "holds no secret", mend));
        }
        let keys = Keys::of_provider(&config.issuer).await?;
        let (issuer, client) = (config.issuer.clone(), config.client.clone());
        let places = Semaphore::new(AT_ONCE);
        Ok(Self { issuer, client, secret, signed_out, keys, clock, places })
    }

    /// The identity token for a code.
    async fn redeemed(&self, code: &str, bound: &Bound) -> Result<Given, NoAnswer> {
        let (server, ends) = self.keys.provider().await.ok_or(NoAnswer::Unheard)?;
        let secret = std::str::from_utf8(self.secret.expose()).unwrap_or_default();
        let form = form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &bound.redirect),
            ("code_verifier", &bound.verifier),
        ]);
        // RFC 6749 section 2.3.1: both are form-encoded before they go into the header.
        let pair = (encoded(&self.client), encoded(secret));
        let said = server.redeem(ends.token, (&pair.0, &pair.1), form).await?;
        serde_json::from_slice(&said).map_err(|_| NoAnswer::Refused)
    }

    /// Whom an identity token speaks of, if it was made for this client and this sign-in.
    async fn vouched(&self, token: &str, nonce: &str) -> Result<Identified, No> {
        let kind = |kind: &str| kind.is_empty() || kind == "jwt" || kind == "application/jwt";
        let claims: Claims = signed(&self.keys, token, kind).await?;
        let is_other = |party: &String| *party != self.client;
        if claims.iss != self.issuer {
            return Err(No::Issuer);
        }
        if !claims.aud.is_only(&self.client) || claims.azp.as_ref().is_some_and(is_other) {
            return Err(No::Audience);
        }
        if claims.nonce != nonce {
            return Err(No::Nonce);
        }
        let now = self.clock.now().as_millis().div_euclid(1000);
        let (late, early) = (now.saturating_sub(LEEWAY_S), now.saturating_add(LEEWAY_S));
        if claims.exp <= late || claims.iat.saturating_add(AGE_S_MAX) <= late {
            return Err(No::Expired);
        }
        if claims.iat > early {
            return Err(No::Early);
        }
        let subject = subject_digest(&claims.iss, &claims.sub).map_err(|_| No::Form)?;
        Ok(Identified { subject, named: format!("{}#{}", claims.iss, claims.sub) })
    }
}

#[async_trait]
impl Provider for Openid {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    async fn address(&self, bound: &Bound) -> Reply<String> {
        let (_, ends) = self.keys.provider().await.ok_or_else(away)?;
        let challenge = Digest::sha256(bound.verifier.as_bytes());
        let challenge = URL_SAFE_NO_PAD.encode(challenge.as_bytes());
        let mut address = ends.authorize;
        // The endpoint's own query, if it has one, stays (RFC 6749 section 3.1).
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", &self.client),
            ("redirect_uri", &bound.redirect),
            ("state", &bound.state),
            ("nonce", &bound.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(address.into())
    }

    async fn farewell(&self) -> Option<String> {
        let (_, ends) = self.keys.provider().await?;
        let mut address = ends.end_session?;
        // No identity token is kept to be shown as a hint: the provider knows its own session, and asks the person.
        address.query_pairs_mut().append_pair("client_id", &self.client);
        if let Some(back) = &self.signed_out {
            address.query_pairs_mut().append_pair("post_logout_redirect_uri", back);
        }
        Some(address.into())
    }

    async fn identify(&self, code: &str, bound: &Bound) -> Reply<Identified> {
        if code.len() > CODE_BYTES_MAX {
            return Err(not_vouched("the code is no code of the provider"));
        }
        let Ok(_place) = self.places.try_acquire() else {
            let message = "too many people sign in through the provider at this moment";
            return Err(Refusal::new("not_now", message, "go to the first page and sign in again"));
        };
        let given = self.redeemed(code, bound).await.map_err(|why| match why {
            NoAnswer::Unheard => away(),
            NoAnswer::Refused => not_vouched("the provider gives no identity for this code"),
        })?;
        self.vouched(&given.id_token, &bound.nonce).await.map_err(refusal)
    }
}

fn away() -> Refusal {
    let next = format!(
        "try again in {} seconds, or sign in with the token of your credential",
        keys::PAUSE.as_secs()
    );
    Refusal::new("not_now", "the provider does not answer the desk as it should", next)
}

fn refusal(no: No) -> Refusal {
    not_vouched(match no {
        No::Form | No::Type | No::Long => {
            "the provider's answer is no identity token of OpenID Connect"
        }
        No::Bound | No::Bare | No::Keyless | No::Unbound | No::Proof(_) => {
            "the provider's answer is bound to a key, which no identity token is"
        }
        No::Algorithm => "the identity token is not signed with RS256, PS256, ES256 or EdDSA",
        No::Key => "the identity token names no key of the provider",
        No::Signature => "the signature of the identity token does not hold",
        No::Issuer => "the identity token is of another issuer",
        No::Audience => "the identity token is not for this console alone",
        No::Nonce => "the identity token belongs to another sign-in",
        No::Expired => "the identity token has expired, or the clocks differ",
        No::Early => "the identity token does not hold yet: the clocks differ",
        No::Unavailable => return away(),
    })
}

/// Pairs as a form carries them.
fn form(pairs: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse("form:") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// One value as a form carries it.
fn encoded(text: &str) -> String {
    form(&[("", text)]).trim_start_matches('=').to_owned()
}

#[cfg(test)]
pub(in crate::desk) mod tests;
