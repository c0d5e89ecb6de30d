//! Bites: method std::env::args

/// Documented.
pub fn bite() {
    let _ = std::env::args();
}
