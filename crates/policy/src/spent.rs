//! What has been spent of one asset, in order of time, with sums that stay fast over a long history.
//!
//! Records lie in chunks that never change once full; a chunk remembers the sums it was asked for. A question about a
//! window adds up remembered chunk sums and looks at single records only in the first chunk and in the open tail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use quorate_terms::{AccountId, AgentId, Amount, Timestamp, WalletId};

/// Records in a full chunk.
const CHUNK: usize = 512;
/// Sums that one chunk remembers. Past that it adds up again: slower, never wrong.
const SUMS_MAX: usize = 64;

/// Whose money moved to whom. Shared by the charges of one claim.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) wallet: WalletId,
    pub(crate) agent: Option<AgentId>,
    pub(crate) counterparty: AccountId,
}

/// Which lines a question counts. None of a field means every value of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Selector {
    pub(crate) wallets: Option<BTreeSet<WalletId>>,
    /// `None` in the set stands for people.
    pub(crate) agents: Option<BTreeSet<Option<AgentId>>>,
    /// In the comparable form of [`crate::checks::comparable`].
    pub(crate) counterparties: Option<BTreeSet<AccountId>>,
}

impl Selector {
    pub(crate) fn takes(&self, line: &Line) -> bool {
        self.wallets.as_ref().is_none_or(|set| set.contains(&line.wallet))
            && self.agents.as_ref().is_none_or(|set| set.contains(&line.agent))
            && self.counterparties.as_ref().is_none_or(|set| set.contains(&line.counterparty))
    }
}

/// A sum of base units and a number of intents. A sum beyond 2^256 is held at the largest amount and never forgets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Total {
    /// Base units.
    pub amount: Amount,
    /// Intents whose main asset this is.
    pub count: u64,
}

impl Total {
    #[must_use]
    pub(crate) fn plus(self, amount: Amount, count: u64) -> Self {
        Self {
            amount: self.amount.checked_add(amount).unwrap_or(Amount::MAX),
            count: self.count.saturating_add(count),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) at: Timestamp,
    pub(crate) amount: Amount,
    /// Whether the asset is the main one of its intent, not the fee's.
    pub(crate) main: bool,
    pub(crate) line: Arc<Line>,
}

#[derive(Debug)]
struct Chunk {
    records: Vec<Record>,
    sums: Mutex<BTreeMap<Selector, Total>>,
}

impl Chunk {
    fn last(&self) -> Timestamp {
        self.records.last().map_or(Timestamp::ZERO, |record| record.at)
    }

    fn total(&self, selector: &Selector) -> Total {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(total) = sums.get(selector) {
            return *total;
        }
        let total = add_up(&self.records, selector, Timestamp::ZERO);
        if sums.len() < SUMS_MAX {
            sums.insert(selector.clone(), total);
        }
        total
    }
}

fn add_up(records: &[Record], selector: &Selector, from: Timestamp) -> Total {
    records
        .iter()
        .filter(|record| record.at >= from && selector.takes(&record.line))
        .fold(Total::default(), |total, record| total.plus(record.amount, record.main.into()))
}

/// The records of one asset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spent {
    full: Vec<Arc<Chunk>>,
    tail: Vec<Record>,
}

impl Spent {
    /// Adds a record. Times are monotone in a book; an earlier one is held at the last, which can only tighten.
    pub(crate) fn push(&mut self, mut record: Record) {
        record.at = record.at.max(self.last());
        self.tail.push(record);
        if self.tail.len() >= CHUNK {
            let records = std::mem::take(&mut self.tail);
            self.full.push(Arc::new(Chunk { records, sums: Mutex::default() }));
        }
    }

    fn last(&self) -> Timestamp {
        let full = || self.full.last().map_or(Timestamp::ZERO, |chunk| chunk.last());
        self.tail.last().map_or_else(full, |record| record.at)
    }

    /// The total from `from` on.
    pub(crate) fn since(&self, from: Timestamp, selector: &Selector) -> Total {
        let first = self.full.partition_point(|chunk| chunk.last() < from);
        let mut total = add_up(&self.tail, selector, from);
        for chunk in self.full.iter().skip(first) {
            let whole = chunk.records.first().is_some_and(|record| record.at >= from);
            let part = match whole {
                true => chunk.total(selector),
                false => add_up(&chunk.records, selector, from),
            };
            total = total.plus(part.amount, part.count);
        }
        total
    }

    /// Forgets whole chunks that ended before `before`.
    pub(crate) fn prune(&mut self, before: Timestamp) {
        let old = self.full.partition_point(|chunk| chunk.last() < before);
        self.full.drain(..old);
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.full.iter().flat_map(|chunk| chunk.records.iter()).chain(&self.tail)
    }
}

impl PartialEq for Spent {
    fn eq(&self, other: &Self) -> bool {
        self.records().eq(other.records())
    }
}

impl Eq for Spent {}

/// Each line once, in the order in which they first came, and each record with the place of its line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    lines: Vec<Line>,
    records: Vec<(Timestamp, Amount, bool, usize)>,
}

impl Serialize for Spent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut places: BTreeMap<&Line, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        let records = self.records().map(|Record { at, amount, main, line }| {
            let place = *places.entry(line).or_insert_with(|| {
                lines.push(line.as_ref().clone());
                lines.len().saturating_sub(1)
            });
            (*at, *amount, *main, place)
        });
        let records = records.collect();
        Written { lines, records }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Spent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { lines, records } = Written::deserialize(deserializer)?;
        let lines: Vec<Arc<Line>> = lines.into_iter().map(Arc::new).collect();
        let mut spent = Self::default();
        for (at, amount, main, place) in records {
            let line = lines.get(place).cloned().ok_or_else(|| D::Error::custom("no such line"))?;
            spent.push(Record { at, amount, main, line });
        }
        Ok(spent)
    }
}
