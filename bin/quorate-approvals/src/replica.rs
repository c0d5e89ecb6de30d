//! The approver's own copy of the book: folded from its own charter, checked against what it remembers, kept on its own disk.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use quorate_custody::{Book, Follower, Refusal, limits};
use quorate_host::random::Random;
use quorate_ledger::{Checkpoint, Frontier};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, ENTRY_BYTES_MAX, Entry};
use quorate_terms::intent::Intent;
use quorate_terms::{CaseId, Term as _};

use crate::home::Home;
use crate::memory::{self, Memory, Witnessed};
use crate::trouble::{Done, Trouble};

/// The book as this approver knows it.
#[derive(Clone)]
pub(crate) struct Replica {
    follower: Follower,
    /// What is remembered of its heads.
    pub(crate) memory: Memory,
    /// The last verified head, once there was one in this run.
    pub(crate) head: Option<Witnessed>,
    /// Entries that this approver holds void, with the reason.
    pub(crate) voids: Vec<(u64, Refusal)>,
    intents: BTreeMap<CaseId, Intent>,
    /// Canonical bytes that are not on disk yet.
    fresh: Vec<Vec<u8>>,
}

impl Replica {
    /// The empty replica under an accepted charter.
    pub(crate) fn empty(charter: CharterText, memory: Memory) -> Done<Self> {
        let follower = Follower::new(Book::new(charter)?, Frontier::new());
        Ok(Self {
            follower,
            memory,
            head: None,
            voids: Vec::new(),
            intents: BTreeMap::new(),
            fresh: Vec::new(),
        })
    }

    /// Folds what lies on disk, up to the remembered checkpoint; what lies beyond it is fetched again.
    pub(crate) fn load(home: &Home) -> Done<Self> {
        let mut replica = Self::empty(home.accepted()?, Memory::load(home)?)?;
        let Some(known) = replica.memory.known()? else { return Ok(replica) };
        if home.book().exists() {
            for bytes in lines(&home.book(), known.size)? {
                replica.take(&[bytes])?;
            }
            replica.fresh.clear();
        }
        Ok(replica)
    }

    /// The fold.
    pub(crate) const fn book(&self) -> &Book {
        self.follower.book()
    }

    /// How many entries it has.
    pub(crate) const fn size(&self) -> u64 {
        self.follower.size()
    }

    /// The replica as `custody` has it.
    pub(crate) const fn follower(&self) -> &Follower {
        &self.follower
    }

    /// The intent of a case as its `Filed` entry states it; its digest is the case.
    pub(crate) fn intent(&self, case: &CaseId) -> Option<&Intent> {
        self.intents.get(case)
    }

    /// Folds more entries and checks that they pass through the remembered checkpoint. Nothing is written yet.
    ///
    /// # Errors
    /// A refusal for entries that do not chain, that found another vault, or that tell another story than before.
    pub(crate) fn take(&mut self, entries: &[Vec<u8>]) -> Done<()> {
        let known = self.memory.known()?;
        for bytes in entries {
            let followed = self.follower.follow(std::slice::from_ref(bytes))?;
            if let Some((0, why)) = followed.voids.first() {
                let next = "this is not the book of the vault whose charter was accepted; call the operators";
                return Err(Trouble::refused("other_founding", why.message.clone(), next));
            }
            if followed.voids.is_empty() {
                self.remember_intent(bytes)?;
            }
            self.voids.extend(followed.voids);
            self.fresh.push(bytes.clone());
            self.pass_through(known.as_ref())?;
        }
        Ok(())
    }

    /// Takes a signed head as this replica's own, and remembers it.
    ///
    /// # Errors
    /// A refusal when it is not the log's, shorter than what is remembered, or another story.
    pub(crate) fn settle(&mut self, note: &str) -> Done<&Witnessed> {
        let witnessed = memory::verify(note, &self.follower)?;
        self.memory.checkpoint = Some(note.to_owned());
        if !witnessed.by.is_empty() {
            self.memory.witnessed = Some(note.to_owned());
        }
        Ok(self.head.insert(witnessed))
    }

    /// Makes the new entries durable, then the head that covers them.
    pub(crate) fn save(&mut self, home: &Home, random: Random) -> Done<()> {
        let before =
            self.size().saturating_sub(u64::try_from(self.fresh.len()).unwrap_or(u64::MAX));
        append(&home.book(), before, &self.fresh)?;
        self.fresh.clear();
        self.memory.save(home, random)
    }

    /// Whether a witness has vouched for the filing and judgment of a case.
    pub(crate) fn is_witnessed(&self, case: &CaseId) -> Done<bool> {
        let needed = self.book().case(case).and_then(|case| case.entries.get(1).copied());
        let size = self.memory.witnessed_size()?;
        Ok(needed.is_some_and(|index| index < size))
    }

    fn remember_intent(&mut self, bytes: &[u8]) -> Done<()> {
        let entry = Entry::from_canonical(bytes)?;
        if let Body::Filed(filed) = entry.body {
            self.intents.insert(filed.case, filed.intent);
        }
        Ok(())
    }

    fn pass_through(&self, known: Option<&Checkpoint>) -> Done<()> {
        let Some(known) = known.filter(|known| known.size == self.size()) else { return Ok(()) };
        if known.root == self.follower.frontier().root() {
            return Ok(());
        }
        let message = format!(
            "the first {} entries are not those that this machine verified before",
            known.size
        );
        let next = "do not approve; keep the directory as evidence and call the operators";
        Err(Trouble::refused("fork", message, next))
    }
}

/// Canonical bytes of at most `limit` entries of an export, one a line.
pub(crate) fn lines(path: &Path, limit: u64) -> Done<Vec<Vec<u8>>> {
    let file = File::open(path).map_err(|e| quorate_host::Fault::at(path, &e))?;
    let mut reader = BufReader::new(file);
    let most = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut entries = Vec::new();
    while u64::try_from(entries.len()).is_ok_and(|have| have < limit) {
        let mut line = Vec::new();
        let read = reader.by_ref().take(most).read_until(b'\n', &mut line)?;
        // A last line without its end was cut short by a crash; it is fetched again.
        if read == 0 || line.pop() != Some(b'\n') {
            break;
        }
        entries.push(line);
    }
    Ok(entries)
}

/// Appends after exactly `before` lines, whatever a crash left behind them.
fn append(path: &Path, before: u64, entries: &[Vec<u8>]) -> Done<()> {
    let kept: u64 = if path.exists() {
        let line = |bytes: &Vec<u8>| u64::try_from(bytes.len()).unwrap_or(0).saturating_add(1);
        lines(path, before)?.iter().map(line).sum()
    } else {
        0
    };
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.set_len(kept)?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
    for bytes in entries {
        file.write_all(bytes)?;
        file.write_all(b"\n")?;
    }
    Ok(file.sync_all()?)
}

/// How far the book's last entry may be ahead of this machine's clock before that is said.
pub(crate) const AHEAD_MS: u64 = limits::CLOCK_SKEW_MAX_S * 1000;
