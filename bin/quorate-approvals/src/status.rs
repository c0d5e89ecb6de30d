//! How things stand here, and what is wrong with this machine, each with its mend.

use std::path::Path;

use quorate_custody::limits::CLOCK_SKEW_MAX_S;
use quorate_host::ui::Tone;
use quorate_host::{Identity, secret_file};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::{Term as _, Timestamp};
use serde_json::{Value, json};

use crate::desk::{Peer, follow, now, seat_key};
use crate::enrol::own_seat;
use crate::home::Home;
use crate::replica::Replica;
use crate::screen::Screen;
use crate::show::{Opened, View, warn_of_the_book};
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
    warn_of_the_book(&View { replica, me, now: here, opened: Opened::Unasked }, &mut screen);
    screen.row("seat", words::seat(me));
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

/// One thing that was looked at.
struct Look {
    what: String,
    found: Result<String, Trouble>,
}

fn look(what: impl Into<String>, found: Done<String>) -> Look {
    Look { what: what.into(), found }
}

/// Looks at everything that an approval needs. Returns the screen, and whether all is well.
pub(crate) async fn doctor(home: &Home) -> Done<(Screen, bool)> {
    let mut looks = files(home);
    match Replica::load(home) {
        Err(trouble) => looks.push(look("replica", Err(trouble))),
        Ok(replica) => {
            looks.push(look("charter", charter(home, &replica)));
            peers(home, replica, &mut looks).await?;
        }
    }
    let well = looks.iter().all(|look| look.found.is_ok());
    let mut screen = Screen::new(if well { "all is well" } else { "something needs mending" });
    for Look { what, found } in &looks {
        match found {
            Ok(text) => screen.toned(what, format!("ok: {text}"), Tone::Good),
            Err(trouble) => {
                screen.toned(what, format!("{}; {}", trouble.message, trouble.next), Tone::Bad);
            }
        }
    }
    let told = |Look { what, found }: &Look| match found {
        Ok(text) => json!({ "what": what, "ok": true, "found": text }),
        Err(trouble) => json!({ "what": what, "ok": false, "error": trouble }),
    };
    let all: Vec<Value> = looks.iter().map(told).collect();
    screen.json = json!({ "well": well, "looks": all });
    Ok((screen, well))
}

fn files(home: &Home) -> Vec<Look> {
    let secret = |path: &Path| {
        secret_file::read(path).map(|_| "only you can read it".to_owned()).map_err(Trouble::from)
    };
    let dir = secret_file::check_dir(home.dir()).map_err(Trouble::from);
    vec![
        look("directory", dir.map(|()| "only you can enter it".to_owned())),
        look("signing key", secret(&home.key())),
        look("link key", secret(&home.link())),
        look("configuration", home.settings().map(|_| "can be read".to_owned())),
        look("keys", keys(home)),
    ]
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
    own_seat(replica.book().charter(), &home.seat()?)?;
    Ok(format!("{} seats this machine", home.accepted()?.digest()?))
}

async fn peers(home: &Home, mut replica: Replica, looks: &mut Vec<Look>) -> Done<()> {
    let followed = match Peer::desk(home, &replica) {
        Err(trouble) => Err(trouble),
        Ok(desk) => follow(&desk, &mut replica, home).await,
    };
    match followed {
        Err(trouble) => looks.push(look("desk", Err(trouble))),
        Ok(desk) => {
            looks.push(look("desk", Ok(format!("{} entries, verified", replica.size()))));
            looks.push(look("clock", clock(desk, now())));
            let by = replica.head.as_ref().map_or(0, |head| head.by.len());
            looks.push(look("witnesses", witnesses(by)));
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
        looks.push(look(format!("cosigner {cosigner}"), reached));
    }
    if settings.cosigners.is_empty() {
        let message = "no cosigner's address is known, so a freeze reaches the desk only";
        let next = "run `accept` again with --cosigner ID=ADDR";
        looks.push(look("cosigners", Err(Trouble::fault("no_cosigners", message, next))));
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
