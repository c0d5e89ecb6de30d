//! What the starter, the built-in checks and the rules say.

use quorate_terms::credential::Band;
use quorate_terms::fact::CounterpartyCheck;

use super::*;

fn check(house: House, said: &[&str]) {
    assert_eq!(house.says(), said);
}

#[test]
fn the_starter_lets_an_agent_make_a_small_transfer() {
    check(House::new(), &["allow"]);
    check(House::new().asks(ETH, "50000000000000000"), &["allow"]);
    let ruling = House::new().judge();
    assert_eq!(ruling.claim.unwrap().charges.len(), 2, "amount and fee ceiling");
    assert_eq!(ruling.budgets.len(), 4, "token and coin, agent and vault");
}

#[test]
fn the_starter_asks_the_treasury_for_large_new_and_peoples_transfers() {
    check(House::new().asks(USD, "100000000"), &["allow"]);
    check(House::new().asks(USD, "100000001"), &["require", "treasury"]);
    check(House::new().asks(ETH, "100000000000000001"), &["require", "treasury"]);
    let stranger = |units| House::new().asks(USD, units).knowing(|f| f.recipient_known = false);
    check(stranger("10000000"), &["allow"]);
    check(stranger("10000001"), &["require", "treasury"]);
    let listed = stranger("10000001").knowing(|f| f.recipient_usable_from = Some(at(NOON)));
    check(listed, &["allow"]);
    let mut house = House::new();
    house.intent.requester = person();
    check(house, &["require", "treasury"]);
    let ruling = House::new().asks(USD, "100000001").judge();
    assert_eq!((ruling.quorum_m, ruling.quorum_members.len()), (Some(2), 3));
}

#[test]
fn approvals_never_lift_the_hard_budget() {
    check(House::new().asks(USD, "1000000001"), &["budget_exceeded"]);
}

#[test]
fn each_built_in_check_denies_on_its_own() {
    check(House::new().knowing(|f| f.band = None), &["credential_unknown"]);
    check(House::new().knowing(|f| f.credential_expires_at = None), &["credential_unknown"]);
    check(
        House::new().knowing(|f| f.credential_expires_at = Some(at(NOON))),
        &["credential_expired"],
    );
    check(House::new().knowing(|f| f.band = Some(Band::Prepare)), &["band_too_low"]);
    check(House::new().knowing(|f| f.credential_wallets.clear()), &["wallet_not_granted"]);
    check(House::new().knowing(|f| f.wallet_exists = false), &["unknown_wallet"]);
    check(House::new().knowing(|f| f.wallet_chains.clear()), &["wallet_wrong_chain"]);
    check(House::new().knowing(|f| f.wallet_account = None), &["wallet_not_ready"]);
    check(
        House::new().knowing(|f| f.wallet_account = Some(SHOP.parse().unwrap())),
        &["self_transfer"],
    );
    check(House::new().with(|t| t.amount = Amount::ZERO), &["zero_amount"]);
    check(
        House::new().with(|t| t.to = "eip155:10:0xab".parse().unwrap()),
        &["recipient_wrong_chain"],
    );
    check(House::new().knowing(|f| f.frozen = Some("the vault".into())), &["frozen"]);
    check(House::new().knowing(|f| f.open_cases = 32), &["too_many_open_cases"]);
    check(House::new().knowing(|f| f.open_cases = 31), &["allow"]);
    let flagged = |flagged| CounterpartyCheck::Performed { provider: "file".into(), flagged };
    check(House::new().knowing(|f| f.screening = flagged(true)), &["recipient_flagged"]);
    check(House::new().knowing(|f| f.screening = flagged(false)), &["allow"]);
    let mut house = House::new();
    house.intent.vault = "other".parse().unwrap();
    check(house, &["wrong_vault"]);
    let mut house = House::new();
    house.intent.v = 2;
    check(house, &["unknown_version"]);
}

#[test]
fn the_cap_on_held_amounts_bites_only_where_approval_is_awaited() {
    let house = |units| House::new().asks(USD, units).knowing(|f| f.pending_reservations = 8);
    check(house("100000001"), &["too_many_pending"]);
    check(house("1"), &["allow"]);
    let under = House::new().asks(USD, "100000001").knowing(|f| f.pending_reservations = 7);
    check(under, &["require", "treasury"]);
}

#[test]
fn a_newly_listed_recipient_waits() {
    let from = load(&document()).usable_from(at(NOON));
    assert_eq!(from, at(NOON + 3_600_000));
    let house = || House::new().knowing(|f| f.recipient_usable_from = Some(from));
    check(house(), &["recipient_waiting"]);
    let mut later = house();
    later.at = from;
    check(later, &["allow"]);
}

#[test]
fn an_unknown_asset_is_denied_whatever_its_symbol() {
    let other = "eip155:1/erc20:0x0000000000000000000000000000000000000001";
    for asset in
        [other, "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", "eip155:5/slip44:60"]
    {
        let said = House::new().with(|t| t.asset = asset.parse().unwrap()).says();
        assert!(said.contains(&"unknown_asset".to_owned()), "{asset}: {said:?}");
    }
}

#[test]
fn row_35_recipients_are_compared_over_all_their_bytes_in_any_spelling() {
    let mut document = document();
    document.addresses.deny.insert(SHOP.parse().unwrap());
    for (to, code) in [
        (SHOP.to_owned(), "recipient_denied"),
        (SHOP.to_ascii_lowercase(), "recipient_denied"),
        // Same head and tail, another middle: another account.
        ("eip155:1:0xAb5801a7D398351b8bE11C439e15C5B3259aeC9B".to_owned(), "allow"),
    ] {
        check(House::of(&document).with(|t| t.to = to.parse().unwrap()), &[code]);
    }
    let listed = format!(
        "permit (principal, action, resource) when {{ context.recipient.account == \"{}\" }};",
        SHOP.to_ascii_lowercase()
    );
    check(House::of(&with_rules(&[&listed])), &["allow"]);
    let poisoned = "eip155:1:0xAb5801a7D398351b8bE11C439e15C5B3259aeC9B";
    let house = House::of(&with_rules(&[&listed])).with(|t| t.to = poisoned.parse().unwrap());
    check(house, &["no_rule_allows"]);
}

#[test]
fn nothing_is_allowed_by_silence() {
    check(House::of(&with_rules(&[])), &["no_rule_allows"]);
    check(
        House::of(&with_rules(&["permit (principal == Agent::\"other\", action, resource);"])),
        &["no_rule_allows"],
    );
    let wallet = "permit (principal, action, resource == Wallet::\"cold\");";
    check(House::of(&with_rules(&[wallet])), &["no_rule_allows"]);
    let mut house = House::new();
    house.facts = Facts::default();
    assert!(house.judge().judgment.is_deny(), "who knows nothing allows nothing");
}

#[test]
fn a_rule_that_cannot_be_evaluated_denies() {
    let permit = "permit (principal, action, resource);";
    let overflow =
        "forbid (principal, action, resource) when { context.amount + 9223372036854775807 > 0 };";
    check(House::of(&with_rules(&[permit, overflow])), &["rule_failed"]);
    let overflow =
        "permit (principal, action, resource) when { context.amount * 9223372036854775807 > 0 };";
    check(House::of(&with_rules(&[permit, overflow])), &["rule_failed"]);
}

#[test]
fn a_plain_forbid_outweighs_permits_and_approvals() {
    let rules = [
        "permit (principal, action, resource);",
        "@note(\"tokens stay\") forbid (principal, action, resource) when { !context.native };",
        "@require(\"treasury\") forbid (principal, action, resource) unless { context.approved_by.contains(\"treasury\") };",
    ];
    let house = House::of(&with_rules(&rules));
    check(House::of(&with_rules(&rules)), &["rule_forbids"]);
    assert_eq!(house.judge().judgment.reasons()[0].message, "tokens stay");
    check(House::of(&with_rules(&rules)).asks(ETH, "1"), &["require", "treasury"]);
}

#[test]
fn a_missing_price_can_only_tighten() {
    let rules = [
        "permit (principal, action, resource);",
        "@require(\"treasury\") forbid (principal, action, resource)
         unless { context has value_cents && context.value_cents <= 10000 }
         unless { context.approved_by.contains(\"treasury\") };",
    ];
    let house = |cents: Option<&str>| {
        House::of(&with_rules(&rules)).knowing(|f| f.value_cents = cents.map(amount))
    };
    check(house(Some("10000")), &["allow"]);
    check(house(Some("10001")), &["require", "treasury"]);
    check(house(None), &["require", "treasury"]);
    check(house(Some("9223372036854775808")), &["amount_too_large"]);
}

#[test]
fn t26_a_unit_slip_of_a_thousand_is_stopped_three_times() {
    let share = "forbid (principal, action, resource)
        unless { context has balance_share_bp && context.balance_share_bp <= 2500 };";
    let house = |units, balance: Option<&str>| {
        let rules = ["permit (principal, action, resource);", share];
        House::of(&with_rules(&rules)).asks(USD, units).knowing(|f| f.balance = balance.map(amount))
    };
    check(house("400000", Some("2000000000")), &["allow"]);
    check(house("400000000", Some("1500000000")), &["rule_forbids"]);
    check(house("375000000", Some("1500000000")), &["allow"]);
    check(house("375000001", Some("1500000000")), &["rule_forbids"]);
    check(house("1", None), &["rule_forbids"]);
    check(house("1", Some("0")), &["rule_forbids"]);
    // The starter stops the same slip without any balance: by threshold, by first recipient, by budget.
    check(House::new().asks(USD, "400000000"), &["require", "treasury"]);
    let stranger = House::new().asks(USD, "40000000").knowing(|f| f.recipient_known = false);
    check(stranger, &["require", "treasury"]);
    check(House::new().asks(USD, "4000000000"), &["budget_exceeded"]);
}

#[test]
fn hours_and_days_are_those_of_the_policys_zone() {
    let rules = [
        "permit (principal, action, resource) when { context.hour >= 9 && context.hour < 17 && context.weekday <= 5 };",
    ];
    let house = |zone: &str, millis| {
        let document = PolicyDocument { zone: zone.into(), ..with_rules(&rules) };
        let mut house = House::of(&document);
        house.at = at(millis);
        house.facts.credential_expires_at = Some(at(NOON + 30 * 86_400_000));
        house
    };
    let hour = 3_600_000;
    check(house("UTC", NOON), &["allow"]);
    check(house("UTC", NOON + 5 * hour - 1), &["allow"]);
    check(house("UTC", NOON + 5 * hour), &["no_rule_allows"]);
    check(house("UTC", NOON - 3 * hour - 1), &["no_rule_allows"]);
    check(house("Asia/Tokyo", NOON), &["no_rule_allows"]);
    check(house("America/New_York", NOON + 5 * hour), &["allow"]);
    check(house("UTC", NOON + 3 * 24 * hour), &["no_rule_allows"]);
    let mut beyond = House::new();
    beyond.at = at(u64::MAX);
    beyond.facts.credential_expires_at = Some(at(u64::MAX));
    assert!(beyond.judge().judgment.is_deny());
}

#[test]
fn amounts_reach_rules_in_millionths_rounded_up() {
    let check = |units: &str, decimals, scaled: Option<i64>| {
        assert_eq!(crate::context::scaled(amount(units), decimals), scaled, "{units} {decimals}");
    };
    check("0", 18, Some(0));
    check("1", 18, Some(1));
    check("1000000000000", 18, Some(1));
    check("1000000000001", 18, Some(2));
    check("7", 6, Some(7));
    check("7", 0, Some(7_000_000));
    check("9223372036854775807", 6, Some(i64::MAX));
    check("9223372036854775808", 6, None);
    check(&Amount::MAX.to_string(), 0, None);
    let house = House::new().asks(USD, "9223372036854775808").says();
    assert!(house.contains(&"amount_too_large".to_owned()), "{house:?}");
}

#[test]
fn amount_and_fee_that_overflow_together_are_denied() {
    let house = House::new().asks(ETH, &Amount::MAX.to_string());
    assert_eq!(house.judge().claim, None);
    assert!(house.says().contains(&"amount_too_large".to_owned()));
}

#[test]
fn row_40_the_answer_depends_on_the_policy_and_nothing_hidden() {
    let house = House::new();
    let first = house.judge();
    for _ in 0..3 {
        assert_eq!(house.judge(), first, "a warm slice answers as a cold one");
    }
    let mut stricter = document();
    stricter.addresses.deny.insert(SHOP.parse().unwrap());
    let stricter = House::of(&stricter);
    assert_ne!(stricter.policy.digest(), house.policy.digest());
    assert!(stricter.judge().judgment.is_deny());
}

#[test]
fn many_agents_do_not_make_the_cache_grow_without_bound() {
    let mut house = House::new();
    for number in 0..300 {
        house.intent.requester = Requester::Agent {
            agent: format!("bot-{number}").parse().unwrap(),
            credential: "cred-1".parse().unwrap(),
        };
        assert_eq!(house.says(), ["allow"]);
    }
    assert!(house.policy.0.slices.lock().unwrap().len() <= 128);
}

#[test]
fn a_policy_may_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Policy>();
    shared::<Usage>();
}
