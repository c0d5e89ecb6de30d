//! What a change newly allows: every edge is met, nothing is told that did not change, and the direction is right.

use proptest::prelude::*;

use super::*;
use crate::Names;
use crate::reach::{Answer, PROBES_MAX, ROWS_MAX, Reach, Row, Way, reach};

fn between(old: &PolicyDocument, new: &PolicyDocument) -> Reach {
    reach(&load(old), &load(new), at(NOON), &Names::default())
}

fn found(change: impl FnOnce(&mut PolicyDocument)) -> Vec<String> {
    let mut new = document();
    change(&mut new);
    let found = between(&document(), &new);
    assert_eq!(found.asked, found.edges, "{found:?}");
    let row = |row: Row| format!("{:?} {} | {} -> {}", row.way, row.what, row.was, row.now);
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
            "Looser any agent: transfer 100.000001 to 250 USDT from any wallet to any recipient not listed but paid before or \
             any recipient listed for 1 hour or longer | needs treasury (2 of 3) -> allowed"
        ]
    );
}

#[test]
fn a_lowered_budget_a_new_agent_a_new_address_and_another_quorum_are_each_met() {
    let rows = found(|d| d.budgets[2].amount = Some(amount("500000000")));
    assert_eq!(
        rows,
        [
            "Stricter any agent and any person: transfer 500.000001 to 1000 USDT from any wallet to any recipient not listed or \
             any recipient listed for 1 hour or longer | needs treasury (2 of 3) -> denied"
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
        rows.iter().any(|row| row.contains("listed for at least 1 minute and less than 1 hour")
            && row.starts_with("Looser")),
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
    let unclear =
        |row: &String| row.contains("(not screened)") || row.contains("(screening failed)");
    assert!(rows.iter().all(unclear) && !rows.is_empty(), "{rows:#?}");
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

/// What one rule more in an empty policy of permits changes; the other way round, what one rule less does.
fn between_rules(old: &[&str], new: &[&str]) -> Vec<String> {
    let (old, new) = (with_rules(old), with_rules(new));
    let found = between(&old, &new);
    assert_eq!((found.asked, &found.unreached), (found.edges, &BTreeSet::new()));
    found.rows.into_iter().map(|row| format!("{:?} {}", row.way, row.what)).collect()
}

const ANYBODY: &str = "permit (principal, action, resource);";

#[test]
fn what_is_only_below_a_number_is_asked_about_below_it() {
    let worth = "permit (principal, action, resource) when { context has value_cents && context.value_cents < 500 };";
    let rows = between_rules(&[], &[worth]);
    assert!(rows.iter().all(|row| row.starts_with("Looser ")), "{rows:#?}");
    assert!(rows.iter().any(|row| row.ends_with("(worth 4.99)")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.ends_with("(worth 5)")), "{rows:#?}");
    let fee = "forbid (principal, action, resource) when { context.fee >= 3 && context.fee < 4 };";
    let rows = between_rules(&[ANYBODY, fee], &[ANYBODY]);
    assert!(rows.iter().any(|row| row.ends_with("(a fee of 0.000003 coins)")), "{rows:#?}");
    assert!(rows.iter().all(|row| row.ends_with("(a fee of 0.000003 coins)")), "{rows:#?}");
}

#[test]
fn a_range_below_a_number_ends_one_unit_below_it() {
    let small = |n: u64| {
        format!(
            "permit (principal is Person, action, resource) when {{ context.amount < {n}000000 }};"
        )
    };
    let rows = between_rules(&[&small(5)], &[&small(7)]);
    // The budgets end below 5 ETH.
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(rows.iter().any(|row| row.contains("transfer 5 to 6.999999 USDT")), "{rows:#?}");
    let rows = between_rules(
        &["permit (principal is Person, action, resource) when { context.amount == 5000000 };"],
        &[],
    );
    assert!(rows.iter().any(|row| row.contains("transfer exactly 5 USDT")), "{rows:#?}");
}

#[test]
fn who_is_both_paid_before_and_listed_is_asked_about() {
    let both = "permit (principal, action, resource) when { context.recipient.known && context.recipient.usable };";
    let rows = between_rules(&[], &[both]);
    assert!(!rows.is_empty());
    let to = "to any recipient paid before and listed for 1 hour or longer";
    assert!(rows.iter().all(|row| row.starts_with("Looser ") && row.ends_with(to)), "{rows:#?}");
}

#[test]
fn a_number_beyond_the_clock_or_below_zero_hides_nothing() {
    for odd in [
        "forbid (principal, action, resource) when { context.hour > 99 };",
        "forbid (principal, action, resource) when { context.weekday == 40 };",
        "forbid (principal, action, resource) when { context.hour > 30 && context.weekday < 0 };",
    ] {
        let rows = between_rules(&[odd], &[ANYBODY, odd]);
        assert!(
            rows.iter().any(|row| row.starts_with("Looser any") && row.contains("any person")),
            "{odd}: {rows:#?}"
        );
    }
    let rows = between_rules(
        &[ANYBODY, "forbid (principal, action, resource) when { context.hour == 7 };"],
        &[ANYBODY],
    );
    assert!(rows.iter().all(|row| row.ends_with("(07:00 to 07:59)")), "{rows:#?}");
}

#[test]
fn who_writes_a_policy_cannot_name_those_who_are_asked_about_as_unnamed() {
    let mut hidden = vec![ANYBODY.to_owned()];
    for scope in [
        "principal == Agent::\"an-agent-that-nobody-names\", action, resource",
        "principal == Person::\"a-person-whom-nobody-names\", action, resource",
        "principal, action, resource == Wallet::\"a-wallet-that-nobody-names\"",
    ] {
        hidden.push(format!("forbid ({scope});"));
    }
    // The first accounts that a question would take where nobody names them.
    for account in ["a11ce", "a11cf", "a11d0", "0fee"] {
        let account = format!("eip155:1:0x{account:0>40}");
        hidden.push(format!(
            "forbid (principal, action, resource) when {{ context.recipient.account == \"{account}\" }};"
        ));
    }
    let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
    let found = between(&with_rules(&[]), &with_rules(&hidden));
    let others = |row: &Row| {
        row.way == Way::Looser
            && ["any other person", "any other wallet", "any other recipient"]
                .iter()
                .all(|one| row.what.contains(one))
    };
    assert!(found.rows.iter().any(others), "{found:#?}");
    assert!(found.rows.iter().all(|row| row.way == Way::Looser), "{found:#?}");
}

#[test]
fn a_screening_that_failed_and_a_bare_guard_are_asked_about() {
    let failed = "forbid (principal, action, resource) when { context.screening == \"failed\" };";
    let rows = between_rules(&[ANYBODY, failed], &[ANYBODY]);
    assert!(rows.iter().all(|row| row.ends_with("(screening failed)")), "{rows:#?}");
    assert!(!rows.is_empty());
    let known = "permit (principal, action, resource) when { context has value_cents };";
    let rows = between_rules(&[], &[known]);
    assert!(rows.iter().any(|row| row.ends_with("(worth 0)")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.ends_with("(of unknown worth)")), "{rows:#?}");
    let balance = with_rules(&[
        "permit (principal, action, resource) when { context has balance_share_bp };",
    ]);
    assert_eq!(between(&balance, &balance).unreached, BTreeSet::from(["r0".to_owned()]));
}

#[test]
fn what_a_coin_may_pay_ends_below_its_budget_by_the_fee() {
    let weighs = "forbid (principal, action, resource) when { context.fee > 1000000 };";
    let mut old = with_rules(&[ANYBODY, weighs]);
    old.budgets.retain(|budget| budget.id.as_str() == "agent-eth-0");
    let mut new = old.clone();
    new.budgets[0].amount = Some(amount("3000000000000000000"));
    let rows = between(&old, &new).rows;
    let ends =
        |row: &Row, much: &str| row.what.contains(much) && row.what.ends_with("(a fee of 1 coins)");
    let much = "transfer up to 2 ETH";
    assert!(rows.iter().any(|row| ends(row, much)), "{rows:#?}");
}

#[test]
fn what_a_coin_may_newly_pay_as_the_fee_of_a_token_is_asked_about() {
    let mut old = with_rules(&[ANYBODY]);
    old.budgets.retain(|budget| budget.id.as_str().starts_with("agent"));
    let mut new = old.clone();
    new.budgets[0].amount = Some(amount("3000000000000000000"));
    let rows = between(&old, &new).rows;
    let told = |fee: &str| {
        let end = format!("(a fee of {fee} coins)");
        rows.iter().any(|row| row.what.contains(" USDT ") && row.what.ends_with(&end))
    };
    assert!(told("1.000001") && told("3"), "{rows:#?}");
    assert!(!told("0.999999") && !told("1") && !told("3.000001"), "{rows:#?}");
    assert!(rows.iter().all(|row| row.way == Way::Looser), "{rows:#?}");
}

#[test]
fn whose_fees_a_budget_of_the_coin_counts_is_compared_and_not_its_number_alone() {
    let mut old = with_rules(&[ANYBODY]);
    old.budgets.retain(|budget| budget.id.as_str().starts_with("agent"));
    // 3 ETH for everybody, and 1 for these two.
    let mut two = old.budgets[0].clone();
    two.id = "two".parse().unwrap();
    two.agents = ["bot", "payer"].map(|id| id.parse().unwrap()).into();
    old.budgets[0].amount = Some(amount("3000000000000000000"));
    old.budgets.push(two);
    let mut new = old.clone();
    new.budgets[2].agents = ["payer".parse().unwrap()].into();
    let told = |rows: &[Row], fee: &str| {
        let end = format!("(a fee of {fee} coins)");
        rows.iter().any(|row| row.what.contains(" USDT ") && row.what.ends_with(&end))
    };
    let found = between(&old, &new);
    assert_eq!(found.asked, found.edges);
    let bots = |row: &Row| row.way == Way::Looser && row.what.starts_with("agent `bot`: ");
    assert!(found.rows.iter().all(bots), "{found:#?}");
    assert!(told(&found.rows, "1.000001") && told(&found.rows, "3"), "{found:#?}");
    assert!(!told(&found.rows, "1") && !told(&found.rows, "3.000001"), "{found:#?}");
    // The two numbers change places between agents.
    old.budgets[0].agents = ["bot".parse().unwrap()].into();
    old.budgets[2].agents = ["payer".parse().unwrap()].into();
    new = old.clone();
    new.budgets[0].amount = old.budgets[2].amount;
    new.budgets[2].amount = old.budgets[0].amount;
    let found = between(&old, &new);
    for (way, who) in [(Way::Looser, "agent `payer`: "), (Way::Stricter, "agent `bot`: ")] {
        let rows = found.rows.iter().filter(|row| row.way == way && row.what.starts_with(who));
        let rows: Vec<Row> = rows.cloned().collect();
        assert!(told(&rows, "1.000001") && told(&rows, "3"), "{found:#?}");
    }
}

/// A policy whose coin has two decimals.
fn coarse(rules: &[&str]) -> PolicyDocument {
    let mut document = with_rules(rules);
    document.assets[0].decimals = 2;
    document
}

#[test]
fn a_fee_that_no_base_units_make_up_is_neither_asked_nor_told() {
    let dear = "forbid (principal, action, resource) when { context.fee >= 10000 };";
    let found = between(&coarse(&[ANYBODY]), &coarse(&[ANYBODY, dear]));
    assert_eq!(found.asked, found.edges, "what cannot be asked is no question that was left out");
    let fees: BTreeSet<&str> =
        found.rows.iter().filter_map(|row| Some(row.what.split_once(" (")?.1)).collect();
    // The least fee of a token is one base unit, too.
    let told = ["a fee of 0.01 coins)", "a fee of 0.02 coins)", "the least fee)"];
    assert_eq!(fees, BTreeSet::from(told), "{found:#?}");
}

#[test]
fn a_fee_between_the_steps_of_a_coarse_coin_hides_nothing() {
    // One base unit is 10000 millionths, two are 20000.
    let dear = "forbid (principal, action, resource) when { context.fee > 15000 };";
    let rows = between(&coarse(&[ANYBODY]), &coarse(&[ANYBODY, dear])).rows;
    assert!(rows.iter().any(|row| row.what.ends_with("(a fee of 0.02 coins)")), "{rows:#?}");
    assert!(rows.iter().all(|row| row.way == Way::Stricter), "{rows:#?}");
}

/// So many numbers, as many in each rule as fit one.
fn comparing(numbers: usize) -> PolicyDocument {
    let numbers: Vec<String> = (0..numbers).map(|n| (1_000 + 2 * n).to_string()).collect();
    let rules: Vec<String> = numbers
        .chunks(600)
        .map(|some| {
            let all = some.join(",");
            format!(
                "forbid (principal, action, resource) when {{ [{all}].contains(context.amount) }};"
            )
        })
        .collect();
    let rules: Vec<&str> =
        std::iter::once(ANYBODY).chain(rules.iter().map(String::as_str)).collect();
    with_rules(&rules)
}

const TOO_MANY: &str = "More numbers are compared than can be asked about.";

#[test]
fn very_many_numbers_and_assets_are_cut_and_that_is_said() {
    let mut new = comparing(26_000);
    for number in 2..1_000 {
        let token = format!("eip155:1/erc20:0x{number:040x}");
        new.assets.push(asset(&token, &format!("T{number}"), 6));
    }
    let found = between(&with_rules(&[ANYBODY]), &new);
    assert!(found.is_cut && found.asked > 0 && found.asked < 1_000, "{}", found.asked);
    assert!(found.caveats().iter().any(|said| said.starts_with(TOO_MANY)));
}

#[test]
fn where_numbers_are_cut_no_range_is_told() {
    let found = between(&with_rules(&[ANYBODY]), &comparing(13_000));
    assert!(found.is_cut && !found.rows.is_empty() && found.asked < found.edges);
    assert!(found.rows.iter().all(|row| row.what.contains("transfer exactly ")), "{found:#?}");
    let few = between(&with_rules(&[ANYBODY]), &comparing(20));
    assert!(!few.is_cut && !few.caveats().iter().any(|said| said.starts_with(TOO_MANY)));
}

#[test]
fn another_time_zone_is_said() {
    let night = "forbid (principal, action, resource) when { context.hour < 8 };";
    let old = with_rules(&[ANYBODY, night]);
    let mut new = old.clone();
    new.zone = "Asia/Tokyo".into();
    let found = between(&old, &new);
    assert!(found.caveats().iter().any(|said| said.starts_with("The time zone changes")));
    // 09:00 in Tokyo is midnight, so what was refused until 17:00 there passes from 08:00 on.
    let hours = |way: Way| -> BTreeSet<String> {
        let rows = found.rows.iter().filter(|row| row.way == way);
        rows.filter_map(|row| Some(row.what.split_once('(')?.1.get(..5)?.to_owned())).collect()
    };
    assert_eq!(hours(Way::Looser).len(), 8, "{found:#?}");
    assert!(hours(Way::Looser).contains("09:00") && hours(Way::Looser).contains("16:00"));
    assert!(hours(Way::Stricter).contains("07:00") && hours(Way::Stricter).contains("00:00"));
    let mut same = old.clone();
    same.limits.open_cases += 1;
    assert!(!between(&old, &same).caveats().iter().any(|said| said.contains("zone")));
}

#[test]
fn zones_that_agree_today_and_not_in_summer_leave_it_unknown_what_is_newly_allowed() {
    let night = "forbid (principal, action, resource) when { context.hour < 8 };";
    let mut old = with_rules(&[ANYBODY, night]);
    old.zone = "Europe/Zurich".into();
    let mut new = old.clone();
    new.zone = "Africa/Lagos".into();
    let found = between(&old, &new);
    assert!(found.two_zones && found.rows.is_empty() && !found.is_whole(), "{found:#?}");
    new.zone = old.zone.clone();
    assert!(between(&old, &new).is_whole());
    // Where neither hours nor days are weighed, no zone matters.
    let old = with_rules(&[ANYBODY]);
    let new = PolicyDocument { zone: "Africa/Lagos".into(), ..old.clone() };
    assert!(between(&old, &new).is_whole());
}

#[test]
fn accounts_are_told_with_their_names_beside_the_whole_address() {
    let mut new = document();
    new.addresses.deny.insert(SHOP.parse().unwrap());
    let mut names = Names::default();
    names.listed(&SHOP.parse().unwrap(), Some("the `shop`"));
    let found = reach(&load(&document()), &load(&new), at(NOON), &names);
    let told = format!(
        "`{}` (on the address list as `the \\u{{60}}shop\\u{{60}}`) ",
        SHOP.to_ascii_lowercase()
    );
    assert!(!found.rows.is_empty());
    assert!(found.rows.iter().all(|row| row.what.contains(&told)), "{found:#?}");
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
