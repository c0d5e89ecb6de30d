//! Bites: lint clippy::dbg_macro

/// Documented.
pub fn bite(x: u8) -> u8 {
    dbg!(x)
}
