//! Bites: lint clippy::string_slice

/// Documented.
pub fn bite(x: &str, i: usize) -> &str {
    &x[..i]
}
