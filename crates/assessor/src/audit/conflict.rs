//! Who may not audit, and who may not review: the conflict rules. Their numbers are data.

use std::collections::BTreeSet;

use quorate_terms::Timestamp;

use super::record::{Choice, Engagement, Party, PastAudit, Reviewer};
use super::state::Audit;
use super::workflow::{Conflicts, Role};
use crate::ccss::Objection;
use crate::ccss::period::plus_months;

/// Why these parties may not begin an audit.
pub fn parties(engagement: &Engagement) -> Vec<Objection> {
    placed_parties(engagement).into_iter().map(|(_, objection)| objection).collect()
}

/// Why this auditor may not audit what he helped to build.
pub fn auditor(engagement: &Engagement) -> Vec<Objection> {
    placed_auditor(engagement).into_iter().map(|(_, objection)| objection).collect()
}

/// What [`parties`] and [`auditor`] object to, each with the places of the record of which it speaks, as JSON pointers.
pub fn placed(engagement: &Engagement) -> Vec<(Vec<String>, Objection)> {
    let mut all = placed_parties(engagement);
    all.extend(placed_auditor(engagement));
    all
}

/// A field of the parties that are meant, by its places.
fn rows(all: &[Party], field: &str, mut meant: impl FnMut(&Party) -> bool) -> Vec<String> {
    let meant = all.iter().enumerate().filter(|(_, party)| meant(party));
    meant.map(|(row, _)| format!("/parties/{row}/{field}")).collect()
}

fn placed_parties(engagement: &Engagement) -> Vec<(Vec<String>, Objection)> {
    let all = &engagement.parties;
    let of = |role: Role| all.iter().filter(move |party| party.role == role);
    let mut found = Vec::new();
    let mut no = |places: Vec<String>, why: &str, mend: &str| {
        found.push((places, Objection::new("parties_are_whole", why, mend)));
    };
    if of(Role::Auditor).count() != 1 || of(Role::Entity).count() == 0 {
        let places = vec!["/parties".to_owned()];
        no(places, "an audit has one auditor and somebody of the entity", "name them");
    }
    let early = rows(all, "role", |party| party.role == Role::Reviewer);
    if !early.is_empty() {
        let why = "a reviewer is named before the registrar's list";
        no(early, why, "choose the reviewer from the list");
    }
    let mut blank = rows(all, "person", |party| {
        [&party.person, &party.name, &party.firm].into_iter().any(|t| t.trim().is_empty())
    });
    if engagement.contract.trim().is_empty() {
        blank.push("/contract".to_owned());
    }
    if !blank.is_empty() {
        let mend = "fill in person, name, firm and contract";
        no(blank, "a party or the contract has no name", mend);
    }
    let mut persons = BTreeSet::new();
    let twice = rows(all, "person", |party| !persons.insert(even(&party.person)));
    if !twice.is_empty() {
        no(twice, "one person takes part twice", "give each role to another person");
    }
    let Some(auditor) = of(Role::Auditor).next() else { return found };
    let firm = even(&auditor.firm);
    let near = rows(all, "firm", |p| p.role == Role::Entity && even(&p.firm) == firm);
    if !near.is_empty() {
        no(near, "the auditor is of the audited entity", "engage somebody independent");
    }
    found
}

fn placed_auditor(engagement: &Engagement) -> Vec<(Vec<String>, Objection)> {
    let rule = "auditor_is_not_implementer";
    let all = &engagement.parties;
    let mut found = Vec::new();
    for auditor in all.iter().filter(|party| party.role == Role::Auditor) {
        let named = |other: &Party| even(&other.name) == even(&auditor.name);
        let mut others = all.iter().filter(|party| party.role != Role::Auditor);
        if let Some(other) = others.find(|other| named(other) || other.key == auditor.key) {
            let why = match other.role {
                Role::Implementer => "the auditor is also an implementer of the system",
                _ => "the auditor has a second part in the audit",
            };
            let field = if named(other) { "name" } else { "key" };
            let places = rows(all, field, |party| std::ptr::eq(party, other));
            found.push((places, Objection::new(rule, why, "engage another auditor")));
        }
    }
    if engagement.readiness.as_ref().is_some_and(|before| !before.ready && before.helped_build) {
        let why = "the auditor said not ready and then helped to build the system";
        let places = vec!["/readiness".to_owned()];
        found.push((places, Objection::new(rule, why, "engage another auditor")));
    }
    found
}

/// Why this reviewer may not review this audit.
pub fn reviewer(
    audit: &Audit,
    choice: &Choice,
    numbers: Conflicts,
    now: Timestamp,
) -> Vec<Objection> {
    let rule = "reviewer_is_on_the_list";
    let Some(options) = audit.options.as_ref().filter(|options| options.list == choice.list) else {
        let why = if audit.voided_lists.contains(&choice.list) {
            "this list is void: another one was asked for"
        } else {
            "there is no such list"
        };
        return vec![Objection::new(rule, why, "choose from the newest list")];
    };
    let Some(chosen) = options.reviewers.iter().find(|option| option.person == choice.person)
    else {
        return vec![Objection::new(
            rule,
            "this reviewer is not on the list",
            "choose from the list",
        )];
    };
    let against = [
        of_another_firm(audit, chosen),
        has_no_other_part(audit, chosen),
        not_the_same_entity(audit, chosen, numbers, now),
        did_not_audit_it(audit, chosen, numbers),
        steering_for_a_first(audit, chosen),
    ];
    against.into_iter().flatten().collect()
}

const ANOTHER: &str = "choose another reviewer from the list";

fn of_another_firm(audit: &Audit, chosen: &Reviewer) -> Option<Objection> {
    let near = |role: Role| {
        audit.parties.values().any(|p| p.role == role && even(&p.firm) == even(&chosen.firm))
    };
    let rule = "reviewer_is_of_another_firm";
    if near(Role::Auditor) {
        return Some(Objection::new(
            rule,
            "the reviewer is of the auditor's organisation",
            ANOTHER,
        ));
    }
    let why = "the reviewer is of the entity's or the implementer's organisation";
    Objection::unless(!near(Role::Entity) && !near(Role::Implementer), rule, why, ANOTHER)
}

fn has_no_other_part(audit: &Audit, chosen: &Reviewer) -> Option<Objection> {
    let same = |p: &Party| {
        even(&p.person) == even(&chosen.person)
            || even(&p.name) == even(&chosen.name)
            || p.key == chosen.key
    };
    let free = !audit.parties.values().any(same);
    Objection::unless(
        free,
        "reviewer_has_no_other_part",
        "the reviewer has another part in this audit",
        ANOTHER,
    )
}

/// Not the same entity again for three years; a colleague may.
fn not_the_same_entity(
    audit: &Audit,
    chosen: &Reviewer,
    numbers: Conflicts,
    now: Timestamp,
) -> Option<Objection> {
    let entity = even(&audit.engagement.as_ref()?.entity);
    let recent = |past: &PastAudit| {
        past.reviewer.as_ref() == Some(&chosen.person)
            && even(&past.entity) == entity
            && plus_months(past.at, numbers.same_entity_months).is_none_or(|until| now < until)
    };
    let why =
        format!("the reviewer reviewed this entity within {} months", numbers.same_entity_months);
    Objection::unless(!audit.past().any(recent), "reviewer_is_rested", &why, ANOTHER)
}

/// Who audited a system may not review its next three audits.
fn did_not_audit_it(audit: &Audit, chosen: &Reviewer, numbers: Conflicts) -> Option<Objection> {
    let system = even(&audit.engagement.as_ref()?.system);
    let mut of_system: Vec<(Timestamp, &str)> = audit
        .past()
        .filter(|past| even(&past.system) == system)
        .map(|past| (past.at, past.auditor.as_str()))
        .collect();
    of_system.sort_unstable();
    of_system.dedup();
    let mut last = of_system.iter().rev().take(numbers.cooling_audits);
    let why = format!(
        "the reviewer audited one of the last {} audits of this system",
        numbers.cooling_audits
    );
    let cool = !last.any(|(_, auditor)| *auditor == chosen.person);
    Objection::unless(cool, "reviewer_did_not_audit_it", &why, ANOTHER)
}

fn steering_for_a_first(audit: &Audit, chosen: &Reviewer) -> Option<Objection> {
    let first = audit.party(Role::Auditor).is_some_and(|auditor| auditor.audits == 0);
    let why = "an auditor's first audit is reviewed by a member of the steering committee";
    Objection::unless(
        !first || chosen.steering,
        "first_audit_has_a_committee_reviewer",
        why,
        ANOTHER,
    )
}

fn even(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
