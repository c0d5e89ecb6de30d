//! A transfer as Cedar sees it.

use cedar_policy::{Context, EntityId, EntityUid, Request, RestrictedExpression as Value};

use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Requester, Transfer};
use quorate_terms::judgment::Reason;
use quorate_terms::{Amount, QuorumName};

use crate::ask::Ask;
use crate::calendar;
use crate::policy::Compiled;
use crate::reason::reason;
use crate::schema::SCALE;
use crate::slice::Key;

/// Millionths of the whole unit, rounded up; none when they do not fit 63 bits, which is a denial.
pub(crate) fn scaled(amount: Amount, decimals: u8) -> Option<i64> {
    let ten = |places: u8| Amount::from_decimal("1", places).ok();
    let millionths = match decimals.checked_sub(SCALE) {
        Some(places) => ceil(amount, ten(places)?)?,
        None => amount.checked_mul(ten(SCALE.checked_sub(decimals)?)?)?,
    };
    long(millionths)
}

/// A quotient, rounded up.
fn ceil(amount: Amount, by: Amount) -> Option<Amount> {
    let units = amount.units();
    let quotient = Amount::new(units.checked_div(by.units())?);
    let rest = units.checked_rem(by.units())?;
    if rest.is_zero() { Some(quotient) } else { quotient.checked_add(Amount::from_u128(1)) }
}

fn long(amount: Amount) -> Option<i64> {
    i64::try_from(amount.units()).ok()
}

/// The amount's share of the balance in hundredths of a percent, rounded up. An empty balance has no share.
fn share_bp(amount: Amount, balance: Amount) -> Option<i64> {
    if balance.is_zero() {
        return None;
    }
    long(ceil(amount.checked_mul(Amount::from_u128(10_000))?, balance)?)
}

fn screening(check: &CounterpartyCheck) -> &'static str {
    match check {
        CounterpartyCheck::Performed { flagged: false, .. } => "clear",
        CounterpartyCheck::Performed { flagged: true, .. } => "flagged",
        CounterpartyCheck::Failed { .. } => "failed",
        CounterpartyCheck::NotPerformed => "not_performed",
    }
}

/// The slice and the request of a transfer, as if `approved` had agreed.
///
/// # Errors
/// The denial, when a number does not fit or time lies beyond the calendar.
pub(crate) fn request<'a>(
    policy: &Compiled,
    ask: &Ask<'_>,
    transfer: &Transfer,
    approved: impl Iterator<Item = &'a QuorumName>,
) -> Result<(Key, Request), Reason> {
    let too_large = || {
        let message = "the amount, the fee ceiling or the value is beyond what rules can weigh";
        reason("check:amount", "amount_too_large", message, "ask for less at a time")
    };
    let chain = transfer.asset.chain();
    let (Some(info), Some(coin)) = (policy.assets.get(&transfer.asset), policy.coins.get(&chain))
    else {
        let message = format!("the policy does not know asset `{}`", transfer.asset);
        return Err(reason("check:asset", "unknown_asset", message, "use an asset of the policy"));
    };
    let Some((hour, weekday)) = calendar::hour_and_weekday(ask.at, &policy.zone) else {
        let message = "the time lies beyond the calendar";
        return Err(reason("check:time", "beyond_calendar", message, "set the clock right"));
    };
    let amount = scaled(transfer.amount, info.decimals).ok_or_else(too_large)?;
    let fee = scaled(transfer.fee_ceiling, coin.decimals).ok_or_else(too_large)?;
    let value = ask.facts.value_cents.map(|value| long(value).ok_or_else(too_large)).transpose()?;
    let text = |text: &str| Value::new_string(text.to_owned());
    let usable = ask.facts.recipient_usable_from;
    let failed =
        |e: String| reason("policy", "rule_failed", crate::problem::one_line(&e), "report this");
    let recipient = Value::new_record([
        ("account".to_owned(), text(crate::checks::comparable(&transfer.to).as_str())),
        ("chain".to_owned(), text(transfer.to.chain().as_str())),
        ("listed".to_owned(), Value::new_bool(usable.is_some())),
        ("usable".to_owned(), Value::new_bool(usable.is_some_and(|from| from <= ask.at))),
        ("known".to_owned(), Value::new_bool(ask.facts.recipient_known)),
    ])
    .map_err(|e| failed(e.to_string()))?;
    let mut pairs = vec![
        ("amount", Value::new_long(amount)),
        ("fee", Value::new_long(fee)),
        ("asset", text(transfer.asset.as_str())),
        ("symbol", text(&info.symbol)),
        ("native", Value::new_bool(transfer.asset.is_native())),
        ("chain", text(chain.as_str())),
        ("recipient", recipient),
        ("hour", Value::new_long(hour)),
        ("weekday", Value::new_long(weekday)),
        ("band", text(ask.facts.band.map_or("none", |band| band.as_str()))),
        ("screening", text(screening(&ask.facts.screening))),
        ("approved_by", Value::new_set(approved.map(|name| text(name.as_str())))),
    ];
    pairs.extend(value.map(|value| ("value_cents", Value::new_long(value))));
    let share = ask.facts.balance.and_then(|balance| share_bp(transfer.amount, balance));
    pairs.extend(share.map(|share| ("balance_share_bp", Value::new_long(share))));
    let context = Context::from_pairs(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)))
        .map_err(|e| failed(e.to_string()))?;
    let (kind, name, id) = match &ask.intent.requester {
        Requester::Agent { agent, .. } => ("Agent", &policy.names.agent, agent.as_str()),
        Requester::Person { person } => ("Person", &policy.names.person, person.as_str()),
    };
    let principal = EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id));
    let wallet = EntityId::new(transfer.wallet.as_str());
    let resource = EntityUid::from_type_name_and_id(policy.names.wallet.clone(), wallet);
    let request = Request::new(principal, policy.names.transfer.clone(), resource, context, None)
        .map_err(|e| failed(e.to_string()))?;
    Ok(((kind, id.to_owned(), transfer.wallet.to_string()), request))
}
