//! The Ed25519 key by which a process is known to the others.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use quorate_terms::{Digest, PublicKey, Signature};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::random::Random;
use crate::{secret::Secret, secret_file};

/// What stands before the seed in an identity file.
const PREFIX: &str = "quorate-identity/1 ";

/// A PKCS#8 private key is this, then the seed (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The key pair of a process. Others pin [`Identity::public_key`]; it is also the fingerprint that operators compare.
///
/// It proves who speaks on a link and signs what the process says. It holds no funds: shares are sealed, and this is a
/// 0600 file so that a process can start without a person.
pub struct Identity {
    key: SigningKey,
    public: PublicKey,
}

impl Identity {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`Fault`] when the machine has no randomness.
    pub fn generate(random: Random) -> Result<Self, Fault> {
        Self::from_seed(&*random.secret::<32>()?)
    }

    /// The identity of a seed that the caller keeps.
    ///
    /// # Errors
    /// [`Fault`] when the key is one that nobody may use (never with a random seed).
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Fault> {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
        let public = public.map_err(|e| Fault::new("identity", e.why(), "draw a new one"))?;
        Ok(Self { key, public })
    }

    /// Draws a new key and writes it to a file of its owner's only; refuses to replace one.
    ///
    /// # Errors
    /// As [`secret_file::create`].
    pub fn create(path: &Path, random: Random) -> Result<Self, Fault> {
        let identity = Self::generate(random)?;
        let seed = Zeroizing::new(identity.key.to_bytes());
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(seed.as_slice()));
        let line = Zeroizing::new([PREFIX, text.as_str(), "\n"].concat());
        secret_file::create(path, line.as_bytes(), random)?;
        Ok(identity)
    }

    /// Reads the key back.
    ///
    /// # Errors
    /// As [`secret_file::read`], and when the file holds no identity.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let bytes = secret_file::read(path)?;
        let seed = parse(bytes).ok_or_else(|| {
            let mend = "restore the file, or make a new identity and pair it again";
            Fault::new(path.display().to_string(), "is not an identity file", mend)
        })?;
        Self::from_seed(&seed)
    }

    /// The public key: what others pin.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs a digest.
    #[must_use]
    pub fn sign(&self, digest: &Digest) -> Signature {
        self.sign_bytes(digest.as_bytes())
    }

    /// Signs bytes, for formats that sign text (C2SP signed notes). The caller gives them a domain of their own.
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> Signature {
        Signature::from_bytes(self.key.sign(bytes).to_bytes())
    }

    /// The private key in the form that TLS takes.
    pub(crate) fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let seed = Zeroizing::new(self.key.to_bytes());
        Zeroizing::new([PKCS8_PREFIX.as_slice(), seed.as_slice()].concat())
    }
}

fn parse(bytes: Secret) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = bytes.without_line_break();
    let text = bytes.expose().strip_prefix(PREFIX.as_bytes())?;
    let mut seed = Zeroizing::new([0; 32]);
    let length = URL_SAFE_NO_PAD.decode_slice(text, seed.as_mut()).ok()?;
    (length == 32).then_some(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn an_identity_is_the_same_after_reading_it_back() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("identity");
        let random = Random::start().unwrap();
        let made = Identity::create(&path, random).unwrap();
        let read = Identity::load(&path).unwrap();
        assert_eq!(made.public_key(), read.public_key());
        let digest = Digest::of("quorate/test/v1", b"x");
        assert!(made.public_key().verifies(&digest, &read.sign(&digest)));
        assert!(Identity::create(&path, random).is_err(), "never replaced");
        assert_ne!(Identity::generate(random).unwrap().public_key(), made.public_key());
    }

    #[test]
    fn a_file_that_is_no_identity_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("identity");
        let random = Random::start().unwrap();
        for content in ["", "hunter2", "quorate-identity/1 AAAA\n", "quorate-identity/2 AAAA\n"] {
            secret_file::replace(&path, content.as_bytes(), random).unwrap();
            let fault = Identity::load(&path).err().unwrap().to_string();
            assert!(fault.contains("identity file") && !fault.contains("hunter2"), "{fault}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(Secret::new(bytes));
        }
    }
}
