//! What should be recorded next. The desk asks here, appends the records, folds them, and only then acts.

mod acts;
mod chain;
mod delegations;
mod filing;
mod reminding;
mod seats;
mod signing;

pub use seats::founding;

use quorate_terms::Timestamp;
use quorate_terms::entry::{
    AgentRetired, Body, Closed, Frozen, Outcome, PeerBanned, Resumed, RunAborted,
};
use quorate_terms::fact::SignedFact;

use crate::book::Book;
use crate::case::{Case, State};
use crate::event::{Effect, Event, Step};
use crate::fold::{freezer, is_note};
use crate::limits;
use crate::refusal::Refusal;

impl Book {
    /// What follows from an event. Nothing is changed: the records change the book once they are durable and folded.
    ///
    /// # Errors
    /// [`Refusal`], with what to do next, where nothing follows.
    pub fn step(&self, event: Event, now: Timestamp) -> Result<Step, Refusal> {
        let at = now.max(self.last_at());
        match event {
            Event::Filed { intent, facts, screening, snapshot } => {
                self.step_filed(*intent, &facts, &screening, snapshot.as_deref(), at)
            }
            Event::ApprovalCame(approval) => self.step_approval(&approval, at),
            Event::FreezeCame(freeze) => self.step_freeze(&freeze),
            Event::EndingCame(ending) => self.step_ending(*ending),
            Event::ResumesCame { voided, resumes } => {
                let entry = self.check_resumes(voided, &resumes, at)?;
                let resumed = Resumed { voided, entry, resumes };
                Ok(Step::recording(Body::Resumed(Box::new(resumed))))
            }
            Event::SnapshotCame { case, snapshot } => {
                self.step_snapshot(self.awaited(&case)?, &snapshot, at)
            }
            Event::ReplacementAsked { case, snapshot } => {
                self.step_replacement(self.awaited(&case)?, &snapshot)
            }
            Event::SignatureCame { case, session, rs, recovery, cosigners, checkpoint_size } => {
                let by = signing::By { session, cosigners, checkpoint_size };
                self.step_signature(self.awaited(&case)?, rs, recovery, by)
            }
            Event::CosignerRefused { case, cosigner, reason, left } => {
                self.step_refusal(self.awaited(&case)?, cosigner, *reason, left)
            }
            Event::RunFailed { case, run, phase, cause, culprits } => {
                let case = self.awaited(&case)?;
                let wallet = case_wallet(case)?;
                let aborted =
                    RunAborted { run, wallet, case: Some(case.id), phase, cause, culprits };
                Ok(self.step_aborted(case, aborted))
            }
            Event::PeerBarred { wallet, holder, by, cause } => {
                self.step_bar(PeerBanned { wallet, holder, by, cause })
            }
            Event::KeyCame { case, library, statements } => {
                self.step_key(self.awaited(&case)?, library, statements)
            }
            Event::BackupCame(statement) => self.step_backup(*statement),
            Event::Published { case, txid } => self.step_published(self.awaited(&case)?, txid),
            Event::Observed { case, txid, stage, block } => {
                self.step_observed(self.awaited(&case)?, txid, stage, block)
            }
            Event::FinalityCame { case, fact } => self.step_final(self.awaited(&case)?, &fact, at),
            Event::Noted(body) => self.step_note(*body, at),
            Event::Ticked => Ok(self.step_tick(at)),
        }
    }

    /// What the host has to do for the open cases, as after a restart. Repeating any of it does no harm.
    pub fn pending_effects(&self) -> Vec<Effect> {
        let of = |state, effect: fn(quorate_terms::CaseId) -> Effect| {
            self.in_state(state).map(move |case| effect(case.id)).collect::<Vec<_>>()
        };
        let mut effects = of(State::AwaitSnapshot, Effect::Fetch);
        effects.extend(of(State::AwaitCeremony, Effect::Generate));
        effects.extend(of(State::AwaitConfirmation, Effect::Watch));
        for case in self.open_cases() {
            effects.extend(self.pending_of(case));
        }
        effects
    }

    /// What is due for one case that has a draft.
    fn pending_of(&self, case: &Case) -> Vec<Effect> {
        let live = case.live_draft().map(|live| live.draft);
        let given_up = case.cancel.is_some() && live.is_some_and(|live| case.moves(&live));
        match case.state {
            // A conflicting draft is due, and what was given up is not published again.
            _ if given_up => vec![Effect::Fetch(case.id), Effect::Watch(case.id)],
            // After too many failed runs only a draft that gives the case up is signed; what was signed before may settle.
            State::AwaitSignature
                if case.aborts >= limits::ABORTS_PER_CASE_MAX && case.cancel.is_none() =>
            {
                let signed = (!case.signed.is_empty()).then_some(Effect::Watch(case.id));
                signed.into_iter().collect()
            }
            // While a replacement is signed, what it is to replace may still become final.
            State::AwaitSignature if !case.signed.is_empty() => {
                vec![Effect::Convene(case.id), Effect::Watch(case.id)]
            }
            State::AwaitSignature => vec![Effect::Convene(case.id)],
            State::AwaitBroadcast | State::AwaitConfirmation => vec![Effect::Publish(case.id)],
            _ => Vec::new(),
        }
    }

    fn awaited(&self, id: &quorate_terms::CaseId) -> Result<&Case, Refusal> {
        self.case(id).ok_or_else(|| {
            Refusal::new(
                "unknown_case",
                "there is no such open case",
                "look at `quorate case list --all`",
            )
        })
    }

    fn step_freeze(&self, freeze: &quorate_terms::freeze::Freeze) -> Result<Step, Refusal> {
        let digest = self.check_freeze(freeze)?;
        if self.freezes().any(|(known, _)| *known == digest) || self.state.lifted.contains(&digest)
        {
            return Ok(Step::default());
        }
        let frozen = Frozen {
            scope: freeze.body.scope.clone(),
            by: freezer(freeze),
            cause: freeze.body.cause.clone(),
            freeze: digest,
            signed: Some(freeze.clone()),
            case: None,
        };
        let mut step = Step::recording(Body::Frozen(Box::new(frozen)));
        step.effects.push(Effect::Spread(digest));
        Ok(step)
    }

    fn step_bar(&self, barred: PeerBanned) -> Result<Step, Refusal> {
        self.check_bar(&barred)?;
        let known = self.wallet(&barred.wallet).and_then(|wallet| wallet.barred.as_ref());
        if known == Some(&barred.holder) {
            return Ok(Step::default());
        }
        Ok(Step::recording(Body::PeerBanned(barred)))
    }

    /// Notes decide nothing. Whatever decides something has an event of its own, with its checks.
    fn step_note(&self, body: Body, at: Timestamp) -> Result<Step, Refusal> {
        let note = match &body {
            Body::Founded(_) => self.size() == 0,
            Body::RulesChanged(changed) => changed.from == self.state.rules,
            Body::AgentRetired(retired) => retired.case.is_none(),
            Body::CredentialRevoked(_) => true,
            Body::AlertAcknowledged(taken) => self.check_alert(&taken.alert)?,
            Body::AlertClosed(closed) => self.check_alert(&closed.alert)?,
            Body::ChecklistOpened(opened) => self.check_opened(opened, at).map(|()| true)?,
            Body::ChecklistAttested(said) => self.check_attested(said, at).map(|()| true)?,
            Body::ChecklistClosed(closed) => {
                self.check_checklist_closed(closed, at).map(|()| true)?
            }
            other => is_note(other),
        };
        if note {
            return Ok(Step::recording(body));
        }
        let next = "send the event that it follows from";
        Err(Refusal::new("not_a_note", "an entry that decides something is no note", next))
    }

    /// Whether there is such an open alert.
    fn check_alert(&self, alert: &quorate_terms::Digest) -> Result<bool, Refusal> {
        if self.state.alerts.contains_key(alert) {
            return Ok(true);
        }
        let next = "look at `quorate alert list`";
        Err(Refusal::new("unknown_alert", "there is no such open alert", next))
    }

    /// Credentials whose time is over are retired, so many at a time.
    fn retire_lapsed(&self, at: Timestamp) -> Step {
        let lapsed = self.credentials().filter(|a| !a.revoked && a.credential.expires_at <= at);
        let retired = lapsed.take(limits::CLOSED_PER_TICK_MAX).map(|admitted| {
            Body::AgentRetired(AgentRetired {
                agent: admitted.credential.agent.clone(),
                cause: "lapsed".to_owned(),
                credential: admitted.credential.credential.clone(),
                case: None,
            })
        });
        Step { records: retired.collect(), ..Step::default() }
    }

    /// Expired cases close, so many at a time; lapsed credentials are retired; a charter whose delay has passed comes into
    /// force; people are reminded of what waits for them.
    fn step_tick(&self, at: Timestamp) -> Step {
        let mut step = Step::default();
        let waits = |case: &&Case| {
            let state = matches!(
                case.state,
                State::AwaitApprovals
                    | State::AwaitAct
                    | State::AwaitSnapshot
                    | State::AwaitCeremony
                    | State::AwaitSignature
            );
            state && at >= case.expires_at() && !case.may_be_signed(&self.charter)
        };
        for case in self.open_cases().filter(waits).take(limits::CLOSED_PER_TICK_MAX) {
            let why = match case.state {
                State::AwaitApprovals => "nobody agreed in time",
                _ => "it was not carried out in time",
            };
            step.close(closed(case, Outcome::Expired, why));
        }
        step.absorb(self.retire_lapsed(at));
        // Before a charter comes into force, which may end the same delegations.
        step.absorb(self.lapse_delegations(at));
        step.absorb(self.activate_charter(at));
        step.absorb(self.remind(at));
        step
    }
}

impl Step {
    pub(crate) fn recording(body: Body) -> Self {
        Self { records: vec![body], ..Self::default() }
    }

    pub(crate) fn close(&mut self, closed: Closed) {
        self.effects.push(Effect::Receipt(closed.case));
        self.records.push(Body::Closed(Box::new(closed)));
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.records.extend(other.records);
        self.effects.extend(other.effects);
        self.case = self.case.or(other.case);
    }
}

/// The entry that ends a case without anything on chain.
pub(crate) fn closed(case: &Case, outcome: Outcome, reason: &str) -> Closed {
    Closed {
        case: case.id,
        outcome,
        reason: reason.to_owned(),
        culprits: std::collections::BTreeSet::new(),
        txid: None,
        amount: None,
        fee: None,
        finality: None,
    }
}

/// The entry that ends a case on a source's word of finality.
pub(crate) fn closed_on(case: &Case, outcome: Outcome, txid: &str, fact: &SignedFact) -> Closed {
    let moved = case.transfer().filter(|_| outcome == Outcome::Settled).map(|t| t.amount);
    let fee = match &fact.body.fact {
        quorate_terms::fact::Fact::Finality { fee, .. } => Some(*fee),
        _ => None,
    };
    Closed {
        txid: Some(txid.to_owned()),
        amount: moved,
        fee,
        finality: Some(fact.clone()),
        ..closed(case, outcome, "final on chain")
    }
}

fn case_wallet(case: &Case) -> Result<quorate_terms::WalletId, Refusal> {
    match &case.intent.action {
        quorate_terms::intent::Action::Transfer(transfer) => Ok(transfer.wallet.clone()),
        quorate_terms::intent::Action::OpenWallet(open) => Ok(open.wallet.clone()),
        _ => Err(Refusal::new("no_wallet", "the case concerns no wallet", "report this")),
    }
}
