//! The results file that travels inside assessment results.

use base64::Engine as _;
use quorate_terms::{Digest, Malformed, canonical};

use crate::oscal::carry::named;
use crate::oscal::document::text;
use crate::oscal::imports::list;
use crate::oscal::out::RESOURCE;
use crate::oscal::{Document, Model};
use crate::record::Results;

/// Reads the results that we wrote into assessment results, and their digest.
///
/// # Errors
/// [`Malformed`] for another model, results of somebody else, and a file that is not the one that its digest names.
pub fn results(document: &Document) -> Result<(Results, Digest), Malformed> {
    let mend = "give assessment results that quorate-assessor wrote";
    let no = |why: &str| Malformed::new("results", why, mend);
    let resources = list(document.body().get("back-matter").and_then(|back| back.get("resources")));
    let ours = resources.iter().find(|resource| text(resource, &["title"]) == Some(RESOURCE));
    let ours = ours
        .filter(|_| document.model == Model::Results)
        .ok_or_else(|| no("hold no results file of ours"))?;
    let coded = text(ours, &["base64", "value"]).unwrap_or_default();
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(coded).map_err(|_| no("are no base64"))?;
    let digest = Digest::sha256(&bytes);
    if named(ours, "sha256") != Some(digest.to_string().as_str()) {
        return Err(no("are not those that the digest names"));
    }
    let results: Results = serde_json::from_slice(&bytes).map_err(|_| no("cannot be read"))?;
    if canonical::to_bytes(&results, "results")? != bytes {
        return Err(no("are not in canonical form"));
    }
    Ok((results, digest))
}
