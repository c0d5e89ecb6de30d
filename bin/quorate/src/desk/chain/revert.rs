//! Why a transaction failed on chain: it is called again on the state before its block, and what the contract then says is
//! read. Outside text, and a guess: transactions before it in its block may have changed what it met.

use serde_json::{Map, Value, json};

use super::node::Failure;
use super::wire::{field, number};
use super::{Chain, Upset};

/// The most of a contract's words that are kept.
const WORDS_MAX: usize = 256;

/// What a failed transaction says of why; none when it does not fail again, or says nothing.
pub(super) async fn reason(chain: &Chain, txid: &str) -> Result<Option<String>, Upset> {
    let sent = chain.node.ask("eth_getTransactionByHash", json!([txid])).await?;
    if sent.is_null() {
        return Ok(None);
    }
    let before = number(field(&sent, "blockNumber")?)?.saturating_sub(1);
    let mut call = Map::new();
    for (ours, theirs) in [("from", "from"), ("to", "to"), ("value", "value"), ("data", "input")] {
        call.insert(ours.to_owned(), field(&sent, theirs)?.clone());
    }
    match chain.node.call("eth_call", json!([call, format!("{before:#x}")])).await {
        Ok(_) => Ok(None),
        Err(Failure::Upset(upset)) => Err(upset),
        Err(Failure::Said { message, data, .. }) => Ok(read(&data).or_else(|| plain(&message))),
    }
}

/// What the bytes say that a contract reverted with.
fn read(data: &Value) -> Option<String> {
    // Some nodes put the bytes into an object.
    let text = data.as_str().or_else(|| data.get("data")?.as_str())?;
    quorate_chains::reverted(&hex::decode(text.strip_prefix("0x")?).ok()?)
}

fn plain(message: &str) -> Option<String> {
    let said: String = message.chars().take(WORDS_MAX).collect();
    (!said.trim().is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(number: u8) -> String {
        format!("{number:064x}")
    }

    #[test]
    fn words_codes_and_errors_of_ones_own_are_told_and_cut_bytes_are_nothing() {
        let said = format!("0x08c379a0{}{}{}", word(32), word(4), "6e6f706500");
        assert_eq!(read(&json!(said)).as_deref(), Some("nope"));
        assert_eq!(
            read(&json!({ "data": said })).as_deref(),
            Some("nope"),
            "as some nodes wrap it"
        );
        assert_eq!(
            read(&json!(format!("0x4e487b71{}", word(0x11)))).as_deref(),
            Some("panic code 0x11")
        );
        let own = read(&json!("0xdeadbeef")).unwrap();
        assert!(own.contains("0xdeadbeef"), "{own}");
        for cut in ["0x", "0x08c379a0", "0x08c379a0ff", "", "zz"] {
            assert_eq!(read(&json!(cut)), None, "{cut}");
        }
        let far = format!("0x08c379a0{}", "ff".repeat(32));
        assert_eq!(read(&json!(far)), None, "an offset beyond everything");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), error: bool) {
            let head = if error { "08c379a0" } else { "" };
            let _said = read(&json!(format!("0x{head}{}", hex::encode(bytes))));
        }
    }
}
