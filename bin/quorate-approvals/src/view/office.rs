//! What the view knows: its seat, its copy of the book, who is signed in, what was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quorate_custody::protocol::book::Submit;
use quorate_host::random::Random;
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::passkey::{Assertion, Passkey, ViewSeat};
use quorate_terms::{CaseId, CredentialId, Digest, Term as _, Timestamp};
use quorate_web::Streams;
use tokio::sync::{Mutex as Turn, watch};

use crate::decide::TTL_S;
use crate::desk::{Peer, follow, now};
use crate::home::Home;
use crate::replica::Replica;
use crate::screen::Screen;
use crate::show::{self, Compared, Comparison, Opened, View};
use crate::simulate::{Nodes, Trial};
use crate::trouble::{Done, Trouble};

use super::found;
use super::sessions::{Ask, Session, Sessions};

/// Between two looks at the desk.
const PAUSE: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Office {
    home: Home,
    seat: ViewSeat,
    /// None until a charter was accepted here.
    book: Turn<Option<(Replica, Peer)>>,
    /// The last comparison of policies; one is made at a time.
    compared: Turn<Option<Arc<Compared>>>,
    people: Mutex<Sessions>,
    streams: Streams,
    /// The size of the book, and how often the desk could not be followed.
    grown: watch::Sender<(u64, Option<String>)>,
    code: Option<String>,
    /// What simulates for this view.
    nodes: Nodes,
}

/// A case as one person sees it, with the words that this person could say now.
pub(super) struct Shown {
    pub(super) screen: Screen,
    /// The canonical bytes of the intent.
    pub(super) intent: String,
    /// Bodies to sign, if this person's word is wanted.
    pub(super) words: Vec<ApprovalBody>,
    /// What can be simulated of it.
    pub(super) trial: Option<Trial>,
}

impl Office {
    pub(super) async fn open(home: Home, enrol: bool, nodes: Nodes) -> Done<Self> {
        let seat = found::seat(&home)?;
        let book = if home.charter().exists() {
            let mut replica = Replica::load(&home)?;
            found::own_seat(replica.book().charter(), &seat)?;
            let desk = Peer::desk(&home, &replica)?;
            follow(&desk, &mut replica, &home).await?;
            Some((replica, desk))
        } else if enrol {
            None
        } else {
            home.accepted().map(|_| None)?
        };
        let code = enrol.then(Self::secret).transpose()?;
        let size = book.as_ref().map_or(0, |(replica, _)| replica.size());
        let grown = watch::channel((size, None)).0;
        let (people, streams) = (Mutex::default(), Streams::new());
        let (book, compared) = (Turn::new(book), Turn::default());
        Ok(Self { home, seat, book, compared, people, streams, grown, code, nodes })
    }

    pub(super) const fn seat(&self) -> &ViewSeat {
        &self.seat
    }

    /// What has to be typed before a passkey is made here.
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// 128 bits of chance as text: names of sessions and questions.
    pub(super) fn secret() -> Done<String> {
        Ok(hex::encode(Random::start()?.bytes::<16>()?))
    }

    pub(super) fn people<T>(&self, look: impl FnOnce(&mut Sessions) -> T) -> T {
        look(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pages that follow the book.
    pub(super) const fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(super) fn grown(&self) -> watch::Receiver<(u64, Option<String>)> {
        self.grown.subscribe()
    }

    /// Follows the desk until the view ends. A desk that is away or lies is told on every page.
    pub(super) async fn follow_on(self: Arc<Self>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Some((replica, desk)) = self.book.lock().await.as_mut() {
                let outcome = follow(desk, replica, &self.home).await;
                let (size, trouble) = (replica.size(), outcome.err().map(|t| t.to_string()));
                self.grown.send_if_modified(|told| {
                    let changed = *told != (size, trouble.clone());
                    *told = (size, trouble.clone());
                    changed
                });
            }
        }
    }

    /// The passkeys that may sign in here.
    pub(super) async fn passkeys(&self) -> Vec<(ApproverSeat, Passkey)> {
        let book = self.book.lock().await;
        let Some((replica, _)) = book.as_ref() else { return Vec::new() };
        let seats = replica.book().charter().approvers.iter();
        let here = seats.flat_map(|seat| seat.passkeys.iter().map(move |one| (seat, one)));
        let here = here.filter(|(_, passkey)| passkey.view == self.seat.view);
        here.map(|(seat, passkey)| (seat.clone(), passkey.clone())).collect()
    }

    /// Looks at the book as a person sees it.
    pub(super) async fn look<T>(
        &self,
        session: &Session,
        look: impl FnOnce(&View<'_>) -> Done<T>,
    ) -> Done<T> {
        let book = self.book.lock().await;
        let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
        let me = replica.book().charter().approver(&session.who.approver).ok_or_else(unseated)?;
        let (now, opened) = (now(), Opened::Unasked);
        look(&View { replica, me, now, opened, compared: None })
    }

    /// Everything about a case, and what could be signed of it.
    pub(super) async fn show(&self, session: &Session, id: &CaseId) -> Done<Shown> {
        let opened = {
            let mut book = self.book.lock().await;
            let (replica, desk) = book.as_mut().ok_or_else(no_charter)?;
            show::opened_at(desk, replica, id).await.unwrap_or(Opened::Missing)
        };
        let compared = self.compared(session, id, &opened).await?;
        let book = self.book.lock().await;
        let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
        let me = replica.book().charter().approver(&session.who.approver).ok_or_else(unseated)?;
        let view = View { replica, me, now: now(), opened, compared };
        let screen = show::case(&view, id)?;
        let intent = replica.intent(id).map(|intent| intent.to_canonical()).transpose()?;
        let is_wanted = replica
            .book()
            .case(id)
            .is_some_and(|case| crate::list::waits_for(replica.book(), case, me, view.now));
        let words = match is_wanted && replica.is_witnessed(id)? {
            true => [Verdict::Approve, Verdict::Reject]
                .map(|verdict| body(&view, (id, verdict), &session.who.credential, screen.digest()))
                .to_vec(),
            false => Vec::new(),
        };
        let intent = String::from_utf8(intent.unwrap_or_default()).unwrap_or_default();
        let trial = show::trial(replica.book(), id);
        Ok(Shown { screen, intent, words, trial })
    }

    /// What a node says that a case would change. Nobody waits for the book meanwhile.
    pub(super) async fn simulate(&self, shown: &Shown) -> Option<Screen> {
        match &shown.trial {
            Some(trial) => Some(self.nodes.simulate(trial).await),
            None => None,
        }
    }

    /// The comparison of policies that a case's screen shows, made while the book is free for everybody else. The last one is
    /// kept: whoever reads a case reads it more than once.
    async fn compared(
        &self,
        session: &Session,
        id: &CaseId,
        opened: &Opened,
    ) -> Done<Option<Arc<Compared>>> {
        let asked = {
            let book = self.book.lock().await;
            let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
            let seats = replica.book().charter();
            let me = seats.approver(&session.who.approver).ok_or_else(unseated)?;
            let opened = opened.clone();
            Comparison::of_case(&View { replica, me, now: now(), opened, compared: None }, id)
        };
        let Some(asked) = asked else { return Ok(None) };
        let mut kept = self.compared.lock().await;
        if let Some(made) = kept.as_ref().filter(|made| made.is_of(&asked)) {
            return Ok(Some(Arc::clone(made)));
        }
        let made = tokio::task::spawn_blocking(move || Arc::new(asked.made())).await;
        let made =
            made.map_err(|e| Trouble::fault("not_compared", e.to_string(), "open the case again"))?;
        Ok(Some(Arc::clone(kept.insert(made))))
    }

    /// Brings a word to the desk, once this process has checked it as everyone will.
    pub(super) async fn say(&self, body: ApprovalBody, assertion: Assertion) -> Done<()> {
        let mut book = self.book.lock().await;
        let (replica, desk) = book.as_mut().ok_or_else(no_charter)?;
        let proof = Proof::Passkey { view: self.seat.view.clone(), assertion };
        let approval = Approval { body, proof };
        replica.book().check_approval(&approval, now())?;
        desk.submit(&Submit::Approval(Box::new(approval))).await?;
        follow(desk, replica, &self.home).await.map(drop)
    }

    /// Keeps a passkey that was used once.
    pub(super) fn keep(&self, passkey: &Passkey) -> Done<std::path::PathBuf> {
        found::keep(&self.home, passkey)
    }

    /// Asks a question of a browser; gives its name.
    pub(super) fn ask(&self, of: Option<&Session>, ask: Ask) -> Done<String> {
        let (name, of) = (Self::secret()?, of.map(|session| session.name));
        self.people(|people| people.ask(&name, of, ask, now()));
        Ok(name)
    }

    /// What a browser signs to answer a question that is no word: the digest of the question's name.
    pub(super) fn challenge(name: &str) -> Digest {
        Digest::of(quorate_terms::digest::tag::SIGN_IN, name.as_bytes())
    }
}

fn body(
    view: &View<'_>,
    (id, verdict): (&CaseId, Verdict),
    credential: &CredentialId,
    display: Digest,
) -> ApprovalBody {
    let book = view.replica.book();
    let ttl = TTL_S.min(book.policy().document().limits.approval_ttl_s);
    ApprovalBody {
        v: 1,
        vault: book.vault().clone(),
        intent: id.intent(),
        policy: book.policy().digest(),
        approver: view.me.approver.clone(),
        credential: credential.clone(),
        verdict,
        issued_at: view.now,
        expires_at: view.now.plus_s(ttl),
        display,
    }
}

fn no_charter() -> Trouble {
    let next = "compare the charter's digest out of band and run `quorate-approvals view accept`";
    Trouble::refused("no_charter", "no charter was accepted here", next)
}

fn unseated() -> Trouble {
    let message = "the charter seats you no longer";
    Trouble::refused("no_seat", message, "ask the operators whether your seat was given up")
}

/// The present, for sessions.
pub(super) fn present() -> Timestamp {
    now()
}
