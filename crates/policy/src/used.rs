//! How much of each budget is used now, for people to look at. The judgment counts for itself.

use std::collections::BTreeMap;

use quorate_terms::policy::{Budget, Dimension};
use quorate_terms::{AccountId, AgentId, Amount, AssetId, Timestamp, WalletId};

use crate::calendar;
use crate::policy::Policy;
use crate::spent::{Line, Total};
use crate::usage::Usage;

/// What a budget keeps apart, as one of its accounts. None of a field: the budget does not keep it apart, or a person asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Kept {
    /// The wallet.
    pub wallet: Option<WalletId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The counterparty.
    pub counterparty: Option<AccountId>,
}

/// What is spent and held of one account of a budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// Settled within the window.
    pub spent: Total,
    /// Held by open cases.
    pub held: Total,
}

/// Every account of a budget in which something is spent or held at `at`; one account for a budget that keeps nothing apart.
/// A budget of each single intent has none.
pub fn used(
    policy: &Policy,
    budget: &Budget,
    usage: &Usage,
    at: Timestamp,
) -> BTreeMap<Kept, Used> {
    let mut accounts = BTreeMap::new();
    let zone = calendar::zone(&policy.document().zone);
    let from = zone.and_then(|zone| calendar::start(&budget.window, at, &zone).ok()).flatten();
    let Some(from) = from else { return accounts };
    if budget.per.is_empty() {
        accounts.insert(Kept::default(), Used::default());
    }
    for (line, charge) in usage.settled_lines(&budget.asset, from) {
        if speaks(budget, line) {
            let used: &mut Used = accounts.entry(kept(budget, line)).or_default();
            used.spent = used.spent.plus(charge.amount, charge.count);
        }
    }
    for (line, charge) in usage.held_lines(&budget.asset) {
        if speaks(budget, &line) {
            let used: &mut Used = accounts.entry(kept(budget, &line)).or_default();
            used.held = used.held.plus(charge.amount, charge.count);
        }
    }
    accounts
}

fn speaks(budget: &Budget, line: &Line) -> bool {
    let to = |account: &AccountId| crate::checks::comparable(account) == line.counterparty;
    (budget.wallets.is_empty() || budget.wallets.contains(&line.wallet))
        && (budget.agents.is_empty()
            || line.agent.as_ref().is_some_and(|agent| budget.agents.contains(agent)))
        && (budget.counterparties.is_empty() || budget.counterparties.iter().any(to))
}

fn kept(budget: &Budget, line: &Line) -> Kept {
    let per = |dimension| budget.per.contains(&dimension);
    Kept {
        wallet: per(Dimension::Wallet).then(|| line.wallet.clone()),
        agent: line.agent.clone().filter(|_| per(Dimension::Agent)),
        counterparty: per(Dimension::Counterparty).then(|| line.counterparty.clone()),
    }
}

/// What left a wallet and is final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// From which wallet.
    pub wallet: WalletId,
    /// Base units, as charged to budgets: amount and fee.
    pub amount: Amount,
}

/// What was settled of an asset from `from` on, in order.
pub fn settled(usage: &Usage, asset: &AssetId, from: Timestamp) -> Vec<Settled> {
    let records = usage.records(asset).filter(|record| record.at >= from);
    records
        .map(|record| Settled {
            at: record.at,
            wallet: record.line.wallet.clone(),
            amount: record.amount,
        })
        .collect()
}
