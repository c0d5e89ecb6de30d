//! A policy to begin with: small transfers by agents within a daily budget; people for everything else.
//!
//! It needs no price source: every threshold is in the asset's own units.

use std::collections::BTreeSet;

use quorate_terms::policy::{
    AddressRules, Administration, AssetInfo, Budget, CedarRule, Dimension, Limits, PolicyDocument,
    Window,
};
use quorate_terms::quorum::Quorum;
use quorate_terms::{Amount, ApproverId, Malformed, QuorumName, VaultId};

use crate::schema::SCALE;

/// One asset of the starter policy. Amounts are base units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StarterAsset {
    /// The asset. Each chain's own coin must be among the assets, because fees are paid in it.
    pub info: AssetInfo,
    /// Above this, `treasury` must agree.
    pub alone: Amount,
    /// Above this, `treasury` must agree if the recipient was never paid and is not listed.
    pub alone_to_strangers: Amount,
    /// The most that one agent may move in a day of the policy's zone, fees included; approvals do not lift it.
    pub agent_daily: Amount,
    /// The most that the whole vault may move in any 24 hours, people included.
    pub vault_daily: Amount,
}

/// The name of the starter's quorum.
pub const TREASURY: &str = "treasury";

/// A founding policy: two of the approvers (one, if there is only one) agree to what is large, new or asked by people.
///
/// # Errors
/// [`Malformed`] when there is no approver, or a threshold does not fit the numbers that rules can weigh.
pub fn starter(
    vault: VaultId,
    approvers: &BTreeSet<ApproverId>,
    assets: &[StarterAsset],
) -> Result<PolicyDocument, Malformed> {
    let treasury: QuorumName = TREASURY.parse()?;
    let m = if approvers.len() > 1 { 2 } else { 1 };
    let quorum = Quorum { name: treasury.clone(), m, members: approvers.clone(), parties: None };
    quorum.check()?;
    let mut rules = general_rules()?;
    let mut budgets = Vec::new();
    for (number, asset) in assets.iter().enumerate() {
        let name = format!("{}-{number}", asset.info.symbol.to_ascii_lowercase());
        let of_asset = format!("context.asset == \"{}\"", asset.info.asset);
        let large = format!(
            "when {{ {of_asset} && context.amount > {} }}",
            threshold(asset.alone, &asset.info)?
        );
        rules.push(rule(
            &format!("large-{name}"),
            &require("principal", &large, "large transfers take the treasury"),
        )?);
        let stranger = format!(
            "when {{ {of_asset} && context.amount > {} && !context.recipient.known && !context.recipient.usable }}",
            threshold(asset.alone_to_strangers, &asset.info)?
        );
        let text =
            require("principal", &stranger, "the first payment to a stranger takes the treasury");
        rules.push(rule(&format!("stranger-{name}"), &text)?);
        let per_agent = BTreeSet::from([Dimension::Agent]);
        budgets.push(budget(
            &format!("agent-{name}"),
            asset,
            per_agent,
            Window::Day,
            asset.agent_daily,
        )?);
        let day = Window::Rolling { seconds: 86_400 };
        budgets.push(budget(
            &format!("vault-{name}"),
            asset,
            BTreeSet::new(),
            day,
            asset.vault_daily,
        )?);
    }
    Ok(PolicyDocument {
        v: 1,
        vault,
        version: 1,
        previous: None,
        zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        assets: assets.iter().map(|asset| asset.info.clone()).collect(),
        rules,
        quorums: vec![quorum],
        budgets,
        addresses: AddressRules { wait_s: 60 * 60, deny: BTreeSet::new() },
        administration: Administration {
            wallets: treasury.clone(),
            credentials: treasury.clone(),
            addresses: treasury,
        },
        limits: LIMITS,
    })
}

const LIMITS: Limits = Limits {
    open_cases: 32,
    pending_reservations: 8,
    case_ttl_s: 24 * 60 * 60,
    approval_ttl_s: 60 * 60,
    fact_age_s: 5 * 60,
};

/// Who may transfer at all, whatever the asset.
fn general_rules() -> Result<Vec<CedarRule>, Malformed> {
    Ok(vec![
        rule(
            "agents-may-transfer",
            "permit (principal is Agent, action == Action::\"transfer\", resource);",
        )?,
        rule(
            "people-may-transfer",
            "permit (principal is Person, action == Action::\"transfer\", resource);",
        )?,
        rule(
            "people-need-treasury",
            &require("principal is Person", "", "what people ask for takes the treasury"),
        )?,
    ])
}

fn rule(id: &str, text: &str) -> Result<CedarRule, Malformed> {
    Ok(CedarRule { id: id.parse()?, text: text.to_owned() })
}

fn require(principal: &str, when: &str, note: &str) -> String {
    format!(
        "@require(\"{TREASURY}\")\n@note(\"{note}\")\nforbid ({principal}, action == Action::\"transfer\", resource)\n{when}\n\
         unless {{ context.approved_by.contains(\"{TREASURY}\") }};"
    )
}

/// Millionths of the whole unit, rounded **down**: the amount is rounded up, so a rounding can only ask more people.
fn threshold(amount: Amount, info: &AssetInfo) -> Result<i64, Malformed> {
    let bad = || {
        Malformed::new("threshold", "is beyond what rules can weigh", "choose a smaller threshold")
    };
    let text = amount.to_decimal(info.decimals);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction: String = fraction.chars().take(SCALE.into()).collect();
    let digits = format!("{whole}{fraction:0<width$}", width = usize::from(SCALE));
    digits.parse().map_err(|_| bad())
}

fn budget(
    id: &str,
    asset: &StarterAsset,
    per: BTreeSet<Dimension>,
    window: Window,
    amount: Amount,
) -> Result<Budget, Malformed> {
    Ok(Budget {
        id: id.parse()?,
        asset: asset.info.asset.clone(),
        per,
        wallets: BTreeSet::new(),
        agents: BTreeSet::new(),
        counterparties: BTreeSet::new(),
        window,
        amount: Some(amount),
        count: None,
    })
}
