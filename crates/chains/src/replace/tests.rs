use proptest::prelude::*;
use quorate_terms::intent::Transfer;
use ruint::aliases::U256;

use super::*;
use crate::testing::{any_transfer, erc20, native, recipient, snapshot, wallet};
use crate::{FeeMode, carries_out, draft};

fn eighth_more(before: Amount, after: Amount) -> bool {
    let times = |fee: Amount, by: u64| fee.units().checked_mul(U256::from(by)).unwrap();
    times(after, 8) >= times(before, 9)
}

#[test]
fn a_speed_up_does_the_same_for_more() {
    for (t, s) in [(native(), snapshot()), erc20()] {
        for fee_mode in [FeeMode::Eip1559, FeeMode::Legacy] {
            let s = Snapshot { fee_mode, ..s.clone() };
            let first = draft(&t, &wallet(), &s).unwrap();
            let next = replace(&first, Replacement::SpeedUp, &s, t.fee_ceiling).unwrap();
            let (before, after) = (first.meaning(), next.meaning());
            assert_eq!(carries_out(after, &t), Ok(()));
            assert!(conflicts((&wallet(), before), (&wallet(), after)));
            assert!(eighth_more(before.max_fee_per_gas, after.max_fee_per_gas));
            assert!(eighth_more(before.priority_fee, after.priority_fee));
            assert_ne!(first.digest(), next.digest());
        }
    }
}

#[test]
fn a_cancel_pays_nothing_to_oneself_with_the_same_nonce() {
    for (t, s) in [(native(), snapshot()), erc20()] {
        let first = draft(&t, &wallet(), &s).unwrap();
        let later = Snapshot { nonce: 99, ..s };
        let cancel = replace(&first, Replacement::Cancel, &later, t.fee_ceiling).unwrap();
        let m = cancel.meaning();
        assert_eq!((m.effect, m.nonce, m.gas_limit), (Effect::SelfSend, 7, 21_000));
        assert_eq!((m.amount, &m.to), (Amount::ZERO, &wallet()));
        assert_eq!(cancels(m, &wallet(), t.fee_ceiling), Ok(()));
        assert!(carries_out(m, &t).is_err(), "a cancel is not the transfer");
        let again = replace(&cancel, Replacement::Cancel, &later, t.fee_ceiling).unwrap();
        assert!(eighth_more(m.max_fee_per_gas, again.meaning().max_fee_per_gas));
    }
}

fn check(how: Replacement, s: &Snapshot, ceiling: Amount, code: Code) {
    let first = draft(&native(), &wallet(), &snapshot()).unwrap();
    assert_eq!(replace(&first, how, s, ceiling).unwrap_err().code, code);
}

#[test]
fn a_replacement_stays_under_its_ceiling_and_in_its_place() {
    let ceiling = native().fee_ceiling;
    let other = Snapshot { chain: "eip155:1".parse().unwrap(), ..snapshot() };
    for how in [Replacement::SpeedUp, Replacement::Cancel] {
        check(how, &snapshot(), Amount::ZERO, Code::FeeAboveCeiling);
        check(
            how,
            &Snapshot { base_fee: Amount::MAX, ..snapshot() },
            ceiling,
            Code::FeeAboveCeiling,
        );
        check(how, &other, ceiling, Code::WrongSnapshot);
        check(how, &Snapshot { account: recipient(), ..snapshot() }, ceiling, Code::SelfSend);
    }
    let m = draft(&native(), &wallet(), &snapshot()).unwrap().meaning().clone();
    check(Replacement::SpeedUp, &snapshot(), m.fee_max, Code::FeeAboveCeiling);
}

proptest! {
    #[test]
    fn replacements_conflict_and_never_pass_the_ceiling((t, s) in any_transfer(), ceiling: u128) {
        let first = draft(&t, &s.account, &s).unwrap();
        let ceiling = Amount::from_u128(ceiling);
        for how in [Replacement::SpeedUp, Replacement::Cancel] {
            if let Ok(next) = replace(&first, how, &s, ceiling) {
                let m = next.meaning();
                prop_assert!(m.fee_max <= ceiling);
                prop_assert!(conflicts((&s.account, first.meaning()), (&s.account, m)));
                let wanted = Transfer { fee_ceiling: ceiling, ..t.clone() };
                prop_assert_eq!(carries_out(m, &wanted).is_ok(), how == Replacement::SpeedUp);
            }
        }
    }
}
