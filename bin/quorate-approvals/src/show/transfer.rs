//! A transfer in words: how much of what, to whom, what is known of them, and what the budgets have left.

use quorate_chains::{look_alike, native_asset};
use quorate_host::telemetry::safe;
use quorate_host::ui::Tone;
use quorate_policy::calendar;
use quorate_terms::intent::Transfer;
use quorate_terms::policy::{Budget, Window};
use quorate_terms::{AccountId, CaseId};

use super::View;
use crate::screen::Screen;
use crate::words;

/// What an approver must see of a transfer.
pub(super) fn rows(view: &View<'_>, id: &CaseId, wanted: &Transfer, screen: &mut Screen) {
    let policy = view.book().policy();
    screen.row("from wallet", from(view, wanted));
    screen.toned("amount", words::amount(wanted.amount, &wanted.asset, policy), Tone::Strong);
    let name = policy.asset(&wanted.asset).map_or("unknown to the policy", |info| &info.name);
    screen.row("asset", format!("{} ({})", safe(name), wanted.asset));
    screen.row("chain", wanted.asset.chain().to_string());
    screen.toned("to", wanted.to.address(), Tone::Strong);
    screen.row("to account", wanted.to.to_string());
    recipient(view, wanted, screen);
    let fee = native_asset(&wanted.asset.chain());
    let fee = fee.map_or_else(
        |_| wanted.fee_ceiling.to_string(),
        |coin| words::amount(wanted.fee_ceiling, &coin, policy),
    );
    screen.row("fee at most", fee);
    let judged = view.book().case(id).and_then(|case| case.judged.as_ref());
    if let Some(value) = judged.and_then(|judged| judged.value) {
        let currency = &policy.document().currency;
        screen.row("worth about", format!("{} {currency}", value.to_decimal(2)));
    }
    for budget in judged.iter().flat_map(|judged| &judged.budget) {
        if let Some(budget) = policy.document().budgets.iter().find(|b| b.id == *budget) {
            screen.row("budget", used(view, budget));
        }
    }
}

fn from(view: &View<'_>, wanted: &Transfer) -> String {
    let wallet = view.book().wallet(&wanted.wallet);
    let account = wallet.and_then(|w| w.accounts.get(&wanted.asset.chain()));
    match account {
        Some(account) => format!("{} ({})", wanted.wallet, account.address()),
        None => format!("{}, which has no account on this chain", wanted.wallet),
    }
}

/// Listed or not, paid before or not, denied, one of ours, or dressed up as somebody else.
fn recipient(view: &View<'_>, wanted: &Transfer, screen: &mut Screen) {
    let book = view.book();
    let listed = book.listed().find(|(account, _)| **account == wanted.to);
    match listed {
        Some((_, from)) if *from <= view.now => {
            screen.toned("listed", format!("yes, usable since {}", from.utc()), Tone::Good);
        }
        Some((_, from)) => {
            screen.toned("listed", format!("not usable before {}", from.utc()), Tone::Wait);
        }
        None => screen.toned("listed", "no", Tone::Wait),
    }
    if book.was_paid(&wanted.to) {
        screen.toned("known", "yes, a settled transfer has paid this address", Tone::Good);
    } else {
        screen.toned("known", "no, this address was never paid", Tone::Wait);
    }
    if book.policy().document().addresses.deny.contains(&wanted.to) {
        screen.warn("the policy denies this recipient");
    }
    if book.wallets().any(|(_, wallet)| wallet.accounts.values().any(|own| *own == wanted.to)) {
        screen.row("is", "an account of this vault");
    }
    for twin in twins(view, &wanted.to) {
        screen.warn(format!(
            "look-alike: {} begins and ends like {}, which this vault knows; compare every digit",
            wanted.to.address(),
            twin.address()
        ));
    }
    if wanted.to.chain() != wanted.asset.chain() {
        screen.warn("recipient and asset are on different chains");
    }
    if let Err(bad) = quorate_chains::parse_account(wanted.to.as_str(), &wanted.to.chain()) {
        screen.warn(format!("the recipient's address is not well formed: {bad}"));
    }
}

/// Accounts that the vault lists, has paid or owns, and that this one could be taken for.
fn twins(view: &View<'_>, to: &AccountId) -> Vec<AccountId> {
    let book = view.book();
    let listed = book.listed().map(|(account, _)| account);
    let own = book.wallets().flat_map(|(_, wallet)| wallet.accounts.values());
    let known = listed.chain(own).chain(book.paid());
    let mut found: Vec<AccountId> = known.filter(|known| look_alike(known, to)).cloned().collect();
    found.sort();
    found.dedup();
    found
}

/// What a budget has used up, this case included.
fn used(view: &View<'_>, budget: &Budget) -> String {
    let policy = view.book().policy();
    let limit = match (budget.amount, budget.count) {
        (Some(most), Some(count)) => {
            format!("{} and {}", words::amount(most, &budget.asset, policy), intents(count.into()))
        }
        (Some(most), None) => words::amount(most, &budget.asset, policy),
        (None, Some(count)) => intents(count.into()),
        (None, None) => "nothing".to_owned(),
    };
    let each = format!("{}: at most {limit}", budget.id);
    let zone = calendar::zone(&policy.document().zone);
    let start = zone.map(|zone| calendar::start(&budget.window, view.now, &zone));
    let Some(Ok(Some(from))) = start else {
        let one = matches!(budget.window, Window::Each);
        return if one { format!("{each} in one intent") } else { each };
    };
    // The same words a moment later, so that what is signed can be what `show` showed.
    let within = match &budget.window {
        Window::Rolling { seconds } => {
            let length = quorate_policy::words::span(*seconds);
            format!("in any {}", length.strip_prefix("1 ").unwrap_or(&length))
        }
        _ => format!("since {}", from.utc()),
    };
    let total = view.book().usage().total(&budget.asset, from);
    let narrow = !budget.per.is_empty()
        || !budget.wallets.is_empty()
        || !budget.agents.is_empty()
        || !budget.counterparties.is_empty();
    let whole = if narrow { "over the whole vault, so at most: " } else { "" };
    format!(
        "{each} {within}; used and held, {whole}{}, {}",
        words::amount(total.amount, &budget.asset, policy),
        intents(total.count)
    )
}

fn intents(count: u64) -> String {
    format!("{count} intent{}", if count == 1 { "" } else { "s" })
}
