//! The one step: who may, in which stage, with what standing before. A refusal is a value.

use quorate_terms::{Digest, Signature, Timestamp};

use super::guards::{self, Asked};
use super::record::{Line, Record};
use super::signed::{digest_of, step_to_sign};
use super::state::Audit;
use super::workflow::{Role, StepText, Workflow};
use crate::ccss::inherit::{Imported, Owner, Pin, inherit};
use crate::ccss::{Objection, Requirement};

/// What a step is judged by. None of it comes from the audit itself.
pub struct Rules<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// The requirements of the standard and version of the engagement.
    pub requirements: &'a [Requirement],
    /// Registrars whose signatures are believed, from the operator's own configuration.
    pub pins: &'a [Pin],
}

/// What somebody did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Who, by id.
    pub by: String,
    /// What.
    pub record: Record,
    /// The person's signature over [`super::signed::step_to_sign`], if it was signed.
    pub signature: Option<Signature>,
}

/// A step taken: write the records before anything else is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// For the assessor's own ledger.
    pub records: Vec<Line>,
    /// The audit after it.
    pub next: Audit,
}

/// A no with all its reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What was asked for, one of [`super::record::KINDS`].
    pub act: String,
    /// Why not.
    pub reasons: Vec<Objection>,
}

/// Judges an event and, if nothing objects, gives its line and the next state.
///
/// # Errors
/// A [`Refusal`] with every reason.
pub fn step(
    audit: &Audit,
    event: &Event,
    now: Timestamp,
    rules: &Rules<'_>,
) -> Result<Step, Refusal> {
    let taken = take(audit, event, now, rules);
    let old = guards::old_forms(&event.record);
    if old.is_empty() {
        return taken;
    }
    let mut reasons = taken.err().map(|refusal| refusal.reasons).unwrap_or_default();
    reasons.extend(old);
    Err(Refusal { act: event.record.kind().to_owned(), reasons })
}

/// What stands against an event before anybody signed it: all that [`step`] would object to, but for the signatures.
pub fn before_signing(
    audit: &Audit,
    event: &Event,
    now: Timestamp,
    rules: &Rules<'_>,
) -> Vec<Objection> {
    let role = match may(audit, event, now, rules.workflow) {
        Ok(role) => role,
        Err(reason) => return vec![reason],
    };
    let asked = Asked { audit, event, role, now, rules, unsigned: true };
    let text = rules.workflow.step(event.record.kind()).map_or(&[][..], |step| &step.guards);
    let mut reasons = guards::objections(&asked, text);
    reasons.extend(guards::old_forms(&event.record));
    reasons
}

/// As [`step`], in the forms of older ledgers too.
fn take(audit: &Audit, event: &Event, now: Timestamp, rules: &Rules<'_>) -> Result<Step, Refusal> {
    let act = event.record.kind();
    let no = |reasons: Vec<Objection>| Refusal { act: act.to_owned(), reasons };
    let role = may(audit, event, now, rules.workflow).map_err(|reason| no(vec![reason]))?;
    is_signed(audit, event).map_err(|reason| no(vec![reason]))?;
    let text = rules.workflow.step(act).map_or(&[][..], |step| &step.guards);
    let asked = Asked { audit, event, role, now, rules, unsigned: false };
    let reasons = guards::objections(&asked, text);
    if !reasons.is_empty() {
        return Err(no(reasons));
    }
    let id = match &event.record {
        Record::Engaged(engagement) => engagement.audit.clone(),
        _ => audit.engagement.as_ref().map_or_else(String::new, |e| e.audit.clone()),
    };
    let line = Line {
        audit: id,
        at: now,
        by: event.by.clone(),
        role,
        record: event.record.clone(),
        signature: event.signature,
    };
    let mut next = audit.clone();
    take_outside(&mut next, &asked);
    next.fold(&line, rules.workflow);
    Ok(Step { records: vec![line], next })
}

/// Takes every step of a ledger again. A line that this machine would not have written stops it.
///
/// # Errors
/// The place of the line, from 0, and why it could not have been written.
pub fn replay(lines: &[Line], rules: &Rules<'_>) -> Result<Audit, (usize, Refusal)> {
    let mut audit = Audit::default();
    for (place, line) in lines.iter().enumerate() {
        let (by, record, signature) = (line.by.clone(), line.record.clone(), line.signature);
        let event = Event { by, record, signature };
        let taken = take(&audit, &event, line.at, rules).map_err(|refusal| (place, refusal))?;
        if taken.records.first() != Some(line) {
            let reason = objection(
                "line_is_of_this_audit",
                "it names another audit or role",
                "look who wrote it",
            );
            return Err((
                place,
                Refusal { act: line.record.kind().to_owned(), reasons: vec![reason] },
            ));
        }
        audit = taken.next;
    }
    Ok(audit)
}

/// What signed papers bring into the state, opened once more now that no guard objected.
fn take_outside(next: &mut Audit, asked: &Asked<'_>) {
    match &asked.event.record {
        Record::Certified(sealed) => {
            next.certificate = guards::certificate(asked, &sealed.envelope).ok()
        }
        Record::Accredited(sealed) => {
            next.accredited_until = guards::accreditation(asked, &sealed.envelope).ok();
        }
        Record::MarkIssued(sealed) => next.mark = sealed.envelope.digest().ok(),
        Record::Inherited(held) => {
            let Ok(imported) = Imported::from_envelope(&held.envelope, asked.rules.pins) else {
                return;
            };
            let shares = inherit(&imported, &held.using, asked.rules.requirements, asked.now);
            for (id, share) in shares.unwrap_or_default() {
                // What an earlier provider carries stays with it.
                if share.owner != Owner::System || !next.shares.contains_key(&id) {
                    next.shares.insert(id, share);
                }
            }
            let report = imported.report();
            next.providers.insert(report.provider.clone(), report.valid_until);
        }
        _ => {}
    }
}

/// The person's role, if the person may do this here and now.
fn may(
    audit: &Audit,
    event: &Event,
    now: Timestamp,
    workflow: &Workflow,
) -> Result<Role, Objection> {
    if let Some(why) = &audit.void {
        return Err(objection("audit_is_not_void", why, "open a new engagement"));
    }
    if audit.done.last().is_some_and(|done| done.at > now) {
        return Err(objection(
            "time_goes_on",
            "the last step is later than this one",
            "mend the clock",
        ));
    }
    let Some(text) = workflow.step(event.record.kind()) else {
        return Err(objection(
            "step_is_known",
            "this workflow has no such step",
            "look at its steps",
        ));
    };
    let role = role(audit, event)?;
    if !text.roles.contains(&role) {
        let why = format!("a step of {:?} is not for {role:?}", text.roles);
        return Err(objection("role_may", &why.to_lowercase(), "let the right person do it"));
    }
    stage(audit, text, workflow)?;
    Ok(role)
}

/// A signature is the person's over this very step, and is there where the engagement asks for it.
fn is_signed(audit: &Audit, event: &Event) -> Result<(), Objection> {
    let engagement = match &event.record {
        Record::Engaged(engagement) => Some(&**engagement),
        _ => audit.engagement.as_ref(),
    };
    let Some(engagement) = engagement else { return Ok(()) };
    let no = |why: &str| {
        Err(objection("step_is_signed", why, "sign the step with the key of the engagement"))
    };
    let Some(signature) = &event.signature else {
        return if engagement.signed_steps == Some(true) {
            no("every step of this audit is signed, and this is not")
        } else {
            Ok(())
        };
    };
    let own = engagement.parties.iter().find(|party| party.person == event.by);
    let key = audit.parties.get(&event.by).or(own).map(|party| party.key);
    let message = step_to_sign(&engagement.audit, audit.done.len(), &event.by, &event.record);
    match (key, message) {
        (Some(key), Ok(message)) if key.verifies(&message, signature) => Ok(()),
        _ => no("the signature is not this person's over this step in this place"),
    }
}

fn role(audit: &Audit, event: &Event) -> Result<Role, Objection> {
    let parties = match (&event.record, &audit.engagement) {
        (Record::Engaged(engagement), None) => {
            engagement.parties.iter().find(|p| p.person == event.by)
        }
        (Record::Engaged(_), Some(_)) => {
            return Err(objection(
                "engaged_once",
                "this audit has its engagement",
                "open another audit",
            ));
        }
        (_, None) => {
            return Err(objection(
                "engaged_first",
                "nobody is engaged",
                "record the engagement first",
            ));
        }
        (_, Some(_)) => audit.parties.get(&event.by),
    };
    let why = "this person takes no part in the audit";
    parties
        .map(|party| party.role)
        .ok_or_else(|| objection("role_may", why, "name a party of the engagement"))
}

fn stage(audit: &Audit, text: &StepText, workflow: &Workflow) -> Result<(), Objection> {
    let here = if audit.stage.is_empty() { workflow.first_stage() } else { &audit.stage };
    if text.stages.contains(here) {
        return Ok(());
    }
    let stages: Vec<&str> = text.stages.iter().map(String::as_str).collect();
    let why = format!("the audit stands in {here}; this step belongs to {}", stages.join(", "));
    Err(objection("stage_is_right", &why, "finish what this stage waits for"))
}

fn objection(rule: &str, why: &str, mend: &str) -> Objection {
    Objection::new(rule, why, mend)
}

impl Audit {
    /// Digest of the report as the audit stands: what `report_written` must name.
    ///
    /// # Errors
    /// [`quorate_terms::Malformed`] never happens.
    pub fn report_digest(
        &self,
        requirements: &[Requirement],
    ) -> Result<Digest, quorate_terms::Malformed> {
        digest_of(&super::report::report(self, requirements))
    }

    /// Currency and cents of a certificate by the workflow's price list; none where it has none, or no scope stands.
    pub fn fee_due(&self, rules: &Rules<'_>, unlapsed: bool) -> Option<(String, u64)> {
        guards::due(self, rules, unlapsed)?.ok()
    }

    /// Ids of requirements whose findings only echo them.
    pub fn echoes(&self, rules: &Rules<'_>) -> Vec<String> {
        guards::echoes(self, rules.requirements, &rules.workflow.text.echo)
    }
}
