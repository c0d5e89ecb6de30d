//! What a certified provider has shown already. Its signed report is imported; each requirement is owned by the system,
//! the provider or both; a customer's audit shows only what is left. Every doubt is refused, with its reason.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::{Digest, Malformed, PublicKey, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use super::grade::Judged;
use super::objection::Objection;
use super::period::plus_months;
use super::requirement::Requirement;
use super::status::Status;
use crate::finding::State;
use crate::mark::Envelope;

/// The payload type of a provider's report.
pub const PROVIDER_REPORT: &str = "application/vnd.quorate.provider-report+json";
/// The longest report that is read, in bytes.
pub const REPORT_BYTES_MAX: usize = 1024 * 1024;

/// What a certified provider gives its customers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderReport {
    /// Format version, 1.
    pub v: u8,
    /// The provider.
    pub provider: String,
    /// Its certified system.
    pub system: String,
    /// The services that lie inside that system.
    pub services: BTreeSet<String>,
    /// The standard.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// The rank of the level reached.
    pub level: u8,
    /// The status of each requirement, by id.
    pub statuses: BTreeMap<String, Status>,
    /// SHA-256 of the registrar's certificate.
    pub certificate: Digest,
    /// First day.
    pub valid_from: Timestamp,
    /// Last.
    pub valid_until: Timestamp,
}

/// Whose signature is believed, from the operator's own configuration and never from the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The registrar or assessor.
    pub name: String,
    /// Its key.
    pub key: PublicKey,
}

/// A report whose signature a pinned key made. There is no other way to one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    report: ProviderReport,
    envelope: Digest,
    signed_by: String,
}

impl Imported {
    /// Reads an envelope from outside.
    ///
    /// # Errors
    /// [`Malformed`] for bytes that are no report, and for a report that no pinned key signed.
    pub fn from_bytes(bytes: &[u8], pins: &[Pin]) -> Result<Self, Malformed> {
        let bad = |why: &str, mend: &str| Err(Malformed::new("provider report", why, mend));
        if bytes.len() > REPORT_BYTES_MAX {
            return bad("is too large", "ask the provider for the report alone");
        }
        let envelope: Envelope = canonical::from_bytes(bytes, "provider report")?;
        if envelope.payload_type != PROVIDER_REPORT {
            return bad("is something else", "ask the provider for its report");
        }
        for pin in pins {
            if envelope.is_signed_by(&pin.key)? {
                let report: ProviderReport =
                    canonical::from_bytes(&envelope.payload()?, "provider report")?;
                if report.v != 1 {
                    return bad("has an unknown version", "use a program that knows it");
                }
                return Ok(Self {
                    report,
                    envelope: envelope.digest()?,
                    signed_by: pin.name.clone(),
                });
            }
        }
        bad("is signed by nobody who is pinned", "pin the registrar's key, or ask who signed it")
    }

    /// The same of an envelope that was taken apart already.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_envelope(envelope: &Envelope, pins: &[Pin]) -> Result<Self, Malformed> {
        Self::from_bytes(&canonical::to_bytes(envelope, "provider report")?, pins)
    }

    /// What it says.
    pub const fn report(&self) -> &ProviderReport {
        &self.report
    }

    /// Digest of the envelope, for the record.
    pub const fn envelope(&self) -> Digest {
        self.envelope
    }

    /// The pinned name that signed it.
    pub fn signed_by(&self) -> &str {
        &self.signed_by
    }
}

/// How the customer uses the provider, and what it seeks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The service that is used.
    pub service: String,
    /// The standard of the customer's audit.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// The rank of the level that is sought.
    pub sought: u8,
    /// The customer's last review of this vendor.
    pub reviewed: Option<Timestamp>,
    /// Older versions that are still taken, each with its last day.
    pub grace: BTreeMap<String, Timestamp>,
    /// How many months a vendor review lasts.
    pub review_months: u32,
    /// Who owns each requirement, by id. What is not named is the system's own.
    pub owners: BTreeMap<String, Owner>,
}

/// Whose requirement it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The audited system's.
    System,
    /// The provider's alone.
    Provider,
    /// Both have a share.
    Both,
}

/// One requirement after inheritance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Whose it is.
    pub owner: Owner,
    /// What the provider's report says of it, where the provider has a share.
    pub inherited: Option<Status>,
}

impl Share {
    /// Whether the customer's audit must still show something.
    pub const fn is_left(&self) -> bool {
        !matches!(self.owner, Owner::Provider)
    }
}

/// Who owns what, or every reason why nothing may be inherited.
///
/// # Errors
/// All objections at once: expired or not yet valid, another standard or a version whose grace has ended, a service outside
/// of the certified system, a level too low, no vendor review in time, and each requirement that the report does not carry.
pub fn inherit(
    imported: &Imported,
    using: &Use,
    requirements: &[Requirement],
    now: Timestamp,
) -> Result<BTreeMap<String, Share>, Vec<Objection>> {
    let report = &imported.report;
    let mut against: Vec<Objection> = [
        in_date(report, now),
        of_version(report, using, now),
        of_scope(report, using),
        of_level(report, using),
        reviewed(using, now),
    ]
    .into_iter()
    .flatten()
    .collect();
    let known: BTreeSet<&str> = requirements.iter().map(|r| r.id.as_str()).collect();
    for id in using.owners.keys().filter(|id| !known.contains(id.as_str())) {
        against.push(no(
            "owner_is_of_a_requirement",
            format!("{id} is no requirement"),
            "mend the owners",
        ));
    }
    let mut shares = BTreeMap::new();
    for requirement in requirements {
        let owner = using.owners.get(&requirement.id).copied().unwrap_or(Owner::System);
        against.extend(carried(report, requirement, owner, using.sought));
        let inherited =
            report.statuses.get(&requirement.id).filter(|_| owner != Owner::System).copied();
        shares.insert(requirement.id.clone(), Share { owner, inherited });
    }
    if against.is_empty() { Ok(shares) } else { Err(against) }
}

/// The requirements that the customer's audit must still show, in catalogue order.
pub fn left<'a>(
    requirements: &'a [Requirement],
    shares: &BTreeMap<String, Share>,
) -> Vec<&'a Requirement> {
    let is_left = |r: &&Requirement| shares.get(&r.id).is_none_or(Share::is_left);
    requirements.iter().filter(is_left).collect()
}

/// The customer's own findings and what is inherited, put together: a provider's requirement stands as its report says; a
/// shared one as the customer's own part, since the provider's passed on import. A finding of the customer on what it does
/// not own does not count.
pub fn together(
    own: &BTreeMap<String, Judged>,
    shares: &BTreeMap<String, Share>,
) -> BTreeMap<String, Judged> {
    let mut all = own.clone();
    for (id, share) in shares.iter().filter(|(_, share)| !share.is_left()) {
        let state = share.inherited.map_or(State::Unproven, State::from);
        let rationale = Some("inherited from the certified provider".to_owned());
        all.insert(id.clone(), Judged { state, rationale });
    }
    all
}

fn in_date(report: &ProviderReport, now: Timestamp) -> Option<Objection> {
    if now < report.valid_from {
        return Some(no(
            "provider_in_date",
            "the provider's certificate is not valid yet",
            "wait for it",
        ));
    }
    let expired = now > report.valid_until;
    expired.then(|| {
        no("provider_in_date", "the provider's certificate has expired", "ask for the new one")
    })
}

fn of_version(report: &ProviderReport, using: &Use, now: Timestamp) -> Option<Objection> {
    let rule = "provider_version";
    if report.standard != using.standard {
        return Some(no(
            rule,
            "the provider is certified under another standard",
            "ask for the right report",
        ));
    }
    if report.version == using.version {
        return None;
    }
    match using.grace.get(&report.version) {
        Some(until) if now <= *until => None,
        Some(_) => Some(no(
            rule,
            format!("the grace of version {} has ended", report.version),
            "ask for a certificate under the present version",
        )),
        None => Some(no(
            rule,
            format!("version {} has no grace", report.version),
            "ask for a certificate under the present version, or record its grace",
        )),
    }
}

fn of_scope(report: &ProviderReport, using: &Use) -> Option<Objection> {
    let outside = !report.services.contains(&using.service);
    outside.then(|| {
        let why = format!(
            "service {} lies outside of the certified system {}",
            using.service, report.system
        );
        no("provider_scope", why, "take its controls into your own scope")
    })
}

fn of_level(report: &ProviderReport, using: &Use) -> Option<Objection> {
    let owns_any = using.owners.values().any(|owner| *owner != Owner::System);
    let low = owns_any && report.level < using.sought;
    low.then(|| {
        let why =
            format!("the provider reached level {} and you seek {}", report.level, using.sought);
        no("provider_level", why, "seek the lower level, or show the requirements yourself")
    })
}

fn reviewed(using: &Use, now: Timestamp) -> Option<Objection> {
    let rule = "provider_reviewed";
    let Some(at) = using.reviewed else {
        return Some(no(
            rule,
            "no review of this vendor is on file",
            "review the vendor and record it",
        ));
    };
    let good = at <= now && plus_months(at, using.review_months).is_some_and(|until| now <= until);
    (!good).then(|| no(rule, "the review of this vendor is out of date", "review the vendor again"))
}

/// A provider's share must have passed in its own audit; a requirement above the level sought is not asked for.
fn carried(
    report: &ProviderReport,
    requirement: &Requirement,
    owner: Owner,
    sought: u8,
) -> Option<Objection> {
    if owner == Owner::System || requirement.rank > sought {
        return None;
    }
    let id = &requirement.id;
    let rule = "provider_carries";
    match report.statuses.get(id) {
        None => Some(no(rule, format!("the report says nothing about {id}"), "own it yourself")),
        Some(Status::NotInPlace) => {
            Some(no(rule, format!("the report says that {id} is not in place"), "own it yourself"))
        }
        Some(Status::NotApplicable(super::status::NotApplicable::NotSought)) => Some(no(
            rule,
            format!("the provider did not seek the level of {id}"),
            "own it yourself",
        )),
        Some(Status::Qualified) if owner == Owner::Provider => {
            let why = format!("{id} is only qualified at the provider: a part of it is yours");
            Some(no(rule, why, "own it together and show your part"))
        }
        Some(_) => None,
    }
}

fn no(rule: &str, why: impl Into<String>, mend: &str) -> Objection {
    Objection::new(rule, why, mend)
}

#[cfg(test)]
mod tests;
