//! A vault's book, entry by entry, under real keys: what a desk has on its disk.

use std::path::Path;

use quorate_host::{Clock as _, Identity, SystemClock};
use quorate_ledger::{
    Checkpoint, Frontier, KeyKind, LogPolicy, VerifierKey, WitnessKey, chain, cosignature, hash,
};
use quorate_terms::charter::CharterText;
use quorate_terms::{Digest, Term as _, canonical};
use serde_json::{Value, json};

/// The cosigners, who are the witnesses.
pub(crate) const COSIGNERS: [&str; 2] = ["east", "west"];

/// A book and the keys that vouch for it.
#[derive(Clone)]
pub(crate) struct Vault {
    pub(crate) name: String,
    pub(crate) entries: Vec<Vec<u8>>,
    /// Whose keys sign; another name means other keys.
    pub(crate) keys: String,
    pub(crate) prev: Digest,
    at: u64,
}

/// A key that a name always gives.
pub(crate) fn identity(name: &str) -> Identity {
    Identity::from_seed(Digest::sha256(name.as_bytes()).as_bytes()).unwrap()
}

fn charter(name: &str) -> Value {
    json!({ "v": 1, "vault": name, "note": "what the operators compared" })
}

impl Vault {
    /// A vault with its first entry, founded an hour ago.
    pub(crate) fn found(name: &str) -> Self {
        Self::founded_ago(name, 3_600)
    }

    /// A vault with its first entry of so many seconds ago.
    pub(crate) fn founded_ago(name: &str, seconds: u64) -> Self {
        let ago = seconds.saturating_mul(1000);
        let at = SystemClock::new().now().as_millis().saturating_sub(ago);
        let mut vault = Self {
            name: name.into(),
            entries: Vec::new(),
            keys: name.into(),
            prev: Digest::ZERO,
            at,
        };
        vault.add(json!({ "type": "Founded", "charter": charter(name) }));
        vault
    }

    /// Adds one entry, a second after the one before.
    pub(crate) fn add(&mut self, body: Value) {
        self.at = self.at.saturating_add(1000);
        let (index, prev, at) = (self.entries.len(), self.prev, self.at);
        let (vault, rules) = (&self.name, "quorate/1");
        let entry = json!({
            "v": 1, "vault": vault, "index": index, "prev": prev, "at": at, "rules": rules, "body": body,
        });
        let bytes = canonical::to_bytes(&entry, "entry").unwrap();
        self.prev = chain::entry_digest(&bytes);
        self.entries.push(bytes);
    }

    /// Adds a key made by its holders together, or by somebody alone.
    pub(crate) fn add_key(&mut self, wallet: &str, method: &str) {
        let statement = json!({ "body": { "transcript": "sha256:aa" } });
        self.add(json!({
            "type": "KeyGenerated", "wallet": wallet, "case": "c", "ceremony": "k", "method": method,
            "scheme": "dkls23", "library": "dkls23-core 0.6.2", "threshold": 2, "shares": 2, "holders": COSIGNERS,
            "purpose": "treasury", "public_key": "02", "statements": [statement, statement],
        }));
    }

    /// Adds an entry that no question reads.
    pub(crate) fn add_noise(&mut self) {
        self.add(json!({ "type": "Noise", "text": "x".repeat(200) }));
    }

    pub(crate) fn origin(&self) -> String {
        format!("{}.example/book", self.name)
    }

    pub(crate) fn key(&self, who: &str) -> Identity {
        identity(&format!("{}/{who}", self.keys))
    }

    fn witness(&self, who: &str) -> VerifierKey {
        let name = format!("{}/{who}", self.origin());
        VerifierKey::new(name, KeyKind::Witness, self.key(who).public_key()).unwrap()
    }

    /// What an auditor pins.
    pub(crate) fn policy(&self) -> LogPolicy {
        let charter = canonical::to_bytes(&charter(&self.name), "charter").unwrap();
        let witness =
            |who: &&str| WitnessKey { key: self.witness(who), operator: format!("{who} ltd") };
        LogPolicy {
            v: 1,
            vault: self.name.parse().unwrap(),
            charter: Digest::of(CharterText::TAG, &charter),
            log: VerifierKey::new(self.origin(), KeyKind::Log, self.key("log").public_key())
                .unwrap(),
            witnesses: COSIGNERS.iter().map(witness).collect(),
            quorum: 2,
        }
    }

    pub(crate) fn head(&self) -> Checkpoint {
        let mut frontier = Frontier::new();
        self.entries.iter().for_each(|bytes| frontier.append(hash::leaf(bytes)));
        Checkpoint { origin: self.origin(), size: frontier.size(), root: frontier.root() }
    }

    /// The note of the head, cosigned by these.
    pub(crate) fn note(&self, witnesses: &[&str]) -> String {
        let log = self.key("log");
        let key = VerifierKey::new(self.origin(), KeyKind::Log, log.public_key()).unwrap();
        let mut note = self.head().sign(&key, |bytes| log.sign_bytes(bytes));
        for who in witnesses {
            let key = self.key(who);
            let line =
                cosignature::cosign(&self.witness(who), self.at / 1000, &note.text, |bytes| {
                    key.sign_bytes(bytes)
                });
            note.signatures.push(line);
        }
        note.to_string()
    }

    /// Writes the export, one entry a line.
    pub(crate) fn export(&self, path: &Path) {
        let mut bytes = self.entries.join(&b'\n');
        bytes.push(b'\n');
        std::fs::write(path, bytes).unwrap();
    }
}
