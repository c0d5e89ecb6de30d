//! What a listing costs: from data, because prices change. Several systems in one audit share a fee.

use quorate_terms::Malformed;
use serde::{Deserialize, Serialize};

use super::designation::Designation;

/// The price list, in whole cents of one currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// ISO 4217.
    pub currency: String,
    /// Of a listing of self custody, in cents a year.
    pub self_custody: u64,
    /// Of a provider.
    pub provider: u64,
    /// Of a full system.
    pub full_system: u64,
    /// How many systems one fee carries; the dearest are paid.
    pub systems_for_one: usize,
    /// Percent off while the certificate has not lapsed.
    pub unlapsed_off: u64,
    /// Where the numbers come from and how far to trust them.
    pub source: String,
}

impl Fees {
    fn of(&self, designation: Designation) -> u64 {
        match designation {
            Designation::SelfCustody => self.self_custody,
            Designation::Provider => self.provider,
            Designation::FullSystem => self.full_system,
        }
    }

    /// The total in cents: up to three systems pay the dearest, four to six the two dearest, and so on.
    ///
    /// # Errors
    /// [`Malformed`] for a price list that says nothing sensible.
    pub fn total(&self, systems: &[Designation], unlapsed: bool) -> Result<u64, Malformed> {
        let bad = || Malformed::new("fees", "cannot be computed", "mend the workflow's price list");
        let mut prices: Vec<u64> = systems.iter().map(|d| self.of(*d)).collect();
        prices.sort_unstable_by(|a, b| b.cmp(a));
        let paid = match self.systems_for_one {
            0 => return Err(bad()),
            one => prices.len().div_ceil(one),
        };
        let sum = prices.iter().take(paid).try_fold(0_u64, |sum, price| sum.checked_add(*price));
        let sum = sum.ok_or_else(bad)?;
        let percent =
            if unlapsed { 100_u64.checked_sub(self.unlapsed_off).ok_or_else(bad)? } else { 100 };
        sum.checked_mul(percent).and_then(|cents| cents.checked_div(100)).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Designation::{FullSystem, Provider, SelfCustody};

    fn fees() -> Fees {
        Fees {
            currency: "USD".to_owned(),
            self_custody: 25_000,
            provider: 200_000,
            full_system: 350_000,
            systems_for_one: 3,
            unlapsed_off: 25,
            source: "a third party's copy".to_owned(),
        }
    }

    #[test]
    fn several_systems_pay_the_dearest_of_each_three() {
        let check = |systems: &[Designation], unlapsed, expected| {
            assert_eq!(fees().total(systems, unlapsed), Ok(expected), "{systems:?}");
        };
        check(&[], false, 0);
        check(&[SelfCustody], false, 25_000);
        check(&[SelfCustody], true, 18_750);
        check(&[SelfCustody, Provider, FullSystem], false, 350_000);
        check(&[SelfCustody, Provider, FullSystem, SelfCustody], false, 550_000);
        check(&[SelfCustody; 7], false, 75_000);
    }

    #[test]
    fn a_senseless_price_list_is_malformed() {
        assert!(Fees { systems_for_one: 0, ..fees() }.total(&[Provider], false).is_err());
        assert!(Fees { unlapsed_off: 101, ..fees() }.total(&[Provider], true).is_err());
        assert!(Fees { provider: u64::MAX, ..fees() }.total(&[Provider], false).is_err());
    }
}
