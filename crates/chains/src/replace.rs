//! Drafts that conflict with an earlier one: the same nonce, so that at most one of them is ever on chain.

use quorate_terms::Amount;

use crate::compose::{CANCEL_GAS, nothing, with_fees};
use crate::fees::{self, Fees};
use crate::meaning::{Effect, Meaning, cancels, conflicts, leaves};
use crate::read::Draft;
use crate::refusal::{Code, Refusal};
use crate::snapshot::Snapshot;

/// What the replacement is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replacement {
    /// The same act with higher fees.
    SpeedUp,
    /// A payment of nothing to oneself, so that the act can never happen.
    Cancel,
}

/// Drafts a replacement of `prev` with its nonce, each fee at least an eighth higher and within `fee_ceiling`.
///
/// Account, chain and fees come from the snapshot; its nonce, gas limit and fee mode are not used.
///
/// # Errors
/// [`Refusal`] when the snapshot is of another chain or of an account that `prev` cannot leave, or when the raised fee
/// passes the ceiling.
pub fn replace(
    prev: &Draft,
    how: Replacement,
    s: &Snapshot,
    fee_ceiling: Amount,
) -> Result<Draft, Refusal> {
    let before = prev.meaning();
    same_place(before, s)?;
    let gas_limit = match how {
        Replacement::SpeedUp => before.gas_limit,
        Replacement::Cancel => CANCEL_GAS,
    };
    let floor = fees::raised(offered(before)).ok_or_else(no_room)?;
    let chosen = fees::choose(s, before.fee_mode, gas_limit, fee_ceiling, Some(floor))?;
    let draft = match how {
        Replacement::SpeedUp => with_fees(before, chosen)?,
        Replacement::Cancel => nothing(before, &s.account, chosen)?,
    };
    replaces(prev, &draft, how, s, fee_ceiling)?;
    Ok(draft)
}

fn same_place(before: &Meaning, s: &Snapshot) -> Result<(), Refusal> {
    if s.chain != before.chain || s.account.chain() != before.chain {
        return Err(Refusal::new(
            Code::WrongSnapshot,
            format!("the snapshot is of `{}` and the draft is for `{}`", s.account, before.chain),
            "take a snapshot of the paying account on the draft's chain",
        ));
    }
    leaves(before, &s.account)
}

/// What was drafted, read back, is the replacement that was asked for.
fn replaces(
    prev: &Draft,
    next: &Draft,
    how: Replacement,
    s: &Snapshot,
    ceiling: Amount,
) -> Result<(), Refusal> {
    let (before, after) = (prev.meaning(), next.meaning());
    let kept = match how {
        Replacement::Cancel => {
            cancels(after, &s.account, ceiling)?;
            after.effect == Effect::SelfSend
        }
        Replacement::SpeedUp => act(before) == act(after) && after.fee_max <= ceiling,
    };
    if kept && conflicts((&s.account, before), (&s.account, after)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::PathsDisagree,
        "the replacement reads back as another act",
        "report both drafts",
    ))
}

/// What a speed-up may not change.
fn act(m: &Meaning) -> impl PartialEq + use<'_> {
    (&m.chain, m.nonce, &m.asset, &m.to, m.amount, m.gas_limit, m.effect)
}

const fn offered(m: &Meaning) -> Fees {
    Fees { max: m.max_fee_per_gas.units(), priority: m.priority_fee.units() }
}

fn no_room() -> Refusal {
    Refusal::new(
        Code::NotReplaceable,
        "the fees are so high that they cannot be raised",
        "wait for the transaction to settle",
    )
}

#[cfg(test)]
mod tests;
