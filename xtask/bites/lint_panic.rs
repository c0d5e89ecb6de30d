//! Bites: lint clippy::panic

/// Documented.
pub fn bite() {
    panic!("no");
}
