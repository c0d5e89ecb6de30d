//! The EVM node of the stage: anvil that we start, or a development node that somebody runs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::json_rpc::call;
use crate::Done;
use crate::process::{Process, free_port};
use crate::run;
use crate::tools;

/// Chains of a developer's own: a wallet on any other needs proven backups first.
const DEVELOPMENT: [u128; 2] = [1_337, 31_337];
/// What the story takes from the node's account: ten for the wallet, and fees.
const ACCOUNT_WEI_MIN: u128 = 11_000_000_000_000_000_000;

/// A node and, where it is ours, its process.
pub(crate) struct Node {
    url: String,
    process: Option<Process>,
}

impl Node {
    /// Starts anvil on a free port, with a block each second, so that transactions become final by themselves.
    pub(crate) fn start(log: &Path) -> Done<Self> {
        let anvil = tools::anvil()?;
        let port = free_port()?;
        let port_text = port.to_string();
        let words = ["--host", "127.0.0.1", "--port", &port_text, "--block-time", "1"];
        let mut process = Process::start("anvil", &mut run::command(anvil, &words), log)?;
        process.wait_for_line("Listening on", Duration::from_secs(30))?;
        process.wait_for_port(port, Duration::from_secs(10))?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), process: Some(process) })
    }

    /// Uses a node that runs already, if it can carry the story: a development chain, and an account of its own with coins.
    pub(crate) fn at(url: &str) -> Done<Self> {
        let node = Self { url: url.to_owned(), process: None };
        let chain = node.chain_id().map_err(|e| {
            format!("{e}; `--rpc` needs a node that runs, such as anvil at http://127.0.0.1:8545")
        })?;
        if !DEVELOPMENT.contains(&chain) {
            return Err(format!(
                "{url} is of chain {chain}; the story is told on a development chain only, {DEVELOPMENT:?}"
            ));
        }
        let account = node.account()?;
        let held = node.balance(&account)?;
        if held < ACCOUNT_WEI_MIN {
            return Err(format!(
                "the node's account {account} holds {held} wei; give it {ACCOUNT_WEI_MIN} or more"
            ));
        }
        Ok(node)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The chain's number.
    pub(crate) fn chain_id(&self) -> Done<u128> {
        number(&call(&self.url, "eth_chainId", &json!([]))?)
    }

    /// The chain's name (CAIP-2).
    pub(crate) fn chain(&self) -> Done<String> {
        Ok(format!("eip155:{}", self.chain_id()?))
    }

    /// What an address holds, in wei.
    pub(crate) fn balance(&self, address: &str) -> Done<u128> {
        number(&call(&self.url, "eth_getBalance", &json!([address, "latest"]))?)
    }

    /// How many transactions an account has made.
    pub(crate) fn nonce(&self, address: &str) -> Done<u128> {
        number(&call(&self.url, "eth_getTransactionCount", &json!([address, "latest"]))?)
    }

    /// The first account that the node itself holds.
    pub(crate) fn account(&self) -> Done<String> {
        let accounts = call(&self.url, "eth_accounts", &json!([]))?;
        let first = accounts.get(0).and_then(Value::as_str);
        first.map(str::to_owned).ok_or_else(|| "the node holds no account to fund from".to_owned())
    }

    /// Sends wei from the node's own account, and waits for the block.
    pub(crate) fn fund(&self, address: &str, wei: u128) -> Done {
        let from = self.account()?;
        self.send(json!({ "from": from, "to": address, "value": format!("{wei:#x}") })).map(drop)
    }

    /// Has the node send a transaction of its own, and gives its receipt.
    pub(crate) fn send(&self, transaction: Value) -> Done<Value> {
        let id = call(&self.url, "eth_sendTransaction", &json!([transaction]))?;
        for _ in 0..200 {
            let receipt = call(&self.url, "eth_getTransactionReceipt", &json!([id]))?;
            match receipt.get("status").and_then(Value::as_str) {
                Some("0x1") => return Ok(receipt),
                Some(_) => return Err(format!("the transaction {id} failed")),
                None => std::thread::sleep(Duration::from_millis(100)),
            }
            self.nudge();
        }
        Err(format!("the transaction {id} was not mined in twenty seconds"))
    }

    /// The number that a contract answers.
    pub(crate) fn read(&self, contract: &str, data: &str) -> Done<u128> {
        number(&call(&self.url, "eth_call", &json!([{ "to": contract, "data": data }, "latest"]))?)
    }

    /// An address with its checksum (EIP-55), by the node's own hash.
    pub(crate) fn checksummed(&self, address: &str) -> Done<String> {
        let bare = address.trim_start_matches("0x").to_lowercase();
        let bytes: String = bare.bytes().map(|byte| format!("{byte:02x}")).collect();
        let hash = call(&self.url, "web3_sha3", &json!([format!("0x{bytes}")]))?;
        let hash = hash.as_str().unwrap_or_default().trim_start_matches("0x").to_owned();
        let raise = |(letter, digit): (char, char)| {
            if digit.to_digit(16).is_some_and(|d| d >= 8) {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        };
        let mixed: String = bare.chars().zip(hash.chars()).map(raise).collect();
        Ok(format!("0x{mixed}"))
    }

    /// Asks somebody's own node for a block; anvil of ours makes them by itself.
    pub(crate) fn nudge(&self) {
        if self.process.is_none() {
            // A node that cannot is one that mines by itself.
            drop(call(&self.url, "evm_mine", &json!([])));
        }
    }
}

fn number(value: &Value) -> Done<u128> {
    let text = value.as_str().and_then(|text| text.strip_prefix("0x"));
    let digits = text.map(|text| text.trim_start_matches('0'));
    let read =
        digits.and_then(|d| if d.is_empty() { Some(0) } else { u128::from_str_radix(d, 16).ok() });
    read.ok_or_else(|| format!("{value} is not a number"))
}
