//! Bites: method std::fs::write

/// Documented.
pub fn bite() {
    let _ = std::fs::write("x", "y");
}
