//! Bites: lint clippy::expect_used

/// Documented.
pub fn bite(x: Option<u8>) -> u8 {
    x.expect("there")
}
