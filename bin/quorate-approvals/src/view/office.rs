//! What the view knows: its seat, its copy of the book, who is signed in, what was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quorate_custody::protocol::book::Submit;
use quorate_custody::{Book, Phase};
use quorate_host::random::Random;
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::passkey::{Assertion, Passkey, ViewSeat};
use quorate_terms::{CaseId, CredentialId, Digest, Term as _, Timestamp};
use quorate_web::Streams;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, watch};

use crate::decide::TTL_S;
use crate::desk::{Peer, follow, now};
use crate::home::Home;
use crate::replica::Replica;
use crate::screen::Screen;
use crate::show::{self, Compared, Comparison, Made, Opened, Proposal, Reading, View};
use crate::simulate::{Nodes, Trial};
use crate::trouble::{Done, Trouble};

use super::challenges::Challenges;
use super::found;
use super::sessions::{Ask, Session, Sessions};

/// Between two looks at the desk.
const PAUSE: Duration = Duration::from_millis(500);

/// How often a case is drawn anew because what it is drawn from changed meanwhile.
const DRAWN_MAX: usize = 4;

/// The last that was worked out of policies.
#[derive(Default)]
struct Kept {
    read: Option<(Proposal, Reading)>,
    compared: Option<Arc<Compared>>,
}

/// See the module.
pub(super) struct Office {
    home: Home,
    seat: ViewSeat,
    /// None until a charter was accepted here.
    book: Turn<Option<(Replica, Peer)>>,
    /// One thing is worked out at a time.
    kept: Arc<Turn<Kept>>,
    people: Mutex<Sessions>,
    /// What strangers are asked to sign in.
    challenges: Challenges,
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
        let (book, kept) = (Turn::new(book), Arc::default());
        let challenges = Challenges::new(Self::secret()?);
        Ok(Self { home, seat, book, kept, people, challenges, streams, grown, code, nodes })
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
        let (here, book) = (now(), replica.book());
        let stand = book.delegations().filter(|(_, granted)| granted.phase(here) != Phase::Ended);
        let stand = stand.map(|(_, granted)| granted.delegation.as_seat());
        let seats = book.charter().approvers.iter().cloned().chain(stand);
        let own = |seat: ApproverSeat| {
            let passkeys = seat.passkeys.clone().into_iter();
            passkeys.map(move |passkey| (seat.clone(), passkey))
        };
        seats.flat_map(own).filter(|(_, passkey)| passkey.view == self.seat.view).collect()
    }

    /// Looks at the book as a person sees it.
    pub(super) async fn look<T>(
        &self,
        session: &Session,
        look: impl FnOnce(&View<'_>) -> Done<T>,
    ) -> Done<T> {
        let book = self.book.lock().await;
        let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
        let me = &place(replica.book(), session, now()).ok_or_else(unseated)?;
        let (now, opened) = (now(), Opened::Unasked);
        look(&View { replica, me, now, opened, made: Made::default() })
    }

    /// Everything about a case, and what could be signed of it.
    pub(super) async fn show(&self, session: &Session, id: &CaseId) -> Done<Shown> {
        for _ in 0..DRAWN_MAX {
            let Reading { named, charter } = self.read(id).await?;
            let opened = {
                let book = self.book.lock().await;
                let (replica, desk) = book.as_ref().ok_or_else(no_charter)?;
                show::opened_at(desk, replica, id, &named).await.unwrap_or(Opened::Missing)
            };
            let compared = self.compared(session, id, &opened).await?;
            let book = self.book.lock().await;
            let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
            let me = &place(replica.book(), session, now()).ok_or_else(unseated)?;
            let made = Made { compared, charter };
            let view = View { replica, me, now: now(), opened, made };
            // The policy in force or a name changed meanwhile. Made here, everybody would wait for another comparison.
            if Comparison::is_missing(&view, id) {
                continue;
            }
            return shown(&view, id, &session.who.credential);
        }
        let message = "the policy in force or a name changed while the case was drawn";
        Err(Trouble::refused("not_now", message, "open the case again"))
    }

    /// What a node says that a case would change. Nobody waits for the book meanwhile.
    pub(super) async fn simulate(&self, shown: &Shown) -> Option<Screen> {
        match &shown.trial {
            Some(trial) => Some(self.nodes.simulate(trial).await),
            None => None,
        }
    }

    /// What reading the policy or charter that a case proposes gives, while the book is free for everybody else. The last is
    /// kept: whoever reads a case reads it more than once.
    async fn read(&self, id: &CaseId) -> Done<Reading> {
        let proposal = {
            let book = self.book.lock().await;
            let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
            Proposal::of(replica, id)
        };
        let Some(proposal) = proposal else { return Ok(Reading::default()) };
        let turn = Arc::clone(&self.kept).lock_owned().await;
        if let Some((_, read)) = turn.read.as_ref().filter(|(of, _)| of.is_same(&proposal)) {
            return Ok(read.clone());
        }
        let work = move |kept: &mut Kept| {
            let read = proposal.read();
            kept.read = Some((proposal, read.clone()));
            read
        };
        aside(turn, work).await
    }

    /// The comparison of policies that a case's screen shows, made and kept likewise.
    async fn compared(
        &self,
        session: &Session,
        id: &CaseId,
        opened: &Opened,
    ) -> Done<Option<Arc<Compared>>> {
        let asked = {
            let book = self.book.lock().await;
            let (replica, _) = book.as_ref().ok_or_else(no_charter)?;
            let me = &place(replica.book(), session, now()).ok_or_else(unseated)?;
            let opened = opened.clone();
            let made = Made::default();
            Comparison::of_case(&View { replica, me, now: now(), opened, made }, id)
        };
        let Some(asked) = asked else { return Ok(None) };
        let turn = Arc::clone(&self.kept).lock_owned().await;
        if let Some(made) = turn.compared.as_ref().filter(|made| made.is_of(&asked)) {
            return Ok(Some(Arc::clone(made)));
        }
        let make = move |kept: &mut Kept| Arc::clone(kept.compared.insert(Arc::new(asked.made())));
        aside(turn, make).await.map(Some)
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

    /// The name of a question to somebody who is not signed in: who they are.
    pub(super) fn challenge_name(&self) -> Done<String> {
        Ok(self.challenges.name(&Self::secret()?, now()))
    }

    /// Whether such a question of this name is open.
    pub(super) fn has_asked(&self, name: &str) -> bool {
        self.challenges.has_asked(name, now())
    }

    /// Closes such a question, for a passkey that answered it. Whether it was open until now.
    pub(super) fn spend(&self, name: &str) -> bool {
        self.challenges.spend(name, now())
    }

    /// What a browser signs to answer a question that is no word: the digest of the question's name.
    pub(super) fn challenge(name: &str) -> Digest {
        Digest::of(quorate_terms::digest::tag::SIGN_IN, name.as_bytes())
    }
}

/// Works on a thread of its own. The turn ends when the work does, not when nobody waits for it any more: however often somebody
/// asks and hangs up, one thing is worked out at a time.
async fn aside<K: Send + 'static, T: Send + 'static>(
    mut turn: OwnedMutexGuard<K>,
    work: impl FnOnce(&mut K) -> T + Send + 'static,
) -> Done<T> {
    let working = tokio::task::spawn_blocking(move || work(&mut turn)).await;
    working.map_err(|e| Trouble::fault("not_compared", e.to_string(), "open the case again"))
}

fn shown(view: &View<'_>, id: &CaseId, credential: &CredentialId) -> Done<Shown> {
    let (replica, book) = (view.replica, view.replica.book());
    let screen = show::case(view, id)?;
    let intent = replica.intent(id).map(|intent| intent.to_canonical()).transpose()?;
    let is_wanted =
        book.case(id).is_some_and(|case| crate::list::waits_for(book, case, view.me, view.now));
    let words = match is_wanted && replica.is_witnessed(id)? {
        true => [Verdict::Approve, Verdict::Reject]
            .map(|verdict| body(view, (id, verdict), credential, screen.digest()))
            .to_vec(),
        false => Vec::new(),
    };
    let intent = String::from_utf8(intent.unwrap_or_default()).unwrap_or_default();
    Ok(Shown { screen, intent, words, trial: show::trial(book, id) })
}

/// The place of whoever is signed in: their own seat, or the one that they stand in for at this moment.
fn place(book: &Book, session: &Session, now: Timestamp) -> Option<ApproverSeat> {
    let who = &session.who;
    let own = book.charter().approver(&who.approver).cloned();
    let stood = book.delegation_of(&who.approver, now).map(|one| one.delegation.as_seat());
    own.into_iter().chain(stood).find(|seat| seat.holds(&who.credential))
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
    let message = "neither the charter nor a delegation gives you a seat any longer";
    Trouble::refused("no_seat", message, "ask the operators whether your seat was given up")
}

/// The present, for sessions.
pub(super) fn present() -> Timestamp {
    now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_turn_outlasts_whoever_asked_and_ends_with_the_work() {
        let kept = Arc::new(Turn::new(0_u8));
        let (began, has_begun) = std::sync::mpsc::channel();
        let (go, may_end) = std::sync::mpsc::channel::<()>();
        let turn = Arc::clone(&kept).lock_owned().await;
        let asking = tokio::spawn(aside(turn, move |kept| {
            began.send(()).unwrap();
            may_end.recv().unwrap();
            *kept = 7;
        }));
        has_begun.recv().unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled(), "nobody waits any more");
        assert!(kept.try_lock().is_err(), "the work goes on");
        go.send(()).unwrap();
        assert_eq!(*kept.lock().await, 7, "and what came of it is kept for the next");
    }
}
