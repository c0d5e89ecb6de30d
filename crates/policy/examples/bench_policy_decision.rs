//! `policy_decision`: how long one judgment takes at 1,000 rules of which 50 speak about the agent who asks.
//!
//! The question is the one that a case asks: built-in checks, exact budgets over a history, rules. The baseline is
//! the same question under a policy of the 50 rules alone, which is what a vault without the others would pay.
#![expect(clippy::print_stdout, reason = "a bench prints its rows and nothing else")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads a clock and computes ratios; no money is weighed here"
)]

#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::collections::BTreeSet;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use quorate_policy::{Ask, Claim, Facts, Policy, StarterAsset, Usage, judge, sample};
use quorate_terms::credential::Band;
use quorate_terms::entry::Charge;
use quorate_terms::intent::{Action, Requester, Transfer};
use quorate_terms::judgment::Judgment;
use quorate_terms::policy::AssetInfo;
use quorate_terms::quorum::Quorum;
use quorate_terms::{Amount, CaseId, Digest, IdempotencyKey, Intent, Timestamp};

use row::Measured;

type Done<T = ()> = Result<T, Box<dyn Error>>;

const RULES: usize = 1000;
const APPLY: usize = 50;
const WARM: u64 = 500;
const ROUNDS: u64 = 10_000;
/// Transfers of the agent that settled within the windows, and that still wait.
const SETTLED: u64 = 2000;
const WAITING: u64 = 20;
/// 2026-01-07, 12:00 UTC.
const NOON: u64 = 1_767_787_200_000;

const COIN: &str = "eip155:1/slip44:60";
const TOKEN: &str = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7";
const SHOP: &str = "eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b";

fn main() -> Done {
    let (p50, p99) = measure(RULES)?;
    let (alone_p50, alone_p99) = measure(APPLY)?;
    let rows = [
        Measured::new(
            "policy_decision",
            (p99, "ms p99"),
            Some(alone_p99),
            ("p99 < 0.3 ms", &|p99, _| p99 < 0.3),
            ROUNDS,
        ),
        Measured::new(
            "policy_decision_p50",
            (p50, "ms p50"),
            Some(alone_p50),
            ("p50 < 0.3 ms", &|p50, _| p50 < 0.3),
            ROUNDS,
        ),
    ];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

/// Median and 99th percentile of one judgment, in milliseconds.
fn measure(rules: usize) -> Done<(f64, f64)> {
    let document = sample::policy("house".parse()?, &"bot".parse()?, &assets()?, rules, APPLY)?;
    let policy = Policy::load(&document).map_err(|problems| format!("{problems:?}"))?;
    let (intent, facts, usage) = (intent()?, facts()?, usage()?);
    let members = ["ann", "bo", "cy"].iter().map(|a| a.parse()).collect::<Result<_, _>>()?;
    let governance = Quorum { name: "governance".parse()?, m: 2, members, parties: None };
    let mut taken = Vec::new();
    for round in 0..WARM.saturating_add(ROUNDS) {
        let at = Timestamp::from_millis(NOON.saturating_add(round));
        let ask =
            Ask { intent: &intent, at, facts: &facts, governance: &governance, exclude: None };
        let begun = Instant::now();
        let ruling = black_box(judge(&policy, black_box(&ask), &usage));
        let spent = begun.elapsed();
        if !matches!(ruling.judgment, Judgment::Allow { .. }) {
            return Err(format!("the sample is not allowed: {:?}", ruling.judgment).into());
        }
        if round >= WARM {
            taken.push(spent);
        }
    }
    taken.sort();
    let at = |part: usize| {
        let place = taken.len().saturating_mul(part).checked_div(100).unwrap_or_default();
        taken.get(place).map(|d| d.as_secs_f64() * 1000.0).ok_or("nothing was measured")
    };
    Ok((at(50)?, at(99)?))
}

fn assets() -> Done<[StarterAsset; 2]> {
    let asset = |id: &str, symbol: &str, decimals: u8| -> Done<StarterAsset> {
        let whole = |n: &str| Amount::from_decimal(n, decimals);
        let name = symbol.to_owned();
        Ok(StarterAsset {
            info: AssetInfo { asset: id.parse()?, symbol: name.clone(), name, decimals },
            alone: whole("1000")?,
            alone_to_strangers: whole("100")?,
            agent_daily: whole("1000000")?,
            vault_daily: whole("5000000")?,
        })
    };
    Ok([asset(COIN, "ETH", 18)?, asset(TOKEN, "USDT", 6)?])
}

fn requester() -> Done<Requester> {
    Ok(Requester::Agent { agent: "bot".parse()?, credential: "cred-1".parse()? })
}

fn intent() -> Done<Intent> {
    let action = Action::Transfer(Transfer {
        wallet: "hot".parse()?,
        asset: TOKEN.parse()?,
        to: SHOP.parse()?,
        amount: Amount::from_decimal("5", 6)?,
        fee_ceiling: Amount::from_decimal("0.001", 18)?,
        memo: None,
    });
    let key = IdempotencyKey::new("k1")?;
    Ok(Intent { v: 1, vault: "house".parse()?, requester: requester()?, key, action })
}

fn facts() -> Done<Facts> {
    Ok(Facts {
        band: Some(Band::Broadcast),
        credential_wallets: BTreeSet::from(["hot".parse()?]),
        credential_expires_at: Some(Timestamp::from_millis(NOON.saturating_mul(2))),
        wallet_exists: true,
        wallet_chains: BTreeSet::from(["eip155:1".parse()?]),
        wallet_account: Some("eip155:1:0x00000000000000000000000000000000000000aa".parse()?),
        recipient_known: true,
        ..Facts::default()
    })
}

fn usage() -> Done<Usage> {
    let claim = Claim {
        wallet: "hot".parse()?,
        agent: Some("bot".parse()?),
        requester: requester()?,
        counterparty: SHOP.parse()?,
        charges: vec![
            Charge { asset: TOKEN.parse()?, amount: Amount::from_decimal("1", 6)? },
            Charge { asset: COIN.parse()?, amount: Amount::from_decimal("0.001", 18)? },
        ],
    };
    let mut usage = Usage::default();
    for number in 0..SETTLED.saturating_add(WAITING) {
        let case = CaseId::of_intent(Digest::of("bench", &number.to_be_bytes()));
        let earlier = SETTLED.saturating_add(WAITING).saturating_sub(number).saturating_mul(1000);
        let at = Timestamp::from_millis(NOON.saturating_sub(earlier));
        usage.reserve(case, claim.clone(), at);
        if number < SETTLED {
            usage.settle(&case, at);
        }
    }
    Ok(usage)
}
