//! What the auditor's office remembers: entries of its own ledger, in the outer form of every ledger of the house.

use std::collections::BTreeMap;

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, PersonId, PublicKey, Signature, Term, Timestamp, VaultId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::assess::Reached;
use crate::evidence::model::{Model, Origin};
use crate::finding::{EntryRef, EvidenceRef, Finding, Head, Period};
use crate::standard::{ControlKey, StandardKey};

/// The version of the rules by which this build assesses.
pub const RULES_VERSION: &str = "quorate-assessor/1";
/// The most fields of one attestation.
const FIELDS_MAX: usize = 64;
/// The longest text of one field, in bytes.
const FIELD_BYTES_MAX: usize = 4096;

/// One numbered line of the office's ledger. The outer fields are those of `docs/spec/entry.md`; `vault` names the office.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Format version, 1.
    pub v: u8,
    /// The office.
    pub vault: VaultId,
    /// Place in the ledger, from 0.
    pub index: u64,
    /// Digest of the line before.
    pub prev: Digest,
    /// When, never before the line before.
    pub at: Timestamp,
    /// [`RULES_VERSION`].
    pub rules: String,
    /// What happened.
    pub body: Record,
}

impl Term for Line {
    const TAG: &'static str = tag::ENTRY;
}

/// What happened in the office. In JSON the kind stands in `type`, the fields beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Record {
    /// The office was opened.
    OfficeOpened {
        /// The origin of this ledger.
        origin: String,
        /// The key that signs its checkpoints, findings and marks.
        key: PublicKey,
    },
    /// A book was pinned: from now on only entries under its keys count.
    BookPinned {
        /// The vault.
        vault: VaultId,
        /// The origin of its ledger.
        origin: String,
        /// Digest of its founding charter, compared out of band.
        charter: Digest,
    },
    /// A book was followed to a verified, witnessed head.
    BookReached {
        /// The head.
        head: Head,
        /// The newest entry's time.
        newest: Timestamp,
    },
    /// A named person said something about the outside world.
    Attested(Box<Attestation>),
    /// Somebody showed something for a control and an auditor took it in.
    EvidenceShown {
        /// The control.
        control: ControlKey,
        /// What was shown.
        evidence: EvidenceRef,
        /// Who took it in.
        by: PersonId,
    },
    /// Controls were assessed.
    Assessed {
        /// The standard.
        standard: StandardKey,
        /// SHA-256 of the results file.
        results: Digest,
        /// The level that was sought.
        sought: Option<String>,
        /// What was reached.
        reached: Option<String>,
        /// The heads that it rests on.
        heads: Vec<Head>,
    },
    /// A step of an audit.
    Audited(Box<crate::audit::Line>),
    /// Values about people in an audit's exhibits were destroyed. Commitments and proofs stay.
    Erased {
        /// The audit.
        audit: String,
        /// Digests of the commitments whose openings are gone.
        fields: Vec<Digest>,
        /// Who saw to it.
        by: PersonId,
        /// Why, without the values.
        why: String,
    },
    /// A register gave out a place for a mark that an assessor may claim.
    MarkOffered {
        /// The mark's name.
        mark: String,
        /// The status list.
        list: String,
        /// The place in it.
        place: u64,
    },
    /// An assessor signed a claim and handed it to its issuer.
    MarkClaimed {
        /// The mark's name.
        mark: String,
        /// The audit that it rests on.
        audit: String,
        /// SHA-256 of the results.
        results: Digest,
        /// SHA-256 of the statement that was signed.
        statement: Digest,
    },
    /// An issuer signed a mark: this line is what a mark file proves.
    MarkIssued {
        /// The mark's name.
        mark: String,
        /// SHA-256 of the envelope's canonical bytes, both signatures in it.
        envelope: Digest,
    },
    /// A mark was suspended or revoked.
    MarkWithdrawn {
        /// The mark's name.
        mark: String,
        /// For a time or for good.
        standing: crate::mark::Standing,
        /// Why, in plain words that may be published.
        reason: String,
    },
    /// A suspension was lifted.
    MarkReinstated {
        /// The mark's name.
        mark: String,
        /// Why.
        reason: String,
    },
    /// A control's finding changed while watching.
    FindingChanged {
        /// The control.
        control: ControlKey,
        /// What it was; none the first time.
        before: Option<crate::finding::State>,
        /// What it is.
        after: crate::finding::State,
    },
    /// A control broke, or is no longer shown, while it was watched: somebody should look.
    AlertRaised {
        /// The control.
        control: ControlKey,
        /// What it is now.
        state: crate::finding::State,
        /// Why, in plain words.
        why: String,
        /// The entry that shows it, if one does.
        entry: Option<EntryRef>,
    },
    /// Something was given out as a book, or as the next of it, and was refused.
    BookRefused {
        /// The vault whose book it claimed to be.
        vault: VaultId,
        /// What was wrong with it.
        why: String,
    },
}

/// What a person said, in the fields of one attested kind of the evidence model, signed by that person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// What was said.
    pub body: AttestationBody,
    /// The person's key.
    pub key: PublicKey,
    /// The person's signature over the body's digest.
    pub signature: Signature,
}

/// The signed part of an attestation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationBody {
    /// Format version, 1.
    pub v: u8,
    /// The office that it was given to.
    pub office: VaultId,
    /// The kind, one of the evidence model's attested kinds.
    pub kind: String,
    /// Who says it, by pseudonym.
    pub person: PersonId,
    /// The moment that it speaks about, which is not the moment of saying.
    pub represents: Timestamp,
    /// The fields.
    pub fields: BTreeMap<String, Json>,
}

impl Term for AttestationBody {
    const TAG: &'static str = tag::ATTESTATION;
}

impl AttestationBody {
    /// Checks kind and fields against the model.
    ///
    /// # Errors
    /// [`Malformed`] naming the field, with the fields that the kind has.
    pub fn check(&self, model: &Model) -> Result<(), Malformed> {
        let attested = |name: &str| model.kind(name).filter(|k| k.origin == Origin::Attested);
        let Some(kind) = attested(&self.kind) else {
            let mend = "give one of the attested kinds of standards/evidence/model.toml";
            return Err(Malformed::new("kind", "is nothing that people attest", mend));
        };
        if self.fields.len() > FIELDS_MAX {
            return Err(Malformed::new("fields", "are too many", "give the fields of the kind"));
        }
        for (name, value) in &self.fields {
            if !kind.fields.contains(name) {
                let mend = format!("{} has {}", kind.name, kind.fields.join(", "));
                return Err(Malformed::new(name, "is no field of this kind", mend));
            }
            if value.is_f64() || value.to_string().len() > FIELD_BYTES_MAX {
                let mend = "write a ratio as text; file long text as evidence instead";
                return Err(Malformed::new(name, "is a float or too long", mend));
            }
        }
        if self.fields.is_empty() {
            let mend = format!("{} has {}", kind.name, kind.fields.join(", "));
            return Err(Malformed::new("fields", "are missing", mend));
        }
        Ok(())
    }
}

impl Attestation {
    /// Whether the person's key signed the body.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a body that was read.
    pub fn is_signed(&self) -> Result<bool, Malformed> {
        Ok(self.key.verifies(&self.body.digest()?, &self.signature))
    }

    /// The body as a row's fields, with the kind in `type` as entries have it.
    pub fn row(&self) -> Json {
        let mut row: serde_json::Map<String, Json> =
            self.body.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        row.insert("type".to_owned(), Json::String(self.body.kind.clone()));
        Json::Object(row)
    }
}

/// What one run of an assessment found, as one file. A mark names it by SHA-256.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Format version, 1.
    pub v: u8,
    /// The standard.
    pub standard: StandardKey,
    /// Digest of the catalogue that was used.
    pub catalogue: Digest,
    /// Whether the publisher issued that text.
    pub official: bool,
    /// The period.
    pub period: Period,
    /// When it was assessed.
    pub at: Timestamp,
    /// The heads of the books.
    pub heads: Vec<Head>,
    /// The level that was sought.
    pub sought: Option<String>,
    /// What was reached.
    pub reached: Reached,
    /// One for each control, in the catalogue's order.
    pub findings: Vec<Finding>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(kind: &str, fields: Json) -> AttestationBody {
        AttestationBody {
            v: 1,
            office: "office".parse().unwrap(),
            kind: kind.into(),
            person: "p-ann".parse().unwrap(),
            represents: Timestamp::from_millis(1),
            fields: serde_json::from_value(fields).unwrap(),
        }
    }

    #[test]
    fn what_people_attest_is_checked_against_the_model() {
        let model = Model::load(include_str!("../../../standards/evidence/model.toml")).unwrap();
        let vetted = json!({ "person": "p-bo", "checks": ["identity"], "by": "p-ann" });
        body("PersonVetted", vetted.clone()).check(&model).unwrap();
        for (kind, fields, field) in [
            ("Signed", json!({ "case": "x" }), "kind"),
            ("Dream", json!({ "case": "x" }), "kind"),
            ("PersonVetted", json!({ "shoe_size": 9 }), "shoe_size"),
            ("PersonVetted", json!({ "by": 0.5 }), "by"),
            ("PersonVetted", json!({ "by": "x".repeat(5000) }), "by"),
            ("PersonVetted", json!({}), "fields"),
        ] {
            let no = body(kind, fields).check(&model).unwrap_err();
            assert_eq!(no.field(), field, "{no}");
        }
    }

    #[test]
    fn an_attestation_is_its_persons_only_as_signed() {
        use ed25519_dalek::{Signer as _, SigningKey};
        let secret = SigningKey::from_bytes(&[7; 32]);
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes()).unwrap();
        let body = body("PersonVetted", json!({ "person": "p-bo" }));
        let digest = body.digest().unwrap();
        let signature = Signature::from_bytes(secret.sign(digest.as_bytes()).to_bytes());
        let mut said = Attestation { body, key, signature };
        assert!(said.is_signed().unwrap());
        assert_eq!(said.row(), json!({ "type": "PersonVetted", "person": "p-bo" }));
        said.body.represents = Timestamp::from_millis(2);
        assert!(!said.is_signed().unwrap());
    }
}
