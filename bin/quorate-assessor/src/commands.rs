//! One function a command: open the office, do the one thing, record it, say what came of it.

use std::path::Path;
use std::time::Duration;

use clap::CommandFactory as _;
use quorate_assessor::finding::EvidenceRef;
use quorate_assessor::record::{Attestation, AttestationBody, Record};
use quorate_assessor::standard::{ControlKey, StandardKey};
use quorate_host::Identity;
use quorate_host::random::Random;
use quorate_host::ui::{Table, Ui};
use quorate_ledger::LogPolicy;
use quorate_terms::{Digest, Malformed, PersonId, PublicKey, Term as _, Timestamp};
use serde_json::{Value as Json, json};

use crate::cli::{Cli, Command, Scope, Standards};
use crate::home::{self, DeskAt, Home};
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::screen::{self, Screen};
use crate::trouble::{Done, Trouble};
use crate::trust::{BookId, Trust};
use crate::{book, desk, doctor, look, oscal, run, standards, watch};

/// Runs one command.
pub(crate) async fn run(cli: &Cli, ui: &Ui) -> Done<Screen> {
    match &cli.command {
        Command::Completions { shell } => Ok(completions(*shell)),
        Command::Standards(Standards::Check(asked)) => oscal::check(asked),
        Command::Standards(Standards::Import(asked)) => oscal::import(&cli.standards, asked),
        Command::Standards(command) => standards::run(&library::load(&cli.standards)?, ui, command),
        Command::Person(command) => crate::person::run(command),
        Command::Doctor => doctor::look(cli, ui).await,
        Command::Watch { scope, every_ms, once } => {
            let every = Duration::from_millis(*every_ms);
            watch::watch(cli, ui, scope, (every, *once)).await
        }
        Command::Mark(command) => crate::mark::run(cli, command).await,
        Command::Serve(serving) => crate::serve::serve(cli, ui, serving).await,
        Command::Token(command) => crate::token::run(cli, command),
        Command::Init { office: name, origin } => {
            let home = Home::open(&cli.dir, true)?;
            let office = Office::create(&home, name.clone(), origin).await?;
            let json = json!({ "office": name, "origin": origin, "entries": office.head().size });
            Ok(Screen::new(format!("office `{name}` is open at {}", cli.dir.display()), json))
        }
        command => inside(cli, ui, command).await,
    }
}

/// Commands that need an office.
async fn inside(cli: &Cli, ui: &Ui, command: &Command) -> Done<Screen> {
    let home = Home::open(&cli.dir, false)?;
    let mut office = Office::open(&home).await?;
    match command {
        Command::Pin { policy } => pin(&home, &mut office, policy).await,
        Command::Import { vault, cosigner, export, checkpoint } => {
            let id = BookId { vault: vault.clone(), cosigner: cosigner.clone() };
            let reached = match book::import(&home, &id, export, checkpoint) {
                Ok(reached) => reached,
                Err(trouble) => return Err(office.note_refusal(vault, trouble).await),
            };
            let (head, newest) = (reached.head.clone(), reached.newest);
            office.append(Record::BookReached { head, newest }).await?;
            Ok(reached_screen(&id, &reached))
        }
        Command::Attest { kind, fields, person, key, represents } => {
            let shelf = library::load(&cli.standards)?;
            let said = Said { kind, fields, person, represents };
            attest(&mut office, &shelf, &said, key).await
        }
        Command::Evidence { control, tag, file, expires, by } => {
            let evidence = EvidenceRef {
                tag: tag.clone(),
                digest: file
                    .as_ref()
                    .map(|f| home::read(f).map(|b| Digest::sha256(&b)))
                    .transpose()?,
                expires: expires.as_deref().map(moment).transpose()?,
            };
            take_in(cli, &mut office, control, evidence, by).await
        }
        Command::Follow { vault, desk, identity } => {
            let vault = run::vault(&home, vault.as_ref())?;
            if let (Some(address), Some(identity)) = (desk, identity) {
                let at = DeskAt { address: address.clone(), identity: *identity };
                home.write_desk(&vault, at)?;
            }
            let reached = desk::follow(&home, &mut office, &vault).await?;
            Ok(reached_screen(&BookId::of(&vault), &reached))
        }
        Command::Assess { standard, scope, level, all } => {
            assess(cli, ui, (&home, &mut office), (standard, scope, level.clone()), *all).await
        }
        Command::Show { control, scope, proofs } => {
            let shelf = library::load(&cli.standards)?;
            let key = control_key(&shelf, control)?;
            let asked = asked(&shelf, scope)?;
            look::show(ui, (&home, &office, &shelf), (&key, &asked), proofs.as_deref())
        }
        Command::History { what, days } => {
            let shelf = library::load(&cli.standards)?;
            look::history(ui, &office, &shelf, what.as_deref(), *days)
        }
        Command::Export(asked) => {
            oscal::export_assessment(&home, &office, &library::load(&cli.standards)?, asked)
        }
        Command::Bulletin(asked) => crate::bulletin::tell(cli, &home, &office, asked),
        Command::Pack(packing) => crate::pack::pack(cli, &home, &office, packing),
        Command::Audit(command) => crate::audit::run(cli, &home, &mut office, command).await,
        Command::Erase(asked) => {
            crate::audit::personal::erase(cli, &home, &mut office, asked).await
        }
        Command::Report(which) => crate::report::run(cli, &home, &office, which).await,
        _ => status(&home, &office),
    }
}

async fn assess(
    cli: &Cli,
    ui: &Ui,
    (home, office): (&Home, &mut Office),
    (standard, scope, level): (&str, &Scope, Option<String>),
    all: bool,
) -> Done<Screen> {
    let shelf = library::load(&cli.standards)?;
    let asked = run::Asked { level, ..asked(&shelf, scope)? };
    let standards = match standard {
        "all" => shelf.library.catalogues.keys().cloned().collect(),
        one => vec![one.parse::<StandardKey>()?],
    };
    for standard in &standards {
        run::catalogue(&shelf.library, standard)?;
    }
    let evidence = run::Evidence::load(home, office, &shelf, &asked)?;
    let run = run::Run::new(office, &shelf, &asked, &evidence);
    let mut screens = Vec::new();
    for standard in &standards {
        let (results, digest) = run::assess(home, office, &run, standard).await?;
        let catalogue = run::catalogue(&shelf.library, standard)?;
        screens.push(screen::results(ui, catalogue, &results, &digest, all));
    }
    Ok(Screen::many(screens))
}

fn completions(shell: clap_complete::Shell) -> Screen {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "quorate-assessor", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Screen::new(script.clone(), json!({ "script": script }))
}

async fn pin(home: &Home, office: &mut Office, path: &Path) -> Done<Screen> {
    let policy = LogPolicy::from_json(&home::read(path)?)?;
    home.write_pin(&policy)?;
    let (vault, charter) = (policy.vault.clone(), policy.charter);
    let origin = policy.log.name().to_owned();
    let record = Record::BookPinned { vault: vault.clone(), origin: origin.clone(), charter };
    office.append(record).await?;
    let text = format!(
        "the book of `{vault}` ({origin}) is pinned; compare the charter's digest with the operators: {charter}"
    );
    Ok(Screen::new(text, json!({ "vault": vault, "origin": origin, "charter": charter })))
}

struct Said<'a> {
    kind: &'a str,
    fields: &'a [String],
    person: &'a PersonId,
    represents: &'a str,
}

async fn take_in(
    cli: &Cli,
    office: &mut Office,
    control: &str,
    evidence: EvidenceRef,
    by: &PersonId,
) -> Done<Screen> {
    let control = control_key(&library::load(&cli.standards)?, control)?;
    is_tag(&evidence.tag)?;
    let json = json!({ "control": control, "evidence": evidence });
    let text = format!("{} is taken in for {control}", evidence.tag);
    office.append(Record::EvidenceShown { control, evidence, by: by.clone() }).await?;
    Ok(Screen::new(text, json))
}

async fn attest(office: &mut Office, shelf: &Shelf, said: &Said<'_>, key: &Path) -> Done<Screen> {
    let body = AttestationBody {
        v: 1,
        office: office.name().clone(),
        kind: said.kind.to_owned(),
        person: said.person.clone(),
        represents: moment(said.represents)?,
        fields: said.fields.iter().map(|field| field_of(field)).collect::<Done<_>>()?,
    };
    body.check(&shelf.model)?;
    let person =
        if key.exists() { Identity::load(key)? } else { Identity::create(key, Random::start()?)? };
    same_key(office, said.person, person.public_key())?;
    let signature = person.sign(&body.digest()?);
    let attestation = Attestation { body, key: person.public_key(), signature };
    let json = json!(attestation);
    let index = office.append(Record::Attested(Box::new(attestation))).await?;
    let text = format!("entry {index}: {} is on record, signed by {}", said.kind, said.person);
    Ok(Screen::new(text, json))
}

/// A person's first words here fix the key of all that follow.
fn same_key(office: &Office, person: &PersonId, key: PublicKey) -> Done<()> {
    let first = office.lines().iter().find_map(|line| match &line.body {
        Record::Attested(said) if said.body.person == *person => Some(said.key),
        _ => None,
    });
    if first.is_none_or(|first| first == key) {
        return Ok(());
    }
    let message = format!("{person} has signed with another key before");
    let next = "use that key; somebody whose key is lost speaks under a new pseudonym";
    Err(Trouble::refused("other_key", message, next))
}

/// A tag of the register: the technique, and the number within it.
fn is_tag(tag: &str) -> Done<()> {
    const FAMILIES: [&str; 5] = ["DOCUMENT", "INTERVIEW", "OBSERVATION", "INSPECTION", "DECISION"];
    let number = |text: &str| text.parse::<u32>().is_ok_and(|n| n > 0 && n.to_string() == text);
    match tag.rsplit_once('_') {
        Some((family, n)) if FAMILIES.contains(&family) && number(n) => Ok(()),
        _ => {
            let next = format!("write one of {} with a number, as DOCUMENT_1", FAMILIES.join(", "));
            Err(Trouble::refused("malformed", "`tag` is none of the register", next))
        }
    }
}

fn field_of(text: &str) -> Done<(String, Json)> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Malformed::new("field", "has no `=`", "write it as name=value").into());
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Json::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

/// A day or a moment, RFC 3339.
pub(crate) fn moment(text: &str) -> Done<Timestamp> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let bad =
        || Malformed::new("time", "is no day or moment", "write it as 2026-11-20 or RFC 3339");
    let at: jiff::Timestamp = whole.parse().map_err(|_| bad())?;
    let millis = u64::try_from(at.as_millisecond()).map_err(|_| bad())?;
    Ok(Timestamp::from_millis(millis))
}

/// `ccss 9.0 1.01.1.1`.
pub(crate) fn control_key(shelf: &Shelf, text: &str) -> Done<ControlKey> {
    let bad = || {
        Malformed::new(
            "control",
            "is not a standard, a version and an id",
            "write it as `ccss 9.0 1.01.1.1`",
        )
    };
    let (standard, id) = text.trim().rsplit_once(' ').ok_or_else(bad)?;
    let standard: StandardKey = standard.parse()?;
    let key = standard.control(id);
    run::catalogue(&shelf.library, &standard)?;
    if shelf.library.control(&key).is_none() {
        let next = format!("see `quorate-assessor standards show \"{standard}\"`");
        return Err(Trouble::refused("unknown_control", format!("`{key}` is no control"), next));
    }
    Ok(key)
}

fn known_profile(shelf: &Shelf, profile: Option<&String>) -> Done<Option<String>> {
    let Some(id) = profile else { return Ok(None) };
    if shelf.library.profiles.contains_key(id) {
        return Ok(Some(id.clone()));
    }
    let all: Vec<&str> = shelf.library.profiles.keys().map(String::as_str).collect();
    let next = format!("choose one of: {}", all.join(", "));
    Err(Trouble::refused("unknown_profile", format!("there is no profile `{id}`"), next))
}

fn reached_screen(id: &BookId, reached: &book::Reached) -> Screen {
    let (size, root) = (reached.head.size, reached.head.root);
    let text = format!("the book of `{id}`: {size} entries, verified to root {}", root.short());
    Screen::new(text, json!({ "head": reached.head, "newest": reached.newest }))
}

/// What a command's scope asks of a run.
pub(crate) fn asked(shelf: &Shelf, scope: &Scope) -> Done<run::Asked> {
    Ok(run::Asked {
        level: None,
        days: scope.days,
        profile: known_profile(shelf, scope.profile.as_ref())?,
        as_of: scope.as_of.as_deref().map(moment).transpose()?,
        vault: scope.vault.clone(),
    })
}

/// Every pinned book, and every cosigner's own ledger that was taken in.
fn all_books(home: &Home) -> Done<Vec<BookId>> {
    let mut all = Vec::new();
    for vault in home.pinned()? {
        all.push(BookId::of(&vault));
        all.extend(home.own_ledgers(&vault)?);
    }
    Ok(all)
}

/// What the office holds.
pub(crate) fn status(home: &Home, office: &Office) -> Done<Screen> {
    let head = office.head();
    let mut table = Table::new(&["book", "entries", "newest head"]);
    let mut books = Vec::new();
    for id in all_books(home)? {
        let origin = Trust::of(home, &id)?.origin().to_owned();
        let newest = office.lines().iter().rev().find_map(|line| match &line.body {
            Record::BookReached { head, newest } if head.book == origin => {
                Some((head.clone(), *newest))
            }
            _ => None,
        });
        let (reached, newest) = newest.unzip();
        let size =
            reached.as_ref().map_or("never taken in".to_owned(), |head| head.size.to_string());
        let root = reached.as_ref().map_or(String::new(), |head| head.root.short());
        table.row([&id.to_string(), &size, &root]);
        books.push(json!({ "vault": id.vault, "cosigner": id.cosigner, "origin": origin, "head": reached, "newest": newest }));
    }
    let key = home.identity()?.public_key();
    let refused = office.lines().iter();
    let refused = refused.filter(|line| matches!(line.body, Record::BookRefused { .. })).count();
    let text = format!(
        "office `{}` ({}), key {key}\nown ledger: {} entries, root {}\nbooks refused: {refused}\n\n{table}",
        office.name(),
        office.origin(),
        head.size,
        head.root.short(),
    );
    let json = json!({
        "office": office.name(), "origin": office.origin(), "key": key,
        "entries": head.size, "root": head.root, "books": books, "refused": refused,
    });
    Ok(Screen::new(text, json))
}
