//! Bites: method std::fs::read_to_string

/// Documented.
pub fn bite() {
    let _ = std::fs::read_to_string("x");
}
