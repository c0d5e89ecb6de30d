//! The charter: what a party trusts of its own accord, from its own disk and never from a message.
//!
//! It holds the text that the party accepted, and the party's own record of what it has signed and spent, whom it has
//! barred, and what was frozen at its own door. All of that is folded from the party's *own* ledger.

use std::collections::{BTreeMap, BTreeSet};

use quorate_policy::{Claim, Usage};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Entry, Marked, Party};
use quorate_terms::freeze::Scope;
use quorate_terms::{AccountId, CaseId, DelegationId, Digest, Timestamp, WalletId};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::refusal::Refusal;

/// What a party trusts of its own accord.
#[derive(Clone, Debug)]
pub struct Charter {
    me: Party,
    text: CharterText,
    digest: Digest,
    memory: Memory,
}

/// All that a charter folds from its party's own ledger, so that a party can put it into a snapshot of its own. Equal folds
/// have equal bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    marks: BTreeMap<CaseId, Vec<Marked>>,
    #[serde(with = "pairs")]
    nonces: BTreeMap<(AccountId, u64), CaseId>,
    sessions: BTreeSet<Digest>,
    spent: Usage,
    freezes: BTreeMap<Digest, Scope>,
    lifted: BTreeSet<Digest>,
    barred: BTreeSet<WalletId>,
    /// Delegations that were taken back at this party's own door, whatever the desk says of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    ended: BTreeSet<DelegationId>,
    seen: BTreeMap<Digest, Timestamp>,
    /// Wallets whose shares were made while this party kept this ledger.
    held: BTreeSet<WalletId>,
    /// Wallets whose shares came back without the record of what they signed. Where such a share runs is said at each start,
    /// and that makes no record of it.
    unrecorded: BTreeSet<WalletId>,
    /// Up to when this party may have signed what its ledger does not say, by the clock of the latest restore.
    forgotten_until: Option<Timestamp>,
}

/// A map whose keys are no strings, as a list of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, K, V>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Charter {
    /// The charter of a party that has signed nothing yet.
    ///
    /// # Errors
    /// [`Refusal`] when the text breaks a rule, or seats no such party.
    pub fn new(me: Party, text: CharterText) -> Result<Self, Refusal> {
        use quorate_terms::canonical::Term as _;
        text.check()?;
        if let Party::Cosigner { cosigner } = &me
            && text.cosigner(cosigner).is_none()
        {
            let next = "accept the charter on the machine that it seats";
            return Err(Refusal::new("no_seat", "the charter seats no such cosigner", next));
        }
        let digest = text.digest()?;
        Ok(Self { me, text, digest, memory: Memory::default() })
    }

    /// What was folded so far.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Goes on from what this party folded before. The memory is believed: check the party's own signature over it first.
    #[must_use]
    pub fn recalling(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Whose charter this is.
    pub const fn me(&self) -> &Party {
        &self.me
    }

    /// The text.
    pub const fn text(&self) -> &CharterText {
        &self.text
    }

    /// Its digest, which operators compare out of band.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What this party has signed for a case.
    pub fn marks(&self, case: &CaseId) -> &[Marked] {
        self.memory.marks.get(case).map_or(&[], Vec::as_slice)
    }

    /// The case for which this party has signed with a nonce.
    pub fn case_of_nonce(&self, account: &AccountId, nonce: u64) -> Option<CaseId> {
        self.memory.nonces.get(&(account.clone(), nonce)).copied()
    }

    /// Whether a session was used before.
    pub fn knows_session(&self, session: &Digest) -> bool {
        self.memory.sessions.contains(session)
    }

    /// Everything that this party has signed, as spent, by its own clock. Nothing ever leaves it.
    pub const fn spent(&self) -> &Usage {
        &self.memory.spent
    }

    /// Whether this party has barred a peer for a wallet.
    pub fn is_barred(&self, wallet: &WalletId) -> bool {
        self.memory.barred.contains(wallet)
    }

    /// Whether a delegation was taken back at this party's own door.
    pub fn has_ended(&self, delegation: &DelegationId) -> bool {
        self.memory.ended.contains(delegation)
    }

    /// Freezes at this party's own door.
    pub fn freezes(&self) -> impl Iterator<Item = (&Digest, &Scope)> {
        self.memory.freezes.iter()
    }

    /// The freeze at this party's own door that stops a case, if any.
    pub fn frozen(&self, wallet: Option<&WalletId>, case: Option<&Case>) -> Option<Digest> {
        let agent = case.and_then(|case| case.intent.requester.agent());
        let stops = |scope: &Scope| match scope {
            Scope::Vault => true,
            Scope::Wallet { wallet: frozen } => wallet == Some(frozen),
            Scope::Agent { agent: frozen } => agent == Some(frozen),
        };
        self.memory.freezes.iter().find(|(_, scope)| stops(scope)).map(|(digest, _)| *digest)
    }

    /// Whether this party kept this ledger since its share of the wallet was made.
    pub fn has_held(&self, wallet: &WalletId) -> bool {
        self.memory.held.contains(wallet)
    }

    /// Until when this party may have signed what this ledger does not say: since its latest restore without a record.
    pub const fn forgotten_until(&self) -> Option<Timestamp> {
        self.memory.forgotten_until
    }

    /// When this party first saw an approved charter, by its own clock.
    pub fn first_saw(&self, charter: &Digest) -> Option<Timestamp> {
        self.memory.seen.get(charter).copied()
    }

    /// Takes a charter that came into force by the present one's quorum, after its delay on this party's own clock.
    ///
    /// # Errors
    /// [`Refusal`] when this party has not waited long enough, whatever the book's times say.
    pub fn adopt(
        &mut self,
        text: &CharterText,
        digest: Digest,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        use quorate_terms::canonical::Term as _;
        if digest == self.digest {
            return Ok(());
        }
        if text.digest()? != digest {
            let next = "take text and digest from this party's own book";
            return Err(Refusal::new("other_charter", "the digest is of another charter", next));
        }
        let due = self.first_saw(&digest).map(|seen| seen.plus_s(self.text.change_delay_s));
        if due.is_none_or(|due| now < due) {
            let next =
                "wait; the delay runs on this party's own clock from when it first saw the change";
            return Err(Refusal::new(
                "charter_delay",
                "the new charter's delay has not passed here",
                next,
            ));
        }
        self.text = text.clone();
        self.digest = digest;
        Ok(())
    }

    /// Folds one entry of this party's own ledger.
    pub fn fold(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Marked(marked) => self.fold_mark(marked, entry.at),
            Body::Frozen(frozen) if !self.memory.lifted.contains(&frozen.freeze) => {
                self.memory.freezes.insert(frozen.freeze, frozen.scope.clone());
            }
            Body::Unfrozen(unfrozen) => {
                for freeze in &unfrozen.lifts {
                    self.memory.freezes.remove(freeze);
                    self.memory.lifted.insert(*freeze);
                }
            }
            Body::PeerBanned(barred) => {
                self.memory.barred.insert(barred.wallet.clone());
            }
            Body::DelegationEnded(ended) => {
                self.memory.ended.insert(ended.id.clone());
            }
            Body::CharterApproved(approved) => {
                self.memory.seen.entry(approved.charter).or_insert(entry.at);
            }
            Body::DrillJoined(drill) => {
                self.memory.sessions.insert(drill.session);
            }
            Body::PlacementAttested(placed) if !self.memory.unrecorded.contains(&placed.wallet) => {
                self.memory.held.insert(placed.wallet.clone());
            }
            Body::ShareRestored(restored) if !restored.record_kept => {
                self.memory.unrecorded.insert(restored.wallet.clone());
                self.memory.held.remove(&restored.wallet);
                self.memory.forgotten_until = Some(entry.at);
            }
            _ => {}
        }
    }

    fn fold_mark(&mut self, marked: &Marked, at: Timestamp) {
        let claim = Claim {
            wallet: marked.wallet.clone(),
            agent: marked.requester.agent().cloned(),
            requester: marked.requester.clone(),
            counterparty: marked.counterparty.clone(),
            charges: marked.charges.clone(),
        };
        if self.marks(&marked.case).is_empty() {
            self.memory.spent.reserve(marked.case, claim, at);
            self.memory.spent.settle(&marked.case, at);
        }
        self.memory.sessions.insert(marked.session);
        self.memory.nonces.insert((marked.account.clone(), marked.nonce), marked.case);
        self.memory.marks.entry(marked.case).or_default().push(marked.clone());
    }
}
