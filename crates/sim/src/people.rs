//! Who lives in the simulated house: one name, one key; the charter and the policy that they all hold.

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use quorate_cosigner::party::Keys;
use quorate_policy::{StarterAsset, starter};
use quorate_terms::canonical::Term;
use quorate_terms::charter::{ApproverSeat, CharterText, CosignerSeat, LogSeat, SourceSeat};
use quorate_terms::credential::{AgentCredential, Band};
use quorate_terms::fact::FactKind;
use quorate_terms::intent::{OpenWallet, Requester, SchemeName, Tier};
use quorate_terms::policy::{AssetInfo, PolicyDocument, Window};
use quorate_terms::quorum::Quorum;
use quorate_terms::{
    AccountId, Amount, AssetId, ChainId, CosignerId, Digest, PublicKey, Signature, Timestamp,
};

/// The vault.
pub const VAULT: &str = "vault";
/// A development chain.
pub const CHAIN: &str = "eip155:31337";
/// The wallet.
pub const WALLET: &str = "ops";
/// Three approvers; two must agree.
pub const APPROVERS: [&str; 3] = ["ann", "bo", "cy"];
/// Two cosigners; both must sign.
pub const COSIGNERS: [&str; 2] = ["east", "west"];
/// Two agents.
pub const AGENTS: [&str; 2] = ["trader", "buyer"];
/// A thousandth of the coin.
pub const MILLI: u128 = 1_000_000_000_000_000;
/// Above this, people must agree.
pub const ALONE: u128 = 1_000 * MILLI;
/// Above this, people must agree to a recipient who was never paid.
pub const ALONE_TO_STRANGERS: u128 = 100 * MILLI;
/// What one agent may move in a window.
pub const AGENT_CAP: u128 = 5_000 * MILLI;
/// What the vault may move in a window.
pub const VAULT_CAP: u128 = 12_000 * MILLI;
/// The length of every window, in seconds.
pub const WINDOW_S: u64 = 3_600;
/// Seconds until a case expires.
pub const CASE_TTL_S: u64 = 1_800;
/// Seconds that an approval may live.
pub const APPROVAL_TTL_S: u64 = 900;
/// The largest fee that intents agree to.
pub const FEE_CEILING: u128 = 10 * MILLI;
/// Recipients that approvers know.
pub const FRIENDS: [&str; 3] = [
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
];
/// Where an attacker wants the money to go.
pub const THIEF: &str = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb";

/// A parsed identifier of any kind.
pub fn id<T: std::str::FromStr<Err = quorate_terms::Malformed>>(text: &str) -> T {
    text.parse().unwrap()
}

fn secret(name: &str) -> SigningKey {
    let mut seed = [7; 32];
    seed.iter_mut().zip(name.bytes()).for_each(|(byte, letter)| *byte = letter);
    SigningKey::from_bytes(&seed)
}

/// The public key of whoever bears this name.
pub fn public(name: &str) -> PublicKey {
    PublicKey::from_bytes(secret(name).verifying_key().to_bytes()).unwrap()
}

/// A signature over bytes.
pub fn sign_bytes(name: &str, bytes: &[u8]) -> Signature {
    Signature::from_bytes(secret(name).sign(bytes).to_bytes())
}

/// A signature over a term's digest.
pub fn signed<T: Term>(name: &str, term: &T) -> Signature {
    sign_bytes(name, term.digest().unwrap().as_bytes())
}

/// The keys of a simulated cosigner.
pub struct Ring(pub &'static str);

impl Keys for Ring {
    fn identity(&self, digest: &Digest) -> Signature {
        sign_bytes(self.0, digest.as_bytes())
    }

    fn witness(&self, bytes: &[u8]) -> Signature {
        sign_bytes(&format!("{}-witness", self.0), bytes)
    }
}

/// The coin of the chain.
pub fn coin() -> AssetId {
    quorate_chains::native_asset(&id::<ChainId>(CHAIN)).unwrap()
}

/// An account of the chain.
pub fn account(address: &str) -> AccountId {
    id::<ChainId>(CHAIN).account(address).unwrap()
}

/// A cosigner by number.
pub fn cosigner(number: usize) -> CosignerId {
    id(COSIGNERS[number])
}

/// An agent as requester.
pub fn agent(name: &str) -> Requester {
    Requester::Agent { agent: id(name), credential: id(&format!("cred-{name}")) }
}

/// The operator as requester.
pub fn operator() -> Requester {
    Requester::Person { person: id("op") }
}

/// An agent's credential.
pub fn credential(name: &str, expires_at: Timestamp) -> AgentCredential {
    AgentCredential {
        credential: id(&format!("cred-{name}")),
        agent: id(name),
        owner: id("op"),
        band: Band::Broadcast,
        wallets: BTreeSet::from([id(WALLET)]),
        role: None,
        token: Digest::of("quorate/token/v1", name.as_bytes()),
        expires_at,
    }
}

/// The wallet to open. No product binary runs its scheme.
pub fn wallet() -> OpenWallet {
    OpenWallet {
        wallet: id(WALLET),
        chains: BTreeSet::from([id(CHAIN)]),
        scheme: SchemeName::Simulated,
        tier: Tier::Hot,
        purpose: "ops".to_owned(),
    }
}

/// The starter policy, with windows of an hour.
pub fn policy() -> PolicyDocument {
    let approvers = APPROVERS.iter().map(|a| id(a)).collect();
    let info =
        AssetInfo { asset: coin(), symbol: "DEV".to_owned(), name: "DEV".to_owned(), decimals: 18 };
    let asset = StarterAsset {
        info,
        alone: Amount::from_u128(ALONE),
        alone_to_strangers: Amount::from_u128(ALONE_TO_STRANGERS),
        agent_daily: Amount::from_u128(AGENT_CAP),
        vault_daily: Amount::from_u128(VAULT_CAP),
    };
    let mut policy = starter(id(VAULT), &approvers, &[asset]).unwrap();
    for budget in &mut policy.budgets {
        budget.window = Window::Rolling { seconds: WINDOW_S };
    }
    policy.limits.case_ttl_s = CASE_TTL_S;
    policy.limits.approval_ttl_s = APPROVAL_TTL_S;
    policy
}

/// The charter.
pub fn charter() -> CharterText {
    static CHARTER: std::sync::OnceLock<CharterText> = std::sync::OnceLock::new();
    CHARTER.get_or_init(write_charter).clone()
}

/// The empty book of the vault, compiled once.
pub fn empty_book() -> quorate_custody::Book {
    static BOOK: std::sync::OnceLock<quorate_custody::Book> = std::sync::OnceLock::new();
    BOOK.get_or_init(|| quorate_custody::Book::new(charter()).unwrap()).clone()
}

fn write_charter() -> CharterText {
    let seat = |name: &&str| CosignerSeat {
        cosigner: id(name),
        identity: public(name),
        witness: public(&format!("{name}-witness")),
        operator: format!("{name} ltd"),
    };
    let approver = |name: &&str| ApproverSeat {
        approver: id(name),
        person: id(&format!("p-{name}")),
        credential: id(&format!("key-{name}")),
        key: public(name),
        link: public(&format!("{name}-link")),
        device: None,
        passkeys: Vec::new(),
    };
    let source = |name: &str, kind| SourceSeat {
        source: id(name),
        key: public(name),
        kinds: BTreeSet::from([kind]),
    };
    CharterText {
        v: 1,
        vault: id(VAULT),
        version: 1,
        previous: None,
        threshold: 2,
        cosigners: COSIGNERS.iter().map(seat).collect(),
        approvers: APPROVERS.iter().map(approver).collect(),
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
        sources: vec![source("watch", FactKind::Finality), source("prices", FactKind::Price)],
        change_delay_s: 86_400,
        finality_depth: 3,
        policy: policy(),
    }
}
