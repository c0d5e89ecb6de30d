//! What no order of events can reach.

use proptest::prelude::*;

use super::world::*;
use crate::audit::record::*;
use crate::audit::*;

const PEOPLE: [&str; 6] = ["eva", "ann", "rolf", "ida", "ray", "reg"];

/// Something that anybody might try at any time: the next good step, or one out of place, or a forged paper.
fn attempt(world: &World, what: u8, who: u8) -> (String, Record) {
    let who = PEOPLE[usize::from(who) % PEOPLE.len()].to_owned();
    let next = world.next_name().filter(|name| *name != "certified");
    match what % 8 {
        0..=3 if next.is_some() => {
            let (by, record) = world.good(next.unwrap());
            (by.to_owned(), record)
        }
        4 => (
            who,
            world.audit.engagement().map_or_else(
                || Record::IntentFiled(Reference { reference: "x".to_owned() }),
                |_| sealed_certificate(&world.certificate(), 2),
            ),
        ),
        5 => (who, Record::CertificateRefused(Why { why: "x".to_owned() })),
        6 => (who, Record::Decided(Decision { granted: true, reasons: vec!["x".to_owned()] })),
        7 => (who, Record::OptionsListed(options("list-1"))),
        _ => (
            who,
            Record::RulingAsked(Question {
                question: "x".to_owned(),
                requirement: "x.1".to_owned(),
            }),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_order_of_events_says_certified_without_a_registrars_signature(
        tries in prop::collection::vec((any::<u8>(), any::<u8>()), 1..90), wallet in any::<bool>(),
    ) {
        let mut world = if wallet { World::waa() } else { World::ccss() };
        for (what, who) in tries {
            let before = world.lines.len();
            let (by, record) = attempt(&world, what, who);
            let good = world.next_name().is_some_and(|name| name.starts_with(record.kind()));
            if world.take(&by, record).is_ok() {
                prop_assert_eq!(world.lines.len(), before + 1, "one line for each step");
                world.taken += usize::from(good && what % 8 <= 3);
            } else {
                prop_assert_eq!(world.lines.len(), before, "a refusal writes nothing");
            }
            prop_assert_ne!(world.audit.word(world.now), "certified");
            prop_assert!(world.audit.certificate().is_none());
        }
        prop_assert_eq!(replay(&world.lines, &world.rules()).unwrap(), world.audit.clone());
    }
}

#[test]
fn the_attempts_reach_the_last_step_but_one() {
    let mut world = World::ccss();
    while world.next_name() != Some("certified") {
        let (by, record) = attempt(&world, 0, 0);
        world.take(&by, record).unwrap();
        world.taken += 1;
    }
    assert_eq!(world.audit.word(world.now), "assessed");
}
