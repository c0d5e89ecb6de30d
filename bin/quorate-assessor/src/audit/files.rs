//! Files on file: sealed under their digest first, recorded after, so that a crash between loses nothing that was promised.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use quorate_assessor::audit::exhibit::{Exhibit, Item};
use quorate_assessor::audit::personal::{Openings, beside, read};
use quorate_assessor::audit::record::{About, Filing};
use quorate_assessor::audit::{Event, Record as Act};
use quorate_assessor::finding::Period;
use quorate_host::random::Random;
use quorate_host::seal::{Cost, KeySource, SealError};
use quorate_host::ui::Table;
use quorate_host::{SealedFiles, secret_file};
use quorate_terms::Digest;
use serde_json::{Value, json};

use super::personal::openings;
use super::{Held, open, take};
use crate::cli::Cli;
use crate::commands::moment;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Seal a file and file it under the next tag.
    Add(Box<Adding>),
    /// What is on file.
    List {
        /// The audit.
        audit: String,
    },
    /// Write a file out for reading. The opening is recorded first.
    Open {
        /// The audit.
        audit: String,
        /// The tag.
        tag: String,
        /// Who opens it, by id.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        why: String,
        /// Where to; never replaced.
        #[arg(long)]
        out: PathBuf,
        /// The file that holds the passphrase.
        #[arg(long)]
        passphrase_file: PathBuf,
    },
    /// Open every file and compare it with the register.
    Verify {
        /// The audit.
        audit: String,
        /// The file that holds the passphrase.
        #[arg(long)]
        passphrase_file: PathBuf,
    },
}

/// What is filed.
#[derive(Args)]
pub(crate) struct Adding {
    /// The audit.
    audit: String,
    /// The file.
    file: PathBuf,
    /// What it is, a JSON file: `{"document": {"title": ..}}` with the fields of the technique.
    #[arg(long)]
    item: PathBuf,
    /// Who answers for it at the entity.
    #[arg(long)]
    owner: String,
    /// The first day that it speaks about.
    #[arg(long)]
    from: String,
    /// The last.
    #[arg(long)]
    to: String,
    /// The day until which it may be relied on.
    #[arg(long)]
    expires: Option<String>,
    /// Who files it, by id.
    #[arg(long)]
    by: String,
    /// The file that holds the passphrase.
    #[arg(long)]
    passphrase_file: PathBuf,
}

/// Runs one command.
pub(crate) async fn run(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    command: &Evidence,
) -> Done<Screen> {
    match command {
        Evidence::Add(adding) => add(cli, home, office, adding).await,
        Evidence::List { audit } => {
            let held = open(cli, home, office, audit)?;
            let openings = openings(office, &held.state).await?;
            Ok(list(&held, &openings))
        }
        Evidence::Open { audit, tag, by, why, out, passphrase_file } => {
            let held = open(cli, home, office, audit)?;
            let Some(file) = held.state.exhibits().get(tag).and_then(|e| e.file.as_ref()) else {
                let message = format!("no file is on file under `{tag}`");
                return Err(Trouble::refused("no_file", message, "see `audit evidence list`"));
            };
            let plain = SealedFiles::open(&home.files())?.get(&key(passphrase_file)?, &file.digest);
            let plain = plain.map_err(sealed)?;
            let about = About { tag: tag.clone(), why: why.clone() };
            let event =
                Event { by: by.clone(), record: Act::ExhibitOpened(about), signature: None };
            let screen = take(cli, home, office, Some(audit), event).await?;
            secret_file::create(out, plain.expose(), Random::start()?)?;
            Ok(screen)
        }
        Evidence::Verify { audit, passphrase_file } => {
            let held = open(cli, home, office, audit)?;
            verify(home, &held, &key(passphrase_file)?)
        }
    }
}

async fn add(cli: &Cli, home: &Home, office: &mut Office, adding: &Adding) -> Done<Screen> {
    let held = open(cli, home, office, &adding.audit)?;
    let bytes = home::read(&adding.file)?;
    let name = adding.file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let file = held.workflow.text.files.admit(&name, &bytes)?;
    let item: Item = serde_json::from_slice(&home::read(&adding.item)?).map_err(|e| {
        let next = "give every field that the technique asks for";
        Trouble::refused("malformed", format!("the item cannot be read ({e})"), next)
    })?;
    let tag = held.state.next_tag(item.family());
    let exhibit = Exhibit {
        item,
        owner: adding.owner.as_str().into(),
        represents: Period { from: moment(&adding.from)?, to: moment(&adding.to)? },
        expires: adding.expires.as_deref().map(moment).transpose()?,
        file: Some(file),
        kept_there: None,
    };
    let filing = Filing { tag, exhibit };
    let store = SealedFiles::open(&home.files())?;
    store.put(&key(&adding.passphrase_file)?, &bytes, Random::start()?).map_err(sealed)?;
    let event = Event {
        by: adding.by.clone(),
        record: Act::ExhibitFiled(Box::new(filing)),
        signature: None,
    };
    take(cli, home, office, Some(&adding.audit), event).await
}

/// The register of evidence, for who sees it.
fn list(held: &Held, openings: &Openings) -> Screen {
    let mut table = Table::new(&["tag", "owner", "file", "bytes", "sha256"]);
    for (tag, exhibit) in held.state.exhibits() {
        let file = exhibit.file.as_ref();
        let text = |of: fn(&quorate_assessor::audit::file::FileEntry) -> String| {
            file.map_or_else(|| "none".to_owned(), of)
        };
        let (name, size) = (text(|f| f.name.clone()), text(|f| f.size.to_string()));
        let owner = read(&json!(exhibit.owner), openings);
        let owner = owner.as_str().unwrap_or_default();
        table.row([tag, owner, &name, &size, &text(|f| f.digest.short())]);
    }
    Screen::new(table.to_string(), register(held, Some(openings)))
}

/// The same for programs; without openings, values about people stay commitments.
pub(crate) fn register(held: &Held, openings: Option<&Openings>) -> Value {
    let mut exhibits = json!(held.state.exhibits());
    if let Some(openings) = openings {
        exhibits = beside(&exhibits, openings);
    }
    json!({ "exhibits": exhibits, "opened": held.state.access_log() })
}

/// Whole, damaged, lost; and what lies there without a line.
fn verify(home: &Home, held: &Held, key: &KeySource) -> Done<Screen> {
    let store = SealedFiles::open(&home.files())?;
    let files = held.state.exhibits().values().filter_map(|exhibit| exhibit.file.as_ref());
    let register: BTreeSet<Digest> = files.map(|file| file.digest).collect();
    let difference = store.compare(&register)?;
    let here = register.iter().filter(|digest| store.holds(digest));
    let damaged: Vec<&Digest> = here.filter(|digest| store.get(key, digest).is_err()).collect();
    let well = damaged.is_empty() && difference.lost.is_empty();
    let text = format!(
        "{} on file, {} lost, {} damaged, {} in the folder that this audit does not know",
        register.len(),
        difference.lost.len(),
        damaged.len(),
        difference.leftover.len()
    );
    let json = json!({
        "on_file": register, "lost": difference.lost, "damaged": damaged, "leftover": difference.leftover,
    });
    Ok(Screen { well, ..Screen::new(text, json) })
}

/// The key under which files lie here.
pub(crate) fn key(passphrase_file: &std::path::Path) -> Done<KeySource> {
    let passphrase = secret_file::read(passphrase_file)?.without_line_break();
    Ok(KeySource::Passphrase { passphrase, cost: Cost::STANDARD })
}

pub(crate) fn sealed(error: SealError) -> Trouble {
    let message = error.to_string();
    let (message, next) = message.split_once("; ").unwrap_or((&message, "try again"));
    Trouble::refused("sealed", message, next)
}
