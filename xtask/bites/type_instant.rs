//! Bites: type std::time::Instant

/// Documented.
pub fn bite(_: std::time::Instant) {}
