//! What we hold, as OSCAL 1.2.1. Everything is worked out from content: equal input gives equal bytes, ids included.

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, Timestamp};
use serde_json::{Value, json};

use super::kind::is_token;
use super::{Document, VERSION};
use crate::standard::{Problem, StandardKey};

mod assessed;
mod catalogue;
mod component;
mod mapping;
mod plan;
mod poam;
mod profile;
mod results;
mod ssp;

pub use assessed::{Assessed, Remedy, assessed};
pub(super) use catalogue::PARTS;
pub use catalogue::catalogue;
pub use component::component;
pub(super) use mapping::RELATIONS;
pub use mapping::mapping;
pub use profile::{baseline, profile};
pub(super) use results::RESOURCE;

/// What could not be written: what we hold does not fit OSCAL.
pub type Done<T> = Result<T, Vec<Problem>>;

/// An id from what it names. OSCAL takes uuids of version 4 and 5 only; this one says 5 and is cut from SHA-256, not SHA-1.
pub(super) fn uuid(parts: &[&str]) -> String {
    let name = serde_json::to_vec(&json!(["oscal", parts])).unwrap_or_default();
    let digest = Digest::of(tag::STANDARD, &name);
    let mut bytes = [0_u8; 16];
    for (at, (to, from)) in bytes.iter_mut().zip(digest.as_bytes()).enumerate() {
        *to = match at {
            6 => (from & 0x0f) | 0x50,
            8 => (from & 0x3f) | 0x80,
            _ => *from,
        };
    }
    let hex = hex::encode(bytes);
    let cut = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", cut(0, 8), cut(8, 12), cut(12, 16), cut(16, 20), cut(20, 32))
}

/// An id of ours as an OSCAL token.
pub(super) fn token(id: &str) -> String {
    if is_token(id) {
        return id.to_owned();
    }
    let fits = |c: char| if is_token(&format!("_{c}")) { c } else { '-' };
    format!("_{}", id.chars().map(fits).collect::<String>())
}

/// A moment as OSCAL has it; one that no calendar has is refused when the document is read.
pub(super) fn time(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or(String::new(), |moment| moment.to_string())
}

/// The file of a catalogue.
pub(super) fn catalogue_file(key: &StandardKey) -> String {
    format!("{}-{}.catalog.json", key.standard, key.version)
}

/// The file of a baseline.
pub(super) fn baseline_file(key: &StandardKey, level: Option<&str>) -> String {
    format!("{}-{}-{}.profile.json", key.standard, key.version, level.unwrap_or("all"))
}

/// Metadata with one party that did it.
pub(super) struct Metadata<'a> {
    pub(super) title: &'a str,
    pub(super) version: &'a str,
    /// RFC 3339.
    pub(super) modified: String,
    pub(super) role: (&'a str, &'a str),
    pub(super) party: &'a str,
}

impl Metadata<'_> {
    pub(super) fn json(&self) -> Value {
        let (role, title) = self.role;
        let party = self.party_uuid();
        json!({
            "title": self.title,
            "last-modified": self.modified,
            "version": self.version,
            "oscal-version": VERSION,
            "roles": [{ "id": role, "title": title }],
            "parties": [{ "uuid": party, "type": "organization", "name": self.party }],
            "responsible-parties": [{ "role-id": role, "party-uuids": [party] }],
        })
    }

    pub(super) fn party_uuid(&self) -> String {
        uuid(&["party", self.party])
    }
}

/// Puts a value into an object, unless it is an empty list.
pub(super) fn put(object: &mut Value, key: &str, value: Value) {
    let empty = value.as_array().is_some_and(Vec::is_empty);
    if let Some(map) = object.as_object_mut().filter(|_| !empty) {
        map.insert(key.to_owned(), value);
    }
}

/// Closes a document: its own uuid is worked out from the rest, and the whole is read as a stranger would.
pub(super) fn close(name: &str, model: &str, mut body: Value) -> Done<Document> {
    let content = body.to_string();
    put(&mut body, "uuid", json!(uuid(&["document", model, &content])));
    Document::of(name, json!({ model: body }))
}

/// A complaint of terms as a problem of a document.
pub(super) fn told(name: &str, no: &Malformed) -> Vec<Problem> {
    vec![Problem::new(name, no.field(), no.why(), no.mend())]
}
