//! As what a system is certified: self custody, provider, or full system, and why. Systems are designated, not companies.

use serde::{Deserialize, Serialize};

/// The three designations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Designation {
    /// The system holds every key over the entity's own funds and has no control of customers' funds.
    SelfCustody,
    /// The system gives other systems part of custody (qualified service provider).
    Provider,
    /// The system meets every applicable requirement in full, possibly with a certified provider inside it.
    FullSystem,
}

impl Designation {
    /// The name for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SelfCustody => "self custody",
            Self::Provider => "qualified service provider",
            Self::FullSystem => "full system",
        }
    }
}

/// Who holds what for whom: all that the decision rule asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// For customers' funds, another party controls something that is needed to reach quorum or to meet a requirement,
    /// and this system supplies only a part.
    pub supplies_only_a_part: bool,
    /// It has control of customers' funds.
    pub customers_funds: bool,
    /// It holds every key over the funds in scope.
    pub holds_every_key: bool,
    /// Providers that it uses.
    pub providers: Vec<Supplier>,
}

/// A provider that a system uses, and how near it comes to the keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supplier {
    /// Its name.
    pub name: String,
    /// It takes part in key management.
    pub takes_part: bool,
    /// It could affect the security of key management, for example a cloud's access control before a key service.
    pub could_affect: bool,
}

/// A designation with its reasons, in the order in which the rule asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// What the system is.
    pub designation: Designation,
    /// Why.
    pub reasons: Vec<String>,
}

/// The decision rule: a part supplied to others makes a provider; own funds, all keys and nobody else near them make self
/// custody; all else is a full system. (CCSS designations; the order of the questions is our reading.)
pub fn decide(custody: &Custody) -> Ruling {
    if custody.supplies_only_a_part {
        let why = "another party controls something that customers' funds need, and this system supplies a part";
        return Ruling { designation: Designation::Provider, reasons: vec![why.to_owned()] };
    }
    let against = against_self_custody(custody);
    if against.is_empty() {
        let why = "own funds only, every key held, and no provider takes part in key management";
        return Ruling { designation: Designation::SelfCustody, reasons: vec![why.to_owned()] };
    }
    Ruling { designation: Designation::FullSystem, reasons: against }
}

fn against_self_custody(custody: &Custody) -> Vec<String> {
    let mut reasons = Vec::new();
    if custody.customers_funds {
        reasons.push("it has control of customers' funds, which rules out self custody".to_owned());
    }
    if !custody.holds_every_key {
        reasons.push("it does not hold every key, which rules out self custody".to_owned());
    }
    for helper in &custody.providers {
        let what = match (helper.takes_part, helper.could_affect) {
            (true, _) => "takes part in key management",
            (false, true) => "could affect the security of key management",
            (false, false) => continue,
        };
        reasons.push(format!("provider {} {what}, which rules out self custody", helper.name));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custody(part: bool, customers: bool, every: bool, near: Option<(bool, bool)>) -> Custody {
        let helper = |(takes_part, could_affect)| Supplier {
            name: "Hoist".to_owned(),
            takes_part,
            could_affect,
        };
        Custody {
            supplies_only_a_part: part,
            customers_funds: customers,
            holds_every_key: every,
            providers: near.into_iter().map(helper).collect(),
        }
    }

    #[test]
    fn each_answer_gives_the_designation_that_the_rule_gives() {
        use Designation::{FullSystem, Provider, SelfCustody};
        let table = [
            (custody(false, false, true, None), SelfCustody),
            (custody(false, false, true, Some((false, false))), SelfCustody),
            (custody(false, false, true, Some((true, false))), FullSystem),
            (custody(false, false, true, Some((false, true))), FullSystem),
            (custody(false, false, false, None), FullSystem),
            (custody(false, true, true, None), FullSystem),
            (custody(true, true, false, None), Provider),
            (custody(true, false, true, Some((true, true))), Provider),
        ];
        for (custody, expected) in table {
            let ruling = decide(&custody);
            assert_eq!(ruling.designation, expected, "{custody:?}");
            assert!(!ruling.reasons.is_empty(), "a ruling without reasons");
        }
    }

    #[test]
    fn a_provider_that_takes_part_is_named_as_what_rules_out_self_custody() {
        let ruling = decide(&custody(false, false, true, Some((true, true))));
        assert!(ruling.reasons.iter().any(|r| r.contains("Hoist")), "{:?}", ruling.reasons);
    }
}
