//! Bites: method std::fs::File::open

/// Documented.
pub fn bite() {
    let _ = std::fs::File::open("x");
}
