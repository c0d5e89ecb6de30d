//! Bites: method std::time::SystemTime::now

/// Documented.
pub fn bite() {
    let _ = std::time::SystemTime::now();
}
