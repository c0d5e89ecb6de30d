//! The console: pages over everything that the desk knows, for people who hold a credential in a role. It looks, and it files
//! intents in the person's own name; it collects no approval, because the desk must not serve the page that people approve on.
//!
//! Reading order: what it asks of the desk ([`paperwork`]); who is signed in, shown anew at every request ([`visit`]), perhaps
//! by the word of a provider ([`provider`]); the one way in which anything is filed ([`filing`]); what every page has in common
//! ([`paper`]); the doors around it ([`gate`]); and then one module for each page. A new page is a module and a line in
//! [`PAGES`].
//!
//! Invariant: what is filed was composed by the desk and shown; a browser sends only the name of the question that it answers.

pub mod paperwork;

mod filing;
mod gate;
mod paper;
pub mod provider;
mod visit;

mod addresses;
mod agents;
mod alerts;
mod cases;
mod delegations;
mod freeze;
mod home;
mod ledger;
mod people;
mod policy;
mod runbook;
mod settings;
pub mod standing;
mod transfer;
mod wallets;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use quorate_terms::{Malformed, Timestamp};
use quorate_web::{Allowed, Streams};

use crate::desk::Desk;
use crate::office::Reply;
use paperwork::Paperwork;
use visit::{Ask, Session, Sessions};
use wallets::hearings::Hearings;

/// What the console needs of the process that serves it.
#[derive(Clone)]
pub struct Setup {
    /// The Host and Origin values that are accepted, exactly.
    pub allowed: Allowed,
    /// The present, for sessions.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// At least 128 bits of chance as text, for cookies and questions.
    pub secret: Arc<dyn Fn() -> Reply<String> + Send + Sync>,
    /// The auditor's office, where one is named.
    pub office: Option<Arc<dyn standing::Bulletins>>,
    /// Through whom people may sign in to look, where one is named.
    pub provider: Option<Arc<dyn provider::Provider>>,
}

/// The console of one desk.
pub(crate) struct Console {
    desk: Arc<dyn Desk>,
    office: Arc<dyn Paperwork>,
    setup: Setup,
    people: Mutex<Sessions>,
    streams: Streams,
    hearings: Hearings,
}

/// The state of every handler.
pub(crate) type Here = Arc<Console>;

/// One page, or several that belong together.
pub(crate) struct Page {
    /// Where it begins.
    pub(crate) path: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// Adds its routes.
    pub(crate) routes: fn(Router<Here>) -> Router<Here>,
}

/// Every page, in the order in which they are offered.
pub(crate) const PAGES: [Page; 13] = [
    home::PAGE,
    cases::PAGE,
    transfer::PAGE,
    wallets::PAGE,
    addresses::PAGE,
    policy::PAGE,
    agents::PAGE,
    people::PAGE,
    ledger::PAGE,
    standing::PAGE,
    alerts::PAGE,
    settings::PAGE,
    freeze::PAGE,
];

/// The router of the console.
///
/// # Errors
/// [`Malformed`] when the setup names no Host.
pub fn router(
    desk: Arc<dyn Desk>,
    office: Arc<dyn Paperwork>,
    setup: Setup,
) -> Result<Router, Malformed> {
    setup.allowed.check()?;
    let allowed = setup.allowed.clone();
    let console = Arc::new(Console {
        desk,
        office,
        setup,
        people: Mutex::default(),
        streams: Streams::new(),
        hearings: Hearings::default(),
    });
    let pages = PAGES.iter().fold(Router::new(), |router, page| (page.routes)(router));
    Ok(gate::around(provider::routes(filing::routes(pages)), allowed).with_state(console))
}

impl Console {
    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        (self.setup.now)()
    }

    /// Looks at sessions and open questions.
    pub(crate) fn people<T>(&self, look: impl FnOnce(&mut Sessions) -> T) -> T {
        look(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a question for a session; gives its name.
    pub(crate) fn ask(&self, of: &Session, ask: Ask) -> Reply<String> {
        let name = (self.setup.secret)()?;
        let now = self.now();
        self.people(|people| people.ask(&name, Some(of.name), ask, now));
        Ok(name)
    }
}
