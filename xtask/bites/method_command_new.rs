//! Bites: method std::process::Command::new

/// Documented.
pub fn bite() {
    let _ = std::process::Command::new("x");
}
