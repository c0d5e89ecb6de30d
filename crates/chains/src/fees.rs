//! How much a draft offers for its gas: enough for the next blocks, never more than was agreed.

use quorate_terms::Amount;
use ruint::aliases::U256;

use crate::refusal::{Code, Refusal};
use crate::snapshot::{FeeMode, Snapshot};

/// What one gas may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fees {
    pub(crate) max: U256,
    pub(crate) priority: U256,
}

/// Chooses fees for `gas_limit` under `ceiling`, each at least `floor`'s.
///
/// EIP-1559: twice the base fee and the priority fee, which outlasts six full blocks. Legacy: base fee, an eighth of it (one
/// block's largest rise) and the priority fee. Under a tight ceiling less, but never less than the present block takes.
pub(crate) fn choose(
    s: &Snapshot,
    mode: FeeMode,
    gas_limit: u64,
    ceiling: Amount,
    floor: Option<Fees>,
) -> Result<Fees, Refusal> {
    let floor = floor.unwrap_or(Fees { max: U256::ZERO, priority: U256::ZERO });
    let base = s.base_fee.units();
    let priority = s.priority_fee.units().max(floor.priority);
    let headroom = match mode {
        FeeMode::Eip1559 => base,
        FeeMode::Legacy => base.wrapping_shr(3),
    };
    let least = base.checked_add(priority).ok_or_else(absurd)?.max(floor.max);
    let wanted = least.checked_add(headroom).ok_or_else(absurd)?;
    // No gas is refused when the draft is read back.
    let cap = ceiling.units().checked_div(U256::from(gas_limit)).unwrap_or(U256::MAX);
    if cap < least {
        return Err(above(gas_limit, least, ceiling));
    }
    let max = wanted.min(cap);
    Ok(match mode {
        FeeMode::Eip1559 => Fees { max, priority },
        FeeMode::Legacy => Fees { max, priority: max },
    })
}

/// The least fees with which nodes accept a replacement: an eighth more, rounded up (they ask for a tenth).
pub(crate) fn raised(fees: Fees) -> Option<Fees> {
    let up = |fee: U256| {
        fee.checked_add(U256::from(7))
            .map(|more: U256| more.wrapping_shr(3).max(U256::from(1)))
            .and_then(|step| fee.checked_add(step))
    };
    Some(Fees { max: up(fees.max)?, priority: up(fees.priority)? })
}

fn above(gas_limit: u64, least: U256, ceiling: Amount) -> Refusal {
    let Some(needed) = U256::from(gas_limit).checked_mul(least) else { return absurd() };
    Refusal::new(
        Code::FeeAboveCeiling,
        format!("the fee would reach at least {needed}, above the ceiling of {ceiling}"),
        format!("wait for lower fees, or file an intent with a ceiling of {needed} or more"),
    )
}

fn absurd() -> Refusal {
    Refusal::new(
        Code::FeeAboveCeiling,
        "the snapshot names a fee above any that can be paid",
        "ask another node",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::snapshot;

    fn fees(max: u64, priority: u64) -> Fees {
        Fees { max: U256::from(max), priority: U256::from(priority) }
    }

    fn check(mode: FeeMode, ceiling: u128, floor: Option<Fees>, expected: Option<Fees>) {
        // Base fee 100, priority fee 10, gas 21,000.
        let mut s = snapshot();
        s.base_fee = Amount::from_u128(100);
        s.priority_fee = Amount::from_u128(10);
        let chosen = choose(&s, mode, 21_000, Amount::from_u128(ceiling), floor);
        assert_eq!(chosen.clone().ok(), expected, "{mode:?} {ceiling} {floor:?}");
        if let Err(refusal) = chosen {
            assert_eq!(refusal.code, Code::FeeAboveCeiling);
        }
    }

    #[test]
    fn fees_leave_headroom_and_never_pass_the_ceiling() {
        use FeeMode::{Eip1559, Legacy};
        check(Eip1559, 10_000_000, None, Some(fees(210, 10)));
        check(Legacy, 10_000_000, None, Some(fees(122, 122)));
        check(Eip1559, 21_000 * 150, None, Some(fees(150, 10)));
        check(Eip1559, 21_000 * 110, None, Some(fees(110, 10)));
        check(Eip1559, 21_000 * 110 - 1, None, None);
        check(Eip1559, 0, None, None);
        check(Eip1559, 21_000 * 225, Some(fees(225, 11)), Some(fees(225, 11)));
        check(Eip1559, 21_000 * 225 - 1, Some(fees(225, 11)), None);
    }

    #[test]
    fn a_node_that_names_absurd_fees_is_refused() {
        let mut s = snapshot();
        s.base_fee = Amount::MAX;
        let refusal = choose(&s, FeeMode::Eip1559, 21_000, Amount::MAX, None).unwrap_err();
        assert_eq!(refusal.code, Code::FeeAboveCeiling);
        s.base_fee = Amount::new(U256::MAX.wrapping_shr(1));
        assert!(choose(&s, FeeMode::Eip1559, 21_000, Amount::from_u128(1), None).is_err());
    }

    #[test]
    fn a_raise_is_an_eighth_rounded_up_and_at_least_one() {
        for (before, after) in [(0, 1), (1, 2), (8, 9), (9, 11), (800, 900), (801, 902)] {
            assert_eq!(raised(fees(before, before)), Some(fees(after, after)), "{before}");
        }
        assert_eq!(raised(Fees { max: U256::MAX, priority: U256::ZERO }), None);
    }
}
