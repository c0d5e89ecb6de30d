//! Bites: method std::fs::File::create

/// Documented.
pub fn bite() {
    let _ = std::fs::File::create("x");
}
