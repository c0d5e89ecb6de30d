//! Bites: lint clippy::todo

/// Documented.
pub fn bite() {
    todo!();
}
