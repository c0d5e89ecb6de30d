//! What people ask of the desk: on the operator's command line over its Unix socket, over HTTP, and in the console.
//!
//! A method of the socket is a name; request and answer are JSON. Only processes of the desk's own user get through there.

mod checklists;
mod delegations;

pub use checklists::{ChecklistAct, ChecklistRequest, ChecklistView, TaskView};
pub use delegations::DelegationView;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use quorate_custody::book::OpenAlert;
use quorate_custody::{Refusal, State};
use quorate_terms::approval::Approval;
use quorate_terms::commitment::Opening;
use quorate_terms::credential::{Band, Role};
use quorate_terms::entry::Outcome;
use quorate_terms::intent::Action;
use quorate_terms::judgment::Judgment;
use quorate_terms::quorum::Tally;
use quorate_terms::{
    AccountId, AgentId, CaseId, ChainId, CredentialId, Digest, IdempotencyKey, PersonId, Timestamp,
    WalletId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proposal::{ReplayAnswer, ReplayRequest, Whom};
use crate::shapes;

/// The desk, as people see it: everything that may be looked at, filed and carried, and nothing that approves or signs.
///
/// Whoever calls it has made sure who asks: the socket by its owner, the doors by a credential with a [`Role`].
#[async_trait]
pub trait Office: Send + Sync + 'static {
    /// Files an intent as a person; the same key again gives the same case.
    async fn file(&self, ask: FileRequest) -> Reply<CaseView>;

    /// One case.
    async fn case(&self, case: CaseId) -> Reply<CaseView>;

    /// Cases, newest last.
    async fn cases(&self, ask: CasesRequest) -> Reply<Vec<CaseView>>;

    /// Cases page by page, newest first.
    async fn page(&self, ask: PageRequest) -> Reply<CasePage>;

    /// Recipients on the list.
    async fn addresses(&self) -> Reply<Vec<AddressView>>;

    /// Freezes in force, in the order of their names.
    async fn freezes(&self) -> Reply<Vec<FreezeView>>;

    /// Every delegation, the last granted first.
    async fn delegations(&self) -> Reply<Vec<DelegationView>>;

    /// Takes an approval or a rejection that an approver signed elsewhere; the proof is in it.
    async fn approve(&self, approval: Approval) -> Reply<CaseView>;

    /// The receipt of a case.
    async fn receipt(&self, case: CaseId) -> Reply<ReceiptAnswer>;

    /// Gives a signed transaction that is stuck another fee, or an empty transfer once giving it up was agreed.
    async fn replace(&self, case: CaseId) -> Reply<CaseView>;

    /// Takes an alert, or ends it; gives those that are left.
    async fn alert(&self, ask: AlertRequest) -> Reply<Vec<AlertView>>;

    /// Checklists of people who come, move and leave, oldest first.
    async fn checklists(&self) -> Reply<Vec<ChecklistView>>;

    /// Opens a checklist, attests a task of one, or ends one; gives it as it stands then.
    async fn checklist(&self, ask: ChecklistRequest) -> Reply<ChecklistView>;

    /// Destroys the values behind the commitments of a case that is over; gives their digests.
    async fn erase(&self, ask: EraseRequest) -> Reply<Vec<Digest>>;

    /// What a proposed policy changes and newly allows, and what the last days would have been under it. It files nothing.
    async fn replay(&self, ask: ReplayRequest, whom: Whom) -> Reply<ReplayAnswer>;

    /// How the desk and those around it are.
    async fn status(&self) -> Reply<StatusView>;

    /// Entries as they stand in the ledger.
    async fn book(&self, ask: BookRequest) -> Reply<BookAnswer>;

    /// A proof against the newest checkpoint: that an entry stands in the ledger, or that the ledger only grew.
    async fn proof(&self, ask: ProofRequest) -> Reply<ProofAnswer>;

    /// Waits until the ledger has more entries than `size`; gives how many.
    async fn beyond(&self, size: u64) -> Reply<u64>;
}

/// `desk.file`: file an intent as a person. The desk adds vault and requester.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRequest {
    /// Who asks, by pseudonym.
    pub person: PersonId,
    /// The person's own name for the request.
    pub key: IdempotencyKey,
    /// What is wanted.
    pub action: Action,
    /// Openings of the commitments in it (memo, beneficiary), kept in the erasable table.
    pub openings: Vec<Opening>,
}

/// `desk.case`: one case. Also the answer to `desk.file`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseView {
    /// The case.
    #[schemars(with = "shapes::Hash")]
    pub case: CaseId,
    /// The kind of its action.
    pub kind: String,
    /// Who asked: an agent or a person.
    pub requester: String,
    /// What it awaits, or how it ended.
    #[schemars(with = "shapes::State")]
    pub state: State,
    /// When it was filed.
    #[schemars(with = "u64")]
    pub filed_at: Timestamp,
    /// When it lapses unless signing has begun.
    #[schemars(with = "Option<u64>")]
    pub expires_at: Option<Timestamp>,
    /// The judgment.
    #[schemars(with = "Option<shapes::Judgment>")]
    pub judgment: Option<Judgment>,
    /// How far each required quorum has come.
    #[schemars(with = "Vec<shapes::Tally>")]
    pub tallies: Vec<Tally>,
    /// The transfer in one line, or the act.
    pub summary: String,
    /// The wallet.
    #[schemars(with = "Option<String>")]
    pub wallet: Option<WalletId>,
    /// The transaction, where there is one.
    pub txid: Option<String>,
    /// The reason that the closing gives.
    pub reason: Option<String>,
    /// How it ended.
    #[schemars(with = "Option<shapes::Outcome>")]
    pub outcome: Option<Outcome>,
}

/// `desk.erase`: destroys the values behind the commitments of a case that is over, for good. Answered by their digests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseRequest {
    /// The case.
    pub case: CaseId,
    /// Whose values they are, by pseudonym: it stays in the ledger.
    pub subject: String,
    /// The person who erases.
    pub person: PersonId,
}

/// How a case ended, in one word: the same at every door.
#[must_use]
pub const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Settled => "settled",
        Outcome::Reverted => "reverted",
        Outcome::Replaced => "replaced",
        Outcome::Refused => "refused",
        Outcome::Rejected => "rejected",
        Outcome::Aborted => "aborted",
        Outcome::Expired => "expired",
        Outcome::Cancelled => "cancelled",
        Outcome::Done => "done",
    }
}

/// `desk.cases`: open cases, newest last; closed ones too if asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasesRequest {
    /// Closed ones too.
    pub all: bool,
    /// At most so many.
    pub limit: u32,
}

/// One page of cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRequest {
    /// Closed ones too.
    pub all: bool,
    /// At most so many.
    pub limit: u32,
    /// Only those that follow this one; from the newest if none.
    pub after: Option<CaseId>,
}

/// Cases, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseView>,
    /// Give this as `after` for the following ones; none at the end.
    #[schemars(with = "Option<shapes::Hash>")]
    pub next_after: Option<CaseId>,
}

/// A recipient on the list. Who that is stands in the ledger as a commitment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressView {
    /// CAIP-10 account.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// When it was listed, milliseconds since 1970; the policy says how long it must have stood there.
    #[schemars(with = "u64")]
    pub listed_at: Timestamp,
}

/// A freeze that is in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeView {
    /// Its name: where a case froze, the digest of that case's intent.
    #[schemars(with = "shapes::Hash")]
    pub freeze: Digest,
    /// What is frozen.
    #[schemars(with = "shapes::Scope")]
    pub scope: quorate_terms::freeze::Scope,
}

/// `desk.case`, `desk.receipt`, `desk.replace` (higher fees, or an empty transfer once a cancel was asked for).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRequest {
    /// The case.
    pub case: CaseId,
}

/// `desk.receipt`: the receipt's canonical JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAnswer {
    /// Canonical bytes, which are text.
    pub receipt: String,
    /// How many witnesses cosigned its checkpoint.
    pub witnesses: usize,
}

/// `desk.status`: how the desk and those around it are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusView {
    /// The vault.
    pub vault: String,
    /// Digest of the charter in force.
    #[schemars(with = "shapes::Hash")]
    pub charter: Digest,
    /// Digest of the policy in force, and its version.
    #[schemars(with = "shapes::Pair")]
    pub policy: (Digest, u64),
    /// The policy in force, in full.
    #[schemars(with = "shapes::Document")]
    pub policy_document: quorate_terms::policy::PolicyDocument,
    /// The charter in force, in full.
    #[schemars(with = "shapes::Document")]
    pub charter_text: quorate_terms::charter::CharterText,
    /// Entries in the ledger.
    pub size: u64,
    /// The newest checkpoint, a signed note with the cosignatures that it has.
    pub checkpoint: Option<String>,
    /// Each cosigner: whether its link is up, the size that it follows, its clock's offset in milliseconds, its last word.
    pub cosigners: Vec<CosignerView>,
    /// Each chain: the node's height, or why there is none.
    #[schemars(with = "BTreeMap<String, shapes::Height>")]
    pub chains: BTreeMap<ChainId, Result<u64, String>>,
    /// Wallets: account on each chain, holders with a proven backup, whether the key is barred.
    pub wallets: Vec<WalletView>,
    /// Freezes in force.
    #[schemars(with = "BTreeMap<String, shapes::Scope>")]
    pub freezes: BTreeMap<Digest, quorate_terms::freeze::Scope>,
    /// Void entries that nobody has resumed from: index and digest.
    #[schemars(with = "Vec<shapes::Pair>")]
    pub voids: Vec<(u64, Digest)>,
    /// Open cases.
    pub open_cases: usize,
    /// The desk's clock.
    #[schemars(with = "u64")]
    pub now: Timestamp,
    /// Whether the disk takes writes.
    pub writes: bool,
    /// Alerts that nobody has closed, oldest first.
    pub alerts: Vec<AlertView>,
    /// Credentials of agents and of people, in order.
    pub credentials: Vec<CredentialView>,
}

/// One open alert in [`StatusView`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AlertView {
    /// The alert.
    #[schemars(with = "shapes::Hash")]
    pub alert: Digest,
    /// The rule that fired, how urgent it is, what it is about, when it was first raised and who took it.
    #[serde(flatten)]
    #[schemars(with = "shapes::OpenAlert")]
    pub open: OpenAlert,
}

/// `desk.alert`: a person takes an alert, or ends it where a disposition is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRequest {
    /// The alert.
    pub alert: Digest,
    /// The person.
    pub person: PersonId,
    /// What came of it, as a short code; none takes the alert.
    pub disposition: Option<String>,
}

/// One cosigner in [`StatusView`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignerView {
    /// Its seat.
    pub cosigner: String,
    /// Whether its link is up.
    pub up: bool,
    /// How many entries it follows, as last heard.
    pub size: Option<u64>,
    /// Its clock minus the desk's, in milliseconds, as last heard.
    pub clock_offset_ms: Option<i64>,
    /// What it last refused, if it did.
    pub trouble: Option<String>,
}

/// One credential in [`StatusView`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialView {
    /// The credential.
    #[schemars(with = "String")]
    pub credential: CredentialId,
    /// The program that holds it.
    #[schemars(with = "String")]
    pub agent: AgentId,
    /// The person who answers for it.
    #[schemars(with = "String")]
    pub owner: PersonId,
    /// The highest band.
    #[schemars(with = "shapes::Band")]
    pub band: Band,
    /// The wallets that it may name.
    #[schemars(with = "BTreeSet<String>")]
    pub wallets: BTreeSet<WalletId>,
    /// What its owner may do with it; none when an agent holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<shapes::Role>")]
    pub role: Option<Role>,
    /// When it lapses.
    #[schemars(with = "u64")]
    pub expires_at: Timestamp,
    /// Whether it was ended.
    pub revoked: bool,
}

/// One wallet in [`StatusView`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WalletView {
    /// The wallet.
    #[schemars(with = "String")]
    pub wallet: WalletId,
    /// Its account on each chain.
    #[schemars(with = "BTreeMap<String, String>")]
    pub accounts: BTreeMap<ChainId, AccountId>,
    /// Holders.
    pub holders: Vec<String>,
    /// Holders whose backup is proven.
    pub backups: Vec<String>,
    /// Who is barred, if anybody.
    pub barred: Option<String>,
}

/// Every answer on the control socket: the value, or a refusal with what to do next.
pub type Reply<T> = Result<T, Refusal>;

/// `desk.book`: entries, in order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookRequest {
    /// The index of the first.
    pub from: u64,
    /// At most so many; the desk may give fewer.
    pub limit: u64,
}

/// Entries, and the newest checkpoint, which may lie beyond them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookAnswer {
    /// Canonical bytes, which are text.
    pub entries: Vec<String>,
    /// The signed note with its cosignatures, once there is one.
    pub checkpoint: Option<String>,
}

/// What is to be proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProofRequest {
    /// Nothing: only the newest checkpoint, and the key that signs them.
    Newest,
    /// That this entry stands in the ledger.
    Entry {
        /// Its index.
        index: u64,
    },
    /// That the ledger of `to` entries goes on from the one of `from`.
    Extension {
        /// The smaller size, at least 1.
        from: u64,
        /// The larger size, which the ledger has.
        to: u64,
    },
}

/// A proof (RFC 6962 section 2.1), and the checkpoint that it leads to where it is of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofAnswer {
    /// The hashes, in the order in which a verifier takes them.
    #[schemars(with = "Vec<shapes::Hash>")]
    pub hashes: Vec<Digest>,
    /// The newest checkpoint, a signed note.
    pub checkpoint: String,
    /// The key that signs checkpoints, as the charter in force names it: a C2SP verifier key.
    pub log: String,
}
