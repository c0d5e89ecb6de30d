//! The life of a case, entry by entry.

use std::collections::BTreeSet;

use quorate_chains::{Draft, Effect as OnChain};
use quorate_terms::approval::{Approval, ApprovalBody, NotSeated, Proof, Verdict};
use quorate_terms::canonical::Term;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::Delegation;
use quorate_terms::entry::{
    Approved, Broadcast, CancelAsked, Entry, Filed, Judged, Party, Refused, RunAborted, Signed,
    TransferObserved, Warranted,
};
use quorate_terms::intent::{Action, Requester};
use quorate_terms::judgment::Judgment;
use quorate_terms::{CaseId, CosignerId, CredentialId, Timestamp};

use super::{need, same, void};
use crate::book::Book;
use crate::case::{Case, SignedDraft, State, after_agreement, quorum};
use crate::delegation::Voice;
use crate::limits;
use crate::refusal::Refusal;
use crate::rulings::Outside;

impl Book {
    pub(super) fn fold_filed(&mut self, filed: &Filed, entry: &Entry) -> Result<(), Refusal> {
        let intent = &filed.intent;
        need(
            intent.v == 1 && intent.vault == self.charter.vault,
            "the intent is for another vault",
        )?;
        same(&filed.case.intent(), &intent.digest()?, "the case is not the intent's digest")?;
        need(!self.state.cases.contains_key(&filed.case), "the case is open already")?;
        need(!self.state.closed.contains_key(&filed.case), "the case was closed before")?;
        let key = (intent.requester.clone(), intent.key.clone());
        need(
            !self.state.keys.contains_key(&key),
            "the requester used this key for another intent",
        )?;
        if let Requester::Agent { agent, credential } = &intent.requester {
            let admitted = self.credential(credential);
            let own = admitted.is_some_and(|a| !a.revoked && a.credential.agent == *agent);
            need(own, "the agent has no such live credential")?;
        }
        let case = Case::new(filed.case, intent.clone(), entry.at, entry.index);
        self.state.keys.insert(key, filed.case);
        self.state.put(case);
        self.state.awaiting_judgment = Some(filed.case);
        Ok(())
    }

    pub(super) fn fold_judged(&mut self, judged: &Judged, entry: &Entry) -> Result<(), Refusal> {
        need(self.state.awaiting_judgment == Some(judged.case), "nothing was filed to be judged")?;
        let intent = self.open_case(&judged.case)?.intent.clone();
        let outside = Outside { facts: &judged.facts, screening: &judged.counterparty_check };
        let exclude = Some(judged.case);
        let ruled = self.rule_over(&intent, &outside, entry.at, &self.state.usage, exclude)?;
        let expected = self.judged_as(&intent, &outside, entry.at, ruled.clone())?;
        need(expected == *judged, "the judgment is not the one that this party would have given")?;
        if !judged.judgment.is_deny()
            && let Some(claim) = ruled.ruling.claim
        {
            self.state.usage.reserve(judged.case, claim, entry.at);
        }
        self.state.awaiting_judgment = None;
        let case = self.case_mut(&judged.case, entry.index)?;
        case.state = match judged.judgment {
            Judgment::Allow { .. } => after_agreement(&case.intent.action),
            Judgment::Require { .. } => State::AwaitApprovals,
            Judgment::Deny { .. } => State::AwaitAct,
        };
        case.judged = Some(judged.clone());
        Ok(())
    }

    /// Everything that must hold of an approval, wherever it is met: at the desk's door, in replay, on the way to a warrant.
    ///
    /// # Errors
    /// [`Refusal`] that says which of them does not.
    pub fn check_approval(&self, approval: &Approval, at: Timestamp) -> Result<&Case, Refusal> {
        let body = &approval.body;
        let refuse = |code: &str, why: &str, next: &str| Err(Refusal::new(code, why, next));
        let Some(case) = self.case(&CaseId::of_intent(body.intent)) else {
            return refuse(
                "unknown_case",
                "no open case has this intent",
                "run `quorate-approvals list`",
            );
        };
        let voice = self.check_voice(approval)?;
        self.check_word(case, body, at)?;
        if let Some(granted) = &voice.granted {
            self.check_stand_in(granted, case, approval, at)?;
        }
        // Nobody's own request is agreed to by whoever stands in for that person either.
        let asked = case.intent.requester.person();
        if asked == Some(&voice.seat.person) || asked == Some(&voice.holder) {
            return refuse(
                "own_request",
                "nobody approves a request of one's own",
                "ask another approver",
            );
        }
        let quorums = case.quorums();
        let member = quorums
            .iter()
            .filter_map(|name| quorum(&self.charter, &self.policy, name))
            .any(|quorum| quorum.members.contains(&body.approver));
        if !member {
            return refuse(
                "not_a_member",
                "the approver is in none of the required quorums",
                "ask a member",
            );
        }
        self.check_first(case, &voice, approval, at)?;
        Ok(case)
    }

    /// Whoever spoke may speak again once that word has lapsed, and not before; but for a party that is still missing. A
    /// stand-in has nothing to add where the seat itself has spoken; the seat may always speak after its stand-in.
    fn check_first(
        &self,
        case: &Case,
        voice: &Voice,
        approval: &Approval,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal::new("duplicate", why, "ask another approver"));
        let approver = &approval.body.approver;
        let own = case.approvals.get(approver).filter(|said| said.body.expires_at > at);
        let stood = case.stand_ins.get(approver).filter(|said| said.expires_at() > at);
        let said = match (&voice.granted, own, stood) {
            (Some(_), Some(_), _) => return refuse("the seat itself has spoken already"),
            (Some(_), None, stood) => stood.map(|said| &said.approval),
            (None, own, _) => own,
        };
        if said.is_some_and(|said| !self.brings_party(case, said, approval)) {
            return refuse("this approver has spoken already");
        }
        Ok(())
    }

    /// Whether a second yes brings the first a party where a quorum demands some: said with a file, and now at a view.
    fn brings_party(&self, case: &Case, said: &Approval, again: &Approval) -> bool {
        let yes = [said, again].iter().all(|word| word.body.verdict == Verdict::Approve);
        let parties = [said, again].map(|word| word.party(&self.charter));
        let quorums = case.quorums();
        let mut asked = quorums.iter().filter_map(|name| quorum(&self.charter, &self.policy, name));
        let demanded = asked.any(|quorum| {
            quorum.parties.is_some() && quorum.members.contains(&again.body.approver)
        });
        yes && demanded && matches!(parties, [None, Some(_)])
    }

    /// Whoever signed, for a seat: right vault, credential and signature.
    fn check_voice(&self, approval: &Approval) -> Result<Voice, Refusal> {
        let body = &approval.body;
        let refuse = |code: &str, why: &str, next: &str| Err(Refusal::new(code, why, next));
        let Some(voice) = self.voice(body) else {
            return refuse(
                "no_seat",
                "the charter seats no such approver",
                "approve with a seated key",
            );
        };
        if body.v != 1 || body.vault != self.charter.vault {
            let why = "the approval names another vault or version";
            return refuse("wrong_vault", why, "approve again");
        }
        match approval.check_seat(&self.charter, &voice.seat) {
            Ok(None) => Ok(voice),
            Ok(Some(counter)) => {
                self.check_counter(&voice.seat, &body.credential, counter)?;
                Ok(voice)
            }
            Err(NotSeated::Credential) => {
                let why = "the seat holds no such credential";
                refuse("wrong_credential", why, "approve with a credential of the seat")
            }
            Err(NotSeated::Signature) => {
                let why = "the signature is not the approver's";
                refuse("bad_signature", why, "approve with the seated key")
            }
            Err(NotSeated::Malformed(why)) => Err(why.into()),
        }
    }

    /// Whether a passkey counts onwards. One that counts back, or no longer counts, may be a copy (WebAuthn section 6.1.1).
    fn check_counter(
        &self,
        seat: &ApproverSeat,
        credential: &CredentialId,
        counter: u32,
    ) -> Result<(), Refusal> {
        let key = seat.passkey(credential).map(|passkey| passkey.key);
        let last = key.and_then(|key| self.state.counters.get(&key).copied()).unwrap_or(0);
        if (counter, last) == (0, 0) || counter > last {
            return Ok(());
        }
        let why = format!("the passkey counted {counter} after {last}: it may have been copied");
        let next = "approve again; if it happens twice, freeze and have the passkey replaced";
        Err(Refusal::new("counter_went_back", why, next))
    }

    /// Whether a word comes when it is awaited, under the policy in force, and lives no longer than that allows.
    fn check_word(&self, case: &Case, body: &ApprovalBody, at: Timestamp) -> Result<(), Refusal> {
        let refuse = |code: &str, why: &str, next: &str| Err(Refusal::new(code, why, next));
        if case.state != State::AwaitApprovals {
            return refuse("not_awaited", "the case awaits no approval", "nothing needs doing");
        }
        if case.policy() != Some(body.policy) || body.policy != self.policy.digest() {
            return refuse(
                "old_policy",
                "the approval is under another policy",
                "have the requester file the intent again",
            );
        }
        if body.expires_at <= at {
            return refuse("expired", "the approval has lapsed", "approve again");
        }
        if at >= case.expires_at() {
            return refuse("case_expired", "the case has expired", "have it filed again");
        }
        let longest = self.policy.document().limits.approval_ttl_s;
        if body.issued_at > at.plus_s(limits::CLOCK_SKEW_MAX_S)
            || body.expires_at > body.issued_at.plus_s(longest)
        {
            return refuse(
                "too_long",
                "the approval lives longer than the policy allows",
                "approve with a shorter life",
            );
        }
        Ok(())
    }

    pub(super) fn fold_approved(
        &mut self,
        approved: &Approved,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.check_approval(&approved.approval, entry.at)?;
        let expected = self.approved(case, &approved.approval)?;
        need(expected == *approved, "the entry does not say what the approval says")?;
        let id = case.id;
        let reject = approved.verdict == Verdict::Reject;
        let stood = self.stood(&approved.approval);
        self.count(&approved.approval);
        self.case_mut(&id, entry.index)?.keep(approved.approval.clone(), stood);
        let case = self.open_case(&id)?;
        if reject || !case.is_agreed(&self.charter, &self.policy, entry.at) {
            return Ok(());
        }
        let next = after_agreement(&case.intent.action);
        if let Some(case) = self.state.cases.get_mut(&id) {
            case.state = next;
        }
        Ok(())
    }

    /// The delegation under which a word was given, where a stand-in gave it.
    pub(crate) fn stood(&self, approval: &Approval) -> Option<Delegation> {
        self.voice(&approval.body)?.granted.map(|granted| granted.delegation)
    }

    /// Remembers how far the passkey of an approval that counts has counted.
    fn count(&mut self, approval: &Approval) {
        let seat = self.voice(&approval.body).map(|voice| voice.seat);
        let passkey = seat.as_ref().and_then(|seat| seat.passkey(&approval.body.credential));
        if let (Some(passkey), Proof::Passkey { assertion, .. }) = (passkey, &approval.proof)
            && let Some(counter) = assertion.counter()
        {
            self.state.counters.insert(passkey.key, counter);
        }
    }

    /// The entry for an approval.
    pub(crate) fn approved(&self, case: &Case, approval: &Approval) -> Result<Approved, Refusal> {
        let body = &approval.body;
        let seat = self.voice(body).ok_or_else(|| void("no such seat"))?.seat;
        Ok(Approved {
            case: case.id,
            intent: body.intent,
            policy: body.policy,
            approver: body.approver.clone(),
            credential: body.credential.clone(),
            verdict: body.verdict,
            device: seat.device,
            display_digest: body.display,
            user_verified: true,
            expires_at: body.expires_at,
            approval: approval.clone(),
        })
    }

    /// Everything that must hold of draft bytes for a case, whoever made them.
    ///
    /// # Errors
    /// [`Refusal`] that says which of them does not.
    pub fn check_draft(&self, case: &Case, draft: &Draft) -> Result<(), Refusal> {
        let refuse = |code: &str, why: &str| {
            Err(Refusal::new(code, why, "draft again from a fresh snapshot of the chain"))
        };
        let meaning = draft.meaning();
        let Some(transfer) = case.transfer() else {
            return refuse("no_transfer", "the case is not a transfer");
        };
        let wallet = self.wallet(&transfer.wallet);
        let Some(account) = wallet.and_then(|w| w.accounts.get(&meaning.chain)) else {
            return refuse("wrong_chain", "the wallet is not open on this chain");
        };
        quorate_chains::leaves(meaning, account)?;
        quorate_chains::leaves(meaning, account)?;
        match (meaning.effect == OnChain::SelfSend, case.cancel.is_some()) {
            (true, true) if !case.drafts.is_empty() => {}
            (true, _) => {
                let why = "an empty transfer to oneself is no part of this case";
                return refuse("wrong_meaning", why);
            }
            (false, true) => return refuse("given_up", "the case was given up"),
            (false, false) if case.aborts >= limits::ABORTS_PER_CASE_MAX => {
                let next = "look at the alert, cancel the case and file it again";
                return Err(Refusal::new("repeated_abort", "its runs failed too often", next));
            }
            (false, false) => quorate_chains::carries_out(meaning, transfer)?,
        }
        if meaning.chain != transfer.asset.chain() || meaning.fee_max > transfer.fee_ceiling {
            return refuse(
                "fee_above_ceiling",
                "the chain or the largest fee is not what was agreed",
            );
        }
        let taken = self.case_of_nonce(account, meaning.nonce).filter(|id| *id != case.id);
        if taken.is_some() {
            return refuse("nonce_taken", "another case's live draft uses this nonce");
        }
        match case.drafts.first() {
            Some(first) if first.nonce != meaning.nonce || first.account != *account => {
                refuse("second_draft", "a second draft must conflict with the first on chain")
            }
            Some(_) if case.drafts.len() >= limits::DRAFTS_PER_CASE_MAX => {
                refuse("too_many_drafts", "the case has had too many drafts")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn fold_warranted(
        &mut self,
        warranted: &Warranted,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.open_case(&warranted.case)?;
        let first = case.state == State::AwaitSnapshot;
        let again = matches!(
            case.state,
            State::AwaitSignature | State::AwaitBroadcast | State::AwaitConfirmation
        );
        need(first || (again && !case.drafts.is_empty()), "the case awaits no draft")?;
        let agreed = case.is_agreed(&self.charter, &self.policy, entry.at) || !first;
        need(agreed, "the required quorums have not agreed")?;
        need(!first || entry.at < case.expires_at(), "the case has expired")?;
        let current = case.policy() == Some(self.policy.digest());
        need(!first || current, "it was judged under another policy")?;
        let bytes = hex::decode(&warranted.bytes).map_err(|_| void("the bytes are not hex"))?;
        let draft = quorate_chains::read_back(&warranted.chain, &bytes)?;
        self.check_draft(case, &draft)?;
        let expected = self.warranted(case, &draft)?;
        need(expected == *warranted, "the entry does not say what the bytes say")?;
        let nonce = (warranted.account.clone(), warranted.nonce);
        self.state.nonces.insert(nonce, warranted.case);
        let case = self.case_mut(&warranted.case, entry.index)?;
        case.drafts.push(warranted.clone());
        case.refused_by.clear();
        case.state = State::AwaitSignature;
        Ok(())
    }

    /// The desk's entry for a draft.
    pub(crate) fn warranted(&self, case: &Case, draft: &Draft) -> Result<Warranted, Refusal> {
        let meaning = draft.meaning();
        let transfer = case.transfer().ok_or_else(|| void("the case is not a transfer"))?;
        let wallet =
            self.wallet(&transfer.wallet).ok_or_else(|| void("there is no such wallet"))?;
        let account = wallet.accounts.get(&meaning.chain).ok_or_else(|| void("wrong chain"))?;
        Ok(Warranted {
            case: case.id,
            party: Party::Desk,
            draft: draft.digest(),
            bytes: hex::encode(draft.bytes()),
            chain: meaning.chain.clone(),
            decoders: vec![quorate_chains::DECODER.to_owned()],
            decoded_intent: case.id.intent(),
            account: account.clone(),
            nonce: meaning.nonce,
            fee_max: meaning.fee_max,
            replaces: case.live_draft().map(|live| live.draft),
        })
    }

    pub(super) fn fold_refused(&mut self, refused: &Refused, entry: &Entry) -> Result<(), Refusal> {
        let Party::Cosigner { cosigner } = &refused.party else {
            return self.case_mut(&refused.case, entry.index).map(|_| ());
        };
        need(self.charter.cosigner(cosigner).is_some(), "no such cosigner has a seat")?;
        let case = self.case_mut(&refused.case, entry.index)?;
        if !refused.left {
            case.refused_by.insert(cosigner.clone());
        }
        Ok(())
    }

    pub(super) fn fold_signed(&mut self, signed: &Signed, entry: &Entry) -> Result<(), Refusal> {
        let case = self.open_case(&signed.case)?;
        let awaited = matches!(case.state, State::AwaitSignature);
        need(awaited, "the case awaits no signature")?;
        let live = case.live_draft().ok_or_else(|| void("there is no draft"))?;
        same(&live.draft, &signed.draft, "the signature is over another draft")?;
        let bytes = hex::decode(&live.bytes).map_err(|_| void("the bytes are not hex"))?;
        let draft = quorate_chains::read_back(&live.chain, &bytes)?;
        let raw = hex::decode(&signed.signature).unwrap_or_default();
        let (rs, recovery) = split(&raw).ok_or_else(|| void("the signature is not 65 bytes"))?;
        let expected = self.signed(case, &draft, rs, recovery)?;
        let claimed = Signed {
            session: expected.session,
            cosigners: expected.cosigners.clone(),
            checkpoint_size: expected.checkpoint_size,
            library: expected.library.clone(),
            ..signed.clone()
        };
        need(claimed == expected, "the entry does not say what the signature says")?;
        self.check_parties(&signed.cosigners)?;
        let case = self.case_mut(&signed.case, entry.index)?;
        case.signed.push(SignedDraft {
            draft: signed.draft,
            txid: signed.txid.clone(),
            transaction: signed.transaction.clone(),
        });
        case.state = State::AwaitBroadcast;
        self.state.txids.insert(signed.txid.clone(), signed.case);
        Ok(())
    }

    /// Whether these cosigners can have made a signature.
    pub(crate) fn check_parties(&self, parties: &BTreeSet<CosignerId>) -> Result<(), Refusal> {
        need(parties.len() >= usize::from(self.charter.threshold), "too few cosigners took part")?;
        let seated = parties.iter().all(|c| self.charter.cosigner(c).is_some());
        need(seated, "a stranger took part")
    }

    pub(super) fn fold_broadcast(
        &mut self,
        broadcast: &Broadcast,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let signed = &self.open_case(&broadcast.case)?.signed;
        let ours = signed.iter().any(|signed| signed.txid == broadcast.txid);
        need(ours, "the transaction is not one that was signed for the case")?;
        let case = self.case_mut(&broadcast.case, entry.index)?;
        if case.state == State::AwaitBroadcast {
            case.state = State::AwaitConfirmation;
        }
        Ok(())
    }

    pub(super) fn fold_observed(
        &mut self,
        seen: &TransferObserved,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let Some(id) = seen.case else { return Ok(()) };
        let case = self.open_case(&id)?;
        need(!case.signed.is_empty(), "nothing was signed for the case")?;
        let ours = case.transfer().is_some_and(|transfer| {
            seen.wallet == transfer.wallet
                && seen.asset == transfer.asset
                && seen.chain == transfer.asset.chain()
                && seen.amount == transfer.amount
                && seen.counterparty == transfer.to
        });
        need(ours, "it is not the case's transfer that was seen")?;
        let case = self.case_mut(&id, entry.index)?;
        case.stage = Some(seen.stage);
        Ok(())
    }

    pub(super) fn fold_cancel(
        &mut self,
        asked: &CancelAsked,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let by = self.open_case(&asked.by)?;
        let right = matches!(&by.intent.action, Action::Cancel { case } if *case == asked.case);
        let due =
            by.state == State::AwaitAct && by.is_agreed(&self.charter, &self.policy, entry.at);
        need(right && due, "no allowed cancel intent asks for it")?;
        let fresh = self.open_case(&asked.case)?.cancel.is_none();
        need(fresh, "the case was asked to be given up before")?;
        let target = self.case_mut(&asked.case, entry.index)?;
        target.cancel = Some(asked.by);
        Ok(())
    }

    pub(super) fn fold_aborted(
        &mut self,
        aborted: &RunAborted,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let Some(id) = aborted.case else { return Ok(()) };
        let case = self.case_mut(&id, entry.index)?;
        case.aborts = case.aborts.saturating_add(1);
        Ok(())
    }
}

/// r and s, and the recovery bit, of a 65-byte signature.
pub(crate) fn split(raw: &[u8]) -> Option<([u8; 64], u8)> {
    let (rs, rest) = raw.split_at_checked(64)?;
    match rest {
        [recovery] => Some((rs.try_into().ok()?, *recovery)),
        _ => None,
    }
}
