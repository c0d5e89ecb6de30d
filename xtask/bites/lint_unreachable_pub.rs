//! Bites: lint rust::unreachable_pub

mod inner {
    pub fn bite() {}
}

/// Documented.
pub fn outer() {
    inner::bite();
}
