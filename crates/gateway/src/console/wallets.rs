//! Wallets: what all of them hold by tier, accounts and balances as the chain's node tells them, what each held as time went by,
//! and what left it.

mod charts;
pub(super) mod hearings;
mod tiers;

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Tone, address, amount, badge, empty, facts, heading, link, outside, paragraph, table,
    when,
};
use quorate_terms::AssetId;
use quorate_terms::intent::Tier;

use super::paperwork::{Flow, Held};
use super::visit::{Answered, Visit};
use super::{Here, Page};
use crate::answer::{Balances, Holding};
use crate::office::WalletView;
use charts::{LONG, MONTH, WEEK};
use hearings::Heard;

pub(crate) const PAGE: Page = Page {
    path: "/wallets",
    label: "Wallets",
    routes: |router: Router<Here>| {
        router.route("/wallets", get(shown)).route("/wallets/{wallet}", get(one))
    },
};

async fn shown(visit: Visit) -> Answered {
    if visit.status.wallets.is_empty() {
        let next = "open one with `quorate wallet new`";
        return visit.page("Wallets", [empty("There is no wallet yet.", next)]);
    }
    let office = &visit.console.office;
    let from = MONTH.begin(visit.status.now);
    let flow = office.flow(from).await?;
    let held = office.held(from, MONTH.grain).await?;
    let tiers = office.tiers().await?;
    let accounts = visit.status.wallets.iter().flat_map(|one| one.accounts.values().cloned());
    let accounts = accounts.collect();
    let told = hearings::told(&visit, accounts).await;
    let mut body = vec![
        heading("All wallets, by tier"),
        tiers::all(&visit.status.policy_document, &visit.status.wallets, &tiers, &told),
    ];
    for wallet in &visit.status.wallets {
        body.push(heading(&format!("Wallet {}", wallet.wallet)));
        body.push(about(wallet, tiers.get(&wallet.wallet).copied()));
        body.extend(wallet.accounts.values().map(|account| balances(told.get(account))));
        body.push(month(&visit, wallet, &held, &flow));
        let more = link(&format!("/wallets/{}", wallet.wallet), "A week by hours, and longer");
        body.push(paragraph(more));
    }
    visit.page("Wallets", body)
}

/// One wallet, with all that is known of what it held.
async fn one(visit: Visit, Path(wallet): Path<String>) -> Answered {
    let found = visit.status.wallets.iter().find(|one| one.wallet.as_str() == wallet);
    let Some(one) = found else {
        let next = "look at the wallets that there are";
        return Err(Refusal::new("nothing_here", "there is no such wallet", next).into());
    };
    let office = &visit.console.office;
    let tiers = office.tiers().await?;
    let mut body = vec![about(one, tiers.get(&one.wallet).copied())];
    let told = hearings::told(&visit, one.accounts.values().cloned().collect()).await;
    body.extend(one.accounts.values().map(|account| balances(told.get(account))));
    let (policy, now) = (&visit.status.policy_document, visit.status.now);
    for (words, span) in [("A week, hour by hour", WEEK), ("400 days", LONG)] {
        let held = office.held(span.begin(now), span.grain).await?;
        let drawn = charts::held(policy, (span, now), &of_wallet(&held, one));
        body.push(heading(words));
        body.extend(drawn.is_empty().then(not_known));
        body.extend(drawn.into_values());
    }
    visit.page(&format!("Wallet {}", one.wallet), body)
}

/// How exposed a wallet is, in one word.
pub(super) const fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Hot => "hot",
        Tier::Warm => "warm",
        Tier::Cold => "cold",
    }
}

fn about(wallet: &WalletView, tier: Option<Tier>) -> Markup {
    let (proven, holders) = (wallet.backups.len(), wallet.holders.len());
    let tone = if proven == holders { Tone::Good } else { Tone::Warn };
    let mut rows = Vec::new();
    rows.extend(tier.map(|tier| ("Tier", badge(Tone::Note, tier_word(tier)))));
    rows.push(("Shares are held by", outside(&wallet.holders.join(", "))));
    rows.push(("Backups proven", badge(tone, &format!("{proven} of {holders}"))));
    rows.extend(
        wallet.accounts.values().map(|account| ("Account", address(account.as_str(), None))),
    );
    if let Some(who) = &wallet.barred {
        rows.push(("Barred", Markup::all([badge(Tone::Bad, "key frozen"), outside(who)])));
    }
    facts(rows)
}

/// What is known of one account, and why the rest is not.
fn balances(told: Option<&Heard>) -> Markup {
    let no_balance = |why: &str| {
        let words = [badge(Tone::Bad, "no balance"), Markup::text(" "), outside(why)];
        ("Balances", Markup::all(words))
    };
    let Some(heard) = told else {
        return facts(vec![no_balance("the node has not answered yet; load this page again")]);
    };
    let mut shown = Vec::new();
    let said: Vec<&Balances> = heard.parts.iter().filter_map(|part| part.as_ref().ok()).collect();
    if let Some(block) = said.iter().map(|one| one.block).min() {
        let rows = said.iter().flat_map(|one| &one.holdings).map(holding).collect();
        let caption = format!("Balances, asked from block {block} on");
        shown.push(table(&caption, &["Asset", "Balance"], rows));
    }
    let not_known = heard.parts.iter().filter_map(|part| part.as_ref().err());
    let mut rows: Vec<(&str, Markup)> = not_known.map(|why| no_balance(why)).collect();
    rows.push(("As told at", when(heard.at)));
    shown.push(facts(rows));
    Markup::all(shown)
}

fn holding(one: &Holding) -> Vec<Markup> {
    let symbol = one.listed_symbol.as_deref().unwrap_or(one.asset.as_str());
    let units = one.units.to_string();
    vec![outside(one.asset.as_str()), amount(&units, one.decimals.unwrap_or(0), symbol)]
}

fn of_wallet<'a>(held: &'a [Held], wallet: &WalletView) -> Vec<&'a Held> {
    held.iter().filter(|one| one.wallet == wallet.wallet).collect()
}

fn not_known() -> Markup {
    let next = "the desk asks its nodes four times an hour, and what they say is drawn here";
    empty("What this wallet held is not known of this time.", next)
}

/// For each asset what the wallet held, and what left it, day by day.
fn month(visit: &Visit, wallet: &WalletView, held: &[Held], flow: &[Flow]) -> Markup {
    let (policy, now) = (&visit.status.policy_document, visit.status.now);
    let flow: Vec<&Flow> = flow.iter().filter(|one| one.wallet == wallet.wallet).collect();
    let mut held = charts::held(policy, (MONTH, now), &of_wallet(held, wallet));
    let mut left = charts::left(policy, (MONTH, now), &flow);
    let mut drawn = Vec::new();
    drawn.extend(held.is_empty().then(not_known));
    if left.is_empty() {
        let what = format!("Nothing left this wallet in {} days.", MONTH.count);
        drawn.push(empty(&what, "what settles is drawn here, day by day"));
    }
    let assets: BTreeSet<AssetId> = held.keys().chain(left.keys()).cloned().collect();
    for asset in assets {
        drawn.extend(held.remove(&asset));
        drawn.extend(left.remove(&asset));
    }
    Markup::all(drawn)
}
