//! Bites: lint clippy::unreachable

/// Documented.
pub fn bite(x: bool) {
    if x {
        unreachable!();
    }
}
