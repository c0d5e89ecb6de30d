//! What must stand before a step. A workflow names guards for its steps; some stand always, whatever it names.

use quorate_terms::{Digest, Malformed, Timestamp};

mod closing;
mod testing;

pub(crate) use closing::{accreditation, certificate, due};
pub(crate) use testing::echoes;

use super::conflict;
use super::machine::{Event, Rules};
use super::record::{Engagement, Record};
use super::signed::{digest_of, to_sign};
use super::state::Audit;
use super::workflow::Role;
use crate::ccss::Objection;
use crate::ccss::designation::decide;

/// What a guard may look at.
pub struct Asked<'a> {
    /// The audit so far.
    pub audit: &'a Audit,
    /// What is to be recorded, by whom.
    pub event: &'a Event,
    /// The person's role.
    pub role: Role,
    /// Now.
    pub now: Timestamp,
    /// Workflow, catalogue and pinned keys.
    pub rules: &'a Rules<'a>,
    /// Whether signatures are still to come: then nobody objects to their absence.
    pub unsigned: bool,
}

/// A guard: what it objects to.
pub type Guard = fn(&Asked<'_>) -> Vec<Objection>;

/// Every guard by its name in the data, with the kinds of record on which it stands always.
const GUARDS: [(&str, &[&str], Guard); 33] = [
    ("parties_are_whole", &["engaged"], |a| engaged(a, conflict::parties)),
    ("auditor_is_not_implementer", &["engaged"], |a| engaged(a, conflict::auditor)),
    ("workflow_is_this_one", &["engaged"], workflow_is_this_one),
    ("period_fits", &["engaged"], period_fits),
    ("scope_is_whole", &["scope_set"], scope_is_whole),
    ("designation_is_decided", &["scope_set"], designation_is_decided),
    ("list_is_new", &["options_listed"], list_is_new),
    ("reviewer_has_no_conflict", &["reviewer_chosen"], reviewer_has_no_conflict),
    ("declaration_is_signed", &["declared"], declaration_is_signed),
    ("declarations_stand", &["review_opened", "review_completed"], declarations_stand),
    ("scope_stands", &["found", "report_written"], scope_stands),
    ("provider_is_good", &["inherited"], testing::provider_is_good),
    ("tag_is_next", &["exhibit_filed"], testing::tag_is_next),
    ("exhibit_is_whole", &["exhibit_filed"], testing::exhibit_is_whole),
    ("tag_is_known", &["exhibit_opened", "exhibit_struck"], testing::tag_is_known),
    ("sample_is_reasoned", &["sampled"], testing::sample_is_reasoned),
    ("finding_is_earned", &["found"], testing::finding_is_earned),
    ("findings_are_whole", &["report_written"], testing::findings_are_whole),
    ("no_finding_echoes", &[], testing::no_finding_echoes),
    (
        "report_is_current",
        &["report_written", "redacted", "review_opened", "review_completed", "summary_written"],
        closing::report_is_current,
    ),
    ("copy_is_of_the_report", &["redacted"], closing::copy_is_of_the_report),
    (
        "copy_is_this_one",
        &["redaction_approved", "review_opened", "review_completed"],
        closing::copy_is_this_one,
    ),
    ("copy_is_approved", &[], closing::copy_is_approved),
    ("review_is_open", &["commented", "review_completed"], closing::review_is_open),
    (
        "comment_is_in_order",
        &["commented", "answered", "comment_closed"],
        closing::comment_is_in_order,
    ),
    ("review_is_signed", &["review_completed"], closing::review_is_signed),
    ("review_is_complete", &[], closing::review_is_complete),
    ("summary_is_true", &["summary_written", "summary_signed"], closing::summary_is_true),
    (
        "summary_is_signed",
        &["certificate_asked", "certified", "decided", "mark_issued"],
        closing::summary_is_signed,
    ),
    ("request_is_whole", &["certificate_asked"], closing::request_is_whole),
    (
        "paper_is_the_registrars",
        &["certified", "accredited", "mark_issued"],
        closing::paper_is_the_registrars,
    ),
    ("auditor_is_accredited", &[], closing::auditor_is_accredited),
    ("decision_is_reasoned", &["decided"], closing::decision_is_reasoned),
];

/// The guard of that name.
pub fn named(name: &str) -> Option<Guard> {
    GUARDS.iter().find(|(known, _, _)| *known == name).map(|(_, _, guard)| *guard)
}

/// What all guards of a step object to: those that stand always, then those that the workflow names.
pub(crate) fn objections(asked: &Asked<'_>, by_data: &[String]) -> Vec<Objection> {
    let kind = asked.event.record.kind();
    let stands =
        |name: &str, always: &[&str]| always.contains(&kind) || by_data.iter().any(|n| n == name);
    let guards = GUARDS.iter().filter(|(name, always, _)| stands(name, always));
    guards.flat_map(|(_, _, guard)| guard(asked)).collect()
}

/// What older ledgers may hold and no new step may write: values about people in plain text, and an engagement that does not
/// say whether steps are signed.
pub(crate) fn old_forms(record: &Record) -> Vec<Objection> {
    match record {
        Record::ExhibitFiled(filing) => {
            let personal = filing.exhibit.personal().into_iter();
            let plain = personal.filter(|(_, value)| value.plain().is_some());
            let object = |(name, _): (&str, _)| {
                let why = format!("its {name} is about a person and stands in plain text");
                Objection::new(
                    "personal_is_committed",
                    why,
                    "commit to it; keep the opening beside",
                )
            };
            plain.map(object).collect()
        }
        Record::Engaged(engagement) => one(Objection::unless(
            engagement.signed_steps.is_some(),
            "engagement_says_who_signs",
            "it does not say whether steps are signed",
            "say `\"signed_steps\": true`, or false, which the report will tell",
        )),
        _ => Vec::new(),
    }
}

/// The number of a tag such as `INTERVIEW_2`.
pub(crate) fn number_of(tag: &str) -> Option<u32> {
    tag.rsplit_once('_').and_then(|(_, number)| number.parse().ok())
}

/// Whether the person of the event signed this body, as the person's key in the engagement says.
fn signed(
    asked: &Asked<'_>,
    what: &str,
    body: &Digest,
    signature: &quorate_terms::Signature,
) -> Option<Objection> {
    if asked.unsigned {
        return None;
    }
    let good = || -> Option<bool> {
        let audit = &asked.audit.engagement.as_ref()?.audit;
        let party = asked.audit.parties.get(&asked.event.by)?;
        let message = to_sign(audit, what, &party.person, body).ok()?;
        Some(party.key.verifies(&message, signature))
    };
    let why = "the signature is not this person's over this paper";
    Objection::unless(
        good().unwrap_or(false),
        "signature_is_true",
        why,
        "sign it with the key of the engagement",
    )
}

/// A malformed paper as an objection.
fn malformed(rule: &str, error: &Malformed) -> Objection {
    Objection::new(rule, format!("{}: {}", error.field(), error.why()), error.mend())
}

fn one(objection: Option<Objection>) -> Vec<Objection> {
    objection.into_iter().collect()
}

fn engaged(asked: &Asked<'_>, rule: fn(&Engagement) -> Vec<Objection>) -> Vec<Objection> {
    match &asked.event.record {
        Record::Engaged(engagement) => rule(engagement),
        _ => Vec::new(),
    }
}

fn workflow_is_this_one(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::Engaged(engagement) = &asked.event.record else { return Vec::new() };
    let workflow = asked.rules.workflow;
    let same =
        engagement.workflow == workflow.digest && engagement.standard == workflow.text.standard;
    let why = "the engagement names another workflow or standard than the one that is loaded";
    let mend = "load the workflow of the engagement";
    one(Objection::unless(same, "workflow_is_this_one", why, mend))
}

fn period_fits(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::Engaged(engagement) = &asked.event.record else { return Vec::new() };
    one(asked.rules.workflow.text.period.objection(engagement.period, engagement.first))
}

fn scope_is_whole(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::ScopeSet(scope) = &asked.event.record else { return Vec::new() };
    let Some(engagement) = &asked.audit.engagement else { return Vec::new() };
    let mut found = scope.holes();
    let mut no = |why: &str, mend: &str| found.push(Objection::new("scope_is_whole", why, mend));
    if scope.entity != engagement.entity {
        no("the scope is of another entity", "set the scope of the engagement's entity");
    }
    let Some(system) = scope.system(&engagement.system) else {
        no("the engaged system is not in it", "add the system");
        return found;
    };
    if system.sought != engagement.sought {
        no("the scope seeks another level than the engagement", "make both the same");
    }
    let auditor = asked.audit.party(Role::Auditor).map(|party| party.name.as_str());
    let by = system.environment.validated.as_ref().map(|done| done.by.as_str());
    if by.is_some() && by != auditor {
        no(
            "the environment was validated by somebody else than the auditor",
            "let the auditor validate it",
        );
    }
    found
}

/// The designation is what the rule gives. Two of its answers are matters of judgement and may differ with a reason; a
/// provider near the keys or customers' funds rules out self custody, whatever the reason.
fn designation_is_decided(asked: &Asked<'_>) -> Vec<Objection> {
    let (Record::ScopeSet(scope), Some(engagement)) =
        (&asked.event.record, &asked.audit.engagement)
    else {
        return Vec::new();
    };
    let Some(system) = scope.system(&engagement.system) else { return Vec::new() };
    let ruling = decide(&system.custody);
    let reasoned = engagement.designation_why.as_ref().is_some_and(|why| !why.trim().is_empty());
    let is_self = engagement.designation == crate::ccss::Designation::SelfCustody;
    let good = ruling.designation == engagement.designation || (reasoned && !is_self);
    let why = format!(
        "the rule gives {} ({}), and the engagement says {}",
        ruling.designation.words(),
        ruling.reasons.join("; "),
        engagement.designation.words()
    );
    one(Objection::unless(
        good,
        "designation_is_decided",
        &why,
        "engage again under that designation, or say why",
    ))
}

fn list_is_new(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::OptionsListed(options) = &asked.event.record else { return Vec::new() };
    let old = asked.audit.options.as_ref().is_some_and(|held| held.list == options.list);
    let new =
        !old && !asked.audit.voided_lists.contains(&options.list) && !options.reviewers.is_empty();
    one(Objection::unless(
        new,
        "list_is_new",
        "the list is empty or was given before",
        "give the registrar's new list",
    ))
}

fn reviewer_has_no_conflict(asked: &Asked<'_>) -> Vec<Objection> {
    match &asked.event.record {
        Record::ReviewerChosen(choice) => {
            conflict::reviewer(asked.audit, choice, asked.rules.workflow.text.conflicts, asked.now)
        }
        _ => Vec::new(),
    }
}

fn declaration_is_signed(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::Declared(declaration) = &asked.event.record else { return Vec::new() };
    let says = declaration.statements.iter().any(|text| !text.trim().is_empty());
    let rule = "declaration_is_signed";
    let mut found = one(Objection::unless(
        says,
        rule,
        "it declares nothing",
        "state independence and liability",
    ));
    match digest_of(&declaration.statements) {
        Ok(body) => found.extend(signed(asked, "declaration", &body, &declaration.signature)),
        Err(error) => found.push(malformed(rule, &error)),
    }
    found
}

/// Entity, auditor and, where there is one, reviewer declared their independence.
fn declarations_stand(asked: &Asked<'_>) -> Vec<Objection> {
    let bound = [Role::Entity, Role::Auditor, Role::Reviewer];
    let parties = asked.audit.parties.values().filter(|party| bound.contains(&party.role));
    let missing = parties.filter(|party| !asked.audit.declared.contains(&party.person));
    let no = |name: &str| {
        let why = format!("{name} has not signed the declaration of independence");
        Objection::new("declarations_stand", why, "let every party sign it first")
    };
    missing.map(|party| no(&party.name)).collect()
}

fn scope_stands(asked: &Asked<'_>) -> Vec<Objection> {
    let why = "no scope was set";
    one(Objection::unless(
        asked.audit.scope.is_some(),
        "scope_stands",
        why,
        "set the validated scope first",
    ))
}
