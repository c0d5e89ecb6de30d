//! What the cosigners answered.

use std::collections::BTreeSet;

use quorate_terms::entry::{
    AlertRaised, Body, Outcome, Party, Refused, RunAborted, Severity, Signed,
};
use quorate_terms::judgment::Reason;
use quorate_terms::{CosignerId, Digest};

use super::closed;
use crate::book::Book;
use crate::case::{Case, State};
use crate::event::{Effect, Step};
use crate::limits;
use crate::refusal::Refusal;

/// Who signed, in which session, bound to which checkpoint.
pub(super) struct By {
    pub(super) session: Digest,
    pub(super) cosigners: BTreeSet<CosignerId>,
    pub(super) checkpoint_size: u64,
}

/// The library that makes threshold signatures, as entries name it.
pub(super) const LIBRARY: &str = "dkls23-core 0.6.2";

impl Book {
    pub(super) fn step_signature(
        &self,
        case: &Case,
        rs: [u8; 64],
        recovery: u8,
        by: By,
    ) -> Result<Step, Refusal> {
        let same = Step { case: Some(case.id), ..Step::default() };
        if case.state != State::AwaitSignature {
            return Ok(same);
        }
        let live = case.live_draft().ok_or_else(|| {
            Refusal::new("no_draft", "there is no draft that was to be signed", "report this")
        })?;
        self.check_parties(&by.cosigners)?;
        let bytes = hex::decode(&live.bytes).unwrap_or_default();
        let draft = quorate_chains::read_back(&live.chain, &bytes)?;
        let signed = Signed {
            library: LIBRARY.to_owned(),
            session: by.session,
            cosigners: by.cosigners,
            checkpoint_size: by.checkpoint_size,
            ..self.signed(case, &draft, rs, recovery)?
        };
        // A case that was given up while it was being signed is recorded, not published: a conflicting draft is due.
        let given_up = case.cancel.is_some() && case.moves(&live.draft);
        let effect = if given_up { Effect::Fetch(case.id) } else { Effect::Publish(case.id) };
        Ok(Step { records: vec![Body::Signed(Box::new(signed))], effects: vec![effect], ..same })
    }

    /// A refusal before anything secret-dependent left ends the case; one after that is remembered and the case waits.
    pub(super) fn step_refusal(
        &self,
        case: &Case,
        cosigner: CosignerId,
        reason: Reason,
        left: bool,
    ) -> Result<Step, Refusal> {
        if self.charter().cosigner(&cosigner).is_none() {
            let why = format!("no cosigner `{cosigner}` has a seat");
            return Err(Refusal::new("no_seat", why, "report this"));
        }
        let why = format!("{cosigner} refused: {} ({})", reason.message, reason.code);
        let refused = Refused {
            case: case.id,
            party: Party::Cosigner { cosigner: cosigner.clone() },
            reason,
            left,
        };
        let mut step = Step::recording(Body::Refused(refused));
        step.case = Some(case.id);
        let mut after = case.clone();
        if !left {
            after.refused_by.insert(cosigner);
        }
        if !after.may_be_signed(self.charter()) {
            step.close(closed(case, Outcome::Refused, &why));
        }
        Ok(step)
    }

    /// Three failed runs of one case freeze it and call people (T4).
    pub(super) fn step_aborted(&self, case: &Case, aborted: RunAborted) -> Step {
        let last = case.aborts.saturating_add(1) >= limits::ABORTS_PER_CASE_MAX;
        let run = aborted.run;
        let mut step = Step::recording(Body::RunAborted(aborted));
        step.case = Some(case.id);
        if !last {
            step.effects.push(if case.state == State::AwaitCeremony {
                Effect::Generate(case.id)
            } else {
                Effect::Convene(case.id)
            });
            return step;
        }
        let alert = AlertRaised {
            alert: run,
            rule: "repeated_abort".to_owned(),
            severity: Severity::High,
            subject: case.id.to_string(),
        };
        step.records.push(Body::AlertRaised(Box::new(alert)));
        step
    }
}
