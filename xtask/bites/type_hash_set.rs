//! Bites: type std::collections::HashSet

/// Documented.
pub fn bite(_: &std::collections::HashSet<u8>) {}
