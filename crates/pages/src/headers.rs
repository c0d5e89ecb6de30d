//! The headers that belong to every page (OWASP ASVS 5.0, chapter V3.4). HSTS (V3.4.1) is for whoever knows that TLS is there.

use std::sync::LazyLock;

use crate::assets::assets;

/// Where browsers tell a server what they kept its pages from (V3.4.7).
pub const REPORTS: &str = "/csp-reports";

/// The same for browsers that know the Reporting API. They know it under TLS only, and leave `report-uri` unread wherever they
/// are told of it: without TLS nothing would be reported.
const ENDPOINT: (&str, &str) = ("reporting-endpoints", "csp=\"/csp-reports\"");

static CONTENT: LazyLock<String> = LazyLock::new(content);
static CONTENT_UNDER_TLS: LazyLock<String> =
    LazyLock::new(|| format!("{}; report-to csp", content()));

/// What a page may do. No origin but its own; nothing inline; no text becomes script or markup, for no policy may be made. A
/// script runs by its digest and not for where it lies: a file that somebody brings to this origin is none.
fn content() -> String {
    let scripts = assets().iter().filter(|asset| asset.mime.starts_with("text/javascript"));
    let scripts: Vec<String> = scripts.map(|asset| format!("'{}'", asset.integrity)).collect();
    format!(
        "default-src 'none'; script-src {}; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'; \
         report-uri {REPORTS}",
        scripts.join(" ")
    )
}

/// What of the device a page may use: passkeys of its own origin.
const DEVICE: &str = "publickey-credentials-get=(self), publickey-credentials-create=(self), accelerometer=(), \
                      browsing-topics=(), camera=(), clipboard-read=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
                      identity-credentials-get=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), \
                      xr-spatial-tracking=()";

static HEADERS: LazyLock<[(&str, &str); 8]> = LazyLock::new(|| around(CONTENT.as_str()));
static UNDER_TLS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let mut all = around(CONTENT_UNDER_TLS.as_str()).to_vec();
    all.push(ENDPOINT);
    all
});

fn around(content: &'static str) -> [(&'static str, &'static str); 8] {
    [
        // V3.4.3 a content security policy; V3.4.6 nobody frames the page; V3.2.2 text is shown as text; V3.4.7 what it forbids
        // is reported.
        ("content-security-policy", content),
        // V3.4.4 a file is what its type says.
        ("x-content-type-options", "nosniff"),
        // V3.4.5 no path, which may name a case, leaves with a link.
        // Not "no-referrer": with that, browsers say `Origin: null` of a form's own POST, and no server can tell it from
        // another's.
        ("referrer-policy", "same-origin"),
        // V3.4.8 no other window holds a handle on this one.
        ("cross-origin-opener-policy", "same-origin"),
        // V3.5.8 other sites cannot load the page or its files.
        ("cross-origin-resource-policy", "same-origin"),
        // V3.4 in general: what the page does not need it may not ask for.
        ("permissions-policy", DEVICE),
        // V14.3.2 what a page shows is not kept on the device.
        ("cache-control", "no-store"),
        // V3.4.6 for what does not know frame-ancestors.
        ("x-frame-options", "DENY"),
    ]
}

/// Name and value of each header of a page. An asset takes the same ones, but for `cache-control`: [`crate::ASSET_CACHE`].
pub fn headers() -> &'static [(&'static str, &'static str)] {
    HEADERS.as_slice()
}

/// The same where every origin of the server is opened under TLS.
pub fn headers_under_tls() -> &'static [(&'static str, &'static str)] {
    UNDER_TLS.as_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> &'static str {
        headers().iter().find(|(each, _)| *each == name).map_or("", |(_, value)| value)
    }

    #[test]
    fn nothing_inline_and_nothing_from_elsewhere_may_run() {
        let policy = value("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "));
        for piece in ["unsafe", "http", "*", "nonce", "blob:"] {
            assert!(!policy.contains(piece), "{piece}");
        }
        for piece in ["base-uri 'none'", "frame-ancestors 'none'", "trusted-types 'none'"] {
            assert!(policy.contains(piece), "{piece}");
        }
    }

    #[test]
    fn a_script_runs_by_its_digest_and_for_no_place_where_it_lies() {
        let policy = value("content-security-policy");
        let scripts = policy.split("; ").find_map(|one| one.strip_prefix("script-src ")).unwrap();
        let listed: Vec<&str> = scripts.split(' ').collect();
        let ours = assets().iter().filter(|asset| asset.name.ends_with(".js"));
        let ours: Vec<String> = ours.map(|asset| format!("'{}'", asset.integrity)).collect();
        assert_eq!(listed, ours);
        assert!(listed.len() == 3 && listed.iter().all(|one| one.starts_with("'sha384-")));
    }

    #[test]
    fn what_is_forbidden_is_reported_to_the_same_server_in_the_way_that_browsers_know_there() {
        let (plain, before) = (value("content-security-policy"), format!("; report-uri {REPORTS}"));
        assert!(plain.ends_with(&before) && value("reporting-endpoints").is_empty(), "{plain}");
        let tls: std::collections::BTreeMap<_, _> = headers_under_tls().iter().copied().collect();
        assert_eq!(tls["content-security-policy"], format!("{plain}; report-to csp"));
        assert_eq!(tls["reporting-endpoints"], format!("csp=\"{REPORTS}\""));
        assert!(headers().iter().skip(1).all(|(name, value)| tls.get(name) == Some(value)));
    }

    #[test]
    fn a_header_is_one_line_in_lower_case_names() {
        for (name, value) in headers().iter().chain(headers_under_tls()) {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert!(!value.contains("  ") && value.chars().all(|c| (' '..='~').contains(&c)));
        }
    }
}
