//! Amounts: whole numbers of an asset's smallest unit. There is no float anywhere near money.

use std::fmt;
use std::str::FromStr;

use ruint::aliases::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Malformed;

/// A number of base units (wei, satoshi, the token's smallest unit), 0 to 2^256 - 1; in JSON a decimal string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(U256);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);
    /// The largest amount, 2^256 - 1.
    pub const MAX: Self = Self(U256::MAX);

    /// Wraps a 256-bit number.
    pub const fn new(units: U256) -> Self {
        Self(units)
    }

    /// A small amount.
    pub fn from_u128(units: u128) -> Self {
        Self(U256::from(units))
    }

    /// The 256-bit number.
    pub const fn units(&self) -> U256 {
        self.0
    }

    /// Whether this is nothing.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// The sum, or none on overflow. An overflowing sum of money is always a refusal.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or none when it would be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product, or none on overflow.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        self.0.checked_mul(other.0).map(Self)
    }

    /// Reads a human decimal such as `1.5` as base units of an asset with `decimals` places.
    ///
    /// # Errors
    /// [`Malformed`] for signs, exponents, more places than the asset has, or overflow.
    pub fn from_decimal(text: &str, decimals: u8) -> Result<Self, Malformed> {
        let bad = |why: &str| {
            Malformed::new("amount", why, "give a plain decimal such as `1.5`, no sign or exponent")
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err(bad("is not a decimal number"));
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(bad("has leading zeros"));
        }
        if fraction.len() > usize::from(decimals) {
            return Err(bad(&format!("has more than {decimals} decimal places")));
        }
        let padded = format!("{whole}{fraction:0<width$}", width = usize::from(decimals));
        let trimmed = padded.trim_start_matches('0');
        if trimmed.is_empty() { "0" } else { trimmed }.parse()
    }

    /// The amount as a human decimal of an asset with `decimals` places, without trailing zeros.
    pub fn to_decimal(self, decimals: u8) -> String {
        let width = usize::from(decimals).saturating_add(1);
        let digits = format!("{:0>width$}", self.0.to_string());
        let cut = digits.len().saturating_sub(usize::from(decimals));
        let (whole, fraction) = digits.split_at(cut);
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            rest => format!("{whole}.{rest}"),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Amount {
    type Err = Malformed;

    /// Decimal digits only, no leading zeros, at most 78 digits and below 2^256.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| {
            Malformed::new("amount", why, "give base units as a decimal string such as `1500000`")
        };
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad("is not a whole number of base units"));
        }
        if text.len() > 1 && text.starts_with('0') {
            return Err(bad("has leading zeros"));
        }
        if text.len() > 78 {
            return Err(bad("has more than 78 digits"));
        }
        U256::from_str_radix(text, 10).map(Self).map_err(|_| bad("is 2^256 or more"))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_units_are_plain_decimal_strings() {
        for good in [
            "0",
            "1",
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        ] {
            assert_eq!(good.parse::<Amount>().unwrap().to_string(), good);
        }
        let ten_78 = format!("1{}", "0".repeat(78));
        for bad in [
            "",
            "-1",
            "+1",
            "1.0",
            "1e18",
            "01",
            " 1",
            "0x1",
            "١",
            ten_78.as_str(),
            "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        ] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Amount>("1").is_err(), "a JSON number is not an amount");
    }

    #[test]
    fn human_decimals_are_exact_or_refused() {
        let check = |text: &str, decimals, units: &str| {
            let amount = Amount::from_decimal(text, decimals).unwrap();
            assert_eq!(amount.to_string(), units);
        };
        check("1.5", 18, "1500000000000000000");
        check("0.000001", 6, "1");
        check("0", 6, "0");
        check("12", 0, "12");
        for (bad, decimals) in [
            ("1.0000001", 6),
            ("1.", 6),
            (".5", 6),
            ("1e3", 6),
            ("-1", 6),
            ("01", 6),
            ("1,5", 6),
            ("", 6),
            ("NaN", 6),
        ] {
            assert!(Amount::from_decimal(bad, decimals).is_err(), "{bad}");
        }
    }

    #[test]
    fn decimals_round_trip_for_people() {
        for (units, decimals, text) in
            [("1500000", 6, "1.5"), ("1", 18, "0.000000000000000001"), ("0", 6, "0"), ("7", 0, "7")]
        {
            let amount: Amount = units.parse().unwrap();
            assert_eq!(amount.to_decimal(decimals), text);
            assert_eq!(Amount::from_decimal(text, decimals).unwrap(), amount);
        }
    }
}
