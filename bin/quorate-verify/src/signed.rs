//! Each signature of a case: which bytes, that they were warranted, by which key, and what they do.

use quorate_terms::digest::tag;
use quorate_terms::entry::{Signed, Warranted};
use quorate_terms::intent::{Action, Transfer};
use quorate_terms::{Digest, canonical};
use secp256k1::ecdsa::{self, RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey};
use serde_json::json;
use sha3::{Digest as _, Keccak256};

use crate::charter::Charters;
use crate::key::{self, hex_bytes, hex_of};
use crate::report::Report;
use crate::story::{At, Story};
use crate::transaction::{Seal, Transaction};

/// Checks every signature that the receipt shows.
pub(crate) fn check(story: &Story, charters: &Charters, report: &mut Report) -> Result<(), String> {
    let all = story.signed();
    for signed in &all {
        one(signed, story, charters, report)?;
    }
    match (all.is_empty(), story.warranted().is_empty()) {
        (false, _) => {}
        (true, false) => {
            report.not_shown("signature", "bytes were warranted; no signature is shown")
        }
        (true, true) => report.not_shown("signature", "nothing was signed in this case"),
    }
    Ok(())
}

fn one(
    signed: &At<'_, Signed>,
    story: &Story,
    charters: &Charters,
    report: &mut Report,
) -> Result<(), String> {
    let (index, body) = (signed.entry.index, signed.body);
    let warrants = story.warranted();
    let warranted =
        warrants.iter().find(|w| w.body.draft == body.draft && w.entry.index < index).ok_or_else(
            || format!("entry {index} signs bytes that the receipt shows no warrant for"),
        )?;
    let key = key::of(&body.wallet, index, story, charters)?;
    report.proven("key", key.says.clone());
    let bytes = hex_bytes(&warranted.body.bytes)?;
    report.record("draft", draft(warranted.body, &bytes, body, story));
    report.record("signature", signature(body, &bytes, &key.public));
    let intent = &story.filed()?.body.intent;
    if let Action::Transfer(transfer) = &intent.action {
        report.record("what it does", does(transfer, warranted.body, &bytes, body, &key.public));
    } else {
        report.not_shown(
            "what it does",
            "the intent is no transfer; compare the bytes with its subject",
        );
    }
    Ok(())
}

/// The warranted bytes are the draft that was signed, for this intent, and their hash is what was signed.
fn draft(
    warranted: &Warranted,
    bytes: &[u8],
    signed: &Signed,
    story: &Story,
) -> Result<String, String> {
    let named = json!({ "bytes": warranted.bytes, "chain": warranted.chain });
    let form = canonical::to_bytes(&named, "draft").map_err(|e| e.to_string())?;
    if Digest::of(tag::DRAFT, &form) != warranted.draft {
        return Err("the warranted bytes do not have the draft's digest".into());
    }
    if warranted.decoded_intent != story.intent() {
        return Err("the bytes were warranted for another intent".into());
    }
    if keccak(bytes) != hex_of::<32>(&signed.sighash)? {
        return Err("what was signed is not the hash of the warranted bytes".into());
    }
    Ok(format!(
        "the bytes of draft {}… were warranted for this intent, and their hash is what was signed",
        warranted.draft.short()
    ))
}

/// Verified by libsecp256k1, low s only; the broadcast bytes are the warranted ones with this signature.
fn signature(signed: &Signed, bytes: &[u8], public: &[u8; 33]) -> Result<String, String> {
    if hex_of::<33>(&signed.public_key)? != *public {
        return Err("the key is not the one that the cosigners made".into());
    }
    let whole: [u8; 65] = hex_of(&signed.signature)?;
    let (rs, parity) = match whole {
        [rs @ .., parity] => (rs, parity),
    };
    let key = PublicKey::from_slice(public).map_err(|_| "the key is not on the curve")?;
    let message = Message::from_digest(keccak(bytes));
    let plain =
        ecdsa::Signature::from_compact(&rs).map_err(|_| "the signature has no valid form")?;
    plain
        .verify(message, &key)
        .map_err(|_| "the signature does not verify under the wallet's key")?;
    let recovery = RecoveryId::try_from(i32::from(parity))
        .map_err(|_| "the recovery bit is neither 0 nor 1")?;
    let recovered =
        RecoverableSignature::from_compact(&rs, recovery).and_then(|s| s.recover_ecdsa(message));
    if parity > 1 || recovered != Ok(key) {
        return Err("the recovery bit is wrong".into());
    }
    let transaction = Transaction::read(bytes)?.attach(&Seal { rs, odd: parity == 1 });
    if transaction != hex_bytes(&signed.transaction)? {
        return Err("the transaction is not the warranted bytes with this signature".into());
    }
    let txid = format!("0x{}", hex::encode(keccak(&transaction)));
    if txid != signed.txid {
        return Err("the transaction has another identifier than the entry says".into());
    }
    Ok(format!("verifies under the wallet's key (libsecp256k1); transaction {txid}"))
}

/// The bytes say what the intent says: chain, account, recipient, asset, amount, and a fee under the ceiling.
fn does(
    transfer: &Transfer,
    warranted: &Warranted,
    bytes: &[u8],
    signed: &Signed,
    public: &[u8; 33],
) -> Result<String, String> {
    let transaction = Transaction::read(bytes)?;
    let account = warranted.chain.account(&address_text(public)?).map_err(|e| e.to_string())?;
    let chain = format!("eip155:{}", transaction.chain);
    if chain != transfer.asset.chain().to_string() || chain != warranted.chain.to_string() {
        return Err(format!("the bytes are for `{chain}`"));
    }
    if signed.wallet != transfer.wallet || !same(account.address(), warranted.account.address()) {
        return Err("the bytes leave another account than the intent's wallet".into());
    }
    if warranted.account.chain() != warranted.chain || transaction.nonce != warranted.nonce {
        return Err("the bytes use another nonce or account than the warrant says".into());
    }
    let fee = transaction.fee_max()?;
    if fee > transfer.fee_ceiling || fee != warranted.fee_max {
        return Err(format!("the bytes allow a fee of {fee}, not {}", warranted.fee_max));
    }
    let own = format!("0x{}", hex::encode(transaction.to));
    if warranted.replaces.is_some() && transaction.is_empty() && same(&own, account.address()) {
        return Ok("sends nothing to itself, to take the place of an earlier draft".into());
    }
    let (asset, to, amount) = transaction.moves()?;
    let native = asset.is_empty() && transfer.asset.is_native();
    let token = transfer.asset.namespace() == "erc20" && same(&asset, transfer.asset.reference());
    if !native && !token {
        return Err("the bytes move another asset".into());
    }
    if !same(&to, transfer.to.address()) || transfer.to.chain() != transfer.asset.chain() {
        return Err(format!("the bytes pay `{to}`"));
    }
    if amount != transfer.amount {
        return Err(format!("the bytes move {amount} base units"));
    }
    Ok(format!(
        "moves {amount} base units of {} to {}, fee at most {fee}: as the intent says",
        transfer.asset, transfer.to
    ))
}

/// Addresses are equal in any mixture of capitals; the intent's own checksum is the writer's business.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn address_text(public: &[u8; 33]) -> Result<String, String> {
    let key = PublicKey::from_slice(public).map_err(|_| "the key is not on the curve")?;
    let whole = key.serialize_uncompressed();
    let hash = keccak(whole.strip_prefix(&[4]).unwrap_or(&whole));
    let tail: String = hex::encode(hash).chars().skip(24).collect();
    Ok(format!("0x{tail}"))
}

/// Keccak-256, the hash of Ethereum (not FIPS 202 SHA3-256).
pub(crate) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}
