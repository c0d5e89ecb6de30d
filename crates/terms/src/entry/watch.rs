//! Entries about the machines: alarms, heartbeats, configuration, clocks, witnesses.

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, tag};
use crate::id::{CaseId, PersonId};
use crate::time::Timestamp;

/// How urgent an alert is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at it today.
    Low,
    /// Look at it now.
    High,
    /// Signing has stopped.
    Critical,
}

/// A rule fired.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlertRaised {
    /// The alert.
    pub alert: Digest,
    /// The rule that fired (`void_entry`, `rollback`, `clock_skew`, `clock_jump`, `tools_changed`, `repeated_abort`, ..).
    pub rule: String,
    /// How urgent it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: String,
}

impl AlertRaised {
    /// An alert that is named by its rule and what it is about, so that while one is open there is no second.
    #[must_use]
    pub fn of(rule: &str, severity: Severity, subject: String) -> Self {
        let alert = named(&format!("{rule} {subject}"));
        Self { alert, rule: rule.to_owned(), severity, subject }
    }

    /// An alert of this moment, which is named so too: the same a second later is another one.
    #[must_use]
    pub fn at(rule: &str, severity: Severity, subject: String, at: Timestamp) -> Self {
        let alert = named(&format!("{rule} {subject} {at}"));
        Self { alert, rule: rule.to_owned(), severity, subject }
    }
}

fn named(words: &str) -> Digest {
    Digest::of(tag::ENTRY, words.as_bytes())
}

/// A person took an alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlertAcknowledged {
    /// The alert.
    pub alert: Digest,
    /// The person.
    pub person: PersonId,
}

/// A person ended an alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlertClosed {
    /// The alert.
    pub alert: Digest,
    /// The person.
    pub person: PersonId,
    /// What came of it, as a short code.
    pub disposition: String,
}

/// A desk or cosigner reported in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Who.
    pub source: String,
    /// One more each time.
    pub sequence: u64,
}

/// A binary began to run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deployed {
    /// A pseudonym of the host.
    pub host: Digest,
    /// `desk` or `cosigner:<id>`.
    pub role: String,
    /// SHA-256 of the binary.
    pub binary: Digest,
    /// Its version.
    pub release: String,
}

/// A party captured its running configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfigurationCaptured {
    /// Who.
    pub party: String,
    /// Digest of the values.
    pub digest: Digest,
    /// Digest of the values before.
    pub previous: Option<Digest>,
    /// Names as in the evidence model (`cosigner.presignatures`), values as JSON.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// A party compared its clock with another's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClockChecked {
    /// Who.
    pub party: String,
    /// Its clock minus the other's, in milliseconds.
    pub offset_ms: i64,
    /// Whose clocks it was compared with.
    pub sources: Vec<String>,
}

/// An outside witness cosigned a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckpointWitnessed {
    /// The size.
    pub size: u64,
    /// The root.
    pub root: Digest,
    /// The witness.
    pub witness: String,
    /// The legal entity that runs it.
    pub operator: String,
}

/// A party saw a shorter or different log than it knew.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RollbackDetected {
    /// Who.
    pub party: String,
    /// The size that it knew.
    pub expected_size: u64,
    /// The size that it was shown.
    pub found_size: u64,
}

/// Salted values were destroyed; proofs remain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Erased {
    /// Whose.
    pub subject: String,
    /// The case.
    pub case: Option<CaseId>,
    /// Digests of the commitments whose openings were destroyed.
    pub fields: Vec<Digest>,
}

/// A person changed the settings, host or software of a party.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AdminActed {
    /// The person.
    pub person: PersonId,
    /// The party.
    pub party: String,
    /// What was done, as a short code.
    pub action: String,
    /// The case.
    pub case: Option<CaseId>,
}

/// The rules version changed with an upgrade.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RulesChanged {
    /// The version before.
    pub from: String,
    /// The version from here on.
    pub to: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ledgers hold digests that were made so: an alert that is open in one must not be raised beside itself.
    #[test]
    fn an_alert_is_named_by_the_bytes_by_which_it_always_was() {
        let of = |words: &str| Digest::of("quorate/entry/v1", words.as_bytes());
        let (rule, subject) = ("clock_skew", "c1".to_owned());
        let raised = AlertRaised::of(rule, Severity::Low, subject.clone());
        assert_eq!(raised.alert, of("clock_skew c1"));
        let at = Timestamp::from_millis(1_767_614_400_000);
        let raised = AlertRaised::at(rule, Severity::Critical, subject, at);
        assert_eq!(raised.alert, of(&format!("clock_skew c1 {at}")));
        assert_eq!((raised.rule.as_str(), raised.subject.as_str()), ("clock_skew", "c1"));
    }
}
