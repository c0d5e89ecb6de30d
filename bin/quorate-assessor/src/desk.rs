//! Following a book at its desk's door. The desk is believed nothing: what it gives is checked as any copy is.

use std::sync::Arc;
use std::time::Duration;

use quorate_host::Identity;
use quorate_host::link::{CallError, Client, Limits, Silent};
use quorate_terms::reading::{READ, READ_MAX, ReadAnswer, ReadRequest};

use quorate_assessor::record::Record;
use quorate_terms::VaultId;

use crate::book::{self, Copy, Reached};
use crate::home::{self, DeskAt, Home};
use crate::office::Office;
use crate::trouble::{Done, Trouble};
use crate::trust::BookId;

/// How long a desk may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A desk that this office follows.
pub(crate) struct Desk {
    client: Client,
}

impl Desk {
    /// The desk at an address, which must prove its key.
    pub(crate) fn at(at: &DeskAt, me: &Identity) -> Done<Self> {
        let limits = Limits::default();
        let client = Client::start(&at.address, me, at.identity, Arc::new(Silent), limits)?;
        Ok(Self { client })
    }

    /// The desk of a pinned book, as configured.
    pub(crate) fn of(home: &Home, vault: &VaultId) -> Done<Self> {
        let settings = home.settings()?;
        let at = settings.desks.get(vault).ok_or_else(|| {
            let message = format!("nobody said where the desk of `{vault}` is");
            let next = "run `quorate-assessor follow` with --desk and --identity";
            Trouble::refused("no_desk", message, next)
        })?;
        Self::at(at, &home.identity()?)
    }

    /// Whether it answers and proves its key.
    pub(crate) async fn reach(&self) -> Done<()> {
        self.client.link(PATIENCE).await.map_err(unreached)?;
        Ok(())
    }

    async fn read(&self, from: u64) -> Done<ReadAnswer> {
        let bad = |e: serde_json::Error| {
            let message = format!("the desk's answer cannot be read ({e})");
            Trouble::fault("bad_answer", message, "compare the versions of both programs")
        };
        let ask = serde_json::to_vec(&ReadRequest { from, limit: READ_MAX }).map_err(bad)?;
        let answer = self.client.call(READ, ask, PATIENCE).await.map_err(unreached)?;
        serde_json::from_slice(&answer).map_err(bad)
    }

    /// Fetches and verifies one page. Gives whether there may be more at once.
    ///
    /// A desk that takes something back, tells another story or signs for what it does not give is refused, and its note kept.
    pub(crate) async fn fetch(&self, copy: &mut Copy, home: &Notes) -> Done<bool> {
        let answer = self.read(copy.size()).await?;
        let taken = take(copy, &answer);
        if let Err(trouble) = &taken
            && trouble.refused
        {
            home.keep(copy, &answer.checkpoint)?;
        }
        taken
    }
}

/// Takes one page: entries up to the head, and every note that fits what is there now.
fn take(copy: &mut Copy, answer: &ReadAnswer) -> Done<bool> {
    let shown = copy.signed(&answer.checkpoint)?;
    book::not_shrunk(copy.size(), shown.size)?;
    let room = shown.size.saturating_sub(copy.size());
    if room > 0 && answer.entries.is_empty() {
        let message = "the desk signs for entries that it does not give";
        return Err(Trouble::refused("withheld", message, "ask the operators for the book"));
    }
    let mut notes = vec![(shown.size, &answer.checkpoint)];
    if let Some(witnessed) = &answer.witnessed {
        notes.push((copy.signed(witnessed)?.size, witnessed));
    }
    compare(copy, &notes)?;
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    for entry in answer.entries.iter().take(room) {
        copy.push(entry.clone().into_bytes())?;
        compare(copy, &notes)?;
    }
    Ok(copy.size() < shown.size)
}

fn compare(copy: &mut Copy, notes: &[(u64, &String)]) -> Done<()> {
    for (size, note) in notes {
        if *size == copy.size() {
            let _enough_witnesses = copy.agree(note)?;
        }
    }
    Ok(())
}

/// Where notes that prove a lie are kept.
pub(crate) struct Notes(std::path::PathBuf);

impl Notes {
    /// In this office's folder.
    pub(crate) fn of(home: &Home) -> Self {
        Self(home.books())
    }

    fn keep(&self, copy: &Copy, note: &str) -> Done<()> {
        let digest = quorate_terms::Digest::sha256(note.as_bytes());
        home::write(
            &self.0.join(format!("{}.refused-{}", copy.trust.id, digest.short())),
            note.as_bytes(),
        )
    }
}

fn unreached(error: CallError) -> Trouble {
    let next = match &error {
        CallError::Refused(_) => "ask the desk's operators",
        _ => "check the address; the desk must name this office's key in `[readers]` of desk.toml",
    };
    Trouble::fault("desk", error.to_string(), next)
}

/// Follows a book to its desk's newest witnessed head, and records where it came to.
pub(crate) async fn follow(home: &Home, office: &mut Office, vault: &VaultId) -> Done<Reached> {
    let desk = Desk::of(home, vault)?;
    let mut copy = Copy::open(home, &BookId::of(vault), |_, _| Ok(()))?;
    let before = copy.reached();
    if let Err(trouble) = catch_up(home, &desk, &mut copy).await {
        return Err(office.note_refusal(vault, trouble).await);
    }
    let reached = copy.reached().ok_or_else(|| {
        let message = "the desk shows no head that enough witnesses cosigned";
        Trouble::refused("unwitnessed", message, "wait for the cosigners, then follow again")
    })?;
    if before.as_ref() != Some(&reached) {
        let (head, newest) = (reached.head.clone(), reached.newest);
        office.append(Record::BookReached { head, newest }).await?;
    }
    Ok(reached)
}

async fn catch_up(home: &Home, desk: &Desk, copy: &mut Copy) -> Done<()> {
    let notes = Notes::of(home);
    loop {
        let more = desk.fetch(copy, &notes).await?;
        let _fresh = copy.save(home)?;
        copy.spill(home)?;
        if !more {
            return Ok(());
        }
    }
}
