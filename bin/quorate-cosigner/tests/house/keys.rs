//! Keys of the people and of the desk, and the charter of the house.

use std::path::{Path, PathBuf};

use quorate_host::Identity;
use quorate_policy::{StarterAsset, starter};
use quorate_terms::canonical::Term;
use quorate_terms::charter::{ApproverSeat, CharterText, CosignerSeat, LogSeat};
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, Amount, AssetId, ChainId, PublicKey, Signature};

pub const VAULT: &str = "vault";
pub const CHAIN: &str = "eip155:31337";
pub const MAINNET: &str = "eip155:1";
pub const APPROVERS: [&str; 3] = ["ann", "bo", "cy"];
pub const COSIGNERS: [&str; 2] = ["east", "west"];
pub const MILLI: u128 = 1_000_000_000_000_000;
pub const RECIPIENT: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";

pub fn id<T: std::str::FromStr<Err = quorate_terms::Malformed>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The key of whoever bears this name; one name, one key.
pub fn identity(name: &str) -> Identity {
    let mut seed = [7; 32];
    for (byte, letter) in seed.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    Identity::from_seed(&seed).unwrap()
}

pub fn public(name: &str) -> PublicKey {
    identity(name).public_key()
}

pub fn signed<T: Term>(name: &str, term: &T) -> Signature {
    identity(name).sign(&term.digest().unwrap())
}

pub fn coin(chain: &str) -> AssetId {
    quorate_chains::native_asset(&id::<ChainId>(chain)).unwrap()
}

pub fn account_on(chain: &str, address: &str) -> AccountId {
    id::<ChainId>(chain).account(address).unwrap()
}

fn policy() -> PolicyDocument {
    let priced = |chain: &str, symbol: &str| StarterAsset {
        info: AssetInfo {
            asset: coin(chain),
            symbol: symbol.to_owned(),
            name: symbol.to_owned(),
            decimals: 18,
        },
        alone: Amount::from_u128(1_000 * MILLI),
        alone_to_strangers: Amount::from_u128(100 * MILLI),
        agent_daily: Amount::from_u128(5_000 * MILLI),
        vault_daily: Amount::from_u128(20_000 * MILLI),
    };
    let approvers = APPROVERS.iter().map(|a| id(a)).collect();
    starter(id(VAULT), &approvers, &[priced(CHAIN, "DEV"), priced(MAINNET, "ETH")]).unwrap()
}

pub fn charter(cosigners: Vec<CosignerSeat>) -> CharterText {
    let seat = |name: &&str| ApproverSeat {
        approver: id(name),
        person: id(&format!("p-{name}")),
        credential: id(&format!("key-{name}")),
        key: public(name),
        link: public(&format!("{name}-link")),
        device: None,
        passkeys: Vec::new(),
    };
    CharterText {
        v: 1,
        vault: id(VAULT),
        version: 1,
        previous: None,
        threshold: 2,
        cosigners,
        approvers: APPROVERS.iter().map(seat).collect(),
        views: Vec::new(),
        governance: Quorum {
            name: id("governors"),
            m: 2,
            members: APPROVERS.iter().map(|a| id(a)).collect(),
            parties: None,
        },
        log: LogSeat {
            origin: "example.org/vault".to_owned(),
            key: public("log"),
            identity: public("desk"),
        },
        sources: Vec::new(),
        change_delay_s: 86_400,
        finality_depth: 3,
        policy: policy(),
    }
}

/// Writes a charter as the desk would hand it out.
pub fn charter_file(path: &Path, text: &CharterText) -> PathBuf {
    std::fs::write(path, text.to_canonical().unwrap()).unwrap();
    path.to_owned()
}
