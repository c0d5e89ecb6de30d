//! One byte form: RFC 8785 JSON, written by one encoder and accepted only when it comes back the same.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::digest::Digest;
use crate::error::Malformed;

/// The largest term that is ever decoded, in bytes. A policy of ten thousand rules fits; a bomb does not.
pub const TERM_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A noun with a canonical byte form and a digest of its own domain.
pub trait Term: Serialize + DeserializeOwned {
    /// The domain tag, one of those listed in [`crate::digest`].
    const TAG: &'static str;

    /// RFC 8785 bytes of the value.
    ///
    /// # Errors
    /// Only when the value holds something that JSON cannot say, which no term of this crate does.
    fn to_canonical(&self) -> Result<Vec<u8>, Malformed> {
        to_bytes(self, Self::TAG)
    }

    /// Reads the value back, refusing every encoding but the canonical one.
    ///
    /// # Errors
    /// [`Malformed`] for oversize, deep, duplicate-key, unknown-field or non-canonical input.
    fn from_canonical(bytes: &[u8]) -> Result<Self, Malformed> {
        from_bytes(bytes, Self::TAG)
    }

    /// SHA-256 over the tag, a newline and the canonical bytes.
    ///
    /// # Errors
    /// As [`Term::to_canonical`].
    fn digest(&self) -> Result<Digest, Malformed> {
        Ok(Digest::of(Self::TAG, &self.to_canonical()?))
    }
}

/// RFC 8785 bytes of any serializable value; `what` names it in an error.
///
/// # Errors
/// [`Malformed`] when the value has no JSON form.
pub fn to_bytes<T: Serialize>(value: &T, what: &str) -> Result<Vec<u8>, Malformed> {
    serde_json_canonicalizer::to_vec(value)
        .map_err(|e| Malformed::new(what, format!("has no canonical form ({e})"), "report this"))
}

/// Decodes RFC 8785 bytes and insists that encoding the result gives the same bytes again.
///
/// That one comparison refuses duplicate keys, unknown fields, other number forms, white space and any order of keys
/// but the canonical one.
///
/// # Errors
/// [`Malformed`] naming `what` and the reason.
pub fn from_bytes<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    what: &str,
) -> Result<T, Malformed> {
    if bytes.len() > TERM_BYTES_MAX {
        return Err(Malformed::new(
            what,
            format!("is {} bytes", bytes.len()),
            format!("send at most {TERM_BYTES_MAX} bytes"),
        ));
    }
    let value: T = serde_json::from_slice(bytes).map_err(|e| {
        Malformed::new(what, format!("cannot be read ({e})"), "send the form given in docs/spec")
    })?;
    if to_bytes(&value, what)? == bytes {
        return Ok(value);
    }
    Err(Malformed::new(
        what,
        "is not in canonical form (RFC 8785), or has duplicate or unknown keys",
        "encode it with RFC 8785 and send only the fields given in docs/spec",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Pair {
        a: u64,
        b: String,
    }

    fn check(input: &str, accepted: bool) {
        assert_eq!(from_bytes::<Pair>(input.as_bytes(), "pair").is_ok(), accepted, "{input}");
    }

    #[test]
    fn only_the_canonical_bytes_are_accepted() {
        check(r#"{"a":1,"b":"x"}"#, true);
        check(r#"{"b":"x","a":1}"#, false);
        check(r#"{"a":1, "b":"x"}"#, false);
        check(r#"{"a":1,"b":"x"} "#, false);
        check(r#"{"a":1.0,"b":"x"}"#, false);
        check(r#"{"a":1e0,"b":"x"}"#, false);
        check(r#"{"a":1,"b":"\u0078"}"#, false);
    }

    #[test]
    fn row_54_duplicate_unknown_deep_and_oversize_json_is_refused() {
        check(r#"{"a":1,"a":1,"b":"x"}"#, false);
        check(r#"{"a":1,"b":"x","c":2}"#, false);
        check(r#"{"a":NaN,"b":"x"}"#, false);
        check(r#"{"a":1,"b":"\ud800"}"#, false);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(from_bytes::<serde_json::Value>(deep.as_bytes(), "deep").is_err());
        let big = vec![b' '; TERM_BYTES_MAX + 1];
        let error = from_bytes::<Pair>(&big, "pair").unwrap_err();
        assert!(error.to_string().len() < 200, "a bounded error: {error}");
    }
}
