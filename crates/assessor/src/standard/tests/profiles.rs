//! Profiles against the controls that they draw from.

use super::*;

#[test]
fn a_profile_shows_every_source_its_strictest_value_and_the_conflicts() {
    let library = shipped();
    let profile = &library.profiles["strictest-wins"];
    let resolved = profile.resolve(&library);
    let of = |name: &str| resolved.iter().find(|r| r.setting.parameter == name).unwrap();
    let cold = of("cold_min_percent");
    assert_eq!(cold.strictest, Some(&catalogue::Fixed::Integer(98)));
    let said: Vec<_> = cold.sources.iter().map(|s| (s.jurisdiction, s.value.cloned())).collect();
    let percent = |n| Some(catalogue::Fixed::Integer(n));
    assert_eq!(
        said,
        [(Some("HK"), percent(98)), (Some("HK"), percent(98)), (Some("SG"), percent(90))]
    );
    assert!(cold.conflicts.iter().any(|c| c.id == "cold-percentages"));
    let immediate = catalogue::Fixed::Text("immediate".into());
    assert_eq!(of("revocation_limit").strictest, Some(&immediate));
    let kept = of("key_residency");
    assert_eq!((kept.strictest, &kept.setting.value), (None, &None));
    assert!(kept.sources.iter().all(|s| s.jurisdiction == Some("HK") && s.value.is_some()));
    for conflict in &profile.conflicts {
        assert!(!conflict.way_through.is_empty(), "{}", conflict.id);
    }
}

#[test]
fn a_profile_tightens_the_decisions_that_it_names_and_loosens_none() {
    let library = shipped();
    let profile = &library.profiles["strictest-wins"];
    let wd = key("wd 0.1.0");
    let fixed = |text: &str| catalogue::Fixed::Text(text.into());
    let number = catalogue::Fixed::Integer;
    for (control, name, own, expected) in [
        ("WD-07.3", "limit", fixed("PT1H"), fixed("immediate")),
        ("WD-05.2", "cold_min_percent", number(90), number(98)),
        ("WD-05.2", "cold_min_percent", number(99), number(99)),
        ("WD-07.5", "idle_s", number(3600), number(1800)),
        ("WD-07.5", "idle_s", number(600), number(600)),
        ("WD-11.6", "retention", fixed("P1Y"), fixed("P5Y")),
        ("WD-09.7", "interval", fixed("P1Y"), fixed("P1Y")),
    ] {
        let mut parameters = BTreeMap::from([(name.to_owned(), own.clone())]);
        profile.tighten(&wd.control(control), &mut parameters);
        assert_eq!(parameters[name], expected, "{control} {name} {own:?}");
    }
}
