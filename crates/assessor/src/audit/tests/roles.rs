//! Who may do what, and who sees what.

use proptest::prelude::*;
use quorate_terms::canonical;

use super::world::*;
use crate::audit::record::*;
use crate::audit::view::Part;
use crate::audit::*;

const ALL: [Role; 5] =
    [Role::Entity, Role::Implementer, Role::Auditor, Role::Reviewer, Role::Registrar];

#[test]
fn a_step_by_the_wrong_person_in_the_wrong_stage_or_out_of_time_is_refused() {
    let mut world = World::ccss();
    world.run_before("found");
    let rule = |world: &mut World, by: &str, name: &str| {
        let record = world.good(name).1;
        world.take(by, record).unwrap_err().reasons[0].rule.clone()
    };
    assert_eq!(rule(&mut world, "eva", "found x.1"), "role_may");
    assert_eq!(rule(&mut world, "rolf", "found x.1"), "role_may");
    assert_eq!(rule(&mut world, "nobody", "found x.1"), "role_may");
    assert_eq!(rule(&mut world, "rolf", "commented"), "stage_is_right");
    assert_eq!(rule(&mut world, "ann", "engaged"), "engaged_once");
    world.now = world.now.minus_s(3600);
    assert_eq!(rule(&mut world, "ann", "found x.1"), "time_goes_on");
    let mut fresh = World::ccss();
    assert_eq!(rule(&mut fresh, "ann", "intent_filed"), "engaged_first");
    let mut wallet = World::waa();
    wallet.run_before("found");
    let listed = Record::OptionsListed(options("list-1"));
    assert_eq!(wallet.take("ann", listed).unwrap_err().reasons[0].rule, "step_is_known");
}

/// Everything that a role sees, as bytes.
fn bytes(world: &World, role: Role) -> String {
    let seen = view(&world.audit, role, &world.rules(), &world.openings);
    String::from_utf8(canonical::to_bytes(&seen, "view").unwrap()).unwrap().to_lowercase()
}

#[test]
fn the_reviewer_never_sees_raw_evidence_at_any_step() {
    let mut world = World::ccss();
    while world.next_name().is_some() {
        world.go();
        let seen = bytes(&world, Role::Reviewer);
        for secret in secrets() {
            assert!(
                !seen.contains(&secret.to_lowercase()),
                "{secret} after {:?}",
                world.lines.last()
            );
        }
    }
    let view = view(&world.audit, Role::Reviewer, &world.rules(), &world.openings);
    assert!(
        view[&Part::Redacted]["copy"]["findings"]["x.1"].is_object(),
        "the copy itself is seen"
    );
    assert!(bytes(&world, Role::Auditor).contains("greta holm"), "the scan finds what is there");
}

#[test]
fn each_role_sees_its_part_and_no_more() {
    let mut world = World::ccss();
    world.run();
    let sees = |role| {
        view(&world.audit, role, &world.rules(), &world.openings).into_keys().collect::<Vec<_>>()
    };
    assert!(!sees(Role::Entity).contains(&Part::Review), "review is between reviewer and auditor");
    assert!(!sees(Role::Implementer).contains(&Part::Exhibits));
    assert!(!sees(Role::Registrar).contains(&Part::Findings));
    for role in [Role::Implementer, Role::Registrar] {
        assert!(!bytes(&world, role).contains("greta holm"), "{role:?}");
    }
    assert!(!bytes(&world, Role::Entity).contains("who chose the sample?"));
    for role in ALL {
        assert!(
            view(&Audit::default(), role, &world.rules(), &world.openings).len() <= 17,
            "an empty audit has a view too"
        );
    }
}

#[test]
fn a_workflow_that_shows_a_reviewer_more_or_names_what_nobody_knows_is_refused() {
    let text = include_str!("../../../../../standards/workflows/ccss-audit.toml");
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        assert!(Workflow::from_toml(&text.replacen(from, to, 1)).is_err(), "{to}");
    };
    let reviewer =
        r#"sees = ["engagement", "declarations", "redacted", "review", "summary", "calendar"]"#;
    for part in ["exhibits", "findings", "samples", "report"] {
        check(reviewer, &format!(r#"sees = ["{part}"]"#));
    }
    check(r#"act = "found""#, r#"act = "fnord""#);
    check(r#"act = "found""#, r#"act = "engaged""#);
    check(r#"guards = ["scope_stands"]"#, r#"guards = ["fnord"]"#);
    check(r#"next = "review""#, r#"next = "nowhere""#);
    check(r#"from = "certified""#, r#"from = "mark_issued""#);
    check(r#"id = "implementer""#, r#"id = "entity""#);
    check("cooling_audits = 3", "cooling_audits = -3");
    check("[conflicts]", "[conflicts]\nsurprise = 1");
    assert!(Workflow::from_toml(&"#".repeat(300_000)).is_err());
}

proptest! {
    #[test]
    fn text_from_outside_never_panics(at in any::<prop::sample::Index>(), to in "\\PC{0,3}") {
        let text = include_str!("../../../../../standards/workflows/waa-audit.toml");
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        let mutated: String = chars[..at].iter().copied().chain(to.chars()).chain(chars[at + 1..].iter().copied()).collect();
        let _ = Workflow::from_toml(&mutated);
        let _ = Workflow::from_toml(&to);
    }

    #[test]
    fn lines_from_outside_never_panic(at in any::<prop::sample::Index>(), to in any::<u8>(), noise in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut world = World::ccss();
        world.go();
        let mut bytes = world.lines[0].to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = Line::from_bytes(&bytes);
        prop_assert!(Line::from_bytes(&noise).is_err());
    }
}
