//! Bites: lint clippy::arithmetic_side_effects

/// Documented.
pub fn bite(x: u8, y: u8) -> u8 {
    x + y
}
