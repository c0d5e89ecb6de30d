//! Packs that cite cosigners' own ledgers: each under the key with which that cosigner witnesses, believed about itself.

use serde_json::json;

use super::*;

const EAST: &str = "example.org/vault/east";
const WEST: &str = "example.org/vault/west";

/// Seeds of the keys with which cosigners witness.
const SEATS: [(&str, u8); 2] = [(EAST, 4), (WEST, 5)];

fn seated() -> Pins {
    let mut pins = pins();
    for (name, seed) in SEATS {
        let key = VerifierKey::new(name, KeyKind::Witness, key(seed)).unwrap();
        pins.books[0].witnesses.push(WitnessKey { key, operator: name.into() });
    }
    pins
}

/// The own ledger of a cosigner, which says where shares run.
fn own(origin: &'static str, holders: &[&str]) -> Ledger {
    let mut own = Ledger::new(origin, "acme");
    for (index, holder) in holders.iter().enumerate() {
        let body = json!({ "type": "PlacementAttested", "holder": holder, "host": "h" });
        let entry = json!({
            "v": 1, "vault": own.vault, "index": index, "prev": Digest::ZERO, "at": 1, "rules": "t", "body": body,
        });
        own.take(canonical::to_bytes(&entry, "entry").unwrap());
    }
    own
}

/// Parts in which the finding cites entry 1 of each cosigner's own ledger too.
fn parts() -> Parts {
    let east = own(EAST, &["west", "east"]);
    let west = own(WEST, &["east", "west"]);
    let mut parts = super::parts();
    let mut results: Results =
        canonical::from_bytes(parts.results[0].as_bytes(), "results").unwrap();
    for (own, (_, seed)) in [&east, &west].into_iter().zip(SEATS) {
        results.heads.push(own.head());
        let part = results.findings[0].machine.as_mut().unwrap();
        part.cited.push(EntryRef { book: own.origin.into(), index: 1 });
        part.heads.push(own.head());
        parts.books.push(own.part(&[1], &[own.head()], seed, false));
    }
    recorded(&mut parts, &results);
    parts
}

/// Gives the parts these results, recorded by the office as it found them.
fn recorded(parts: &mut Parts, results: &Results) {
    let text = String::from_utf8(canonical::to_bytes(results, "results").unwrap()).unwrap();
    let mut office = Ledger::new(OFFICE, "office");
    let (control, evidence) = shown();
    office.push(Record::EvidenceShown { control, evidence, by: "p-ann".parse().unwrap() });
    office.push(Record::Assessed {
        standard: results.standard.clone(),
        results: Digest::sha256(text.as_bytes()),
        sought: None,
        reached: None,
        heads: results.heads.clone(),
    });
    // The head that was assessed is the one before the result's own line.
    let mut before = Ledger::new(OFFICE, "office");
    before.take(office.entries[0].clone());
    parts.books[1] = office.part(&[0, 1], &[before.head()], 1, false);
    parts.results = vec![text];
}

#[test]
fn entries_of_cosigners_own_ledgers_are_proven_under_their_keys() {
    let verified = verify(&built(&parts()), &seated());
    let said: Vec<String> =
        verified.checks.iter().filter_map(|check| check.outcome.clone().ok()).collect();
    assert!(verified.stands(), "{verified:?}");
    assert!(said.iter().any(|line| line.contains("own key of cosigner `west`")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("4 cited entries included")), "{said:?}");
}

#[test]
fn row_74_what_a_cosigners_book_lacks_or_forges_in_a_pack_is_named() {
    type Change = fn(&mut Parts);
    let table: [(&str, Change); 10] = [
        ("entry 1 of `example.org/vault/east` is cited and not included", |p| {
            p.books[2].entries.clear();
        }),
        ("nothing proves the head of `example.org/vault/east`", |p| p.books[2].heads.clear()),
        ("nothing proves the head of `example.org/vault/east`", |p| drop(p.books.remove(2))),
        ("inclusion of entry 1", |p| p.books[2].entries[0].path.clear()),
        ("inclusion of entry 1", |p| {
            let entry = &mut p.books[2].entries[0].entry;
            *entry = entry.replace(r#""host":"h""#, r#""host":"i""#);
        }),
        ("inclusion of entry 1", |p| p.books[2].entries = p.books[3].entries.clone()),
        ("`example.org/vault/east`", |p| p.books[2].note = p.books[3].note.clone()),
        ("`example.org/vault/east`", |p| {
            p.books[2] = own(EAST, &["west", "east"]).part(&[1], &[], 5, false);
        }),
        ("is there twice", |p| p.books.push(p.books[2].clone())),
        ("is not about the cosigner whose word it is", |p| {
            let own = own(EAST, &["west", "east"]);
            p.books[2] = own.part(&[0, 1], &[own.head()], 4, false);
        }),
    ];
    for (says, change) in table {
        let mut parts = parts();
        change(&mut parts);
        let why = why(&built(&parts), &seated());
        assert!(why.contains(says), "`{says}` is not in `{why}`");
    }
}

#[test]
fn row_74_a_book_of_nobody_who_is_pinned_is_refused() {
    let good = built(&parts());
    assert!(why(&good, &pins()).contains("`example.org/vault/east`: no policy for this book"));
    let mut swapped = seated();
    for (at, seed) in [(1, 5), (2, 4)] {
        let witness = &mut swapped.books[0].witnesses[at].key;
        *witness = VerifierKey::new(witness.name(), KeyKind::Witness, key(seed)).unwrap();
    }
    assert!(why(&good, &swapped).contains("`example.org/vault/east`"), "under the other's key");
    let mut other = seated();
    other.books[0].vault = "other".parse().unwrap();
    assert!(why(&good, &other).contains("entry 1 is of another place or vault"));
    // A witness that is no cosigner of this vault has no book of its own.
    let mut parts = parts();
    parts.books[2].origin = "w".into();
    assert!(why(&built(&parts), &seated()).contains("a witness of this name has no book"));
}
