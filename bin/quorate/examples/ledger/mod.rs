//! A real ledger for benches: transfers that were filed, judged, drafted, signed, broadcast and settled, each entry folded as a
//! desk folds it.

use std::path::Path;

use quorate_custody::{Event, Verdict};
use quorate_host::store::{Append, Store};
use quorate_ledger::{Frontier, hash};
use quorate_terms::Amount;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::fact::Fate;

use crate::house::{self, House, charter, filed};

pub(crate) type Done<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Entries that are written at once.
const PAGE: usize = 4096;

/// As in the tests, with room in the budgets.
pub(crate) fn founding() -> CharterText {
    let mut text = charter();
    for budget in &mut text.policy.budgets {
        budget.amount = Some(Amount::from_u128(u128::MAX));
    }
    text
}

/// The desk's ledger as it grows.
pub(crate) struct Ledger {
    pub(crate) house: House,
    pub(crate) frontier: Frontier,
    pub(crate) store: Store,
    waiting: Vec<Vec<u8>>,
}

impl Ledger {
    /// A founded vault with the wallet `ops` and the agent `trader`, and nothing moved yet.
    pub(crate) async fn founded(path: &Path, text: CharterText) -> Done<Self> {
        let store = Store::open(path).await?;
        let mut house = House::founded(text);
        house.open_wallet("ops", &[house::CHAIN, house::MAINNET]);
        house.admit_agent("trader", house::NOON.plus_s(366 * 86_400));
        let mut ledger = Self { house, frontier: Frontier::new(), store, waiting: Vec::new() };
        ledger.take_up()?;
        Ok(ledger)
    }

    /// Takes what the house wrote by itself.
    pub(crate) fn take_up(&mut self) -> Done {
        for entry in std::mem::take(&mut self.house.entries) {
            self.take(entry.to_canonical()?);
        }
        Ok(())
    }

    /// One settled transfer after another, so many seconds between every so many of them, until there are so many entries.
    pub(crate) async fn grow(&mut self, to: u64, (seconds, each): (u64, u64)) -> Done {
        for turn in 0_u64.. {
            if self.house.book.size() >= to {
                break;
            }
            if turn.is_multiple_of(each) {
                self.house.later(seconds);
            }
            self.transfer()?;
            if self.waiting.len() >= PAGE {
                self.flush().await?;
            }
        }
        self.flush().await
    }

    fn transfer(&mut self) -> Done {
        let intent = self.house.transfer_of(house::agent("trader"), 1);
        let snapshot = self.house.snapshot(house::CHAIN);
        let case = intent.case()?;
        self.does(filed(&intent, Some(snapshot)))?;
        let event = self.house.signature(&case);
        self.does(event)?;
        let txid = self.house.case(&case).signed.last().unwrap().txid.clone();
        self.does(Event::Published { case, txid: txid.clone() })?;
        let fact = self.house.finality(&case, &txid, Fate::Settled);
        self.does(Event::FinalityCame { case, fact: Box::new(fact) })?;
        self.house.nonce += 1;
        Ok(())
    }

    fn does(&mut self, event: Event) -> Done {
        let step = self.house.book.step(event, self.house.now).map_err(|e| e.to_string())?;
        for entry in self.house.book.entries(step.records, self.house.now)? {
            let verdict = self.house.book.admit(&entry).map_err(|e| e.to_string())?;
            assert_eq!(verdict, Verdict::Good);
            self.take(entry.to_canonical()?);
        }
        Ok(())
    }

    fn take(&mut self, bytes: Vec<u8>) {
        self.frontier.append(hash::leaf(&bytes));
        self.waiting.push(bytes);
    }

    async fn flush(&mut self) -> Done {
        let entries = std::mem::take(&mut self.waiting);
        let append = Append { expected_size: self.store.size(), entries, ..Append::default() };
        self.store.submit(append)?.done().await?;
        Ok(())
    }

    /// The snapshot of a desk that stands here, kept as its newest; gives its size in bytes.
    pub(crate) async fn keep_snapshot(
        &self,
        log: &quorate_host::identity::Identity,
    ) -> Done<usize> {
        let follower =
            quorate_custody::Follower::new(self.house.book.clone(), self.frontier.clone());
        let size = follower.size();
        let blob = follower.to_snapshot(|digest| log.sign(digest)).map_err(|e| e.to_string())?;
        let bytes = blob.len();
        self.store.put_snapshot("desk", size, blob).await?;
        Ok(bytes)
    }
}
