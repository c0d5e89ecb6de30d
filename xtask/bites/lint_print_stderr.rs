//! Bites: lint clippy::print_stderr

/// Documented.
pub fn bite() {
    eprintln!("x");
}
