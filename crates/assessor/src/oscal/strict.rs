//! OSCAL's JSON from outside, bounded: no key twice, nothing deep, nothing large.

use quorate_terms::Malformed;
use quorate_terms::strict::{self, Limits, Refused};
use serde_json::Value;

/// The largest document, in bytes. NIST's largest catalogue has 10 MB.
pub const DOCUMENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The deepest nesting of a document.
const DEPTH_MAX: usize = 127;

/// Reads JSON.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    let limits = Limits { bytes: DOCUMENT_BYTES_MAX, depth: DEPTH_MAX };
    strict::read(bytes, limits).map_err(|refused| match refused {
        Refused::TooLarge => {
            let mend = format!("give at most {DOCUMENT_BYTES_MAX} bytes");
            Malformed::new("document", "is too large", mend)
        }
        Refused::Unreadable(why) => {
            let why = format!("cannot be read ({why})");
            Malformed::new("document", why, "give OSCAL in JSON, each key once")
        }
    })
}
