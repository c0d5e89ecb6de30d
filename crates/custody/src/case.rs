//! One intent in motion, from filing to receipt.

use std::collections::{BTreeMap, BTreeSet};

use quorate_policy::Policy;
use quorate_terms::approval::{Approval, Verdict};
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::delegation::Delegation;
use quorate_terms::entry::{Judged, Outcome, Party, Stage, Warranted};
use quorate_terms::intent::{Action, Intent, Transfer};
use quorate_terms::quorum::{Quorum, Tally, Vote};
use quorate_terms::{
    ApproverId, CaseId, CosignerId, DelegationId, Digest, PersonId, QuorumName, Timestamp, WalletId,
};
use serde::{Deserialize, Serialize};

use crate::delegation::StoodIn;
use crate::nearing::Nearing;

/// What a case awaits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Filed, and judged by the very next entry.
    AwaitJudgment,
    /// People must agree.
    AwaitApprovals,
    /// Nobody need agree any more; an administrative act is due.
    AwaitAct,
    /// One snapshot of the chain is needed to draft the bytes.
    AwaitSnapshot,
    /// The cosigners are to sign the live draft.
    AwaitSignature,
    /// The cosigners are to generate a key.
    AwaitCeremony,
    /// The signed bytes are to be published.
    AwaitBroadcast,
    /// The chain is to make it final.
    AwaitConfirmation,
    /// A charter waits for its delay.
    AwaitDelay,
    /// Over.
    Closed(Outcome),
}

/// One intent in motion.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Its name: the intent's digest.
    pub id: CaseId,
    /// What is wanted.
    pub intent: Intent,
    /// What it awaits.
    pub state: State,
    /// When it was filed, by the book.
    pub filed_at: Timestamp,
    /// The judgment, once there is one.
    pub judged: Option<Judged>,
    /// Everyone's own latest word.
    pub approvals: BTreeMap<ApproverId, Approval>,
    /// The latest word of each stand-in, by the seat that it is for, unless its delegation was ended before its time.
    pub stand_ins: BTreeMap<ApproverId, StoodIn>,
    /// The drafts in order; the last is the live one.
    pub drafts: Vec<Warranted>,
    /// What has been signed: draft, transaction id, transaction bytes (hex).
    pub signed: Vec<SignedDraft>,
    /// How far the chain has it.
    pub stage: Option<Stage>,
    /// Cosigners that said they sent nothing secret-dependent for the live draft.
    pub refused_by: BTreeSet<CosignerId>,
    /// How often a run failed.
    pub aborts: u32,
    /// The cancel intent that asks to give this case up.
    pub cancel: Option<CaseId>,
    /// How near its end people were reminded of it, if they were.
    pub reminded: Option<Nearing>,
    /// Indices of the entries about this case.
    pub entries: Vec<u64>,
}

/// A draft that the cosigners signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedDraft {
    /// Digest of the draft.
    pub draft: Digest,
    /// The transaction id.
    pub txid: String,
    /// The signed transaction, lower-case hex.
    pub transaction: String,
}

impl Case {
    /// A case that has just been filed.
    pub(crate) fn new(id: CaseId, intent: Intent, at: Timestamp, index: u64) -> Self {
        Self {
            id,
            intent,
            state: State::AwaitJudgment,
            filed_at: at,
            judged: None,
            approvals: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
            drafts: Vec::new(),
            signed: Vec::new(),
            stage: None,
            refused_by: BTreeSet::new(),
            aborts: 0,
            cancel: None,
            reminded: None,
            entries: vec![index],
        }
    }

    /// Whether it is still open.
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// The transfer, where the intent is one.
    pub const fn transfer(&self) -> Option<&Transfer> {
        match &self.intent.action {
            Action::Transfer(transfer) => Some(transfer),
            _ => None,
        }
    }

    /// The wallet that it concerns: the one it spends from, or the one it opens.
    pub const fn wallet(&self) -> Option<&WalletId> {
        match &self.intent.action {
            Action::Transfer(transfer) => Some(&transfer.wallet),
            Action::OpenWallet(open) => Some(&open.wallet),
            _ => None,
        }
    }

    /// The draft that may be signed now.
    pub fn live_draft(&self) -> Option<&Warranted> {
        self.drafts.last()
    }

    /// The policy under which it was judged.
    pub fn policy(&self) -> Option<Digest> {
        self.judged.as_ref().map(|judged| judged.policy)
    }

    /// The quorums that must agree.
    pub fn quorums(&self) -> BTreeSet<QuorumName> {
        self.judged.as_ref().map(|judged| judged.judgment.quorums()).unwrap_or_default()
    }

    /// When it lapses unless signing has begun.
    pub fn expires_at(&self) -> Timestamp {
        self.judged.as_ref().map_or(self.filed_at, |judged| judged.expires_at)
    }

    /// Every required quorum, counted at `now`. One count for all who ask: desk, cosigners, views.
    pub fn tallies(&self, charter: &CharterText, policy: &Policy, now: Timestamp) -> Vec<Tally> {
        let votes = self.votes(charter, now);
        let requester = self.intent.requester.person();
        self.quorums()
            .iter()
            .map(|name| match quorum(charter, policy, name) {
                Some(quorum) => quorum.tally(&votes, requester, now),
                None => Tally {
                    quorum: name.clone(),
                    need: u32::MAX,
                    counted: BTreeSet::new(),
                    parties: None,
                },
            })
            .collect()
    }

    /// Whether every required quorum has agreed at `now`.
    pub fn is_agreed(&self, charter: &CharterText, policy: &Policy, now: Timestamp) -> bool {
        self.judged.as_ref().is_some_and(|judged| !judged.judgment.is_deny())
            && self.tallies(charter, policy, now).iter().all(Tally::is_met)
    }

    /// Whether a signature over one of its drafts may exist or come to exist.
    pub fn may_be_signed(&self, charter: &CharterText) -> bool {
        if !self.signed.is_empty() {
            return true;
        }
        let seats = charter.cosigners.len();
        let able = seats.saturating_sub(self.refused_by.len());
        !self.drafts.is_empty() && able >= usize::from(charter.threshold)
    }

    /// Every signed transaction, and whether it carries out the intent rather than giving it up.
    pub fn signed_moves(&self) -> Vec<(String, bool)> {
        self.signed.iter().map(|signed| (signed.txid.clone(), self.moves(&signed.draft))).collect()
    }

    /// Whether one of its drafts carries out the transfer, rather than giving it up.
    pub(crate) fn moves(&self, draft: &Digest) -> bool {
        let Some(known) = self.drafts.iter().find(|known| known.draft == *draft) else {
            return false;
        };
        let bytes = hex::decode(&known.bytes).unwrap_or_default();
        let Ok(read) = quorate_chains::read_back(&known.chain, &bytes) else { return false };
        self.transfer().is_some_and(|t| quorate_chains::carries_out(read.meaning(), t).is_ok())
    }

    /// Whether the book holds a signature that carries out the transfer: then no later draft of the case can move more.
    pub fn is_carried_out(&self) -> bool {
        self.signed.iter().any(|signed| self.moves(&signed.draft))
    }

    /// At most one vote for each seat: its own word if there is one in force, whichever came first; otherwise its stand-in's,
    /// on a transfer within the delegation's limit, until word or delegation lapses. This is the one tally's only source.
    pub fn votes(&self, charter: &CharterText, now: Timestamp) -> Vec<Vote> {
        let seats: BTreeSet<_> = self.approvals.keys().chain(self.stand_ins.keys()).collect();
        let seats = seats.into_iter().filter_map(|approver| charter.approver(approver));
        seats.filter_map(|seat| self.vote(charter, seat, now)).collect()
    }

    fn vote(&self, charter: &CharterText, seat: &ApproverSeat, now: Timestamp) -> Option<Vote> {
        if let Some(said) = self.own_word(seat, now) {
            let (person, until) = (seat.person.clone(), said.body.expires_at);
            return vote(charter, said, person, until);
        }
        // One person is back, in whichever seat: nobody speaks for whoever speaks.
        let mut seats = charter.approvers.iter().filter(|other| other.person == seat.person);
        let is_back = seats.any(|other| self.own_word(other, now).is_some());
        let asked = self.intent.requester.person() == Some(&seat.person);
        let stood = self.stand_ins.get(&seat.approver).filter(|_| !is_back && !asked)?;
        let delegation = &stood.delegation;
        let stands = delegation.seat == seat.approver
            && delegation.stands_at(now)
            && delegation.stand_in.holds(&stood.approval.body.credential)
            && delegation.covers(self.transfer()?);
        let person = delegation.stand_in.person.clone();
        vote(charter, &stood.approval, person, stood.expires_at()).filter(|_| stands)
    }

    /// What a seat's own person said, if it is in force at `now`.
    fn own_word(&self, seat: &ApproverSeat, now: Timestamp) -> Option<&Approval> {
        let said = self.approvals.get(&seat.approver)?;
        let in_force = seat.holds(&said.body.credential) && said.body.expires_at > now;
        in_force.then_some(said)
    }

    /// The case without what was said under delegations that a party knows to have ended.
    #[must_use]
    pub(crate) fn without(&self, ended: impl Fn(&DelegationId) -> bool) -> Self {
        let mut case = self.clone();
        case.stand_ins.retain(|_, said| !ended(&said.delegation.id));
        case
    }

    /// Keeps a word in its place: the seat's own, or that of whoever stands in for it.
    pub(crate) fn keep(&mut self, approval: Approval, stood: Option<Delegation>) {
        let approver = approval.body.approver.clone();
        match stood {
            Some(delegation) => {
                self.stand_ins.insert(approver, StoodIn { approval, delegation });
            }
            None => {
                self.approvals.insert(approver, approval);
            }
        }
    }

    /// Whether somebody said no.
    pub(crate) fn is_rejected(&self) -> bool {
        let stood = self.stand_ins.values().map(|said| &said.approval);
        let mut words = self.approvals.values().chain(stood);
        words.any(|word| word.body.verdict == Verdict::Reject)
    }
}

/// A yes as the tally sees it; none for a no.
fn vote(
    charter: &CharterText,
    said: &Approval,
    person: PersonId,
    expires_at: Timestamp,
) -> Option<Vote> {
    (said.body.verdict == Verdict::Approve).then(|| Vote {
        approver: said.body.approver.clone(),
        person,
        party: said.party(charter).map(str::to_owned),
        expires_at,
    })
}

/// A quorum by name: the charter's own, or one of the policy's.
pub fn quorum<'a>(
    charter: &'a CharterText,
    policy: &'a Policy,
    name: &QuorumName,
) -> Option<&'a Quorum> {
    if charter.governance.name == *name {
        return Some(&charter.governance);
    }
    policy.document().quorums.iter().find(|quorum| quorum.name == *name)
}

/// What a case of this action awaits once nobody need agree any more.
pub(crate) const fn after_agreement(action: &Action) -> State {
    match action {
        Action::Transfer(_) => State::AwaitSnapshot,
        Action::OpenWallet(_) => State::AwaitCeremony,
        _ => State::AwaitAct,
    }
}

/// The name of a party, as alerts and tables show it.
pub fn party_name(party: &Party) -> String {
    match party {
        Party::Desk => "desk".to_owned(),
        Party::Cosigner { cosigner } => format!("cosigner:{cosigner}"),
    }
}
