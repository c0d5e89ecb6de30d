//! What people read: the starter, the differences, the published reasons.

use super::*;
use crate::Names;
use crate::diff::{Direction, diff};
use crate::reason::CODES;

fn check(change: impl FnOnce(&mut PolicyDocument), direction: Direction, text: &str) {
    let old = document();
    let mut new = document();
    change(&mut new);
    let changes = diff(&old, &new, &Names::default());
    assert!(
        changes.iter().any(|c| c.direction == direction && c.text.contains(text)),
        "{text}: {changes:#?}"
    );
}

#[test]
fn a_difference_says_what_widens_and_what_tightens() {
    use Direction::{Tightens, Unclear, Widens};
    assert!(diff(&document(), &document(), &Names::default()).is_empty());
    check(
        |d| d.budgets[0].amount = Some(amount("2000000000000000000")),
        Widens,
        "raises budget `agent-eth-0`",
    );
    check(|d| d.budgets[0].amount = Some(amount("1")), Tightens, "lowers budget `agent-eth-0`");
    check(|d| d.budgets[0].amount = None, Widens, "raises budget");
    check(|d| d.budgets[0].per.clear(), Unclear, "changes budget");
    check(|d| drop(d.budgets.remove(0)), Widens, "removes budget");
    check(
        |d| d.rules.push(rule("p", "permit (principal, action, resource);")),
        Widens,
        "adds rule `p`",
    );
    check(
        |d| d.rules.push(rule("f", "forbid (principal, action, resource); // permit")),
        Tightens,
        "adds rule `f`",
    );
    check(|d| drop(d.rules.remove(0)), Tightens, "removes rule `agents-may-transfer`");
    check(|d| drop(d.rules.remove(2)), Widens, "removes rule `people-need-treasury`");
    check(|d| d.rules[0].text.push(' '), Unclear, "it says what it said");
    check(
        |d| d.rules[0].text = d.rules[0].text.replace("is Agent", "is Person"),
        Unclear,
        "It was: Allows any agent to transfer. It becomes: Allows any person to transfer.",
    );
    check(
        |d| d.quorums[0].m = 1,
        Widens,
        "It was: Met when 2 of `ann`, `bo` and `cy` agree. It becomes: Met when 1 of `ann`, `bo` and `cy` agree.",
    );
    check(|d| d.quorums[0].m = 3, Tightens, "changes quorum");
    check(|d| d.quorums[0].parties = Some(2), Tightens, "at views of 2 parties or more");
    check(|d| _ = d.quorums[0].members.insert("di".parse().unwrap()), Widens, "changes quorum");
    check(|d| _ = d.addresses.deny.insert(SHOP.parse().unwrap()), Tightens, "refuses recipient");
    check(|d| d.addresses.wait_s = 0, Widens, "lowers `addresses.wait_s` from 1 hour to 0 seconds");
    check(|d| d.limits.open_cases = 33, Widens, "raises `limits.open_cases`");
    check(|d| d.assets[1].decimals = 8, Unclear, "changes asset `USDT`, 6 decimals");
    check(|d| d.zone = "Asia/Tokyo".into(), Unclear, "changes `zone` from `UTC` to `Asia/Tokyo`");
    check(|d| d.administration.wallets = "x".parse().unwrap(), Unclear, "administration.wallets");
}

#[test]
fn what_widens_is_told_first() {
    let mut new = document();
    new.limits.open_cases = 33;
    new.addresses.deny.insert(SHOP.parse().unwrap());
    let directions: Vec<_> =
        diff(&document(), &new, &Names::default()).iter().map(|c| c.direction).collect();
    assert_eq!(directions, [Direction::Widens, Direction::Tightens]);
}

#[test]
fn every_code_is_published_and_every_published_code_exists() {
    let page = include_str!("../../../../docs/spec/reasons.md");
    let published: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code)
        .filter(|code| !code.contains("context."))
        .collect();
    assert_eq!(published, CODES.into_iter().collect());
}

#[test]
fn the_starter_loads_for_one_approver_and_refuses_none() {
    let one: BTreeSet<_> = ["ann".parse().unwrap()].into();
    let assets = [StarterAsset {
        info: asset(ETH, "ETH", 18),
        alone: amount("1"),
        alone_to_strangers: amount("0"),
        agent_daily: amount("5"),
        vault_daily: amount("9"),
    }];
    let document = starter("v".parse().unwrap(), &one, &assets).unwrap();
    assert_eq!(load(&document).document().quorums[0].m, 1);
    assert!(document.rules.iter().any(|r| r.text.contains("context.amount > 0 ")), "rounded down");
    assert!(starter("v".parse().unwrap(), &BTreeSet::new(), &assets).is_err());
    let huge = StarterAsset { alone: Amount::MAX, ..assets[0].clone() };
    assert!(starter("v".parse().unwrap(), &one, &[huge]).is_err());
}

#[test]
fn the_sample_has_as_many_rules_as_asked_and_as_few_that_apply() {
    let document = document();
    let assets: Vec<StarterAsset> = document
        .assets
        .iter()
        .map(|info| StarterAsset {
            info: info.clone(),
            alone: amount("1000000"),
            alone_to_strangers: amount("1000"),
            agent_daily: amount("1000000000000000000"),
            vault_daily: amount("1000000000000000000"),
        })
        .collect();
    let bot = "bot".parse().unwrap();
    let sample = crate::sample::policy("house".parse().unwrap(), &bot, &assets, 1000, 50).unwrap();
    assert_eq!(sample.rules.len(), 1000);
    let house = House::of(&sample).asks(USD, "1000");
    assert_eq!(house.says(), ["allow"]);
    let slices = house.policy.0.slices.lock().unwrap();
    assert_eq!(slices.values().next().unwrap().policies().count(), 50);
}
