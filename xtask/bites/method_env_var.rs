//! Bites: method std::env::var

/// Documented.
pub fn bite() {
    let _ = std::env::var("HOME");
}
