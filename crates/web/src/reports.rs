//! What browsers report that a page was kept from (Content Security Policy Level 3, Reporting API). Anybody can send such a
//! report, and all that stands in it was written elsewhere: it becomes a line of the log, cut and in plain letters, and nothing
//! else. Queries and fragments are left out, because some hold secrets.

use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{MethodRouter, post};
use serde::Deserialize;

use crate::guard::{Allowed, NotAdmitted, sole};
use crate::sparse::Sparse;

/// The most bytes of what is sent at once.
const BYTES_MAX: usize = 16 * 1024;
/// The most letters of one value.
const LETTERS_MAX: usize = 120;

/// Anybody can cause these, and takes no other line away.
static LINES: Sparse = Sparse::new();

/// How a browser sends reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// One, as `report-uri` has it.
    One,
    /// Several, as the Reporting API has it, and of other kinds among them.
    Several,
}

/// One report by `report-uri`.
#[derive(Deserialize)]
struct One {
    #[serde(rename = "csp-report")]
    report: Said,
}

/// One report by the Reporting API.
#[derive(Deserialize)]
struct Report {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    body: serde_json::Value,
}

/// The little that is read of a report.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    #[serde(rename = "document-uri", alias = "documentURL")]
    document: Option<String>,
    #[serde(rename = "blocked-uri", alias = "blockedURL")]
    blocked: Option<String>,
    #[serde(rename = "effective-directive", alias = "effectiveDirective")]
    directive: Option<String>,
    /// What browsers said before there was the one above.
    #[serde(rename = "violated-directive")]
    violated: Option<String>,
}

/// What a page was kept from, fit for a log.
#[derive(PartialEq, Eq, Debug)]
struct Kept {
    /// By which rule.
    directive: String,
    /// From whom: scheme and host, or a word such as `inline`.
    blocked: String,
    /// On which page: its path.
    page: String,
}

/// What is answered at [`quorate_pages::REPORTS`].
pub(crate) fn route<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    post(reported).layer(DefaultBodyLimit::max(BYTES_MAX))
}

/// Whether reports with these headers are looked at. Some browsers name no Origin with them, and `null` where another site put
/// the page into a frame; pages of other sites cannot send these types without being asked first, and are never told yes.
pub(crate) fn are_ours(allowed: &Allowed, headers: &HeaderMap) -> bool {
    let only = |name: &str, fits: &[&str]| {
        let mut values = headers.get_all(name).iter();
        values.all(|value| fits.iter().any(|one| value.as_bytes() == one.as_bytes()))
    };
    match allowed.admit(headers) {
        Ok(()) => only("sec-fetch-site", &["same-origin", "none"]),
        Err(NotAdmitted::Origin) => {
            only("origin", &["null"])
                && headers.contains_key("sec-fetch-dest")
                && only("sec-fetch-dest", &["report"])
        }
        Err(NotAdmitted::Host) => false,
    }
}

async fn reported(headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> StatusCode {
    let Some(form) = form(&headers) else { return StatusCode::UNSUPPORTED_MEDIA_TYPE };
    let bytes = match body {
        Ok(bytes) => bytes,
        Err(no) => return no.status(),
    };
    let Some(all) = read(form, &bytes) else { return StatusCode::BAD_REQUEST };
    for Kept { directive, blocked, page } in all {
        if let Some(left_out) = LINES.now() {
            tracing::warn!(
                directive,
                blocked,
                page,
                left_out,
                "a browser kept a page from something"
            );
        }
    }
    StatusCode::NO_CONTENT
}

fn form(headers: &HeaderMap) -> Option<Form> {
    let named = sole(headers, &header::CONTENT_TYPE).ok()??;
    let (kind, _parameters) = named.split_once(';').unwrap_or((named, ""));
    match kind.trim().to_ascii_lowercase().as_str() {
        "application/csp-report" => Some(Form::One),
        "application/reports+json" => Some(Form::Several),
        _ => None,
    }
}

/// What was reported; none where nothing can be read.
fn read(form: Form, bytes: &[u8]) -> Option<Vec<Kept>> {
    let said: Vec<Said> = match form {
        Form::One => vec![serde_json::from_slice::<One>(bytes).ok()?.report],
        Form::Several => {
            let all: Vec<Report> = serde_json::from_slice(bytes).ok()?;
            let ours = all.into_iter().filter(|report| report.kind == "csp-violation");
            ours.filter_map(|report| serde_json::from_value(report.body).ok()).collect()
        }
    };
    Some(said.into_iter().map(Kept::of).collect())
}

impl Kept {
    fn of(said: Said) -> Self {
        let directive = said.directive.or(said.violated).unwrap_or_default();
        Self {
            directive: plain(directive.split_whitespace().next().unwrap_or_default()),
            blocked: place(&said.blocked.unwrap_or_default()),
            page: path(&said.document.unwrap_or_default()),
        }
    }
}

/// An address without query and fragment.
fn bare(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// Scheme and host of an address, or the word that stands in its place; of `data:` and its like the scheme alone.
fn place(address: &str) -> String {
    let Some((scheme, rest)) = bare(address).split_once("://") else {
        return plain(bare(address).split([':', '/']).next().unwrap_or_default());
    };
    let host = rest.split(['/', '\\']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    plain(&format!("{scheme}://{host}"))
}

/// The path of an address.
fn path(address: &str) -> String {
    let rest = bare(address).split_once("://").map_or("", |(_, rest)| rest);
    plain(&format!("/{}", rest.split_once('/').map_or("", |(_, path)| path)))
}

/// The beginning of a text, in letters that neither move a cursor nor turn the writing.
fn plain(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    text.chars().take(LETTERS_MAX).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Site, Stray};
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::{IntoResponse as _, Response};
    use proptest::prelude::*;
    use quorate_pages::REPORTS;
    use tower::ServiceExt as _;

    const OURS: &str = "https://desk.example";
    const OLD: (&str, &str) = ("content-type", "application/csp-report");
    const NEW: (&str, &str) = ("content-type", "application/reports+json");
    const HERE: (&str, &str) = ("host", "desk.example");

    fn stray(why: Stray) -> Response {
        let status = match why {
            Stray::Elsewhere => StatusCode::FORBIDDEN,
            Stray::Nothing => StatusCode::NOT_FOUND,
            Stray::Form => StatusCode::METHOD_NOT_ALLOWED,
        };
        status.into_response()
    }

    async fn answer(lines: &[(&str, &str)], body: &str) -> u16 {
        let allowed = Allowed::new(["desk.example"], [OURS]);
        // Reports have a bound of their own: a server with small forms takes them too.
        let router: Router = Site { allowed, form_bytes: 8, stray }.around(Router::new());
        let mut request = Request::builder().method("POST").uri(REPORTS);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    const ONE: &str = r#"{ "csp-report": { "document-uri": "https://desk.example/cases/7?code=secret#also",
        "blocked-uri": "https://ann:pass@evil.example/steal?seed=1", "effective-directive": "connect-src",
        "violated-directive": "connect-src 'self'", "line-number": 7, "script-sample": "secret" } }"#;
    const SEVERAL: &str = r#"[
        { "type": "csp-violation", "age": 1, "url": "https://desk.example/", "user_agent": "x",
          "body": { "documentURL": "https://desk.example/?code=secret", "blockedURL": "inline",
                    "effectiveDirective": "script-src-elem", "sample": "secret", "lineNumber": null } },
        { "type": "csp-violation", "body": { "blockedURL": null, "documentURL": "about:blank" } },
        { "type": "csp-violation", "body": { "documentURL": 7 } },
        { "type": "deprecation", "body": { "id": "x" } },
        { "type": "crash" } ]"#;

    fn kept(directive: &str, blocked: &str, page: &str) -> Kept {
        let [directive, blocked, page] = [directive, blocked, page].map(str::to_owned);
        Kept { directive, blocked, page }
    }

    #[test]
    fn of_a_report_its_rule_its_page_and_whom_it_kept_out_are_told_and_nothing_else() {
        let told = read(Form::One, ONE.as_bytes()).unwrap();
        assert_eq!(told, [kept("connect-src", "https://evil.example", "/cases/7")]);
        let told = read(Form::Several, SEVERAL.as_bytes()).unwrap();
        assert_eq!(told, [kept("script-src-elem", "inline", "/"), kept("", "", "/")]);
        let before = r#"{ "csp-report": { "violated-directive": "img-src 'self'", "blocked-uri": "data:x" } }"#;
        let told = read(Form::One, before.as_bytes()).unwrap();
        assert_eq!(told, [kept("img-src", "data", "/")]);
    }

    #[test]
    fn what_is_no_report_is_not_read() {
        for text in ["", "{}", "[]", "7", "{\"csp-report\":7}", "[".repeat(10_000).as_str()] {
            assert_eq!(read(Form::One, text.as_bytes()), None, "{text:.20}");
        }
        for text in ["", "{}", ONE, "[7]", "[{}]"] {
            assert_eq!(read(Form::Several, text.as_bytes()), None, "{text:.20}");
        }
    }

    #[tokio::test]
    async fn a_report_needs_no_session_and_comes_from_a_page_of_the_site_all_the_same() {
        let (own, none) = (("origin", OURS), ("origin", "null"));
        let (evil, report) = (("origin", "https://evil.example"), ("sec-fetch-dest", "report"));
        let (same, cross) = (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"));
        for (lines, expected) in [
            (vec![HERE, OLD], 204),
            (vec![HERE, OLD, own], 204),
            (vec![HERE, OLD, own, same, report], 204),
            (vec![HERE, OLD, none, cross, report], 204),
            (vec![OLD, own], 403),
            (vec![("host", "evil.example"), OLD], 403),
            (vec![("host", "evil.example"), OLD, none, report], 403),
            (vec![HERE, OLD, evil], 403),
            (vec![HERE, OLD, evil, report], 403),
            (vec![HERE, OLD, own, own], 403),
            (vec![HERE, OLD, none], 403),
            (vec![HERE, OLD, none, ("sec-fetch-dest", "empty")], 403),
            (vec![HERE, OLD, cross], 403),
            (vec![HERE, OLD, same, cross], 403),
            (vec![HERE, own], 415),
            (vec![HERE, own, ("content-type", "text/plain")], 415),
            (vec![HERE, own, ("content-type", "application/x-www-form-urlencoded")], 415),
            (vec![HERE, own, OLD, NEW], 415),
            (vec![HERE, own, NEW], 400),
        ] {
            assert_eq!(answer(&lines, ONE).await, expected, "{lines:?}");
        }
        assert_eq!(answer(&[HERE, NEW], SEVERAL).await, 204);
    }

    #[tokio::test]
    async fn reports_are_bounded_in_bytes_and_a_flood_of_them_in_lines() {
        let long = format!("{ONE}{}", " ".repeat(BYTES_MAX));
        assert_eq!(answer(&[HERE, OLD], &long).await, 413);
        for _ in 0..100 {
            assert_eq!(answer(&[HERE, OLD], ONE).await, 204);
        }
        assert!(LINES.now().is_none(), "the reports themselves used up the lines of this minute");
    }

    proptest! {
        #[test]
        fn reading_reports_never_panics_and_tells_plain_letters_without_queries(
            bytes in proptest::collection::vec(any::<u8>(), 0..256),
            texts in proptest::collection::vec("(\\PC|[?#@:/\\\\\u{1b}\u{202e}\n]){0,200}", 3),
        ) {
            drop((read(Form::One, &bytes), read(Form::Several, &bytes)));
            let body = serde_json::json!({
                "documentURL": texts[0], "blockedURL": texts[1], "effectiveDirective": texts[2],
            });
            let sent = serde_json::json!([{ "type": "csp-violation", "body": body }]);
            let told = read(Form::Several, sent.to_string().as_bytes()).unwrap();
            let [Kept { directive, blocked, page }] = told.as_slice() else { panic!("{told:?}") };
            for value in [directive, blocked, page] {
                prop_assert!(value.len() <= LETTERS_MAX && value.chars().all(|c| c.is_ascii_graphic()));
            }
            prop_assert!(!blocked.contains(['?', '#']) && !page.contains(['?', '#']));
        }
    }
}
