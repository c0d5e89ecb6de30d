//! Bites: type std::collections::HashMap

/// Documented.
pub fn bite(_: &std::collections::HashMap<u8, u8>) {}
