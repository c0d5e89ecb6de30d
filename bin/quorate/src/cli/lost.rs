//! A lost key: the change of the charter that takes it away, composed so that whoever is left can agree to it and go on after it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use quorate_gateway::office::{ChecklistAct, ChecklistView};
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::checklist::{Change, Post};
use quorate_terms::intent::Action;
use quorate_terms::quorum::Quorum;
use quorate_terms::{ApproverId, Digest, IdempotencyKey, PersonId, Term as _};

use super::client::Desk;
use super::filing::{Filing, show};
use super::trouble::{Tried, Trouble};
use super::{Ended, charter, note, read};
use crate::shown::ChecklistSaid;

/// Which key of whose seat is lost, and what comes in its place.
#[derive(Args, Debug)]
pub(crate) struct LostArgs {
    /// The seat whose key is lost.
    #[arg(long)]
    approver: String,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    filing: Filing,
}

/// What is lost. One of the three.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// A passkey is lost, by its name or handle. The seat keeps its other keys.
    #[arg(long, value_name = "HANDLE")]
    passkey: Option<String>,
    /// The machine with the key in a file is lost, and this is the enrolment of the new one.
    #[arg(long, value_name = "FILE")]
    enrolment: Option<PathBuf>,
    /// The machine is lost and nothing comes in its place: the seat ends.
    #[arg(long)]
    unseat: bool,
}

/// What is lost, read.
enum Lost {
    Passkey(String),
    Machine(Box<ApproverSeat>),
    Seat,
}

/// Composes and files the change, and opens the checklist that goes with it.
pub(crate) async fn obey(ui: &Ui, args: &LostArgs) -> Tried<Ended> {
    let approver: ApproverId = args.approver.parse()?;
    let filer: PersonId = args.filing.person.parse()?;
    let lost = match &args.what {
        What { passkey: Some(passkey), .. } => Lost::Passkey(passkey.clone()),
        What { enrolment: Some(file), .. } => Lost::Machine(Box::new(read::document(file)?)),
        _ => Lost::Seat,
    };
    let desk = Desk::at(&args.filing.at.dir).await?;
    let status = desk.status().await?;
    let now = &status.charter_text;
    let text = compose((now, status.charter), &approver, &lost)?;
    can_agree(now, &approver, &lost, &filer)?;
    if !ui.is_json() {
        note(&format!("approvers will see charter digest {}", text.digest()?));
        if let Some(gone) = gone(now, &text, &approver) {
            note(&format!("with it go the passkeys {gone}: enrol them again, or others"));
        }
    }
    let person = now.approver(&approver).map(|seat| seat.person.clone());
    let action = Action::ChangeCharter { charter: Box::new(text) };
    let (key, view) = args.filing.file(ui, &desk, action, Vec::new()).await?;
    if let Some(person) = person {
        let told = checklist(&desk, person, &lost, filer).await?;
        if !ui.is_json() {
            note(&told);
        }
    }
    show(ui, &key, &view)
}

/// The charter in force without the lost key.
///
/// # Errors
/// [`Trouble`] naming what is not there, or the quorum that could never be met again and what to do first.
fn compose(
    (now, digest): (&CharterText, Digest),
    approver: &ApproverId,
    lost: &Lost,
) -> Tried<CharterText> {
    let seat = now.approver(approver).ok_or_else(|| {
        let mend = "name one as `quorate charter show` does";
        Trouble::new("approver", format!("`{approver}` has no seat"), mend)
    })?;
    let mut text = now.clone();
    text.version = now.version.saturating_add(1);
    text.previous = Some(digest);
    match lost {
        Lost::Passkey(named) => {
            let is_lost = |one: &quorate_terms::passkey::Passkey| {
                one.credential.as_str() == named || one.handle.to_string() == *named
            };
            if !seat.passkeys.iter().any(is_lost) {
                let why = format!("the seat `{approver}` holds no passkey `{named}`");
                let mend = "give its name or handle as `quorate charter show` does";
                return Err(Trouble::new("passkey", why, mend));
            }
            for seat in text.approvers.iter_mut().filter(|seat| seat.approver == *approver) {
                seat.passkeys.retain(|one| !is_lost(one));
            }
        }
        Lost::Machine(new) => {
            check_new(seat, new)?;
            for seat in text.approvers.iter_mut().filter(|seat| seat.approver == *approver) {
                *seat = (**new).clone();
            }
        }
        Lost::Seat => {
            text.approvers.retain(|seat| seat.approver != *approver);
            text.governance.members.remove(approver);
        }
    }
    let quorums = text.policy.quorums.iter().chain([&text.governance]);
    quorums.into_iter().try_for_each(|quorum| can_be_met(&text, quorum))?;
    charter::check(&text)?;
    Ok(text)
}

/// Whether this enrolment is the same person's, with nothing of the lost machine in it.
fn check_new(old: &ApproverSeat, new: &ApproverSeat) -> Tried<()> {
    let bad = |why: &str, mend: &str| Err(Trouble::new("enrolment", why, mend));
    if new.approver != old.approver || new.person != old.person {
        let mend = "give the enrolment that the same person made on the new machine";
        return bad("is for another seat or person", mend);
    }
    if new.key == old.key || new.link == old.link || new.credential == old.credential {
        let mend = "make new keys with `quorate-approvals enrol` in a new folder";
        return bad("holds a key of the lost machine", mend);
    }
    Ok(())
}

/// Whether enough different people are left for a quorum.
fn can_be_met(text: &CharterText, quorum: &Quorum) -> Tried<()> {
    let seats = quorum.members.iter().map(|member| text.approver(member));
    if seats.clone().any(|seat| seat.is_none()) {
        let why = format!("is named by the policy's quorum `{}`", quorum.name);
        let mend = "change the policy first, or give --enrolment of a new machine instead";
        return Err(Trouble::new("approver", why, mend));
    }
    let people: BTreeSet<&PersonId> = seats.flatten().map(|seat| &seat.person).collect();
    if u32::try_from(people.len()).is_ok_and(|people| people >= quorum.m) {
        return Ok(());
    }
    let why = format!(
        "quorum `{}` would need {} people and have {}: it could never be met again",
        quorum.name,
        quorum.m,
        people.len()
    );
    let mend = "give --enrolment of a new machine instead, or seat somebody else first with `quorate charter propose`";
    Err(Trouble::new("approver", why, mend))
}

/// Whether those who can still speak are enough to agree to the change itself.
fn can_agree(now: &CharterText, lost_by: &ApproverId, lost: &Lost, filer: &PersonId) -> Tried<()> {
    let speaks = |seat: &&ApproverSeat| {
        let is_mute = match lost {
            Lost::Passkey(_) => false,
            Lost::Machine(_) | Lost::Seat => seat.passkeys.is_empty(),
        };
        seat.person != *filer && !(seat.approver == *lost_by && is_mute)
    };
    let seats = now.governance.members.iter().filter_map(|member| now.approver(member));
    let people: BTreeSet<&PersonId> = seats.filter(speaks).map(|seat| &seat.person).collect();
    let need = now.governance.m;
    if u32::try_from(people.len()).is_ok_and(|people| people >= need) {
        return Ok(());
    }
    let why = format!(
        "{need} people must agree and {} can: whoever files does not count, nor does a lost key",
        people.len()
    );
    let mend = "file it as a --person who approves nothing; if nobody else is left, this charter can change no more: move the funds while signing still works, and found anew";
    Err(Trouble::new("governance", why, mend))
}

/// Passkeys that the seat held and holds no more though they were not what was lost, in a line.
fn gone(now: &CharterText, text: &CharterText, approver: &ApproverId) -> Option<String> {
    let (was, is) = (now.approver(approver)?, text.approver(approver)?);
    if was.key == is.key {
        return None;
    }
    let gone = was.passkeys.iter().filter(|one| !is.passkeys.contains(one));
    let names: Vec<&str> = gone.map(|one| one.credential.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Opens the checklist of whoever lost the key; says what came of it.
async fn checklist(desk: &Desk, person: PersonId, lost: &Lost, filer: PersonId) -> Tried<String> {
    let change = if matches!(lost, Lost::Seat) { Change::Leaver } else { Change::Mover };
    if person == filer {
        let words = format!(
            "ask another operator for `quorate member checklist open {person} --change {change} --post approver`"
        );
        return Ok(format!("nobody opens a checklist about themselves: {words}"));
    }
    let key = IdempotencyKey::new(hex::encode(Random::start()?.salt()?))?;
    let act = ChecklistAct::Open { key, person, change, post: Post::Approver };
    let said = ChecklistSaid { person: Some(filer), token: None, act };
    match desk.ask::<ChecklistView>("desk.checklist", &said).await {
        Ok(view) => Ok(format!(
            "checklist {} says what is left to do: `quorate member checklist show {}`",
            view.checklist.short(),
            view.checklist.short()
        )),
        Err(trouble) if trouble.field == "checklist_open" => {
            Ok("a checklist of this person is open already: go on with it".to_owned())
        }
        Err(trouble) => Err(trouble),
    }
}

#[cfg(test)]
#[path = "lost/tests.rs"]
mod tests;
