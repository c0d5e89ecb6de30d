//! Which tools a credential sees, and the digest of that list.
//!
//! A tool outside the band is not hidden: it is not there. `tools/list` does not hold it and a call finds nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rmcp::model::Tool;

use quorate_terms::canonical::to_bytes;
use quorate_terms::credential::Band;
use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed};

use crate::desk::Caller;
use crate::errors::{Code, Complaint};
use crate::question::Question;
use crate::tools::ToolName;

/// Every tool, described once.
static DESCRIBED: LazyLock<Vec<(ToolName, Tool)>> =
    LazyLock::new(|| ToolName::ALL.iter().map(|name| (*name, name.describe())).collect());

/// The tools of one band: a fixed table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table(Band);

impl Table {
    /// The table of a credential's band under the server's ceiling.
    pub fn new(band: Band, ceiling: Band) -> Self {
        Self(band.min(ceiling))
    }

    /// The band in force.
    pub const fn band(self) -> Band {
        self.0
    }

    /// The tools as listed: always in the same order, always in the same words.
    pub fn tools(self) -> Vec<Tool> {
        let inside = DESCRIBED.iter().filter(|(name, _)| name.band() <= self.0);
        inside.map(|(_, tool)| tool.clone()).collect()
    }

    /// The tool of this name, if this table holds it.
    pub fn find(self, name: &str) -> Option<ToolName> {
        ToolName::find(name).filter(|tool| tool.band() <= self.0)
    }

    /// The second check, behind the door: whatever route a question took, band and wallets bind it.
    ///
    /// # Errors
    /// [`Complaint`] of category `auth`.
    pub fn admit(self, caller: &Caller, question: &Question) -> Result<(), Complaint> {
        let tool = question.tool();
        if tool.band() > self.0.min(caller.band) {
            let message = format!("`{tool}` is outside this credential's band; ask the operator");
            return Err(Complaint::new(Code::BandTooLow, message));
        }
        match question.wallet() {
            Some(wallet) if !caller.wallets.contains(wallet) => {
                let message = "this credential does not name that wallet; ask the operator";
                Err(Complaint::new(Code::WalletOutOfScope, message))
            }
            _ => Ok(()),
        }
    }
}

/// The description of a tool, whatever its band.
pub fn described(name: &str) -> Option<Tool> {
    DESCRIBED.iter().find(|(tool, _)| tool.as_str() == name).map(|(_, tool)| tool.clone())
}

/// Digest of a band's tool list: what operators pin and receipts may cite. One changed word changes it.
///
/// # Errors
/// [`Malformed`] when the list has no canonical form.
pub fn manifest(band: Band) -> Result<Digest, Malformed> {
    digest_of(&Table::new(band, band).tools())
}

/// Digest of a tool list as a client received it.
///
/// # Errors
/// [`Malformed`] when the list has no canonical form.
pub fn digest_of(tools: &[Tool]) -> Result<Digest, Malformed> {
    Ok(Digest::of(tag::MANIFEST, &to_bytes(&tools, "manifest")?))
}

/// The digests of all four bands.
///
/// # Errors
/// As [`manifest`].
pub fn manifests() -> Result<BTreeMap<Band, Digest>, Malformed> {
    Band::ALL.into_iter().map(|band| manifest(band).map(|digest| (band, digest))).collect()
}
