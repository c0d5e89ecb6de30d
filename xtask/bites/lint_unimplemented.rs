//! Bites: lint clippy::unimplemented

/// Documented.
pub fn bite() {
    unimplemented!();
}
