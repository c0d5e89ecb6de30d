//! Which entries make a case's receipt: its own, and those that say who may do what.

use quorate_terms::{CaseId, WalletId};

use crate::book::Book;
use crate::refusal::Refusal;

impl Book {
    /// The indices of the entries that belong in the receipt of a case: founding or charter, policy, key and backups of its
    /// wallet, delegations that were open during its life, and everything about the case itself, in order.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such case.
    pub fn receipt_entries(
        &self,
        case: &CaseId,
        wallet: Option<&WalletId>,
    ) -> Result<Vec<u64>, Refusal> {
        let (own, filed_at) = match (self.case(case), self.closed(case)) {
            (Some(case), _) => (&case.entries, case.filed_at),
            (None, Some(closed)) => (&closed.entries, closed.filed_at),
            (None, None) => {
                let next = "look at `quorate case list --all`";
                return Err(Refusal::new("unknown_case", "there is no such case", next));
            }
        };
        let mut entries = self.ground_entries(wallet);
        entries.insert(0);
        entries.extend(own);
        // Those alone: a receipt holds so many entries at most, and delegations have no end in number.
        let last = own.last().copied().unwrap_or_default();
        let stood = self.delegations().filter(|(_, one)| one.meets(filed_at, last));
        entries.extend(stood.flat_map(|(_, one)| &one.entries));
        Ok(entries.into_iter().collect())
    }
}
