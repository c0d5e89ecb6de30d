//! What a book remembers of cases that are over, in a form that is read back quickly: each case, requester and wallet is
//! written once, and named by its place after that.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::entry::Outcome;
use quorate_terms::intent::Requester;
use quorate_terms::{CaseId, IdempotencyKey, Timestamp, WalletId};
use serde::{Deserialize, Serialize};

use crate::book::{BookState, ClosedCase};
use crate::refusal::Refusal;

use super::bad;

/// A place in one of the lists of [`History`].
type Place = usize;

/// See the module.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    cases: Vec<CaseId>,
    requesters: Vec<Requester>,
    wallets: Vec<WalletId>,
    closed: Vec<Closed>,
    keys: Vec<(Place, IdempotencyKey, Place)>,
    txids: Vec<(String, Place)>,
}

/// A closed case: itself, how it ended, when it was filed, its wallet, and each entry's distance from the one before.
type Closed = (Place, Outcome, Timestamp, Option<Place>, Vec<u64>);

impl History {
    /// Everything that `state` remembers so.
    pub(super) fn of(state: &BookState) -> Self {
        let mut cases: BTreeSet<CaseId> = state.closed.keys().copied().collect();
        cases.extend(state.keys.values());
        cases.extend(state.txids.values());
        let cases = Places::of(cases);
        let requesters = Places::of(state.keys.keys().map(|(requester, _)| requester).collect());
        let wallets = Places::of(state.closed.values().filter_map(|c| c.wallet.as_ref()).collect());
        let closed = state.closed.iter().map(|(case, closed)| {
            let wallet = closed.wallet.as_ref().map(|wallet| wallets.place(&wallet));
            let entries = distances(&closed.entries);
            (cases.place(case), closed.outcome, closed.filed_at, wallet, entries)
        });
        let keys = state.keys.iter().map(|((requester, key), case)| {
            (requesters.place(&requester), key.clone(), cases.place(case))
        });
        let txids = state.txids.iter().map(|(txid, case)| (txid.clone(), cases.place(case)));
        Self {
            closed: closed.collect(),
            keys: keys.collect(),
            txids: txids.collect(),
            cases: cases.0,
            requesters: requesters.0.into_iter().cloned().collect(),
            wallets: wallets.0.into_iter().cloned().collect(),
        }
    }

    /// Puts it back.
    ///
    /// # Errors
    /// [`Refusal`] when it names something that is in none of its lists.
    pub(super) fn restore(self, state: &mut BookState) -> Result<(), Refusal> {
        let Self { cases, requesters, wallets, closed, keys, txids } = self;
        state.closed = closed
            .into_iter()
            .map(|(case, outcome, filed_at, wallet, distances)| {
                let wallet = wallet.map(|place| at(&wallets, place)).transpose()?;
                let entries = indices(&distances)?;
                Ok((at(&cases, case)?, ClosedCase { outcome, filed_at, wallet, entries }))
            })
            .collect::<Result<_, Refusal>>()?;
        state.keys = keys
            .into_iter()
            .map(|(requester, key, case)| {
                Ok(((at(&requesters, requester)?, key), at(&cases, case)?))
            })
            .collect::<Result<_, Refusal>>()?;
        state.txids = txids
            .into_iter()
            .map(|(txid, case)| Ok((txid, at(&cases, case)?)))
            .collect::<Result<BTreeMap<_, _>, Refusal>>()?;
        Ok(())
    }
}

/// A sorted list, and where in it each value lies.
struct Places<T>(Vec<T>);

impl<T: Ord> Places<T> {
    fn of(values: BTreeSet<T>) -> Self {
        Self(values.into_iter().collect())
    }

    fn place(&self, value: &T) -> Place {
        // Whoever asks put the value in; reading refuses a place beyond the end.
        self.0.binary_search(value).unwrap_or(Place::MAX)
    }
}

fn at<T: Clone>(list: &[T], place: Place) -> Result<T, Refusal> {
    list.get(place).cloned().ok_or_else(|| bad("it names something that it does not hold"))
}

fn distances(indices: &[u64]) -> Vec<u64> {
    let before = std::iter::once(&0).chain(indices);
    indices.iter().zip(before).map(|(index, before)| index.saturating_sub(*before)).collect()
}

fn indices(distances: &[u64]) -> Result<Vec<u64>, Refusal> {
    let sum = |before: &mut u64, distance: &u64| {
        *before = before.checked_add(*distance)?;
        Some(*before)
    };
    let indices: Vec<u64> = distances.iter().scan(0, sum).collect();
    if indices.len() == distances.len() { Ok(indices) } else { Err(bad("an index is too large")) }
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written() -> Value {
        let case = |digit: &str| digit.repeat(64);
        json!({
            "cases": [case("a"), case("b")],
            "requesters": [{ "kind": "person", "person": "ann" }],
            "wallets": ["ops"],
            "closed": [[0, "settled", 7, 0, [3, 1, 5]], [1, "done", 9, null, [12]]],
            "keys": [[0, "00000000-0000-4000-8000-000000000001", 1]],
            "txids": [["0xaa", 0]],
        })
    }

    fn restored(written: Value) -> Result<BookState, Refusal> {
        let mut state = BookState::empty();
        serde_json::from_value::<History>(written).unwrap().restore(&mut state)?;
        Ok(state)
    }

    #[test]
    fn what_is_over_comes_back_as_it_was() {
        let state = restored(written()).unwrap();
        let entries: Vec<_> = state.closed.values().map(|closed| closed.entries.clone()).collect();
        assert_eq!(entries, [vec![3, 4, 9], vec![12]]);
        assert_eq!(serde_json::to_value(History::of(&state)).unwrap(), written());
    }

    #[test]
    fn a_place_beyond_its_list_and_an_index_beyond_all_are_refused() {
        for (path, value) in [
            ("/closed/0/0", json!(2)),
            ("/closed/0/3", json!(1)),
            ("/closed/0/4/2", json!(u64::MAX)),
            ("/keys/0/0", json!(1)),
            ("/keys/0/2", json!(2)),
            ("/txids/0/1", json!(usize::MAX)),
        ] {
            let mut wrong = written();
            *wrong.pointer_mut(path).unwrap() = value;
            assert_eq!(restored(wrong).unwrap_err().code, "bad_snapshot", "{path}");
        }
    }

    proptest! {
        #[test]
        fn indices_come_back_from_their_distances(mut wanted in prop::collection::vec(any::<u64>(), 0..20)) {
            wanted.sort_unstable();
            prop_assert_eq!(indices(&distances(&wanted)).unwrap(), wanted);
        }
    }
}
