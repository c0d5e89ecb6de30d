//! The office's own ledger: every act is a line of it before its answer is given.

use std::time::Duration;

use quorate_assessor::record::{Line, RULES_VERSION, Record};
use quorate_host::clock::Clock as _;
use quorate_host::random::Random;
use quorate_host::store::Append;
use quorate_host::{Store, SystemClock};
use quorate_ledger::chain::entry_digest;
use quorate_ledger::hash;
use quorate_ledger::note::check_name;
use quorate_ledger::{Checkpoint, Frontier};
use quorate_terms::commitment::Opening;
use quorate_terms::{Digest, Malformed, Term as _, Timestamp, VaultId};

use crate::home::Home;
use crate::trouble::{Done, Trouble};

/// How long the process that held the directory before may take to end.
const FREED_WITHIN: Duration = Duration::from_secs(5);
/// Lines that are read at once.
const PAGE: u64 = 1024;

/// The ledger, open.
pub(crate) struct Office {
    store: Store,
    clock: SystemClock,
    frontier: Frontier,
    prev: Digest,
    at: Timestamp,
    office: VaultId,
    origin: String,
    lines: Vec<Line>,
}

impl Office {
    /// Opens a new ledger with its first line.
    pub(crate) async fn create(home: &Home, office: VaultId, origin: &str) -> Done<Self> {
        check_name(origin).map_err(|e| Malformed::new("origin", e.why(), e.mend()))?;
        let store = Store::open_within(&home.ledger(), FREED_WITHIN).await?;
        if store.size() > 0 {
            let next = "use it as it is, or give another folder with --dir";
            return Err(Trouble::refused("there", "there is an office in this folder", next));
        }
        // A key without a first line is what a crash left: it has signed nothing.
        let key = home.own_identity(Random::start()?)?.public_key();
        let mut office = Self::empty(store, office, origin.to_owned());
        office.append(Record::OfficeOpened { origin: origin.to_owned(), key }).await?;
        Ok(office)
    }

    /// Reads the ledger from its first line, and checks each against the one before.
    pub(crate) async fn open(home: &Home) -> Done<Self> {
        let store = Store::open_within(&home.ledger(), FREED_WITHIN).await?;
        let damaged = || {
            let next = "restore office.db from a copy; nothing is assessed on a broken ledger";
            Trouble::fault("damaged", "the office's own ledger does not hold together", next)
        };
        let mut office: Option<Self> = None;
        let size = store.size();
        for from in (0..size).step_by(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
            for bytes in store.read(from, PAGE).await? {
                let line = Line::from_canonical(&bytes)?;
                let office = match (&mut office, &line.body) {
                    (Some(office), _) => office,
                    (none, Record::OfficeOpened { origin, .. }) => {
                        none.insert(Self::empty(store.clone(), line.vault.clone(), origin.clone()))
                    }
                    _ => return Err(damaged()),
                };
                if line.prev != office.prev || line.index != office.frontier.size() {
                    return Err(damaged());
                }
                office.take(line, &bytes);
            }
        }
        office.ok_or_else(|| {
            Trouble::fault(
                "no_office",
                "the office was never opened",
                "run `quorate-assessor init`",
            )
        })
    }

    fn empty(store: Store, office: VaultId, origin: String) -> Self {
        Self {
            store,
            clock: SystemClock::new(),
            frontier: Frontier::new(),
            prev: Digest::ZERO,
            at: Timestamp::ZERO,
            office,
            origin,
            lines: Vec::new(),
        }
    }

    fn take(&mut self, line: Line, bytes: &[u8]) {
        self.frontier.append(hash::leaf(bytes));
        self.prev = entry_digest(bytes);
        self.at = line.at;
        self.lines.push(line);
    }

    /// Records an act. It is durable when this returns.
    pub(crate) async fn append(&mut self, body: Record) -> Done<u64> {
        let index = self.frontier.size();
        self.append_all(vec![body]).await?;
        Ok(index)
    }

    /// Records several acts, all or none. They are durable when this returns.
    pub(crate) async fn append_all(&mut self, bodies: Vec<Record>) -> Done<()> {
        self.append_opened(bodies, &[]).await
    }

    /// As [`Office::append_all`], with the openings of what the acts commit to, which can be erased.
    pub(crate) async fn append_opened(
        &mut self,
        bodies: Vec<Record>,
        openings: &[Opening],
    ) -> Done<()> {
        let from = self.frontier.size();
        let at = self.now();
        let mut prev = self.prev;
        let mut lines = Vec::new();
        for (index, body) in (from..).zip(bodies) {
            let (v, vault, rules) = (1, self.office.clone(), RULES_VERSION.to_owned());
            let line = Line { v, vault, index, prev, at, rules, body };
            let bytes = line.to_canonical()?;
            is_readable(&bytes)?;
            prev = entry_digest(&bytes);
            lines.push((line, bytes));
        }
        let entries = lines.iter().map(|(_, bytes)| bytes.clone()).collect();
        let openings = openings.iter().map(kept).collect::<Done<_>>()?;
        let append = Append { expected_size: from, entries, openings, ..Append::default() };
        self.store.submit(append)?.done().await?;
        for (line, bytes) in lines {
            self.take(line, &bytes);
        }
        Ok(())
    }

    /// What opens a commitment, unless it was erased.
    pub(crate) async fn opening(&self, commitment: &Digest) -> Done<Option<Opening>> {
        let Some(text) = self.store.opening(commitment).await? else { return Ok(None) };
        let opening: Option<Opening> = serde_json::from_str(&text).ok();
        let opens = |o: &Opening| o.commitment().is_ok_and(|held| held.digest() == *commitment);
        opening.filter(opens).map(Some).ok_or_else(|| {
            let message = format!("the value kept for {} is not the one", commitment.short());
            Trouble::fault("damaged", message, "restore office.db from a copy")
        })
    }

    /// Destroys openings. When this returns, neither the file nor its log holds the values any more.
    pub(crate) async fn destroy(&self, commitments: Vec<Digest>) -> Done<()> {
        if commitments.is_empty() {
            return Ok(());
        }
        self.store.erase(commitments).await.map_err(|error| {
            let next = "run it again; until then the values may still be there";
            Trouble::fault("not_erased", error.to_string(), next)
        })
    }

    /// Records that a book was refused, where what was given is at fault and not the world. Gives the trouble back.
    pub(crate) async fn note_refusal(&mut self, vault: &VaultId, trouble: Trouble) -> Trouble {
        let at_fault = ["refuted", "shrunk", "withheld", "malformed"];
        if !trouble.refused || !at_fault.contains(&trouble.code) {
            return trouble;
        }
        let record = Record::BookRefused { vault: vault.clone(), why: trouble.message.clone() };
        match self.append(record).await {
            Ok(_) => trouble,
            Err(worse) => worse,
        }
    }

    /// Closes the ledger, so that another process can open it at once.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }

    /// The office's clock, never before its newest line.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.at)
    }

    /// The office's name.
    pub(crate) fn name(&self) -> &VaultId {
        &self.office
    }

    /// The origin of this ledger.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Every line, oldest first.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The head.
    pub(crate) fn head(&self) -> Checkpoint {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        Checkpoint { origin: self.origin.clone(), size, root }
    }
}

/// Refuses a line that would not be read again, such as one that is too long: the ledger after it would be lost.
fn is_readable(bytes: &[u8]) -> Done<()> {
    let read = Line::from_canonical(bytes);
    read.map(drop).map_err(|e| {
        let next = "say it shorter or plainer, or file it as evidence; nothing was recorded";
        Trouble::refused("unreadable", format!("the ledger could not be read after it: {e}"), next)
    })
}

/// An opening as the store keeps it.
fn kept(opening: &Opening) -> Done<(Digest, String)> {
    let text = serde_json::to_string(opening).map_err(|e| {
        Trouble::fault("opening", format!("it cannot be written ({e})"), "please report this")
    })?;
    Ok((opening.commitment()?.digest(), text))
}
