//! The wallet's key: that every holder of a share signed for having made it, under the charter of that time.

use std::collections::BTreeSet;

use quorate_terms::entry::{KeyGenerated, KeyStatement};
use quorate_terms::{Term as _, WalletId};

use crate::charter::Charters;
use crate::story::{At, Story};

/// The public key of a wallet, 33 bytes, once all statements about it are verified.
pub(crate) struct WalletKey {
    pub(crate) public: [u8; 33],
    pub(crate) says: String,
}

/// Finds the wallet's key before entry `before` and verifies what its holders signed.
pub(crate) fn of(
    wallet: &WalletId,
    before: u64,
    story: &Story,
    charters: &Charters,
) -> Result<WalletKey, String> {
    let keys = story.keys();
    let mut keys = keys.iter().filter(|k| k.body.wallet == *wallet && k.entry.index < before);
    let key = keys.next().ok_or_else(|| format!("the receipt leaves out the key of `{wallet}`"))?;
    if keys.next().is_some() {
        return Err(format!("the receipt shows two keys of `{wallet}`"));
    }
    let mut spoke = BTreeSet::new();
    for statement in &key.body.statements {
        check(statement, key, charters)?;
        spoke.insert(statement.body.cosigner.clone());
    }
    if spoke != key.body.holders || spoke.len() != usize::from(key.body.shares) {
        return Err("not every holder of a share signed for the key".into());
    }
    let public = hex_of(&key.body.public_key)?;
    let names: Vec<String> = spoke.iter().map(ToString::to_string).collect();
    let says = format!(
        "entry {}: made by {}, {} of {} needed to sign; each signed for it",
        key.entry.index,
        names.join(" and "),
        key.body.threshold,
        key.body.shares
    );
    Ok(WalletKey { public, says })
}

fn check(
    statement: &KeyStatement,
    key: &At<'_, KeyGenerated>,
    charters: &Charters,
) -> Result<(), String> {
    let body = &statement.body;
    let charter = charters.at(key.entry.index)?;
    let seat = charter
        .cosigner(&body.cosigner)
        .ok_or_else(|| format!("`{}` has no seat in the charter", body.cosigner))?;
    let same = body.v == 1
        && body.vault == charter.vault
        && body.wallet == key.body.wallet
        && body.ceremony == key.body.ceremony
        && body.public_key == key.body.public_key;
    if !same {
        return Err(format!("`{}` signed for another key", body.cosigner));
    }
    let digest = body.digest().map_err(|e| e.to_string())?;
    if seat.identity.verifies(&digest, &statement.signature) {
        return Ok(());
    }
    Err(format!("the signature for the key is not `{}`'s", body.cosigner))
}

/// Bytes of a known number from lower-case hex.
pub(crate) fn hex_of<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let bytes = hex_bytes(text)?;
    bytes.try_into().map_err(|_| format!("a field does not have {N} bytes"))
}

/// Bytes from lower-case hex.
pub(crate) fn hex_bytes(text: &str) -> Result<Vec<u8>, String> {
    let bytes = hex::decode(text).map_err(|_| "a field is not hex".to_owned())?;
    if hex::encode(&bytes) == text {
        Ok(bytes)
    } else {
        Err("a field is not lower-case hex".into())
    }
}
