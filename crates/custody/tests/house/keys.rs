//! Keys and the charter of the house that the tests live in.

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use quorate_policy::{StarterAsset, starter};
use quorate_terms::canonical::Term;
use quorate_terms::charter::{ApproverSeat, CharterText, CosignerSeat, LogSeat, SourceSeat};
use quorate_terms::delegation::StandIn;
use quorate_terms::fact::FactKind;
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, Amount, AssetId, ChainId, PublicKey, Signature};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};

pub(crate) const VAULT: &str = "vault";
pub(crate) const CHAIN: &str = "eip155:31337";
pub(crate) const MAINNET: &str = "eip155:1";
pub(crate) const APPROVERS: [&str; 3] = ["ann", "bo", "cy"];
pub(crate) const COSIGNERS: [&str; 2] = ["east", "west"];
pub(crate) const MILLI: u128 = 1_000_000_000_000_000;
const TOKEN: &str = "0xdAC17F958D2ee523a2206206994597C13D831ec7";

/// A parsed identifier of any kind.
pub(crate) fn id<T: std::str::FromStr<Err = quorate_terms::Malformed>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The secret of whoever bears this name; one name, one key.
pub(crate) fn secret(name: &str) -> SigningKey {
    let mut seed = [7; 32];
    for (byte, letter) in seed.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    SigningKey::from_bytes(&seed)
}

pub(crate) fn public(name: &str) -> PublicKey {
    PublicKey::from_bytes(secret(name).verifying_key().to_bytes()).unwrap()
}

pub(crate) fn signed<T: Term>(name: &str, term: &T) -> Signature {
    let digest = term.digest().unwrap();
    Signature::from_bytes(secret(name).sign(digest.as_bytes()).to_bytes())
}

/// One plain key that stands for the threshold key.
fn wallet_secret() -> SecretKey {
    SecretKey::from_secret_bytes([0x46; 32]).unwrap()
}

pub(crate) fn wallet_key() -> [u8; 33] {
    secp256k1::PublicKey::from_secret_key(&wallet_secret()).serialize()
}

/// r and s, and the recovery bit, by the wallet's key.
pub(crate) fn wallet_signs(sighash: [u8; 32]) -> ([u8; 64], u8) {
    let signature = RecoverableSignature::sign_ecdsa_recoverable(
        Message::from_digest(sighash),
        &wallet_secret(),
    );
    let (recovery, rs) = signature.serialize_compact();
    (rs, recovery.to_u8())
}

pub(crate) fn coin(chain: &str) -> AssetId {
    quorate_chains::native_asset(&id::<ChainId>(chain)).unwrap()
}

pub(crate) fn token() -> AssetId {
    quorate_chains::asset_of(&account(TOKEN)).unwrap()
}

pub(crate) fn account(address: &str) -> AccountId {
    id::<ChainId>(CHAIN).account(address).unwrap()
}

fn priced(asset: AssetId, symbol: &str, decimals: u8, thousandth: u128) -> StarterAsset {
    StarterAsset {
        info: AssetInfo { asset, symbol: symbol.to_owned(), name: symbol.to_owned(), decimals },
        alone: Amount::from_u128(1_000 * thousandth),
        alone_to_strangers: Amount::from_u128(100 * thousandth),
        agent_daily: Amount::from_u128(5_000 * thousandth),
        vault_daily: Amount::from_u128(20_000 * thousandth),
    }
}

/// Alone 1, to strangers 0.1, an agent 5 a day, the vault 20 a day; for the token 1000 times that.
pub(crate) fn policy() -> PolicyDocument {
    let approvers = APPROVERS.iter().map(|a| id(a)).collect();
    let assets = [
        priced(coin(CHAIN), "DEV", 18, MILLI),
        priced(token(), "USDC", 6, 1_000_000),
        priced(coin(MAINNET), "ETH", 18, MILLI),
    ];
    starter(id(VAULT), &approvers, &assets).unwrap()
}

pub(crate) fn charter() -> CharterText {
    charter_with(policy(), &["price-1", "price-2", "watch", "lists"])
}

pub(crate) fn charter_with(policy: PolicyDocument, sources: &[&str]) -> CharterText {
    let kind = |name: &str| match name {
        "watch" => FactKind::Finality,
        "lists" => FactKind::Screening,
        _ => FactKind::Price,
    };
    CharterText {
        v: 1,
        vault: id(VAULT),
        version: 1,
        previous: None,
        threshold: 2,
        cosigners: COSIGNERS
            .iter()
            .map(|name| CosignerSeat {
                cosigner: id(name),
                identity: public(name),
                witness: public(&format!("{name}-witness")),
                operator: format!("{name} ltd"),
            })
            .collect(),
        approvers: APPROVERS
            .iter()
            .map(|name| ApproverSeat {
                approver: id(name),
                person: id(&format!("p-{name}")),
                credential: id(&format!("key-{name}")),
                key: public(name),
                link: public(&format!("{name}-link")),
                device: None,
                passkeys: Vec::new(),
            })
            .collect(),
        views: Vec::new(),
        governance: Quorum {
            name: id("governors"),
            m: 2,
            members: APPROVERS.iter().map(|a| id(a)).collect::<BTreeSet<_>>(),
            parties: None,
        },
        log: LogSeat {
            origin: "example.org/vault".to_owned(),
            key: public("log"),
            identity: public("desk"),
        },
        sources: sources
            .iter()
            .map(|name| SourceSeat {
                source: id(name),
                key: public(name),
                kinds: BTreeSet::from([kind(name)]),
            })
            .collect(),
        change_delay_s: 86_400,
        finality_depth: 3,
        policy,
    }
}

/// Somebody of this name, who holds no seat and stands in for one.
pub(crate) fn stand_in(name: &str) -> StandIn {
    StandIn {
        person: id(&format!("p-{name}")),
        credential: id(&format!("key-{name}")),
        key: public(name),
        link: public(&format!("{name}-link")),
        passkeys: Vec::new(),
    }
}
