//! Bites: lint rust::unsafe_code

/// Documented.
pub fn bite(x: *const u8) -> u8 {
    unsafe { *x }
}
