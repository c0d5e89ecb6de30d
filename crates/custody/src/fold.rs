//! One entry at a time: is it what this party would have recorded on this state? If so the state moves on; if not the
//! entry is void: it stays in the ledger, changes nothing, and stops warrants until the charter's quorum resumes.

mod acts;
mod alerts;
mod cases;
mod checklists;
mod closing;
mod delegations;
mod keys;
mod people;

pub(crate) use acts::{agent_enrolled, check_spelling};
pub use people::check_freeze;
pub(crate) use people::freezer;

use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, Entry};
use quorate_terms::{CaseId, Digest};

use crate::book::{Book, BookState, Verdict};
use crate::case::Case;
use crate::refusal::Refusal;

impl Book {
    /// Whether `entry` stands next in this book: index, chain, vault and time. What it says is not looked at.
    ///
    /// # Errors
    /// [`Refusal`] naming what is wrong. Such an entry is no part of this ledger, void or otherwise.
    pub fn follows(&self, entry: &Entry) -> Result<(), Refusal> {
        let broken = |what: &str| {
            let message = format!("entry {} {what}", entry.index);
            Err(Refusal::new(
                "broken_chain",
                message,
                "send the entries as they stand in the ledger",
            ))
        };
        match entry {
            _ if entry.vault != self.charter.vault => broken("belongs to another vault"),
            _ if entry.index != self.state.size => broken("is not the next one"),
            _ if entry.prev != self.state.head => broken("does not chain to the one before"),
            _ if entry.at < self.state.last_at => broken("is earlier than the one before"),
            _ => Ok(()),
        }
    }

    /// Folds the next entry.
    ///
    /// # Errors
    /// [`Refusal`] as [`Book::follows`]; the book is unchanged then.
    pub fn admit(&mut self, entry: &Entry) -> Result<Verdict, Refusal> {
        self.follows(entry)?;
        let digest = entry.digest()?;
        let verdict = match self.fold(entry) {
            Ok(()) => Verdict::Good,
            Err(refusal) => {
                self.state.voids.insert(entry.index, digest);
                Verdict::Void(refusal)
            }
        };
        self.state.size = self.state.size.saturating_add(1);
        self.state.head = digest;
        self.state.last_at = entry.at;
        Ok(verdict)
    }

    /// Applies what an entry says, or changes nothing and says why it is void.
    fn fold(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let Some(case) = self.state.awaiting_judgment else { return self.fold_body(entry) };
        // A filed intent is judged by the very next entry or not at all; what came instead has no effect either.
        let outcome = match entry.body {
            Body::Judged(_) => self.fold_body(entry),
            _ => Err(void("a filed intent was not judged by the next entry")),
        };
        if outcome.is_err() {
            self.state.forget(&case);
        }
        outcome
    }

    fn fold_body(&mut self, entry: &Entry) -> Result<(), Refusal> {
        if (entry.index == 0) != matches!(entry.body, Body::Founded(_)) {
            return Err(void("the founding is entry 0, and only that"));
        }
        if entry.rules != self.state.rules && !matches!(entry.body, Body::RulesChanged(_)) {
            return Err(void("it was made under rules that the book has not changed to"));
        }
        match &entry.body {
            Body::Founded(founded) => self.fold_founded(founded),
            Body::Filed(filed) => self.fold_filed(filed, entry),
            Body::Judged(judged) => self.fold_judged(judged, entry),
            Body::Approved(approved) => self.fold_approved(approved, entry),
            Body::Warranted(warranted) => self.fold_warranted(warranted, entry),
            Body::Refused(refused) => self.fold_refused(refused, entry),
            Body::Signed(signed) => self.fold_signed(signed, entry),
            Body::Broadcast(broadcast) => self.fold_broadcast(broadcast, entry),
            Body::TransferObserved(seen) => self.fold_observed(seen, entry),
            Body::CancelAsked(asked) => self.fold_cancel(asked, entry),
            Body::Closed(closed) => self.fold_closed(closed, entry),
            Body::KeyGenerated(made) => self.fold_key(made, entry),
            Body::WalletOpened(opened) => self.fold_opened(opened, entry),
            Body::BackupVerified(proven) => self.fold_backup(proven),
            Body::RunAborted(aborted) => self.fold_aborted(aborted, entry),
            Body::PeerBanned(barred) => self.fold_barred(barred),
            Body::Frozen(frozen) => self.fold_frozen(frozen, entry),
            Body::Unfrozen(unfrozen) => self.fold_unfrozen(unfrozen, entry),
            Body::Resumed(resumed) => self.fold_resumed(resumed, entry),
            Body::PolicyActivated(activated) => self.fold_policy(activated, entry),
            Body::CharterApproved(approved) => self.fold_charter_approved(approved, entry),
            Body::CharterActivated(activated) => self.fold_charter(activated, entry),
            Body::AddressListed(listed) => self.fold_listed(listed, entry),
            Body::AddressRemoved(removed) => self.fold_removed(removed, entry),
            Body::AgentEnrolled(enrolled) => self.fold_enrolled(enrolled, entry),
            Body::AgentRetired(retired) => self.fold_retired(retired, entry),
            Body::Delegated(delegated) => self.fold_delegated(delegated, entry),
            Body::DelegationEnded(ended) => self.fold_delegation_ended(ended, entry),
            Body::CredentialRevoked(revoked) => self.fold_revoked(revoked),
            Body::RulesChanged(changed) => self.fold_rules(changed),
            Body::ManifestPinned(pinned) => self.fold_pinned(pinned),
            Body::AlertRaised(raised) => self.fold_alert(raised, entry),
            Body::AlertAcknowledged(taken) => self.fold_alert_taken(taken),
            Body::AlertClosed(closed) => self.fold_alert_closed(closed),
            Body::ChecklistOpened(opened) => self.fold_opened_list(opened, entry),
            Body::ChecklistAttested(said) => self.fold_attested(said, entry),
            Body::ChecklistClosed(closed) => self.fold_closed_list(closed, entry),
            // These decide nothing: they are remembered for people and assessors.
            note if is_note(note) => Ok(()),
            _ => Err(void("this build does not know what it decides")),
        }
    }

    /// The open case that an entry is about.
    fn open_case(&self, id: &CaseId) -> Result<&Case, Refusal> {
        self.state.cases.get(id).ok_or_else(|| void("there is no such open case"))
    }

    fn case_mut(&mut self, id: &CaseId, index: u64) -> Result<&mut Case, Refusal> {
        let case =
            self.state.cases.get_mut(id).ok_or_else(|| void("there is no such open case"))?;
        case.entries.push(index);
        Ok(case)
    }
}

impl BookState {
    /// Takes back a filing that was never judged.
    fn forget(&mut self, case: &CaseId) {
        if let Some(case) = self.take(case) {
            self.keys.remove(&(case.intent.requester, case.intent.key));
        }
        self.awaiting_judgment = None;
    }
}

/// Whether an entry decides nothing, and is only remembered for people and assessors.
pub(crate) const fn is_note(body: &Body) -> bool {
    matches!(
        body,
        Body::Marked(_)
            | Body::AgentActed(_)
            | Body::ManifestPinned(_)
            | Body::RoleGranted(_)
            | Body::RoleEnded(_)
            | Body::CredentialEnrolled(_)
            | Body::PlacementAttested(_)
            | Body::ShareRestored(_)
            | Body::DrillJoined(_)
            | Body::AlertRaised(_)
            | Body::AlertAcknowledged(_)
            | Body::AlertClosed(_)
            | Body::Heartbeat(_)
            | Body::Deployed(_)
            | Body::ConfigurationCaptured(_)
            | Body::ClockChecked(_)
            | Body::CheckpointWitnessed(_)
            | Body::RollbackDetected(_)
            | Body::Erased(_)
            | Body::AdminActed(_)
    )
}

/// Why an entry is void.
fn void(why: &str) -> Refusal {
    Refusal::new(
        "void_entry",
        why,
        "find out who wrote it; the charter's quorum signs `resume` to go on without it",
    )
}

/// Refuses unless `ok`.
fn need(ok: bool, why: &str) -> Result<(), Refusal> {
    if ok { Ok(()) } else { Err(void(why)) }
}

/// Refuses unless two digests are the same.
fn same(a: &Digest, b: &Digest, why: &str) -> Result<(), Refusal> {
    need(a == b, why)
}
