//! Signing in through the organisation's own OpenID provider. Whoever comes that way looks and does nothing else: a provider
//! can say who somebody is, and the book alone says whether they are let in.
//!
//! The console remembers nothing of a sign-in that was begun. All that binds the provider's answer to the browser is derived
//! from one secret in that browser's cookie, so that a stranger can fill nothing by beginning many.

use async_trait::async_trait;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::shell_word;
use quorate_terms::Digest;
use quorate_terms::digest::tag;
use quorate_web::sessions::{cookie, set_cookie, set_cookie_as};
use serde::Deserialize;

use super::gate::Refused;
use super::visit::{Answered, Member, Via};
use super::{Console, Here, paper};
use crate::office::Reply;

/// Where the browser sets out.
pub(crate) const BEGIN: &str = "/sign-in/provider";
/// Where the provider sends it back; what is registered there is the console's origin with this path.
pub const BACK: &str = "/sign-in/provider/back";
/// Where the browser sets out to sign out at the provider too.
pub(crate) const END: &str = "/sign-out/provider";
/// The cookie of a sign-in that was begun.
const BEGUN: &str = "quorate-sign-in";
/// Seconds in which somebody signs in at the provider.
const BEGUN_S: u64 = 600;

/// What binds an answer of the provider to the browser that asked (OpenID Connect Core section 3.1.2.1, RFC 7636).
pub struct Bound {
    /// Comes back beside the code.
    pub state: String,
    /// Stands in the identity token.
    pub nonce: String,
    /// Shown with the code only. The provider saw its digest before.
    pub verifier: String,
    /// Where the browser is sent back to.
    pub redirect: String,
}

/// Whom a provider speaks of.
#[derive(Clone, Debug)]
pub struct Identified {
    /// `subject_digest` of the provider's issuer and its subject.
    pub subject: Digest,
    /// Both as `quorate member new --subject` takes them.
    pub named: String,
}

/// The organisation's OpenID provider, as the console sees it.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Its issuer.
    fn issuer(&self) -> &str;

    /// Where the browser goes to sign in.
    ///
    /// # Errors
    /// [`Refusal`] while the provider cannot be had.
    async fn address(&self, bound: &Bound) -> Reply<String>;

    /// Where the browser goes to sign out there too (OpenID Connect RP-Initiated Logout 1.0); none while the provider names no
    /// such place under TLS or on loopback.
    async fn farewell(&self) -> Option<String>;

    /// Whom the provider speaks of, by the code that it gave to the browser. What it answers was checked: signature, issuer,
    /// audience, nonce and times.
    ///
    /// # Errors
    /// [`Refusal`] when the answer does not hold, or the provider cannot be had.
    async fn identify(&self, code: &str, bound: &Bound) -> Reply<Identified>;
}

impl Bound {
    fn of(secret: &str, origin: &str) -> Self {
        let derived = |what: &str| {
            Digest::of(
                tag::TOKEN,
                format!("sign-in through a provider: {what} {secret}").as_bytes(),
            )
        };
        Self {
            state: derived("state").to_string(),
            nonce: derived("nonce").to_string(),
            verifier: derived("verifier").to_string(),
            redirect: format!("{origin}{BACK}"),
        }
    }
}

/// Adds the ways to the provider and back.
pub(super) fn routes(router: Router<Here>) -> Router<Here> {
    router.route(BEGIN, get(begin)).route(BACK, get(back)).route(END, get(end))
}

impl Console {
    fn provider(&self) -> Reply<&dyn Provider> {
        self.setup.provider.as_deref().ok_or_else(|| {
            let next = "sign in with the token of your credential";
            Refusal::new("nothing_here", "no provider is named here", next)
        })
    }

    fn bound(&self, secret: &str, headers: &HeaderMap) -> Reply<Bound> {
        let origin = self.setup.allowed.origin_of(headers).ok_or_else(|| {
            let next = "name this address in `origins` of `[console]` in desk.toml";
            Refusal::new("elsewhere", "no browser is sent back to this address", next)
        })?;
        Ok(Bound::of(secret, origin))
    }
}

/// Refuses a browser that did not come from a page of the console: another site or a link in a mail sent it here, and it would
/// come back as whomever that provider has signed in, in place of who is signed in here, or be signed out there unasked. Browsers
/// that do not say where they come from are let by.
fn came_from_here(headers: &HeaderMap) -> Reply<()> {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if sites.all(|site| site.as_bytes() == b"same-origin") {
        return Ok(());
    }
    let next = "go to the first page and sign in there";
    Err(Refusal::new("elsewhere", "no page of the console sent you here", next))
}

async fn begin(State(console): State<Here>, headers: HeaderMap) -> Answered {
    sent(&console, &headers).await.map_err(Refused::of_a_stranger)
}

async fn sent(console: &Console, headers: &HeaderMap) -> Answered {
    came_from_here(headers)?;
    let secret = format!("{}{}", (console.setup.secret)()?, (console.setup.secret)()?);
    let bound = console.bound(&secret, headers)?;
    let address = console.provider()?.address(&bound).await?;
    let mut response = Redirect::to(&address).into_response();
    begun(console, &mut response, Some(&secret));
    Ok(response)
}

async fn end(State(console): State<Here>, headers: HeaderMap) -> Answered {
    sent_off(&console, &headers).await.map_err(Refused::of_a_stranger)
}

async fn sent_off(console: &Console, headers: &HeaderMap) -> Answered {
    came_from_here(headers)?;
    let Some(address) = console.provider()?.farewell().await else {
        let message = "the provider names no place where people sign out";
        let next = "close the browser, or sign out at the provider's own pages";
        return Err(Refusal::new("nothing_here", message, next).into());
    };
    Ok(Redirect::to(&address).into_response())
}

/// Sets the cookie of a sign-in that was begun, or takes it back. The provider's answer comes from another site, and the cookie
/// must come with it: so `Lax`, where a session's own is `Strict`.
fn begun(console: &Console, response: &mut Response, secret: Option<&str>) {
    let name = console.setup.allowed.cookie(BEGUN);
    if let Some(line) = set_cookie_as(&name, secret, "Lax", BEGUN_S) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
}

/// What the provider sends back: a code, or an error that anybody could have written into the address.
#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    iss: Option<String>,
}

async fn back(
    State(console): State<Here>,
    headers: HeaderMap,
    back: Result<Query<Back>, QueryRejection>,
) -> Response {
    let ended = match back {
        Ok(Query(back)) => returned(&console, &headers, &back).await,
        Err(_) => Err(not_begun().into()),
    };
    let mut response = ended.unwrap_or_else(|refused| refused.of_a_stranger().into_response());
    // Whatever came of it, this cookie has had its answer.
    begun(&console, &mut response, None);
    response
}

async fn returned(console: &Here, headers: &HeaderMap, back: &Back) -> Answered {
    let provider = console.provider()?;
    let name = console.setup.allowed.cookie(BEGUN);
    let secret = cookie(headers, &name).filter(|secret| !secret.is_empty());
    let bound = console.bound(secret.ok_or_else(not_begun)?, headers)?;
    if back.state != bound.state {
        return Err(not_begun().into());
    }
    // RFC 9207: an answer of another provider than the one that was asked.
    if back.iss.as_deref().is_some_and(|iss| iss != provider.issuer()) {
        return Err(Refused::from(not_vouched("the answer is of another provider")));
    }
    if back.code.is_empty() {
        return Err(not_vouched("the provider did not sign you in").into());
    }
    let who = provider.identify(&back.code, &bound).await?;
    let Some((caller, _)) = console.recognise(who.subject).await else {
        return Err(stranger(&who.named).into());
    };
    let (name, now) = ((console.setup.secret)()?, console.now());
    let (credential, via) = (caller.credential, Via::Provider);
    tracing::info!(person = %caller.owner, %credential, "signed in through the provider, to look");
    let who = Member { token: who.subject, credential, via };
    console.people(|people| people.begin(&name, who, now));
    // No redirect: browsers send the session's cookie only where a page of this site leads.
    let mut response = Html(paper::let_in(&caller.owner)).into_response();
    if let Some(line) = set_cookie(&console.cookie(), Some(&name)) {
        response.headers_mut().insert(header::SET_COOKIE, line);
    }
    Ok(response)
}

/// An answer that this browser did not ask for.
fn not_begun() -> Refusal {
    let message = "this browser has begun no such sign-in, or it took longer than ten minutes";
    Refusal::new("not_vouched", message, "go to the first page and sign in again")
}

/// An answer that does not hold.
pub fn not_vouched(why: &str) -> Refusal {
    let next =
        "go to the first page and sign in again; if it goes on, ask whoever runs the provider";
    Refusal::new("not_vouched", why, next)
}

fn stranger(named: &str) -> Refusal {
    let message = "the provider knows you, and the book does not let you look";
    // The provider writes the subject, and somebody copies this line into a shell.
    let named = shell_word(named);
    let next = format!(
        "ask an operator for `quorate member new YOU --role viewer --expires 90d --subject {named}`; two approvers agree"
    );
    Refusal::new("not_vouched", message, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_binds_an_answer_differs_by_browser_and_by_purpose() {
        let (one, other) =
            (Bound::of("one", "https://c.example"), Bound::of("two", "https://c.example"));
        assert_eq!(one.redirect, "https://c.example/sign-in/provider/back");
        let all = [one.state, one.nonce, one.verifier, other.state, other.nonce, other.verifier];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        // RFC 7636 section 4.1: 43 to 128 characters that need no escape.
        assert!(
            all.iter().all(|one| one.len() == 64 && one.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }
}
