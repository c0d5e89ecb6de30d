//! One intent in motion, from filing to receipt.

use std::collections::{BTreeMap, BTreeSet};

use quorate_policy::Policy;
use quorate_terms::approval::{Approval, Verdict};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Judged, Outcome, Party, Stage, Warranted};
use quorate_terms::intent::{Action, Intent, Transfer};
use quorate_terms::quorum::{Quorum, Tally, Vote};
use quorate_terms::{ApproverId, CaseId, CosignerId, Digest, QuorumName, Timestamp, WalletId};
use serde::{Deserialize, Serialize};

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
    /// Everyone's latest word.
    pub approvals: BTreeMap<ApproverId, Approval>,
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
        let votes: Vec<Vote> = self.votes(charter);
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

    fn votes(&self, charter: &CharterText) -> Vec<Vote> {
        let yes = |a: &&Approval| a.body.verdict == Verdict::Approve;
        self.approvals
            .values()
            .filter(yes)
            .filter_map(|approval| {
                let seat = charter.approver(&approval.body.approver)?;
                seat.holds(&approval.body.credential).then(|| Vote {
                    approver: seat.approver.clone(),
                    person: seat.person.clone(),
                    party: approval.party(charter).map(str::to_owned),
                    expires_at: approval.body.expires_at,
                })
            })
            .collect()
    }
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
