//! Filing and agreeing.

use quorate_chains::Snapshot;
use quorate_terms::Timestamp;
use quorate_terms::approval::{Approval, Verdict};
use quorate_terms::entry::{Body, Filed, Outcome};
use quorate_terms::fact::{CounterpartyCheck, SignedFact};
use quorate_terms::intent::{Intent, Requester};
use quorate_terms::judgment::Judgment;

use super::closed;
use crate::book::Book;
use crate::case::{Case, State, after_agreement};
use crate::event::{Effect, Step};
use crate::refusal::Refusal;
use crate::rulings::Outside;

impl Book {
    /// A new intent: filed, judged and, where nothing more is needed, done in one append. The same intent again is the same
    /// case and records nothing.
    pub(super) fn step_filed(
        &self,
        intent: Intent,
        facts: &[SignedFact],
        screening: &CounterpartyCheck,
        snapshot: Option<&Snapshot>,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        let id = intent.case()?;
        if self.case(&id).is_some() || self.closed(&id).is_some() {
            return Ok(Step { case: Some(id), ..Step::default() });
        }
        self.check_filing(&intent, at)?;
        let outside = Outside { facts, screening };
        let judged = self.judged(&intent, &outside, at)?;
        let filed = Filed { case: id, intent: intent.clone() };
        let mut case = Case::new(id, intent, at, self.size());
        case.state = match &judged.judgment {
            Judgment::Allow { .. } => after_agreement(&case.intent.action),
            Judgment::Require { .. } => State::AwaitApprovals,
            Judgment::Deny { .. } => State::AwaitAct,
        };
        let denied = judged.judgment.is_deny();
        case.judged = Some(judged.clone());
        let mut step = Step {
            records: vec![Body::Filed(Box::new(filed)), Body::Judged(Box::new(judged))],
            effects: Vec::new(),
            case: Some(id),
        };
        if denied {
            step.close(closed(&case, Outcome::Refused, "policy denied it"));
            return Ok(step);
        }
        step.absorb(self.onward(&case, snapshot, at)?);
        Ok(step)
    }

    /// What must hold before an intent is even judged.
    ///
    /// # Errors
    /// [`Refusal`]: another vault, a key used for another intent, no live credential.
    pub fn check_filing(&self, intent: &Intent, at: Timestamp) -> Result<(), Refusal> {
        if intent.v != 1 || intent.vault != *self.vault() {
            return Err(Refusal::new(
                "wrong_vault",
                "the intent is for another vault",
                "name this desk's vault",
            ));
        }
        if self.case_of_key(&intent.requester, &intent.key).is_some() {
            return Err(Refusal::new(
                "key_reused",
                "this idempotency key was used for another intent",
                "use a new key for a new intent, or repeat the first one unchanged",
            ));
        }
        if let Requester::Agent { agent, credential } = &intent.requester {
            let admitted = self.credential(credential).filter(|a| !a.revoked);
            let live = admitted
                .is_some_and(|a| a.credential.agent == *agent && a.credential.expires_at > at);
            if !live {
                return Err(Refusal::new(
                    "no_credential",
                    "the agent has no such live credential",
                    "ask its owner for a new one",
                ));
            }
        }
        Ok(())
    }

    /// What a case that nobody need agree to any more does next.
    pub(super) fn onward(
        &self,
        case: &Case,
        snapshot: Option<&Snapshot>,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        match (case.state, snapshot) {
            (State::AwaitApprovals, _) => {
                Ok(Step { effects: vec![Effect::Notify(case.id)], ..Step::default() })
            }
            (State::AwaitSnapshot, Some(snapshot)) => self.step_snapshot(case, snapshot, at),
            (State::AwaitSnapshot, None) => {
                Ok(Step { effects: vec![Effect::Fetch(case.id)], ..Step::default() })
            }
            (State::AwaitCeremony, _) => {
                Ok(Step { effects: vec![Effect::Generate(case.id)], ..Step::default() })
            }
            (State::AwaitAct, _) => Ok(self.act_or_close(case, at)),
            _ => Ok(Step::default()),
        }
    }

    pub(super) fn step_approval(
        &self,
        approval: &Approval,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        let case = self.check_approval(approval, at)?;
        let approved = self.approved(case, approval)?;
        let mut step = Step::recording(Body::Approved(Box::new(approved)));
        step.case = Some(case.id);
        if approval.body.verdict == Verdict::Reject {
            step.close(closed(case, Outcome::Rejected, "an approver said no"));
            return Ok(step);
        }
        let mut agreed = case.clone();
        agreed.keep(approval.clone(), self.stood(approval));
        if agreed.is_agreed(self.charter(), self.policy(), at) {
            agreed.state = after_agreement(&agreed.intent.action);
            step.absorb(self.onward(&agreed, None, at)?);
        }
        Ok(step)
    }
}
