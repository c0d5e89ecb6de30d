//! A stranger's catalogue as a standard.

use super::*;

fn named() -> back::Named {
    back::Named { id: "foreign".into(), version: None, as_of: "2026-11-20".into() }
}

#[test]
fn a_foreign_catalogue_becomes_a_standard_that_loads() {
    let document = Document::read("x.json", BASE.as_bytes()).unwrap();
    let catalogue = back::foreign(&document, &named()).unwrap();
    assert_eq!(catalogue.version, "5.1");
    let ids: Vec<&str> = catalogue.controls.iter().map(|control| control.id.as_str()).collect();
    assert_eq!(ids, ["ac-1", "ac-1.1"], "what is withdrawn is left out");
    let first = &catalogue.controls[0];
    assert_eq!(first.criteria, ["a. by two people."]);
    assert_eq!(first.guide.as_deref(), Some("Ask who does it."));
    assert_eq!(first.citation, "A foreign catalogue, AC-1");
    assert_eq!(catalogue.controls[1].depends_on, ["ac-1"]);
    assert!(!catalogue.official);
    let text = toml_of(&catalogue);
    let library = Library::load([("foreign/5.1/catalogue.toml", text.as_str())]).unwrap();
    assert_eq!(library.catalogues.values().next(), Some(&catalogue));
}

#[test]
fn only_our_own_documents_come_back_as_ours() {
    let document = Document::read("x.json", BASE.as_bytes()).unwrap();
    assert!(back::catalogue(&document).is_err());
    assert!(back::profile(&document).is_err());
    assert!(back::mapping(&document).is_err());
    assert!(back::results(&document).is_err());
    let profile = out::baseline(ccss(), None).unwrap();
    assert!(back::foreign(&profile, &named()).is_err());
    assert!(back::profile(&profile).is_err(), "a baseline is no profile of ours");
}

fn toml_of(catalogue: &Catalogue) -> String {
    back::to_toml(catalogue).unwrap()
}

#[test]
fn every_catalogue_of_ours_survives_its_file() {
    for catalogue in LIBRARY.catalogues.values() {
        let again: Catalogue = toml::from_str(&toml_of(catalogue)).unwrap();
        assert_eq!(&again, catalogue);
    }
}
