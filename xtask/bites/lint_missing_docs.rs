//! Bites: lint rust::missing_docs

pub fn bite() {}
