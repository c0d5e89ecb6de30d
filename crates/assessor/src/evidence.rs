//! What is known: rows of verified entries, asked through a trait so that this crate needs no database.

pub mod model;
mod own;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use model::Model;
pub use own::speaks_of_itself;

/// A value that goes into a query or comes out of one. There are no floats.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text; also times (RFC 3339, UTC, milliseconds), digests (hexadecimal) and lists (JSON).
    Text(String),
}

/// One row of an answer, by column.
pub type Row = BTreeMap<String, Value>;

/// An answer, whole in number and cut in length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// How many rows there are.
    pub count: u64,
    /// The first of them, as many as were asked for.
    pub rows: Vec<Row>,
}

/// Why a question has no answer. A control whose question fails is unproven, never met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoAnswer {
    /// Why, in plain words, with what to do next.
    pub why: String,
}

/// Verified entries as rows. Implemented by the SQL engine of `quorate-assessor`.
pub trait Rows {
    /// Runs one read-only query with named parameters (`:name`) and gives the count and the first `keep` rows.
    ///
    /// # Errors
    /// [`NoAnswer`] for a query that does not parse, asks for more than reading, or passes a limit on time or rows.
    fn ask(
        &self,
        query: &str,
        parameters: &BTreeMap<String, Value>,
        keep: usize,
    ) -> Result<Answer, NoAnswer>;
}
