//! Reading a book from its desk: what is asked and what comes, for everybody who follows. Nothing that comes is believed: the
//! reader checks chain, tree, signature and witnesses itself.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Asks for entries: [`ReadRequest`], answered by [`ReadAnswer`].
pub const READ: &str = "book.read";

/// The most entries that one [`ReadRequest`] may ask for.
pub const READ_MAX: u64 = 1024;

/// Which entries are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// The index of the first.
    pub from: u64,
    /// At most so many; at most [`READ_MAX`]. The desk may give fewer.
    pub limit: u64,
}

/// Entries, and the present head of the book, which may lie beyond them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAnswer {
    /// Canonical bytes, which are text.
    pub entries: Vec<String>,
    /// The signed note, with the cosignatures that the desk has for it.
    pub checkpoint: String,
    /// The newest note that enough witnesses cosigned, where that is an older one: a busy book has no quiet moment to wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<String>,
    /// The desk's clock.
    pub clock: Timestamp,
}
