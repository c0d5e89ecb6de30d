//! The book: what a party knows of a vault by folding its entries. All of it is derived; the entries are the truth.

use std::collections::{BTreeMap, BTreeSet};

use quorate_policy::{Policy, Usage};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::commitment::Commitment;
use quorate_terms::credential::{AgentCredential, Band};
use quorate_terms::entry::{Body, Entry, Outcome, RULES_VERSION, RulesChanged, Severity};
use quorate_terms::freeze::{Freeze, Scope};
use quorate_terms::intent::{OpenWallet, Requester};
use quorate_terms::passkey::PasskeyKey;
use quorate_terms::{
    AccountId, CaseId, ChainId, CosignerId, CredentialId, DelegationId, Digest, IdempotencyKey,
    Malformed, PersonId, Timestamp, VaultId, WalletId,
};
use serde::{Deserialize, Serialize};

use crate::case::{Case, State};
use crate::checklist::Checklist;
use crate::delegation::Granted;
use crate::refusal::Refusal;

/// What the fold says of one entry. Fixed at first replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is what this party would have recorded.
    Good,
    /// It is in the ledger and changes nothing; warrants stop until the charter's quorum resumes.
    Void(Refusal),
}

/// A wallet as the book knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wallet {
    /// How it was opened.
    pub open: OpenWallet,
    /// The case that opened it.
    pub case: CaseId,
    /// The public key, 33 bytes lower-case hex.
    pub public_key: String,
    /// The epoch of its shares.
    pub epoch: u64,
    /// Who holds them.
    pub holders: BTreeSet<CosignerId>,
    /// Its account on each chain, once it is in service.
    pub accounts: BTreeMap<ChainId, AccountId>,
    /// Holders whose backup of the present epoch is proven.
    pub backups: BTreeSet<CosignerId>,
    /// Who was barred, if anybody; the key is frozen then.
    pub barred: Option<CosignerId>,
}

/// A credential as the book knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Admitted {
    /// The credential.
    pub credential: AgentCredential,
    /// Whether it was revoked, or retired after it had lapsed.
    pub revoked: bool,
    /// The tool list that its agent was admitted under, if one was pinned for its band.
    pub manifest: Option<Digest>,
}

/// An alert that nobody has closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenAlert {
    /// The rule that fired.
    pub rule: String,
    /// How urgent it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: String,
    /// When it was first raised, by the book.
    pub raised_at: Timestamp,
    /// Who took it.
    pub taken_by: Option<PersonId>,
}

/// A charter that was approved and waits for its delay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Coming {
    /// Its digest.
    pub digest: Digest,
    /// Its text.
    pub text: CharterText,
    /// The case.
    pub case: CaseId,
    /// When it was approved, by the book.
    pub approved_at: Timestamp,
}

/// A closed case: enough for its receipt and for the requester's idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosedCase {
    /// How it ended.
    pub outcome: Outcome,
    /// When it was filed, by the book.
    pub filed_at: Timestamp,
    /// The wallet that it concerned.
    pub wallet: Option<WalletId>,
    /// Indices of its entries.
    pub entries: Vec<u64>,
}

/// The fold of a vault's ledger.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) charter: CharterText,
    pub(crate) charter_digest: Digest,
    pub(crate) policy: Policy,
    pub(crate) state: BookState,
}

/// The part of the book that a snapshot holds. The policy is compiled again from its document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct BookState {
    pub(crate) size: u64,
    pub(crate) head: Digest,
    pub(crate) last_at: Timestamp,
    pub(crate) rules: String,
    pub(crate) cases: BTreeMap<CaseId, Case>,
    /// Like `keys` and `txids`, grows for ever; snapshots hold the three in a shorter form.
    #[serde(skip)]
    pub(crate) closed: BTreeMap<CaseId, ClosedCase>,
    #[serde(skip)]
    pub(crate) keys: BTreeMap<(Requester, IdempotencyKey), CaseId>,
    pub(crate) awaiting_judgment: Option<CaseId>,
    pub(crate) credentials: BTreeMap<CredentialId, Admitted>,
    pub(crate) wallets: BTreeMap<WalletId, Wallet>,
    pub(crate) listed: BTreeMap<AccountId, Timestamp>,
    /// Who each recipient on the list is, as its entry commits to it.
    pub(crate) beneficiaries: BTreeMap<AccountId, Commitment>,
    pub(crate) known: BTreeSet<AccountId>,
    pub(crate) usage: Usage,
    pub(crate) freezes: BTreeMap<Digest, Scope>,
    pub(crate) signed_freezes: BTreeMap<Digest, Freeze>,
    pub(crate) lifted: BTreeSet<Digest>,
    pub(crate) voids: BTreeMap<u64, Digest>,
    #[serde(with = "pairs")]
    pub(crate) nonces: BTreeMap<(AccountId, u64), CaseId>,
    /// Every delegation that was ever agreed to: names and keys are used once.
    pub(crate) delegations: BTreeMap<DelegationId, Granted>,
    pub(crate) coming: Option<Coming>,
    pub(crate) policy_entry: Option<u64>,
    /// Entries about charters.
    pub(crate) charter_entries: BTreeSet<u64>,
    pub(crate) wallet_entries: BTreeMap<WalletId, Vec<u64>>,
    pub(crate) manifests: BTreeMap<Band, Digest>,
    pub(crate) alerts: BTreeMap<Digest, OpenAlert>,
    pub(crate) checklists: BTreeMap<Digest, Checklist>,
    /// How far each passkey has counted its uses. Of a key, because a name may pass to a new one, which counts from the start.
    pub(crate) counters: BTreeMap<PasskeyKey, u32>,
    #[serde(skip)]
    pub(crate) txids: BTreeMap<String, CaseId>,
    /// The open cases of each requester: derived from `cases`, so that counting them does not read them all.
    #[serde(skip)]
    pub(crate) of_requester: BTreeMap<Requester, BTreeSet<CaseId>>,
    /// Every case by the index of its first entry: derived, so that a page of them does not read them all.
    #[serde(skip)]
    pub(crate) filed: BTreeMap<u64, CaseId>,
}

/// Maps with compound keys, as lists of pairs: JSON has only text keys.
mod pairs {
    use std::collections::BTreeMap;

    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K, V, S>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        serializer.collect_seq(map.iter())
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: DeserializeOwned + Ord,
        V: DeserializeOwned,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Book {
    /// The empty book of a vault that is to be founded on this charter. Its first entry must be `Founded` with it.
    ///
    /// # Errors
    /// [`Refusal`] when the charter breaks a rule or its policy does not load.
    pub fn new(charter: CharterText) -> Result<Self, Refusal> {
        charter.check()?;
        let policy = load(&charter.policy)?;
        let charter_digest = charter.digest()?;
        Ok(Self { charter, charter_digest, policy, state: BookState::empty() })
    }

    /// The vault.
    pub const fn vault(&self) -> &VaultId {
        &self.charter.vault
    }

    /// The charter in force.
    pub const fn charter(&self) -> &CharterText {
        &self.charter
    }

    /// Its digest.
    pub const fn charter_digest(&self) -> Digest {
        self.charter_digest
    }

    /// An approved charter that waits for its delay.
    pub const fn coming(&self) -> Option<&Coming> {
        self.state.coming.as_ref()
    }

    /// The policy in force.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many entries have been folded.
    pub const fn size(&self) -> u64 {
        self.state.size
    }

    /// Digest of the last entry.
    pub const fn head(&self) -> Digest {
        self.state.head
    }

    /// The time of the last entry.
    pub const fn last_at(&self) -> Timestamp {
        self.state.last_at
    }

    /// What is reserved and spent.
    pub const fn usage(&self) -> &Usage {
        &self.state.usage
    }

    /// An open case.
    pub fn case(&self, id: &CaseId) -> Option<&Case> {
        self.state.cases.get(id)
    }

    /// A closed case.
    pub fn closed(&self, id: &CaseId) -> Option<&ClosedCase> {
        self.state.closed.get(id)
    }

    /// When a case was filed, by the book, whether it is open or closed.
    pub fn filed_at(&self, id: &CaseId) -> Option<Timestamp> {
        let open = self.case(id).map(|case| case.filed_at);
        open.or_else(|| self.closed(id).map(|case| case.filed_at))
    }

    /// Every open case, in order.
    pub fn open_cases(&self) -> impl Iterator<Item = &Case> {
        self.state.cases.values()
    }

    /// The open cases of one requester, in order.
    pub fn cases_of(&self, requester: &Requester) -> impl Iterator<Item = &Case> {
        let mine = self.state.of_requester.get(requester).into_iter().flatten();
        mine.filter_map(|id| self.state.cases.get(id))
    }

    /// Every closed case, in order.
    pub fn closed_cases(&self) -> impl Iterator<Item = (&CaseId, &ClosedCase)> {
        self.state.closed.iter()
    }

    /// The accounts that a settled transfer has paid, in order.
    pub fn paid(&self) -> impl Iterator<Item = &AccountId> {
        self.state.known.iter()
    }

    /// Whether a settled transfer has paid this account.
    pub fn was_paid(&self, account: &AccountId) -> bool {
        self.state.known.contains(account)
    }

    /// Cases, open or closed, the last filed first: those before `before`, if it is given and known.
    pub fn cases_back(&self, before: Option<&CaseId>) -> impl Iterator<Item = CaseId> {
        self.state.filed.range(..self.begin(before)).rev().map(|(_, id)| *id)
    }

    /// As [`Book::cases_back`], of the open ones.
    pub fn open_back(&self, before: Option<&CaseId>) -> impl Iterator<Item = CaseId> {
        let end = self.begin(before);
        let open = self.open_cases().filter_map(|case| Some((*case.entries.first()?, case.id)));
        let mut open: Vec<(u64, CaseId)> = open.filter(|(first, _)| *first < end).collect();
        open.sort_unstable_by(|one, other| other.cmp(one));
        open.into_iter().map(|(_, id)| id)
    }

    /// The index of a case's first entry; the end of the ledger for none.
    fn begin(&self, case: Option<&CaseId>) -> u64 {
        let first = |id| {
            let open = self.case(id).map(|case| case.entries.as_slice());
            open.or_else(|| self.closed(id).map(|case| case.entries.as_slice()))?.first().copied()
        };
        case.and_then(first).unwrap_or(u64::MAX)
    }

    /// The case that a requester filed under a key.
    pub fn case_of_key(&self, requester: &Requester, key: &IdempotencyKey) -> Option<CaseId> {
        self.state.keys.get(&(requester.clone(), key.clone())).copied()
    }

    /// A wallet.
    pub fn wallet(&self, wallet: &WalletId) -> Option<&Wallet> {
        self.state.wallets.get(wallet)
    }

    /// Every wallet, in order.
    pub fn wallets(&self) -> impl Iterator<Item = (&WalletId, &Wallet)> {
        self.state.wallets.iter()
    }

    /// A credential, revoked or not.
    pub fn credential(&self, credential: &CredentialId) -> Option<&Admitted> {
        self.state.credentials.get(credential)
    }

    /// Every credential, in order.
    pub fn credentials(&self) -> impl Iterator<Item = &Admitted> {
        self.state.credentials.values()
    }

    /// The live credential whose token has this digest.
    pub fn credential_by_token(&self, token: &Digest, now: Timestamp) -> Option<&AgentCredential> {
        let live = |a: &&Admitted| !a.revoked && a.credential.expires_at > now;
        let mut found = self.state.credentials.values().filter(live).map(|a| &a.credential);
        found.find(|credential| credential.token == *token)
    }

    /// The tool list that is pinned for a band.
    pub fn manifest(&self, band: Band) -> Option<Digest> {
        self.state.manifests.get(&band).copied()
    }

    /// Alerts that nobody has closed, by digest.
    pub fn alerts(&self) -> impl Iterator<Item = (&Digest, &OpenAlert)> {
        self.state.alerts.iter()
    }

    /// The case, open or closed, for which a transaction was signed.
    pub fn case_of_txid(&self, txid: &str) -> Option<CaseId> {
        self.state.txids.get(txid).copied()
    }

    /// What a build with newer rules must record before anything else; none while the book is under its rules.
    pub fn upgrade(&self) -> Option<Body> {
        let from = self.state.rules.clone();
        let to = RULES_VERSION.to_owned();
        (from != to).then_some(Body::RulesChanged(RulesChanged { from, to }))
    }

    /// Listed recipients, with the time from which each may be used.
    pub fn listed(&self) -> impl Iterator<Item = (&AccountId, &Timestamp)> {
        self.state.listed.iter()
    }

    /// Freezes in force, by digest.
    pub fn freezes(&self) -> impl Iterator<Item = (&Digest, &Scope)> {
        self.state.freezes.iter()
    }

    /// A freeze in force as its freezer signed it; none where a case froze.
    pub fn signed_freeze(&self, freeze: &Digest) -> Option<Freeze> {
        self.state.signed_freezes.get(freeze).cloned()
    }

    /// The wallet that a case concerns, open or closed.
    pub fn wallet_of(&self, id: &CaseId) -> Option<WalletId> {
        let open = self.case(id).and_then(Case::wallet).cloned();
        open.or_else(|| self.closed(id).and_then(|closed| closed.wallet.clone()))
    }

    /// Void entries that nobody has resumed from: index and digest.
    pub fn voids(&self) -> impl Iterator<Item = (u64, Digest)> {
        self.state.voids.iter().map(|(index, digest)| (*index, *digest))
    }

    /// The freeze that stops this case, if any.
    pub fn frozen(&self, case: &Case) -> Option<Digest> {
        let wallet = case.transfer().map(|transfer| &transfer.wallet);
        let agent = case.intent.requester.agent();
        let stops = |scope: &Scope| match scope {
            Scope::Vault => true,
            Scope::Wallet { wallet: frozen } => wallet == Some(frozen),
            Scope::Agent { agent: frozen } => agent == Some(frozen),
        };
        self.state.freezes.iter().find(|(_, scope)| stops(scope)).map(|(digest, _)| *digest)
    }

    /// The lowest nonce of `account`, from `first` up, that no live draft uses.
    pub fn free_nonce(&self, account: &AccountId, first: u64) -> u64 {
        let from = (account.clone(), first);
        let used = self.state.nonces.range(from..).map(|((owner, nonce), _)| (owner, *nonce));
        let mut free = first;
        for (owner, nonce) in used {
            if owner != account || nonce != free {
                break;
            }
            free = free.saturating_add(1);
        }
        free
    }

    /// The case whose live draft uses this nonce.
    pub fn case_of_nonce(&self, account: &AccountId, nonce: u64) -> Option<CaseId> {
        self.state.nonces.get(&(account.clone(), nonce)).copied()
    }

    /// Entries that explain who may do what in any case: the charter's, the policy's and the wallet's.
    pub fn ground_entries(&self, wallet: Option<&WalletId>) -> BTreeSet<u64> {
        let mut entries = self.state.charter_entries.clone();
        entries.extend(self.state.policy_entry);
        entries.extend(wallet.and_then(|w| self.state.wallet_entries.get(w)).into_iter().flatten());
        entries
    }

    /// Numbers and chains these bodies as the next entries of the ledger, all at `now` or, should the clock have gone
    /// back, at the time of the last entry.
    ///
    /// # Errors
    /// [`Malformed`] when an entry would have no canonical form or be too large.
    pub fn entries(&self, bodies: Vec<Body>, now: Timestamp) -> Result<Vec<Entry>, Malformed> {
        let at = now.max(self.state.last_at);
        let mut prev = self.state.head;
        let mut index = self.state.size;
        let mut entries = Vec::with_capacity(bodies.len());
        for body in bodies {
            let rules = RULES_VERSION.to_owned();
            let entry =
                Entry { v: 1, vault: self.charter.vault.clone(), index, prev, at, rules, body };
            prev = entry.digest()?;
            index = index.saturating_add(1);
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The open cases in which the host has something to do, as after a restart.
    pub(crate) fn in_state(&self, wanted: State) -> impl Iterator<Item = &Case> {
        self.state.cases.values().filter(move |case| case.state == wanted)
    }
}

impl BookState {
    pub(crate) fn empty() -> Self {
        Self {
            size: 0,
            head: Digest::ZERO,
            last_at: Timestamp::ZERO,
            rules: RULES_VERSION.to_owned(),
            cases: BTreeMap::new(),
            closed: BTreeMap::new(),
            keys: BTreeMap::new(),
            awaiting_judgment: None,
            credentials: BTreeMap::new(),
            wallets: BTreeMap::new(),
            listed: BTreeMap::new(),
            beneficiaries: BTreeMap::new(),
            known: BTreeSet::new(),
            usage: Usage::default(),
            freezes: BTreeMap::new(),
            signed_freezes: BTreeMap::new(),
            lifted: BTreeSet::new(),
            voids: BTreeMap::new(),
            nonces: BTreeMap::new(),
            delegations: BTreeMap::new(),
            coming: None,
            policy_entry: None,
            charter_entries: BTreeSet::from([0]),
            wallet_entries: BTreeMap::new(),
            manifests: BTreeMap::new(),
            alerts: BTreeMap::new(),
            checklists: BTreeMap::new(),
            counters: BTreeMap::new(),
            txids: BTreeMap::new(),
            of_requester: BTreeMap::new(),
            filed: BTreeMap::new(),
        }
    }

    /// Adds an open case.
    pub(crate) fn put(&mut self, case: Case) {
        self.of_requester.entry(case.intent.requester.clone()).or_default().insert(case.id);
        self.place(case.id, &case.entries);
        self.cases.insert(case.id, case);
    }

    /// Remembers where a case begins.
    pub(crate) fn place(&mut self, id: CaseId, entries: &[u64]) {
        self.filed.extend(entries.first().map(|first| (*first, id)));
    }

    /// Takes an open case out.
    pub(crate) fn take(&mut self, id: &CaseId) -> Option<Case> {
        let case = self.cases.remove(id)?;
        if let Some(mine) = self.of_requester.get_mut(&case.intent.requester) {
            mine.remove(id);
            if mine.is_empty() {
                self.of_requester.remove(&case.intent.requester);
            }
        }
        Some(case)
    }
}

/// Compiles a policy document, or says in one refusal what is wrong with it first.
pub(crate) fn load(document: &quorate_terms::policy::PolicyDocument) -> Result<Policy, Refusal> {
    Policy::load(document).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Refusal::new("bad_policy", first, "run `quorate policy check` on the document and mend it")
    })
}
