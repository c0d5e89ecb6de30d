//! Which entries make a case's receipt: its own, and those that say who may do what.

use quorate_terms::{CaseId, WalletId};

use crate::book::Book;
use crate::refusal::Refusal;

impl Book {
    /// The indices of the entries that belong in the receipt of a case: founding or charter, policy, key and backups of its
    /// wallet, and everything about the case itself, in order.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such case.
    pub fn receipt_entries(
        &self,
        case: &CaseId,
        wallet: Option<&WalletId>,
    ) -> Result<Vec<u64>, Refusal> {
        let own = match (self.case(case), self.closed(case)) {
            (Some(case), _) => &case.entries,
            (None, Some(closed)) => &closed.entries,
            (None, None) => {
                let next = "look at `quorate case list --all`";
                return Err(Refusal::new("unknown_case", "there is no such case", next));
            }
        };
        let mut entries = self.ground_entries(wallet);
        entries.insert(0);
        entries.extend(own);
        Ok(entries.into_iter().collect())
    }
}
