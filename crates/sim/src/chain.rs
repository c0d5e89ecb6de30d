//! A chain on a table: mempool, blocks, nonces, balances, fees, reorganisations below finality.

use std::collections::BTreeMap;

use quorate_chains::{Effect, FeeMode, SignedReading, Snapshot, read_signed};
use quorate_terms::fact::{Fact, Fate};
use quorate_terms::{AccountId, Amount, Timestamp};

use crate::people::{CHAIN, id};

/// Blocks that must stand on a transaction, its own included.
pub const FINAL: usize = 3;
const GWEI: u128 = 1_000_000_000;

/// A transaction with its fee, as it stands in a block.
#[derive(Clone, Debug)]
pub struct Included {
    /// What was signed.
    pub reading: SignedReading,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// The base fee that it paid, in wei for each gas.
    pub base_fee: u128,
}

/// Where a transaction or nonce stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere.
    Nowhere,
    /// In the pool.
    Pool,
    /// In this block, so deep.
    Block {
        /// Its number.
        number: u64,
        /// Blocks on it, itself included.
        depth: u64,
    },
}

/// The chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Every block's transactions.
    pub blocks: Vec<Vec<Included>>,
    /// Transactions that wait.
    pub pool: Vec<(SignedReading, Vec<u8>)>,
    /// What the account had at the beginning, in wei.
    pub endowment: u128,
    /// The present base fee, in wei for each gas.
    pub base_fee: u128,
}

impl Chain {
    /// A chain on which every account has so much.
    pub const fn new(endowment: u128) -> Self {
        Self { blocks: Vec::new(), pool: Vec::new(), endowment, base_fee: 20 * GWEI }
    }

    /// Everything on chain, oldest first.
    pub fn included(&self) -> impl Iterator<Item = &Included> {
        self.blocks.iter().flatten()
    }

    /// What stands below the depth at which it can still be reorganised away.
    pub fn settled(&self) -> impl Iterator<Item = &Included> {
        let deep = (self.blocks.len() + 1).saturating_sub(FINAL);
        self.blocks.iter().take(deep).flatten()
    }

    /// The next nonce of an account.
    pub fn nonce(&self, account: &AccountId) -> u64 {
        self.included().filter(|tx| tx.reading.account == *account).count() as u64
    }

    fn balance(&self, account: &AccountId) -> u128 {
        let spent: u128 = self
            .included()
            .filter(|tx| tx.reading.account == *account)
            .map(|tx| wei(tx.reading.draft.meaning().amount) + fee(tx))
            .sum();
        self.endowment.saturating_sub(spent)
    }

    /// Takes signed bytes into the pool; another transaction with the same nonce gives way to one that pays a tenth more.
    pub fn submit(&mut self, raw: &[u8]) -> bool {
        let waits = self.pool.iter().any(|(_, known)| known == raw);
        if waits || self.included().any(|tx| tx.raw == raw) {
            return true;
        }
        let Ok(reading) = read_signed(&id(CHAIN), raw) else { return false };
        let meaning = reading.draft.meaning();
        if meaning.nonce < self.nonce(&reading.account) {
            return false;
        }
        let same = |known: &SignedReading| {
            known.account == reading.account && known.draft.meaning().nonce == meaning.nonce
        };
        if let Some((known, _)) = self.pool.iter().find(|(known, _)| same(known)) {
            let least = wei(known.draft.meaning().max_fee_per_gas) / 10 * 11;
            if wei(meaning.max_fee_per_gas) < least {
                return known.txid == reading.txid;
            }
        }
        self.pool.retain(|(known, _)| !same(known));
        self.pool.push((reading, raw.to_vec()));
        true
    }

    /// Makes the next block of everything that may stand in it.
    pub fn mine(&mut self) {
        let mut block: Vec<Included> = Vec::new();
        let mut nonces: BTreeMap<AccountId, u64> = BTreeMap::new();
        let mut waiting = std::mem::take(&mut self.pool);
        waiting.sort_by_key(|(reading, _)| reading.draft.meaning().nonce);
        for (reading, raw) in waiting {
            let meaning = reading.draft.meaning();
            let next = *nonces
                .entry(reading.account.clone())
                .or_insert_with(|| self.nonce(&reading.account));
            let pays = wei(meaning.max_fee_per_gas) >= self.base_fee;
            let held: u128 = block.iter().map(|tx| wei(tx.reading.draft.meaning().amount)).sum();
            let need = wei(meaning.amount) + wei(meaning.fee_max) + held;
            if meaning.nonce < next {
                continue;
            }
            if meaning.nonce > next || !pays || self.balance(&reading.account) < need {
                self.pool.push((reading, raw));
                continue;
            }
            nonces.insert(reading.account.clone(), next + 1);
            block.push(Included { reading, raw, base_fee: self.base_fee });
        }
        self.blocks.push(block);
    }

    /// Takes the newest blocks back; their transactions return to the pool unless `drops` says otherwise.
    pub fn reorganise(&mut self, depth: usize, mut drops: impl FnMut() -> bool) {
        for _ in 0..depth.min(FINAL - 1) {
            for tx in self.blocks.pop().into_iter().flatten() {
                if !drops() {
                    self.pool.retain(|(known, _)| {
                        known.draft.meaning().nonce != tx.reading.draft.meaning().nonce
                    });
                    self.pool.push((tx.reading, tx.raw));
                }
            }
        }
    }

    /// Where a transaction is.
    pub fn place(&self, txid: &str) -> Place {
        let top = self.blocks.len() as u64;
        for (number, block) in (0..).zip(&self.blocks) {
            if block.iter().any(|tx| tx.reading.txid == txid) {
                return Place::Block { number, depth: top - number };
            }
        }
        let waits = self.pool.iter().any(|(known, _)| known.txid == txid);
        if waits { Place::Pool } else { Place::Nowhere }
    }

    /// What is on chain under a nonce.
    pub fn at_nonce(&self, account: &AccountId, nonce: u64) -> Option<&Included> {
        let of = |tx: &&Included| {
            tx.reading.account == *account && tx.reading.draft.meaning().nonce == nonce
        };
        self.included().find(of)
    }

    /// The honest source's fact on a nonce, once it is final. `ours` are the transactions signed for the case.
    pub fn finality(&self, account: &AccountId, nonce: u64, ours: &[String]) -> Option<Fact> {
        let tx = self.at_nonce(account, nonce)?;
        let Place::Block { number, depth } = self.place(&tx.reading.txid) else { return None };
        if depth < FINAL as u64 {
            return None;
        }
        let moved = tx.reading.draft.meaning().effect != Effect::SelfSend;
        let fate =
            if moved && ours.contains(&tx.reading.txid) { Fate::Settled } else { Fate::Replaced };
        Some(Fact::Finality {
            chain: id(CHAIN),
            account: account.clone(),
            nonce,
            txid: tx.reading.txid.clone(),
            block: number,
            depth,
            fate,
            fee: Amount::from_u128(fee(tx)),
        })
    }

    /// One reading of the chain, for a draft.
    pub fn snapshot(&self, account: &AccountId, at: Timestamp) -> Snapshot {
        Snapshot {
            chain: id(CHAIN),
            account: account.clone(),
            nonce: self.nonce(account),
            base_fee: Amount::from_u128(self.base_fee),
            priority_fee: Amount::from_u128(GWEI),
            gas_limit: 21_000,
            fee_mode: FeeMode::Eip1559,
            block: self.blocks.len() as u64,
            at,
        }
    }
}

/// Wei, as far as a simulation has any.
pub fn wei(amount: Amount) -> u128 {
    u128::try_from(amount.units()).unwrap_or(u128::MAX / 4)
}

fn fee(tx: &Included) -> u128 {
    let meaning = tx.reading.draft.meaning();
    let price = (tx.base_fee + wei(meaning.priority_fee)).min(wei(meaning.max_fee_per_gas));
    u128::from(meaning.gas_limit) * price
}
