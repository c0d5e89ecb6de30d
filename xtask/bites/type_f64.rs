//! Bites: type f64

/// Documented.
pub fn bite(_: f64) {}
