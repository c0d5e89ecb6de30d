//! Enrolment and acceptance: an approver's keys are made here and never leave; a charter is taken only when its digest is
//! the one that was compared out of band.

use std::collections::BTreeMap;
use std::path::Path;

use quorate_custody::{Book, Phase};
use quorate_host::random::Random;
use quorate_host::ui::Tone;
use quorate_host::{Identity, secret_file};
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::commitment::Opening;
use quorate_terms::{
    ApproverId, CosignerId, CredentialId, Digest, PersonId, PublicKey, Term as _, Timestamp,
};
use serde_json::json;

use crate::home::{Home, Settings, address, read_text};
use crate::key::{self, Passphrase};
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};
use crate::words;

/// What `enrol` was asked.
pub(crate) struct Enrol {
    pub(crate) approver: ApproverId,
    pub(crate) person: PersonId,
    pub(crate) device: Option<String>,
    /// Whether the person stands in for the seat, and holds none.
    pub(crate) stand_in: bool,
}

/// Makes the keys and the enrolment. What is there is never overwritten.
pub(crate) fn enrol(home: &Home, asked: &Enrol, passphrase: &Passphrase) -> Done<Screen> {
    if home.key().exists() || home.enrolment().exists() {
        let message = format!("an approver is enrolled in {}", home.dir().display());
        return Err(Trouble::refused("enrolled", message, "give another --dir"));
    }
    let random = Random::start()?;
    let device = asked
        .device
        .as_ref()
        .map(|text| Opening::new(random.salt()?, "approver.device", text).map_err(Trouble::from))
        .transpose()?;
    let key = key::create(&home.key(), &asked.approver, passphrase, random)?;
    let link = Identity::create(&home.link(), random)?;
    let named = Digest::of(quorate_terms::digest::tag::LINK, key.public_key().as_bytes()).short();
    let seat = ApproverSeat {
        approver: asked.approver.clone(),
        person: asked.person.clone(),
        credential: CredentialId::new(format!("key-{named}"))?,
        key: key.public_key(),
        link: link.public_key(),
        device: device.as_ref().map(Opening::commitment).transpose()?,
        passkeys: Vec::new(),
    };
    if let Some(opening) = &device {
        secret_file::create(&home.device(), &json_bytes(opening)?, random)?;
    }
    secret_file::create(&home.enrolment(), &json_bytes(&seat)?, random)?;
    let mut screen = Screen::new("enrolled");
    screen.row("seat", words::seat(&seat));
    screen.row("credential", seat.credential.to_string());
    screen.row("signing key", seat.key.to_string());
    screen.row("link key", seat.link.to_string());
    screen.row("enrolment", home.enrolment().display().to_string());
    let next = match asked.stand_in {
        true => {
            "give the enrolment to the operators, for `quorate delegation new`; keep the passphrase"
        }
        false => "give the enrolment to the operators; it is public. keep the passphrase",
    };
    screen.row("next", next);
    screen.json = json!({ "seat": seat, "file": home.enrolment() });
    Ok(screen)
}

/// What `accept` was asked.
pub(crate) struct Accept<'a> {
    pub(crate) charter: &'a Path,
    pub(crate) digest: Digest,
    /// Whether only a later charter seats this machine.
    pub(crate) joining: bool,
    pub(crate) desk: Option<String>,
    pub(crate) desk_key: Option<PublicKey>,
    pub(crate) cosigners: BTreeMap<CosignerId, String>,
}

/// Takes a charter as this approver's own ground of trust.
pub(crate) fn accept(home: &Home, asked: &Accept<'_>) -> Done<Screen> {
    let seat = home.seat()?;
    accept_as(home, asked, &words::seat(&seat), |charter| own_seat(charter, &seat))
}

/// Takes a charter in the name of a seat, which `check` looks for in it.
pub(crate) fn accept_as(
    home: &Home,
    asked: &Accept<'_>,
    seat: &str,
    check: impl FnOnce(&CharterText) -> Done<()>,
) -> Done<Screen> {
    let text = read_text(asked.charter)?;
    let charter = CharterText::from_canonical(text.trim_end_matches('\n').as_bytes())?;
    let digest = charter.digest()?;
    if digest != asked.digest {
        let message =
            format!("the charter's digest is {digest}, and you were told {}", asked.digest);
        let next = "do not accept; ask the operators on another channel which charter is meant";
        return Err(Trouble::refused("other_charter", message, next));
    }
    let _folds = Book::new(charter.clone())?;
    asked.desk.as_deref().map(address).transpose()?;
    if !asked.joining {
        check(&charter)?;
    }
    if asked.desk_key.is_some_and(|key| key != charter.log.identity) {
        let message = format!("the charter seats the desk key {}", charter.log.identity);
        let next = "do not accept; ask the operators which desk is meant";
        return Err(Trouble::refused("other_desk", message, next));
    }
    if let Some(stranger) = asked.cosigners.keys().find(|id| charter.cosigner(id).is_none()) {
        let message = format!("the charter seats no cosigner {stranger}");
        return Err(Trouble::refused("no_seat", message, "name cosigners as the charter does"));
    }
    store(home, &charter, asked)?;
    let mut screen = Screen::new("accepted");
    screen.row("vault", charter.vault.to_string());
    screen.toned("charter", digest.to_string(), Tone::Good);
    screen.row("seat", seat);
    screen.row("desk key", charter.log.identity.to_string());
    screen.row("cosigners", charter.cosigners.len().to_string());
    screen.json = json!({ "vault": charter.vault, "charter": digest });
    Ok(screen)
}

/// Refuses a charter that does not seat exactly the keys of this machine. Of its passkeys some may be missing, and none may
/// be another's.
pub(crate) fn own_seat(charter: &CharterText, own: &ApproverSeat) -> Done<()> {
    let is_own = |seat: &ApproverSeat| {
        seat.passkeys.iter().all(|passkey| own.passkeys.contains(passkey))
            && *own == ApproverSeat { passkeys: own.passkeys.clone(), ..seat.clone() }
    };
    match charter.approver(&own.approver) {
        Some(seat) if is_own(seat) => Ok(()),
        Some(_) => Err(Trouble::refused(
            "other_seat",
            format!(
                "the charter seats {} with other keys, passkeys, person or device",
                own.approver
            ),
            "give the operators the enrolment file of this machine",
        )),
        None => Err(Trouble::refused(
            "no_seat",
            "the charter seats no such approver",
            "give the operators the enrolment file of this machine",
        )),
    }
}

/// Refuses a machine whose keys neither the charter seats nor a delegation lets speak at `now`.
pub(crate) fn own_place(book: &Book, own: &ApproverSeat, now: Timestamp) -> Done<()> {
    if own_seat(book.charter(), own).is_ok() {
        return Ok(());
    }
    let granted = book.delegations().map(|(_, granted)| granted);
    let mut granted = granted.filter(|one| one.delegation.stand_in.key == own.key);
    let Some(granted) = granted.next() else { return own_seat(book.charter(), own) };
    if granted.phase(now) == Phase::Ended {
        let next = "nothing is signed here any more; for another delegation enrol in a new --dir";
        return Err(Trouble::refused("not_standing", "the delegation has ended", next));
    }
    let seat = granted.delegation.as_seat();
    let passkeys = seat.passkeys.iter().all(|passkey| own.passkeys.contains(passkey));
    if passkeys && *own == (ApproverSeat { passkeys: own.passkeys.clone(), ..seat }) {
        return Ok(());
    }
    let next = "give the operators the enrolment file of this machine";
    Err(Trouble::refused("other_seat", "the delegation names other keys or another person", next))
}

fn store(home: &Home, charter: &CharterText, asked: &Accept<'_>) -> Done<()> {
    let random = Random::start()?;
    if home.charter().exists() {
        if home.accepted()? != *charter {
            let next = "changes of the charter come through the book; for another vault give another --dir";
            return Err(Trouble::refused("accepted", "another charter was accepted here", next));
        }
    } else {
        secret_file::create(&home.charter(), &charter.to_canonical()?, random)?;
    }
    let mut settings: Settings = home.settings()?;
    if let Some(desk) = &asked.desk {
        settings.desk = Some(address(desk)?.to_owned());
    }
    settings.cosigners.extend(asked.cosigners.clone());
    home.write_settings(&settings, random)
}

fn json_bytes(value: &impl serde::Serialize) -> Done<Vec<u8>> {
    let mut bytes = quorate_terms::canonical::to_bytes(value, "enrolment")?;
    bytes.push(b'\n');
    Ok(bytes)
}
