//! What the console asks of the desk beyond [`Office`]: what people type, read as an act before anything is filed, and what a
//! page shows at one look.

use std::collections::BTreeMap;

use async_trait::async_trait;
use quorate_terms::commitment::Opening;
use quorate_terms::intent::{Action, OpenWallet, OwnerKind, Tier, Transfer};
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{AccountId, Amount, AssetId, CaseId, CosignerId, Digest, Timestamp, WalletId};
use serde::Deserialize;

use crate::office::{CosignerView, Office, Reply};

/// The desk as the console needs it. Nothing here changes anything: filing is [`Office::file`].
#[async_trait]
pub trait Paperwork: Office {
    /// The entries of a case, in order.
    async fn story(&self, case: CaseId) -> Reply<Vec<Moment>>;

    /// The key generation of a case as a runbook; none for a case of another kind.
    async fn runbook(&self, case: CaseId) -> Reply<Option<Runbook>>;

    /// How each cosigner is, as the desk last heard it: nobody is asked, so it may be looked at often.
    async fn cosigners(&self) -> Reply<Vec<CosignerView>>;

    /// What a person typed, as a transfer; refused where a recipient only resembles one that is known.
    async fn transfer(&self, typed: TransferTyped) -> Reply<Composed>;

    /// What a person typed, as a recipient to be listed; refused as a transfer is.
    async fn listing(&self, typed: ListingTyped) -> Reply<Composed>;

    /// The address book, sorted.
    async fn listed(&self) -> Reply<Vec<Listed>>;

    /// How much of each budget is used now, in the policy's order.
    async fn budgets(&self) -> Reply<Vec<BudgetUse>>;

    /// The policy in force, in words.
    async fn words(&self) -> Reply<Vec<Said>>;

    /// What a policy, as JSON or TOML, would change.
    async fn review(&self, text: String) -> Reply<Review>;

    /// The same of the policy that a case is about; none where it is about something else.
    async fn proposed(&self, case: CaseId) -> Reply<Option<Review>>;

    /// What was settled from `from` on, in order.
    async fn flow(&self, from: Timestamp) -> Reply<Vec<Flow>>;

    /// How exposed each wallet is.
    async fn tiers(&self) -> Reply<BTreeMap<WalletId, Tier>>;

    /// What the desk's nodes said of balances from `from` on: the last word of each hour or day, in order for each wallet and
    /// asset. An hour or day in which none was heard is left out.
    async fn held(&self, from: Timestamp, grain: Grain) -> Reply<Vec<Held>>;

    /// What the desk's node thinks that a transfer would change, within two seconds; none where there is none to try. Advice.
    async fn simulated(&self, what: Tried) -> Reply<Option<Simulation>>;
}

/// One entry of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Its place in the ledger.
    pub index: u64,
    /// When, by the book.
    pub at: Timestamp,
    /// The kind of entry, as it stands there.
    pub kind: String,
    /// What it says, in one line.
    pub said: String,
}

/// How far the key generation of a case has come, as the book tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Runbook {
    /// What is to be made.
    pub open: OpenWallet,
    /// The charter under which it is made.
    pub charter: Digest,
    /// Every seat that must take part, with what it has said.
    pub holders: Vec<HolderSaid>,
    /// Runs that failed, oldest first.
    pub failed: Vec<RunFailed>,
    /// The key, once there is one.
    pub key: Option<KeyMade>,
    /// When the wallet went into service, and the entry that says so.
    pub opened: Option<(Timestamp, u64)>,
    /// Its account on each chain.
    pub accounts: Vec<AccountId>,
    /// Whether every chain of it is one for development, where nothing waits for backups.
    pub is_development: bool,
}

/// One holder of a share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HolderSaid {
    /// Its seat.
    pub cosigner: CosignerId,
    /// The company that runs it, as the charter spells it.
    pub operator: String,
    /// Its signed word on the key: the digest over all messages of the ceremony, and the public key.
    pub word: Option<(Digest, String)>,
    /// Whether a backup of its share was proven by a drill.
    pub backup: bool,
}

/// A run that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFailed {
    /// The entry.
    pub index: u64,
    /// When, by the book.
    pub at: Timestamp,
    /// How far it had come, and why it ended.
    pub why: String,
    /// Parties at fault.
    pub culprits: Vec<CosignerId>,
}

/// A key that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyMade {
    /// The entry.
    pub index: u64,
    /// When, by the book.
    pub at: Timestamp,
    /// The session of the ceremony.
    pub ceremony: Digest,
    /// The public key, lower-case hex.
    pub public_key: String,
    /// How it was made: `dkg`, so that no whole key ever was.
    pub method: String,
    /// The library, with its version.
    pub library: String,
    /// How many of how many shares sign.
    pub quorum: (u8, u8),
}

/// The form of a new transfer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferTyped {
    /// From this wallet.
    pub wallet: String,
    /// The asset, in CAIP-19 form.
    pub asset: String,
    /// The recipient: an EIP-55 address, or CAIP-10.
    pub to: String,
    /// So much, in whole units.
    pub amount: String,
    /// At most so much in fees, in whole units of the chain's own coin.
    pub fee_ceiling: String,
    /// A note; may be empty.
    #[serde(default)]
    pub memo: String,
}

/// The form of a recipient to be listed.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingTyped {
    /// The chain.
    pub chain: String,
    /// The recipient: an EIP-55 address, or CAIP-10.
    pub account: String,
    /// Who that is. The ledger keeps a commitment.
    pub beneficiary: String,
    /// What the recipient is to us.
    pub owner_kind: OwnerKind,
}

/// An act that can be filed, with what opens its commitments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Composed {
    /// The act.
    pub action: Action,
    /// What opens its commitments.
    pub openings: Vec<Opening>,
    /// The act in one line.
    pub summary: String,
    /// When its recipient may be used; none when it is not on the list.
    pub usable_from: Option<Timestamp>,
}

/// What a node tries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tried {
    /// A transfer that is not filed yet.
    Wish(Transfer),
    /// An open case: its newest draft, or what it asks for.
    Case(CaseId),
}

/// What came of it. What contracts say in it is outside text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulation {
    /// Label and text.
    pub rows: Vec<(String, String)>,
    /// What differs from what the transfer says.
    pub warnings: Vec<String>,
}

/// One line of the address book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The recipient.
    pub account: AccountId,
    /// When it may first be used.
    pub usable_from: Timestamp,
    /// Another one on the list, or an account of ours, that it could be taken for.
    pub looks_like: Option<AccountId>,
}

/// One account of a budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetUse {
    /// The budget, and what it keeps apart here.
    pub words: String,
    /// The asset that is counted.
    pub asset: AssetId,
    /// Settled within the window.
    pub spent: Amount,
    /// Held by open cases.
    pub held: Amount,
    /// The largest sum, if sums are limited.
    pub limit: Option<Amount>,
    /// Intents within the window, and the most of them.
    pub count: (u64, Option<u32>),
}

/// What a proposed policy is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// The policy with its version and predecessor set.
    pub document: PolicyDocument,
    /// Its digest, as approvers will see it.
    pub digest: Digest,
    /// What changes, what widens first: which way, and the words.
    pub changes: Vec<(Way, String)>,
    /// The whole of it, in words.
    pub words: Vec<Said>,
    /// How much of each of its budgets would be used now.
    pub budgets: Vec<BudgetUse>,
}

/// One sentence about one part of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// The part.
    pub field: String,
    /// The sentence, or the part as it was written.
    pub text: String,
    /// What is said before a part that is shown as it was written; none before one that is told in words.
    pub caution: Option<&'static str>,
}

/// Which way a change of policy goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// More becomes possible.
    Widens,
    /// To be read.
    Unclear,
    /// Less becomes possible.
    Tightens,
}

/// What left a wallet for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flow {
    /// When.
    pub at: Timestamp,
    /// From which wallet.
    pub wallet: WalletId,
    /// Of which asset.
    pub asset: AssetId,
    /// Base units, fees of the asset's own coin among them.
    pub amount: Amount,
}

/// What the desk's node said that a wallet held. It is shown; nothing is decided by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Which wallet.
    pub wallet: WalletId,
    /// Of which asset.
    pub asset: AssetId,
    /// When it was said.
    pub at: Timestamp,
    /// Base units.
    pub amount: Amount,
}

/// How finely time is told, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grain {
    /// Hour by hour.
    Hour,
    /// Day by day.
    Day,
}

impl Grain {
    /// Milliseconds of one.
    pub const fn millis(self) -> u64 {
        match self {
            Self::Hour => 60 * 60 * 1000,
            Self::Day => 24 * 60 * 60 * 1000,
        }
    }

    /// The number of the hour or day that a time lies in, from 1970 on.
    pub fn of(self, at: Timestamp) -> u64 {
        at.as_millis().checked_div(self.millis()).unwrap_or(0)
    }

    /// When an hour or day begins.
    pub const fn begin(self, number: u64) -> Timestamp {
        Timestamp::from_millis(number.saturating_mul(self.millis()))
    }
}
