//! The typed parts of a policy in words. Every field of every part is said.

use quorate_terms::AccountId;
use quorate_terms::policy::{Budget, Dimension, PolicyDocument};
use quorate_terms::quorum::Quorum;

use super::Sentence;
use super::leaf::{self, Names, account, listed, quoted, span, sum};

/// What it is, and what it reckons in.
pub(super) fn head(document: &PolicyDocument) -> Vec<Sentence> {
    let vault = quoted(document.vault.as_str());
    let place = match &document.previous {
        Some(digest) => format!("in place of the policy {digest}"),
        None => "the first".to_owned(),
    };
    let mut all = vec![
        Sentence::new(
            "version",
            format!("Version {} for vault {vault}, {place}.", document.version),
        ),
        Sentence::new(
            "zone",
            format!("Hours, days, weeks and months are those of {}.", quoted(&document.zone)),
        ),
        Sentence::new("currency", format!("Values are reckoned in {}.", document.currency)),
    ];
    all.extend(document.assets.iter().map(|info| {
        let text = format!(
            "Knows {}, called {}, with {} decimal places. It is {}.",
            info.symbol,
            quoted(&info.name),
            info.decimals,
            quoted(info.asset.as_str())
        );
        Sentence::new(format!("assets.{}", info.asset), text)
    }));
    all
}

/// When a quorum is met.
pub(crate) fn quorum(quorum: &Quorum) -> String {
    let members = listed(quorum.members.iter().map(|who| quoted(who.as_str())), "and");
    let parties = match quorum.parties {
        None => String::new(),
        Some(1) => ", with passkeys at a view".to_owned(),
        Some(n) => format!(", with passkeys at views of {n} parties or more"),
    };
    format!("Met when {} of {members} agree{parties}.", quorum.m)
}

/// What a budget counts, and how much of it.
pub(crate) fn budget(budget: &Budget, document: &PolicyDocument, names: &Names) -> String {
    let most = [
        budget.amount.map(|amount| sum(amount, &budget.asset, &document.assets)),
        budget.count.map(|count| format!("{count} transfers")),
    ];
    let most = listed(most.into_iter().flatten(), "and");
    let apart = budget.per.iter().map(|one| match one {
        Dimension::Wallet => "each wallet".to_owned(),
        Dimension::Agent => "each agent (people as one)".to_owned(),
        Dimension::Counterparty => "each recipient".to_owned(),
    });
    let apart = match budget.per.is_empty() {
        true => "for all together".to_owned(),
        false => format!("for {} apart", listed(apart, "and")),
    };
    let only = [
        ("from wallet", some(budget.wallets.iter().map(|one| quoted(one.as_str())))),
        ("by agent", some(budget.agents.iter().map(|one| quoted(one.as_str())))),
        ("to", some(budget.counterparties.iter().map(|one| account(one, names)))),
    ];
    let only: String = only
        .into_iter()
        .filter_map(|(word, names)| names.map(|names| format!("; only {word} {names}")))
        .collect();
    format!(
        "At most {most} {}, {apart}, counted in {}{only}.",
        leaf::window(&budget.window),
        leaf::asset(budget.asset.as_str(), &document.assets)
    )
}

fn some(names: impl Iterator<Item = String>) -> Option<String> {
    Some(listed(names, "or")).filter(|text| !text.is_empty())
}

/// Recipients, administration and bounds.
pub(super) fn rest(document: &PolicyDocument, names: &Names) -> Vec<Sentence> {
    let wait = match document.addresses.wait_s {
        0 => "at once".to_owned(),
        seconds => format!("{} after it was listed", span(seconds)),
    };
    let mut all = vec![Sentence::new(
        "addresses.wait_s",
        format!("A recipient is usable from the address list {wait}."),
    )];
    let never = |one: &AccountId| {
        Sentence::new("addresses.deny", format!("Never pays {}.", account(one, names)))
    };
    all.extend(document.addresses.deny.iter().map(never));
    let own = &document.administration;
    for (field, act, quorum) in [
        ("administration.wallets", "To open a wallet", &own.wallets),
        ("administration.credentials", "To admit an agent", &own.credentials),
        ("administration.addresses", "To list a recipient", &own.addresses),
    ] {
        let text = format!("{act} takes quorum {}.", quoted(quorum.as_str()));
        all.push(Sentence::new(field, text));
    }
    let limits = &document.limits;
    for (field, text) in [
        (
            "limits.open_cases",
            format!("Whoever asks may have {} cases open at a time.", limits.open_cases),
        ),
        (
            "limits.pending_reservations",
            format!(
                "Whoever asks may have {} amounts waiting for approval at a time.",
                limits.pending_reservations
            ),
        ),
        (
            "limits.case_ttl_s",
            format!(
                "A case without a signature ends {} after it was filed.",
                span(limits.case_ttl_s)
            ),
        ),
        (
            "limits.approval_ttl_s",
            format!("An approval holds for {} at most.", span(limits.approval_ttl_s)),
        ),
        (
            "limits.fact_age_s",
            format!("A price or a screening may be {} old at most.", span(limits.fact_age_s)),
        ),
    ] {
        all.push(Sentence::new(field, text));
    }
    all
}
