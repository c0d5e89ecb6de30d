//! A large policy of known shape, for benches and soak tests: many rules, few of which speak about one agent.

use std::collections::BTreeSet;

use quorate_terms::policy::{CedarRule, PolicyDocument};
use quorate_terms::{AgentId, Malformed, VaultId};

use crate::starter::{StarterAsset, starter};

/// A policy of `rules` rules of which `apply` are in the slice of `agent`; the rest name other agents.
///
/// The rules are those of [`starter`], then permits and guards in turn, every one with a condition.
///
/// # Errors
/// [`Malformed`] as [`starter`].
pub fn policy(
    vault: VaultId,
    agent: &AgentId,
    assets: &[StarterAsset],
    rules: usize,
    apply: usize,
) -> Result<PolicyDocument, Malformed> {
    let approvers =
        ["ann", "bo", "cy"].iter().map(|a| a.parse()).collect::<Result<BTreeSet<_>, _>>()?;
    let mut document = starter(vault, &approvers, assets)?;
    let general = document.rules.len();
    for number in general..rules {
        let whose = match number < apply {
            true => agent.to_string(),
            false => format!("other-{}", number.checked_rem(97).unwrap_or_default()),
        };
        let text = format!(
            "forbid (principal == Agent::\"{whose}\", action == Action::\"transfer\", resource)\n\
             when {{ context.recipient.account == \"eip155:1:0x{number:040x}\" && context.hour < 24 }};"
        );
        document.rules.push(CedarRule { id: format!("sample-{number}").parse()?, text });
    }
    Ok(document)
}
