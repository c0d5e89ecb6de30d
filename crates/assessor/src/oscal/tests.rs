use std::sync::LazyLock;

use proptest::prelude::*;
use quorate_terms::{Digest, Timestamp};
use serde_json::{Value, json};

use super::out::{Assessed, Remedy};
use super::*;
use crate::assess::Reached;
use crate::finding::*;
use crate::record::Results;
use crate::standard::mapping::Mappings;
use crate::standard::{Catalogue, Library, Profile};

mod foreign;
mod mutants;

const CCSS: &str = include_str!("../../../../standards/ccss/9.0/catalogue.toml");
const CCSS_DECISIONS: &str = include_str!("../../../../standards/ccss/9.0/decisions.toml");
const MAS: &str = include_str!("../../../../standards/mas/2026-11-20/catalogue.toml");
const MAPS: &str = r#"
id = "ccss-to-mas"
from = "ccss 9.0"
note = "our judgement"
[[map]]
control = "1.02.3.1"
standard = "mas 2026-11-20"
to = "mas-cold-90"
relation = "intersects"
confidence = "K"
rationale = "They overlap; neither covers the other."
[[map]]
control = "1.01.1.1"
standard = "mas 2026-11-20"
to = "mas-trm-key-lifecycle"
relation = "subset"
confidence = "S"
rationale = "Part of it."
"#;
const PROFILE: &str = r#"
id = "strict"
title = "Strict"
status = "proposal"
rule = "The strictest.\nAlways."
imports = ["mas 2026-11-20"]
[[setting]]
parameter = "rto_max"
merge = "min"
value = "PT4H"
type = "duration"
from = ["mas-rto-4h"]
note = "odd:\n text"
[[conflict]]
id = "c"
title = "A clash"
kind = "legal"
what = "Two say two things."
controls = ["mas-cold-90"]
way_through = "Ask."
"#;

static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    Library::load([
        ("ccss/9.0/catalogue.toml", CCSS),
        ("ccss/9.0/decisions.toml", CCSS_DECISIONS),
        ("mas/2026-11-20/catalogue.toml", MAS),
        ("mappings/m.toml", MAPS),
        ("profiles/p.toml", PROFILE),
    ])
    .unwrap_or_else(|problems| panic!("{problems:?}"))
});

fn ccss() -> &'static Catalogue {
    LIBRARY.newest("ccss").unwrap()
}

fn found(id: &str, state: State) -> Finding {
    let book = "vault.example/book".to_owned();
    let machine = MachinePart {
        query: Digest::sha256(b"query"),
        population: 12,
        exceptions: 1,
        shown: vec![Exception {
            entry: Some(EntryRef { book: book.clone(), index: 7 }),
            why: "too old".into(),
        }],
        cited: vec![EntryRef { book: book.clone(), index: 7 }],
        heads: vec![Head { book, size: 40, root: Digest::sha256(b"root") }],
    };
    let shown = |tag: &str| EvidenceRef {
        tag: tag.into(),
        digest: Some(Digest::sha256(tag.as_bytes())),
        expires: Some(Timestamp::from_millis(1_800_000_000_000)),
    };
    Finding {
        control: ccss().key().control(id),
        state,
        reasons: vec!["one is too old".into(), "another too".into()],
        machine: (state != State::NotSought).then_some(machine),
        evidence: vec![shown("INTERVIEW_1"), shown("DOCUMENT_2")],
        period: period(),
        at: Timestamp::from_millis(1_795_000_000_000),
    }
}

fn period() -> Period {
    Period {
        from: Timestamp::from_millis(1_763_000_000_000),
        to: Timestamp::from_millis(1_794_000_000_000),
    }
}

/// One finding for each control; states go round.
fn results() -> Results {
    let states = State::ALL.into_iter().cycle();
    let findings: Vec<Finding> = ccss()
        .controls
        .iter()
        .zip(states)
        .map(|(control, state)| found(&control.id, state))
        .collect();
    Results {
        v: 1,
        standard: ccss().key(),
        catalogue: ccss().digest().unwrap(),
        official: false,
        period: period(),
        at: Timestamp::from_millis(1_795_000_000_000),
        heads: findings[0].machine.clone().unwrap().heads,
        sought: Some("II".into()),
        reached: Reached {
            overall: None,
            groups: vec![],
            counts: std::collections::BTreeMap::new(),
        },
        findings,
    }
}

fn remedies() -> Vec<Remedy> {
    let results = results();
    let gap = results.findings.iter().find(|finding| finding.state == State::Gap).unwrap();
    vec![Remedy {
        control: gap.control.id.clone(),
        what: "Rotate the keys.".into(),
        owner: "p-ann".into(),
        due: Timestamp::from_millis(1_799_000_000_000),
    }]
}

fn written(results: &Results, remedies: &[Remedy]) -> Vec<Document> {
    let it = Assessed {
        results,
        catalogue: ccss(),
        library: &LIBRARY,
        system: "treasury",
        assessor: "auditor.example/office",
        remedies,
    };
    out::assessed(&it).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// One document of each model.
fn all() -> Vec<Document> {
    let mut all: Vec<Document> =
        LIBRARY.catalogues.values().map(|catalogue| out::catalogue(catalogue).unwrap()).collect();
    all.push(out::baseline(ccss(), Some("II")).unwrap());
    all.push(out::baseline(LIBRARY.newest("mas").unwrap(), None).unwrap());
    all.extend(LIBRARY.profiles.values().map(|profile| out::profile(profile, &LIBRARY).unwrap()));
    all.extend(LIBRARY.mappings.values().map(|mappings| out::mapping(mappings, &LIBRARY).unwrap()));
    all.push(out::component(&LIBRARY).unwrap());
    all.extend(written(&results(), &remedies()));
    all
}

#[test]
fn all_eight_models_are_written_and_every_reference_between_them_is_settled() {
    let all = all();
    for model in Model::ALL {
        assert!(all.iter().any(|document| document.model == model), "{model:?}");
    }
    for document in &all {
        assert_eq!(document.version, VERSION);
        let checked = document.against(&all);
        assert_eq!(checked, Checked::default(), "{}", document.name);
    }
}

#[test]
fn what_is_written_reads_back_as_the_same_json_and_the_same_bytes() {
    for document in all() {
        let again = Document::read(&document.name, &document.write()).unwrap();
        assert_eq!(again, document);
        assert_eq!(again.write(), document.write());
    }
}

#[test]
fn equal_input_gives_equal_bytes_and_other_input_other_ids() {
    let bytes = |all: Vec<Document>| all.iter().map(Document::write).collect::<Vec<_>>();
    assert_eq!(bytes(all()), bytes(all()));
    let mut other = ccss().clone();
    other.title = "Another".into();
    let uuid = |document: &Document| document.body()["uuid"].clone();
    assert_ne!(uuid(&out::catalogue(&other).unwrap()), uuid(&out::catalogue(ccss()).unwrap()));
}

#[test]
fn catalogues_profiles_mappings_and_results_come_back_equal() {
    for catalogue in LIBRARY.catalogues.values() {
        let there = out::catalogue(catalogue).unwrap();
        assert_eq!(&back::catalogue(&there).unwrap(), catalogue);
    }
    for profile in LIBRARY.profiles.values() {
        let there = out::profile(profile, &LIBRARY).unwrap();
        let again: Profile = back::profile(&there).unwrap();
        assert_eq!(&again, profile);
    }
    for mappings in LIBRARY.mappings.values() {
        let there = out::mapping(mappings, &LIBRARY).unwrap();
        let again: Mappings = back::mapping(&there).unwrap();
        assert_eq!(&again, mappings);
    }
    let results = results();
    let there = written(&results, &[]);
    let there = there.iter().find(|document| document.model == Model::Results).unwrap();
    let (again, digest) = back::results(there).unwrap();
    assert_eq!(again, results);
    assert_eq!(
        digest,
        Digest::sha256(&quorate_terms::canonical::to_bytes(&results, "results").unwrap())
    );
}

#[test]
fn results_that_were_changed_inside_a_document_are_refused() {
    let document = written(&results(), &[]).remove(2);
    let mut json = document.json().clone();
    let coded = json!("e30K");
    json["assessment-results"]["back-matter"]["resources"][0]["base64"]["value"] = coded;
    let changed = Document::of("x.json", json).unwrap();
    let no = back::results(&changed).unwrap_err();
    assert!(no.why().contains("digest"), "{no}");
}

#[test]
fn only_met_states_are_satisfied_and_what_is_not_sought_is_not_reviewed() {
    let results = results();
    let documents = written(&results, &[]);
    let found = documents[2].body()["results"][0]["findings"].as_array().unwrap().clone();
    let sought = results.findings.iter().filter(|finding| finding.state != State::NotSought);
    assert_eq!(found.len(), sought.clone().count());
    for (json, finding) in found.iter().zip(sought) {
        let met = !matches!(finding.state, State::Gap | State::Stale | State::Unproven);
        let word = if met { "satisfied" } else { "not-satisfied" };
        assert_eq!(json["target"]["status"]["state"], word, "{:?}", finding.state);
        assert_eq!(json.get("related-risks").is_some(), !met);
    }
}

#[test]
fn a_plan_of_action_is_written_only_for_what_is_open_and_remedies_name_owner_and_day() {
    let mut results = results();
    let poam = written(&results, &remedies()).remove(3);
    let risks = poam.body()["risks"].as_array().unwrap().clone();
    let planned: Vec<&Value> =
        risks.iter().filter(|risk| risk["remediations"][0]["lifecycle"] == "planned").collect();
    assert_eq!(planned.len(), 1);
    assert!(planned[0]["deadline"].as_str().unwrap().starts_with("2027-01-0"));
    for finding in &mut results.findings {
        finding.state = State::Met;
    }
    assert_eq!(written(&results, &[]).len(), 3);
    let remedies = remedies();
    let it = assessed(&results, &remedies);
    assert!(out::assessed(&it).unwrap_err()[0].why.contains("nothing to mend"));
}

fn assessed<'a>(results: &'a Results, remedies: &'a [Remedy]) -> Assessed<'a> {
    let (system, assessor) = ("treasury", "office");
    Assessed { results, catalogue: ccss(), library: &LIBRARY, system, assessor, remedies }
}

#[test]
fn findings_of_another_catalogue_are_refused() {
    let mut results = results();
    results.findings[0].control.id = "9.99".into();
    let it = assessed(&results, &[]);
    assert!(out::assessed(&it).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_catalogue_with_any_printable_texts_comes_back_equal(
        text in "[ -~]{1,60}\n?[ -~]{0,20}", note in "\\PC{0,40}", id in "[A-Za-z0-9][A-Za-z0-9.]{0,8}", number: i64,
    ) {
        let mut catalogue = ccss().clone();
        catalogue.controls.truncate(2);
        catalogue.controls[0].text = text.clone();
        catalogue.controls[0].cadence = Some(text.clone());
        catalogue.controls[0].criteria = vec![text.clone(), note.clone()];
        catalogue.controls[0].evidence = vec![text.clone(), "b".into()];
        catalogue.controls[1].note = Some(note.clone());
        catalogue.controls[1].depends_on = vec![];
        catalogue.controls[0].depends_on = vec![];
        catalogue.controls[1].id = format!("{id}-other");
        catalogue.controls[1].parameters = vec![crate::standard::catalogue::Parameter {
            name: "limit".into(),
            kind: crate::standard::catalogue::ParameterKind::Integer,
            value: Some(crate::standard::catalogue::Fixed::Integer(number)),
        }];
        catalogue.note = note;
        let there = out::catalogue(&catalogue).unwrap();
        let again = Document::read("x", &there.write()).unwrap();
        prop_assert_eq!(back::catalogue(&again).unwrap(), catalogue);
    }

    #[test]
    fn reading_arbitrary_and_mutated_bytes_never_panics(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
    ) {
        let _ = Document::read("x", &noise);
        let mut bytes = BASE.to_owned().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if let Ok(document) = Document::read("x", &bytes) {
            let _ = document.against(&[]);
            let _ = back::catalogue(&document);
            let name = back::Named { id: "x".into(), version: None, as_of: "2026-11-20".into() };
            let _ = back::foreign(&document, &name);
        }
        bytes.truncate(cut.index(bytes.len()));
        let _ = Document::read("x", &bytes);
    }
}

/// A small catalogue of somebody else.
const BASE: &str = mutants::BASE;
