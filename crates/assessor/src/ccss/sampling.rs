//! How many of a population are looked at, which ones, and why. A reviewer with the same list and seed finds the same ones.

use std::collections::BTreeSet;

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use super::objection::Objection;

/// The most items of a population that are taken at once.
pub const POPULATION_MAX: usize = 1_000_000;

/// The table, from data. The first band that fits counts. It is illustrative: an auditor may take more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The bands.
    pub band: Vec<Band>,
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// A rhythm by name (`quarterly`); such a band fits only what happens in it.
    pub rhythm: Option<String>,
    /// The largest population; none for no bound.
    pub up_to: Option<u64>,
    /// The sample where the risk is low.
    pub low: u64,
    /// The sample where it is high; none leaves it to the auditor.
    pub high: Option<u64>,
}

/// How bad it would be to miss something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Low.
    Low,
    /// High.
    High,
}

impl Table {
    /// The least sample for that many; none where the table leaves it to the auditor.
    pub fn least(&self, population: u64, rhythm: Option<&str>, risk: Risk) -> Option<u64> {
        let fits = |band: &&Band| {
            band.rhythm.as_deref() == rhythm && band.up_to.is_none_or(|most| population <= most)
        };
        let band = self.band.iter().find(fits)?;
        let size = match risk {
            Risk::Low => band.low,
            Risk::High => band.high?,
        };
        Some(size.min(population))
    }
}

/// A sample as it is recorded: enough to draw it again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What the population is, how it was asked for and what came out.
    pub population: Ipe,
    /// Digest of the sorted ids ([`population_digest`]).
    pub digest: Digest,
    /// A rhythm of the table, if the population has one.
    pub rhythm: Option<String>,
    /// The risk that was assumed.
    pub risk: Risk,
    /// Why this risk and this size.
    pub rationale: String,
    /// What decides the choice, fixed after the list was captured.
    pub seed: Seed,
    /// The ids, in the order drawn.
    pub chosen: Vec<String>,
}

/// Information that the entity produced: the query that gave it and its count show that it is complete and accurate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ipe {
    /// What is listed.
    pub of: String,
    /// From which system.
    pub source: String,
    /// The query, word for word.
    pub query: String,
    /// How many rows it gave.
    pub count: u64,
    /// Who ran it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A seed and where it comes from. Best is something that nobody could choose, such as the root of a witnessed checkpoint
/// made after the list was captured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The text that is hashed.
    pub text: String,
    /// Where it comes from.
    pub source: String,
}

/// Draws `size` of the ids: those whose digest with the seed is smallest. The order of the list does not matter.
///
/// # Errors
/// [`Malformed`] for a list that is empty, too long, or names one id twice, and for an empty seed.
pub fn draw(ids: &[String], seed: &Seed, size: u64) -> Result<Vec<String>, Malformed> {
    let distinct = distinct(ids)?;
    if seed.text.trim().is_empty() {
        return Err(Malformed::new("sample.seed", "is empty", "take the root of a checkpoint"));
    }
    let mut ranked = Vec::with_capacity(distinct.len());
    for id in distinct {
        let bytes = canonical::to_bytes(&(&seed.text, id), "sample")?;
        ranked.push((Digest::of(tag::SAMPLE, &bytes), id));
    }
    ranked.sort_unstable();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Ok(ranked.into_iter().take(size).map(|(_, id)| id.to_owned()).collect())
}

/// One digest of the whole list, whatever its order.
///
/// # Errors
/// As [`draw`].
pub fn population_digest(ids: &[String]) -> Result<Digest, Malformed> {
    let bytes = canonical::to_bytes(&distinct(ids)?, "sample")?;
    Ok(Digest::of(tag::SAMPLE, &bytes))
}

fn distinct(ids: &[String]) -> Result<BTreeSet<&str>, Malformed> {
    let bad = |why: &str, mend: &str| Err(Malformed::new("sample.population", why, mend));
    if ids.is_empty() || ids.len() > POPULATION_MAX {
        return bad("is empty or too long", "give 1 to 1000000 ids");
    }
    let set: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    if set.len() != ids.len() {
        return bad("names one id twice", "list each item once");
    }
    Ok(set)
}

impl Sample {
    /// What a reviewer would object to, from the record alone.
    pub fn objections(&self, table: &Table) -> Vec<Objection> {
        let mut found: Vec<Objection> = self.population.objection().into_iter().collect();
        let says = |text: &str| !text.trim().is_empty();
        let bad = |why: &str, mend: &str| Objection::new("sample_is_reasoned", why, mend);
        if !says(&self.rationale) || !says(&self.seed.text) || !says(&self.seed.source) {
            found.push(bad(
                "the sample lacks its rationale, its seed or the seed's source",
                "record all three",
            ));
        }
        let drawn = u64::try_from(self.chosen.len()).unwrap_or(u64::MAX);
        let distinct: BTreeSet<&String> = self.chosen.iter().collect();
        if distinct.len() != self.chosen.len() || drawn > self.population.count {
            found.push(bad(
                "the sample names an item twice or has more than there are",
                "draw it again",
            ));
        }
        let least = self.rhythm.as_deref();
        match table.least(self.population.count, least, self.risk) {
            Some(least) if drawn < least => {
                found.push(bad(
                    &format!("the sample has {drawn} and the table says {least}"),
                    "draw more",
                ));
            }
            None if drawn == 0 && self.population.count > 0 => {
                found.push(bad("nothing was drawn", "draw what the auditor's judgement asks"));
            }
            _ => {}
        }
        found
    }

    /// What a reviewer who has the list finds: the same digest, count and choice, or not.
    ///
    /// # Errors
    /// As [`draw`].
    pub fn drawn_again(&self, ids: &[String]) -> Result<bool, Malformed> {
        let size = u64::try_from(self.chosen.len()).unwrap_or(u64::MAX);
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        Ok(count == self.population.count
            && population_digest(ids)? == self.digest
            && draw(ids, &self.seed, size)? == self.chosen)
    }
}

impl Ipe {
    /// Why a reader could not tell that the list is whole; none if he could.
    pub fn objection(&self) -> Option<Objection> {
        let texts = [&self.of, &self.source, &self.query, &self.by];
        Objection::unless(
            texts.into_iter().all(|text| !text.trim().is_empty()) && self.at > Timestamp::ZERO,
            "population_is_shown",
            "the list of a population came without its query, source, author or time",
            "capture the query and the count when the list is made",
        )
    }
}

#[cfg(test)]
mod tests;
