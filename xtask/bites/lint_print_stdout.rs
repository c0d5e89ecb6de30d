//! Bites: lint clippy::print_stdout

/// Documented.
pub fn bite() {
    println!("x");
}
