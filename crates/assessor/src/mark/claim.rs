//! What a mark claims: an in-toto Statement v1 whose subject is the results file and whose predicate says the rest.

use std::collections::BTreeMap;

use quorate_terms::{Digest, Malformed, PublicKey, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use crate::finding::{Head, Period};

/// `_type` of every statement (in-toto Attestation Framework, Statement v1).
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// `predicateType` of a Trust Mark. A name, not a place to fetch from.
pub const PREDICATE_TYPE: &str = "https://quorate.invalid/trust-mark/v1";
/// The name of the one subject.
pub const RESULTS_NAME: &str = "assessment-results.json";

/// The longest word or sentence in a claim, in bytes.
const TEXT_MAX: usize = 2000;
/// The most exclusions.
const EXCLUSIONS_MAX: usize = 200;

/// The statement that is signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// One: the results file.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The claim.
    pub predicate: Claim,
}

/// A file, by plain SHA-256.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// [`RESULTS_NAME`].
    pub name: String,
    /// `sha256` and hexadecimal digits.
    pub digest: BTreeMap<String, Digest>,
}

/// Who was assessed against what, by whom, for how long.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Format version, 1.
    pub v: u8,
    /// The mark's name in the issuer's register.
    pub mark: String,
    /// The standard, by id, version and digest of the catalogue that was used.
    pub standard: Standard,
    /// The level that was reached, in the standard's own word.
    pub level: String,
    /// What was assessed.
    pub scope: Scope,
    /// What was left out, in plain words. Always stated; empty means that nothing was.
    pub exclusions: Vec<String>,
    /// Who assessed.
    pub assessor: Signatory,
    /// Who issued the mark and keeps its register.
    pub issuer: Signatory,
    /// The period that the findings speak about.
    pub period: Period,
    /// The heads of the books that they rest on.
    pub heads: Vec<Head>,
    /// When it was assessed.
    pub assessed_on: Timestamp,
    /// The first instant at which the mark may be shown.
    pub valid_from: Timestamp,
    /// The last.
    pub valid_until: Timestamp,
    /// Where its status stands.
    pub status: StatusRef,
    /// SHA-256 of a registrar's signed certificate, if one is on file. Without it nobody may say "certified".
    pub certificate: Option<Digest>,
}

/// The standard of a claim.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Its id, for example `wd`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Digest of the catalogue.
    pub digest: Digest,
    /// Whether the standard's publisher issued that text. A working draft of ours is not official.
    pub official: bool,
}

/// What was assessed: one system of one entity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The legal entity.
    pub entity: String,
    /// The system, as the entity names it.
    pub system: String,
    /// The designation, where the standard knows any.
    pub designation: Option<String>,
    /// What belongs to it, in plain words.
    pub description: String,
}

/// A name and its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// The name.
    pub name: String,
    /// The key that signs.
    pub key: PublicKey,
}

/// A place in a status list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRef {
    /// The list's name.
    pub list: String,
    /// The place in it, from 0.
    pub place: u64,
}

impl Statement {
    /// The statement that these results support this claim.
    ///
    /// # Errors
    /// As [`Claim::check`].
    pub fn new(claim: Claim, results: &[u8]) -> Result<Self, Malformed> {
        claim.check()?;
        let digest = BTreeMap::from([("sha256".to_owned(), Digest::sha256(results))]);
        Ok(Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject { name: RESULTS_NAME.to_owned(), digest }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: claim,
        })
    }

    /// The bytes that are signed.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a statement that was made or read here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "statement")
    }

    /// Reads a statement, in canonical form only.
    ///
    /// # Errors
    /// [`Malformed`] for other types, other subjects and claims that [`Claim::check`] refuses.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let statement: Self = canonical::from_bytes(bytes, "statement")?;
        let bad = |field: &str, why: &str| {
            Err(Malformed::new(format!("statement.{field}"), why, "ask the issuer for the mark"))
        };
        if statement.statement_type != STATEMENT_TYPE {
            return bad("_type", "is not an in-toto Statement v1");
        }
        if statement.predicate_type != PREDICATE_TYPE {
            return bad("predicateType", "is not a Trust Mark of version 1");
        }
        if statement.results().is_none() {
            return bad("subject", "is not one results file named by SHA-256 alone");
        }
        statement.predicate.check()?;
        Ok(statement)
    }

    /// SHA-256 of the results that the claim rests on.
    pub fn results(&self) -> Option<&Digest> {
        let [subject] = self.subject.as_slice() else { return None };
        let known = subject.name == RESULTS_NAME && subject.digest.len() == 1;
        subject.digest.get("sha256").filter(|_| known)
    }
}

impl Claim {
    /// Refuses a claim that says nothing, runs backwards, or hides text.
    ///
    /// # Errors
    /// [`Malformed`] naming the field.
    pub fn check(&self) -> Result<(), Malformed> {
        let bad = |field: &str, why: &str, mend: &str| {
            Err(Malformed::new(format!("claim.{field}"), why, mend))
        };
        if self.v != 1 {
            return bad("v", "is not 1", "use a program that knows this version");
        }
        for (field, text) in self.words() {
            if text.trim().is_empty() || text.len() > TEXT_MAX {
                return bad(field, "is empty or too long", "say it in 1 to 2000 bytes");
            }
            if text.chars().any(hides) {
                return bad(field, "holds characters that cannot be seen", "use plain text");
            }
        }
        if self.exclusions.len() > EXCLUSIONS_MAX {
            return bad("exclusions", "are too many", "narrow the scope instead");
        }
        if self.period.from > self.period.to || self.period.to > self.assessed_on {
            return bad("period", "does not end before the day of assessment", "mend the period");
        }
        if self.valid_from < self.assessed_on || self.valid_until <= self.valid_from {
            return bad("valid_until", "does not follow the assessment", "mend the validity");
        }
        Ok(())
    }

    fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fixed = [
            ("mark", &self.mark),
            ("standard.id", &self.standard.id),
            ("standard.version", &self.standard.version),
            ("level", &self.level),
            ("scope.entity", &self.scope.entity),
            ("scope.system", &self.scope.system),
            ("scope.description", &self.scope.description),
            ("assessor.name", &self.assessor.name),
            ("issuer.name", &self.issuer.name),
            ("status.list", &self.status.list),
        ];
        let designation = self.scope.designation.iter().map(|d| ("scope.designation", d.as_str()));
        let exclusions = self.exclusions.iter().map(|e| ("exclusions", e.as_str()));
        let fixed = fixed.into_iter().map(|(field, text)| (field, text.as_str()));
        fixed.chain(designation).chain(exclusions)
    }
}

/// Control characters and the marks that turn or join text without being seen (Unicode TR36).
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
