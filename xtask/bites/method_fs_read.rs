//! Bites: method std::fs::read

/// Documented.
pub fn bite() {
    let _ = std::fs::read("x");
}
