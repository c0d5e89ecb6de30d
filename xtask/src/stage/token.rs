//! A small ERC-20 token on the node (`xtask/contracts/demo_token.sol`), and the coin of a chain.

use serde_json::json;

use super::Node;
use crate::Done;

/// Bytes of the contract's constructor and code, hex.
const CODE: &str = include_str!("../../contracts/demo_token.hex");
/// The same of a token that takes more than it says (`greedy_token.sol`).
const GREEDY: &str = include_str!("../../contracts/greedy_token.hex");
/// `transfer(address,uint256)`.
const TRANSFER: &str = "a9059cbb";
/// `balanceOf(address)`.
const BALANCE_OF: &str = "70a08231";

/// So many base units as make up a number of whole tokens.
pub(crate) const fn tokens(whole: u128) -> u128 {
    whole.saturating_mul(1_000_000)
}

/// So many wei as make up a number of thousandths of the coin.
pub(crate) const fn coin(thousandths: u128) -> u128 {
    thousandths.saturating_mul(1_000_000_000_000_000)
}

/// A token whose whole supply its deployer holds.
pub(crate) struct Token {
    /// The contract's address, as the node writes it.
    pub(crate) address: String,
    owner: String,
}

impl Token {
    /// Deploys the token from the first account of the node.
    pub(crate) fn deploy(node: &Node) -> Done<Self> {
        Self::of(node, CODE)
    }

    /// Deploys a token that takes more than it says from whoever pays with it.
    pub(crate) fn deploy_greedy(node: &Node) -> Done<Self> {
        Self::of(node, GREEDY)
    }

    fn of(node: &Node, code: &str) -> Done<Self> {
        let owner = node.account()?;
        let code: String = code.split_whitespace().collect();
        let receipt =
            node.send(json!({ "from": owner, "data": format!("0x{code}"), "gas": "0x200000" }))?;
        let address = receipt.get("contractAddress").and_then(serde_json::Value::as_str);
        let address = address.ok_or("the node says nothing of the contract's address")?.to_owned();
        Ok(Self { address: node.checksummed(&address)?, owner })
    }

    /// Gives somebody so many base units.
    pub(crate) fn give(&self, node: &Node, to: &str, units: u128) -> Done {
        let data = format!("0x{TRANSFER}{}{units:064x}", word(to));
        node.send(json!({ "from": self.owner, "to": self.address, "data": data })).map(drop)
    }

    /// What somebody holds, in base units.
    pub(crate) fn balance(&self, node: &Node, of: &str) -> Done<u128> {
        node.read(&self.address, &format!("0x{BALANCE_OF}{}", word(of)))
    }
}

/// An address as a word of call data.
fn word(address: &str) -> String {
    format!("{:0>64}", address.trim_start_matches("0x").to_lowercase())
}
