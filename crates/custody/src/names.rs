//! What the book calls accounts: our own by their wallets, recipients by the names of their beneficiaries.
//!
//! The book holds a name only as a commitment. Whoever has its opening may hand it in; one that opens nothing is not used.

use std::collections::{BTreeMap, BTreeSet};

use quorate_policy::{Names, checks};
use quorate_terms::commitment::{Commitment, Opening};
use quorate_terms::{AccountId, Digest};

use crate::book::Book;

impl Book {
    /// The commitments to the names of those recipients on the list that are among these, as [`quorate_policy::reach::accounts`]
    /// gives them of a policy.
    pub fn beneficiaries(&self, named: &BTreeSet<AccountId>) -> Vec<Commitment> {
        let all = self.state.beneficiaries.iter();
        let of_these = all.filter(|(account, _)| named.contains(&checks::comparable(account)));
        of_these.map(|(_, beneficiary)| *beneficiary).collect()
    }

    /// What people call accounts, with every name that one of `opened` proves.
    pub fn names(&self, opened: &[Opening]) -> Names {
        let proven = opened
            .iter()
            .filter_map(|one| Some((one.commitment().ok()?.digest(), one.value.as_str())));
        let proven: BTreeMap<Digest, &str> = proven.collect();
        let mut names = Names::default();
        for (id, wallet) in self.wallets() {
            wallet.accounts.values().for_each(|account| names.own(account, id));
        }
        for (account, _) in self.listed() {
            let beneficiary = self.state.beneficiaries.get(account);
            let name = beneficiary.and_then(|one| proven.get(&one.digest())).copied();
            names.listed(account, name);
        }
        names
    }
}
