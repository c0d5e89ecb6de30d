//! Whether a mark still stands: a list that the issuer signs often, and that may only be so old.

use std::collections::BTreeMap;

use quorate_terms::{Malformed, PublicKey, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use super::dsse::{self, Envelope, Signer};

/// The most places that one list has.
const PLACES_MAX: u64 = 1_000_000;

/// Every mark of one register that was withdrawn. A place that is not named stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusList {
    /// Format version, 1.
    pub v: u8,
    /// The list's name.
    pub list: String,
    /// How many marks the register had issued. A place beyond it was never issued under this list.
    pub places: u64,
    /// Withdrawals, by place.
    pub withdrawn: BTreeMap<u64, Withdrawal>,
    /// How many entries of the register the list takes in: a withdrawal is an entry there first.
    pub register_size: u64,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// After this it tells nothing.
    pub fresh_until: Timestamp,
}

/// Why a mark does not stand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// For good, or for a time.
    pub standing: Standing,
    /// Since when.
    pub at: Timestamp,
    /// Why, in plain words that may be published.
    pub reason: String,
    /// The entry of the register that says so.
    pub entry: u64,
}

/// How a withdrawn mark stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// For a time; the issuer may lift it.
    Suspended,
    /// For good.
    Revoked,
}

impl Standing {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

impl StatusList {
    /// The signed form.
    ///
    /// # Errors
    /// [`Malformed`] for a list that [`StatusList::open`] would refuse.
    pub fn seal(&self, issuer: &Signer<'_>) -> Result<Envelope, Malformed> {
        self.check()?;
        let bytes = canonical::to_bytes(self, "status list")?;
        Ok(Envelope::seal(dsse::STATUS_LIST, &bytes, &[Signer { key: issuer.key, ..*issuer }]))
    }

    /// Reads a list that `issuer` signed.
    ///
    /// # Errors
    /// [`Malformed`] for anything else; the message says which.
    pub fn open(envelope: &Envelope, issuer: &PublicKey) -> Result<Self, Malformed> {
        let bad = |why: &str| Err(Malformed::new("status list", why, "fetch the list again"));
        if envelope.payload_type != dsse::STATUS_LIST {
            return bad("is another kind of document");
        }
        if !envelope.is_signed_by(issuer)? {
            return bad("is not signed by the issuer");
        }
        let list: Self = canonical::from_bytes(&envelope.payload()?, "status list")?;
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), Malformed> {
        let bad = |why: &str| Err(Malformed::new("status list", why, "fetch the list again"));
        if self.v != 1 {
            return bad("is of a version that this program does not know");
        }
        if self.places > PLACES_MAX || self.withdrawn.keys().any(|place| *place >= self.places) {
            return bad("names places that it does not have");
        }
        if self.fresh_until <= self.signed_at {
            return bad("ends before it begins");
        }
        if self.withdrawn.values().any(|w| w.entry >= self.register_size) {
            return bad("names an entry that its register does not have");
        }
        Ok(())
    }
}
