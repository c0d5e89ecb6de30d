//! Bites: type std::time::SystemTime

/// Documented.
pub fn bite(_: std::time::SystemTime) {}
