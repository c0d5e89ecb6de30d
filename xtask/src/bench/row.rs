//! The row that every bench prints. The examples named `bench_*` take this file in by its path, so that the form is written once.

use serde::{Deserialize, Serialize};

/// One measurement. `ratio` is value over baseline of the same run.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    pub(crate) baseline: Option<f64>,
    pub(crate) ratio: Option<f64>,
    /// As a person reads it: `<= 1.5x`, `< 300`.
    pub(crate) target: String,
    pub(crate) met: bool,
    /// How many measurements stand behind the value.
    pub(crate) n: u64,
}

impl Measured {
    /// A row. `is_met` is given the value and its ratio to the baseline, which is 0 where there is no baseline.
    pub(crate) fn new(
        name: &str,
        (value, unit): (f64, &str),
        baseline: Option<f64>,
        (target, is_met): (&str, &dyn Fn(f64, f64) -> bool),
        n: u64,
    ) -> Self {
        let ratio = baseline.map(|baseline| value / baseline);
        Self {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            baseline,
            ratio,
            target: target.to_owned(),
            met: is_met(value, ratio.unwrap_or_default()),
            n,
        }
    }
}

/// The rows as every bench writes them to standard output, and nothing else there.
pub(crate) fn as_json(rows: &[Measured]) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(rows)
}
