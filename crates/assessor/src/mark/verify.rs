//! How a stranger checks a mark offline: every check must hold, and one that cannot be made has failed.

use quorate_ledger::LogPolicy;
use quorate_terms::{Digest, Malformed, PublicKey, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claim::{Claim, Statement};
use super::dsse::{self, Envelope};
use super::file::MarkFile;
use super::status::StatusList;

/// Whom and what a verifier trusts, pinned beforehand (`docs/spec/mark.md`, "pinned policy").
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkPolicy {
    /// Format version, 1.
    pub v: u8,
    /// Keys of assessors that the issuer has authorised.
    pub assessors: Vec<PublicKey>,
    /// The issuer's key.
    pub issuer: PublicKey,
    /// The register: its log key, its witnesses, how many of them.
    pub register: LogPolicy,
    /// Versions of standards that count, by id, version and catalogue digest.
    pub standards: Vec<Accepted>,
    /// The oldest status list that still tells anything, in seconds.
    pub status_max_age_s: u64,
}

/// A version of a standard that counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Digest of its catalogue.
    pub digest: Digest,
}

impl MarkPolicy {
    /// Reads the JSON form; any spacing.
    ///
    /// # Errors
    /// [`Malformed`] for anything else and for a policy that trusts nobody.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Malformed> {
        let policy: Self = serde_json::from_slice(bytes).map_err(|e| {
            let why = format!("cannot be read ({e})");
            Malformed::new("mark policy", why, "give the form in docs/spec/mark.md")
        })?;
        if policy.v != 1 {
            let mend = "use a program that knows this version";
            return Err(Malformed::new("mark policy.v", "is not 1", mend));
        }
        if policy.assessors.is_empty() || policy.standards.is_empty() {
            let mend = "name at least one assessor and one standard";
            return Err(Malformed::new("mark policy", "trusts nobody or no standard", mend));
        }
        // The register's own rules: keys distinct, a quorum that can be met.
        let register = serde_json::to_vec(&policy.register)
            .map_err(|e| Malformed::new("mark policy.register", e.to_string(), "mend it"))?;
        LogPolicy::from_json(&register)?;
        Ok(policy)
    }
}

/// What a verifier asks.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The mark.
    pub mark: &'a MarkFile,
    /// The newest status list that the verifier has.
    pub status: Option<&'a Envelope>,
    /// The entity that the verifier means to deal with, if it matters.
    pub entity: Option<&'a str>,
    /// The system that it means to deal with, if it matters.
    pub system: Option<&'a str>,
    /// The verifier's clock.
    pub now: Timestamp,
}

/// One check: its name, and what was shown or why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// What holds, or what does not; one line each.
    pub outcome: Result<String, String>,
}

/// What verification came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// What is claimed, once the statement could be read.
    pub claim: Option<Claim>,
    /// All checks, in order.
    pub checks: Vec<Check>,
}

impl Verified {
    /// Whether every check holds. There is no partial mark.
    pub fn stands(&self) -> bool {
        self.claim.is_some() && self.checks.iter().all(|check| check.outcome.is_ok())
    }
}

/// Checks a mark against a pinned policy.
pub fn verify(question: &Question<'_>, policy: &MarkPolicy) -> Verified {
    let statement = match statement(&question.mark.envelope) {
        Ok(statement) => statement,
        Err(why) => {
            let checks = vec![Check { name: "statement", outcome: Err(why) }];
            return Verified { claim: None, checks };
        }
    };
    let claim = &statement.predicate;
    let mark = question.mark;
    let checks = vec![
        Check { name: "assessor", outcome: assessor(mark, claim, policy) },
        Check { name: "issuer", outcome: issuer(mark, claim, policy) },
        Check { name: "results", outcome: results(mark, &statement) },
        Check { name: "standard", outcome: standard(claim, policy) },
        Check { name: "scope", outcome: scope(claim, question) },
        Check { name: "validity", outcome: validity(claim, question.now) },
        Check { name: "register", outcome: register(mark, claim, policy) },
        Check { name: "status", outcome: status(claim, question, policy) },
    ];
    Verified { claim: Some(statement.predicate), checks }
}

fn statement(envelope: &Envelope) -> Result<Statement, String> {
    if envelope.payload_type != dsse::IN_TOTO {
        return Err("the envelope holds another kind of document".to_owned());
    }
    let bytes = envelope.payload().map_err(|e| e.to_string())?;
    Statement::from_bytes(&bytes).map_err(|e| e.to_string())
}

fn assessor(mark: &MarkFile, claim: &Claim, policy: &MarkPolicy) -> Result<String, String> {
    let key = claim.assessor.key;
    if !policy.assessors.contains(&key) {
        return Err(format!("`{}` is not an assessor that you trust", claim.assessor.name));
    }
    signed(mark, &key, "assessor")?;
    Ok(format!("signed by {}", claim.assessor.name))
}

fn issuer(mark: &MarkFile, claim: &Claim, policy: &MarkPolicy) -> Result<String, String> {
    if claim.issuer.key != policy.issuer {
        return Err(format!("`{}` is not the issuer that you trust", claim.issuer.name));
    }
    if claim.issuer.key == claim.assessor.key {
        return Err("assessor and issuer are one key".to_owned());
    }
    signed(mark, &claim.issuer.key, "issuer")?;
    Ok(format!("signed by {}", claim.issuer.name))
}

fn signed(mark: &MarkFile, key: &PublicKey, who: &str) -> Result<(), String> {
    match mark.envelope.is_signed_by(key) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("the {who}'s signature is missing or false")),
        Err(e) => Err(e.to_string()),
    }
}

fn results(mark: &MarkFile, statement: &Statement) -> Result<String, String> {
    let found = Digest::sha256(mark.results.as_bytes());
    if statement.results() == Some(&found) {
        return Ok(format!("sha256 {} as stated", found.short()));
    }
    Err("the results are not those of the statement".to_owned())
}

fn standard(claim: &Claim, policy: &MarkPolicy) -> Result<String, String> {
    let named = &claim.standard;
    let known = policy.standards.iter().any(|accepted| {
        accepted.id == named.id
            && accepted.version == named.version
            && accepted.digest == named.digest
    });
    if !known {
        let what = format!("{} {} ({})", named.id, named.version, named.digest.short());
        return Err(format!("{what} is no version that you accept"));
    }
    let kind = if named.official { "" } else { ", an unofficial working draft" };
    Ok(format!("{} {}{kind}, level {}", named.id, named.version, claim.level))
}

fn scope(claim: &Claim, question: &Question<'_>) -> Result<String, String> {
    let (entity, system) = (&claim.scope.entity, &claim.scope.system);
    if let Some(other) = question.entity.filter(|wanted| wanted != entity) {
        return Err(format!("the mark is about `{entity}`, not `{other}`"));
    }
    if let Some(other) = question.system.filter(|wanted| wanted != system) {
        return Err(format!("the mark is about the system `{system}`, not `{other}`"));
    }
    Ok(format!("{system} of {entity}; {} exclusions", claim.exclusions.len()))
}

fn validity(claim: &Claim, now: Timestamp) -> Result<String, String> {
    if now < claim.valid_from {
        return Err("the mark is not valid yet".to_owned());
    }
    if now > claim.valid_until {
        return Err("the mark has expired".to_owned());
    }
    Ok("in its time".to_owned())
}

/// The register's entry must be about this very envelope, and stand under enough witnesses.
fn register(mark: &MarkFile, claim: &Claim, policy: &MarkPolicy) -> Result<String, String> {
    let proof = mark.proof().map_err(|e| e.to_string())?;
    let witnessed =
        proof.verify(mark.entry.as_bytes(), &policy.register).map_err(|e| e.to_string())?;
    let entry: Value = serde_json::from_str(&mark.entry)
        .map_err(|_| "the register's entry cannot be read".to_owned())?;
    let says = |field: &str| entry.pointer(&format!("/body/{field}")).and_then(Value::as_str);
    let envelope = mark.envelope.digest().map_err(|e| e.to_string())?.to_string();
    let about = says("type") == Some("MarkIssued")
        && says("mark") == Some(&claim.mark)
        && says("envelope") == Some(&envelope);
    if !about {
        return Err("the register's entry issues another mark".to_owned());
    }
    let names: Vec<&str> = witnessed.witnesses.iter().map(|seen| seen.operator.as_str()).collect();
    let head = witnessed.checkpoint.size;
    Ok(format!("entry {} of {head}, witnessed by {}", proof.index, names.join(" and ")))
}

fn status(claim: &Claim, question: &Question<'_>, policy: &MarkPolicy) -> Result<String, String> {
    let envelope = question.status.ok_or("no status list was given; fetch the newest one")?;
    let list = StatusList::open(envelope, &policy.issuer).map_err(|e| e.to_string())?;
    if list.list != claim.status.list {
        return Err(format!("the status list is `{}`, not `{}`", list.list, claim.status.list));
    }
    let now = question.now;
    if list.signed_at > now {
        return Err("the status list is from the future; check your clock".to_owned());
    }
    let age_s = now.since(list.signed_at) / 1000;
    if now > list.fresh_until || age_s > policy.status_max_age_s {
        return Err("the status list is stale; fetch the newest one".to_owned());
    }
    if claim.status.place >= list.places {
        return Err("the status list is older than the mark; fetch the newest one".to_owned());
    }
    match list.withdrawn.get(&claim.status.place) {
        None => Ok(format!("stands, by a list signed {age_s} s ago")),
        Some(gone) => Err(format!("{}: {}", gone.standing.word(), gone.reason)),
    }
}
