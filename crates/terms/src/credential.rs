//! What a credential allows: an agent's a band of tools, a person's a role; wallets, an expiry.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::canonical::to_bytes;
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::id::{AgentId, CredentialId, PersonId, WalletId};
use crate::time::Timestamp;

/// A capability band. Bands are cumulative: each includes those before it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Look: balances, prices, fees, assets, status, history.
    #[default]
    Read,
    /// Compose unsigned transactions; reserves nothing.
    Prepare,
    /// Ask for a signature, under policy.
    Sign,
    /// Ask for a signature and publication, under policy.
    Broadcast,
}

impl Band {
    /// Every band, weakest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Prepare, Self::Sign, Self::Broadcast];

    /// The band's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Prepare => "prepare",
            Self::Sign => "sign",
            Self::Broadcast => "broadcast",
        }
    }

    /// Reads a list such as `read,prepare`: every band up to the highest, in order, no gap; `full` means all.
    ///
    /// # Errors
    /// [`Malformed`] for an empty value, an unknown band, a gap, or a repetition. There is no default here: who starts
    /// a server with a list has said which bands it wants.
    pub fn from_list(text: &str) -> Result<Self, Malformed> {
        let mend = "give `read`, `read,prepare`, `read,prepare,sign`, `read,prepare,sign,broadcast` or `full`";
        if text == "full" {
            return Ok(Self::Broadcast);
        }
        let mut highest = None;
        for (expected, word) in
            Self::ALL.iter().map(Some).chain(std::iter::repeat(None)).zip(text.split(','))
        {
            let band: Self = word.trim().parse()?;
            if expected != Some(&band) {
                return Err(Malformed::new(
                    "bands",
                    "has a gap, a repetition or another order",
                    mend,
                ));
            }
            highest = Some(band);
        }
        highest.ok_or_else(|| Malformed::new("bands", "is empty", mend))
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Band {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|band| band.as_str() == text).ok_or_else(|| {
            Malformed::new(
                "bands",
                "names an unknown band",
                "use `read`, `prepare`, `sign`, `broadcast`",
            )
        })
    }
}

/// What a person may do at the console and over HTTP with a credential of their own. Owners and approvers hold seats in the
/// charter instead: no role moves funds, raises a limit or approves anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything that the desk shows.
    Viewer,
    /// Looks, and takes entries and receipts away to verify them elsewhere.
    Auditor,
    /// Also files intents in their own name, takes and closes alerts.
    Operator,
}

impl Role {
    /// Every role, weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Auditor, Self::Operator];

    /// The role's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| {
            Malformed::new("role", "is unknown", "use `viewer`, `auditor` or `operator`")
        })
    }
}

/// A credential, of an agent or of a person, as the ledger remembers it. The token itself is never stored, only its tagged hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentCredential {
    /// The credential.
    pub credential: CredentialId,
    /// The program that holds it.
    pub agent: AgentId,
    /// The person who answers for the program.
    pub owner: PersonId,
    /// The highest band.
    pub band: Band,
    /// The wallets that it may name.
    pub wallets: BTreeSet<WalletId>,
    /// What its owner may do with it in person; none when it is an agent's. A person's credential opens no MCP door.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// How its holder is known: `Digest::of(tag::TOKEN, token)`, or [`subject_digest`] where an authorization server vouches.
    pub token: Digest,
    /// When it lapses. There is no credential without an end.
    pub expires_at: Timestamp,
}

/// The longest issuer or subject, in bytes.
const SUBJECT_BYTES_MAX: usize = 512;

/// What stands in place of a token's hash where an authorization server vouches for the holder: the tagged hash of the canonical
/// `[issuer, subject]`. No token can hash to it.
///
/// # Errors
/// [`Malformed`] when one of them is empty or longer than 512 bytes.
pub fn subject_digest(issuer: &str, subject: &str) -> Result<Digest, Malformed> {
    for (field, text) in [("issuer", issuer), ("subject", subject)] {
        if text.is_empty() || text.len() > SUBJECT_BYTES_MAX {
            let mend = format!("give 1 to {SUBJECT_BYTES_MAX} bytes");
            return Err(Malformed::new(field, "is empty or too long", mend));
        }
    }
    Ok(Digest::of(tag::SUBJECT, &to_bytes(&(issuer, subject), "subject")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn band_lists_are_cumulative_without_gaps() {
        for (text, band) in [
            ("read", Band::Read),
            ("read,prepare", Band::Prepare),
            ("read, prepare, sign", Band::Sign),
            ("read,prepare,sign,broadcast", Band::Broadcast),
            ("full", Band::Broadcast),
        ] {
            assert_eq!(Band::from_list(text).unwrap(), band, "{text}");
        }
    }

    #[test]
    fn a_subject_is_its_issuers_and_no_token_can_pass_for_it() {
        let named = |issuer, subject| subject_digest(issuer, subject).unwrap();
        let one = named("https://as.example", "bot");
        // python3 -c 'import hashlib; print(hashlib.sha256(b"quorate/subject/v1\n[\"https://as.example\",\"bot\"]").hexdigest())'
        assert_eq!(
            one.to_string(),
            "5c2517f648079e9de5f6b82273b4ce865cda84088879ae06ced159ab66c229ef"
        );
        assert_ne!(one, named("https://as.example", "bot2"));
        assert_ne!(one, named("https://as.example/", "bot"));
        assert_ne!(named("a", "bc"), named("ab", "c"));
        assert_ne!(one, Digest::of(tag::TOKEN, br#"["https://as.example","bot"]"#));
        for (issuer, subject) in [("", "bot"), ("https://as.example", "")] {
            assert!(subject_digest(issuer, subject).is_err());
        }
        assert!(subject_digest("https://as.example", &"x".repeat(513)).is_err());
    }

    #[test]
    fn an_unknown_band_a_gap_or_an_empty_value_is_refused() {
        for bad in [
            "",
            " ",
            ",",
            "read,",
            "sign",
            "read,sign",
            "prepare,read",
            "read,read",
            "admin",
            "READ",
            "read,prepare,sign,broadcast,read",
            "full,read",
        ] {
            assert!(Band::from_list(bad).is_err(), "{bad}");
        }
    }
}
