//! OSCAL taken in: our own documents come back equal, and a stranger's catalogue becomes a standard.

mod catalogue;
mod file;
mod foreign;
mod mapping;
mod profile;
mod results;

pub use catalogue::catalogue;
pub use file::to_toml;
pub use foreign::{Named, foreign};
pub use mapping::mapping;
pub use profile::profile;
pub use results::results;

use quorate_terms::Malformed;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A term of ours from its fields.
fn term<T: DeserializeOwned>(what: &str, fields: Map<String, Value>) -> Result<T, Malformed> {
    serde_json::from_value(Value::Object(fields)).map_err(|e| {
        let why = format!("does not come back ({e})");
        Malformed::new(what, why, "give a document that quorate-assessor wrote")
    })
}
