//! Wallets: accounts and balances as the chain's node tells them, and what left each of them over a month.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::get;
use quorate_pages::{
    Bar, Markup, Tone, address, amount, badge, bars, empty, facts, heading, outside, table,
};
use quorate_terms::{AccountId, Amount, AssetId, Timestamp};

use super::paperwork::Flow;
use super::visit::{Answered, Visit};
use super::{Here, Page, paper};
use crate::answer::{Answer, Holding};
use crate::desk::Progress;
use crate::office::WalletView;
use crate::question::{Currency, Question};

pub(crate) const PAGE: Page = Page {
    path: "/wallets",
    label: "Wallets",
    routes: |router: Router<Here>| router.route("/wallets", get(shown)),
};

/// Days in a chart.
const DAYS: u64 = 30;
/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

async fn shown(visit: Visit) -> Answered {
    if visit.status.wallets.is_empty() {
        let next = "open one with `quorate wallet new`";
        return visit.page("Wallets", [empty("There is no wallet yet.", next)]);
    }
    let first = first_day(visit.status.now);
    let flow = visit.console.office.flow(Timestamp::from_millis(first)).await?;
    let mut body = Vec::new();
    for wallet in &visit.status.wallets {
        body.push(heading(&format!("Wallet {}", wallet.wallet)));
        body.push(about(wallet));
        for account in wallet.accounts.values() {
            body.push(balances(&visit, account).await);
        }
        body.push(charts(&visit, wallet, &flow));
    }
    visit.page("Wallets", body)
}

/// The first millisecond of the first day in a chart.
fn first_day(now: Timestamp) -> u64 {
    let today = now.as_millis().checked_div(DAY_MS).unwrap_or(0);
    today.saturating_sub(DAYS.saturating_sub(1)).saturating_mul(DAY_MS)
}

fn about(wallet: &WalletView) -> Markup {
    let (proven, holders) = (wallet.backups.len(), wallet.holders.len());
    let tone = if proven == holders { Tone::Good } else { Tone::Warn };
    let mut rows = vec![
        ("Shares are held by", outside(&wallet.holders.join(", "))),
        ("Backups proven", badge(tone, &format!("{proven} of {holders}"))),
    ];
    rows.extend(
        wallet.accounts.values().map(|account| ("Account", address(account.as_str(), None))),
    );
    if let Some(who) = &wallet.barred {
        rows.push(("Barred", Markup::all([badge(Tone::Bad, "key frozen"), outside(who)])));
    }
    facts(rows)
}

async fn balances(visit: &Visit, account: &AccountId) -> Markup {
    let Ok(fiat) = visit.status.policy_document.currency.parse::<Currency>() else {
        return Markup::default();
    };
    let account = account.clone();
    let ask = Question::GetAllBalances {
        account: account.clone(),
        fiat,
        assets: None,
        include_native: true,
    };
    match visit.console.desk.ask(&visit.caller, ask, Progress::silent()).await {
        Ok(Answer::Balances(said)) => {
            let rows = said.holdings.iter().map(holding).collect();
            let caption = format!("Balances at block {}", said.block);
            table(&caption, &["Asset", "Balance"], rows)
        }
        Ok(_) => Markup::default(),
        Err(complaint) => {
            let words = Markup::all([badge(Tone::Bad, "no balance"), outside(&complaint.message)]);
            facts(vec![("Balances", words)])
        }
    }
}

fn holding(one: &Holding) -> Vec<Markup> {
    let symbol = one.listed_symbol.as_deref().unwrap_or(one.asset.as_str());
    let units = one.units.to_string();
    vec![outside(one.asset.as_str()), amount(&units, one.decimals.unwrap_or(0), symbol)]
}

/// One chart for each asset that left the wallet.
fn charts(visit: &Visit, wallet: &WalletView, flow: &[Flow]) -> Markup {
    let mut left: BTreeMap<&AssetId, BTreeMap<u64, Amount>> = BTreeMap::new();
    for one in flow.iter().filter(|one| one.wallet == wallet.wallet) {
        let day = one.at.as_millis().checked_div(DAY_MS).unwrap_or(0);
        let sum = left.entry(&one.asset).or_default().entry(day).or_insert(Amount::ZERO);
        *sum = sum.checked_add(one.amount).unwrap_or(Amount::MAX);
    }
    if left.is_empty() {
        let what = format!("Nothing left this wallet in {DAYS} days.");
        return empty(&what, "what settles is drawn here, day by day");
    }
    let first = first_day(visit.status.now).checked_div(DAY_MS).unwrap_or(0);
    let policy = &visit.status.policy_document;
    let chart = |(asset, days): (&AssetId, BTreeMap<u64, Amount>)| {
        let day = |at: u64| {
            let units = days.get(&at).copied().unwrap_or(Amount::ZERO);
            let label = Timestamp::from_millis(at.saturating_mul(DAY_MS)).written("%Y-%m-%d");
            Bar { label, amount: units, said: paper::sum_words(policy, asset, units) }
        };
        let drawn: Vec<Bar> = (first..first.saturating_add(DAYS)).map(day).collect();
        let symbol = policy.assets.iter().find(|info| info.asset == *asset);
        let symbol = symbol.map_or(asset.as_str(), |info| info.symbol.as_str());
        bars(&format!("{symbol} that left for good, fees included, each day (UTC)"), &drawn)
    };
    Markup::all(left.into_iter().map(chart))
}
