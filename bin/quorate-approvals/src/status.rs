//! How things stand here, and what is wrong with this machine, each with its mend.

use std::path::Path;

use quorate_custody::limits::CLOCK_SKEW_MAX_S;
use quorate_host::findings::{Findings, Grade};
use quorate_host::ui::Tone;
use quorate_host::{Identity, secret_file};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::{Term as _, Timestamp};
use serde_json::json;

use crate::desk::{Peer, follow, now, seat_key};
use crate::enrol::own_place;
use crate::home::Home;
use crate::list::stands_in;
use crate::replica::Replica;
use crate::screen::Screen;
use crate::show::{Made, Opened, View, warn_of_the_book};
use crate::trouble::{Done, Trouble};
use crate::words;

/// Replica, checkpoint, witnesses, charter, clocks.
pub(crate) fn status(
    replica: &Replica,
    me: &ApproverSeat,
    desk: Option<Timestamp>,
) -> Done<Screen> {
    let (book, here) = (replica.book(), now());
    let mut screen = Screen::new(format!("vault {}", book.vault()));
    let view = View { replica, me, now: here, opened: Opened::Unasked, made: Made::default() };
    warn_of_the_book(&view, &mut screen);
    screen.row("seat", words::seat(me));
    crate::list::delegations(book, me, here, &mut screen);
    screen.row("charter", book.charter_digest().to_string());
    screen.row("policy", book.policy().digest().to_string());
    screen.row("entries", book.size().to_string());
    screen.row("head", book.head().to_string());
    let by = replica.head.as_ref().map(|head| head.by.clone()).unwrap_or_default();
    let seats = book.charter().cosigners.len();
    let names: Vec<String> = by.iter().map(|(cosigner, _)| cosigner.to_string()).collect();
    let text = format!("{} of {seats}: {}", by.len(), names.join(", "));
    screen.toned("witnesses", text, if by.is_empty() { Tone::Wait } else { Tone::Good });
    screen.row("witnessed up to", format!("{} entries", replica.memory.witnessed_size()?));
    screen.row("clock here", here.utc());
    if let Some(desk) = desk {
        screen.row("clock of the desk", desk.utc());
    }
    screen.row("last entry", book.last_at().utc());
    screen.row("open cases", book.open_cases().count().to_string());
    screen.json = json!({
        "vault": book.vault(), "charter": book.charter_digest(), "policy": book.policy().digest(),
        "size": book.size(), "head": book.head(), "witnesses": by, "reached": desk.is_some(),
        "witnessed_size": replica.memory.witnessed_size()?,
        "clock": here, "desk_clock": desk, "last_at": book.last_at(),
    });
    Ok(screen)
}

/// Looks at everything that an approval needs.
pub(crate) async fn doctor(home: &Home) -> Done<Findings> {
    let mut found = files(home);
    match Replica::load(home) {
        Err(trouble) => found.bad("replica", &trouble),
        Ok(replica) => {
            found.note("charter", charter(home, &replica), String::clone);
            peers(home, replica, &mut found).await?;
        }
    }
    Ok(found)
}

fn files(home: &Home) -> Findings {
    let secret = |path: &Path| secret_file::read(path);
    let mut found = Findings::default();
    found.note("directory", secret_file::check_dir(home.dir()), |()| {
        "only you can enter it".to_owned()
    });
    for (what, path) in [("signing key", home.key()), ("link key", home.link())] {
        found.note(what, secret(&path), |_| "only you can read it".to_owned());
    }
    found.note("configuration", home.settings(), |_| "can be read".to_owned());
    found.note("keys", keys(home), String::clone);
    found
}

fn keys(home: &Home) -> Done<String> {
    let (seat, link): (ApproverSeat, Identity) = (home.seat()?, home.identity()?);
    if seat.link != link.public_key() {
        let message = "the link key is not the one that was enrolled";
        return Err(Trouble::refused("other_key", message, "restore link.identity"));
    }
    Ok("the link key is the enrolled one".to_owned())
}

fn charter(home: &Home, replica: &Replica) -> Done<String> {
    let (own, now) = (home.seat()?, now());
    own_place(replica.book(), &own, now)?;
    if let Some(granted) = stands_in(replica.book(), &own, now) {
        let until = granted.delegation.until.utc();
        return Ok(format!("this machine stands in for `{}` until {until}", own.approver));
    }
    Ok(format!("{} seats this machine", home.accepted()?.digest()?))
}

async fn peers(home: &Home, mut replica: Replica, found: &mut Findings) -> Done<()> {
    let followed = match Peer::desk(home, &replica) {
        Err(trouble) => Err(trouble),
        Ok(desk) => follow(&desk, &mut replica, home).await,
    };
    match followed {
        Err(trouble) => found.bad("desk", &trouble),
        Ok(desk) => {
            found.ok("desk", format!("{} entries, verified", replica.size()));
            found.note("clock", clock(desk, now()), String::clone);
            let by = replica.head.as_ref().map_or(0, |head| head.by.len());
            found.note("witnesses", witnesses(by), String::clone);
        }
    }
    let settings = home.settings()?;
    for (cosigner, address) in &settings.cosigners {
        let key = seat_key(replica.book().charter(), cosigner);
        let reached = match (key, home.identity()) {
            (Ok(key), Ok(me)) => match Peer::at(address, key, &me, &settings) {
                Ok(peer) => peer.reach().await.map(|()| format!("{address} proves its key")),
                Err(trouble) => Err(trouble),
            },
            (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
        };
        found.note(&format!("cosigner {cosigner}"), reached, String::clone);
    }
    if settings.cosigners.is_empty() {
        let why = "no cosigner's address is known, so a freeze reaches the desk only";
        found.add(Grade::Bad, "cosigners", why, "run `accept` again with --cosigner ID=ADDR");
    }
    Ok(())
}

fn witnesses(by: usize) -> Done<String> {
    if by > 0 {
        return Ok(format!("{by} on the newest checkpoint"));
    }
    let message = "no cosigner has witnessed the newest checkpoint";
    Err(Trouble::refused("unwitnessed", message, "see whether the cosigners run"))
}

/// Whether two clocks are close enough for approvals to be taken.
fn clock(desk: Timestamp, here: Timestamp) -> Done<String> {
    let apart = desk.since(here).max(here.since(desk));
    if apart <= CLOCK_SKEW_MAX_S.saturating_mul(1000) {
        return Ok(format!("{apart} ms from the desk's"));
    }
    let message = format!("this clock and the desk's are {} apart", words::span(apart));
    Err(Trouble::refused("clock_skew", message, "set the clock of this machine from the network"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_further_apart_than_the_limit_are_told() {
        let at = |s: u64| Timestamp::from_millis(s * 1000);
        for (desk, here, well) in
            [(1000, 1000, true), (1000, 1120, true), (1000, 1121, false), (1121, 1000, false)]
        {
            assert_eq!(clock(at(desk), at(here)).is_ok(), well, "{desk} {here}");
        }
    }
}
