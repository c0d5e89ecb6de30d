//! Yes or no: the approver sees the screen, names what it is about, and signs intent, policy, expiry and the words shown.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use quorate_custody::Refusal;
use quorate_custody::protocol::book::{Submit, SubmitAnswer};
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_host::ui::{Tone, Ui};
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::{CaseId, CredentialId, Digest, Term as _, Timestamp};
use serde_json::json;

use crate::enrol::own_place;
use crate::fido2;
use crate::home::{Home, read_text};
use crate::key::{self, Passphrase};
use crate::replica::Replica;
use crate::screen::Screen;
use crate::show::{self, Made, View};
use crate::trouble::{Done, Trouble};
use crate::words;

/// The life of an approval when nothing else is asked for and the policy allows it, in seconds.
pub(crate) const TTL_S: u64 = 3600;

/// What `approve` and `reject` were asked.
pub(crate) struct Word {
    pub(crate) verdict: Verdict,
    pub(crate) ttl_s: Option<u64>,
    pub(crate) yes: bool,
    pub(crate) allow_unwitnessed: bool,
    /// The FIDO2 key that signs in place of the sealed one.
    pub(crate) fido2: Option<fido2::Asked>,
}

/// Shows the case, asks, and signs. Nothing is sent here.
///
/// # Errors
/// A refusal for the same reasons as [`quorate_custody::Book::check_approval`], in the same words.
pub(crate) fn decide(
    home: &Home,
    view: &View<'_>,
    (id, asked): (&CaseId, &Word),
    (passphrase, ui): (&Passphrase, &Ui),
) -> Done<Approval> {
    own_place(view.replica.book(), view.me, view.now)?;
    let (book, seat) = (view.replica.book(), (view.me, view.now));
    let passkey = asked.fido2.as_ref().map(|named| fido2::Key::find(named, book, seat));
    let passkey = passkey.transpose()?;
    let screen = show::case(view, id)?;
    if waits_for_witness(view.replica, id, asked)? {
        return Err(unwitnessed());
    }
    show_aside(&screen, ui)?;
    if !asked.yes {
        confirm(&id.intent(), &words::plain(&asked.verdict))?;
    }
    let said = |credential: &CredentialId| body(view, id, asked, (screen.digest(), credential));
    let approval = if let Some(key) = passkey {
        key.sign(said(key.credential()))?
    } else {
        let key = key::unseal(&home.key(), &view.me.approver, passphrase)?;
        let body = said(&view.me.credential);
        let signature = key.sign(&body.digest()?);
        Approval { body, proof: Proof::Ed25519 { signature } }
    };
    book.check_approval(&approval, view.now)?;
    Ok(approval)
}

/// Whether no cosigner has seen the case yet that a word agrees to. A rejection can only tighten, so it waits for nobody.
pub(crate) fn waits_for_witness(replica: &Replica, id: &CaseId, asked: &Word) -> Done<bool> {
    let matters = !asked.allow_unwitnessed && asked.verdict != Verdict::Reject;
    Ok(matters && replica.book().case(id).is_some() && !replica.is_witnessed(id)?)
}

fn unwitnessed() -> Trouble {
    let message = "no cosigner has witnessed a checkpoint that holds this case";
    let next = "try again in a moment, ask the operators, or give --allow-unwitnessed";
    Trouble::refused("unwitnessed", message, next)
}

fn body(
    view: &View<'_>,
    id: &CaseId,
    asked: &Word,
    (display, credential): (Digest, &CredentialId),
) -> ApprovalBody {
    let book = view.replica.book();
    let ttl = asked.ttl_s.unwrap_or(TTL_S.min(book.policy().document().limits.approval_ttl_s));
    ApprovalBody {
        v: 1,
        vault: book.vault().clone(),
        intent: id.intent(),
        policy: book.policy().digest(),
        approver: view.me.approver.clone(),
        credential: credential.clone(),
        verdict: asked.verdict,
        issued_at: view.now,
        expires_at: view.now.plus_s(ttl),
        display,
    }
}

/// Shows the screen on standard error: standard output is for the answer.
pub(crate) fn show_aside(screen: &Screen, ui: &Ui) -> Done<()> {
    Ok(writeln!(std::io::stderr(), "{}", screen.text(ui))?)
}

/// Has the person type the first eight digits of a digest: a hand that only presses enter agrees to nothing.
pub(crate) fn confirm(digest: &Digest, verb: &str) -> Done<()> {
    let wanted = digest.short();
    write!(std::io::stderr(), "to {verb}, type the first 8 digits of the digest: ")?;
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() == wanted {
        return Ok(());
    }
    let next = "nothing was signed; read the screen again and type the digits of its digest";
    Err(Trouble::refused("not_confirmed", "that is not the beginning of the digest", next))
}

/// What became of a word that was sent, as the desk says and as the approver's own replica shows.
pub(crate) fn outcome(approval: &Approval, answer: &SubmitAnswer, replica: &Replica) -> Screen {
    let body = &approval.body;
    let id = CaseId::of_intent(body.intent);
    let mut screen = Screen::new(format!("{} signed", words::plain(&body.verdict)));
    screen.row("case", id.to_string());
    screen.row("until", body.expires_at.utc());
    if let SubmitAnswer::Taken { state: Some(state), .. } = answer {
        screen.row("desk says", words::plain(state));
    }
    let case = replica.book().case(&id);
    let recorded = case.map_or_else(
        || replica.book().closed(&id).is_some(),
        |case| {
            let stood = case.stand_ins.get(&body.approver).map(|said| &said.approval);
            case.approvals.get(&body.approver) == Some(approval) || stood == Some(approval)
        },
    );
    match recorded {
        true => screen.toned("in the book", "yes, verified here", Tone::Good),
        false => screen.toned("in the book", "not yet; run `list` again", Tone::Wait),
    }
    for tally in case
        .map(|case| case.tallies(replica.book().charter(), replica.book().policy(), body.issued_at))
        .unwrap_or_default()
    {
        screen.row("quorum", format!("{}: {tally}", tally.quorum));
    }
    let state = case.map(|case| case.state).or_else(|| {
        replica.book().closed(&id).map(|closed| quorate_custody::State::Closed(closed.outcome))
    });
    if let Some(state) = &state {
        screen.row("state", words::plain(state));
    }
    screen.json = json!({
        "case": id, "verdict": body.verdict, "approver": body.approver, "expires_at": body.expires_at,
        "display": body.display, "recorded": recorded, "state": state, "desk": answer,
    });
    screen
}

/// Writes a signed word for carrying by hand.
pub(crate) fn write_out(what: &Submit, out: &Path) -> Done<Screen> {
    let mut bytes = quorate_terms::canonical::to_bytes(what, "submission")?;
    bytes.push(b'\n');
    secret_file::create(out, &bytes, Random::start()?)?;
    let mut screen = Screen::new("signed, not sent");
    screen.row("file", out.display().to_string());
    screen.row("next", "carry it to a machine with a link and run `quorate-approvals submit`");
    screen.json = json!({ "file": out });
    Ok(screen)
}

/// Reads a signed word that was carried here.
pub(crate) fn read_in(path: &Path) -> Done<Submit> {
    let text = read_text(path)?;
    let bytes = text.trim_end_matches('\n').as_bytes();
    quorate_terms::canonical::from_bytes(bytes, "submission").map_err(|e| Trouble {
        message: format!("{}: {}", path.display(), e.why()),
        next: "give the file that was signed with --offline --out".to_owned(),
        ..e.into()
    })
}

/// Checks what was carried here as the desk will, before it is sent.
pub(crate) fn check(what: &Submit, replica: &Replica, now: Timestamp) -> Done<()> {
    match what {
        Submit::Approval(approval) => replica.book().check_approval(approval, now).map(drop)?,
        Submit::Freeze(freeze) => replica.book().check_freeze(freeze).map(drop)?,
        Submit::Ending(ending) => replica.book().check_ending(ending).map(drop)?,
        Submit::Resume(resume) => {
            let void = replica.book().voids().any(|(index, _)| index == resume.body.index);
            if !void {
                let why = "there is no void entry at this index";
                return Err(Refusal::new("not_void", why, "nothing needs doing").into());
            }
        }
    }
    Ok(())
}

/// Where an offline decision takes its book from.
pub(crate) struct Offline {
    pub(crate) book: PathBuf,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) out: PathBuf,
}

/// Folds an exported ledger from the accepted charter, through every checkpoint that this machine remembers.
pub(crate) fn replica_of(home: &Home, offline: &Offline) -> Done<Replica> {
    let memory = crate::memory::Memory::load(home)?;
    let known = memory.known()?;
    let mut replica = Replica::empty(home.accepted()?, memory)?;
    replica.take(&crate::replica::lines(&offline.book, u64::MAX)?)?;
    if let Some(known) = known.filter(|known| known.size > replica.size()) {
        let message = format!(
            "the export has {} entries, and this machine has verified {}",
            replica.size(),
            known.size
        );
        return Err(Trouble::refused("rollback", message, "ask for a newer export of the book"));
    }
    if let Some(note) = &offline.checkpoint {
        replica.settle(&read_text(note)?)?;
    }
    Ok(replica)
}

/// The view of an approver without a link.
pub(crate) fn offline_view<'a>(replica: &'a Replica, me: &'a ApproverSeat) -> View<'a> {
    let (now, opened) = (crate::desk::now(), show::Opened::Unasked);
    View { replica, me, now, opened, made: Made::default() }
}
