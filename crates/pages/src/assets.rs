//! The files that every page uses, inside the program. A file's path names its content, so a browser may keep it for ever and a
//! changed file is another file.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quorate_terms::Digest;
use sha2::{Digest as _, Sha384};

/// The value of `Cache-Control` for an asset. Pages themselves are never kept, see [`crate::headers()`].
pub const ASSET_CACHE: &str = "public, max-age=31536000, immutable";

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Where it is served: `/assets/`, its stem, the first 12 hexadecimal digits of its SHA-256, its ending.
    pub path: String,
    /// The file's own name.
    pub name: &'static str,
    /// The value of `Content-Type`.
    pub mime: &'static str,
    /// The file.
    pub bytes: &'static [u8],
    /// Its digest as W3C Subresource Integrity writes it: `sha384-` and base64.
    pub integrity: String,
}

static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    [
        of("style", "css", "style.css", include_bytes!("../assets/style.css")),
        of("passkey", "js", "passkey.js", include_bytes!("../assets/passkey.js")),
        of("live", "js", "live.js", include_bytes!("../assets/live.js")),
        of("proof", "js", "proof.js", include_bytes!("../assets/proof.js")),
        of("icon", "svg", "icon.svg", include_bytes!("../assets/icon.svg")),
    ]
});

/// Every file.
pub fn assets() -> &'static [Asset] {
    ASSETS.as_slice()
}

/// The file at a path, with its digest in it.
pub fn asset(path: &str) -> Option<&'static Asset> {
    assets().iter().find(|asset| asset.path == path)
}

fn of(stem: &str, ending: &str, name: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = Digest::sha256(bytes).to_string();
    let short: String = digest.chars().take(12).collect();
    Asset {
        path: format!("/assets/{stem}-{short}.{ending}"),
        name,
        mime: mime(ending),
        bytes,
        integrity: format!("sha384-{}", BASE64.encode(Sha384::digest(bytes))),
    }
}

fn mime(ending: &str) -> &'static str {
    match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_at_the_path_that_names_its_content() {
        for each in assets() {
            assert_eq!(asset(&each.path).map(|found| found.name), Some(each.name));
            let middle = each.path.rsplit_once('-').unwrap().1.split_once('.').unwrap().0;
            assert_eq!(middle.len(), 12);
            assert!(Digest::sha256(each.bytes).to_string().starts_with(middle), "{}", each.path);
        }
        for path in ["/assets/style.css", "/assets/", "", "/assets/../style.css"] {
            assert!(asset(path).is_none(), "{path}");
        }
    }

    #[test]
    fn integrity_is_the_digest_of_the_bytes() {
        // `printf abc | openssl dgst -sha384 -binary | base64`
        let known = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";
        assert_eq!(of("x", "css", "x.css", b"abc").integrity, known);
    }

    #[test]
    fn the_files_are_small_and_name_no_other_place() {
        let total: usize = assets().iter().map(|each| each.bytes.len()).sum();
        assert!(total < 40 * 1024, "{total} bytes");
        for each in assets() {
            let text = std::str::from_utf8(each.bytes).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for place in ["http://", "https://", "@import", "url(", "eval(", "innerHTML"] {
                assert!(!text.contains(place), "{} holds {place}", each.name);
            }
        }
    }
}
