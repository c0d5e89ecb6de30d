//! The one-pass judge against the judgment as it is defined, on random canonical policies.

use std::collections::BTreeSet;

use proptest::prelude::*;

use quorate_terms::QuorumName;
use quorate_terms::policy::PolicyDocument;

use super::*;
use crate::oracle::{Verdict, one_pass, two_steps};

/// Conditions that are true, false or fail to evaluate (an overflow) for some of the requests below.
const ATOMS: [&str; 12] = [
    "context.amount > 5",
    "context.amount <= 50",
    "context.amount + 9223372036854775800 > 0",
    "context.recipient.known",
    "!context.recipient.listed",
    "context.native",
    "context.hour < 12",
    "context.weekday == 3 || context.amount > 40",
    "context.symbol == \"USDT\" && context.amount > 20",
    "context.screening == \"clear\"",
    "context.fee * 5000000000000000 > 1",
    "context.recipient.account like \"*aec9b\"",
];
const GUARDS: [&str; 2] = [
    "context has value_cents && context.value_cents <= 100",
    "context has balance_share_bp && context.balance_share_bp <= 5000",
];
const SCOPES: [&str; 5] = [
    "principal, action, resource",
    "principal == Agent::\"bot\", action, resource",
    "principal == Agent::\"other\", action, resource",
    "principal is Person, action == Action::\"transfer\", resource",
    "principal, action, resource == Wallet::\"hot\"",
];
const QUORUMS: [&str; 3] = ["q0", "q1", "q2"];

fn any_rule() -> impl Strategy<Value = String> {
    rule_of(0..4)
}

/// Kinds: 0 and 3 permit, 1 forbids, 2 asks for a quorum.
fn rule_of(kinds: std::ops::Range<u8>) -> impl Strategy<Value = String> {
    let atoms = prop::collection::vec((any::<bool>(), 0..ATOMS.len()), 0..3);
    (kinds, 0..SCOPES.len(), atoms, prop::option::weighted(0.3, 0..GUARDS.len()), 0..QUORUMS.len())
        .prop_map(|(kind, scope, atoms, guard, quorum)| {
            let effect = if kind == 0 || kind == 3 { "permit" } else { "forbid" };
            let require = kind == 2;
            let mut text = String::new();
            if require {
                text.push_str(&format!("@require(\"{}\") ", QUORUMS[quorum]));
            }
            text.push_str(&format!("{effect} ({})", SCOPES[scope]));
            for (when, atom) in atoms {
                let word = if when { "when" } else { "unless" };
                text.push_str(&format!(" {word} {{ {} }}", ATOMS[atom]));
            }
            if let Some(guard) = guard {
                let word = if effect == "permit" { "when" } else { "unless" };
                text.push_str(&format!(" {word} {{ {} }}", GUARDS[guard]));
            }
            if require {
                text.push_str(&format!(
                    " unless {{ context.approved_by.contains(\"{}\") }}",
                    QUORUMS[quorum]
                ));
            }
            text.push(';');
            text
        })
}

fn with_quorums(rules: &[String]) -> PolicyDocument {
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let mut document = with_rules(&rules);
    for name in QUORUMS {
        let quorum = Quorum { name: name.parse().unwrap(), ..document.quorums[0].clone() };
        document.quorums.push(quorum);
    }
    document
}

fn any_house(rules: &[String], pick: (u64, u8, u8)) -> House {
    let (units, bits, person_or_agent) = pick;
    let bit = |n: u8| bits & (1 << n) != 0;
    let mut house = House::of(&with_quorums(rules));
    house = house.asks(if bit(0) { ETH } else { USD }, &units.to_string());
    if bit(0) {
        house = house.with(|t| t.amount = amount(&format!("{units}000000000000")));
    }
    house.at = at(NOON + if bit(1) { 0 } else { 86_400_000 - 3_600_000 });
    house.facts.recipient_known = bit(2);
    house.facts.recipient_usable_from = bit(3).then_some(at(0));
    house.facts.value_cents = bit(4).then_some(amount("90"));
    house.facts.balance = bit(5).then_some(amount(if bit(6) { "30" } else { "3000" }));
    if person_or_agent == 0 {
        house.intent.requester = person();
    }
    house
}

fn subsets() -> Vec<BTreeSet<QuorumName>> {
    (0..8_u8)
        .map(|mask| {
            let taken = QUORUMS.iter().enumerate().filter(|(n, _)| mask & (1 << n) != 0);
            taken.map(|(_, name)| name.parse().unwrap()).collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn one_pass_is_the_two_step_judge_and_no_approval_turns_a_denial(
        rules in prop::collection::vec(any_rule(), 1..7),
        picks in prop::collection::vec((1..80_u64, any::<u8>(), 0..3_u8), 2),
    ) {
        let house = any_house(&rules, (1, 0, 0));
        let governance = governance();
        for pick in picks {
            let other = any_house(&[], pick);
            let ask = Ask { intent: &other.intent, at: other.at, facts: &other.facts, governance: &governance, exclude: None };
            let defined = two_steps(&house.policy, &ask, &BTreeSet::new());
            let fast = one_pass(&house.policy, &ask);
            // When several things refuse, the two may name different ones; the answer is the same.
            match (&defined, &fast) {
                (Verdict::Allow(a), Verdict::Allow(b)) => prop_assert_eq!(a, b),
                (Verdict::Require(a), Verdict::Require(b)) => prop_assert_eq!(a, b),
                (Verdict::Failed(a), Verdict::Failed(b)) => prop_assert_eq!(a, b),
                (Verdict::Forbidden(a), Verdict::Forbidden(b)) => prop_assert_eq!(a, b),
                (Verdict::Silent, Verdict::Silent) => {}
                other => prop_assert!(false, "{:?} for {:?}", other, rules),
            }
            for approved in subsets() {
                let after = two_steps(&house.policy, &ask, &approved);
                match &defined {
                    Verdict::Allow(_) => prop_assert!(matches!(after, Verdict::Allow(_)), "{after:?}"),
                    Verdict::Require(asked) => {
                        let left: BTreeSet<_> = asked.values().filter(|q| !approved.contains(*q)).cloned().collect();
                        match after {
                            Verdict::Allow(_) => prop_assert!(left.is_empty()),
                            Verdict::Require(now) => prop_assert_eq!(now.values().cloned().collect::<BTreeSet<_>>(), left),
                            other => prop_assert!(false, "approvals made it worse: {other:?}"),
                        }
                    }
                    _ => prop_assert!(!matches!(after, Verdict::Allow(_) | Verdict::Require(_)), "{after:?} for {rules:?}"),
                }
            }
        }
    }

    /// Adding a plain forbid never allows more.
    #[test]
    fn a_further_forbid_never_allows_more(rules in prop::collection::vec(any_rule(), 1..5), more in rule_of(1..3), pick in (1..80_u64, any::<u8>(), 0..3_u8)) {
        let house = any_house(&rules, pick);
        let mut longer = rules.clone();
        longer.push(more);
        let after = any_house(&longer, pick).judge();
        if house.judge().judgment.is_deny() {
            prop_assert!(after.judgment.is_deny());
        }
    }
}
