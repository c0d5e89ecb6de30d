//! An address as a QR code (ISO/IEC 18004), for the camera of another device.

use std::fmt::Write as _;

use askama::Template;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::Markup;

/// The light edge that cameras need, in modules.
const EDGE: i32 = 4;

#[derive(Template)]
#[template(path = "qr.html")]
struct Qr<'a> {
    said: &'a str,
    address: &'a str,
    size: i32,
    path: String,
}

/// A QR code with a line that says what it is for. What does not fit into one gives nothing: the address stands in the browser.
pub fn qr(said: &str, address: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(address, QrCodeEcc::Medium) else {
        return Markup::default();
    };
    let size = code.size().saturating_add(EDGE.saturating_mul(2));
    Markup::of(&Qr { said, address, size, path: path(&code) })
}

/// The dark modules, as one path of squares.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let (x, y) = (x.saturating_add(EDGE), y.saturating_add(EDGE));
            let _infallible = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://view.example/cases/6b86b273ff34fce19d6b804eff5a3f57";

    #[test]
    fn an_address_becomes_squares_with_a_light_edge_and_words_beside_them() {
        let text = qr("Open this case on a phone", ADDRESS).to_string();
        assert!(text.contains("Open this case on a phone") && text.contains(ADDRESS), "{text}");
        // The first square of the first finder pattern stands just inside the edge.
        assert!(text.contains("M4 4h1v1h-1z") && !text.contains("M3 "), "{text}");
        assert!(!text.contains("style="), "nothing inline");
    }

    #[test]
    fn what_is_too_long_gives_nothing_and_what_means_harm_stays_text() {
        assert_eq!(qr("x", &"a".repeat(5_000)).to_string(), "");
        let text = qr("<b>", "https://view.example/\"><script>").to_string();
        assert!(!text.contains("<b>") && !text.contains("<script>"), "{text}");
    }
}
