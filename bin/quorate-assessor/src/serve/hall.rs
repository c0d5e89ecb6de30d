//! What the server holds: where the office lies, the standards, who is signed in. The office itself is opened for each page.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use quorate_host::clock::Clock as _;
use quorate_host::random::Random;
use quorate_host::seal::KeySource;
use quorate_host::ui::Ui;
use quorate_host::{SealedFiles, SystemClock};
use quorate_terms::{Digest, Timestamp};
use quorate_web::sessions::{ASK_S, Sessions};
use quorate_web::{Allowed, Sparse};
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::Serving;
use super::api::Sent;
use super::marks::{self, Listed};
use super::steps::ARRIVES_WITHIN;
use super::visitor::{Visit, Visitor};
use crate::audit::{Composed, files};
use crate::cli::Cli;
use crate::commands;
use crate::home::{self, Home};
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::run::Asked;
use crate::trouble::{Done, Trouble};

/// The cookie of a session, as [`Allowed::cookie`] names it.
const COOKIE: &str = "quorate-office";
/// How often, and how long between, a page asks for a folder that another process holds: five seconds in all, and as long
/// again for its ledger.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// Files that are in memory on their way in, from their first byte until they are sealed; each may be the largest.
const UPLOADS: usize = 2;
/// Files that are opened at the same time: the key of each takes as much memory again.
const OPENINGS: usize = 1;

/// How long the register is shown as it was read, in seconds: however often it is asked for, it is read so often.
const REGISTER_S: u64 = 5;
/// People who are looked for at the same time, by whoever answers a challenge.
const VISITING: usize = 1;
/// How long an answer to a challenge waits until it is looked at.
const VISIT_WITHIN: Duration = Duration::from_secs(10);

/// What was asked of a browser and not yet answered.
#[derive(Clone)]
pub(super) enum Ask {
    /// The code that the server showed.
    Code,
    /// A step that waits for its person's signature.
    Step(Arc<Composed>),
    /// A file whose opening is on record, to be fetched once: what it is called and its digest.
    File(String, Digest),
}

/// How long a status list is given as it was signed, in seconds: however often it is asked for, it is signed so often.
const STATUS_S: u64 = 60;

/// The register as it was read, or why it cannot be, and when.
type Kept<T> = Option<(Timestamp, Done<Arc<T>>)>;

/// See the module.
pub(super) struct Hall {
    dir: PathBuf,
    standards: PathBuf,
    typst: PathBuf,
    shelf: Arc<Shelf>,
    asked: Asked,
    name: String,
    ui: Ui,
    clock: SystemClock,
    turn: Arc<Turn<()>>,
    people: Mutex<Sessions<Visitor, Ask>>,
    /// Challenges of people who are not signed in yet. They stand apart, so that strangers push out nothing else.
    visits: Mutex<Sessions<(), String>>,
    /// Under what files are sealed, if the server was given it.
    key: Option<Arc<KeySource>>,
    address: String,
    /// What the cookie of a session is called under that address.
    cookie: String,
    listens: Option<SocketAddr>,
    uploads: Arc<Semaphore>,
    /// Files that programs sent and no step names.
    sent: Sent,
    /// How long a file waits for its place among them.
    patience: Duration,
    openings: Arc<Semaphore>,
    /// The register of marks as it was last read, and when.
    register: Arc<Turn<Kept<Listed>>>,
    /// Its status list as it was last signed, and when.
    status: Arc<Turn<Kept<Value>>>,
    visiting: Arc<Semaphore>,
    /// How often a token is answered in a minute.
    a_minute: NonZeroU32,
    /// When the newest code was shown that nobody has used.
    offered: Mutex<Option<Timestamp>>,
    /// How much the log was told of strangers whom the office refused; and of people who are signed in, so that strangers hide
    /// nothing of them.
    strangers: Sparse,
    known: Sparse,
}

/// The office, open for one page.
pub(super) struct Open {
    pub(super) home: Home,
    pub(super) office: Office,
    _turn: OwnedMutexGuard<()>,
}

impl Open {
    /// Gives the folder back, so that the next process finds it free.
    pub(super) async fn close(self) {
        self.office.close().await;
        drop(self.home);
    }

    /// Works in the folder on a thread of its own, and gives the folder back. It stays held until the work is done, also when
    /// nobody waits for the answer any more.
    pub(super) async fn last<T: Send + 'static>(
        self,
        work: impl FnOnce(&Home) -> Done<T> + Send + 'static,
    ) -> Done<T> {
        let working = tokio::task::spawn_blocking(move || {
            let outcome = work(&self.home);
            (outcome, self)
        });
        let (outcome, open) = working.await.map_err(|e| {
            Trouble::fault("work", e.to_string(), "try again; if it stays so, report this")
        })?;
        open.close().await;
        outcome
    }
}

impl Hall {
    pub(super) async fn open(cli: &Cli, ui: Ui, asked: &Serving) -> Done<Self> {
        let shelf = Arc::new(library::load(&cli.standards)?);
        let scope = commands::asked(&shelf, &asked.scope)?;
        let key = asked.passphrase_file.as_deref().map(files::key).transpose()?.map(Arc::new);
        let hall = Self {
            dir: cli.dir.clone(),
            standards: cli.standards.clone(),
            typst: asked.typst.clone(),
            shelf,
            asked: scope,
            name: String::new(),
            ui,
            clock: SystemClock::new(),
            turn: Arc::default(),
            people: Mutex::default(),
            visits: Mutex::default(),
            key,
            address: String::new(),
            cookie: String::new(),
            listens: None,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            sent: Sent::default(),
            patience: ARRIVES_WITHIN,
            openings: Arc::new(Semaphore::new(OPENINGS)),
            register: Arc::default(),
            status: Arc::default(),
            visiting: Arc::new(Semaphore::new(VISITING)),
            a_minute: asked.requests_per_minute,
            offered: Mutex::default(),
            strangers: Sparse::new(),
            known: Sparse::new(),
        };
        let open = hall.enter().await?;
        let name = open.office.name().to_string();
        open.close().await;
        Ok(Self { name, ..hall })
    }

    /// The hall under this address, which people type, where it listens for them, and what their browsers may call.
    pub(super) fn at(self, address: String, listens: SocketAddr, allowed: &Allowed) -> Self {
        Self { address, cookie: allowed.cookie(COOKIE), listens: Some(listens), ..self }
    }

    /// How much the log was told of strangers whom the office refused.
    pub(super) const fn strangers(&self) -> &Sparse {
        &self.strangers
    }

    /// The same of people who are signed in.
    pub(super) const fn known(&self) -> &Sparse {
        &self.known
    }

    /// How often a token of the API is answered in a minute.
    pub(super) const fn a_minute(&self) -> NonZeroU32 {
        self.a_minute
    }

    /// What the cookie of a session is called here.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The address that the office prints.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Which files came over the API.
    pub(super) const fn sent(&self) -> &Sent {
        &self.sent
    }

    /// Under what files are sealed.
    pub(super) fn key(&self) -> Done<Arc<KeySource>> {
        self.key.clone().ok_or_else(|| {
            let next = "start the pages with --passphrase-file, or use `audit evidence` on the command line";
            Trouble::refused("no_passphrase", "these pages were not given the passphrase of files", next)
        })
    }

    /// The hall with another patience of files for their places.
    #[cfg(test)]
    pub(super) fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// A place for a file on its way in, as soon as one is free. It is given back when it is dropped. Whoever has waited long
    /// enough is refused: the body's own time runs on meanwhile.
    pub(super) async fn place(&self) -> Done<OwnedSemaphorePermit> {
        let coming = Arc::clone(&self.uploads).acquire_owned();
        let place = tokio::time::timeout(self.patience, coming).await.map_err(|_| {
            let message = "there is no place for a file now; nothing was stored";
            Trouble::refused("busy", message, "others send files; send it again")
        })?;
        place.map_err(|e| Trouble::fault("upload", e.to_string(), "try again"))
    }

    /// Whether somebody works in the office's folder.
    #[cfg(test)]
    pub(super) fn is_taken(&self) -> bool {
        self.turn.try_lock().is_err()
    }

    /// How many files could come in now.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.uploads.available_permits()
    }

    /// A sealed file as it was. The folder need not be free for it.
    pub(super) async fn opened(&self, digest: Digest) -> Done<Vec<u8>> {
        let fault = |e: String| Trouble::fault("open", e, "open it again");
        let (key, dir) = (self.key()?, home::files_of(&self.dir));
        let turn = Arc::clone(&self.openings).acquire_owned().await;
        let turn = turn.map_err(|e| fault(e.to_string()))?;
        let opening = tokio::task::spawn_blocking(move || {
            let plain = SealedFiles::beside(&dir).get(&key, &digest).map_err(files::sealed)?;
            drop(turn);
            Ok(plain.expose().to_vec())
        });
        opening.await.map_err(|e| fault(e.to_string()))?
    }

    /// The office's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn standards(&self) -> &Path {
        &self.standards
    }

    pub(super) fn typst(&self) -> &Path {
        &self.typst
    }

    pub(super) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Opens the office, one page at a time. Everybody who enters must close.
    pub(super) async fn enter(&self) -> Done<Open> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut tried = 0_u32;
        let home = loop {
            match Home::open_now(&self.dir, false) {
                Err(trouble) if trouble.code == "busy" && tried < TRIES => {
                    tried = tried.saturating_add(1);
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                outcome => break outcome.map_err(Trouble::damaged)?,
            }
        };
        let office = Office::open(&home).await.map_err(Trouble::damaged)?;
        Ok(Open { home, office, _turn: turn })
    }

    /// Looks at the office, on a thread of its own: reading a book and asking its tables takes a while. The turn goes along, and
    /// ends with the work, also when nobody waits for the answer any more.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Seen<'_>) -> Done<T> + Send + 'static,
    ) -> Done<T> {
        let looking = self.work(move |open, shelf, asked| {
            let Open { home, office, .. } = open;
            look(&Seen { home, office, shelf, asked })
        });
        looking.await
    }

    /// The register of marks, for anybody: as it was read at most [`REGISTER_S`] ago. While it is kept, nobody waits for the
    /// office's folder.
    pub(super) async fn register(self: &Arc<Self>) -> Done<Arc<Listed>> {
        self.kept((&self.register, REGISTER_S), marks::listed).await
    }

    /// The register's status list, for anybody: as it was signed at most [`STATUS_S`] ago.
    pub(super) async fn status(self: &Arc<Self>) -> Done<Arc<Value>> {
        self.kept((&self.status, STATUS_S), marks::status).await
    }

    /// Has register and status list made anew: a mark stands otherwise than they say.
    pub(super) async fn marks_changed(&self) {
        *self.register.lock().await = None;
        *self.status.lock().await = None;
    }

    /// What is kept for so many seconds, or made anew.
    async fn kept<T: Send + Sync + 'static>(
        self: &Arc<Self>,
        (place, seconds): (&Arc<Turn<Kept<T>>>, u64),
        make: impl FnOnce(&Seen<'_>) -> Done<T> + Send + 'static,
    ) -> Done<Arc<T>> {
        let mut kept = Arc::clone(place).lock_owned().await;
        let now = self.now();
        if let Some((at, made)) = kept.as_ref() {
            // That it could not be made may be otherwise at once.
            let lasts = if made.is_ok() { seconds } else { seconds.min(REGISTER_S) };
            if *at <= now && now < at.plus_s(lasts) {
                return made.clone();
            }
        }
        let hall = Arc::clone(self);
        // It goes on, and is kept, also when whoever asked hangs up.
        let making = tokio::spawn(async move {
            let made = hall.look(make).await.map(Arc::new);
            *kept = Some((hall.now(), made.clone()));
            made
        });
        making.await.map_err(|e| {
            Trouble::fault("page", e.to_string(), "reload the page; if it stays so, report this")
        })?
    }

    /// The turn of somebody who answers a challenge. It is given back when it is dropped.
    pub(super) async fn visiting(&self) -> Done<OwnedSemaphorePermit> {
        let busy = || {
            let next = "ask for a new challenge";
            Trouble::fault("busy", "many sign in at this moment", next)
        };
        let coming = Arc::clone(&self.visiting).acquire_owned();
        let turn = tokio::time::timeout(VISIT_WITHIN, coming).await.map_err(|_| busy())?;
        turn.map_err(|_| busy())
    }

    /// Works in the office, on a thread of its own. The folder stays held until the work is done, also when nobody waits for the
    /// answer any more.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Open, &Shelf, &Asked) -> Done<T> + Send + 'static,
    ) -> Done<T> {
        let mut open = self.enter().await?;
        let (shelf, asked) = (Arc::clone(&self.shelf), self.asked.clone());
        let working = tokio::task::spawn_blocking(move || {
            let outcome = work(&mut open, &shelf, &asked);
            (outcome, open)
        });
        let (outcome, open) = working.await.map_err(|e| {
            Trouble::fault("work", e.to_string(), "try again; if it stays so, report this")
        })?;
        open.close().await;
        outcome
    }

    /// The office's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn people<T>(&self, look: impl FnOnce(&mut Sessions<Visitor, Ask>) -> T) -> T {
        look(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who is signed in, by the cookie of a session.
    pub(super) fn visit(&self, headers: &HeaderMap) -> Option<Visit> {
        let now = self.now();
        let session = self.people(|people| people.of(headers, &self.cookie, now))?;
        Some(Visit { who: session.who, session: session.name })
    }

    /// Begins a session; gives its cookie.
    pub(super) fn begin(&self, who: Visitor) -> Done<String> {
        let (cookie, now) = (secret()?, self.now());
        self.people(|people| people.begin(&cookie, who, now));
        Ok(cookie)
    }

    /// Remembers a question for a session; gives its name.
    pub(super) fn ask(&self, visit: &Visit, ask: Ask) -> Done<String> {
        let name = secret()?;
        self.ask_again(visit, &name, ask);
        Ok(name)
    }

    /// Asks under a name that was answered with something that settles nothing.
    pub(super) fn ask_again(&self, visit: &Visit, name: &str, ask: Ask) {
        let now = self.now();
        self.people(|people| people.ask(name, Some(visit.session), ask, now));
    }

    /// The question of this name, once, and only for the session that was asked.
    pub(super) fn answered(&self, visit: &Visit, name: &str) -> Option<Ask> {
        let now = self.now();
        self.people(|people| people.answered(name, Some(visit.session), now))
    }

    /// A challenge for somebody who says who they are.
    pub(super) fn challenge(&self, person: &str) -> Done<String> {
        let (name, now) = (secret()?, self.now());
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.ask(&name, None, person.to_owned(), now);
        Ok(name)
    }

    /// Who was given this challenge, once.
    pub(super) fn challenged(&self, challenge: &str) -> Option<String> {
        let now = self.now();
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.answered(challenge, None, now)
    }

    /// Shows a new code where the server was started, unless one is open: whoever reads there may come in.
    pub(super) fn offer(&self) -> Done<()> {
        let now = self.now();
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        if offered.is_some_and(|at| now < at.plus_s(ASK_S)) {
            return Ok(());
        }
        let code = secret()?;
        self.people(|people| people.ask(&code, None, Ask::Code, now));
        *offered = Some(now);
        let open = &self.address;
        let text = format!(
            "office `{}`\nopen      {open}/sign-in?code={code}\ncode      {code}, once, within ten minutes\nmarks     \
             {open}/marks, for anybody who reaches this address",
            self.name
        );
        let sign_in = format!("{open}/sign-in?code={code}");
        let listens = self.listens;
        let json = json!({ "open": open, "listens": listens, "code": code, "sign_in": sign_in });
        Ok(self.ui.answer(&json, text)?)
    }

    /// A cookie for the right code, once.
    pub(super) fn let_in(&self, code: &str) -> Done<Option<String>> {
        let now = self.now();
        if self.people(|people| people.answered(code, None, now)).is_none() {
            return Ok(None);
        }
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.begin(Visitor::Office).map(Some)
    }

    /// Ends the session of a request.
    pub(super) fn let_out(&self, headers: &HeaderMap) {
        let now = self.now();
        self.people(|people| {
            if let Some(session) = people.of(headers, &self.cookie, now) {
                people.end(&session.name);
            }
        });
    }
}

/// What a page is made of.
pub(super) struct Seen<'a> {
    pub(super) home: &'a Home,
    pub(super) office: &'a Office,
    pub(super) shelf: &'a Shelf,
    pub(super) asked: &'a Asked,
}

/// 128 bits of chance as text.
fn secret() -> Done<String> {
    Ok(hex::encode(Random::start()?.bytes::<16>()?))
}
