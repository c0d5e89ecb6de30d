//! Passkeys (W3C Web Authentication Level 3): where people may approve in a browser, with which keys, and what an
//! authenticator says when one of them is used.
//!
//! Only assertions are read here, and of those only ES256. An assertion proves that an authenticator, which checked its
//! holder, signed one digest for one page. Everyone who counts approvals checks it alone, from the charter and these bytes.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::digest::Digest;
use crate::error::Malformed;
use crate::id::{CredentialId, ViewId};
use crate::key::{PublicKey, as_text};

/// The most bytes that a browser or an authenticator gives at once. Client data has some 130.
const BLOB_MAX: usize = 4096;
/// The longest name that an authenticator gives a credential, in bytes (section 4).
const HANDLE_MAX: usize = 1023;

/// A place where people read what is asked of them and approve it with passkeys: a server of its own, which no desk runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewSeat {
    /// Its name.
    pub view: ViewId,
    /// Its web origin as browsers write it: `https://approve.example.org`, without a path.
    pub origin: String,
    /// The relying party: the host of the origin, or a domain above it.
    pub rp_id: String,
    /// The legal entity that runs it.
    pub operator: String,
    /// Its identity on mutual-TLS links: with it, it follows the book and brings approvals.
    pub link: PublicKey,
}

/// A passkey that may approve in a seat's name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// The credential, as approvals and the book call it.
    pub credential: CredentialId,
    /// The view that it was made at. It works nowhere else.
    pub view: ViewId,
    /// What the authenticator calls it.
    pub handle: Blob,
    /// Its public key.
    pub key: PasskeyKey,
}

/// What an authenticator gave when the passkey was used (section 5.2.2, `AuthenticatorAssertionResponse`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// What it says of itself (section 6.1).
    pub authenticator_data: Blob,
    /// What the browser says of the page, JSON (section 5.8.1).
    pub client_data: Blob,
    /// ES256 over both.
    pub signature: Blob,
}

/// What the browser says of the page. Others may be told beside these.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    is_framed: bool,
    #[serde(rename = "topOrigin", default)]
    top: Option<IgnoredAny>,
}

impl ViewSeat {
    /// Checks what must hold of any view.
    ///
    /// # Errors
    /// [`Malformed`] unless the origin is `https://` and a host in lower case (or `http://localhost`, on one machine), and the
    /// relying party is that host or a domain above it.
    pub fn check(&self) -> Result<(), Malformed> {
        let bad = |field: &str, why: &str, mend: &str| {
            Err(Malformed::new(format!("view `{}`.{field}", self.view), why, mend))
        };
        let secure = self.origin.strip_prefix("https://");
        let local = self.origin.strip_prefix("http://").filter(|rest| host(rest) == "localhost");
        let Some(host) = secure.or(local).map(host) else {
            let mend = "give `https://HOST`, or `http://localhost:PORT` on one machine";
            return bad("origin", "is no secure web origin", mend);
        };
        let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-.:".contains(&c);
        let rest = self.origin.split_once("://").map_or("", |(_, rest)| rest);
        if host.is_empty() || !rest.bytes().all(is_plain) {
            let mend = "give scheme, host and port in lower case, without a path";
            return bad("origin", "is not as browsers write it", mend);
        }
        let above = host.strip_suffix(self.rp_id.as_str());
        if self.rp_id.is_empty()
            || !above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        {
            return bad("rp_id", "is not the origin's host or above it", "give the origin's host");
        }
        if self.operator.trim().is_empty() {
            return bad("operator", "is empty", "name the legal entity that runs the view");
        }
        Ok(())
    }
}

impl ViewSeat {
    /// Whether people reach it only on the machine that it runs on.
    pub fn is_local(&self) -> bool {
        self.origin.split_once("://").is_some_and(|(_, rest)| {
            let host = host(rest);
            let is_loopback = host.parse::<Ipv4Addr>().is_ok_and(|at| at.is_loopback());
            host == "localhost" || host.ends_with(".localhost") || is_loopback
        })
    }
}

/// The host of what follows a scheme.
fn host(rest: &str) -> &str {
    rest.split_once(':').map_or(rest, |(host, _)| host)
}

impl Assertion {
    /// Checks that `key` signed `digest` at `view`, with its holder present and verified (section 7.2). Gives the
    /// authenticator's signature counter; zero from one that does not count.
    ///
    /// # Errors
    /// [`Malformed`] naming the first step that fails.
    pub fn check(
        &self,
        view: &ViewSeat,
        key: &PasskeyKey,
        digest: &Digest,
    ) -> Result<u32, Malformed> {
        self.check_client(view, digest)?;
        let counter = self.check_authenticator(view)?;
        let hash = Digest::sha256(self.client_data.as_bytes());
        let signed = [self.authenticator_data.as_bytes(), hash.as_bytes()].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.as_bytes());
        if key.verify(&signed, self.signature.as_bytes()).is_ok() {
            return Ok(counter);
        }
        bad("signature", "is not by the seated passkey", "approve with the passkey of this seat")
    }

    fn check_client(&self, view: &ViewSeat, digest: &Digest) -> Result<(), Malformed> {
        let Ok(client) = serde_json::from_slice::<ClientData>(self.client_data.as_bytes()) else {
            return bad("client_data", "cannot be read", "approve again, in another browser");
        };
        let challenge = URL_SAFE_NO_PAD.encode(digest.as_bytes());
        if client.kind != "webauthn.get" {
            return bad("client_data.type", "is not `webauthn.get`", "approve on the case's page");
        }
        if !is_same(client.challenge.as_bytes(), challenge.as_bytes()) {
            let mend = "open the case again and approve what it shows";
            return bad("client_data.challenge", "is over something else", mend);
        }
        if client.origin != view.origin || client.is_framed || client.top.is_some() {
            let mend = "approve at a view that the charter names, and tell the operators";
            return bad("client_data.origin", "is another page than the view's own", mend);
        }
        Ok(())
    }

    fn check_authenticator(&self, view: &ViewSeat) -> Result<u32, Malformed> {
        let Some((party, flags, counter)) = self.authenticator() else {
            let mend = "approve again, with another authenticator";
            return bad("authenticator_data", "cannot be read", mend);
        };
        if !is_same(party, Digest::sha256(view.rp_id.as_bytes()).as_bytes()) {
            let mend = "approve at a view that the charter names, and tell the operators";
            return bad("authenticator_data.rp_id_hash", "is another relying party", mend);
        }
        if flags & PRESENT == 0 || flags & VERIFIED == 0 {
            let mend = "approve with a device that asks for a PIN, a finger or a face";
            return bad(
                "authenticator_data.flags",
                "do not say that the holder was verified",
                mend,
            );
        }
        if flags & ATTESTED != 0 {
            let mend = "approve with the passkey; do not make a new one";
            return bad("authenticator_data.flags", "are those of a new passkey", mend);
        }
        Ok(counter)
    }

    /// How often the authenticator says that this passkey was used. Nothing is checked here.
    pub fn counter(&self) -> Option<u32> {
        self.authenticator().map(|(_, _, counter)| counter)
    }

    /// The hash of the relying party, the flags and the counter.
    fn authenticator(&self) -> Option<(&[u8; 32], u8, u32)> {
        let (party, rest) = self.authenticator_data.as_bytes().split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (counter, rest) = rest.split_first_chunk::<4>()?;
        // Nothing follows but what the flags announce: a new credential or extensions.
        let is_whole = rest.is_empty() == (flags & (ATTESTED | EXTENSIONS) == 0);
        is_whole.then_some((party, *flags, u32::from_be_bytes(*counter)))
    }
}

/// Flags of authenticator data (section 6.1): a touch, a verified holder, a new credential, extensions.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

fn bad<T>(field: &str, why: &str, mend: &str) -> Result<T, Malformed> {
    Err(Malformed::new(format!("assertion.{field}"), why, mend))
}

fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A P-256 public key; in JSON `p256:` and 87 characters of base64url: the uncompressed point (SEC 1, section 2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PasskeyKey([u8; 65]);

/// What stands before the point in a `SubjectPublicKeyInfo` of a P-256 key (RFC 5480): two algorithm names and two lengths.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl PasskeyKey {
    /// Wraps an uncompressed point. Whether it lies on the curve shows when it is used: one that does not verifies nothing.
    ///
    /// # Errors
    /// [`Malformed`] for another form.
    pub fn from_bytes(bytes: [u8; 65]) -> Result<Self, Malformed> {
        if bytes.first() == Some(&4) { Ok(Self(bytes)) } else { Err(not_a_key()) }
    }

    /// The key that a browser gives for a new passkey (`getPublicKey`), DER.
    ///
    /// # Errors
    /// [`Malformed`] for a key of another kind.
    pub fn from_spki(der: &[u8]) -> Result<Self, Malformed> {
        let point = der.strip_prefix(&SPKI_HEAD).and_then(|point| point.try_into().ok());
        Self::from_bytes(point.ok_or_else(not_a_key)?)
    }

    /// The uncompressed point.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }
}

fn not_a_key() -> Malformed {
    Malformed::new("key", "is not a P-256 public key", "give `p256:` and base64url")
}

impl fmt::Display for PasskeyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p256:{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for PasskeyKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let body = text.strip_prefix("p256:").ok_or_else(not_a_key)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| not_a_key())?;
        Self::from_bytes(bytes.try_into().map_err(|_| not_a_key())?)
    }
}

/// Bytes that only authenticators and browsers understand; in JSON base64url without padding, at most 4096 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(Vec<u8>);

impl Blob {
    /// Wraps bytes.
    ///
    /// # Errors
    /// [`Malformed`] when there are too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Malformed> {
        if bytes.len() <= BLOB_MAX {
            return Ok(Self(bytes));
        }
        Err(Malformed::new("bytes", "are more than 4096", "approve again, in another browser"))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this can be what an authenticator calls a credential.
    pub fn is_handle(&self) -> bool {
        (16..=HANDLE_MAX).contains(&self.0.len())
    }
}

impl fmt::Display for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl FromStr for Blob {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let decoded = URL_SAFE_NO_PAD.decode(text);
        Self::new(decoded.map_err(|_| {
            Malformed::new("bytes", "are not base64url", "give base64url without padding")
        })?)
    }
}

as_text!(PasskeyKey);
as_text!(Blob);
