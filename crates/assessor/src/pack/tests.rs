use std::collections::BTreeMap;

use proptest::prelude::*;
use quorate_ledger::{
    Checkpoint, KeyKind, LogPolicy, Tree, VerifierKey, WitnessKey, cosignature, hash, proof,
};
use quorate_terms::{Digest, Term as _, Timestamp, canonical};

use super::container::{self, Files};
use super::manifest::MANIFEST;
use super::*;
use crate::assess::Reached as Levels;
use crate::finding::{EntryRef, EvidenceRef, Finding, Head, MachinePart, Period, State};
use crate::mark::Signer;
use crate::mark::tests::{key, signs};
use crate::record::{Line, Record, Results};
use crate::standard::Catalogue;

mod own;

const OFFICE: &str = "auditor.example/office";
const VAULT: &str = "example.org/vault";

fn log(origin: &str, seed: u8) -> VerifierKey {
    VerifierKey::new(origin, KeyKind::Log, key(seed)).unwrap()
}

fn witness() -> VerifierKey {
    VerifierKey::new("w", KeyKind::Witness, key(3)).unwrap()
}

fn pins() -> Pins {
    let witnesses = vec![WitnessKey { key: witness(), operator: "w".into() }];
    let vault = "acme".parse().unwrap();
    let book =
        LogPolicy { v: 1, vault, charter: Digest::ZERO, log: log(VAULT, 2), witnesses, quorum: 1 };
    Pins { office: log(OFFICE, 1), books: vec![book] }
}

/// A ledger of lines, which have the outer form of every ledger of the house.
struct Ledger {
    origin: &'static str,
    vault: &'static str,
    entries: Vec<Vec<u8>>,
    tree: Tree,
}

impl Ledger {
    fn new(origin: &'static str, vault: &'static str) -> Self {
        Self { origin, vault, entries: Vec::new(), tree: Tree::new() }
    }

    fn push(&mut self, body: Record) {
        let index = self.tree.size();
        let line = Line {
            v: 1,
            vault: self.vault.parse().unwrap(),
            index,
            prev: Digest::ZERO,
            at: Timestamp::from_millis(index),
            rules: "test".into(),
            body,
        };
        self.take(line.to_canonical().unwrap());
    }

    fn take(&mut self, bytes: Vec<u8>) {
        self.tree.push(hash::leaf(&bytes));
        self.entries.push(bytes);
    }

    fn head(&self) -> Head {
        Head { book: self.origin.into(), size: self.tree.size(), root: self.tree.root() }
    }

    fn part(&self, wanted: &[u64], heads: &[Head], seed: u8, cosigned: bool) -> BookPart {
        let size = self.tree.size();
        let text = |path: Vec<Digest>| path.iter().map(hash::to_base64).collect::<Vec<_>>();
        let prove = |index: &u64| Proven {
            index: *index,
            entry: String::from_utf8(self.entries[usize::try_from(*index).unwrap()].clone())
                .unwrap(),
            path: text(proof::inclusion(&self.tree, *index, size).unwrap()),
        };
        let reach = |head: &Head| Reached {
            size: head.size,
            root: head.root,
            proof: text(proof::consistency(&self.tree, head.size, size).unwrap()),
        };
        let head = Checkpoint { origin: self.origin.into(), size, root: self.tree.root() };
        let mut note = head.sign(&log(self.origin, seed), signs(seed));
        if cosigned {
            note.signatures.push(cosignature::cosign(&witness(), 1, &note.text, signs(3)));
        }
        BookPart {
            origin: self.origin.into(),
            note: note.to_string(),
            entries: wanted.iter().map(prove).collect(),
            heads: heads.iter().map(reach).collect(),
        }
    }
}

fn catalogue() -> Catalogue {
    toml::from_str(include_str!("../../../../standards/wd/0.1.0/catalogue.toml")).unwrap()
}

fn shown() -> (crate::standard::ControlKey, EvidenceRef) {
    let control = "wd 0.1.0".parse::<crate::standard::StandardKey>().unwrap().control("WD-01.1");
    (control, EvidenceRef { tag: "DOCUMENT_1".into(), digest: None, expires: None })
}

fn results(heads: Vec<Head>) -> Results {
    let (control, evidence) = shown();
    let period = Period { from: Timestamp::ZERO, to: Timestamp::from_millis(5) };
    let entry = |index| EntryRef { book: VAULT.into(), index };
    let part = MachinePart {
        query: Digest::ZERO,
        population: 2,
        exceptions: 0,
        shown: Vec::new(),
        cited: vec![entry(1), entry(3)],
        heads: heads.clone(),
    };
    let finding = Finding {
        control,
        state: State::Met,
        reasons: Vec::new(),
        machine: Some(part),
        evidence: vec![evidence],
        period,
        at: Timestamp::from_millis(6),
    };
    Results {
        v: 1,
        standard: "wd 0.1.0".parse().unwrap(),
        catalogue: catalogue().digest().unwrap(),
        official: false,
        period,
        at: Timestamp::from_millis(6),
        heads,
        sought: None,
        reached: Levels { groups: Vec::new(), overall: None, counts: BTreeMap::new() },
        findings: vec![finding],
    }
}

fn refusal(n: u64) -> Record {
    Record::MarkReinstated { mark: format!("m{n}"), reason: "an entry like another".into() }
}

fn parts() -> Parts {
    static MADE: std::sync::LazyLock<Parts> = std::sync::LazyLock::new(made);
    MADE.clone()
}

fn made() -> Parts {
    let mut vault = Ledger::new(VAULT, "acme");
    (0..5).for_each(|n| vault.push(refusal(n)));
    let mut office = Ledger::new(OFFICE, "office");
    let (control, evidence) = shown();
    office.push(Record::EvidenceShown { control, evidence, by: "p-ann".parse().unwrap() });
    let heads = vec![vault.head(), office.head()];
    (5..9).for_each(|n| vault.push(refusal(n)));
    let results = results(heads.clone());
    let text = String::from_utf8(canonical::to_bytes(&results, "results").unwrap()).unwrap();
    let (standard, digest) = (results.standard.clone(), Digest::sha256(text.as_bytes()));
    office.push(Record::Assessed {
        standard,
        results: digest,
        sought: None,
        reached: None,
        heads: heads.clone(),
    });
    Parts {
        office: "office".parse().unwrap(),
        origin: OFFICE.into(),
        made_at: Timestamp::from_millis(9),
        books: vec![
            vault.part(&[1, 3], &heads[..1], 2, true),
            office.part(&[0, 1], &heads[1..], 1, false),
        ],
        results: vec![text],
        catalogues: vec![catalogue()],
        receipts: Vec::new(),
        papers: vec![("report.pdf".into(), b"%PDF".to_vec())],
    }
}

fn built(parts: &Parts) -> Vec<u8> {
    build(parts, &Signer { key: key(1), sign: &signs(1) }).unwrap()
}

/// Why a pack is refused; empty when it stands.
fn why(bytes: &[u8], pins: &Pins) -> String {
    let verified = verify(bytes, pins);
    let why: Vec<String> = verified.checks.iter().filter_map(|c| c.outcome.clone().err()).collect();
    assert_eq!(why.is_empty(), verified.stands(), "{verified:?}");
    why.join("; ")
}

#[test]
fn a_pack_stands_and_the_same_parts_give_the_same_bytes() {
    assert_eq!(why(&built(&parts()), &pins()), "");
    assert_eq!(built(&parts()), built(&parts()));
}

#[test]
fn a_byte_flipped_anywhere_is_noticed() {
    let good = built(&parts());
    let pins = pins();
    for at in (0..good.len()).step_by(997).chain(0..513) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(!verify(&bad, &pins).stands(), "byte {at}");
    }
    for cut in [0, 1, 511, 512, 1024, good.len() - 512, good.len() - 1] {
        assert!(!verify(&good[..cut], &pins).stands(), "cut to {cut}");
    }
    assert!(!verify(&[good.as_slice(), &[0; 512]].concat(), &pins).stands(), "padded");
}

#[test]
fn what_a_pack_lacks_or_changes_is_named_even_when_the_office_itself_signed_it() {
    type Change = fn(&mut Parts);
    let table: [(&str, Change); 12] = [
        ("is cited and not included", |p| drop(p.books[0].entries.remove(0))),
        ("evidence was never recorded", |p| drop(p.books[1].entries.remove(0))),
        ("does not say that it found this", |p| drop(p.books[1].entries.remove(1))),
        ("nothing proves the head", |p| p.books[0].heads.clear()),
        ("nothing proves that the log begins", |p| p.books[0].heads[0].root = Digest::ZERO),
        ("inclusion of entry 1", |p| p.books[0].entries[0].entry.push(' ')),
        ("inclusion of entry 2", |p| p.books[0].entries[0].index = 2),
        ("is there twice", |p| {
            let again = p.books[0].entries[0].clone();
            p.books[0].entries.push(again);
        }),
        ("0 of 1 needed cosignatures", |p| {
            let cut = p.books[0].note.trim_end().rfind('\n').unwrap() + 1;
            p.books[0].note.truncate(cut);
        }),
        ("is not in the pack", |p| p.catalogues.clear()),
        ("the pack holds no results", |p| p.results.clear()),
        ("nothing proves the head of `auditor.example/office`", |p| drop(p.books.remove(1))),
    ];
    for (says, change) in table {
        let mut parts = parts();
        change(&mut parts);
        let why = why(&built(&parts), &pins());
        assert!(why.contains(says), "`{says}` is not in `{why}`");
    }
}

#[test]
fn a_pack_of_another_office_or_about_another_vault_is_refused() {
    let good = built(&parts());
    let mut other = pins();
    other.office = log(OFFICE, 9);
    assert!(why(&good, &other).contains("not signed by the office that you pinned"));
    let mut other = pins();
    other.office = log("other.example/office", 1);
    assert!(why(&good, &other).contains("the pack is of the office"));
    let mut other = pins();
    other.books.clear();
    assert!(why(&good, &other).contains("no policy for this book"));
    let mut other = pins();
    other.books[0].vault = "other".parse().unwrap();
    assert!(why(&good, &other).contains("another place or vault"));
    let mut other = pins();
    other.books[0].log = log(VAULT, 9);
    assert!(!why(&good, &other).is_empty());
}

#[test]
fn a_missing_extra_or_changed_file_is_named() {
    let files = container::read(&built(&parts())).unwrap();
    let mut less = files.clone();
    less.remove("papers/report.pdf");
    assert!(
        why(&container::write(&less).unwrap(), &pins()).contains("`papers/report.pdf` is missing")
    );
    let mut more = files.clone();
    more.insert("papers/other.pdf".into(), Vec::new());
    assert!(
        why(&container::write(&more).unwrap(), &pins())
            .contains("`papers/other.pdf` is not listed")
    );
    let mut changed = files.clone();
    changed.insert("papers/report.pdf".into(), b"%pdf".to_vec());
    assert!(why(&container::write(&changed).unwrap(), &pins()).contains("is not what was listed"));
    let mut bare = files;
    bare.remove(MANIFEST);
    assert!(why(&container::write(&bare).unwrap(), &pins()).contains("is missing"));
}

/// A tar file with one entry that our own writer would not make.
fn tar_of(name: &[u8], kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(u64::try_from(content.len()).unwrap());
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, content).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn names_that_lead_elsewhere_and_things_that_are_no_files_are_refused() {
    for name in
        ["../x", "/etc/x", "a/../b", "a//b", "./a", "A", "a b", "a\\b", ".hidden", "a/.b", ""]
    {
        assert!(!container::is_name(name), "{name}");
        assert!(
            container::read(&tar_of(name.as_bytes(), tar::EntryType::Regular, b"x")).is_err(),
            "{name}"
        );
        assert!(container::write(&Files::from([(name.to_owned(), Vec::new())])).is_err());
    }
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Directory,
        tar::EntryType::Char,
        tar::EntryType::GNULongName,
        tar::EntryType::XHeader,
    ] {
        assert!(container::read(&tar_of(b"a", kind, b"")).is_err(), "{kind:?}");
    }
    assert!(container::read(&tar_of(b"a", tar::EntryType::Regular, b"x")).is_ok());
    let twice = [
        &tar_of(b"a", tar::EntryType::Regular, b"x")[..1024],
        &tar_of(b"a", tar::EntryType::Regular, b"y"),
    ]
    .concat();
    assert!(container::read(&twice).unwrap_err().to_string().contains("twice"));
}

#[test]
fn a_file_that_claims_to_be_huge_is_refused_before_it_is_held() {
    let mut header = tar::Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(container::FILE_BYTES_MAX + 1);
    header.set_cksum();
    assert!(container::read(header.as_bytes()).is_err());
    assert!(container::read(&vec![0; container::PACK_BYTES_MAX + 1]).is_err());
    let many: Files = (0..=container::FILES_MAX).map(|n| (format!("f{n}"), Vec::new())).collect();
    assert!(container::write(&many).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_and_mutated_packs_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2000), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        let _ = verify(&bytes, &pins());
        static GOOD: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| built(&parts()));
        let mut bad = GOOD.clone();
        let at = at.index(bad.len());
        bad[at] = with;
        let _ = verify(&bad, &pins());
        let _ = verify(&bad[..at], &pins());
    }

    #[test]
    fn what_a_signed_pack_holds_may_be_anything_and_never_panics(text in ".{0,200}", json in "[\\[\\]{}\":,a-z0-9]{0,80}") {
        for junk in [text, json] {
            let mut parts = parts();
            parts.books[0].note = junk.clone();
            parts.books[0].entries[0].entry = junk.clone();
            parts.books[1].heads[0].proof = vec![junk.clone()];
            parts.results.push(junk);
            prop_assert!(!verify(&built(&parts), &pins()).stands());
        }
    }
}
