//! A passkey that is made with a FIDO2 key in place of a browser, for a view of this machine.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_terms::digest::tag;
use quorate_terms::passkey::{Passkey, ViewSeat};
use quorate_terms::{CredentialId, Digest, ViewId};
use serde_json::json;

use crate::home::{Home, read_text};
use crate::replica::Replica;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

use super::{asserted, form, is_elsewhere, is_of_this_machine, programs, touch};

/// What `passkey --fido2` was asked.
pub(crate) struct New<'a> {
    /// The device; none where only one is plugged in.
    pub(crate) device: Option<&'a str>,
    /// The view.
    pub(crate) view: &'a ViewId,
    /// The view's own file, where no charter was accepted yet.
    pub(crate) seat: Option<&'a Path>,
    /// How the book is to call it.
    pub(crate) credential: Option<&'a CredentialId>,
    /// Where to write it.
    pub(crate) out: &'a Path,
}

/// Makes a passkey, has it used once as a view does, and writes what a view writes.
///
/// # Errors
/// A refusal for a view elsewhere, a key of another kind than ES256, and where the new passkey does not sign.
pub(crate) fn make(home: &Home, asked: &New<'_>) -> Done<Screen> {
    let (view, user) = (view(home, asked)?, home.seat()?.approver);
    if !is_of_this_machine(&view) {
        return Err(is_elsewhere(&view));
    }
    // Said before anybody touches anything.
    if asked.out.exists() {
        let message = format!("{} is there already", asked.out.display());
        return Err(Trouble::refused("passkey", message, "give another --out"));
    }
    let (device, random) = (programs::device(asked.device)?, Random::start()?);
    let lines = [
        STANDARD.encode(random.bytes::<32>()?),
        view.rp_id.clone(),
        user.to_string(),
        STANDARD.encode(random.bytes::<32>()?),
    ];
    touch("to make a passkey")?;
    let said = programs::run("fido2-cred", &["-M", "-v", &device, "es256"], &lines)?;
    let (handle, key) =
        form::credential(&said).ok_or_else(|| programs::unreadable("fido2-cred"))?;
    let short = Digest::sha256(handle.as_bytes()).short();
    let credential = match asked.credential {
        Some(credential) => credential.clone(),
        None => CredentialId::new(format!("fido2-{short}"))?,
    };
    let passkey = Passkey { credential, view: view.view.clone(), handle, key };
    // A key that says one thing and signs with another shows now, and not when its word is needed.
    let challenge = Digest::of(tag::SIGN_IN, &random.bytes::<32>()?);
    let used = asserted(&view, &passkey.handle, &challenge, &device)?;
    used.check(&view, &passkey.key, &challenge)?;
    let mut bytes = quorate_terms::canonical::to_bytes(&passkey, "file")?;
    bytes.push(b'\n');
    secret_file::create(asked.out, &bytes, random)?;
    Ok(told(&passkey, asked.out))
}

fn told(passkey: &Passkey, out: &Path) -> Screen {
    let mut screen = Screen::new("a passkey");
    screen.row("credential", passkey.credential.to_string());
    screen.row("view", passkey.view.to_string());
    screen.row("key", passkey.key.to_string());
    screen.row("file", out.display().to_string());
    screen.row("next", "take it into the enrolment with `quorate-approvals passkey FILE`");
    screen.json = json!({ "passkey": passkey, "file": out });
    screen
}

/// The view, as the charter seats it or as its own file says.
fn view(home: &Home, asked: &New<'_>) -> Done<ViewSeat> {
    let Some(file) = asked.seat else {
        if !home.charter().exists() {
            let next = "accept the charter first, or give the view's own view.json as --seat";
            return Err(Trouble::refused("no_charter", "no charter was accepted here", next));
        }
        let replica = Replica::load(home)?;
        return replica.book().charter().view(asked.view).cloned().ok_or_else(|| {
            let message = format!("the charter seats no view {}", asked.view);
            Trouble::refused("no_seat", message, "name a view as the charter does")
        });
    };
    let view: ViewSeat = serde_json::from_str(&read_text(file)?).map_err(|e| {
        let message = format!("{} cannot be read ({e})", file.display());
        Trouble::fault("view", message, "give the file that `view init` wrote")
    })?;
    view.check()?;
    if view.view == *asked.view {
        return Ok(view);
    }
    let message = format!("{} is of the view {}", file.display(), view.view);
    Err(Trouble::refused("no_seat", message, "give the file of the view that you name"))
}
