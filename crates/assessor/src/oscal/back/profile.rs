//! A profile that we wrote.

use quorate_terms::Malformed;
use serde_json::{Value, json};

use super::term;
use crate::oscal::carry;
use crate::oscal::document::text;
use crate::oscal::{Document, Model};
use crate::standard::Profile;

/// Reads a strictest-wins profile that we wrote. A baseline has nothing beyond its catalogue and is not read back.
///
/// # Errors
/// [`Malformed`] for another model, and for a profile of somebody else.
pub fn profile(document: &Document) -> Result<Profile, Malformed> {
    let nothing = Value::Null;
    let body = document.body();
    let metadata = body.get("metadata").unwrap_or(&nothing);
    let mut fields = carry::back(metadata);
    if document.model != Model::Profile || !fields.contains_key("id") {
        let mend = "give a profile that `standards export` wrote";
        return Err(Malformed::new("profile", "was written by somebody else", mend));
    }
    fields.insert("title".into(), json!(text(metadata, &["title"])));
    fields.insert("rule".into(), json!(text(metadata, &["remarks"]).unwrap_or_default()));
    term("profile", fields)
}
