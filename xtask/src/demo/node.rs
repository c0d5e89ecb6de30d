//! The EVM node of the stage: anvil that we start, or a development node that somebody runs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::json_rpc::call;
use crate::Done;
use crate::process::{Process, free_port};
use crate::run;
use crate::tools;

/// A node and, where it is ours, its process.
pub(crate) struct Node {
    url: String,
    _process: Option<Process>,
}

impl Node {
    /// Starts anvil on a free port, mining a block for each transaction.
    pub(crate) fn start(log: &Path) -> Done<Self> {
        let anvil = tools::anvil()?;
        let port = free_port()?;
        let mut command =
            run::command(anvil, &["--host", "127.0.0.1", "--port", &port.to_string()]);
        let mut process = Process::start("anvil", &mut command, log)?;
        process.wait_for_line("Listening on", Duration::from_secs(30))?;
        process.wait_for_port(port, Duration::from_secs(10))?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), _process: Some(process) })
    }

    /// Uses a node that runs already.
    pub(crate) fn at(url: &str) -> Done<Self> {
        let node = Self { url: url.to_owned(), _process: None };
        node.chain_id()?;
        Ok(node)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The chain's number.
    pub(crate) fn chain_id(&self) -> Done<u128> {
        number(&call(&self.url, "eth_chainId", &json!([]))?)
    }

    /// What an address holds, in wei.
    pub(crate) fn balance(&self, address: &str) -> Done<u128> {
        number(&call(&self.url, "eth_getBalance", &json!([address, "latest"]))?)
    }

    /// Sends wei from the first account that the node itself holds, and waits for the block.
    pub(crate) fn fund(&self, address: &str, wei: u128) -> Done {
        let accounts = call(&self.url, "eth_accounts", &json!([]))?;
        let from = accounts.get(0).cloned().ok_or("the node holds no account to fund from")?;
        let transfer = json!([{ "from": from, "to": address, "value": format!("{wei:#x}") }]);
        let id = call(&self.url, "eth_sendTransaction", &transfer)?;
        self.mined(&id)
    }

    /// Mines blocks, so that a transaction becomes final.
    pub(crate) fn mine(&self, blocks: u64) -> Done {
        call(&self.url, "anvil_mine", &json!([format!("{blocks:#x}")])).map(drop)
    }

    fn mined(&self, id: &Value) -> Done {
        for _ in 0..200 {
            let receipt = call(&self.url, "eth_getTransactionReceipt", &json!([id]))?;
            match receipt.get("status").and_then(Value::as_str) {
                Some("0x1") => return Ok(()),
                Some(_) => return Err(format!("the transaction {id} failed")),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        Err(format!("the transaction {id} was not mined in ten seconds"))
    }
}

fn number(value: &Value) -> Done<u128> {
    let text = value.as_str().and_then(|text| text.strip_prefix("0x"));
    let read = text.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    read.ok_or_else(|| format!("{value} is not a number"))
}
