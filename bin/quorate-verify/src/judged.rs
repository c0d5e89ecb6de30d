//! What policy answered, and whether those whom it asked for agreed: every signature checked, then the house's one tally.

use std::collections::BTreeSet;

use quorate_terms::approval::Verdict as Said;
use quorate_terms::entry::{Approved, Entry, Judged, Outcome};
use quorate_terms::intent::Action;
use quorate_terms::judgment::Judgment;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::quorum::{Quorum, Tally, Vote};
use quorate_terms::{QuorumName, Timestamp};

use crate::charter::Charters;
use crate::report::Report;
use crate::stood::{Delegations, Yes, standing};
use crate::story::{At, Story};

/// Checks the judgment, each approval, and each quorum that the judgment asks for.
pub(crate) fn check(story: &Story, charters: &Charters, report: &mut Report) -> Result<(), String> {
    let judged = story.judged()?;
    let policy = charters.policy(&judged.body.policy, judged.entry.index)?;
    report.record("judgment", judgment(&judged, policy));
    let delegations = Delegations::read(story, charters)?;
    let (mut votes, mut names) = (Vec::new(), Vec::new());
    for approved in story.approvals() {
        match approval(&approved, story, (charters, &delegations)) {
            Ok(yes) => {
                names.push(said(approved.body.verdict, &yes));
                if approved.body.verdict == Said::Approve {
                    votes.push(yes);
                }
            }
            Err(why) => {
                report.refuted("approvals", format!("entry {}: {why}", approved.entry.index))
            }
        }
    }
    if let Some(says) = delegations.says() {
        report.proven("delegations", format!("stand in the book: {says}"));
    }
    if !names.is_empty() {
        report.proven("approvals", format!("signed by the charter's seats: {}", names.join(", ")));
    }
    quorums(story, charters, &votes, report)
}

fn said(verdict: Said, yes: &Yes<'_>) -> String {
    let word = if verdict == Said::Approve { "yes" } else { "NO" };
    let by = if yes.stood.is_some() { " standing in" } else { "" };
    format!("{} ({}{by}) {word}", yes.vote.approver, yes.vote.person)
}

/// The first entry that acts on the agreement: from here on, everyone needed must have agreed.
fn acted(story: &Story) -> Result<Option<&Entry>, String> {
    let (warranted, signed) = (story.warranted(), story.signed());
    let first = warranted.iter().map(|w| w.entry).chain(signed.iter().map(|s| s.entry));
    let done = story.closed()?.filter(|c| c.body.outcome == Outcome::Done).map(|c| c.entry);
    Ok(first.chain(done).min_by_key(|entry| entry.index))
}

fn judgment(judged: &At<'_, Judged>, policy: &PolicyDocument) -> Result<String, String> {
    let (body, index) = (judged.body, judged.entry.index);
    if body.reasons != body.judgment.reasons() {
        return Err(format!("entry {index} gives reasons that are not its answer's"));
    }
    let answer = match &body.judgment {
        Judgment::Allow { .. } => "allow".to_owned(),
        Judgment::Deny { .. } => "deny".to_owned(),
        Judgment::Require { quorums, .. } => {
            let names: Vec<_> = quorums.iter().map(QuorumName::as_str).collect();
            format!("require {}", names.join(" and "))
        }
    };
    Ok(format!(
        "entry {index}: {answer}, under policy version {} {}…",
        policy.version,
        body.policy.short()
    ))
}

/// One approval: about this intent and policy, by the key in the approver's seat or of whoever stood in for it, and told truly
/// by its entry.
fn approval<'a>(
    approved: &At<'a, Approved>,
    story: &'a Story,
    (charters, delegations): (&Charters, &'a Delegations),
) -> Result<Yes<'a>, String> {
    let (entry, body) = (approved.body, &approved.body.approval.body);
    let charter = charters.at(approved.entry.index)?;
    let seat = charter
        .approver(&body.approver)
        .ok_or_else(|| format!("`{}` has no seat in the charter", body.approver))?;
    let judged = story.judged()?;
    if body.intent != story.intent() || body.vault != charter.vault {
        return Err("is about another intent or vault".into());
    }
    if body.policy != judged.body.policy || approved.entry.index < judged.entry.index {
        return Err("was given under another policy than the judgment's".into());
    }
    if body.v != 1 {
        return Err("is of another version".into());
    }
    let told = entry.intent == body.intent
        && entry.policy == body.policy
        && entry.approver == body.approver
        && entry.credential == body.credential
        && entry.verdict == body.verdict
        && entry.display_digest == body.display
        && entry.expires_at == body.expires_at;
    if !told {
        return Err("says something else than what was signed".into());
    }
    let stood = delegations.of(approved.entry.index, seat, &body.credential);
    let speaks = stood.map_or_else(|| seat.clone(), |stood| stood.delegation.as_seat());
    let seated = approved.body.approval.check_seat(charter, &speaks);
    seated.map_err(|why| format!("is not `{}`'s: {why}", body.approver))?;
    let mut expires_at = body.expires_at;
    if let Some(stood) = stood {
        let intent = &story.filed()?.body.intent;
        let Entry { index, at, .. } = approved.entry;
        stood.allows((*index, *at), body, (intent, &seat.person))?;
        if !stood.lasts(charters, *index) {
            let id = &stood.delegation.id;
            return Err(format!("was given after a charter had ended delegation `{id}`"));
        }
        expires_at = expires_at.min(stood.delegation.until);
    }
    let (approver, person) = (speaks.approver, speaks.person);
    let said = &approved.body.approval;
    let party = said.party(charter).map(str::to_owned);
    let vote = Vote { approver, person, party, expires_at };
    Ok(Yes { index: approved.entry.index, said, vote, stood })
}

/// A quorum by name. The charter's own quorum governs what no policy may loosen, whatever a policy calls its quorums.
fn named<'a>(
    name: &QuorumName,
    story: &Story,
    policy: &'a PolicyDocument,
    governance: &'a Quorum,
) -> Result<&'a Quorum, String> {
    let governed = matches!(
        story.filed()?.body.intent.action,
        Action::ChangePolicy { .. }
            | Action::ChangeCharter { .. }
            | Action::Delegate { .. }
            | Action::Unfreeze { .. }
    );
    let of_policy = policy.quorums.iter().find(|q| q.name == *name && !governed);
    of_policy
        .or_else(|| (governance.name == *name).then_some(governance))
        .ok_or_else(|| format!("nobody knows the quorum `{name}`"))
}

fn quorums(
    story: &Story,
    charters: &Charters,
    votes: &[Yes<'_>],
    report: &mut Report,
) -> Result<(), String> {
    let (judged, acted) = (story.judged()?, acted(story)?);
    if judged.body.judgment.is_deny() && acted.is_some() {
        report.refuted("agreement", "policy refused, and yet it went on");
    }
    let charter = charters.at(judged.entry.index)?;
    let policy = charters.policy(&judged.body.policy, judged.entry.index)?;
    let intent = &story.filed()?.body.intent;
    let needed = judged.body.judgment.quorums();
    if needed.is_empty() && acted.is_some() && !judged.body.judgment.is_deny() {
        report.proven("agreement", "policy asked for nobody's");
    }
    for name in &needed {
        let quorum = named(name, story, policy, &charter.governance)?;
        let (until, at) = acted.map_or((u64::MAX, Timestamp::ZERO), |e| (e.index, e.at));
        let in_time = standing(votes, charters, (until, at));
        let tally = quorum.tally(in_time, intent.requester.person(), at);
        let says = format!(
            "quorum `{name}`: {} of {} needed, distinct and unexpired{}",
            tally.counted.len(),
            tally.need,
            parties(&tally)
        );
        let against = rejected(story, &quorum.members, until);
        match (tally.is_met(), against, acted) {
            (_, Some(who), Some(_)) => {
                report.refuted("agreement", format!("`{who}` said no, and yet it went on"))
            }
            (true, _, _) => report.proven("agreement", says),
            (false, _, Some(entry)) => {
                report.refuted("agreement", format!("{says}, before entry {}", entry.index))
            }
            (false, _, None) => {
                report.not_shown("agreement", format!("{says}; nothing was signed"))
            }
        }
    }
    Ok(())
}

/// Through whose views, where that was demanded.
fn parties(tally: &Tally) -> String {
    let said = tally.parties.as_ref().map(|parties| {
        let names: Vec<_> = parties.counted.iter().map(String::as_str).collect();
        format!("; {} of {} parties: {}", names.len(), parties.need, names.join(", "))
    });
    said.unwrap_or_default()
}

fn rejected(
    story: &Story,
    members: &BTreeSet<quorate_terms::ApproverId>,
    until: u64,
) -> Option<String> {
    story
        .approvals()
        .iter()
        .filter(|a| a.entry.index < until && a.body.approval.body.verdict == Said::Reject)
        .map(|a| &a.body.approval.body.approver)
        .find(|approver| members.contains(*approver))
        .map(ToString::to_string)
}
