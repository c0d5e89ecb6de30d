//! A FIDO2 key at the command line. libfido2's own programs ask it, with the terminal left to them for PIN and touch; what it
//! answers is a passkey's assertion, and is checked here as everyone checks it.
//!
//! Reading order: which passkey is meant, and what is asked of it (here); the forms of those programs ([`mod@form`]) and how
//! they are run ([`mod@programs`]); how a passkey is made ([`mod@new`]).
//!
//! Invariant: it speaks for views of this machine only. Two parties' views would otherwise be one tool.

mod form;
mod new;
mod programs;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use quorate_custody::Book;
use quorate_terms::approval::{Approval, ApprovalBody, Proof};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::passkey::{Assertion, Blob, Passkey, ViewSeat};
use quorate_terms::{CredentialId, Digest, Term as _, Timestamp};
use serde::Serialize;

use crate::trouble::{Done, Trouble};

pub(crate) use new::{New, make};

/// What the command line names of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// The device; none where only one is plugged in.
    pub(crate) device: Option<String>,
    /// The passkey; none where the seat has only one at views of this machine.
    pub(crate) passkey: Option<CredentialId>,
}

/// A passkey of the seat at a view of this machine.
struct Seated {
    view: ViewSeat,
    passkey: Passkey,
}

/// A key that is there, and the passkey of the seat that it is asked for.
pub(crate) struct Key {
    seated: Seated,
    device: String,
}

/// What a browser would say of the page, in the order in which browsers write it.
#[derive(Serialize)]
struct ClientData<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    challenge: String,
    origin: &'a str,
    #[serde(rename = "crossOrigin")]
    is_framed: bool,
}

impl Key {
    /// Finds the passkey that is meant, as the charter or a delegation seats it, and the device. Nothing is signed.
    ///
    /// # Errors
    /// A refusal where there is not exactly one of either, or where the passkey belongs to a view elsewhere.
    pub(crate) fn find(
        asked: &Asked,
        book: &Book,
        (me, now): (&ApproverSeat, Timestamp),
    ) -> Done<Self> {
        let seated = seated(asked, book, (me, now))?;
        let device = programs::device(asked.device.as_deref())?;
        Ok(Self { seated, device })
    }

    /// What the key is called in words that are signed.
    pub(crate) const fn credential(&self) -> &CredentialId {
        &self.seated.passkey.credential
    }

    /// Asks the key for its word. Whoever calls this checks what came of it.
    ///
    /// # Errors
    /// A refusal where the key gives none.
    pub(crate) fn sign(&self, body: ApprovalBody) -> Done<Approval> {
        let Seated { view, passkey } = &self.seated;
        let assertion = asserted(view, &passkey.handle, &body.digest()?, &self.device)?;
        let view = view.view.clone();
        Ok(Approval { body, proof: Proof::Passkey { view, assertion } })
    }
}

fn seated(asked: &Asked, book: &Book, (me, now): (&ApproverSeat, Timestamp)) -> Done<Seated> {
    let charter = book.charter();
    let own = charter.approver(&me.approver).cloned();
    let stood = book.delegation_of(&me.approver, now).map(|one| one.delegation.as_seat());
    let seat = own.into_iter().chain(stood).find(|seat| seat.key == me.key);
    let is_meant = |passkey: &Passkey| match &asked.passkey {
        Some(name) => passkey.credential == *name,
        None => true,
    };
    let passkeys = seat.map(|seat| seat.passkeys).unwrap_or_default();
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    for passkey in passkeys.into_iter().filter(is_meant) {
        let Some(view) = charter.view(&passkey.view).cloned() else { continue };
        let into = if is_of_this_machine(&view) { &mut here } else { &mut elsewhere };
        into.push(Seated { view, passkey });
    }
    if here.len() > 1 {
        let names: Vec<&str> = here.iter().map(|one| one.passkey.credential.as_str()).collect();
        let message = format!("the seat has several passkeys here: {}", names.join(", "));
        return Err(Trouble::refused("several_passkeys", message, "name one with --passkey"));
    }
    let nothing_here = || elsewhere.first().map_or_else(no_passkey, |one| is_elsewhere(&one.view));
    here.pop().ok_or_else(nothing_here)
}

/// Whether its origin says no more than "on this machine", so that the tool may write it itself (`docs/spec/approval.md`).
fn is_of_this_machine(view: &ViewSeat) -> bool {
    view.is_local() && view.origin.starts_with("http://")
}

/// Refuses a view that is not of this machine.
fn is_elsewhere(view: &ViewSeat) -> Trouble {
    let message = format!("the view {} is not on this machine ({})", view.view, view.origin);
    let next = "that word is given at the view's own page; it shows what it decodes itself";
    Trouble::refused("view_elsewhere", message, next)
}

fn no_passkey() -> Trouble {
    let message = "the seat has no such passkey at a view of this machine";
    let next =
        "make one with `quorate-approvals passkey --fido2` to be seated, or leave --fido2 out";
    Trouble::refused("no_passkey", message, next)
}

/// What a key says when it signs a digest for a view. Nothing of it is checked here.
fn asserted(view: &ViewSeat, handle: &Blob, digest: &Digest, device: &str) -> Done<Assertion> {
    let client = ClientData {
        kind: "webauthn.get",
        challenge: URL_SAFE_NO_PAD.encode(digest.as_bytes()),
        origin: &view.origin,
        is_framed: false,
    };
    let client = serde_json::to_vec(&client)
        .map_err(|e| Trouble::fault("fault", e.to_string(), "report this as a bug"))?;
    let lines = [
        STANDARD.encode(Digest::sha256(&client).as_bytes()),
        view.rp_id.clone(),
        STANDARD.encode(handle.as_bytes()),
    ];
    touch("to sign")?;
    let said = programs::run("fido2-assert", &["-G", "-v", device], &lines)?;
    let (data, signature) =
        form::assertion(&said).ok_or_else(|| programs::unreadable("fido2-assert"))?;
    let client_data = Blob::new(client)?;
    Ok(Assertion { authenticator_data: data, client_data, signature })
}

/// Says what the key waits for: the programs ask for the PIN, and the key itself only blinks.
fn touch(why: &str) -> Done<()> {
    let line = format!("{why}, give the PIN of the key and touch it when it blinks");
    Ok(writeln!(std::io::stderr(), "{line}")?)
}
