//! An authenticator and the browser before it, in memory: for faults that real ones do not produce on demand. The real one
//! is the browser's own, in the step `browser`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quorate_terms::passkey::{Assertion, Blob, Passkey, PasskeyKey, ViewSeat};
use quorate_terms::{Digest, PublicKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

/// One passkey's private half, and how often it was used.
pub(crate) struct Authenticator {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    pub(crate) counter: u32,
}

/// What the browser and the authenticator say, each of which a test may falsify.
pub(crate) struct Said {
    pub(crate) kind: String,
    pub(crate) challenge: String,
    pub(crate) origin: String,
    /// More members of the client data, each with a comma before it.
    pub(crate) beside: String,
    pub(crate) rp_id: String,
    pub(crate) flags: u8,
    pub(crate) tail: Vec<u8>,
}

impl Said {
    /// The truth at a view.
    pub(crate) fn at(view: &ViewSeat, digest: &Digest) -> Self {
        Self {
            kind: "webauthn.get".to_owned(),
            challenge: URL_SAFE_NO_PAD.encode(digest.as_bytes()),
            origin: view.origin.clone(),
            beside: r#","crossOrigin":false"#.to_owned(),
            rp_id: view.rp_id.clone(),
            flags: 0x05,
            tail: Vec::new(),
        }
    }
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { pair, random, counter: 0 }
    }

    pub(crate) fn key(&self) -> PasskeyKey {
        PasskeyKey::from_bytes(self.pair.public_key().as_ref().try_into().unwrap()).unwrap()
    }

    /// The passkey as a charter seats it.
    pub(crate) fn passkey(&self, credential: &str, view: &ViewSeat) -> Passkey {
        let handle = Digest::sha256(self.pair.public_key().as_ref());
        Passkey {
            credential: credential.parse().unwrap(),
            view: view.view.clone(),
            handle: Blob::new(handle.as_bytes().to_vec()).unwrap(),
            key: self.key(),
        }
    }

    /// Signs what is said, and counts.
    pub(crate) fn asserts(&mut self, said: &Said) -> Assertion {
        self.counter = self.counter.saturating_add(1);
        self.asserts_at(said, self.counter)
    }

    pub(crate) fn asserts_at(&self, said: &Said, counter: u32) -> Assertion {
        let Said { kind, challenge, origin, beside, rp_id, flags, tail } = said;
        let client =
            format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{beside}}}"#);
        let party = Digest::sha256(rp_id.as_bytes());
        let data = [party.as_bytes(), &[*flags][..], &counter.to_be_bytes(), tail].concat();
        let signature = self.signs(&data, Digest::sha256(client.as_bytes()).as_bytes());
        Assertion {
            authenticator_data: Blob::new(data).unwrap(),
            client_data: Blob::new(client.into_bytes()).unwrap(),
            signature: Blob::new(signature).unwrap(),
        }
    }

    /// Signs what it says of itself and the hash of what the browser says.
    pub(crate) fn signs(&self, data: &[u8], client: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&self.random, &[data, client].concat()).unwrap();
        signature.as_ref().to_vec()
    }
}

/// An Ed25519 key of this name.
fn public(name: &str) -> PublicKey {
    let seed = *Digest::sha256(name.as_bytes()).as_bytes();
    let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
    PublicKey::from_bytes(secret.verifying_key().to_bytes()).unwrap()
}

/// A view on one machine.
pub(crate) fn view(name: &str, port: u16) -> ViewSeat {
    ViewSeat {
        view: name.parse().unwrap(),
        origin: format!("http://localhost:{port}"),
        rp_id: "localhost".to_owned(),
        operator: format!("{name} ltd"),
        link: public(name),
    }
}
