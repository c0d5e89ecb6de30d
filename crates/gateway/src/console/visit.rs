//! Who is at the console. Behind every session stands a credential of a person, and at every request the desk is asked whether
//! it still holds: whoever was revoked is signed out at the next click.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse as _, Response};
use quorate_custody::Refusal;
use quorate_pages::{Markup, Press, form_as, hidden};
use quorate_terms::credential::Role;
use quorate_terms::digest::tag;
use quorate_terms::{CredentialId, Digest};
use quorate_web::Known;
use quorate_web::sessions;

use super::filing::Wish;
use super::gate::{COOKIE, EVENTS, Refused};
use super::{Console, Here, paper};
use crate::desk::Caller;
use crate::office::{Reply, StatusView};

/// Somebody who proved a credential. The token itself is not kept, only its digest, as in the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    pub(crate) token: Digest,
    pub(crate) credential: CredentialId,
    pub(crate) via: Via,
}

/// How somebody proved it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Via {
    /// With the desk's own token.
    Token,
    /// By the word of the organisation's provider. Whoever runs that may be anybody here, so such a session only looks.
    Provider,
}

impl Via {
    /// The role of a session, of what the book allows.
    const fn narrowed(self, role: Role) -> Role {
        match self {
            Self::Token => role,
            Self::Provider => Role::Viewer,
        }
    }
}

/// What a browser was asked.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Whether to file this.
    File(Box<Wish>),
    /// What to do with an alert.
    Alert(Digest),
    /// Whether to end this session.
    EndSession(Digest),
    /// Whether to end every session but the one that was asked.
    EndOthers,
    /// Whether to give a stuck transaction another fee.
    Replace(quorate_terms::CaseId),
    /// For whom to open a checklist.
    OpenChecklist,
    /// What of a checklist this person carried out.
    Attest(Digest),
    /// Whether to end a checklist.
    CloseChecklist(Digest),
}

/// A session of the console.
pub(crate) type Session = sessions::Session<Member>;

/// Sessions and open questions of the console.
pub(crate) type Sessions = sessions::Sessions<Member, Ask>;

/// What a page gives.
pub(crate) type Answered = Result<Response, Refused>;

/// One request of somebody who is signed in.
pub(crate) struct Visit {
    pub(crate) console: Here,
    pub(crate) session: Session,
    pub(crate) caller: Caller,
    pub(crate) role: Role,
    pub(crate) status: StatusView,
    pub(crate) path: String,
    /// Whether the page may bring itself up to date: what answers a form would be fetched as another page.
    pub(crate) is_live: bool,
    /// Where such a page hears of changes.
    pub(crate) events: &'static str,
}

impl Console {
    /// Who a token signs in: a person in a role, and nobody else.
    pub(crate) async fn recognise(&self, token: Digest) -> Option<(Caller, Role)> {
        let caller = self.desk.authenticate(token).await?;
        let role = caller.role?;
        Some((caller, role))
    }

    /// What the cookie of a session is called.
    pub(crate) fn cookie(&self) -> String {
        self.setup.allowed.cookie(COOKIE)
    }

    /// The session of a request, if its credential still holds. One whose does not is over.
    pub(crate) async fn session(&self, headers: &HeaderMap) -> Option<(Session, Caller, Role)> {
        let now = self.now();
        let session = self.people(|people| people.of(headers, &self.cookie(), now))?;
        match self.recognise(session.who.token).await {
            Some((caller, role)) if caller.credential == session.who.credential => {
                let role = session.who.via.narrowed(role);
                Some((session, Caller { role: Some(role), ..caller }, role))
            }
            _ => {
                self.people(|people| people.end(&session.name));
                None
            }
        }
    }
}

impl FromRequestParts<Here> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, console: &Here) -> Result<Self, Refused> {
        let path = parts.uri.path().to_owned();
        let is_live = parts.method == axum::http::Method::GET;
        let found = console.session(&parts.headers).await;
        let signs_in = || Refused::sign_in(&path, console.setup.provider.as_deref());
        let (session, caller, role) = found.ok_or_else(signs_in)?;
        let status = console.office.status().await?;
        let console = Arc::clone(console);
        Ok(Self { console, session, caller, role, status, path, is_live, events: EVENTS })
    }
}

impl Visit {
    /// Whether this person may file.
    pub(crate) const fn may_file(&self) -> bool {
        matches!(self.role, Role::Operator)
    }

    /// Whether this person may say under their own name what they carried out.
    pub(crate) fn may_attest(&self) -> bool {
        self.session.who.via == Via::Token
    }

    /// Refuses whoever only looks.
    pub(crate) fn operator(&self) -> Result<(), Refused> {
        if self.may_file() {
            return Ok(());
        }
        if self.session.who.via == Via::Provider {
            let message = "whoever signed in through the provider looks and files nothing";
            let next = "sign out, and sign in with the token of your credential";
            return Err(Refusal::new("role", message, next).into());
        }
        let message = format!("the role {} looks and files nothing", self.role);
        Err(Refusal::new("role", message, "ask somebody with the role operator").into())
    }

    /// The question that a form answers: once, and only if this session was asked.
    pub(crate) fn answered(&self, name: &str) -> Reply<Ask> {
        let (by, now) = (Some(self.session.name), self.console.now());
        self.console.people(|people| people.answered(name, by, now)).ok_or_else(asked)
    }

    /// A form that answers a question of this session. Whoever only looks is asked about their own sessions and what they
    /// carried out, and nothing else.
    pub(crate) fn question(
        &self,
        ask: Ask,
        (action, fields): (&str, Markup),
        (words, press): (&str, Press),
    ) -> Reply<Markup> {
        let offered = match ask {
            Ask::EndSession(_) | Ask::EndOthers => true,
            Ask::Attest(_) => self.may_attest(),
            _ => self.may_file(),
        };
        if !offered {
            return Ok(Markup::default());
        }
        let name = self.console.ask(&self.session, ask)?;
        let fields = Markup::all([hidden(&[("ask", &name)]), fields]);
        Ok(form_as(press, action, fields, words))
    }

    /// A whole page.
    pub(crate) fn page(&self, title: &str, body: impl IntoIterator<Item = Markup>) -> Answered {
        let mut response =
            Html(paper::frame(self, title, Markup::all(body)).render()).into_response();
        response.extensions_mut().insert(Known);
        Ok(response)
    }
}

/// The digest of a token, as a credential names it.
pub(crate) fn digest_of(token: &str) -> Digest {
    Digest::of(tag::TOKEN, token.trim().as_bytes())
}

/// An answer to nothing.
pub(crate) fn asked() -> Refusal {
    let next = "open the page again; each question is answered once, within ten minutes";
    Refusal::new("asked", "this question is not open", next)
}
