//! How cases end. A reservation is released only where no signature can come to exist; otherwise it is spent.

use quorate_terms::entry::{Charge, Closed, Entry, Outcome};
use quorate_terms::fact::{Fact, FactKind, Fate, SignedFact};
use quorate_terms::intent::Action;

use super::{need, void};
use crate::book::{Book, ClosedCase};
use crate::case::{Case, State};
use crate::refusal::Refusal;

impl Book {
    pub(super) fn fold_closed(&mut self, closed: &Closed, entry: &Entry) -> Result<(), Refusal> {
        let case = self.open_case(&closed.case)?;
        self.check_closing(case, closed, entry)?;
        let settled =
            matches!(closed.outcome, Outcome::Settled | Outcome::Reverted | Outcome::Replaced);
        let known = (closed.outcome == Outcome::Settled)
            .then(|| case.transfer().map(|transfer| transfer.to.clone()))
            .flatten();
        let Some(mut case) = self.state.take(&closed.case) else { return Ok(()) };
        case.entries.push(entry.index);
        match closed.outcome {
            Outcome::Settled => {
                self.state.usage.settle(&closed.case, entry.at);
                self.state.known.extend(known);
            }
            _ if settled => self.settle_fee(closed, entry),
            _ => {
                self.state.usage.release(&closed.case);
            }
        }
        // Every draft of a case uses one and the same nonce.
        if let Some(draft) = case.drafts.first() {
            self.state.nonces.remove(&(draft.account.clone(), draft.nonce));
        }
        if self.state.coming.as_ref().is_some_and(|coming| coming.case == closed.case) {
            self.state.coming = None;
        }
        let record = ClosedCase {
            outcome: closed.outcome,
            filed_at: case.filed_at,
            wallet: case.wallet().cloned(),
            entries: case.entries,
        };
        self.state.closed.insert(closed.case, record);
        Ok(())
    }

    /// A reverted or replaced transfer cost its fee only.
    fn settle_fee(&mut self, closed: &Closed, entry: &Entry) {
        let is_told = closed.finality.as_ref().map(|fact| &fact.body.fact);
        if matches!(is_told, Some(Fact::Finality { .. })) {
            let charges = self.fee_of(closed);
            self.state.usage.settle_at_most(&closed.case, &charges, entry.at);
        }
    }

    /// The fee that a closing tells of, in the chain's own coin; nothing where it tells of none.
    pub(crate) fn fee_of(&self, closed: &Closed) -> Vec<Charge> {
        let fact = closed.finality.as_ref().map(|fact| &fact.body.fact);
        let Some(Fact::Finality { chain, fee, .. }) = fact else { return Vec::new() };
        let coin = self.policy.coin(chain).map(|info| info.asset.clone());
        coin.map(|asset| Charge { asset, amount: *fee }).into_iter().collect()
    }

    fn check_closing(&self, case: &Case, closed: &Closed, entry: &Entry) -> Result<(), Refusal> {
        let on_chain =
            matches!(closed.outcome, Outcome::Settled | Outcome::Reverted | Outcome::Replaced);
        let silent = closed.txid.is_none()
            && closed.amount.is_none()
            && closed.fee.is_none()
            && closed.finality.is_none();
        need(on_chain || silent, "it tells of a transaction where there is none")?;
        let idle = !case.may_be_signed(&self.charter);
        let denied = case.judged.as_ref().is_some_and(|judged| judged.judgment.is_deny());
        match closed.outcome {
            Outcome::Settled | Outcome::Reverted | Outcome::Replaced => {
                self.check_finality(case, closed, entry)
            }
            Outcome::Refused => need(
                idle && (denied || case.state != State::AwaitJudgment),
                "a signature may exist",
            ),
            Outcome::Aborted => need(idle, "a signature may exist"),
            Outcome::Rejected => {
                let no = case.is_rejected();
                need(no && case.drafts.is_empty(), "no approver of the case has said no")
            }
            Outcome::Expired => {
                let waits = case.drafts.is_empty() || idle;
                need(waits && entry.at >= case.expires_at(), "the case has not expired")
            }
            Outcome::Cancelled => {
                need(case.cancel.is_some() && idle, "nobody may give the case up now")
            }
            Outcome::Done => need(self.is_done(case), "the act of the case has not taken effect"),
        }
    }

    /// Whether an administrative case has had its effect, as the state shows.
    fn is_done(&self, case: &Case) -> bool {
        if case.judged.as_ref().is_none_or(|judged| judged.judgment.is_deny()) {
            return false;
        }
        match &case.intent.action {
            Action::Transfer(_) => false,
            Action::Cancel { case: target } => {
                let open = self.case(target);
                open.is_none() || open.is_some_and(|target| target.cancel == Some(case.id))
            }
            Action::OpenWallet(open) => self
                .wallet(&open.wallet)
                .is_some_and(|w| w.case == case.id && !w.accounts.is_empty()),
            Action::ChangePolicy { policy } => self.policy.document() == policy.as_ref(),
            Action::ChangeCharter { charter } => self.charter == **charter,
            Action::IssueCredential { credential } => {
                self.credential(&credential.credential).is_some()
            }
            Action::RevokeCredential { credential } => {
                self.credential(credential).is_none_or(|a| a.revoked)
            }
            Action::ListAddress { account, .. } => self.state.listed.contains_key(account),
            Action::RemoveAddress { account } => !self.state.listed.contains_key(account),
            Action::Delegate { .. } | Action::EndDelegation { .. } => self.is_delegation_done(case),
            Action::Freeze { scope } => self.state.freezes.values().any(|frozen| frozen == scope),
            Action::Unfreeze { lifts, .. } => {
                lifts.iter().all(|freeze| self.state.lifted.contains(freeze))
            }
        }
    }

    /// After a secret-dependent message may have left, only finality of the nonce closes the case, on the word of a source
    /// that the charter names. Where it names none, only the outcome that tightens (spent) is believed.
    fn check_finality(&self, case: &Case, closed: &Closed, entry: &Entry) -> Result<(), Refusal> {
        need(
            !case.signed.is_empty() || case.may_be_signed(&self.charter),
            "nothing was signed for the case",
        )?;
        let named =
            self.charter.sources.iter().any(|seat| seat.kinds.contains(&FactKind::Finality));
        let Some(fact) = &closed.finality else {
            let ours = closed.txid.as_ref().is_some_and(|txid| self.moved_by(case, txid));
            let says = closed.amount == case.transfer().map(|t| t.amount) && closed.fee.is_none();
            let tightens = !named && closed.outcome == Outcome::Settled && ours && says;
            return need(tightens, "finality is not a source's signed word");
        };
        self.check_fact(fact, entry.at, None)?;
        let (fate, txid) = self.fate(case, fact)?;
        let outcome = match fate {
            Fate::Settled => Outcome::Settled,
            Fate::Reverted => Outcome::Reverted,
            Fate::Replaced => Outcome::Replaced,
        };
        need(closed.outcome == outcome, "the outcome is not what the source says")?;
        let Fact::Finality { fee, .. } = &fact.body.fact else {
            return Err(void("the fact is not about finality"));
        };
        let moved = case.transfer().filter(|_| outcome == Outcome::Settled).map(|t| t.amount);
        need(
            closed.txid.as_ref() == Some(txid)
                && closed.fee == Some(*fee)
                && closed.amount == moved,
            "transaction, amount or fee is not what the source says",
        )
    }

    /// What a finality fact says of a case: right account and nonce, deep enough, and consistent with what was signed.
    pub(crate) fn fate<'a>(
        &self,
        case: &Case,
        fact: &'a SignedFact,
    ) -> Result<(Fate, &'a String), Refusal> {
        let Fact::Finality { chain, account, nonce, txid, depth, fate, .. } = &fact.body.fact
        else {
            return Err(void("the fact is not about finality"));
        };
        let live = case.live_draft().ok_or_else(|| void("there is no draft"))?;
        let about = live.chain == *chain && live.account == *account && live.nonce == *nonce;
        need(about, "the fact is about another nonce")?;
        need(
            *depth >= self.charter.finality_depth,
            "the transaction is not deep enough to be final",
        )?;
        let transfer = self.moved_by(case, txid);
        let consistent = match fate {
            Fate::Settled | Fate::Reverted => transfer,
            // Replaced by a stranger's transaction, or by our own empty one.
            Fate::Replaced => !transfer,
        };
        need(consistent, "the fact does not fit what was signed")?;
        Ok((*fate, txid))
    }

    /// Whether this transaction was signed for the case and carries out its transfer.
    fn moved_by(&self, case: &Case, txid: &str) -> bool {
        case.signed.iter().any(|signed| signed.txid == txid && case.moves(&signed.draft))
    }
}
