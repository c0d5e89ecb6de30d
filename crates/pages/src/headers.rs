//! The headers that belong to every page (OWASP ASVS 5.0, chapter V3.4). HSTS (V3.4.1) is for whoever knows that TLS is there.

/// What a page may do. No origin but its own; nothing inline; no text becomes script or markup, for no policy may be made.
const CONTENT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                       form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; \
                       trusted-types 'none'";

/// What of the device a page may use: passkeys of its own origin.
const DEVICE: &str = "publickey-credentials-get=(self), publickey-credentials-create=(self), accelerometer=(), \
                      browsing-topics=(), camera=(), clipboard-read=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
                      identity-credentials-get=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), \
                      xr-spatial-tracking=()";

const HEADERS: [(&str, &str); 8] = [
    // V3.4.3 a content security policy; V3.4.6 nobody frames the page; V3.2.2 text is shown as text.
    ("content-security-policy", CONTENT),
    // V3.4.4 a file is what its type says.
    ("x-content-type-options", "nosniff"),
    // V3.4.5 no path, which may name a case, leaves with a link.
    // Not "no-referrer": with that, browsers say `Origin: null` of a form's own POST, and no server can tell it from another's.
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
];

/// Name and value of each header of a page. An asset takes the same ones, but for `cache-control`: [`crate::ASSET_CACHE`].
pub fn headers() -> &'static [(&'static str, &'static str)] {
    &HEADERS
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
    fn a_header_is_one_line_in_lower_case_names() {
        for (name, value) in headers() {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert!(!value.contains("  ") && value.chars().all(|c| (' '..='~').contains(&c)));
        }
    }
}
