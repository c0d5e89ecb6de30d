//! How a view comes about: its keys and its seat are made here, and its passkeys are carried to the seats of approvers.

use std::path::{Path, PathBuf};

use quorate_host::random::Random;
use quorate_host::{Identity, secret_file};
use quorate_terms::ViewId;
use quorate_terms::charter::CharterText;
use quorate_terms::passkey::{Passkey, ViewSeat};
use serde_json::json;

use crate::enrol::{self, Accept};
use crate::home::{Home, read_text};
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// What `view init` was asked.
pub(crate) struct Found {
    pub(crate) view: ViewId,
    pub(crate) origin: String,
    pub(crate) rp_id: Option<String>,
    pub(crate) operator: String,
}

/// Where the seat lies in the folder of a view.
pub(super) fn seat_file(home: &Home) -> PathBuf {
    home.dir().join("view.json")
}

/// The seat of the view in this folder.
pub(super) fn seat(home: &Home) -> Done<ViewSeat> {
    let text = read_text(&seat_file(home)).map_err(|trouble| Trouble {
        next: "run `quorate-approvals view init` first, or give the right --dir".to_owned(),
        ..trouble
    })?;
    let bad = |e: serde_json::Error| {
        let message = format!("view.json cannot be read ({e})");
        Trouble::fault("view", message, "restore the file that `view init` wrote")
    };
    serde_json::from_str(&text).map_err(bad)
}

/// Makes the link key and the seat file. What is there is never overwritten.
pub(crate) fn found(home: &Home, asked: Found) -> Done<Screen> {
    if seat_file(home).exists() || home.link().exists() {
        let message = format!("there is a view in {}", home.dir().display());
        return Err(Trouble::refused("view", message, "give another --dir"));
    }
    let random = Random::start()?;
    let Found { view, origin, rp_id, operator } = asked;
    let host = origin.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_owned();
    let link = Identity::generate(random)?;
    let seat =
        ViewSeat { view, rp_id: rp_id.unwrap_or(host), origin, operator, link: link.public_key() };
    seat.check()?;
    drop(link);
    let link = Identity::create(&home.link(), random)?;
    let seat = ViewSeat { link: link.public_key(), ..seat };
    write(&seat_file(home), &seat)?;
    let mut screen = Screen::new("a view");
    screen.row("view", seat.view.to_string());
    screen.row("origin", &seat.origin);
    screen.row("relying party", &seat.rp_id);
    screen.row("link key", seat.link.to_string());
    screen.row("seat", seat_file(home).display().to_string());
    screen.row("next", "give the seat to the operators (`quorate init --view FILE`); it is public");
    screen.json = json!({ "view": seat, "file": seat_file(home) });
    Ok(screen)
}

/// Takes a charter as the view's own ground of trust.
pub(crate) fn accept(home: &Home, asked: &Accept<'_>) -> Done<Screen> {
    let own = seat(home)?;
    enrol::accept_as(home, asked, own.view.as_str(), |charter| own_seat(charter, &own))
}

/// Refuses a charter that does not seat the view as it is in this folder.
pub(super) fn own_seat(charter: &CharterText, own: &ViewSeat) -> Done<()> {
    if charter.view(&own.view) == Some(own) {
        return Ok(());
    }
    let message = format!("the charter does not seat the view {} as it is here", own.view);
    Err(Trouble::refused("no_seat", message, "give the operators the view.json of this folder"))
}

/// Writes a new passkey where its holder or the operators fetch it.
pub(super) fn keep(home: &Home, passkey: &Passkey) -> Done<PathBuf> {
    let path = home.dir().join(format!("passkey-{}.json", passkey.credential));
    write(&path, passkey)?;
    Ok(path)
}

/// Takes a passkey that a view made into this approver's own enrolment.
pub(crate) fn take_passkey(home: &Home, file: &Path) -> Done<Screen> {
    let mut seat = home.seat()?;
    let passkey: Passkey = serde_json::from_str(&read_text(file)?).map_err(|e| {
        let message = format!("{} cannot be read ({e})", file.display());
        Trouble::fault("passkey", message, "give the file that the view wrote")
    })?;
    if seat.holds(&passkey.credential) {
        let message = format!("the enrolment has `{}` already", passkey.credential);
        return Err(Trouble::refused("passkey", message, "nothing needs doing"));
    }
    seat.passkeys.push(passkey);
    let mut bytes = quorate_terms::canonical::to_bytes(&seat, "enrolment")?;
    bytes.push(b'\n');
    secret_file::replace(&home.enrolment(), &bytes, Random::start()?)?;
    let mut screen = Screen::new("taken into the enrolment");
    screen.row("passkeys", seat.passkeys.len().to_string());
    screen.row("enrolment", home.enrolment().display().to_string());
    screen.row("next", "give the enrolment to the operators");
    screen.json = json!({ "seat": seat });
    Ok(screen)
}

fn write(path: &Path, value: &impl serde::Serialize) -> Done<()> {
    let mut bytes = quorate_terms::canonical::to_bytes(value, "file")?;
    bytes.push(b'\n');
    Ok(secret_file::create(path, &bytes, Random::start()?)?)
}
