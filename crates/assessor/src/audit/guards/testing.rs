//! Guards of testing: exhibits, samples, findings.

use std::collections::BTreeSet;

use super::{Asked, malformed, one};
use crate::audit::record::{Found, Record, Slot, Slots};
use crate::audit::state::Audit;
use crate::ccss::grade::passes;
use crate::ccss::inherit::{Imported, inherit, left};
use crate::ccss::status::{NotApplicable, Status};
use crate::ccss::{Judged, Objection, Requirement};
use crate::finding::State;

pub(super) fn provider_is_good(asked: &Asked<'_>) -> Vec<Objection> {
    let (Record::Inherited(held), Some(engagement)) =
        (&asked.event.record, &asked.audit.engagement)
    else {
        return Vec::new();
    };
    let rule = "provider_is_good";
    let using = &held.using;
    let ours = using.standard == engagement.standard
        && using.version == engagement.version
        && using.sought == engagement.sought;
    let mut found = one(Objection::unless(
        ours,
        rule,
        "the use speaks of another standard, version or level than the engagement",
        "make both the same",
    ));
    match Imported::from_envelope(&held.envelope, asked.rules.pins) {
        Ok(imported) => {
            found.extend(
                inherit(&imported, using, asked.rules.requirements, asked.now)
                    .err()
                    .unwrap_or_default(),
            );
        }
        Err(error) => found.push(malformed(rule, &error)),
    }
    found
}

pub(super) fn tag_is_next(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::ExhibitFiled(filing) = &asked.event.record else { return Vec::new() };
    let next = asked.audit.next_tag(filing.exhibit.item.family());
    let why = format!("the next tag is {next}");
    one(Objection::unless(filing.tag == next, "tag_is_next", &why, "file it under that tag"))
}

pub(super) fn exhibit_is_whole(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::ExhibitFiled(filing) = &asked.event.record else { return Vec::new() };
    let mut found = filing.exhibit.objections(asked.now);
    let taken = filing
        .exhibit
        .file
        .as_ref()
        .is_none_or(|file| asked.rules.workflow.text.files.allows(file));
    let why = "its file is of a kind or size that is not taken";
    found.extend(Objection::unless(
        taken,
        "exhibit_is_whole",
        why,
        "export it as PDF, or split it",
    ));
    found
}

pub(super) fn tag_is_known(asked: &Asked<'_>) -> Vec<Objection> {
    let (Record::ExhibitOpened(about) | Record::ExhibitStruck(about)) = &asked.event.record else {
        return Vec::new();
    };
    let known = asked.audit.exhibits.contains_key(&about.tag) && !about.why.trim().is_empty();
    one(Objection::unless(
        known,
        "tag_is_known",
        "nothing is on file under that tag, or no reason is given",
        "name tag and reason",
    ))
}

pub(super) fn sample_is_reasoned(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::Sampled(drawn) = &asked.event.record else { return Vec::new() };
    let mut found = drawn.sample.objections(&asked.rules.workflow.text.sampling);
    let new = !drawn.name.trim().is_empty() && !asked.audit.samples.contains_key(&drawn.name);
    let why = "a sample of that name was drawn before, or it has no name";
    found.extend(Objection::unless(
        new,
        "sample_is_reasoned",
        why,
        "give it a new name: no sample is drawn twice",
    ));
    found
}

pub(super) fn finding_is_earned(asked: &Asked<'_>) -> Vec<Objection> {
    match &asked.event.record {
        Record::Found(found) => earned(asked, found),
        _ => Vec::new(),
    }
}

/// Every requirement that is left has a finding that still holds, and the testing period is over.
pub(super) fn findings_are_whole(asked: &Asked<'_>) -> Vec<Objection> {
    let rule = "findings_are_whole";
    let mut against = Vec::new();
    for requirement in left(asked.rules.requirements, &asked.audit.shares) {
        match asked.audit.findings.get(&requirement.id) {
            Some(found) => against.extend(earned(asked, found)),
            None => against.push(Objection::new(
                rule,
                format!("{} has no finding", requirement.id),
                "judge it, or say that its level is not sought",
            )),
        }
    }
    for (name, _) in asked.audit.providers.iter().filter(|(_, until)| **until < asked.now) {
        let why = format!("the certificate of provider {name} has expired meanwhile");
        against.push(Objection::new("provider_in_date", why, "import the new report"));
    }
    let over = asked.audit.engagement.as_ref().is_some_and(|e| e.period.to <= asked.now);
    against.extend(Objection::unless(
        over,
        rule,
        "the testing period is not over",
        "wait for its end",
    ));
    against
}

/// What the peer review would send back.
pub(super) fn no_finding_echoes(asked: &Asked<'_>) -> Vec<Objection> {
    let flags = echoes(asked.audit, asked.rules.requirements, &asked.rules.workflow.text.echo);
    let no = |id: String| {
        let why = format!("the finding on {id} only says the requirement again");
        Objection::new("no_finding_echoes", why, "say what was seen, where, when and by whom")
    };
    flags.into_iter().map(no).collect()
}

/// Ids of requirements whose findings only echo them. Levels that are not sought say nothing and are passed over.
pub(crate) fn echoes(
    audit: &Audit,
    requirements: &[Requirement],
    rule: &crate::audit::echo::EchoRule,
) -> Vec<String> {
    let not_sought = Status::NotApplicable(NotApplicable::NotSought);
    let flagged = |r: &&Requirement| {
        audit.findings.get(&r.id).is_some_and(|found| {
            found.status != not_sought && rule.flags(&found.statement, &r.text).is_some()
        })
    };
    requirements.iter().filter(flagged).map(|r| r.id.clone()).collect()
}

fn earned(asked: &Asked<'_>, found: &Found) -> Vec<Objection> {
    let no = |why: String, mend: &str| Objection::new("finding_is_earned", why, mend);
    let Some(engagement) = &asked.audit.engagement else { return Vec::new() };
    let Some(requirement) = asked.rules.requirements.iter().find(|r| r.id == found.id) else {
        return vec![no(format!("{} is no requirement", found.id), "name one of the catalogue")];
    };
    let id = &found.id;
    let mut against = Vec::new();
    if asked.audit.shares.get(id).is_some_and(|share| !share.is_left()) {
        against.push(no(
            format!("{id} is owned by the provider"),
            "it stands as the provider's report says",
        ));
    }
    if found.statement.trim().is_empty() {
        against.push(no(format!("{id} says nothing"), "write what was found"));
    }
    let (cited, wrong) = cited(asked, &found.slots);
    against.extend(wrong.into_iter().map(|why| no(format!("{id}: {why}"), "cite what is on file")));
    if let Some(name) = found.samples.iter().find(|name| !asked.audit.samples.contains_key(*name)) {
        against.push(no(
            format!("{id} rests on sample {name}, which nobody drew"),
            "record the sample first",
        ));
    }
    let state = State::from(found.status);
    if state == State::NotSought && requirement.rank <= engagement.sought {
        against.push(no(format!("{id} is of a level that is sought"), "judge it"));
    }
    let judged = Judged { state, rationale: found.rationale.clone() };
    let claims = !matches!(state, State::Gap | State::NotSought);
    if claims && cited == 0 {
        against
            .push(no(format!("{id} rests on nothing: silence is not evidence"), "cite exhibits"));
    }
    if claims && !passes(&judged, engagement.designation) {
        let why = format!("{id} is {} without a rationale", found.status.words());
        against.push(no(why, "write why it is as good, or why it passes"));
    }
    against
}

/// How many exhibits are cited, and what is wrong with them. A slot that is not used says so; an empty list is a blank.
fn cited(asked: &Asked<'_>, slots: &Slots) -> (usize, Vec<String>) {
    let all = [
        ("INTERVIEW", &slots.interviews),
        ("OBSERVATION", &slots.observations),
        ("DOCUMENT", &slots.documents),
        ("INSPECTION", &slots.inspections),
        ("DECISION", &slots.decisions),
    ];
    let mut wrong = Vec::new();
    let mut good = BTreeSet::new();
    for (family, slot) in all {
        let Slot::Cites(tags) = slot else { continue };
        if tags.is_empty() {
            wrong.push(format!("the place for {family} is blank instead of not applicable"));
        }
        for tag in tags {
            match asked.audit.exhibits.get(tag) {
                Some(held) if held.item.family() != family => {
                    wrong.push(format!("{tag} stands in another's place"))
                }
                Some(_) if asked.audit.struck.contains(tag) => {
                    wrong.push(format!("{tag} was struck"))
                }
                Some(held) if held.expires.is_some_and(|until| until <= asked.now) => {
                    wrong.push(format!("{tag} has expired"));
                }
                Some(held)
                    if asked
                        .audit
                        .engagement
                        .as_ref()
                        .is_some_and(|e| held.represents.to < e.period.from) =>
                {
                    wrong.push(format!("{tag} speaks of a time before the testing period"));
                }
                Some(_) => drop(good.insert(tag)),
                None => wrong.push(format!("{tag} is not on file")),
            }
        }
    }
    (good.len(), wrong)
}
