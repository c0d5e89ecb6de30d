//! Bites: lint clippy::allow_attributes_without_reason

#[expect(dead_code)]
fn bite() {}
