//! A draft in plain words, for the screens of people who must agree. Every row comes from the bytes; only an asset's name and
//! decimal places come from the policy, and an asset that it does not know is said to be unknown.

use quorate_terms::policy::AssetInfo;
use quorate_terms::{Amount, AssetId};

use crate::address::native_asset;
use crate::meaning::{Effect, Meaning};
use crate::snapshot::FeeMode;

/// What the draft does, as rows of label and text, in the order in which they matter.
///
/// The paying account is not in unsigned bytes: the caller shows it beside these rows.
pub fn describe(m: &Meaning, assets: &[AssetInfo]) -> Vec<(String, String)> {
    let mut rows = act(m, assets);
    rows.extend(
        [
            ("fee at most", amount(m.fee_max, native_asset(&m.chain).ok().as_ref(), assets)),
            ("fee offered", offered(m)),
            ("chain", format!("{} (chain id {})", m.chain, m.chain.reference())),
            ("nonce", m.nonce.to_string()),
        ]
        .map(|(label, text)| (label.to_owned(), text)),
    );
    rows
}

fn act(m: &Meaning, assets: &[AssetInfo]) -> Vec<(String, String)> {
    let what = match m.effect {
        Effect::Native => "send the chain's own coin",
        Effect::Erc20 => "send an ERC-20 token",
        Effect::SelfSend => "send nothing to oneself, so that this nonce is used up",
    };
    let rows = [
        ("does", what.to_owned()),
        ("amount", amount(m.amount, Some(&m.asset), assets)),
        ("to", m.to.address().to_owned()),
        ("asset", asset(&m.asset, assets)),
    ];
    rows.into_iter().map(|(label, text)| (label.to_owned(), text)).collect()
}

/// Whole units with their symbol, and always base units beside them: a slip of decimals shows in one of the two.
pub(crate) fn amount(amount: Amount, asset: Option<&AssetId>, assets: &[AssetInfo]) -> String {
    match asset.and_then(|asset| info(asset, assets)) {
        Some(info) => format!(
            "{} {} ({amount} base units, {} decimals)",
            amount.to_decimal(info.decimals),
            info.symbol,
            info.decimals
        ),
        None => format!("{amount} base units of an asset that the policy does not know"),
    }
}

fn asset(asset: &AssetId, assets: &[AssetInfo]) -> String {
    match info(asset, assets) {
        Some(info) => format!("{} ({asset})", info.name),
        None => format!("unknown ({asset})"),
    }
}

fn offered(m: &Meaning) -> String {
    let (gas, max) = (m.gas_limit, m.max_fee_per_gas);
    match m.fee_mode {
        FeeMode::Legacy => format!("{gas} gas at {max} base units each"),
        FeeMode::Eip1559 => {
            format!("{gas} gas at up to {max} base units each, {} of it priority", m.priority_fee)
        }
    }
}

fn info<'a>(asset: &AssetId, assets: &'a [AssetInfo]) -> Option<&'a AssetInfo> {
    assets.iter().find(|info| info.asset == *asset)
}

#[cfg(test)]
mod tests;
