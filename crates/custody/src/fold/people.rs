//! Founding, freezing and resuming: signed by people who have a seat.

use std::collections::BTreeSet;

use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Entry, Founded, Frozen, Resumed, RulesChanged, Unfrozen};
use quorate_terms::freeze::{Freeze, Freezer, Resume, Scope};
use quorate_terms::intent::Action;
use quorate_terms::quorum::Vote;
use quorate_terms::{Digest, PublicKey, Timestamp};

use super::{need, void};
use crate::book::Book;
use crate::case::State;
use crate::refusal::Refusal;

impl Book {
    pub(super) fn fold_founded(&mut self, founded: &Founded) -> Result<(), Refusal> {
        need(
            founded.charter == self.charter,
            "it founds the vault on another charter than this party's",
        )
    }

    /// Everything that must hold of a freeze, from whatever channel it comes. Returns its digest.
    ///
    /// # Errors
    /// [`Refusal`] that says which of them does not.
    pub fn check_freeze(&self, freeze: &Freeze) -> Result<Digest, Refusal> {
        check_freeze(&self.charter, freeze)
    }

    pub(super) fn fold_frozen(&mut self, frozen: &Frozen, entry: &Entry) -> Result<(), Refusal> {
        match (&frozen.signed, &frozen.case) {
            (Some(freeze), None) => {
                let digest = self.check_freeze(freeze)?;
                let says = frozen.freeze == digest && frozen.scope == freeze.body.scope;
                need(
                    says && frozen.by == freezer(freeze),
                    "the entry does not say what the freeze says",
                )?;
            }
            (None, Some(id)) => {
                let case = self.open_case(id)?;
                let asks = matches!(&case.intent.action, Action::Freeze { scope } if *scope == frozen.scope);
                let due = case.state == State::AwaitAct
                    && case.is_agreed(&self.charter, &self.policy, entry.at);
                need(asks && due && frozen.freeze == id.intent(), "no such freeze was asked for")?;
            }
            _ => return Err(void("a freeze is either signed or a case's")),
        }
        let fresh = !self.state.lifted.contains(&frozen.freeze);
        need(fresh, "this freeze was lifted before")?;
        if let Some(id) = &frozen.case {
            self.case_mut(id, entry.index)?;
        }
        self.state.freezes.insert(frozen.freeze, frozen.scope.clone());
        if let Some(signed) = &frozen.signed {
            self.state.signed_freezes.insert(frozen.freeze, signed.clone());
        }
        Ok(())
    }

    pub(super) fn fold_unfrozen(
        &mut self,
        unfrozen: &Unfrozen,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.open_case(&unfrozen.case)?;
        let asks = matches!(&case.intent.action, Action::Unfreeze { scope, lifts }
            if *scope == unfrozen.scope && *lifts == unfrozen.lifts);
        let due =
            case.state == State::AwaitAct && case.is_agreed(&self.charter, &self.policy, entry.at);
        need(asks && due, "no such unfreezing was agreed to")?;
        self.check_lifts(&unfrozen.scope, &unfrozen.lifts)?;
        for freeze in &unfrozen.lifts {
            self.state.freezes.remove(freeze);
            self.state.signed_freezes.remove(freeze);
            self.state.lifted.insert(*freeze);
        }
        self.case_mut(&unfrozen.case, entry.index).map(|_| ())
    }

    /// Whether every freeze to be lifted has the scope that people agreed to. One that only a cosigner knows is its own affair.
    pub(crate) fn check_lifts(
        &self,
        scope: &Scope,
        lifts: &BTreeSet<Digest>,
    ) -> Result<(), Refusal> {
        let same = |digest| self.state.freezes.get(digest).is_none_or(|frozen| frozen == scope);
        need(lifts.iter().all(same), "a freeze that it lifts has another scope")
    }

    /// Whether the charter's quorum agreed to go on after the void entry at `voided`.
    ///
    /// # Errors
    /// [`Refusal`] that says what is missing.
    pub fn check_resumes(
        &self,
        voided: u64,
        resumes: &[Resume],
        at: Timestamp,
    ) -> Result<Digest, Refusal> {
        let Some(entry) = self.state.voids.get(&voided).copied() else {
            return Err(Refusal::new(
                "not_void",
                "there is no void entry at this index",
                "nothing needs doing",
            ));
        };
        let mut votes = Vec::new();
        for resume in resumes {
            let body = &resume.body;
            let seat = self
                .charter
                .approver(&body.approver)
                .ok_or_else(|| void("a stranger agrees to resume"))?;
            let about = body.v == 1
                && body.vault == self.charter.vault
                && body.charter == self.charter_digest
                && body.index == voided
                && body.entry == entry;
            let own = seat.key.verifies(&body.digest()?, &resume.signature);
            need(
                about && own,
                "an agreement to resume is about something else or not its approver's own",
            )?;
            votes.push(Vote {
                approver: seat.approver.clone(),
                person: seat.person.clone(),
                party: None,
                expires_at: body.expires_at,
            });
        }
        // Resuming is signed on people's own machines and never at a view, so no party comes into it.
        let tally = self.charter.governance.of_people().tally(&votes, None, at);
        if tally.is_met() {
            return Ok(entry);
        }
        let message = format!("{} of {} have agreed to resume", tally.counted.len(), tally.need);
        Err(Refusal::new(
            "quorum_not_met",
            message,
            "ask more governors for `quorate-approvals resume`",
        ))
    }

    pub(super) fn fold_resumed(&mut self, resumed: &Resumed, entry: &Entry) -> Result<(), Refusal> {
        let digest = self.check_resumes(resumed.voided, &resumed.resumes, entry.at)?;
        need(digest == resumed.entry, "it resumes from another entry")?;
        self.state.voids.remove(&resumed.voided);
        Ok(())
    }

    pub(super) fn fold_rules(&mut self, changed: &RulesChanged) -> Result<(), Refusal> {
        need(changed.from == self.state.rules, "the book was under other rules")?;
        let known = changed.to == quorate_terms::entry::RULES_VERSION;
        need(known, "this build does not know those rules; upgrade it")?;
        self.state.rules.clone_from(&changed.to);
        Ok(())
    }
}

/// Everything that must hold of a freeze under a charter. Returns its digest.
///
/// # Errors
/// [`Refusal`] that says which of them does not.
pub fn check_freeze(charter: &CharterText, freeze: &Freeze) -> Result<Digest, Refusal> {
    let body = &freeze.body;
    let digest = body.digest()?;
    let key: Option<PublicKey> = match &body.by {
        Freezer::Approver { approver } => charter.approver(approver).map(|seat| seat.key),
        Freezer::Cosigner { cosigner } => charter.cosigner(cosigner).map(|seat| seat.identity),
    };
    let own = key.is_some_and(|key| key.verifies(&digest, &freeze.signature));
    if body.v == 1 && body.vault == charter.vault && own {
        return Ok(digest);
    }
    Err(Refusal::new(
        "bad_freeze",
        "the freeze is not signed by anybody with a seat",
        "freeze with a seated key",
    ))
}

/// Who froze, as entries write it.
pub(crate) fn freezer(freeze: &Freeze) -> String {
    match &freeze.body.by {
        Freezer::Approver { approver } => format!("approver:{approver}"),
        Freezer::Cosigner { cosigner } => format!("cosigner:{cosigner}"),
    }
}
