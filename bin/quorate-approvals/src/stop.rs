//! Stopping at once, and agreeing to go on after a void entry.

use quorate_custody::Book;
use quorate_custody::protocol::book::{Submit, SubmitAnswer};
use quorate_host::Identity;
use quorate_host::telemetry::safe;
use quorate_host::ui::Tone;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::{Ender, Ending, EndingBody};
use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Resume, ResumeBody, Scope};
use quorate_terms::{DelegationId, Digest, Malformed, Term as _, Timestamp, VaultId};
use serde_json::{Value, json};

use crate::replica::Replica;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};
use crate::words;

/// The life of a yes to going on, in seconds.
const RESUME_TTL_S: u64 = 3600;

/// Reads `vault`, `wallet:W` or `agent:A`.
pub(crate) fn scope(text: &str) -> Result<Scope, String> {
    let scope = match text.split_once(':') {
        None if text == "vault" => Scope::Vault,
        Some(("wallet", wallet)) => {
            Scope::Wallet { wallet: wallet.parse().map_err(|e: Malformed| e.to_string())? }
        }
        Some(("agent", agent)) => {
            Scope::Agent { agent: agent.parse().map_err(|e: Malformed| e.to_string())? }
        }
        _ => return Err("give `vault`, `wallet:W` or `agent:A`".to_owned()),
    };
    Ok(scope)
}

/// Checks that a cause is a short code.
pub(crate) fn cause(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err("give a short code of a-z, 0-9 and `-`, such as `lost-device`".to_owned())
}

/// Signs a freeze.
pub(crate) fn freeze(
    (vault, me): (&VaultId, &ApproverSeat),
    scope: Scope,
    cause: String,
    (now, key): (Timestamp, &Identity),
) -> Done<Freeze> {
    let by = Freezer::Approver { approver: me.approver.clone() };
    let body = FreezeBody { v: 1, vault: vault.clone(), by, scope, at: now, cause };
    let signature = key.sign(&body.digest()?);
    Ok(Freeze { body, signature })
}

/// Who took the freeze.
///
/// # Errors
/// When nobody did.
pub(crate) fn reported(freeze: &Freeze, answers: &[(String, Result<(), Trouble>)]) -> Done<Screen> {
    let next = "run `quorate-cosigner freeze` on a cosigner's machine at once";
    taken(answers, ("not_frozen", "nobody took the freeze", next))?;
    let mut screen = Screen::new(format!("frozen: {}", words::scope(&freeze.body.scope)));
    screen.row("freeze", freeze.body.digest()?.to_string());
    screen.row("cause", &freeze.body.cause);
    told(answers, &mut screen);
    screen.json = json!({
        "freeze": freeze.body.digest()?, "scope": freeze.body.scope, "peers": peers(answers),
    });
    Ok(screen)
}

/// Signs the end of a delegation: as the seat, or as whoever stands in for it.
pub(crate) fn ending(
    book: &Book,
    me: &ApproverSeat,
    delegation: DelegationId,
    (now, key): (Timestamp, &Identity),
) -> Done<Ending> {
    let own = book.charter().approver(&me.approver).is_some_and(|seat| seat.key == me.key);
    let by = if own { Ender::Seat } else { Ender::StandIn };
    let body = EndingBody { v: 1, vault: book.vault().clone(), delegation, by, at: now };
    let signature = key.sign(&body.digest()?);
    Ok(Ending { body, signature })
}

/// Who took the end of a delegation.
///
/// # Errors
/// When nobody did.
pub(crate) fn ended(ending: &Ending, answers: &[(String, Result<(), Trouble>)]) -> Done<Screen> {
    let next = "have an operator run `quorate delegation end`, or freeze";
    taken(answers, ("not_ended", "nobody took the end of the delegation", next))?;
    let mut screen = Screen::new(format!("ended: delegation {}", ending.body.delegation));
    screen.row("by", words::plain(&ending.body.by));
    told(answers, &mut screen);
    screen.json = json!({ "delegation": ending.body.delegation, "peers": peers(answers) });
    Ok(screen)
}

/// Refuses where nobody took it, with what each said.
fn taken(
    answers: &[(String, Result<(), Trouble>)],
    (code, what, next): (&str, &str, &str),
) -> Done<()> {
    if answers.iter().any(|(_, answer)| answer.is_ok()) {
        return Ok(());
    }
    let each = |(name, answer): &(String, Result<(), Trouble>)| match answer {
        Ok(()) => String::new(),
        Err(trouble) => format!("{name}: {}", trouble.message),
    };
    let all: Vec<String> = answers.iter().map(each).collect();
    Err(Trouble::fault(code, format!("{what} ({})", safe(&all.join("; "))), next))
}

fn told(answers: &[(String, Result<(), Trouble>)], screen: &mut Screen) {
    for (name, answer) in answers {
        match answer {
            Ok(()) => screen.toned(name, "holds it", Tone::Good),
            Err(trouble) => screen.toned(name, trouble.to_string(), Tone::Bad),
        }
    }
}

fn peers(answers: &[(String, Result<(), Trouble>)]) -> Vec<Value> {
    let told = |(name, answer): &(String, Result<(), Trouble>)| json!({ "peer": name, "holds": answer.is_ok(), "error": answer.as_ref().err() });
    answers.iter().map(told).collect()
}

/// The void entry at an index, and what must be seen of it before anybody agrees to go on.
pub(crate) fn void(replica: &Replica, index: u64) -> Done<(Digest, Screen)> {
    let found = replica.book().voids().find(|(at, _)| *at == index);
    let Some((_, digest)) = found else {
        let message = "there is no void entry at this index";
        return Err(Trouble::refused("not_void", message, "nothing needs doing"));
    };
    let mut screen = Screen::new(format!("void entry {index}"));
    screen.row("digest", digest.to_string());
    let why = replica.voids.iter().find(|(at, _)| *at == index);
    if let Some((_, refusal)) = why {
        screen.toned("void because", &refusal.message, Tone::Bad);
    }
    let need = replica.book().charter().governance.m;
    screen.row("governors needed", need.to_string());
    Ok((digest, screen))
}

/// Signs a yes to going on.
pub(crate) fn resume(
    replica: &Replica,
    me: &ApproverSeat,
    (index, entry): (u64, Digest),
    (now, key): (Timestamp, &Identity),
) -> Done<Resume> {
    let body = ResumeBody {
        v: 1,
        vault: replica.book().vault().clone(),
        charter: replica.book().charter_digest(),
        index,
        entry,
        approver: me.approver.clone(),
        expires_at: now.plus_s(RESUME_TTL_S),
    };
    let signature = key.sign(&body.digest()?);
    Ok(Resume { body, signature })
}

/// Checks that this seat is one of the governors.
pub(crate) fn governor(replica: &Replica, me: &ApproverSeat) -> Done<()> {
    if replica.book().charter().governance.members.contains(&me.approver) {
        return Ok(());
    }
    let message = "only members of the charter's own quorum agree to resume";
    Err(Trouble::refused("not_a_member", message, "ask a governor"))
}

/// How many more are needed.
pub(crate) fn resumed(resume: &Resume, answer: &SubmitAnswer) -> Screen {
    let mut screen = Screen::new(format!("agreed to resume from entry {}", resume.body.index));
    screen.row("until", resume.body.expires_at.utc());
    let mut missing = None;
    if let SubmitAnswer::Taken { tallies, .. } = answer {
        for tally in tallies {
            let have = u32::try_from(tally.counted.len()).unwrap_or(u32::MAX);
            let more = tally.need.saturating_sub(have);
            missing = Some(missing.unwrap_or(0).max(more));
            let text = format!("{have} of {}; {more} more needed", tally.need);
            screen.row(tally.quorum.as_str(), text);
        }
    }
    screen.json = json!({ "index": resume.body.index, "missing": missing, "desk": answer });
    screen
}

/// The submission of a resume.
pub(crate) fn submission(resume: &Resume) -> Submit {
    Submit::Resume(Box::new(resume.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scopes_and_causes_are_read_or_refused() {
        assert_eq!(scope("vault"), Ok(Scope::Vault));
        assert!(matches!(scope("wallet:ops"), Ok(Scope::Wallet { .. })));
        assert!(matches!(scope("agent:bot"), Ok(Scope::Agent { .. })));
        for bad in ["", "Vault", "wallet:", "wallet:A B", "vault:x", "person:p"] {
            assert!(scope(bad).is_err(), "{bad}");
        }
        for bad in ["", "Lost", "lost device", "lost\u{1b}", &"x".repeat(65)] {
            assert!(cause(bad).is_err(), "{bad}");
        }
        assert!(cause("lost-device").is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_scope_panic(text in ".*") {
            let _any = (scope(&text), cause(&text));
        }
    }
}
