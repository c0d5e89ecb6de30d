//! What is wrong with this office, or soon will be, and how to mend it. Every part is looked at, whatever the others say.

use std::time::Duration;

use quorate_assessor::record::Record;
use quorate_host::clock::Clock as _;
use quorate_host::findings::Findings;
use quorate_host::ui::Ui;
use quorate_host::{SystemClock, secret_file};
use quorate_terms::{Digest, Timestamp, VaultId};

use crate::audit::personal::lost;
use crate::book::Copy;
use crate::cli::Cli;
use crate::desk::Desk;
use crate::home::{self, Home};
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};
use crate::trust::BookId;

/// A book whose newest entry is older is said to be old: a desk beats more often than that.
const OLD: Duration = Duration::from_secs(3 * 86_400);
/// How far a book's newest entry may be ahead of this machine's clock.
const AHEAD: Duration = Duration::from_secs(60);

/// Looks at everything. Nothing is written and nothing is mended.
pub(crate) async fn look(cli: &Cli, ui: &Ui) -> Done<Screen> {
    let mut found = Findings::default();
    let shelf = found.note("standards", library::load(&cli.standards), |shelf| {
        let library = &shelf.library;
        format!("{} standards, {} decisions", library.catalogues.len(), library.decisions.len())
    });
    let private = secret_file::check_dir(&cli.dir).map_err(Trouble::from);
    let home = match found.note("directory", private, |()| "private".to_owned()) {
        Some(()) => found.note("lock", Home::open(&cli.dir, false), |_| "free".to_owned()),
        None => None,
    };
    if let Some(home) = &home {
        inside(&mut found, home, shelf.as_ref()).await;
    }
    let (text, json) = (found.text(ui), found.json());
    Ok(Screen { well: found.is_healthy(), ..Screen::new(text, json) })
}

async fn inside(found: &mut Findings, home: &Home, shelf: Option<&Shelf>) {
    let opened = Office::open(home).await;
    let office = found.note("own ledger", opened, |office| {
        let head = office.head();
        format!("{} entries hold together, root {}", head.size, head.root.short())
    });
    if let Some(office) = &office {
        found.note("key", same_key(home, office), |key| format!("{key}, as the first entry says"));
        found.note("results", results(home, office), |count| {
            format!("{count} files are as recorded")
        });
        found.note("values about people", lost(office).await, |count| {
            format!("{count} kept; every other one is recorded as erased")
        });
        if let Some(shelf) = shelf {
            found.note("what people said", attested(shelf, office), |count| {
                format!("{count} statements, each under its person's signature")
            });
        }
    }
    found.note("settings", home.settings(), |settings| format!("{} desks", settings.desks.len()));
    let pinned = found.note("books", some_pinned(home), |all| format!("{} pinned", all.len()));
    for vault in pinned.unwrap_or_default() {
        book(found, home, &vault).await;
    }
}

fn same_key(home: &Home, office: &Office) -> Done<quorate_terms::PublicKey> {
    let held = home.identity()?.public_key();
    let said = office.lines().first().and_then(|line| match &line.body {
        Record::OfficeOpened { key, .. } => Some(*key),
        _ => None,
    });
    if said == Some(held) {
        return Ok(held);
    }
    let next = "put the key of this office back in office.key, or open another office";
    Err(Trouble::refused("other_key", "office.key is not the key that opened this ledger", next))
}

/// Results that the ledger names must lie there as they were.
fn results(home: &Home, office: &Office) -> Done<usize> {
    let mut count = 0_usize;
    for line in office.lines() {
        let Record::Assessed { results, .. } = &line.body else { continue };
        let path = home.results(&format!("{results}.json"));
        if home::read(&path).map(|bytes| Digest::sha256(&bytes)).ok() != Some(*results) {
            let message = format!("{} is gone or altered (entry {})", path.display(), line.index);
            let next = "restore it from a copy of the office, or assess again";
            return Err(Trouble::refused("results", message, next));
        }
        count = count.saturating_add(1);
    }
    Ok(count)
}

fn attested(shelf: &Shelf, office: &Office) -> Done<usize> {
    let engine = crate::engine::Engine::new(shelf.model.clone(), &shelf.views)?;
    let mut count = 0_usize;
    for line in office.lines() {
        if run::load_attested(&engine, office, line)?.is_some() {
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

fn some_pinned(home: &Home) -> Done<Vec<VaultId>> {
    let pinned = home.pinned()?;
    if pinned.is_empty() {
        let next = "`quorate-verify pin CHARTER` makes a policy; give it to `quorate-assessor pin`";
        return Err(Trouble::refused(
            "not_pinned",
            "no book is pinned: nothing can be assessed",
            next,
        ));
    }
    Ok(pinned)
}

/// One book: its copy, its age, its desk.
async fn book(found: &mut Findings, home: &Home, vault: &VaultId) {
    let own = home.own_ledgers(vault).unwrap_or_default();
    for id in &own {
        let copy = Copy::open(home, id, |_, _| Ok(())).and_then(|copy| copy.must_reach());
        found.note(&format!("copy of {id}"), copy, |reached| {
            format!("{} entries, verified to the cosigner's signed root", reached.head.size)
        });
    }
    let copy = Copy::open(home, &BookId::of(vault), |_, _| Ok(()));
    let copy = copy.and_then(|copy| copy.must_reach());
    let copied = found.note(&format!("copy of {vault}"), copy, |reached| {
        let (size, root) = (reached.head.size, reached.head.root.short());
        format!("{size} entries, verified to witnessed root {root}")
    });
    if let Some(reached) = copied {
        let now = SystemClock::new().now();
        found.note(&format!("age of {vault}"), age(reached.newest, now), Clone::clone);
    }
    let is_configured = home.settings().is_ok_and(|settings| settings.desks.contains_key(vault));
    if is_configured {
        let reached = match Desk::of(home, vault) {
            Ok(desk) => desk.reach().await,
            Err(trouble) => Err(trouble),
        };
        found.note(&format!("desk of {vault}"), reached, |()| {
            "answers and proves its key".to_owned()
        });
    }
}

fn age(newest: Timestamp, now: Timestamp) -> Done<String> {
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let (newest_ms, now_ms) = (newest.as_millis(), now.as_millis());
    if newest_ms > now_ms.saturating_add(millis(AHEAD)) {
        let message = format!("its newest entry is of {newest}, and here it is {now}");
        let next = "set this machine's clock; if it is right, the desk's is wrong";
        return Err(Trouble::refused("clock", message, next));
    }
    if now_ms.saturating_sub(newest_ms) > millis(OLD) {
        let message = format!("its newest entry is of {newest}");
        let next =
            "run `quorate-assessor follow`, or `import` a new export; findings say what was then";
        return Err(Trouble::refused("old", message, next));
    }
    Ok(format!("newest entry {newest}"))
}
