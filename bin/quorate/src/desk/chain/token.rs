//! ERC-20 calls: balance, and what a contract claims about itself.

use alloy_primitives::{Address, U256};
use quorate_terms::{AccountId, Amount, AssetId};
use serde_json::json;

use super::node::{Failure, Node};
use super::wire::{bytes, nonsense};
use super::{Upset, is_of_the_chain};

const CALL: &str = "eth_call";
/// The longest claim that is read, in bytes.
const CLAIM_MAX: usize = 256;

/// What a token's contract claims. Outside text: never to be trusted, never to be looked up by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Claims {
    /// Its symbol.
    pub(crate) symbol: Option<String>,
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its decimal places.
    pub(crate) decimals: Option<u8>,
}

/// Call data of `transfer(address,uint256)`, for the estimate of its gas only.
pub(in crate::desk) fn transfer_data(to: &AccountId, amount: Amount) -> Result<String, Upset> {
    let amount = hex::encode(amount.units().to_be_bytes::<32>());
    Ok(format!("0xa9059cbb{}{amount}", word(to)?))
}

pub(super) async fn balance(
    node: &Node,
    account: &AccountId,
    asset: &AssetId,
) -> Result<Amount, Upset> {
    let data = format!("0x70a08231{}", word(account)?);
    let call = json!([{ "to": asset.reference(), "data": data }, "latest"]);
    let said = match node.call(CALL, call).await {
        Ok(said) => bytes(&said)?,
        Err(Failure::Upset(upset)) => return Err(upset),
        Err(Failure::Said { code, message, .. }) if is_of_the_chain(code, &message) => Vec::new(),
        Err(Failure::Said { code, .. }) => return Err(node.refuses(CALL, code)),
    };
    let units = said.get(..32).filter(|_| said.len() == 32).map(U256::from_be_slice);
    units.map(Amount::new).ok_or_else(Upset::no_token)
}

pub(super) async fn claims(node: &Node, asset: &AssetId) -> Result<Claims, Upset> {
    let decimals = view(node, asset, "0x313ce567").await?.and_then(|said| {
        let units = said.get(..32).map(U256::from_be_slice)?;
        u8::try_from(units).ok()
    });
    let symbol = view(node, asset, "0x95d89b41").await?.and_then(|said| string(&said));
    let name = view(node, asset, "0x06fdde03").await?.and_then(|said| string(&said));
    Ok(Claims { symbol, name, decimals })
}

/// A view without arguments; none when the contract has none such.
async fn view(node: &Node, asset: &AssetId, selector: &str) -> Result<Option<Vec<u8>>, Upset> {
    let call = json!([{ "to": asset.reference(), "data": selector }, "latest"]);
    match node.call(CALL, call).await {
        Ok(value) => Ok(Some(bytes(&value)?).filter(|said| !said.is_empty())),
        Err(Failure::Said { .. }) => Ok(None),
        Err(Failure::Upset(upset)) => Err(upset),
    }
}

/// An ABI string, or the `bytes32` that old tokens give.
fn string(said: &[u8]) -> Option<String> {
    let raw = if said.len() == 32 {
        said
    } else {
        let length = usize::try_from(said.get(32..64).map(U256::from_be_slice)?).ok()?;
        said.get(64..64_usize.checked_add(length.min(CLAIM_MAX))?)?
    };
    let text = String::from_utf8_lossy(raw);
    let text = text.trim_matches('\0').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn word(account: &AccountId) -> Result<String, Upset> {
    let address: Address =
        account.address().parse().map_err(|_| nonsense("an address that is none"))?;
    Ok(hex::encode(address.into_word()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn claims_are_read_in_both_old_and_new_form() {
        let mut old = [0_u8; 32];
        old[..3].copy_from_slice(b"MKR");
        assert_eq!(string(&old).as_deref(), Some("MKR"));
        let mut new = vec![0_u8; 96];
        (new[31], new[63]) = (32, 4);
        new[64..68].copy_from_slice(b"USDC");
        assert_eq!(string(&new).as_deref(), Some("USDC"));
        assert_eq!(string(&[]), None);
        assert_eq!(string(&[0; 32]), None);
    }

    proptest! {
        #[test]
        fn a_claim_of_any_bytes_never_panics_and_is_bounded(said in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(text) = string(&said) {
                prop_assert!(text.chars().count() <= CLAIM_MAX);
            }
        }
    }
}
