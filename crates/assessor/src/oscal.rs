//! OSCAL 1.2.1 out, 1.1.2 to 1.2.3 in, for all eight models.
//!
//! Reading order: what a document is ([`document`]), what its model asks (`shape`, `kind`: NIST's schema as a table) and what a
//! schema cannot say (`check`, `imports`); then what we write ([`out`]) and what we take in ([`back`]).

pub mod back;
mod carry;
mod check;
pub mod document;
mod imports;
mod kind;
pub mod out;
mod shape;
mod strict;

pub use carry::NAMESPACE;
pub use check::Checked;
pub use document::Document;
pub use strict::DOCUMENT_BYTES_MAX;

/// The version that is written: the newest that every outside checker models.
pub const VERSION: &str = "1.2.1";
/// The versions that are read. Between them fields were only added.
pub const VERSIONS: [&str; 6] = ["1.1.2", "1.1.3", "1.2.0", "1.2.1", "1.2.2", "1.2.3"];

/// The eight models.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Model {
    /// Controls.
    Catalog,
    /// A choice of controls.
    Profile,
    /// How controls of two catalogues relate.
    Mapping,
    /// How a product meets controls.
    Component,
    /// A system and how it meets controls.
    Ssp,
    /// What is to be assessed, and how.
    Plan,
    /// What was found.
    Results,
    /// What is to be mended, by when.
    Poam,
}

impl Model {
    /// Every model, in the order in which they build on each other.
    pub const ALL: [Self; 8] = [
        Self::Catalog,
        Self::Profile,
        Self::Mapping,
        Self::Component,
        Self::Ssp,
        Self::Plan,
        Self::Results,
        Self::Poam,
    ];

    /// The key that a document of the model begins with.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Profile => "profile",
            Self::Mapping => "mapping-collection",
            Self::Component => "component-definition",
            Self::Ssp => "system-security-plan",
            Self::Plan => "assessment-plan",
            Self::Results => "assessment-results",
            Self::Poam => "plan-of-action-and-milestones",
        }
    }
}

#[cfg(test)]
mod tests;
