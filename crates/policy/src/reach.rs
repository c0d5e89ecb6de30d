//! What a change of policy newly allows and newly denies, found by asking both policies at every edge.
//!
//! History shows only what was wanted. Here both judges are asked about transfers that nobody filed: on both sides of each limit
//! and of each number that a rule compares a fact with; for each agent, person, wallet and recipient that either policy names
//! and for one that neither does; of recipients that are listed, paid before, both and neither. Between two neighbouring amounts
//! neither answer changes, so a range of amounts is exact; where questions were left out, only neighbours that were both asked
//! make a range. Nothing is used of any budget, nothing is frozen, every credential reaches, and the fee is the least where no
//! rule weighs it and no budget of the coin differs: what is found is what the policies say, whatever stands today. Above what
//! rules can weigh, 2^63 millionths of a whole unit, every policy denies, and a range that is open above ends there.

mod edges;
mod probe;
mod question;
mod rows;
#[cfg(test)]
mod tests;
mod times;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use quorate_terms::judgment::Judgment;
use quorate_terms::policy::{Budget, CedarRule, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, QuorumName, Timestamp};

use crate::policy::Policy;
use crate::words::Names;
use edges::Edges;

/// The most questions that one comparison asks of each policy.
pub const PROBES_MAX: usize = 6_000;
/// The most rows that one comparison gives.
pub const ROWS_MAX: usize = 200;
/// What one comparison may weigh: each question is put to every rule and every budget of both policies.
const WORK_MAX: usize = 3_000_000;
/// So many questions are asked however much each weighs.
const PROBES_MIN: usize = 100;

/// What a policy answers, without its reasons.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Yes, with nobody asked.
    Allow,
    /// Not before these quorums agree.
    Require {
        /// Their names.
        quorums: BTreeSet<QuorumName>,
    },
    /// No.
    Deny,
}

impl Answer {
    /// The answer of a judgment.
    pub fn of(judgment: &Judgment) -> Self {
        match judgment {
            Judgment::Allow { .. } => Self::Allow,
            Judgment::Deny { .. } => Self::Deny,
            Judgment::Require { quorums, .. } => {
                Self::Require { quorums: quorums.iter().cloned().collect() }
            }
        }
    }

    /// In words, with what the policy that gave it asks of each quorum: `allowed`, `denied`, `needs treasury (2 of 3)`.
    pub fn told(&self, document: &PolicyDocument) -> String {
        let asks = |name: &QuorumName| {
            let quorum = document.quorums.iter().find(|quorum| quorum.name == *name);
            quorum.map_or_else(
                || name.to_string(),
                |q| format!("{name} ({} of {})", q.m, q.members.len()),
            )
        };
        match self {
            Self::Allow => "allowed".to_owned(),
            Self::Deny => "denied".to_owned(),
            Self::Require { quorums } => {
                let asked: Vec<String> = quorums.iter().map(asks).collect();
                format!("needs {}", asked.join(" and "))
            }
        }
    }
}

/// Which way an answer went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Possible now where it was not, or fewer must agree.
    Looser,
    /// Others must agree: neither more nor less.
    Otherwise,
    /// Less is possible, or more must agree.
    Stricter,
    /// The same.
    Same,
}

impl Way {
    /// Which way it goes from one policy's answer to another's. A quorum of the same name may ask for other people.
    pub fn between(was: (&Answer, &PolicyDocument), now: (&Answer, &PolicyDocument)) -> Self {
        match (demands(now, was), demands(was, now)) {
            (true, true) => Self::Same,
            (true, false) => Self::Stricter,
            (false, true) => Self::Looser,
            (false, false) => Self::Otherwise,
        }
    }
}

/// Whether `a` demands at least what `b` does.
fn demands(a: (&Answer, &PolicyDocument), b: (&Answer, &PolicyDocument)) -> bool {
    let quorum = |name: &QuorumName, document: &PolicyDocument| -> Option<Quorum> {
        document.quorums.iter().find(|quorum| quorum.name == *name).cloned()
    };
    match (a.0, b.0) {
        (Answer::Deny, _) | (_, Answer::Allow) => true,
        (Answer::Allow, _) | (_, Answer::Deny) => false,
        (Answer::Require { quorums: mine }, Answer::Require { quorums: theirs }) => {
            theirs.iter().all(|name| {
                let held = mine.contains(name).then(|| quorum(name, a.1)).flatten();
                held.zip(quorum(name, b.1)).is_some_and(|(a, b)| {
                    a.m >= b.m && a.members.is_subset(&b.members) && a.parties >= b.parties
                })
            })
        }
    }
}

/// One thing that a change makes possible, or impossible, or has others agree to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Which way it goes. Looser comes first.
    pub way: Way,
    /// What: who, how much of what, from where, to whom, when.
    pub what: String,
    /// What the old policy answers, in words.
    pub was: String,
    /// What the new one does.
    pub now: String,
}

/// What two policies answer differently.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reach {
    /// What differs, what is looser first.
    pub rows: Vec<Row>,
    /// Rows that are not given, because there are more than [`ROWS_MAX`].
    pub left_out: usize,
    /// How many questions were asked of each policy.
    pub asked: usize,
    /// How many there would have been. Where it is more than were asked, they were spread evenly.
    pub edges: usize,
    /// Whether hours or days are weighed and the two reckon them in zones of their own.
    pub two_zones: bool,
    /// Rules of either that weigh something in a way that has no edge to ask at: a pattern, a sum.
    pub unreached: BTreeSet<String>,
    /// Whether more numbers are compared than were asked about.
    pub is_cut: bool,
}

impl Reach {
    /// Whether every edge of both policies was asked about. Only then is what has no row known to be answered as before. Two
    /// zones that agree today may differ in summer, so there it is not known.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.asked == self.edges && !self.is_cut && !self.two_zones && self.unreached.is_empty()
    }

    /// What is said of the questions beside the rows: how many they were, and what they cannot tell.
    pub fn caveats(&self) -> Vec<String> {
        let mut said = vec![format!(
            "{} questions were put to both policies, as if nothing of any budget were used, nothing \
             frozen and every credential sufficient, and with the least fee where no rule weighs it \
             and no budget of the coin differs.",
            self.asked
        )];
        if self.asked < self.edges {
            said.push(format!(
                "There are {} questions to ask; {} of them, evenly spread, were asked. A range of \
                 amounts is told only where each of its edges was. Something may be missing.",
                self.edges, self.asked
            ));
        }
        if self.is_cut {
            said.push(
                "More numbers are compared than can be asked about. Amounts are told one by one, and \
                 something may be missing."
                    .to_owned(),
            );
        }
        if self.left_out > 0 {
            said.push(format!("{} more differences are not shown.", self.left_out));
        }
        if self.two_zones {
            said.push(
                "The time zone changes. Hours and days are told in the proposed one, and each was \
                 asked about at one moment."
                    .to_owned(),
            );
        }
        if !self.unreached.is_empty() {
            let names: Vec<&str> = self.unreached.iter().map(String::as_str).collect();
            said.push(format!(
                "These rules weigh something that has no edge to ask at; read them: {}.",
                names.join(", ")
            ));
        }
        said
    }
}

/// The recipients that a policy names, in the form in which two spellings of one are equal.
pub fn accounts(policy: &Policy) -> BTreeSet<AccountId> {
    Edges::accounts_of(policy)
}

/// Asks both policies at every edge of either, at `at` or, where hours or days are weighed, in the two weeks before it. Accounts
/// are told with what people call them.
pub fn reach(old: &Policy, new: &Policy, at: Timestamp, names: &Names) -> Reach {
    let edges = Edges::of(old, new, at);
    let probe::Said { seen, answers, total } = probe::ask((old, new), &edges, most(old, new));
    let (asked, documents) = (seen.len(), (old.document(), new.document()));
    let mut found = rows::found(seen, &edges);
    let acts = rows::acts(old.document(), new.document());
    let all = found.len().saturating_add(acts.len());
    // What is not given is not told either: a row can be long.
    found.sort_by_key(|one| one.run.way);
    found.truncate(ROWS_MAX);
    let told = found.into_iter().filter_map(|one| one.row(&edges, names, &answers, documents));
    let mut rows: Vec<Row> = told.chain(acts).collect();
    rows.sort();
    rows.truncate(ROWS_MAX);
    let left_out = all.saturating_sub(rows.len());
    let two_zones = old.document().zone != new.document().zone
        && edges.times.iter().any(|moment| moment.told().is_some());
    let Edges { unreached, is_cut, .. } = edges;
    Reach { rows, left_out, asked, edges: total, two_zones, unreached, is_cut }
}

/// How many questions these two are asked: fewer where each is more work.
fn most(old: &Policy, new: &Policy) -> usize {
    let weight = |policy: &Policy| {
        let document = policy.document();
        let names = |budget: &Budget| budget.counterparties.len().saturating_add(1);
        let budgets = document.budgets.iter().map(names).fold(0_usize, usize::saturating_add);
        // A long rule is more work than a short one: it may compare very many numbers.
        let words = |rule: &CedarRule| (rule.text.len() >> 5).saturating_add(1);
        let rules = document.rules.iter().map(words).fold(0_usize, usize::saturating_add);
        rules.saturating_add(budgets)
    };
    let weight = weight(old).saturating_add(weight(new)).max(1);
    let most = WORK_MAX.checked_div(weight).unwrap_or(PROBES_MAX);
    most.clamp(PROBES_MIN, PROBES_MAX)
}
