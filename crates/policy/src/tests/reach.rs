//! What a change newly allows: every edge is met, nothing is told that did not change, and the direction is right.

use proptest::prelude::*;

use super::*;
use crate::reach::{Answer, PROBES_MAX, ROWS_MAX, Reach, Way, reach};

fn between(old: &PolicyDocument, new: &PolicyDocument) -> Reach {
    reach(&load(old), &load(new), at(NOON))
}

fn found(change: impl FnOnce(&mut PolicyDocument)) -> Vec<String> {
    let mut new = document();
    change(&mut new);
    let found = between(&document(), &new);
    assert_eq!(found.asked, found.edges, "{found:?}");
    let row =
        |row: crate::reach::Row| format!("{:?} {} | {} -> {}", row.way, row.what, row.was, row.now);
    found.rows.into_iter().map(row).collect()
}

#[test]
fn a_policy_against_itself_changes_nothing_though_much_is_asked() {
    let same = between(&document(), &document());
    assert!(same.rows.is_empty() && same.asked > 50, "{same:?}");
    assert_eq!(found(|d| d.limits.open_cases += 1), Vec::<String>::new());
}

#[test]
fn a_raised_threshold_is_told_as_the_exact_range_that_it_opens() {
    let rows = found(|d| {
        for rule in &mut d.rules {
            rule.text =
                rule.text.replace("context.amount > 100000000 ", "context.amount > 250000000 ");
        }
    });
    assert_eq!(
        rows,
        [
            "Looser any agent: transfer 100.000001 to 250 USDT from any wallet to a recipient listed for 1 hour or longer or a \
             recipient paid before | needs treasury (2 of 3) -> allowed"
        ]
    );
}

#[test]
fn a_lowered_budget_a_new_agent_a_new_address_and_another_quorum_are_each_met() {
    let rows = found(|d| d.budgets[2].amount = Some(amount("500000000")));
    assert_eq!(
        rows,
        [
            "Stricter any agent and any person: transfer 500.000001 to 1000 USDT from any wallet to a recipient listed for 1 hour or longer, a \
             recipient never paid before or a recipient paid before | needs treasury (2 of 3) -> denied"
        ]
    );
    let rows = found(|d| {
        let text = "forbid (principal == Agent::\"bot\", action == Action::\"transfer\", resource == Wallet::\"cold\");";
        d.rules.push(rule("not-cold", text));
    });
    assert!(rows.iter().all(|row| row.starts_with("Stricter agent `bot`: ")), "{rows:#?}");
    assert!(rows.iter().all(|row| row.contains("from wallet `cold` to")), "{rows:#?}");
    assert!(!rows.is_empty());
    let rows = found(|d| _ = d.addresses.deny.insert(SHOP.parse().unwrap()));
    assert!(rows.iter().all(|row| row.contains(&SHOP.to_ascii_lowercase())), "{rows:#?}");
    assert!(rows.iter().any(|row| row.ends_with("allowed -> denied")), "{rows:#?}");
    let rows = found(|d| d.quorums[0].m = 1);
    assert!(rows.iter().any(|row| row.contains("open a wallet")), "{rows:#?}");
    assert!(rows.iter().all(|row| row.starts_with("Looser")), "{rows:#?}");
    let said = "needs treasury (2 of 3) -> needs treasury (1 of 3)";
    assert!(rows.iter().all(|row| row.ends_with(said)), "{rows:#?}");
    let rows = found(|d| d.addresses.wait_s = 60);
    assert!(
        rows.iter().any(|row| row.contains("listed 1 minute ago") && row.starts_with("Looser")),
        "{rows:#?}"
    );
}

#[test]
fn hours_days_worth_and_screening_are_asked_on_both_sides_of_their_edges() {
    let rows = found(|d| {
        let text = "forbid (principal is Agent, action, resource) when { context.hour < 8 && context.weekday >= 6 };";
        d.rules.push(rule("nights", text));
    });
    assert!(rows.iter().any(|row| row.contains("(Saturday, 07:00 to 07:59)")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.contains("08:00") || row.contains("Friday")), "{rows:#?}");
    let rows = found(|d| {
        let text = "forbid (principal is Agent, action, resource) unless { context has value_cents && context.value_cents <= 500 };";
        d.rules.push(rule("worth", text));
    });
    assert!(rows.iter().any(|row| row.contains("(worth 5.01)")), "{rows:#?}");
    assert!(rows.iter().any(|row| row.contains("(of unknown worth)")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.contains("(worth 5)")), "{rows:#?}");
    let rows = found(|d| {
        let text = "forbid (principal is Agent, action, resource) unless { context.screening == \"clear\" };";
        d.rules.push(rule("screened", text));
    });
    assert!(rows.iter().all(|row| row.contains("(not screened)")) && !rows.is_empty(), "{rows:#?}");
}

#[test]
fn a_rule_without_edges_is_named_and_too_many_questions_are_counted() {
    let mut new = document();
    new.rules.push(rule(
        "odd",
        "forbid (principal, action, resource) when { context.recipient.account like \"*dead\" };",
    ));
    let found = between(&document(), &new);
    assert_eq!(found.unreached, BTreeSet::from(["odd".to_owned()]));
    assert!(found.caveats().iter().any(|said| said.contains("read them: odd")));
    for number in 0..60 {
        new.rules.push(rule(&format!("w{number}"), &format!("forbid (principal == Agent::\"a{number}\", action, resource == Wallet::\"w{number}\");")));
    }
    let many = between(&document(), &new);
    assert!(
        many.asked <= PROBES_MAX && many.edges > PROBES_MAX && many.rows.len() <= ROWS_MAX,
        "{}",
        many.asked
    );
    assert!(many.caveats().iter().any(|said| said.contains("Something may be missing")));
}

#[test]
fn a_policy_that_names_very_much_costs_no_more_and_still_asks_on_every_side() {
    let mut new = document();
    for number in 0..60 {
        let account = format!("eip155:1:0x{number:040x}");
        let text = format!(
            "forbid (principal == Agent::\"a{number}\", action, resource == Wallet::\"w{number}\") when {{
             context.recipient.account == \"{account}\" && context.fee > {number} && context has value_cents }}
             unless {{ context has value_cents && context.value_cents <= {number} }};"
        );
        new.rules.push(rule(
            &format!("r{number}"),
            &text.replace(" && context has value_cents }", " }"),
        ));
    }
    new.budgets[2].amount = Some(amount("5"));
    let found = between(&document(), &new);
    assert!(
        found.asked <= PROBES_MAX && found.edges > 1_000_000_000,
        "{} {}",
        found.asked,
        found.edges
    );
    assert!(found.rows.iter().any(|row| row.way == Way::Stricter), "the small budget is met");
}

#[test]
fn a_recipient_of_another_chain_is_no_question_that_was_left_out() {
    let mut new = document();
    let far = "eip155:137:0x00000000000000000000000000000000000000aa";
    new.addresses.deny.insert(far.parse().unwrap());
    let found = between(&document(), &new);
    assert_eq!(found.asked, found.edges);
    assert!(found.rows.is_empty());
}

#[test]
fn a_quorum_of_the_same_name_is_compared_by_what_it_asks() {
    let require = Answer::Require { quorums: ["treasury".parse().unwrap()].into() };
    let (old, mut new) = (document(), document());
    let way = |new: &PolicyDocument| Way::between((&require, &old), (&require, new));
    assert_eq!(way(&new), Way::Same);
    new.quorums[0].m = 1;
    assert_eq!(way(&new), Way::Looser);
    new.quorums[0].m = 3;
    assert_eq!(way(&new), Way::Stricter);
    new.quorums[0].members.insert("di".parse().unwrap());
    assert_eq!(way(&new), Way::Otherwise);
    for (was, now, way) in [
        (&Answer::Deny, &Answer::Allow, Way::Looser),
        (&Answer::Deny, &require, Way::Looser),
        (&require, &Answer::Allow, Way::Looser),
        (&Answer::Allow, &require, Way::Stricter),
        (&Answer::Allow, &Answer::Allow, Way::Same),
    ] {
        assert_eq!(Way::between((was, &old), (now, &old)), way);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is told of one direction is told of the other the other way round.
    #[test]
    fn to_and_fro_are_mirror_images(limit in 1..400_u64, budget in 1..4000_u64) {
        let mut new = document();
        for rule in &mut new.rules {
            rule.text = rule.text.replace("context.amount > 100000000 ", &format!("context.amount > {}000000 ", limit));
        }
        new.budgets[2].amount = Some(amount(&format!("{budget}000000")));
        let there = between(&document(), &new);
        let back = between(&new, &document());
        let turned: BTreeSet<_> = back.rows.into_iter().map(|row| (row.what, row.now, row.was)).collect();
        let told: BTreeSet<_> = there.rows.into_iter().map(|row| (row.what, row.was, row.now)).collect();
        prop_assert_eq!(told, turned);
    }
}
