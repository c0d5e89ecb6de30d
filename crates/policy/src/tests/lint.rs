//! What does not load, and how it is told.

use quorate_terms::policy::{Budget, Window};

use proptest::prelude::*;

use super::*;
use crate::Problem;

fn problems(document: &PolicyDocument) -> Vec<Problem> {
    Policy::load(document).err().unwrap_or_default()
}

fn check_rule(text: &str, why: Option<&str>) {
    let found = problems(&with_rules(&[text]));
    match why {
        None => assert!(found.is_empty(), "{text}: {found:#?}"),
        Some(why) => {
            assert!(found.iter().any(|p| p.why.contains(why)), "{text}: {found:#?}");
            assert!(
                found.iter().all(|p| !p.mend.is_empty() && !p.why.contains('\n')),
                "{found:#?}"
            );
        }
    }
}

const APPROVED: &str = "unless { context.approved_by.contains(\"treasury\") }";

#[test]
fn the_canonical_form_is_accepted() {
    for rule in [
        format!("@require(\"treasury\") forbid (principal, action, resource) {APPROVED};"),
        format!("@require(\"treasury\") forbid (principal, action, resource) when {{ context.amount > 5 }} {APPROVED};"),
        format!("@require(\"treasury\") forbid (principal, action, resource) when {{ context.native }} unless {{ context.recipient.known }} {APPROVED};"),
        "permit (principal is Agent, action == Action::\"transfer\", resource == Wallet::\"hot\") when { context has value_cents && context.value_cents < 5 };".into(),
        "forbid (principal, action, resource) unless { context.amount < 3 || (context has value_cents && context.value_cents < 5) };".into(),
        "@note(\"why\") forbid (principal, action, resource) when { context.recipient.account like \"eip155:1:*\" };".into(),
    ] {
        check_rule(&rule, None);
    }
}

#[test]
fn every_break_of_the_canonical_form_is_refused() {
    let forbid = "forbid (principal, action, resource)";
    let form = Some("does not end in the approval clause");
    let reads = Some("reads `approved_by`");
    let open = Some("fails open");
    for (rule, why) in [
        (format!("@require(\"treasury\") {forbid} when {{ context.native }};"), form),
        (format!("@require(\"treasury\") {forbid} {APPROVED} when {{ context.amount > 5 }};"), form),
        (format!("@require(\"treasury\") {forbid} unless {{ context.approved_by.contains(\"other\") }};"), form),
        (format!("@require(\"other\") {forbid} {APPROVED};"), form),
        (format!("@require(\"treasury\") {forbid} unless {{ context.native || context.approved_by.contains(\"treasury\") }};"), form),
        (format!("@require(\"treasury\") {forbid} when {{ context.approved_by.contains(\"treasury\") }};"), form),
        (format!("@require(\"treasury\") {forbid} {APPROVED} {APPROVED};"), reads),
        (format!("{forbid} {APPROVED};"), reads),
        ("permit (principal, action, resource) when { context.approved_by.contains(\"treasury\") };".into(), reads),
        ("permit (principal, action, resource) when { context.approved_by == [\"x\"] };".into(), reads),
        ("permit (principal, action, resource) when { context == context };".into(), reads),
        ("permit (principal, action, resource) when { (if context.native then context else context).native };".into(), reads),
        ("@require(\"treasury\") permit (principal, action, resource);".into(), Some("on a permit")),
        (format!("@require {forbid} {APPROVED};"), Some("names no quorum")),
        (format!("@require(\"ghosts\") {forbid} unless {{ context.approved_by.contains(\"ghosts\") }};"), Some("is no quorum of this document")),
        (format!("@requires(\"treasury\") {forbid};"), Some("unknown annotation")),
        (format!("{forbid} when {{ context has value_cents && context.value_cents > 5 }};"), open),
        (format!("{forbid} unless {{ !(context has value_cents) }};"), open),
        (format!("{forbid} unless {{ (context has value_cents) == false }};"), open),
        (format!("{forbid} unless {{ if context has value_cents then context.value_cents < 5 else true }};"), open),
        ("permit (principal, action, resource) unless { context has value_cents && context.value_cents > 5 };".into(), open),
        ("permit (principal, action, resource) when { !(context has value_cents) };".into(), open),
    ] {
        check_rule(&rule, why);
    }
}

#[test]
fn rules_are_validated_strictly() {
    for rule in [
        "permit (principal, action, resource) when { context.value_cents > 5 };",
        "permit (principal, action, resource) when { context.colour == \"red\" };",
        "permit (principal, action, resource) when { context.amount > \"5\" };",
        "permit (principal is Robot, action, resource);",
        "permit (principal, action == Action::\"steal\", resource);",
        "permit (principal == ?principal, action, resource);",
        "permit (principal == Wallet::\"hot\", action, resource);",
        "permit (principal, action, resource) when { principal.rich };",
        "permit (principal, action, resource) when { context.amount };",
        "permit (principal, action, resource); permit (principal, action, resource);",
        "permit (principal, action, resource)",
        "permit all;",
        "@note(\"a\") @note(\"b\") permit (principal, action, resource);",
        "",
    ] {
        check_rule(rule, Some(""));
    }
}

#[test]
fn problems_name_the_line_and_come_in_one_order() {
    let text = "forbid (principal, action, resource)\nwhen { context.native }\nunless { context.approved_by.contains(\"treasury\") };";
    let found = problems(&with_rules(&[text]));
    assert_eq!((found[0].field.as_str(), found[0].line), ("rules.r0", Some(3)));
    let found = problems(&with_rules(&[
        "permit (principal, action, resource)\nwhen { context.amount > };",
    ]));
    assert_eq!(found[0].line, Some(2), "{found:?}");
    let found = problems(&with_rules(&[
        "permit (principal, action, resource)\nwhen {\ncontext.colour == \"red\" };",
    ]));
    assert_eq!(found[0].line, Some(3), "{found:?}");
    let bad = "permit (principal, action, resource) when { context.a == 1 || context.b == 2 };";
    let many = with_rules(&[bad; 8]);
    let first = problems(&many);
    assert!(first.is_sorted() && first.len() >= 8);
    for _ in 0..5 {
        assert_eq!(problems(&many), first);
    }
    assert!(first[0].to_string().starts_with("`rules.r0`"), "{}", first[0]);
}

#[test]
fn row_41_large_and_deep_policies_are_refused_before_they_are_parsed() {
    let when = |body: String| format!("permit (principal, action, resource) when {{ {body} }};");
    check_rule(&when(format!("{}true{}", "(".repeat(1500), ")".repeat(1500))), Some("24 deep"));
    check_rule(&when(format!("{}1 == 1", "-".repeat(3000))), Some("200 operators"));
    check_rule(&when(format!("{}true", "!".repeat(3000))), Some("200 operators"));
    check_rule(&when(format!("{}true", "true && ".repeat(300))), Some("200 operators"));
    check_rule(
        &when(format!("{}true{}", "if true then ".repeat(100), " else true".repeat(100))),
        Some("24 deep"),
    );
    check_rule(&when(format!("\"{}\" == \"\"", "a".repeat(5000))), Some("4096 bytes"));
    let mut many = with_rules(&[]);
    many.rules = vec![rule("r", "x"); 10_001];
    assert!(problems(&many)[0].why.contains("10000 is the most"));
    let mut heavy = with_rules(&[]);
    heavy.rules = vec![rule("r", &"x".repeat(4096)); 600];
    assert!(problems(&heavy)[0].why.contains("bytes of rules"));
    let mut budgets = document();
    budgets.budgets = vec![budgets.budgets[0].clone(); 1001];
    assert!(problems(&budgets)[0].why.contains("1000 is the most"));
}

#[test]
fn every_typed_field_is_checked() {
    fn check(change: impl FnOnce(&mut PolicyDocument), field: &str) {
        let mut document = document();
        change(&mut document);
        let found = problems(&document);
        assert!(found.iter().any(|p| p.field.starts_with(field)), "{field}: {found:#?}");
    }
    fn budget(change: impl FnOnce(&mut Budget)) -> impl FnOnce(&mut PolicyDocument) {
        |d| change(&mut d.budgets[0])
    }
    check(|d| d.v = 2, "v");
    check(|d| d.version = 0, "version");
    check(|d| d.version = 2, "version");
    check(|d| d.previous = Some(Digest::ZERO), "version");
    check(|d| d.zone = "Mars/Olympus".into(), "zone");
    check(|d| d.zone = "../etc/passwd".into(), "zone");
    check(|d| d.currency = "usd".into(), "currency");
    check(|d| d.quorums[0].m = 4, "quorums.treasury");
    check(|d| d.quorums[0].m = 0, "quorums.treasury");
    check(|d| d.quorums.push(d.quorums[0].clone()), "quorums.treasury");
    check(|d| d.administration.wallets = "x".parse().unwrap(), "administration.wallets");
    check(|d| d.administration.credentials = "x".parse().unwrap(), "administration.credentials");
    check(|d| d.administration.addresses = "x".parse().unwrap(), "administration.addresses");
    check(|d| d.assets.push(d.assets[0].clone()), "assets");
    check(|d| drop(d.assets.remove(0)), "assets");
    check(|d| d.assets[1].symbol = "US D".into(), "assets");
    check(|d| d.assets[1].symbol = "eth".into(), "assets");
    check(|d| d.assets[1].name = "a\u{7}".into(), "assets");
    check(|d| d.assets[1].decimals = 37, "assets");
    check(|d| d.assets.push(asset(&USD.to_ascii_lowercase(), "USDX", 6)), "assets");
    check(budget(|b| b.asset = "eip155:9/slip44:60".parse().unwrap()), "budgets.agent-eth-0");
    check(budget(|b| b.amount = None), "budgets.agent-eth-0");
    check(budget(|b| (b.window, b.count) = (Window::Each, Some(1))), "budgets.agent-eth-0");
    check(budget(|b| b.window = Window::Rolling { seconds: 0 }), "budgets.agent-eth-0");
    check(budget(|b| b.window = Window::Rolling { seconds: u64::MAX }), "budgets.agent-eth-0");
    check(|d| d.budgets.push(d.budgets[0].clone()), "budgets.agent-eth-0");
    check(|d| d.rules.push(d.rules[0].clone()), "rules.agents-may-transfer");
    check(|d| d.limits.open_cases = 0, "limits.open_cases");
    check(|d| d.limits.pending_reservations = 10_001, "limits.pending_reservations");
    check(|d| d.limits.case_ttl_s = 0, "limits.case_ttl_s");
    check(|d| d.limits.approval_ttl_s = u64::MAX, "limits.approval_ttl_s");
    check(|d| d.limits.fact_age_s = 0, "limits.fact_age_s");
    check(|d| d.addresses.wait_s = u64::MAX, "addresses.wait_s");
    let both = |d: &mut PolicyDocument| {
        d.addresses.deny =
            [SHOP.parse().unwrap(), SHOP.to_ascii_lowercase().parse().unwrap()].into();
    };
    check(both, "addresses.deny");
}

#[test]
fn a_loaded_policy_keeps_its_document_and_its_digest() {
    use quorate_terms::Term;
    let document = document();
    let policy = load(&document);
    assert_eq!(policy.document(), &document);
    assert_eq!(policy.digest(), document.digest().unwrap());
    assert_eq!(policy.quorums_asked_for().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_rule_text_makes_the_lint_panic(text in ".{0,200}") {
        drop(Policy::load(&with_rules(&[&text])));
    }

    #[test]
    fn no_mutated_rule_makes_the_lint_panic(at in 0..150_usize, with in prop::collection::vec(any::<char>(), 0..4), cut in 0..10_usize) {
        let rule = format!("@require(\"treasury\") forbid (principal, action, resource) when {{ context has value_cents && context.value_cents > 5 }} {APPROVED};");
        let mut chars: Vec<char> = rule.chars().collect();
        let start = at.min(chars.len());
        let end = (start + cut).min(chars.len());
        chars.splice(start..end, with);
        let text: String = chars.into_iter().collect();
        drop(Policy::load(&with_rules(&[&text])));
    }
}
