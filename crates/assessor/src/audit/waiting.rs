//! A step that waits for its signature: a file that goes to where the key is, and the answer that comes back as one line.
//!
//! The file holds what opens the step's commitments, so that its signer reads the values and not only their digests.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use quorate_terms::commitment::Opening;
use quorate_terms::strict::{self, Limits, Refused};
use quorate_terms::{Digest, Malformed, Signature, canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::machine::Event;
use super::personal::{self, Openings};
use super::record::Record;
use super::signed::{digest_of, step_to_sign, to_sign};

/// The longest file that is read, in bytes.
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A step before its signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Format version, 1.
    pub v: u8,
    /// The audit.
    pub audit: String,
    /// How many steps were taken before.
    pub before: u64,
    /// Who takes it, by id.
    pub by: String,
    /// What is recorded. A signature inside it is only a place for one.
    pub record: Record,
    /// What opens its commitments.
    pub openings: Vec<Opening>,
}

/// How deep values of a file may stand in one another.
const DEPTH: usize = 64;

/// What its person signed: the step, and the paper inside it where there is one. Written `step` or `step.paper`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Over [`step_to_sign`].
    pub step: Signature,
    /// Over [`to_sign`] of the paper.
    pub paper: Option<Signature>,
}

impl Waiting {
    /// The file.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a step that was made here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "waiting step")
    }

    /// Reads a file, which may have been laid out anew by other tools. Each opening must open a commitment of the record, so that
    /// what is shown is what is signed.
    ///
    /// # Errors
    /// [`Malformed`] naming the reason.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("waiting step", why, "fetch the file again");
        let limits = Limits { bytes: WAITING_BYTES_MAX, depth: DEPTH };
        let value = strict::read(bytes, limits).map_err(|refused| match refused {
            Refused::TooLarge => bad("is too large"),
            Refused::Unreadable(why) => bad(&format!("is no strict JSON: {why}")),
        })?;
        let canonical = canonical::to_bytes(&value, "waiting step")?;
        let read: Self = canonical::from_bytes(&canonical, "waiting step")?;
        if read.v != 1 {
            return Err(bad("is of another version"));
        }
        let mut sealed = commitments(&read.record);
        for opening in &read.openings {
            if !sealed.remove(&opening.commitment()?.digest()) {
                return Err(bad("opens something that the step does not hold"));
            }
        }
        Ok(read)
    }

    /// By which name two people can tell that they mean the same step.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a step that was made or read here.
    pub fn digest(&self) -> Result<Digest, Malformed> {
        digest_of(self)
    }

    /// The record as it reads, commitments opened.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a step that was made or read here.
    pub fn read(&self) -> Result<Value, Malformed> {
        let mut openings = Openings::new();
        for opening in &self.openings {
            openings.insert(opening.commitment()?.digest(), opening.clone());
        }
        Ok(personal::read(&json!(self.record), &openings))
    }

    /// Signs it, with the paper inside it first.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a step that was made or read here.
    pub fn sign(&self, sign: &dyn Fn(&Digest) -> Signature) -> Result<Answer, Malformed> {
        let paper = match paper(&self.record)? {
            Some((what, body)) => Some(sign(&to_sign(&self.audit, what, &self.by, &body)?)),
            None => None,
        };
        let record = with_paper(self.record.clone(), paper);
        let step = sign(&step_to_sign(&self.audit, self.before(), &self.by, &record)?);
        Ok(Answer { step, paper })
    }

    /// The event that it is with its answer. Whether the signatures are true, the machine says.
    pub fn answered(&self, answer: &Answer) -> Event {
        let record = with_paper(self.record.clone(), answer.paper);
        Event { by: self.by.clone(), record, signature: Some(answer.step) }
    }

    fn before(&self) -> usize {
        usize::try_from(self.before).unwrap_or(usize::MAX)
    }
}

/// The paper inside a step that its person signs by itself: what it is, and its digest.
///
/// # Errors
/// [`Malformed`] never happens.
pub fn paper(record: &Record) -> Result<Option<(&'static str, Digest)>, Malformed> {
    Ok(match record {
        Record::Declared(declaration) => Some(("declaration", digest_of(&declaration.statements)?)),
        Record::ReviewCompleted(paper) => Some(("review", paper.digest)),
        Record::SummarySigned(paper) => Some(("summary", paper.digest)),
        _ => None,
    })
}

/// The commitments that a record holds in the place of values about people.
fn commitments(record: &Record) -> BTreeSet<Digest> {
    let Record::ExhibitFiled(filing) = record else { return BTreeSet::new() };
    let values = filing.exhibit.personal();
    values.iter().filter_map(|(_, value)| Some(value.commitment()?.digest())).collect()
}

fn with_paper(mut record: Record, signature: Option<Signature>) -> Record {
    if let Some(signature) = signature {
        match &mut record {
            Record::Declared(declaration) => declaration.signature = signature,
            Record::ReviewCompleted(paper) | Record::SummarySigned(paper) => {
                paper.signature = signature;
            }
            _ => {}
        }
    }
    record
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        self.paper.map_or(Ok(()), |paper| write!(f, ".{paper}"))
    }
}

impl FromStr for Answer {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (step, paper) = match text.trim().split_once('.') {
            Some((step, paper)) => (step, Some(paper.parse()?)),
            None => (text.trim(), None),
        };
        Ok(Self { step: step.parse()?, paper })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{About, Written};
    use super::*;
    use proptest::prelude::*;

    fn waiting() -> Waiting {
        let record =
            Record::ExhibitStruck(About { tag: "DOCUMENT_1".to_owned(), why: "old".to_owned() });
        let (audit, by) = ("audit-1".to_owned(), "ann".to_owned());
        Waiting { v: 1, audit, before: 3, by, record, openings: Vec::new() }
    }

    #[test]
    fn a_file_comes_back_as_it_was_and_no_opening_rides_along_unseen() {
        let one = waiting();
        assert_eq!(Waiting::from_bytes(&one.to_bytes().unwrap()).unwrap(), one);
        let laid_out = serde_json::to_vec_pretty(&one).unwrap();
        assert_eq!(Waiting::from_bytes(&laid_out).unwrap(), one, "by another tool");
        let twice = String::from_utf8(one.to_bytes().unwrap()).unwrap();
        let twice = twice.replacen("{\"audit\":", "{\"audit\":\"other\",\"audit\":", 1);
        assert!(Waiting::from_bytes(twice.as_bytes()).is_err(), "two tools would read two steps");
        let opening = Opening::new([1; 16], "exhibit.owner", "Greta").unwrap();
        let with_more = Waiting { openings: vec![opening], ..one.clone() };
        let error = Waiting::from_bytes(&with_more.to_bytes().unwrap()).unwrap_err();
        assert!(error.why().contains("does not hold"), "{error}");
        let later = Waiting { v: 2, ..one };
        assert!(Waiting::from_bytes(&later.to_bytes().unwrap()).is_err());
    }

    #[test]
    fn what_is_signed_differs_by_audit_place_person_and_record() {
        let signed = |waiting: &Waiting| {
            let said = std::cell::RefCell::new(Vec::new());
            let sign = |digest: &Digest| {
                said.borrow_mut().push(*digest);
                Signature::from_bytes([7; 64])
            };
            waiting.sign(&sign).unwrap();
            said.into_inner()
        };
        let base = signed(&waiting());
        assert_eq!(base.len(), 1);
        let others = [
            Waiting { audit: "audit-2".to_owned(), ..waiting() },
            Waiting { before: 4, ..waiting() },
            Waiting { by: "bo".to_owned(), ..waiting() },
            Waiting {
                record: Record::ReportWritten(Written { digest: Digest::ZERO }),
                ..waiting()
            },
        ];
        for other in others {
            assert_ne!(signed(&other), base);
        }
    }

    #[test]
    fn an_answer_comes_back_from_its_line() {
        let (one, two) = (Signature::from_bytes([1; 64]), Signature::from_bytes([2; 64]));
        for answer in [Answer { step: one, paper: None }, Answer { step: one, paper: Some(two) }] {
            assert_eq!(format!(" {answer}\n").parse::<Answer>().unwrap(), answer);
        }
        for bad in ["", ".", "abc", "a.b.c"] {
            assert!(bad.parse::<Answer>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_from_outside_never_panics(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = text.parse::<Answer>();
            let _ = Waiting::from_bytes(&bytes);
            let _ = Waiting::from_bytes(text.as_bytes());
        }
    }
}
