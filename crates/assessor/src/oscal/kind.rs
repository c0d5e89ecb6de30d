//! The kinds of values that OSCAL has (metaschema data types), each as a question.

use serde_json::Value;

/// Whether a value is of a kind named in `shapes.txt`.
pub(super) fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "bool" => value.is_boolean(),
        "decimal" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "natural" => value.is_u64(),
        "positive" => value.as_u64().is_some_and(|n| n > 0),
        _ => value.as_str().is_some_and(|text| text_fits(kind, text)),
    }
}

fn text_fits(kind: &str, text: &str) -> bool {
    if let Some(words) = kind.strip_prefix('=') {
        return words.split('|').any(|word| word == text);
    }
    match kind {
        "uuid" => is_uuid(text),
        "token" => is_token(text),
        "string" => is_string(text),
        "line" => !text.is_empty() && !text.contains('\n'),
        "time" => is_time(text),
        "date" => day(text).is_some_and(|rest| rest.is_empty() || is_zone(rest)),
        "uri" => is_uri(text),
        "reference" => {
            !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        }
        "email" => text.split_once('@').is_some_and(|(who, at)| !who.is_empty() && !at.is_empty()),
        "base64" => {
            let body = text.trim_end_matches('=');
            let alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
            !body.is_empty() && body.chars().all(alphabet)
        }
        "text" => true,
        _ => false,
    }
}

/// Version 4 or 5 of RFC 9562, in hyphens.
pub(super) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &&str| part.bytes().all(|b| b.is_ascii_hexdigit());
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let starts =
        |at: usize, with: &[char]| parts.get(at).is_some_and(|part| part.starts_with(with));
    lengths == [8, 4, 4, 4, 12]
        && parts.iter().all(hex)
        && starts(2, &['4', '5'])
        && starts(3, &['8', '9', 'a', 'b', 'A', 'B'])
}

/// A letter or an underscore, then letters, digits, dots, hyphens and underscores.
pub(super) fn is_token(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && chars.all(|c| c.is_alphabetic() || c.is_numeric() || matches!(c, '.' | '-' | '_'))
}

/// One line without white space around it.
pub(super) fn is_string(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
    edge(text.chars().next()) && edge(text.chars().last()) && !text.contains('\n')
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let first = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    first && scheme.len() > 1 && scheme.chars().all(part) && is_string(rest)
}

/// RFC 3339 with a zone.
fn is_time(text: &str) -> bool {
    let Some(rest) = day(text).and_then(|rest| rest.strip_prefix('T')) else { return false };
    let Some((clock, rest)) = rest.split_at_checked(8) else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if after.len() == fraction.len() {
                return false;
            }
            after
        }
        None => rest,
    };
    let shape: String = clock.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
    let parts: Vec<u8> = clock.split(':').filter_map(|part| part.parse().ok()).collect();
    let runs = matches!(parts.as_slice(), [hour, minute, second] if *hour < 24 && *minute < 60 && *second < 60);
    shape == "dd:dd:dd" && runs && is_zone(rest)
}

/// `Z`, or hours and minutes from it.
fn is_zone(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
    text == "Z" || shape == "+dd:dd" || shape == "-dd:dd"
}

/// What comes after a day of the calendar.
fn day(text: &str) -> Option<&str> {
    let (day, rest) = text.split_at_checked(10)?;
    day.parse::<jiff::civil::Date>().ok().map(|_| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_of_their_kind() {
        for (kind, value, fit) in [
            ("uuid", json!("550e8400-e29b-41d4-a716-446655440000"), true),
            ("uuid", json!("550e8400-e29b-11d4-a716-446655440000"), false),
            ("uuid", json!("550e8400e29b41d4a716446655440000"), false),
            ("uuid", json!("not-a-uuid"), false),
            ("token", json!("ac-1_prm.2"), true),
            ("token", json!("1.01"), false),
            ("token", json!("a b"), false),
            ("string", json!(" a"), false),
            ("string", json!("a b"), true),
            ("string", json!("a\nb"), false),
            ("string", json!(""), false),
            ("line", json!("a\nb"), false),
            ("text", json!("a\nb"), true),
            ("time", json!("2026-11-21T06:46:13Z"), true),
            ("time", json!("2026-11-21T06:46:13.123+08:00"), true),
            ("time", json!("2026-11-21T06:46:13"), false),
            ("time", json!("2026-02-30T06:46:13Z"), false),
            ("time", json!("2026-11-21T26:46:13Z"), false),
            ("time", json!("2026-11-21T06:46:13.Z"), false),
            ("time", json!("yesterday"), false),
            ("date", json!("2026-11-21"), true),
            ("date", json!("2026-11-31"), false),
            ("uri", json!("urn:quorate:oscal"), true),
            ("uri", json!("ccss.json"), false),
            ("reference", json!("../a.json#b"), true),
            ("reference", json!("a b"), false),
            ("natural", json!(0), true),
            ("natural", json!(-1), false),
            ("positive", json!(0), false),
            ("decimal", json!(0.5), true),
            ("email", json!("a@b"), true),
            ("base64", json!("aGk="), true),
            ("=yes|no", json!("yes"), true),
            ("=yes|no", json!("maybe"), false),
            ("bool", json!("true"), false),
            ("nonsense", json!("x"), false),
        ] {
            assert_eq!(fits(kind, &value), fit, "{kind} {value}");
        }
    }

    proptest! {
        #[test]
        fn asking_arbitrary_text_never_panics(text in ".{0,40}") {
            for kind in ["uuid", "token", "string", "line", "time", "date", "uri", "reference", "email", "base64"] {
                let _ = fits(kind, &json!(text));
            }
        }
    }
}
