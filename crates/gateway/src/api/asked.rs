//! What a request holds: segments of its path, its query, its one JSON body, its idempotency key.

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use quorate_terms::strict::{self, Limits, Refused};
use quorate_terms::{IdempotencyKey, Malformed};
use quorate_web::sole;

use super::table::{Route, Segments};
use crate::errors::{Code, Complaint};
use crate::strict::DEPTH_MAX;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request to a route, read but not yet understood.
pub(super) struct Asked {
    pub(super) segments: Segments,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Map<String, Value>,
    pub(super) key: Option<IdempotencyKey>,
}

impl Asked {
    /// A segment of the path as the noun that it must be.
    pub(super) fn segment<T>(&self, name: &str) -> Result<T, Complaint>
    where
        T: std::str::FromStr<Err = Malformed>,
    {
        let text = self.segments.iter().find(|(known, _)| *known == name).map(|(_, text)| text);
        text.map(String::as_str).unwrap_or_default().parse().map_err(|e: Malformed| {
            invalid(&Malformed::new(name, e.why().to_owned(), e.mend().to_owned()))
        })
    }

    /// The body as what it must be, and nothing beside it.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Complaint> {
        serde_json::from_value(Value::Object(self.body.clone())).map_err(|e| {
            let message = format!("the body does not fit: {e}; see /api/v1/openapi.json");
            Complaint::new(Code::InvalidInput, message)
        })
    }

    /// The key; the gate has seen to it that a change brings one.
    pub(super) fn key(&self) -> Result<IdempotencyKey, Complaint> {
        self.key.clone().ok_or_else(no_key)
    }

    /// Refuses names in the query that the route does not know, and names that stand twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Complaint> {
        for (at, (name, _)) in self.query.iter().enumerate() {
            let twice = self.query.iter().skip(at.saturating_add(1)).any(|(n, _)| n == name);
            if twice || !known.contains(&name.as_str()) {
                let why =
                    if twice { "stands twice in the query" } else { "is unknown in the query" };
                return Err(invalid(&Malformed::new(
                    crate::errors::bounded(name),
                    why,
                    format!(
                        "give at most {}",
                        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                    ),
                )));
            }
        }
        Ok(())
    }

    /// A value of the query as the noun that it must be.
    pub(super) fn value<T: std::str::FromStr>(
        &self,
        name: &str,
        mend: &str,
    ) -> Result<Option<T>, Complaint> {
        let found =
            self.query.iter().find(|(known, _)| known == name).map(|(_, text)| text.parse());
        found
            .transpose()
            .map_err(|_| invalid(&Malformed::new(name, "has the wrong form", mend.to_owned())))
    }
}

/// The names and values of a query.
pub(super) fn query(uri: &Uri) -> Result<Vec<(String, String)>, Complaint> {
    Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map(|Query(pairs)| pairs)
        .map_err(|_| invalid(&Malformed::new("query", "cannot be read", "give `name=value` pairs")))
}

/// The idempotency key that a change must bring, and that nothing else needs.
pub(super) fn key(headers: &HeaderMap, route: &Route) -> Result<Option<IdempotencyKey>, Complaint> {
    if !route.is_change() {
        return Ok(None);
    }
    let sent = sole(headers, &KEY).map_err(|()| {
        let message = "the Idempotency-Key header is doubled or not text; send it once";
        Complaint::new(Code::InvalidIdempotencyKey, message)
    })?;
    let text = sent.ok_or_else(no_key)?;
    IdempotencyKey::new(text)
        .map(Some)
        .map_err(|e| Complaint::malformed(Code::InvalidIdempotencyKey, &e))
}

/// Whether the body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let said = sole(headers, &header::CONTENT_TYPE).ok().flatten().unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// Whether the caller takes this kind of answer.
pub(super) fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let family = kind.split('/').next().unwrap_or_default();
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return true;
    }
    let fits = |one: &str| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().unwrap_or_default();
        let never = parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        let wild =
            named.strip_suffix("/*").is_some_and(|f| f == "*" || f.eq_ignore_ascii_case(family));
        !never && (wild || named.eq_ignore_ascii_case(kind))
    };
    values.filter_map(|value| value.to_str().ok()).any(|value| value.split(',').any(fits))
}

/// One strict JSON object; an empty body where the route takes none.
pub(super) fn body(
    bytes: &Bytes,
    most: usize,
    route: &Route,
) -> Result<Map<String, Value>, Complaint> {
    if !route.has_body() {
        if bytes.is_empty() {
            return Ok(Map::new());
        }
        let message = "this takes no body; send none";
        return Err(Complaint::new(Code::MalformedMessage, message));
    }
    let read = strict::read(bytes, Limits { bytes: most, depth: DEPTH_MAX });
    match read {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Complaint::new(Code::MalformedMessage, "the body is not an object; send one")),
        Err(Refused::TooLarge) => {
            let message = format!("the body is larger than {most} bytes; send a smaller one");
            Err(Complaint::new(Code::MessageTooLarge, message))
        }
        Err(Refused::Unreadable(why)) => {
            let message = format!("the body is not strict JSON: {why}; mend it");
            Err(Complaint::new(Code::MalformedMessage, message))
        }
    }
}

/// A field that stood in what was given and is not in what was read from it, at any depth of objects.
pub(super) fn left_over(given: &Value, read: &Value) -> Option<String> {
    let (Value::Object(given), Value::Object(read)) = (given, read) else { return None };
    given.iter().find_map(|(name, value)| match read.get(name) {
        Some(inner) => left_over(value, inner),
        None => Some(crate::errors::bounded(name)),
    })
}

pub(super) fn invalid(why: &Malformed) -> Complaint {
    Complaint::malformed(Code::InvalidInput, why)
}

fn no_key() -> Complaint {
    let message = "the Idempotency-Key header is missing; send 1 to 128 visible ASCII characters";
    Complaint::new(Code::InvalidIdempotencyKey, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_caller_is_answered_in_a_form_that_it_takes() {
        for (accept, fits) in [
            ("*/*", true),
            ("application/*", true),
            ("text/html, application/json;q=0.9", true),
            ("application/json;q=0", false),
            ("text/html", false),
            ("text/*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(accepts(&headers, "application/json"), fits, "{accept}");
        }
        assert!(accepts(&HeaderMap::new(), "application/json"));
    }

    #[test]
    fn a_field_that_nobody_read_is_found() {
        let read = json!({ "a": { "b": 1 }, "n": null });
        assert_eq!(left_over(&json!({ "a": { "b": 2 } }), &read), None);
        assert_eq!(left_over(&json!({ "a": { "c": 2 } }), &read), Some("c".to_owned()));
    }

    proptest! {
        #[test]
        fn reading_a_body_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            for route in &super::super::table::ROUTES {
                let _ = body(&Bytes::from(bytes.clone()), 200, route);
            }
        }
    }
}
