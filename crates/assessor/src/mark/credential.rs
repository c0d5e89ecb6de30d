//! The mark as a W3C Verifiable Credential 2.0 secured by SD-JWT (VC-JOSE-COSE, RFC 9901), for wallets that speak those.
//!
//! Only issuing is here. The mark file stays the form that `quorate-verify` checks; the credential names it by digest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quorate_terms::{Digest, Malformed, Timestamp, canonical};
use serde_json::{Value, json};

use super::claim::Claim;
use super::dsse::Signer;
use super::file::MarkFile;

/// What the holder may leave out when showing the credential: who was assessed, and the details of scope.
const DISCLOSABLE: [&str; 4] = ["entity", "system", "description", "exclusions"];

/// Issues the credential. `salts` gives one fresh salt of at least 128 bits for each disclosure; `date` writes RFC 3339.
///
/// # Errors
/// [`Malformed`] when the mark cannot be written, or a salt is short.
pub fn issue(
    mark: &MarkFile,
    claim: &Claim,
    issuer: &Signer<'_>,
    salts: &[[u8; 16]; 4],
    date: impl Fn(Timestamp) -> String,
) -> Result<String, Malformed> {
    let mut disclosures = Vec::new();
    let mut digests = Vec::new();
    for (name, salt) in DISCLOSABLE.into_iter().zip(salts) {
        let disclosed = json!([URL_SAFE_NO_PAD.encode(salt), name, open(claim, name)]);
        let disclosure = encode(&disclosed)?;
        digests.push(URL_SAFE_NO_PAD.encode(Digest::sha256(disclosure.as_bytes()).as_bytes()));
        disclosures.push(disclosure);
    }
    // Sorted, so that their order says nothing (RFC 9901, section 4.2.4.1).
    digests.sort_unstable();
    let header = json!({
        "alg": "EdDSA", "typ": "vc+sd-jwt", "cty": "vc", "kid": issuer.key.to_string(),
    });
    let payload = payload(mark, claim, digests, date)?;
    let message = format!("{}.{}", encode(&header)?, encode(&payload)?);
    let signature = URL_SAFE_NO_PAD.encode((issuer.sign)(message.as_bytes()).as_bytes());
    Ok(format!("{message}.{signature}~{}~", disclosures.join("~")))
}

fn open(claim: &Claim, name: &str) -> Value {
    match name {
        "entity" => json!(claim.scope.entity),
        "system" => json!(claim.scope.system),
        "description" => json!(claim.scope.description),
        _ => json!(claim.exclusions),
    }
}

fn payload(
    mark: &MarkFile,
    claim: &Claim,
    digests: Vec<String>,
    date: impl Fn(Timestamp) -> String,
) -> Result<Value, Malformed> {
    let file = Digest::sha256(&mark.to_bytes()?);
    Ok(json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "id": format!("urn:quorate:mark:{}", claim.mark),
        "issuer": { "id": format!("urn:quorate:key:{}", claim.issuer.key), "name": claim.issuer.name },
        "validFrom": date(claim.valid_from),
        "validUntil": date(claim.valid_until),
        "credentialStatus": {
            "type": "QuorateStatusList",
            "statusListCredential": claim.status.list,
            "statusListIndex": claim.status.place.to_string(),
        },
        "credentialSubject": {
            "standard": claim.standard.id,
            "version": claim.standard.version,
            "official": claim.standard.official,
            "level": claim.level,
            "assessedOn": date(claim.assessed_on),
            "assessor": claim.assessor.name,
            "markSha256": file.to_string(),
            "_sd": digests,
        },
        "_sd_alg": "sha-256",
    }))
}

fn encode(value: &Value) -> Result<String, Malformed> {
    Ok(URL_SAFE_NO_PAD.encode(canonical::to_bytes(value, "credential")?))
}
