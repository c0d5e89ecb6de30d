//! Bites: lint rust::unused_qualifications

use std::fmt::Debug;

/// Documented.
pub fn bite(_: &dyn Debug, _: &dyn std::fmt::Debug) {}
