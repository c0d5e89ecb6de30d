//! Bites: lint clippy::allow_attributes

#[allow(dead_code, reason = "a bite")]
fn bite() {}
