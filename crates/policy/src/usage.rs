//! What is held and what is spent: a fold over reservations and their ends, independent of any one policy.
//!
//! An amount is *reserved* when it is judged, *settled* when it is final and *released* when its case ends without.
//! A reservation counts in every window until then, however old it is, so waiting cannot make room.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use quorate_terms::entry::Charge;
use quorate_terms::intent::Requester;
use quorate_terms::{AccountId, AgentId, AssetId, CaseId, Timestamp, WalletId};

use crate::checks::comparable;
use crate::spent::{Line, Record, Selector, Spent, Total};

/// How long settled charges are remembered, in seconds: 366 days, the longest window that a policy may have.
pub const MEMORY_S: u64 = 366 * 24 * 60 * 60;

/// What one case holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// From this wallet.
    pub wallet: WalletId,
    /// For this agent; none when a person asked.
    pub agent: Option<AgentId>,
    /// Who asked.
    pub requester: Requester,
    /// To this recipient.
    pub counterparty: AccountId,
    /// The main asset first, then the fee ceiling in the chain's own coin. One charge, their sum, where the two agree.
    pub charges: Vec<Charge>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Open {
    claim: Claim,
    at: Timestamp,
}

/// All that is held and all that was spent within [`MEMORY_S`]. Equal folds have equal serialised forms.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    open: BTreeMap<CaseId, Open>,
    spent: BTreeMap<AssetId, Spent>,
}

impl Usage {
    /// Holds a claim for a case. A second claim of one case replaces nothing: the first stands.
    ///
    /// Returns whether the claim was taken.
    pub fn reserve(&mut self, case: CaseId, claim: Claim, at: Timestamp) -> bool {
        if self.open.contains_key(&case) {
            return false;
        }
        self.open.insert(case, Open { claim, at });
        true
    }

    /// Turns what a case holds into spending, at the later of its judgment and `at`. Returns whether it held anything.
    pub fn settle(&mut self, case: &CaseId, at: Timestamp) -> bool {
        let Some(open) = self.open.remove(case) else { return false };
        let charges = open.claim.charges.clone();
        self.spend(&open.claim, &charges, at.max(open.at));
        true
    }

    /// As [`Usage::settle`], where less than the claim was spent: a reverted or replaced transaction costs its fee only.
    ///
    /// A charge above what was claimed of its asset is held at the claim; the case settles either way.
    pub fn settle_at_most(&mut self, case: &CaseId, spent: &[Charge], at: Timestamp) -> bool {
        let Some(open) = self.open.remove(case) else { return false };
        let charges: Vec<Charge> = open
            .claim
            .charges
            .iter()
            .map(|held| {
                let of_asset = spent.iter().filter(|charge| charge.asset == held.asset);
                let used =
                    of_asset.fold(Total::default(), |sum, charge| sum.plus(charge.amount, 0));
                Charge { asset: held.asset.clone(), amount: used.amount.min(held.amount) }
            })
            .collect();
        self.spend(&open.claim, &charges, at.max(open.at));
        true
    }

    /// Gives back what a case holds. Returns whether it held anything.
    pub fn release(&mut self, case: &CaseId) -> bool {
        self.open.remove(case).is_some()
    }

    /// What a case holds now.
    pub fn claim(&self, case: &CaseId) -> Option<&Claim> {
        self.open.get(case).map(|open| &open.claim)
    }

    /// Whether a case holds anything now.
    pub fn is_open(&self, case: &CaseId) -> bool {
        self.open.contains_key(case)
    }

    /// How many cases hold something now.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The cases that hold something for a requester.
    pub fn held_by(&self, requester: &Requester) -> usize {
        self.open.values().filter(|open| open.claim.requester == *requester).count()
    }

    /// Everything that is held and spent of an asset, whoever asked, from `from` on: for charts and reports.
    pub fn total(&self, asset: &AssetId, from: Timestamp) -> Total {
        self.count(asset, Some(from), &Selector::default(), None)
    }

    /// Held amounts but for `exclude`, and spending from `from` on; no spending when `from` is none.
    pub(crate) fn count(
        &self,
        asset: &AssetId,
        from: Option<Timestamp>,
        selector: &Selector,
        exclude: Option<&CaseId>,
    ) -> Total {
        let settled = from.and_then(|from| Some(self.spent.get(asset)?.since(from, selector)));
        let mut total = settled.unwrap_or_default();
        for (_, open) in self.open.iter().filter(|(case, _)| Some(*case) != exclude) {
            if selector.takes(&line(&open.claim)) {
                for (place, charge) in open.claim.charges.iter().enumerate() {
                    if charge.asset == *asset {
                        total = total.plus(charge.amount, u64::from(place == 0));
                    }
                }
            }
        }
        total
    }

    /// What was settled of an asset, in order.
    pub(crate) fn records(&self, asset: &AssetId) -> impl Iterator<Item = &Record> {
        self.spent.get(asset).into_iter().flat_map(Spent::records)
    }

    /// What was settled of an asset from `from` on, with whose it was.
    pub(crate) fn settled_lines(
        &self,
        asset: &AssetId,
        from: Timestamp,
    ) -> impl Iterator<Item = (&Line, Total)> {
        let records = self.records(asset).filter(move |record| record.at >= from);
        records.map(|record| {
            let count = u64::from(record.main);
            (record.line.as_ref(), Total { amount: record.amount, count })
        })
    }

    /// What open cases hold of an asset, with whose it is.
    pub(crate) fn held_lines(&self, asset: &AssetId) -> impl Iterator<Item = (Line, Total)> {
        self.open.values().flat_map(move |open| {
            let charges = open.claim.charges.iter().enumerate();
            let charges = charges.filter(move |(_, charge)| charge.asset == *asset);
            charges.map(|(place, charge)| {
                let count = u64::from(place == 0);
                (line(&open.claim), Total { amount: charge.amount, count })
            })
        })
    }

    fn spend(&mut self, claim: &Claim, charges: &[Charge], at: Timestamp) {
        let line = Arc::new(line(claim));
        for (place, charge) in charges.iter().enumerate() {
            let record =
                Record { at, amount: charge.amount, main: place == 0, line: Arc::clone(&line) };
            let spent = self.spent.entry(charge.asset.clone()).or_default();
            spent.push(record);
            spent.prune(at.minus_s(MEMORY_S));
        }
    }
}

fn line(claim: &Claim) -> Line {
    Line {
        wallet: claim.wallet.clone(),
        agent: claim.agent.clone(),
        counterparty: comparable(&claim.counterparty),
    }
}
