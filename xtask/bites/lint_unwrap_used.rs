//! Bites: lint clippy::unwrap_used

/// Documented.
pub fn bite(x: Option<u8>) -> u8 {
    x.unwrap()
}
