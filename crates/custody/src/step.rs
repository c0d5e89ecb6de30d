//! What should be recorded next. The desk asks here, appends the records, folds them, and only then acts.

mod acts;
mod chain;
mod filing;
mod signing;

use quorate_terms::Timestamp;
use quorate_terms::entry::{Body, Closed, Frozen, Outcome, PeerBanned, Resumed, RunAborted};
use quorate_terms::fact::SignedFact;

use crate::book::Book;
use crate::case::{Case, State};
use crate::event::{Effect, Event, Step};
use crate::fold::freezer;
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
                Ok(Step::recording(Body::PeerBanned(PeerBanned { wallet, holder, by, cause })))
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
            Event::Noted(body) => Ok(Step::recording(*body)),
            Event::Ticked => Ok(self.step_tick(at)),
        }
    }

    /// What the host has to do for the open cases, as after a restart. Repeating any of it does no harm.
    pub fn pending_effects(&self) -> Vec<Effect> {
        let of = |state, effect: fn(quorate_terms::CaseId) -> Effect| {
            self.in_state(state).map(move |case| effect(case.id)).collect::<Vec<_>>()
        };
        let mut effects = of(State::AwaitSnapshot, Effect::Fetch);
        effects.extend(of(State::AwaitSignature, Effect::Convene));
        effects.extend(of(State::AwaitCeremony, Effect::Generate));
        effects.extend(of(State::AwaitBroadcast, Effect::Publish));
        effects.extend(of(State::AwaitConfirmation, Effect::Publish));
        effects.extend(of(State::AwaitConfirmation, Effect::Watch));
        effects
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

    /// Expired cases close; a charter whose delay has passed comes into force.
    fn step_tick(&self, at: Timestamp) -> Step {
        let mut step = Step::default();
        for case in self.open_cases() {
            let idle = !case.may_be_signed(&self.charter);
            let waits = matches!(
                case.state,
                State::AwaitApprovals
                    | State::AwaitAct
                    | State::AwaitSnapshot
                    | State::AwaitCeremony
                    | State::AwaitSignature
            );
            if waits && idle && at >= case.expires_at() {
                step.close(closed(case, Outcome::Expired, "nobody agreed in time"));
            }
        }
        step.absorb(self.activate_charter(at));
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
