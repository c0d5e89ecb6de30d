use std::collections::BTreeMap;

use proptest::prelude::*;
use quorate_terms::Timestamp;

use super::diff::Change;
use super::*;

mod clocks;
mod faults;
mod inputs;
mod profiles;
mod words;

const CATALOGUE: &str = r#"
id = "toy"
version = "1.0"
title = "A toy"
publisher = "nobody"
language = "en"
as_of = "2026-11-20"
official = false
note = "for tests"
[[level]]
id = "I"
rank = 1
meaning = "first"
[[group]]
id = "g"
title = "G"
[[control]]
id = "g.1"
group = "g"
title = "Keys are kept apart"
level = "I"
text = "Keep keys apart."
citation = "toy, g.1"
confidence = "K"
review_by = "2027-05-20"
guide = "Record: the list of keys."
shown_to = "The keeper to the assessor."
sampled = "Every key."
rejected = "A list without dates."
[[control.parameter]]
name = "age"
type = "duration"
value = "P30D"
"#;
const DECISIONS: &str = r#"
standard = "toy"
version = "1.0"
[[decision]]
control = "g.1"
automation = "ledger"
predicate = "Every key is at most {age} old."
on_empty = "gap"
entries = ["KeyGenerated"]
parameters = { age = "P90D" }
population = "SELECT book, idx FROM KeyGenerated"
exceptions = "SELECT book, idx, 'old' AS why FROM KeyGenerated WHERE 0"
"#;
const MAPPINGS: &str = r#"
id = "m"
from = "toy 1.0"
note = "ours"
[[map]]
control = "g.1"
standard = "toy 1.0"
to = "g.1"
relation = "equal"
confidence = "K"
rationale = "itself"
"#;
const PROFILE: &str = r#"
id = "p"
title = "P"
status = "proposal"
rule = "strictest"
imports = ["toy 1.0"]
[[setting]]
parameter = "age"
merge = "min"
value = "P30D"
type = "duration"
from = ["g.1"]
tightens = ["toy 1.0 g.1 age"]
[[conflict]]
id = "c"
title = "C"
kind = "legal"
what = "x"
controls = ["g.1"]
way_through = "y"
"#;
const ANCHORS: &str = "[[anchor]]\nid = \"discovery\"\nmeaning = \"found\"\n";
const CLOCKS: &str = r#"
standard = "toy"
version = "1.0"
zone = "Asia/Singapore"
[[clock]]
template = "notice"
kind = "event"
event = "x"
anchor = "discovery"
direction = "after"
limit = "PT1H"
required_fields = []
recipients = []
citation = "c"
confidence = "K"
"#;

fn files() -> BTreeMap<&'static str, String> {
    [
        ("toy/1.0/catalogue.toml", CATALOGUE),
        ("toy/1.0/decisions.toml", DECISIONS),
        ("toy/1.0/clocks.toml", CLOCKS),
        ("mappings/m.toml", MAPPINGS),
        ("profiles/p.toml", PROFILE),
        ("clocks/anchors.toml", ANCHORS),
    ]
    .into_iter()
    .map(|(path, text)| (path, text.to_owned()))
    .collect()
}

fn load(files: &BTreeMap<&'static str, String>) -> Result<Library, Vec<Problem>> {
    Library::load(files.iter().map(|(path, text)| (*path, text.as_str())))
}

/// The files of this repository.
macro_rules! ours {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../../standards/", $path)))),*]
    };
}

fn shipped() -> Library {
    Library::load(ours![
        "ccss/9.0/catalogue.toml",
        "ccss/9.0/decisions.toml",
        "wd/0.1.0/catalogue.toml",
        "wd/0.1.0/decisions.toml",
        "vara/2026-11-20/catalogue.toml",
        "vara/2026-11-20/clocks.toml",
        "sfc/2026-11-20/catalogue.toml",
        "sfc/2026-11-20/clocks.toml",
        "hkma/2026-11-20/catalogue.toml",
        "hkma/2026-11-20/clocks.toml",
        "mas/2026-11-20/catalogue.toml",
        "mas/2026-11-20/clocks.toml",
        "eu/2026-11-20/catalogue.toml",
        "eu/2026-11-20/clocks.toml",
        "nydfs/2026-11-20/catalogue.toml",
        "nydfs/2026-11-20/clocks.toml",
        "soc2/2017-2022/catalogue.toml",
        "iso27001/2022/catalogue.toml",
        "pci-dss/4.0.1/catalogue.toml",
        "mappings/wd-0.1.0.toml",
        "mappings/ccss-9.0-general.toml",
        "profiles/strictest-wins.toml",
        "clocks/anchors.toml",
    ])
    .unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())
    })
}

fn key(text: &str) -> StandardKey {
    text.parse().unwrap()
}

#[test]
fn what_is_shipped_loads_whole() {
    let library = shipped();
    let count = |name: &str| library.catalogues[&key(name)].controls.len();
    assert_eq!((count("ccss 9.0"), count("wd 0.1.0")), (59, 135));
    let regulators = ["vara", "sfc", "hkma", "mas", "eu", "nydfs"];
    let controls: usize = regulators.iter().map(|r| count(&format!("{r} 2026-11-20"))).sum();
    let clocks: usize = library.clocks.values().map(|c| c.clocks.len()).sum();
    assert_eq!((controls, clocks), (132, 33));
    assert_eq!(library.profiles["strictest-wins"].conflicts.len(), 12);
    assert_eq!(library.decisions.len(), 59 + 135);
    let levels = |level: &str| {
        let controls = &library.catalogues[&key("ccss 9.0")].controls;
        controls.iter().filter(|c| c.level.as_deref() == Some(level)).count()
    };
    assert_eq!((levels("I"), levels("II"), levels("III")), (30, 18, 11));
}

#[test]
fn a_draft_never_calls_itself_official() {
    for catalogue in shipped().catalogues.values() {
        assert!(!catalogue.official && !catalogue.note.is_empty(), "{}", catalogue.id);
    }
}

#[test]
fn every_ccss_requirement_is_mapped_from_the_draft_and_to_general_standards() {
    let library = shipped();
    let ccss = key("ccss 9.0");
    for control in &library.catalogues[&ccss].controls {
        let key = ccss.control(&control.id);
        assert!(library.maps_from(&key).count() >= 2, "{key}");
        assert!(library.maps_to(&key).count() >= 1, "{key}");
    }
    let general = &library.mappings["ccss-to-general"];
    let alike = general.maps.iter().filter(|map| map.relation != Relation::Intersects);
    assert_eq!(alike.count(), 0, "a general standard is about something else");
    let key = ccss.control("2.04.1.1");
    assert!(library.maps_to(&key).any(|(from, map)| from.id == "WD-01.1" && map.relation.covers()));
}

#[test]
fn a_new_version_loads_beside_the_old_one_and_needs_no_code() {
    let mut files = files();
    let newer = CATALOGUE.replace("\"1.0\"", "\"2.0\"").replace("g.1", "g.7");
    files.insert("toy/2.0/catalogue.toml", newer);
    let library = load(&files).unwrap();
    assert_eq!(library.newest("toy").unwrap().version, "2.0");
    let digests: Vec<_> = library.catalogues.values().map(|c| c.digest().unwrap()).collect();
    assert_ne!(digests[0], digests[1]);
}

#[test]
fn versions_are_ordered_by_their_numbers() {
    let mut all =
        ["10.0", "9.1", "0.2.10", "0.2.9", "9.0", "2026-11-20", "9.1-draft", "2026-09-30"];
    all.sort_by(|one, other| version_order(one, other));
    let expected =
        ["0.2.9", "0.2.10", "9.0", "9.1", "9.1-draft", "10.0", "2026-09-30", "2026-11-20"];
    assert_eq!(all, expected);
    let mut files = files();
    for version in ["9.0", "10.0"] {
        let path =
            if version == "9.0" { "toy/9.0/catalogue.toml" } else { "toy/10.0/catalogue.toml" };
        files.insert(path, CATALOGUE.replace("\"1.0\"", &format!("{version:?}")));
    }
    assert_eq!(load(&files).unwrap().newest("toy").unwrap().version, "10.0");
}

#[test]
fn a_keeper_is_told_of_days_that_passed_and_of_what_is_not_encoded() {
    let mut files = files();
    let text = files.get_mut("toy/1.0/decisions.toml").unwrap();
    *text = text.split("population").next().unwrap().to_owned();
    let library = load(&files).unwrap();
    let said = |today: &str| -> Vec<String> {
        lint::review(&library, today).into_iter().map(|p| p.why).collect()
    };
    assert_eq!(said("2027-05-20"), ["has no queries: unproven, not yet recorded"]);
    assert_eq!(said("2027-05-21").len(), 2);
}

#[test]
fn a_difference_says_what_is_new_gone_changed_and_reused() {
    let old: Catalogue = toml::from_str(CATALOGUE).unwrap();
    let mut new = old.clone();
    new.controls[0].level = None;
    let mut added = new.controls[0].clone();
    added.id = "g.2".into();
    new.controls.push(added);
    let changes = diff::diff(&old, &new);
    assert!(matches!(&changes[0], Change::Changed { field, before, after, .. }
        if field == "level" && before == "I" && after.is_empty()));
    assert!(matches!(&changes[1], Change::Added { id, .. } if id == "g.2"));
    assert!(matches!(&diff::diff(&new, &old)[1], Change::Removed { id, .. } if id == "g.2"));
    new.controls[0].title = "References of staff".into();
    assert!(matches!(&diff::diff(&old, &new)[0], Change::Reused { .. }));
    assert!(diff::diff(&old, &old).is_empty());
}

#[test]
fn a_reused_id_under_an_old_title_is_found_by_its_text_and_a_reworded_one_is_not() {
    let old: Catalogue = toml::from_str(CATALOGUE).unwrap();
    let with = |text: &str| {
        let mut new = old.clone();
        new.controls[0].text = text.into();
        diff::diff(&old, &new)
    };
    assert!(matches!(&with("References of staff are checked.")[..], [Change::Reused { .. }]));
    assert!(matches!(&with("Always keep keys apart.")[..], [Change::Changed { .. }]));
}

#[test]
fn between_versions_groups_levels_and_decisions_are_compared_too() {
    let mut files = files();
    let newer = CATALOGUE.replace("\"1.0\"", "\"2.0\"").replace("first", "the first");
    let newer = newer.replace("title = \"G\"", "title = \"Groups\"").replace("nobody", "somebody");
    files.insert("toy/2.0/catalogue.toml", newer);
    let decisions = DECISIONS.replace("\"1.0\"", "\"2.0\"").replace("P90D", "P30D");
    files.insert("toy/2.0/decisions.toml", decisions);
    let library = load(&files).unwrap();
    let changes = diff::between(&library, &key("toy 1.0"), &key("toy 2.0")).unwrap();
    let said: Vec<String> = changes
        .iter()
        .map(|change| match change {
            Change::Changed { id, field, before, after } => {
                format!("{id} {field} {before} {after}")
            }
            other => format!("{other:?}"),
        })
        .collect();
    let expected = [
        "toy publisher nobody somebody",
        "group g title G Groups",
        "level I meaning first the first",
        r#"g.1 decision.parameters {"age":"P90D"} {"age":"P30D"}"#,
    ];
    assert_eq!(said, expected);
    assert_eq!(diff::between(&library, &key("toy 1.0"), &key("toy 3.0")), None);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}", cut in 0..CATALOGUE.len()) {
        let mut files = files();
        files.insert("toy/1.0/decisions.toml", text.clone());
        let _ = load(&files);
        let mut broken = CATALOGUE.to_owned();
        if broken.is_char_boundary(cut) {
            broken.insert_str(cut, &text);
            files.insert("toy/1.0/catalogue.toml", broken);
            let _ = load(&files);
        }
    }
}
