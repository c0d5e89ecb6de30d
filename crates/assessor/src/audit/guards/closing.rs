//! Guards of closing: report, copy, review, summary, certificate.

use quorate_terms::{Digest, Malformed, Timestamp};

use super::{Asked, malformed, one, signed};
use crate::audit::machine::Rules;
use crate::audit::record::{Record, Request, Summary};
use crate::audit::redact::{apply, places};
use crate::audit::report::report;
use crate::audit::signed::{
    ACCREDITATION, Accreditation, CERTIFICATE, Certificate, digest_of, open,
};
use crate::audit::state::Audit;
use crate::audit::workflow::Role;
use crate::ccss::Objection;
use crate::ccss::designation::decide;
use crate::mark::dsse::IN_TOTO;
use crate::mark::{Envelope, Statement};

/// The least width and height of a logo, in pixels, where the programme lists one.
const LOGO_MIN: u32 = 500;

/// The report on file, or the one that is being filed, is the report of the audit as it stands.
pub(super) fn report_is_current(asked: &Asked<'_>) -> Vec<Objection> {
    let now = digest_of(&report(asked.audit, asked.rules.requirements)).ok();
    let held = match &asked.event.record {
        Record::ReportWritten(paper) => Some(paper.digest),
        _ => asked.audit.report,
    };
    let good = held.is_some() && held == now;
    one(Objection::unless(
        good,
        "report_is_current",
        "the report is not that of the audit as it stands",
        "write the report again",
    ))
}

/// The strokes make that copy of this report, leave nothing standing, and strike out all that the workflow says.
pub(super) fn copy_is_of_the_report(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::Redacted(redaction) = &asked.event.record else { return Vec::new() };
    let rule = "copy_is_of_the_report";
    let whole = report(asked.audit, asked.rules.requirements);
    let mut found = Vec::new();
    match apply(&whole, &redaction.strokes).and_then(|copy| digest_of(&copy)) {
        Ok(digest) if digest == redaction.copy && Some(redaction.report) == asked.audit.report => {}
        Ok(_) => found.push(Objection::new(
            rule,
            "these strokes make another copy",
            "redact the report again",
        )),
        Err(error) => found.push(malformed(rule, &error)),
    }
    for must in &asked.rules.workflow.text.redact {
        let open = |at: &String| !redaction.strokes.iter().any(|stroke| stroke.at == *at);
        for at in places(&whole, &must.at).into_iter().filter(open) {
            found.push(Objection::new(
                rule,
                format!("{at} is not struck out ({})", must.why),
                "strike it out",
            ));
        }
    }
    found
}

pub(super) fn copy_is_this_one(asked: &Asked<'_>) -> Vec<Objection> {
    let (Record::RedactionApproved(paper) | Record::ReviewOpened(paper)) = &asked.event.record
    else {
        let Record::ReviewCompleted(paper) = &asked.event.record else { return Vec::new() };
        return this_copy(asked, &paper.digest);
    };
    this_copy(asked, &paper.digest)
}

fn this_copy(asked: &Asked<'_>, digest: &Digest) -> Vec<Objection> {
    let good = asked.audit.redaction.as_ref().is_some_and(|held| held.copy == *digest);
    one(Objection::unless(
        good,
        "copy_is_this_one",
        "the redacted copy on file is another one",
        "name the newest copy",
    ))
}

/// A review is of one copy: it begins with it and ends with it.
pub(super) fn review_is_open(asked: &Asked<'_>) -> Vec<Objection> {
    let copy = asked.audit.redaction.as_ref().map(|held| held.copy);
    let good = copy.is_some() && asked.audit.review == copy;
    one(Objection::unless(
        good,
        "review_is_open",
        "no review of the newest copy was opened",
        "open it",
    ))
}

pub(super) fn copy_is_approved(asked: &Asked<'_>) -> Vec<Objection> {
    let why = "the entity has not approved the redacted copy";
    one(Objection::unless(
        asked.audit.approved,
        "copy_is_approved",
        why,
        "let the entity approve it",
    ))
}

pub(super) fn comment_is_in_order(asked: &Asked<'_>) -> Vec<Objection> {
    let rule = "comment_is_in_order";
    let threads = &asked.audit.comments;
    let at =
        |number: u32| usize::try_from(number).ok()?.checked_sub(1).and_then(|at| threads.get(at));
    let (good, why) = match &asked.event.record {
        Record::Commented(comment) => {
            let next = threads.len().checked_add(1).and_then(|n| u32::try_from(n).ok());
            (
                Some(comment.number) == next && !comment.text.trim().is_empty(),
                "comments are numbered in order and say something",
            )
        }
        Record::Answered(answer) => {
            let waits = at(answer.number).is_some_and(|thread| !thread.closed);
            (
                waits && !answer.text.trim().is_empty(),
                "no open comment has that number, or the answer is empty",
            )
        }
        Record::CommentClosed(closing) => {
            let answered = at(closing.number)
                .is_some_and(|thread| !thread.closed && !thread.answers.is_empty());
            (answered, "only an answered comment can be closed")
        }
        _ => return Vec::new(),
    };
    one(Objection::unless(good, rule, why, "look at the comments on file"))
}

/// The reviewer signed the very copy, and no comment waits.
pub(super) fn review_is_signed(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::ReviewCompleted(paper) = &asked.event.record else { return Vec::new() };
    let mut found = one(signed(asked, "review", &paper.digest, &paper.signature));
    let open = asked.audit.comments.iter().any(|thread| !thread.closed);
    found.extend(Objection::unless(
        !open,
        "review_is_signed",
        "a comment is not closed",
        "answer it and close it",
    ));
    found
}

pub(super) fn review_is_complete(asked: &Asked<'_>) -> Vec<Objection> {
    let good = asked.audit.reviewed && asked.audit.reviewer.is_some();
    one(Objection::unless(
        good,
        "review_is_complete",
        "the peer review is not complete",
        "let the reviewer complete it in writing",
    ))
}

/// The summary says what the audit found, and who signs it signs this one.
pub(super) fn summary_is_true(asked: &Asked<'_>) -> Vec<Objection> {
    match &asked.event.record {
        Record::SummaryWritten(summary) => {
            let why = "the summary says something else than the audit";
            one(Objection::unless(
                is_true(asked, summary),
                "summary_is_true",
                why,
                "take it from the audit: level, names, report",
            ))
        }
        Record::SummarySigned(paper) => {
            let held = asked.audit.summary.as_ref().and_then(|summary| digest_of(summary).ok());
            let why = "the summary on file is another one";
            let mut found = one(Objection::unless(
                held == Some(paper.digest),
                "summary_is_true",
                why,
                "sign the newest",
            ));
            found.extend(signed(asked, "summary", &paper.digest, &paper.signature));
            found
        }
        _ => Vec::new(),
    }
}

fn is_true(asked: &Asked<'_>, summary: &Summary) -> bool {
    let audit = asked.audit;
    let Some(e) = &audit.engagement else { return false };
    let grade = audit.grade(asked.rules.requirements);
    let level = |rank: u8| rank.min(e.sought);
    let aspects =
        grade.aspects.iter().map(|(id, aspect)| (id.clone(), level(aspect.level))).collect();
    let named =
        |text: &str, role: Role| audit.party(role).is_some_and(|party| text.contains(&party.name));
    let reviewer = match &summary.reviewer {
        Some(text) => named(text, Role::Reviewer),
        None => audit.reviewer.is_none(),
    };
    let agreed = (&summary.entity, &summary.standard, &summary.version, &summary.system)
        == (&e.entity, &e.standard, &e.version, &e.system);
    agreed
        && (summary.designation, summary.sought, summary.period)
            == (e.designation, e.sought, e.period)
        && (summary.level, &summary.aspects) == (level(grade.level), &aspects)
        && named(&summary.auditor, Role::Auditor)
        && reviewer
        && Some(summary.report) == audit.report
        && summary.on <= asked.now
        && !summary.description.trim().is_empty()
}

pub(super) fn summary_is_signed(asked: &Asked<'_>) -> Vec<Objection> {
    let good = asked.audit.summary.is_some() && asked.audit.is_signed();
    one(Objection::unless(
        good,
        "summary_is_signed",
        "the summary is not signed by all who must",
        "let auditor and reviewer sign it",
    ))
}

pub(super) fn request_is_whole(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::CertificateAsked(request) = &asked.event.record else { return Vec::new() };
    let rule = "request_is_whole";
    let no = |why: &str, mend: &str| Objection::new(rule, why, mend);
    let mut found = Vec::new();
    let summary = asked.audit.summary.as_ref();
    if summary.and_then(|summary| digest_of(summary).ok()) != Some(request.summary) {
        found.push(no("it rests on another summary", "name the signed summary"));
    }
    if summary.is_none_or(|summary| summary.level == 0) {
        found.push(no("no level was reached", "close the gaps first"));
    }
    if [&request.website, &request.contact, &request.system]
        .into_iter()
        .any(|text| text.trim().is_empty())
    {
        found.push(no("the listing lacks website, contact or system", "fill them in"));
    }
    let picture = ["image/png", "image/jpeg"].contains(&request.logo.media.as_str());
    if !picture || request.logo_width < LOGO_MIN || request.logo_height < LOGO_MIN {
        found.push(no("the logo is no PNG or JPEG of at least 500 by 500", "give a larger one"));
    }
    if asked.audit.reviewer.as_ref().is_some_and(|reviewer| *reviewer != request.copied_to) {
        found.push(no("the reviewer gets no copy", "copy the reviewer"));
    }
    found.extend(fee(asked, request));
    found
}

/// The currency and the cents that a request owes by the workflow's price list; none where it has none, or no scope stands.
pub(crate) fn due(
    audit: &Audit,
    rules: &Rules<'_>,
    unlapsed: bool,
) -> Option<Result<(String, u64), Malformed>> {
    let fees = rules.workflow.text.fees.as_ref()?;
    let scope = audit.scope.as_ref()?;
    let engagement = audit.engagement.as_ref()?;
    let of = |system: &crate::ccss::System| match system.name == engagement.system {
        true => engagement.designation,
        false => decide(&system.custody).designation,
    };
    let systems: Vec<_> = scope.systems.iter().map(of).collect();
    Some(fees.total(&systems, unlapsed).map(|cents| (fees.currency.clone(), cents)))
}

fn fee(asked: &Asked<'_>, request: &Request) -> Option<Objection> {
    match due(asked.audit, asked.rules, request.unlapsed)? {
        Ok((currency, cents)) => {
            let good = cents == request.fee_cents && currency == request.currency;
            let why = format!("the fee by the price list is {cents} cents of {currency}");
            Objection::unless(
                good,
                "request_is_whole",
                &why,
                "ask for that fee, or mend the price list",
            )
        }
        Err(error) => Some(malformed("request_is_whole", &error)),
    }
}

/// What came from outside is signed by a pinned registrar and speaks of this audit.
pub(super) fn paper_is_the_registrars(asked: &Asked<'_>) -> Vec<Objection> {
    let rule = "paper_is_the_registrars";
    let good = match &asked.event.record {
        Record::Certified(sealed) => certificate(asked, &sealed.envelope).map(|_| ()),
        Record::Accredited(sealed) => accreditation(asked, &sealed.envelope).map(|_| ()),
        Record::MarkIssued(sealed) => mark(asked, &sealed.envelope),
        _ => Ok(()),
    };
    good.err()
        .map(|why| Objection::new(rule, why, "file what the registrar signed for this audit"))
        .into_iter()
        .collect()
}

/// The certificate, if a pinned registrar signed it for this audit, its summary and its level.
pub(crate) fn certificate(asked: &Asked<'_>, envelope: &Envelope) -> Result<Certificate, String> {
    let (held, _): (Certificate, String) =
        open(envelope, CERTIFICATE, asked.rules.pins).map_err(|e| e.why().to_owned())?;
    let (Some(e), Some(summary)) = (&asked.audit.engagement, &asked.audit.summary) else {
        return Err("there is no summary that it could rest on".to_owned());
    };
    let same = (&held.entity, &held.system, &held.standard, &held.version)
        == (&e.entity, &e.system, &e.standard, &e.version)
        && held.designation == e.designation
        && held.v == 1;
    if !same {
        return Err(
            "the certificate is of another entity, system, standard or designation".to_owned()
        );
    }
    if held.level == 0
        || held.level != summary.level
        || digest_of(summary).ok() != Some(held.summary)
    {
        return Err("the certificate rests on another summary or level".to_owned());
    }
    if held.valid_from >= held.valid_until || held.valid_until <= asked.now {
        return Err("the certificate is not in date".to_owned());
    }
    Ok(held)
}

pub(crate) fn accreditation(asked: &Asked<'_>, envelope: &Envelope) -> Result<Timestamp, String> {
    let (held, _): (Accreditation, String) =
        open(envelope, ACCREDITATION, asked.rules.pins).map_err(|e| e.why().to_owned())?;
    let (Some(e), Some(auditor)) = (&asked.audit.engagement, asked.audit.party(Role::Auditor))
    else {
        return Err("nobody is engaged".to_owned());
    };
    let same = held.v == 1 && held.key == auditor.key && held.standard == e.standard;
    let in_date = (held.valid_from..=held.valid_until).contains(&asked.now);
    if same && in_date {
        Ok(held.valid_until)
    } else {
        Err("the accreditation is another's, or not in date".to_owned())
    }
}

fn mark(asked: &Asked<'_>, envelope: &Envelope) -> Result<(), String> {
    let why = |e: Malformed| e.why().to_owned();
    if asked.audit.granted != Some(true) {
        return Err("the scheme has not said yes".to_owned());
    }
    if envelope.payload_type != IN_TOTO {
        return Err("this is no mark".to_owned());
    }
    let statement = Statement::from_bytes(&envelope.payload().map_err(why)?).map_err(why)?;
    let claim = &statement.predicate;
    let mut signed = false;
    for pin in asked.rules.pins {
        signed = signed
            || (pin.key == claim.issuer.key && envelope.is_signed_by(&pin.key).map_err(why)?);
    }
    if !signed {
        return Err("the mark is signed by no registrar that is pinned".to_owned());
    }
    let of = asked.audit.engagement.as_ref().is_some_and(|e| {
        (&claim.scope.entity, &claim.scope.system, &claim.standard.id, &claim.standard.version)
            == (&e.entity, &e.system, &e.standard, &e.version)
            && claim.period == e.period
    });
    let Some(auditor) = asked.audit.party(Role::Auditor) else {
        return Err("nobody is engaged".to_owned());
    };
    let by =
        auditor.key == claim.assessor.key && envelope.is_signed_by(&auditor.key).map_err(why)?;
    if of && by && claim.valid_until > asked.now {
        Ok(())
    } else {
        Err("the mark is of another audit, not signed by its auditor, or not in date".to_owned())
    }
}

pub(super) fn auditor_is_accredited(asked: &Asked<'_>) -> Vec<Objection> {
    let good = asked.audit.accredited_until.is_some_and(|until| asked.now <= until);
    let why = "the auditor is not accredited by the scheme, or not any more";
    one(Objection::unless(good, "auditor_is_accredited", why, "file the accreditation first"))
}

pub(super) fn decision_is_reasoned(asked: &Asked<'_>) -> Vec<Objection> {
    let Record::Decided(decision) = &asked.event.record else { return Vec::new() };
    let reasoned = decision.reasons.iter().any(|why| !why.trim().is_empty());
    let mut found = one(Objection::unless(
        reasoned,
        "decision_is_reasoned",
        "the decision gives no reason",
        "give it",
    ));
    let level = asked.audit.summary.as_ref().map_or(0, |summary| summary.level);
    let why = "no level was reached, so nothing can be granted";
    found.extend(Objection::unless(
        !decision.granted || level > 0,
        "decision_is_reasoned",
        why,
        "decide no, with reasons",
    ));
    found
}
