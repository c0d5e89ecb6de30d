//! A small vault to ask questions of, and the tests by theme.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "tests add small numbers, and overflow checks are on"
)]

mod administration;
mod budgets;
mod lint;
mod oracle;
mod people;
mod reach;
mod rules;
mod used;
mod words;

use std::collections::BTreeSet;

use quorate_terms::credential::Band;
use quorate_terms::intent::{Action, Requester, Transfer};
use quorate_terms::judgment::Judgment;
use quorate_terms::policy::{AssetInfo, CedarRule, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{Amount, CaseId, Digest, IdempotencyKey, Intent, Timestamp};

use crate::{Ask, Facts, Policy, Ruling, StarterAsset, Usage, judge, starter};

pub(crate) const ETH: &str = "eip155:1/slip44:60";
pub(crate) const USD: &str = "eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7";
pub(crate) const SHOP: &str = "eip155:1:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B";
/// 2026-01-07, a Wednesday, 12:00 UTC.
pub(crate) const NOON: u64 = 1_767_787_200_000;

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn case(number: u64) -> CaseId {
    CaseId::of_intent(Digest::of("test", &number.to_be_bytes()))
}

pub(crate) fn asset(id: &str, symbol: &str, decimals: u8) -> AssetInfo {
    AssetInfo { asset: id.parse().unwrap(), symbol: symbol.into(), name: symbol.into(), decimals }
}

/// 100 USD alone, 10 to strangers, 1000 a day by one agent; 0.1 ETH, 0.01, 1.
pub(crate) fn document() -> PolicyDocument {
    let approvers = ["ann", "bo", "cy"].iter().map(|a| a.parse().unwrap()).collect();
    let starter_asset =
        |info, alone: &str, strangers: &str, agent: &str, vault: &str| StarterAsset {
            info,
            alone: amount(alone),
            alone_to_strangers: amount(strangers),
            agent_daily: amount(agent),
            vault_daily: amount(vault),
        };
    let assets = [
        starter_asset(
            asset(ETH, "ETH", 18),
            "100000000000000000",
            "10000000000000000",
            "1000000000000000000",
            "10000000000000000000",
        ),
        starter_asset(asset(USD, "USDT", 6), "100000000", "10000000", "1000000000", "5000000000"),
    ];
    starter("house".parse().unwrap(), &approvers, &assets).unwrap()
}

pub(crate) fn rule(id: &str, text: &str) -> CedarRule {
    CedarRule { id: id.parse().unwrap(), text: text.into() }
}

/// The starter's typed data with these rules instead of its own.
pub(crate) fn with_rules(rules: &[&str]) -> PolicyDocument {
    let rules = rules.iter().enumerate().map(|(n, text)| rule(&format!("r{n}"), text)).collect();
    PolicyDocument { rules, ..document() }
}

pub(crate) fn load(document: &PolicyDocument) -> Policy {
    Policy::load(document).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(crate) fn agent() -> Requester {
    Requester::Agent { agent: "bot".parse().unwrap(), credential: "cred-1".parse().unwrap() }
}

pub(crate) fn person() -> Requester {
    Requester::Person { person: "ann".parse().unwrap() }
}

pub(crate) fn intent(requester: Requester, action: Action) -> Intent {
    let key = IdempotencyKey::new("k1").unwrap();
    Intent { v: 1, vault: "house".parse().unwrap(), requester, key, action }
}

pub(crate) fn transfer(asset: &str, units: &str) -> Transfer {
    Transfer {
        wallet: "hot".parse().unwrap(),
        asset: asset.parse().unwrap(),
        to: SHOP.parse().unwrap(),
        amount: amount(units),
        fee_ceiling: amount("1000000000000000"),
        memo: None,
    }
}

pub(crate) fn facts() -> Facts {
    Facts {
        band: Some(Band::Broadcast),
        credential_wallets: BTreeSet::from(["hot".parse().unwrap()]),
        credential_expires_at: Some(at(NOON + 86_400_000)),
        wallet_exists: true,
        wallet_chains: BTreeSet::from(["eip155:1".parse().unwrap()]),
        wallet_account: Some(
            "eip155:1:0x00000000000000000000000000000000000000aa".parse().unwrap(),
        ),
        recipient_known: true,
        ..Facts::default()
    }
}

pub(crate) fn governance() -> Quorum {
    let members = ["ann", "bo", "cy"].iter().map(|a| a.parse().unwrap()).collect();
    Quorum { name: "governance".parse().unwrap(), m: 2, members, parties: None }
}

/// One question with everything in it, changed where a test differs.
pub(crate) struct House {
    pub(crate) policy: Policy,
    pub(crate) intent: Intent,
    pub(crate) facts: Facts,
    pub(crate) usage: Usage,
    pub(crate) at: Timestamp,
    pub(crate) exclude: Option<CaseId>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::of(&document())
    }

    pub(crate) fn of(document: &PolicyDocument) -> Self {
        Self {
            policy: load(document),
            intent: intent(agent(), Action::Transfer(transfer(USD, "5000000"))),
            facts: facts(),
            usage: Usage::default(),
            at: at(NOON),
            exclude: None,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Transfer)) -> Self {
        if let Action::Transfer(transfer) = &mut self.intent.action {
            change(transfer);
        }
        self
    }

    pub(crate) fn asks(mut self, asset: &str, units: &str) -> Self {
        self.intent.action = Action::Transfer(transfer(asset, units));
        self
    }

    pub(crate) fn knowing(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    pub(crate) fn judge(&self) -> Ruling {
        let governance = governance();
        let ask = Ask {
            intent: &self.intent,
            at: self.at,
            facts: &self.facts,
            governance: &governance,
            exclude: self.exclude,
        };
        judge(&self.policy, &ask, &self.usage)
    }

    /// Codes of the answer, `allow` or `require` first.
    pub(crate) fn says(&self) -> Vec<String> {
        let ruling = self.judge();
        let mut said: Vec<String> = match &ruling.judgment {
            Judgment::Allow { .. } => vec!["allow".into()],
            Judgment::Require { quorums, .. } => std::iter::once("require".into())
                .chain(quorums.iter().map(ToString::to_string))
                .collect(),
            Judgment::Deny { reasons } => {
                assert!(!reasons.is_empty() && reasons.is_sorted(), "{reasons:?}");
                reasons.iter().map(|reason| reason.code.clone()).collect()
            }
        };
        for reason in ruling.judgment.reasons() {
            assert!(crate::reason::CODES.contains(&reason.code.as_str()), "{reason:?}");
            assert!(!reason.message.is_empty() && !reason.next.is_empty(), "{reason:?}");
            assert!(!reason.message.contains('\n'), "{reason:?}");
        }
        assert_eq!(ruling.claim.is_some(), !ruling.judgment.is_deny() && self.is_transfer());
        said.dedup();
        said
    }

    fn is_transfer(&self) -> bool {
        matches!(self.intent.action, Action::Transfer(_))
    }

    /// Judges, and reserves what the answer holds. Returns whether it was allowed outright.
    pub(crate) fn spend(&mut self, number: u64) -> bool {
        let ruling = self.judge();
        let allowed = matches!(ruling.judgment, Judgment::Allow { .. });
        if let Some(claim) = ruling.claim.filter(|_| allowed) {
            assert!(self.usage.reserve(case(number), claim, self.at));
        }
        allowed
    }
}
