//! Sizes from the table; the same sample for everybody.

use proptest::prelude::*;

use super::*;

pub(crate) fn table() -> Table {
    let rhythm = |name: &str, low, high| Band {
        rhythm: Some(name.to_owned()),
        up_to: None,
        low,
        high: Some(high),
    };
    let size = |up_to, low, high| Band { rhythm: None, up_to, low, high };
    Table {
        band: vec![
            rhythm("annual", 1, 1),
            rhythm("quarterly", 2, 3),
            rhythm("monthly", 3, 6),
            size(Some(25), 5, Some(10)),
            size(Some(50), 10, Some(20)),
            size(Some(100), 20, Some(30)),
            size(None, 30, None),
        ],
    }
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("case-{n}")).collect()
}

fn seed() -> Seed {
    Seed { text: "root of checkpoint 812".to_owned(), source: "the vault's book".to_owned() }
}

fn sample(count: usize, size: u64) -> Sample {
    let ids = ids(count);
    Sample {
        population: Ipe {
            of: "transfers of the period".to_owned(),
            source: "the book".to_owned(),
            query: "SELECT id FROM cases".to_owned(),
            count: count as u64,
            by: "Ann Auditor".to_owned(),
            at: Timestamp::from_millis(5),
        },
        digest: population_digest(&ids).unwrap(),
        rhythm: None,
        risk: Risk::Low,
        rationale: "few and alike".to_owned(),
        seed: seed(),
        chosen: draw(&ids, &seed(), size).unwrap(),
    }
}

#[test]
fn the_table_gives_the_least_sample() {
    let check = |population, rhythm, risk, expected| {
        assert_eq!(
            table().least(population, rhythm, risk),
            expected,
            "{population} {rhythm:?} {risk:?}"
        );
    };
    check(1, Some("annual"), Risk::High, Some(1));
    check(4, Some("quarterly"), Risk::Low, Some(2));
    check(4, Some("quarterly"), Risk::High, Some(3));
    check(12, Some("monthly"), Risk::Low, Some(3));
    check(12, Some("monthly"), Risk::High, Some(6));
    check(12, None, Risk::Low, Some(5));
    check(3, None, Risk::Low, Some(3));
    check(25, None, Risk::High, Some(10));
    check(26, None, Risk::High, Some(20));
    check(51, None, Risk::Low, Some(20));
    check(100, None, Risk::High, Some(30));
    check(101, None, Risk::Low, Some(30));
    check(101, None, Risk::High, None);
    check(12, Some("hourly"), Risk::Low, None);
}

#[test]
fn a_reviewer_with_the_same_list_and_seed_finds_the_same_sample() {
    let drawn = sample(60, 20);
    let mut turned = ids(60);
    turned.reverse();
    assert!(drawn.drawn_again(&turned).unwrap());
    assert!(!drawn.drawn_again(&ids(61)).unwrap(), "another list");
    let mut swapped = drawn.clone();
    swapped.chosen[0] = ids(60).into_iter().find(|id| !drawn.chosen.contains(id)).unwrap();
    assert!(!swapped.drawn_again(&ids(60)).unwrap(), "an item that was not drawn");
    let mut reseeded = drawn;
    reseeded.seed.text.push('!');
    assert!(!reseeded.drawn_again(&ids(60)).unwrap(), "another seed");
}

#[test]
fn a_sample_is_objected_to_for_each_thing_that_it_lacks() {
    assert_eq!(sample(60, 20).objections(&table()), []);
    let check = |change: fn(&mut Sample), rule: &str| {
        let mut drawn = sample(60, 20);
        change(&mut drawn);
        let found = drawn.objections(&table());
        assert!(found.iter().any(|o| o.rule == rule), "{rule}: {found:?}");
    };
    check(|s| s.rationale.clear(), "sample_is_reasoned");
    check(|s| s.seed.source.clear(), "sample_is_reasoned");
    check(|s| s.chosen.truncate(19), "sample_is_reasoned");
    check(|s| s.chosen[1] = s.chosen[0].clone(), "sample_is_reasoned");
    check(|s| s.population.query.clear(), "population_is_shown");
    check(|s| s.population.by.clear(), "population_is_shown");
}

#[test]
fn a_list_that_is_empty_or_names_one_twice_is_refused() {
    assert!(draw(&[], &seed(), 1).is_err());
    assert!(draw(&["a".to_owned(), "a".to_owned()], &seed(), 1).is_err());
    let none = Seed { text: " ".to_owned(), source: "me".to_owned() };
    assert!(draw(&ids(3), &none, 1).is_err());
}

proptest! {
    #[test]
    fn a_larger_sample_keeps_the_smaller_one(count in 1_usize..80, size in 0_u64..80, seed in "[a-z]{1,8}") {
        let seed = Seed { text: seed, source: "test".to_owned() };
        let small = draw(&ids(count), &seed, size).unwrap();
        let large = draw(&ids(count), &seed, size.saturating_add(1)).unwrap();
        prop_assert_eq!(small.len() as u64, size.min(count as u64));
        prop_assert!(large.starts_with(&small));
    }
}
