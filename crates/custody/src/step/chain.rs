//! From a snapshot to bytes, and from the chain's word to the end of a case.

use quorate_chains::{Draft, Effect as OnChain, Replacement, Snapshot};
use quorate_terms::Timestamp;
use quorate_terms::entry::{Body, Broadcast, Outcome, Stage, TransferObserved};
use quorate_terms::fact::{Fate, SignedFact};

use super::{closed, closed_on};
use crate::book::Book;
use crate::case::{Case, State};
use crate::event::{Effect, Step};
use crate::refusal::Refusal;

impl Book {
    /// Drafts the bytes from one snapshot, reads them back by another path, and rehearses the warrant.
    pub(super) fn step_snapshot(
        &self,
        case: &Case,
        snapshot: &Snapshot,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        if case.state != State::AwaitSnapshot {
            return Ok(Step { case: Some(case.id), ..Step::default() });
        }
        if case.policy() != Some(self.policy().digest()) {
            let mut step = Step { case: Some(case.id), ..Step::default() };
            step.close(closed(
                case,
                Outcome::Refused,
                "the policy changed since it was judged; file it again",
            ));
            return Ok(step);
        }
        if at >= case.expires_at() {
            let mut step = Step { case: Some(case.id), ..Step::default() };
            step.close(closed(case, Outcome::Expired, "it was not signed in time"));
            return Ok(step);
        }
        if !case.is_agreed(self.charter(), self.policy(), at) {
            let mut step = Step { case: Some(case.id), ..Step::default() };
            // The next tick writes down that a delegation is over, and then the case asks again.
            if case.stand_ins.values().any(|said| said.delegation.until <= at) {
                return Ok(step);
            }
            let why = "the approvals lapsed before it was drafted; file it again";
            step.close(closed(case, Outcome::Refused, why));
            return Ok(step);
        }
        let drafted = self.first_draft(case, snapshot);
        match drafted.and_then(|draft| self.record_draft(case, &draft)) {
            Ok(step) => Ok(step),
            Err(refusal) => {
                let mut step = Step { case: Some(case.id), ..Step::default() };
                step.close(closed(case, Outcome::Refused, &refusal.to_string()));
                Ok(step)
            }
        }
    }

    fn first_draft(&self, case: &Case, snapshot: &Snapshot) -> Result<Draft, Refusal> {
        let transfer = case.transfer().ok_or_else(|| {
            Refusal::new("no_transfer", "the case is not a transfer", "report this")
        })?;
        let wallet = self.wallet(&transfer.wallet);
        let account =
            wallet.and_then(|w| w.accounts.get(&transfer.asset.chain())).ok_or_else(|| {
                Refusal::new(
                    "wrong_chain",
                    "the wallet is not open on this chain",
                    "open a wallet for it",
                )
            })?;
        let nonce = self.free_nonce(account, snapshot.nonce);
        let snapshot = Snapshot { nonce, ..snapshot.clone() };
        Ok(quorate_chains::draft(transfer, account, &snapshot)?)
    }

    fn record_draft(&self, case: &Case, draft: &Draft) -> Result<Step, Refusal> {
        let read = quorate_chains::read_back(&draft.meaning().chain, draft.bytes())?;
        self.check_draft(case, &read)?;
        let warranted = self.warranted(case, &read)?;
        Ok(Step {
            records: vec![Body::Warranted(Box::new(warranted))],
            effects: vec![Effect::Convene(case.id)],
            case: Some(case.id),
        })
    }

    /// A draft that conflicts with the live one: an empty transfer where the case is to be given up, higher fees otherwise.
    pub(super) fn step_replacement(
        &self,
        case: &Case,
        snapshot: &Snapshot,
    ) -> Result<Step, Refusal> {
        let live = case.live_draft().ok_or_else(|| {
            Refusal::new("no_draft", "there is no draft to replace", "wait for the first one")
        })?;
        let transfer = case.transfer().ok_or_else(|| {
            Refusal::new("no_transfer", "the case is not a transfer", "report this")
        })?;
        let bytes = hex::decode(&live.bytes).unwrap_or_default();
        let previous = quorate_chains::read_back(&live.chain, &bytes)?;
        let how = if case.cancel.is_some() { Replacement::Cancel } else { Replacement::SpeedUp };
        if previous.meaning().effect == OnChain::SelfSend && how == Replacement::SpeedUp {
            return Err(Refusal::new("given_up", "the case was given up", "file a new intent"));
        }
        let next = quorate_chains::replace(&previous, how, snapshot, transfer.fee_ceiling)?;
        self.record_draft(case, &next)
    }

    pub(super) fn step_published(&self, case: &Case, txid: String) -> Result<Step, Refusal> {
        let watch =
            Step { effects: vec![Effect::Watch(case.id)], case: Some(case.id), ..Step::default() };
        if !case.signed.iter().any(|signed| signed.txid == txid) {
            let next = "publish the bytes of the case's `Signed` entry";
            return Err(Refusal::new("not_ours", "the case signed no such transaction", next));
        }
        if case.state != State::AwaitBroadcast {
            return Ok(watch);
        }
        let broadcast = Broadcast { case: case.id, txid };
        Ok(Step { records: vec![Body::Broadcast(broadcast)], ..watch })
    }

    pub(super) fn step_observed(
        &self,
        case: &Case,
        txid: String,
        stage: Stage,
        block: Option<u64>,
    ) -> Result<Step, Refusal> {
        let heard = case.stage == Some(stage) || case.signed.is_empty();
        let (Some(transfer), false) = (case.transfer(), heard) else {
            return Ok(Step { case: Some(case.id), ..Step::default() });
        };
        let seen = TransferObserved {
            txid,
            wallet: transfer.wallet.clone(),
            chain: transfer.asset.chain(),
            direction: "out".to_owned(),
            asset: transfer.asset.clone(),
            amount: transfer.amount,
            counterparty: transfer.to.clone(),
            stage,
            block,
            case: Some(case.id),
        };
        let mut step = Step::recording(Body::TransferObserved(Box::new(seen)));
        step.case = Some(case.id);
        if matches!(stage, Stage::Reorged | Stage::Dropped) {
            step.effects.push(Effect::Publish(case.id));
        }
        Ok(step)
    }

    pub(super) fn step_final(
        &self,
        case: &Case,
        fact: &SignedFact,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        self.check_fact(fact, at, None)?;
        let (fate, txid) = self.fate(case, fact)?;
        let outcome = match fate {
            Fate::Settled => Outcome::Settled,
            Fate::Reverted => Outcome::Reverted,
            Fate::Replaced => Outcome::Replaced,
        };
        let mut step = Step { case: Some(case.id), ..Step::default() };
        step.close(closed_on(case, outcome, txid, fact));
        Ok(step)
    }
}
