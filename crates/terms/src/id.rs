//! Identifiers: short, lower-case, pseudonymous names. A person's real name is never an identifier.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;
use crate::error::Malformed;

/// The longest identifier, in bytes.
pub const ID_BYTES_MAX: usize = 64;

fn check(what: &str, text: &str) -> Result<(), Malformed> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if first && text.len() <= ID_BYTES_MAX && text.bytes().all(plain) {
        return Ok(());
    }
    Err(Malformed::new(
        what,
        "is not an identifier",
        "use 1 to 64 of a-z, 0-9, `-`, `_`, `.`, starting with a letter or digit",
    ))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps the text.
            ///
            /// # Errors
            /// [`Malformed`] unless it is 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`, alphanumeric first.
            pub fn new(text: impl Into<String>) -> Result<Self, Malformed> {
                let text = text.into();
                check($what, &text)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(/// A governance boundary: one policy, one set of approvers, one set of cosigners.
    VaultId, "vault");
id!(/// One threshold key on one chain family inside a vault.
    WalletId, "wallet");
id!(/// A party that holds key shares.
    CosignerId, "cosigner");
id!(/// A person's seat in approval quorums.
    ApproverId, "approver");
id!(/// A person, by pseudonym; the name is a commitment elsewhere.
    PersonId, "person");
id!(/// A program that files intents through a door.
    AgentId, "agent");
id!(/// Something one can prove possession of: a token, a key, a passkey.
    CredentialId, "credential");
id!(/// A delegation, named once in the life of a vault.
    DelegationId, "delegation");
id!(/// A named approval quorum of a policy.
    QuorumName, "quorum");
id!(/// A rule of a policy, as reasons cite it.
    RuleId, "rule");
id!(/// A budget of a policy, as reasons cite it.
    BudgetId, "budget");
id!(/// A place where people approve in a browser.
    ViewId, "view");
id!(/// One thing to be done on a checklist.
    ItemId, "item");
id!(/// An outside source of facts that the charter names.
    SourceId, "source");

/// One case: the digest of its intent. Equal intents are one case, so a repeated request never pays twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(Digest);

impl CaseId {
    /// The case of the intent with this digest.
    pub const fn of_intent(intent: Digest) -> Self {
        Self(intent)
    }

    /// The digest of the case's intent.
    pub const fn intent(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CaseId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        text.parse().map(Self).map_err(|_| {
            Malformed::new("case", "is not a case id", "give the 64 hex digits from `list_cases`")
        })
    }
}

/// The caller's own name for one request, unique per requester: 1 to 128 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks and wraps the text.
    ///
    /// # Errors
    /// [`Malformed`] unless it is 1 to 128 visible ASCII characters.
    pub fn new(text: impl Into<String>) -> Result<Self, Malformed> {
        let text = text.into();
        let visible = text.bytes().all(|b| b.is_ascii_graphic());
        if visible && (1..=128).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err(Malformed::new(
            "idempotencyKey",
            "is empty, too long or not plain text",
            "give 1 to 128 visible ASCII characters, for example a UUID",
        ))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for IdempotencyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_lower_case_and_short() {
        for good in ["a", "treasury-1", "0x.y_z"] {
            assert!(WalletId::new(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "A", "a b", "a\n", "ä", "a/b", long.as_str()] {
            assert!(WalletId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_idempotency_key_holds_no_control_characters() {
        assert!(IdempotencyKey::new("b7f0c1").is_ok());
        for bad in ["", "a b", "a\n", "é"] {
            assert!(IdempotencyKey::new(bad).is_err(), "{bad}");
        }
    }
}
