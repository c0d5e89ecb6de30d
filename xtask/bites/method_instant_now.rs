//! Bites: method std::time::Instant::now

/// Documented.
pub fn bite() {
    let _ = std::time::Instant::now();
}
