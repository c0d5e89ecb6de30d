//! A policy in words: the golden text of one, what is not told in words, and that words are never the same for two meanings.

use proptest::prelude::*;

use super::*;
use crate::words::{Names, rule as say, words};

fn said(document: &PolicyDocument) -> Vec<String> {
    let sentences = words(&load(document), &Names::default());
    sentences.into_iter().map(|s| format!("{} [{}] {}", s.in_words, s.field, s.text)).collect()
}

fn check(text: &str, expected: &str) {
    let found = say(&rule("r", text), &document(), &names());
    assert_eq!((found.text.as_str(), found.in_words), (expected, true), "{text}");
    assert_eq!(found.caution(), None, "{text}");
}

fn names() -> Names {
    let mut names = Names::default();
    names.listed(&SHOP.parse().unwrap(), Some("the `shop`"));
    names
}

#[test]
fn the_starter_is_told_whole_and_in_words() {
    let text = said(&document()).join("\n");
    assert_eq!(text.trim(), include_str!("golden/starter.txt").trim(), "\n{text}\n");
}

#[test]
fn rules_are_told_with_units_names_hours_and_who_must_agree() {
    check(
        "permit (principal, action, resource);",
        "Allows anyone to do anything that rules weigh.",
    );
    check(
        "permit (principal == Agent::\"bot\", action == Action::\"transfer\", resource == Wallet::\"hot\")
         when { context.symbol == \"USDT\" && context.amount <= 2500000 && context.recipient.usable };",
        "Allows agent `bot` to transfer from wallet `hot`, when the asset's symbol is `USDT` and the amount is at most \
         2.5 whole units of the asset and the recipient is usable from the address list.",
    );
    check(
        &format!(
            "@note(\"pay `day`\") forbid (principal is Person, action == Action::\"transfer\", resource is Wallet)
             when {{ context.asset == \"{USD}\" && context.amount > 100000001 }}
             when {{ context.hour < 8 || context.hour >= 18 || context.weekday > 5 }}
             unless {{ context has value_cents && context.value_cents <= 1050 }};"
        ),
        &format!(
            "Forbids any person to transfer from any wallet, whoever agrees, when the asset is USDT (`{USD}`) and the amount \
             is above 100.000001 USDT; and when the time in `UTC` is before 08:00 or the time in `UTC` is 18:00 or later or the \
             day of the week, Monday being 1, is above 5 (Friday); and unless the value is known and the value is at most 10.5 \
             USD. Its author notes: `pay \\u{{60}}day\\u{{60}}`."
        ),
    );
    check(
        "@require(\"treasury\") forbid (principal, action == Action::\"transfer\", resource)
         when { [\"eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b\", \"eip155:1:0x01\"].contains(context.recipient.account)
                && !(context.recipient.known || context.native) && context.fee > 10000 }
         unless { context.approved_by.contains(\"treasury\") };",
        "Asks for quorum `treasury` before anyone may transfer, when the recipient is one of \
         `eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b` (on the address list as `the \\u{60}shop\\u{60}`) or `eip155:1:0x01` and it is not so that (the \
         recipient was paid before or the asset is its chain's own coin) and the highest fee is above 0.01 of the chain's own \
         coin.",
    );
}

#[test]
fn what_is_not_understood_whole_is_shown_as_it_was_written_and_that_is_said() {
    for text in [
        "permit (principal, action, resource) when { context.amount + 1 < 5 };",
        "permit (principal, action, resource) when { context.recipient.account like \"*dead\" };",
        "permit (principal, action, resource) when { 5 > context.amount };",
        "permit (principal, action, resource) when { if context.native then true else context.amount < 5 };",
        "permit (principal, action, resource) when { context.native == true };",
        "permit (principal, action, resource) when { principal == Agent::\"bot\" };",
        "permit (principal, action, resource) when { context.hour < 99 };",
        "@note permit (principal, action, resource);",
        "permit (principal, action, resource == Wallet::\"a\") when { true };",
        "no cedar at all",
    ] {
        let found = say(&rule("r", text), &document(), &Names::default());
        assert!(!found.in_words, "{found:?}");
        assert!(!found.text.is_empty(), "{found:?}");
        let caution = found.caution().unwrap();
        assert!(caution.contains("not told in words") && caution.ends_with(':'), "{caution}");
    }
}

#[test]
fn a_name_stands_beside_the_whole_address_and_can_claim_nothing() {
    let (shop, own): (quorate_terms::AccountId, _) =
        (SHOP.parse().unwrap(), "eip155:1:0x00000000000000000000000000000000000000aa");
    let mut other = document();
    other.addresses.deny.insert(shop.clone());
    other.addresses.deny.insert(own.parse().unwrap());
    other.budgets[0].counterparties.insert(shop.clone());
    let mut names = Names::default();
    names.own(&own.parse().unwrap(), &"hot".parse().unwrap());
    names.listed(&own.parse().unwrap(), Some("somebody"));
    names.listed(&shop, Some("x`), our wallet `hot"));
    let said = words(&load(&other), &names);
    let all: Vec<&str> = said.iter().map(|one| one.text.as_str()).collect();
    let listed =
        format!("`{shop}` (on the address list as `x\\u{{60}}), our wallet \\u{{60}}hot`)");
    assert!(all.contains(&format!("Never pays {listed}.").as_str()), "{all:#?}");
    assert!(all.contains(&format!("Never pays `{own}` (our wallet `hot`).").as_str()), "{all:#?}");
    assert!(all.iter().any(|one| one.ends_with(&format!("; only to {listed}."))), "{all:#?}");
    names = Names::default();
    names.listed(&shop, None);
    let said = words(&load(&other), &names);
    assert!(
        said.iter().any(|one| one.text == format!("Never pays `{shop}` (on the address list)."))
    );
}

#[test]
fn a_comment_cannot_swallow_what_follows_it_on_one_line() {
    let text = "permit (principal, action, resource) // only when small: \n when { context.amount + 0 > 5 };";
    let found = say(&rule("r", text), &document(), &Names::default());
    assert!(!found.text.contains("only when small") && found.text.contains("+ 0"), "{found:?}");
}

const FLAGS: [&str; 4] = [
    "context.native",
    "context.recipient.listed",
    "context.recipient.known",
    "context.recipient.usable",
];
const NUMBERS: [&str; 5] = ["amount", "fee", "hour", "weekday", "value_cents"];
const TEXTS: [&str; 5] = ["symbol", "chain", "band", "screening", "recipient.account"];
const LETTERS: [&str; 6] =
    ["", "a", "a` or `b", "b", "\\\\", "eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b"];
const OPERATORS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];

fn any_condition() -> impl Strategy<Value = String> {
    let flag = (0..FLAGS.len()).prop_map(|n| FLAGS[n].to_owned());
    let number = (0..NUMBERS.len(), 0..OPERATORS.len(), 0..26_i64)
        .prop_map(|(n, o, v)| format!("context.{} {} {v}", NUMBERS[n], OPERATORS[o]));
    let text = (0..TEXTS.len(), 4..6_usize, 0..LETTERS.len())
        .prop_map(|(n, o, v)| format!("context.{} {} \"{}\"", TEXTS[n], OPERATORS[o], LETTERS[v]));
    let one_of =
        (0..TEXTS.len(), prop::collection::vec(0..LETTERS.len(), 1..4)).prop_map(|(n, all)| {
            let all: Vec<String> = all.into_iter().map(|v| format!("\"{}\"", LETTERS[v])).collect();
            format!("[{}].contains(context.{})", all.join(", "), TEXTS[n])
        });
    let has = prop::sample::select(vec!["context has value_cents", "context has balance_share_bp"]);
    let leaf = prop_oneof![flag, number, text, one_of, has.prop_map(str::to_owned)];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) || ({b})")),
        ]
    })
}

fn any_told_rule() -> impl Strategy<Value = String> {
    let whos = [
        "principal",
        "principal is Agent",
        "principal is Person",
        "principal == Agent::\"a\"",
        "principal == Person::\"a\"",
    ];
    let acts = ["action", "action == Action::\"transfer\""];
    let froms = [
        "resource",
        "resource is Wallet",
        "resource == Wallet::\"a\"",
        "resource == Wallet::\"b\"",
    ];
    let notes = ["", "@note(\"a\") ", "@note(\"a`. Its author notes: `b\") "];
    let clauses = prop::collection::vec((any::<bool>(), any_condition()), 0..3);
    let scope = (
        prop::sample::select(whos.to_vec()),
        prop::sample::select(acts.to_vec()),
        prop::sample::select(froms.to_vec()),
    );
    (0..4_u8, scope, clauses, prop::sample::select(notes.to_vec())).prop_map(
        |(kind, (who, act, from), clauses, note)| {
            let (effect, quorum) = match kind {
                0 => ("permit", None),
                1 => ("forbid", None),
                2 => ("forbid", Some("a")),
                _ => ("forbid", Some("b")),
            };
            let mut text = note.to_owned();
            text.extend(quorum.map(|name| format!("@require(\"{name}\") ")));
            text.push_str(&format!("{effect} ({who}, {act}, {from})"));
            for (when, body) in clauses {
                text.push_str(&format!(" {} {{ {body} }}", if when { "when" } else { "unless" }));
            }
            text.extend(
                quorum
                    .map(|name| format!(" unless {{ context.approved_by.contains(\"{name}\") }}")),
            );
            text.push(';');
            text
        },
    )
}

/// A rule that is told in words, as its tree and its words.
fn told(text: &str) -> Option<(serde_json::Value, String)> {
    let rule = rule("r", text);
    let found = say(&rule, &document(), &names());
    found.in_words.then(|| (crate::words::tree(&rule).unwrap(), found.text))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Many rules at a time, each against each: of small parts many nearly meet.
    #[test]
    fn two_rules_that_differ_never_have_the_same_words(texts in prop::collection::vec(any_told_rule(), 60)) {
        let mut by_words: std::collections::BTreeMap<String, serde_json::Value> = std::collections::BTreeMap::new();
        let mut count = 0;
        for (tree, words) in texts.iter().filter_map(|text| told(text)) {
            count += 1;
            if let Some(before) = by_words.insert(words.clone(), tree.clone()) {
                prop_assert_eq!(before, tree, "{}", words);
            }
        }
        prop_assert!(count > 0);
    }

    #[test]
    fn one_changed_letter_changes_the_words_or_is_not_told(
        text in any_told_rule(), at in any::<prop::sample::Index>(), letter in "[ -~]",
    ) {
        let mut letters: Vec<char> = text.chars().collect();
        let place = at.index(letters.len());
        letters[place] = letter.chars().next().unwrap();
        let other: String = letters.into_iter().collect();
        if let (Some((a, said)), Some((b, other))) = (told(&text), told(&other)) {
            prop_assert_eq!(a == b, said == other, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_the_words_panic(text in ".{0,200}") {
        let found = say(&rule("r", &text), &document(), &Names::default());
        prop_assert!(!found.in_words || !found.text.is_empty());
    }

    /// Typed data: whatever one field is changed to, the words of the whole change with it.
    #[test]
    fn two_documents_that_differ_in_typed_data_never_have_the_same_words(which in 0..TYPED.len(), n in 1..400_000_u64) {
        let mut other = document();
        TYPED[which](&mut other, n);
        prop_assume!(other != document() && Policy::load(&other).is_ok());
        prop_assert_ne!(said(&document()), said(&other));
        let mut third = document();
        TYPED[which](&mut third, n + 1);
        if third != other && Policy::load(&third).is_ok() {
            prop_assert_ne!(said(&third), said(&other));
        }
    }
}

type Turn = fn(&mut PolicyDocument, u64);

const TYPED: [Turn; 26] = [
    |d, n| d.version = n,
    |d, n| {
        d.version = 2;
        d.previous = Some(Digest::of("test", &n.to_be_bytes()));
    },
    |d, n| d.vault = format!("house-{n}").parse().unwrap(),
    |d, n| d.zone = ["Europe/Zurich", "Asia/Tokyo", "UTC"][(n % 3) as usize].into(),
    |d, n| d.currency = ["EUR", "CHF", "USD"][(n % 3) as usize].into(),
    |d, n| d.assets[1].decimals = (n % 30) as u8,
    |d, n| d.assets[1].name = format!("n{n}"),
    |d, n| d.assets[1].symbol = format!("S{n}"),
    |d, n| d.quorums[0].m = (n % 4) as u32,
    |d, n| d.quorums[0].parties = Some((n % 3) as u32),
    |d, n| _ = d.quorums[0].members.insert(format!("m{n}").parse().unwrap()),
    |d, n| d.budgets[0].amount = Some(Amount::from_u128(n.into())),
    |d, n| d.budgets[0].count = Some(n as u32),
    |d, n| d.budgets[1].window = Window::Rolling { seconds: n * 60 },
    |d, n| {
        d.budgets[1].window = [Window::Day, Window::Week, Window::Month][(n % 3) as usize].clone()
    },
    |d, n| _ = d.budgets[0].wallets.insert(format!("w{n}").parse().unwrap()),
    |d, n| _ = d.budgets[0].agents.insert(format!("a{n}").parse().unwrap()),
    |d, n| _ = d.budgets[0].counterparties.insert(format!("eip155:1:0x{n:040x}").parse().unwrap()),
    |d, n| {
        d.budgets[0].per = [Dimension::Wallet, Dimension::Counterparty, Dimension::Agent]
            [..(n % 4) as usize]
            .iter()
            .copied()
            .collect()
    },
    |d, n| d.addresses.wait_s = n,
    |d, n| _ = d.addresses.deny.insert(format!("eip155:1:0x{n:040x}").parse().unwrap()),
    |d, n| {
        let other = Quorum { name: format!("q{n}").parse().unwrap(), ..d.quorums[0].clone() };
        d.administration.credentials = other.name.clone();
        d.quorums.push(other);
    },
    |d, n| d.limits.open_cases = (n % 9_000) as u32,
    |d, n| d.limits.pending_reservations = (n % 9_000) as u32,
    |d, n| (d.limits.case_ttl_s, d.limits.fact_age_s) = (n, n + 1),
    |d, n| d.limits.approval_ttl_s = n,
];

use quorate_terms::policy::{Dimension, Window};
