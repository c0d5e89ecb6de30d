//! Exact budgets: what a transfer would use, against what is held and spent.

use std::collections::BTreeSet;

use quorate_terms::entry::Charge;
use quorate_terms::intent::{Intent, Transfer};
use quorate_terms::judgment::Reason;
use quorate_terms::policy::{Budget, Dimension, Window};
use quorate_terms::{Amount, BudgetId};

use crate::ask::Ask;
use crate::calendar;
use crate::checks::comparable;
use crate::policy::Compiled;
use crate::reason::reason;
use crate::spent::Selector;
use crate::usage::{Claim, Usage};

/// What a transfer would hold: amount, and fee ceiling in the chain's own coin. None when the sum overflows.
pub(crate) fn claim(policy: &Compiled, intent: &Intent, transfer: &Transfer) -> Option<Claim> {
    let coin = policy.coins.get(&transfer.asset.chain())?;
    let fee = transfer.fee_ceiling;
    let mut charges = vec![Charge { asset: transfer.asset.clone(), amount: transfer.amount }];
    if coin.asset == transfer.asset {
        let amount = transfer.amount.checked_add(fee)?;
        charges = vec![Charge { asset: transfer.asset.clone(), amount }];
    } else if !fee.is_zero() {
        charges.push(Charge { asset: coin.asset.clone(), amount: fee });
    }
    Some(Claim {
        wallet: transfer.wallet.clone(),
        agent: intent.requester.agent().cloned(),
        requester: intent.requester.clone(),
        counterparty: transfer.to.clone(),
        charges,
    })
}

/// Whether a budget speaks of a claim at all, its asset aside.
fn speaks(budget: &Budget, claim: &Claim) -> bool {
    let to = comparable(&claim.counterparty);
    let agent = claim.agent.as_ref();
    (budget.wallets.is_empty() || budget.wallets.contains(&claim.wallet))
        && (budget.agents.is_empty() || agent.is_some_and(|agent| budget.agents.contains(agent)))
        && (budget.counterparties.is_empty()
            || budget.counterparties.iter().any(|account| comparable(account) == to))
}

/// The lines that count in the same account as this claim.
fn account(budget: &Budget, claim: &Claim) -> Selector {
    let per = |dimension| budget.per.contains(&dimension);
    let some = |set: BTreeSet<_>| (!set.is_empty()).then_some(set);
    let counterparties = match per(Dimension::Counterparty) {
        true => Some(BTreeSet::from([comparable(&claim.counterparty)])),
        false => Some(budget.counterparties.iter().map(comparable).collect::<BTreeSet<_>>())
            .filter(|set| !set.is_empty()),
    };
    let agents = match per(Dimension::Agent) {
        true => Some(BTreeSet::from([claim.agent.clone()])),
        false => some(budget.agents.iter().cloned().map(Some).collect()),
    };
    let wallets = match per(Dimension::Wallet) {
        true => Some(BTreeSet::from([claim.wallet.clone()])),
        false => Some(budget.wallets.clone()).filter(|set| !set.is_empty()),
    };
    Selector { wallets, agents, counterparties }
}

/// The budgets that a claim counts towards, and every reason why one of them, or their absence, refuses it.
pub(crate) fn check(
    policy: &Compiled,
    ask: &Ask<'_>,
    claim: &Claim,
    usage: &Usage,
) -> (Vec<BudgetId>, Vec<Reason>) {
    let (mut ids, mut reasons) = (Vec::new(), Vec::new());
    for (place, charge) in claim.charges.iter().enumerate() {
        let mut covered = false;
        for budget in policy.document.budgets.iter() {
            if budget.asset != charge.asset || !speaks(budget, claim) {
                continue;
            }
            covered |= budget.amount.is_some();
            if !ids.contains(&budget.id) {
                ids.push(budget.id.clone());
            }
            reasons.extend(exceeded(policy, ask, budget, claim, (charge, place == 0), usage));
        }
        if !covered && claim.agent.is_some() {
            let what = if place == 0 { "the asset" } else { "the fee's coin" };
            let message = format!(
                "no budget limits how much of {what} `{}` the agent may move",
                charge.asset
            );
            let next = "ask the operator for a budget with an amount";
            reasons.push(reason("check:budget", "no_budget", message, next));
        }
    }
    (ids, reasons)
}

fn exceeded(
    policy: &Compiled,
    ask: &Ask<'_>,
    budget: &Budget,
    claim: &Claim,
    (charge, main): (&Charge, bool),
    usage: &Usage,
) -> Vec<Reason> {
    let rule = format!("budget:{}", budget.id);
    let used = match calendar::start(&budget.window, ask.at, &policy.zone) {
        Err(calendar::BeyondCalendar) => {
            let message = "the time lies beyond the calendar";
            return vec![reason(rule, "beyond_calendar", message, "set the clock right")];
        }
        // A budget for each single intent looks at nothing else.
        Ok(None) => crate::spent::Total::default(),
        Ok(from) => usage.count(&charge.asset, from, &account(budget, claim), ask.exclude.as_ref()),
    };
    let mut reasons = Vec::new();
    if let Some(limit) = budget.amount {
        let within = used.amount.checked_add(charge.amount).is_some_and(|sum| sum <= limit);
        if !within {
            let left = limit.checked_sub(used.amount).unwrap_or(Amount::ZERO);
            let message = format!(
                "{} base units of `{}` asked, {left} of {limit} left {}",
                charge.amount,
                charge.asset,
                words(&budget.window)
            );
            let next = "ask for less, wait for the window, or propose another budget";
            reasons.push(reason(rule.clone(), "budget_exceeded", message, next));
        }
    }
    if let Some(limit) = budget.count.filter(|_| main)
        && used.count >= u64::from(limit)
    {
        let message = format!("{limit} intents are the most {}", words(&budget.window));
        let next = "wait for the window, or propose another budget";
        reasons.push(reason(rule, "budget_count_exceeded", message, next));
    }
    reasons
}

/// A window in words.
pub(crate) fn words(window: &Window) -> String {
    match window {
        Window::Each => "in one intent".to_owned(),
        Window::Rolling { seconds } => format!("in any {seconds} s"),
        Window::Day => "today".to_owned(),
        Window::Week => "this week".to_owned(),
        Window::Month => "this month".to_owned(),
    }
}
