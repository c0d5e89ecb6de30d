//! What a policy is asked, and what it answers with.

use std::collections::BTreeSet;

use quorate_terms::credential::Band;
use quorate_terms::entry::RiskClass;
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::judgment::Judgment;
use quorate_terms::quorum::Quorum;
use quorate_terms::{
    AccountId, Amount, ApproverId, BudgetId, CaseId, ChainId, Intent, Timestamp, WalletId,
};

use crate::usage::Claim;

/// What the book says that a rule may ask about. The default knows nothing, and so allows nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The band of the agent's credential; none for a person, or when the credential is unknown or revoked.
    pub band: Option<Band>,
    /// The wallets that the credential may name.
    pub credential_wallets: BTreeSet<WalletId>,
    /// When the credential lapses.
    pub credential_expires_at: Option<Timestamp>,
    /// Whether the wallet is open and has a key.
    pub wallet_exists: bool,
    /// The chains on which the wallet may be used.
    pub wallet_chains: BTreeSet<ChainId>,
    /// The wallet's own account on the asset's chain.
    pub wallet_account: Option<AccountId>,
    /// From when the recipient may be used as listed; none if it is not listed. See [`crate::Policy::usable_from`].
    pub recipient_usable_from: Option<Timestamp>,
    /// Whether an earlier transfer to the recipient has settled.
    pub recipient_known: bool,
    /// What the amount is worth in cents of the policy's currency, rounded up; none when nobody vouches for a price.
    pub value_cents: Option<Amount>,
    /// The wallet's balance of the asset; none when nobody vouches for it.
    pub balance: Option<Amount>,
    /// Whether the recipient was screened.
    pub screening: CounterpartyCheck,
    /// Cases that the requester has open, this one not counted.
    pub open_cases: u32,
    /// Cases of the requester that wait for approval with an amount held, this one not counted.
    pub pending_reservations: u32,
    /// Which freeze covers the intent, if one does, in a few words (`the vault`, `wallet \`w\``).
    pub frozen: Option<String>,
    /// For a cancellation: whether the case to give up is the requester's own.
    pub own_case: bool,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            band: None,
            credential_wallets: BTreeSet::new(),
            credential_expires_at: None,
            wallet_exists: false,
            wallet_chains: BTreeSet::new(),
            wallet_account: None,
            recipient_usable_from: None,
            recipient_known: false,
            value_cents: None,
            balance: None,
            screening: CounterpartyCheck::NotPerformed,
            open_cases: 0,
            pending_reservations: 0,
            frozen: None,
            own_case: false,
        }
    }
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is wanted.
    pub intent: &'a Intent,
    /// When it is judged.
    pub at: Timestamp,
    /// What is known.
    pub facts: &'a Facts,
    /// The charter's own quorum, for policy, charter and unfreezing.
    pub governance: &'a Quorum,
    /// The case whose own reservation is not counted against it, when it is judged again.
    pub exclude: Option<CaseId>,
}

/// The answer, with what the book remembers beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruling {
    /// Allow, deny or require.
    pub judgment: Judgment,
    /// What to reserve; none for a denial and for anything but a transfer.
    pub claim: Option<Claim>,
    /// The budgets that the intent counts towards, in the policy's order.
    pub budgets: Vec<BudgetId>,
    /// How grave a mistake would be.
    pub risk_class: RiskClass,
    /// How many members must agree, the largest over all required quorums; none if nobody need.
    pub quorum_m: Option<u32>,
    /// Who may agree, over all required quorums.
    pub quorum_members: BTreeSet<ApproverId>,
}
