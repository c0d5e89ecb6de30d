//! A policy in words that a treasurer understands: who, what, limits with their units, hours, quorums, budgets.
//!
//! The words are a function of the policy alone, and two policies that say different things never have the same words.
//! A rule of which any part is not understood is shown as it was written, and that is said: nothing is paraphrased by
//! halves.

pub(crate) mod clause;
mod leaf;
mod typed;

use serde::Serialize;

use quorate_terms::policy::{CedarRule, PolicyDocument};

use crate::form;
use crate::policy::Policy;
use clause::Ground;

pub(crate) use clause::weekday;
pub use leaf::{Names, span};
pub(crate) use leaf::{account, fraction, listed, millionths, quoted};
pub(crate) use typed::{budget, quorum};

/// One sentence about one part of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sentence {
    /// The part (`rules.large`, `budgets.daily`).
    pub field: String,
    /// One line for people; where `in_words` is false, the part as it was written.
    pub text: String,
    /// Whether this is the part in words.
    pub in_words: bool,
}

impl Sentence {
    fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into(), in_words: true }
    }

    /// What is said before the text where it is the part as it was written; none where it is in words.
    pub const fn caution(&self) -> Option<&'static str> {
        if self.in_words { None } else { Some(NOT_IN_WORDS) }
    }
}

/// What is said beside a rule that is shown as it was written.
const NOT_IN_WORDS: &str = "This rule says something that is not told in words here. \
                                Have it explained by whoever wrote it:";

/// A whole policy, part by part in the order of the document.
pub fn words(policy: &Policy, names: &Names) -> Vec<Sentence> {
    let document = policy.document();
    let mut all = typed::head(document);
    all.extend(document.rules.iter().map(|rule| self::rule(rule, document, names)));
    all.extend(
        document
            .quorums
            .iter()
            .map(|one| Sentence::new(format!("quorums.{}", one.name), quorum(one))),
    );
    all.extend(
        document
            .budgets
            .iter()
            .map(|one| Sentence::new(format!("budgets.{}", one.id), budget(one, document, names))),
    );
    all.extend(typed::rest(document, names));
    all
}

/// One rule of a document.
pub fn rule(rule: &CedarRule, document: &PolicyDocument, names: &Names) -> Sentence {
    let field = format!("rules.{}", rule.id);
    match tree(rule).and_then(|tree| clause::rule(&tree, &Ground { document, names })) {
        Some(text) => Sentence::new(field, text),
        None => Sentence { field, text: written(rule), in_words: false },
    }
}

/// What a rule says, whatever its spacing and comments; none where it is not canonical.
pub(crate) fn tree(rule: &CedarRule) -> Option<serde_json::Value> {
    form::read(rule).ok()?.cedar.to_json().ok()
}

/// A rule as it was written, without its comments: a comment may say anything, and on one line it would swallow what follows.
pub(crate) fn written(rule: &CedarRule) -> String {
    let plain = tree(rule).and_then(|tree| cedar_policy::Policy::from_json(None, tree).ok());
    let text = plain.map_or_else(|| rule.text.clone(), |plain| plain.to_string());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
