//! Bites: type f32

/// Documented.
pub fn bite(_: f32) {}
