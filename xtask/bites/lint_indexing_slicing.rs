//! Bites: lint clippy::indexing_slicing

/// Documented.
pub fn bite(x: &[u8], i: usize) -> u8 {
    x[i]
}
