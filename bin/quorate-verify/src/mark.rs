//! A Trust Mark, from files to report. It says "assessed on", never "secure".

use quorate_assessor::mark::{self, Claim, Envelope, MarkFile, MarkPolicy, Question};
use quorate_terms::Timestamp;

use crate::report::Report;

/// What was asked about a mark, as bytes of files.
pub(crate) struct Asked<'a> {
    pub(crate) mark: &'a [u8],
    pub(crate) status: Option<&'a [u8]>,
    pub(crate) entity: Option<&'a str>,
    pub(crate) system: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Verifies a mark file against a pinned policy and a status list. One newline at the end of a file is forgiven.
pub(crate) fn verify(asked: &Asked<'_>, policy: &MarkPolicy) -> Report {
    let mut report = Report::new("Trust Mark");
    let file = match MarkFile::from_bytes(trimmed(asked.mark)) {
        Ok(file) => file,
        Err(e) => {
            report.refuted("file", e.to_string());
            return report;
        }
    };
    let status = match asked.status.map(envelope).transpose() {
        Ok(status) => status,
        Err(why) => {
            report.refuted("status", why);
            None
        }
    };
    let (entity, system, now) = (asked.entity, asked.system, asked.now);
    let question = Question { mark: &file, status: status.as_ref(), entity, system, now };
    let verified = mark::verify(&question, policy);
    for check in &verified.checks {
        report.record(check.name, check.outcome.clone());
    }
    if let Some(claim) = &verified.claim {
        said(claim, verified.stands(), &mut report);
    }
    report
}

fn said(claim: &Claim, stands: bool, report: &mut Report) {
    if stands {
        let (on, until) = (claim.assessed_on.utc(), claim.valid_until.utc());
        report.proven("says", format!("assessed on {on}; may be shown until {until}"));
    }
    for exclusion in &claim.exclusions {
        report.not_shown("left out", exclusion.clone());
    }
    let beyond = if claim.certificate.is_some() {
        "that anything is secure; a registrar's certificate is named by digest, ask for it"
    } else {
        "that anything is secure, or certified: no registrar's certificate is named"
    };
    report.not_shown("beyond this", beyond);
}

fn envelope(bytes: &[u8]) -> Result<Envelope, String> {
    serde_json::from_slice(trimmed(bytes))
        .map_err(|e| format!("the status list cannot be read ({e}); fetch it again"))
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, pinned};

    fn policy() -> MarkPolicy {
        let register = String::from_utf8(pinned().to_json().unwrap()).unwrap();
        let (one, two) = (key(71), key(72));
        let json = format!(
            r#"{{"v":1,"assessors":["{one}"],"issuer":"{two}","register":{register},
                "standards":[{{"id":"wd","version":"1","digest":"{}"}}],"status_max_age_s":60}}"#,
            "00".repeat(32)
        );
        MarkPolicy::from_json(json.as_bytes()).unwrap()
    }

    fn asked(mark: &[u8]) -> Report {
        let (status, entity, system) = (None, None, None);
        verify(&Asked { mark, status, entity, system, now: Timestamp::ZERO }, &policy())
    }

    #[test]
    fn a_file_that_is_no_mark_is_refuted_with_a_reason() {
        let report = asked(b"{}\n");
        assert!(report.is_refuted());
        assert!(report.to_text(false).contains("missing field"), "{}", report.to_text(false));
    }

    #[test]
    fn an_envelope_of_another_kind_is_no_mark() {
        let empty = r#"{"payload":"","payloadType":"text/plain","signatures":[]}"#;
        let file = format!(r#"{{"entry":"","envelope":{empty},"proof":"","results":"","v":1}}"#);
        let report = asked(file.as_bytes());
        assert!(report.is_refuted());
        assert!(report.to_text(false).contains("another kind"), "{}", report.to_text(false));
    }
}
