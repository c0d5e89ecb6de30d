//! Who is let in to the guided founding: whoever reads the terminal. A word in an address is exchanged once for a cookie of this
//! host alone, by a form, so that nothing that merely follows links uses it up. One browser at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use quorate_host::random::Random;
use quorate_host::{Clock as _, SystemClock};
use quorate_terms::digest::tag;
use quorate_terms::{Digest, PersonId, Timestamp};
use quorate_web::sessions::Sessions;
use quorate_web::{Allowed, Site, Stray, to_with};
use serde::Deserialize;
use tokio::sync::watch;

use super::kept::Kept;
use super::visit::{Refused, Typed, said};
use super::{after, browser, paper, steps, summary};
use crate::cli::note;
use crate::cli::trouble::{Tried, Trouble};

/// The cookie of a session, as [`Allowed::cookie`] names it.
const COOKIE: &str = "quorate-founding";
/// The largest form, in bytes: a document that somebody pastes, with every letter escaped.
const FORM_BYTES: usize = 256 * 1024;
/// Seconds before another address is printed while nobody has used the newest.
const AGAIN_S: u64 = 5;

/// One guided founding.
pub(super) struct Founder {
    kept: Mutex<Kept>,
    people: Mutex<Sessions<(), ()>>,
    door: Mutex<Door>,
    allowed: Allowed,
    port: u16,
    random: Random,
    founded: watch::Sender<bool>,
    /// Who started the program, by pseudonym.
    pub(super) person: PersonId,
}

/// Whether anybody is let in.
#[derive(Default)]
enum Door {
    /// Nobody before an address is printed.
    #[default]
    Shut,
    /// Whoever has the newest word.
    Open(Invitation),
    /// Nobody ever again: the founding is finished.
    Closed,
}

/// A word that lets in, by its digest, and when it was printed.
struct Invitation {
    word: Option<Digest>,
    at: Timestamp,
}

/// The state of every handler.
pub(super) type Here = Arc<Founder>;

impl Founder {
    /// A founding that goes on from what is kept.
    pub(super) fn new(kept: Kept, port: u16, person: PersonId) -> Tried<Self> {
        let (founded, _) = watch::channel(kept.is_founded());
        Ok(Self {
            kept: Mutex::new(kept),
            people: Mutex::default(),
            door: Mutex::default(),
            allowed: Allowed::loopback(port),
            port,
            random: Random::start()?,
            founded,
            person,
        })
    }

    /// Prints an address that lets in once, and gives it.
    ///
    /// # Errors
    /// [`Trouble`] when the founding is finished.
    pub(super) fn invite(&self) -> Tried<String> {
        let word = hex::encode(self.random.bytes::<32>()?);
        let mut door = self.door();
        if matches!(*door, Door::Closed) {
            return Err(closed());
        }
        *door = Door::Open(Invitation { word: Some(digest_of(&word)), at: now() });
        drop(door);
        let url = format!("http://localhost:{}/enter?token={word}", self.port);
        let what =
            if *self.founded.borrow() { "go on after the founding" } else { "found a vault" };
        note(&format!("open this address to {what}; it lets in once:"));
        note(&format!("  {url}"));
        Ok(url)
    }

    /// Tells when there is a vault.
    pub(super) fn founded(&self) -> watch::Receiver<bool> {
        self.founded.subscribe()
    }

    /// There is a vault now.
    pub(super) fn is_founded_now(&self) {
        self.founded.send_replace(true);
    }

    /// The folder of the founding.
    pub(super) fn folder(&self) -> PathBuf {
        self.kept(|kept| kept.folder())
    }

    /// Looks at what is kept, or changes it.
    pub(super) fn kept<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn people<T>(&self, look: impl FnOnce(&mut Sessions<(), ()>) -> T) -> T {
        look(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the cookie of a session is called.
    fn cookie(&self) -> String {
        self.allowed.cookie(COOKIE)
    }

    /// The session of a request, if it comes from the browser that was let in.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Digest> {
        let session = self.people(|people| people.of(headers, &self.cookie(), now()));
        session.map(|session| session.name)
    }

    /// Whether a session is not over.
    pub(super) fn is_live(&self, session: &Digest) -> bool {
        self.people(|people| people.still(session, now()).is_some())
    }

    /// Whether the founding is finished.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.door(), Door::Closed)
    }

    /// Lets nobody in ever again, and everybody out.
    pub(super) fn close(&self) {
        let mut door = self.door();
        *door = Door::Closed;
        self.everybody_out();
    }

    fn everybody_out(&self) {
        self.people(|people| {
            for session in people.live(now()) {
                people.end(&session.name);
            }
        });
    }

    /// Uses a word up, if it is the one that was printed; whoever was in before is out.
    fn admit(&self, word: &str) -> Tried<String> {
        let mut door = self.door();
        let given = Some(digest_of(word));
        let invitation = match &mut *door {
            Door::Closed => return Err(closed()),
            Door::Open(invitation) if invitation.word == given => Some(invitation),
            Door::Open(_) | Door::Shut => None,
        };
        let Some(invitation) = invitation else {
            let mend = "open the newest address on the terminal where `quorate up` runs";
            return Err(Trouble::new("token", "does not let in, or was used before", mend));
        };
        let cookie = hex::encode(self.random.bytes::<32>()?);
        invitation.word = None;
        drop(std::fs::remove_file(browser::file(&self.folder())));
        self.everybody_out();
        self.people(|people| people.begin(&cookie, (), now()));
        Ok(cookie)
    }

    /// Prints another address, unless one was printed just now: a page that anybody on this machine can press must not
    /// flood the terminal.
    fn invite_again(&self) -> Tried<()> {
        let is_new = match &*self.door() {
            Door::Open(held) => held.word.is_some() && now() < held.at.plus_s(AGAIN_S),
            Door::Shut | Door::Closed => false,
        };
        if is_new { Ok(()) } else { self.invite().map(drop) }
    }
}

fn closed() -> Trouble {
    let mend = "sign in to the console with the token of your credential";
    Trouble::new("founding", "is finished, and its pages are closed", mend)
}

fn now() -> Timestamp {
    SystemClock::new().now()
}

fn digest_of(word: &str) -> Digest {
    Digest::of(tag::TOKEN, word.trim().as_bytes())
}

/// Everything that the guided founding answers.
pub(super) fn router(founder: Here) -> Tried<Router> {
    let allowed = founder.allowed.clone();
    allowed.check()?;
    let pages = after::routes(summary::routes(steps::routes(Router::new())));
    let pages = pages.route("/enter", get(ask_enter).post(enter)).route("/again", post(again));
    Ok(Site { allowed, form_bytes: FORM_BYTES, stray }.around(pages).with_state(founder))
}

/// What is said where there is no page.
fn stray(why: Stray) -> Response {
    let (status, trouble) = match why {
        Stray::Elsewhere => {
            let mend = "open the address that stands on the terminal";
            (StatusCode::FORBIDDEN, Trouble::new("address", "is not that of this founding", mend))
        }
        Stray::Nothing => {
            let mend = "go back to the first page";
            (StatusCode::NOT_FOUND, Trouble::new("path", "leads to nothing", mend))
        }
        Stray::Form => {
            let mend = "open the page with that form again, or go back to the first page";
            let trouble = Trouble::new("path", "only takes what a form sends", mend);
            (StatusCode::METHOD_NOT_ALLOWED, trouble)
        }
    };
    (status, Html(paper::refused(&trouble))).into_response()
}

#[derive(Deserialize)]
struct Word {
    token: String,
}

async fn ask_enter(State(founder): State<Here>, Query(typed): Query<Typed>) -> Response {
    match said(&typed, "token") {
        _ if founder.is_closed() => Refused::Closed.into_response(),
        "" => Html(paper::nobody(None)).into_response(),
        word => Html(paper::enter(word)).into_response(),
    }
}

async fn enter(State(founder): State<Here>, Form(word): Form<Word>) -> Response {
    match founder.admit(&word.token) {
        Ok(cookie) => to_with("/", &founder.cookie(), Some(&cookie)),
        Err(_) if founder.is_closed() => Refused::Closed.into_response(),
        Err(trouble) => {
            (StatusCode::UNAUTHORIZED, Html(paper::nobody(Some(&trouble)))).into_response()
        }
    }
}

async fn again(State(founder): State<Here>) -> Response {
    match founder.invite_again() {
        Ok(()) => Html(paper::printed()).into_response(),
        Err(_) if founder.is_closed() => Refused::Closed.into_response(),
        Err(trouble) => {
            (StatusCode::SERVICE_UNAVAILABLE, Html(paper::refused(&trouble))).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
