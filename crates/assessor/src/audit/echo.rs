//! Findings that only say the requirement again.
//!
//! The measure: words of four letters or more, lower case, each once. `overlap` is the percentage of the finding's words that
//! the requirement's own text has; `fresh` counts those that it has not. A finding echoes when it has too few fresh words or
//! too much overlap. The numbers are data.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// When a finding counts as an echo.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EchoRule {
    /// The least number of words that the requirement does not have.
    pub fresh_min: usize,
    /// The largest overlap, in percent.
    pub overlap_max: usize,
}

/// How much a finding says again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// Percent of its words that the requirement has.
    pub overlap: usize,
    /// How many it has not.
    pub fresh: usize,
}

impl EchoRule {
    /// The measure, if the finding echoes.
    pub fn flags(&self, statement: &str, requirement: &str) -> Option<Echo> {
        let echo = measure(statement, requirement);
        (echo.fresh < self.fresh_min || echo.overlap > self.overlap_max).then_some(echo)
    }
}

/// Compares a finding with its requirement's text.
pub fn measure(statement: &str, requirement: &str) -> Echo {
    let (said, asked) = (words(statement), words(requirement));
    let again = said.intersection(&asked).count();
    let overlap = again.saturating_mul(100).checked_div(said.len()).unwrap_or(100);
    Echo { overlap, fresh: said.len().saturating_sub(again) }
}

fn words(text: &str) -> BTreeSet<String> {
    let split = text.split(|c: char| !c.is_alphanumeric());
    split.filter(|word| word.chars().count() >= 4).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "Backups of key material are stored in a place apart from the key, protected against fire and water.";

    fn check(statement: &str, flagged: bool) {
        let rule = EchoRule { fresh_min: 6, overlap_max: 70 };
        let found = rule.flags(statement, ASKED);
        assert_eq!(found.is_some(), flagged, "{statement}: {found:?}");
    }

    #[test]
    fn a_finding_that_only_echoes_is_flagged() {
        check(ASKED, true);
        check("The entity has backups of key material stored apart from the key.", true);
        check(
            "BACKUPS, of KEY material: are STORED in a place apart; protected against fire (and water)!",
            true,
        );
        check("Yes.", true);
        check("", true);
        check(
            "We saw both sealed steel plates in the Zurich deposit box 114 on 3 March; the box list \
             and the bank's visitor record agree with the custodian's interview.",
            false,
        );
    }

    #[test]
    fn padding_with_the_same_word_does_not_help() {
        check("Backups indeed indeed indeed indeed indeed indeed indeed are stored apart.", true);
    }
}
