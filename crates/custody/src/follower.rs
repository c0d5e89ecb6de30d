//! Following the book: a party's own replica, folded entry by entry, with the tree that its checkpoints are checked against.

use std::collections::{BTreeSet, VecDeque};

use quorate_ledger::{Frontier, hash};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, Entry, Frozen};
use quorate_terms::freeze::Scope;
use quorate_terms::{CaseId, CosignerId, Digest, Timestamp};

use crate::book::{Book, Verdict};
use crate::limits;
use crate::refusal::Refusal;
use crate::witness::News;

/// A replica of the book.
#[derive(Clone, Debug)]
pub struct Follower {
    book: Book,
    frontier: Frontier,
    /// Leaf hash and root after it, of the newest entries: calls of the desk may overtake one another.
    recent: VecDeque<(Digest, Digest)>,
}

/// How many of the newest entries a follower can compare with what it is shown again.
const RECENT_MAX: usize = 4096;

/// What came of following some entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Followed {
    /// Entries that this party holds void, with the reason: alarms.
    pub voids: Vec<(u64, Refusal)>,
    /// Freezes that came with them.
    pub freezes: Vec<(Digest, Scope)>,
    /// Freezes that ended with them.
    pub lifted: Vec<Digest>,
    /// A charter that was approved with them, with its case: the party notes its own time.
    pub coming: Vec<Entry>,
    /// Signatures that came with them: the case, who is said to have taken part, and when.
    pub signed: Vec<(CaseId, BTreeSet<CosignerId>, Timestamp)>,
}

impl Follower {
    /// A follower of a book that it has seen nothing of, or that it folded itself.
    pub const fn new(book: Book, frontier: Frontier) -> Self {
        Self { book, frontier, recent: VecDeque::new() }
    }

    /// The replica.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// The replica's tree.
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The replica and its tree, for a party that goes on from them in its own way.
    pub fn into_parts(self) -> (Book, Frontier) {
        (self.book, self.frontier)
    }

    /// How many entries it has.
    pub const fn size(&self) -> u64 {
        self.book.size()
    }

    /// Folds the canonical bytes of the next entries, in order. Verdicts are fixed here, at first replay. For entries that
    /// are trusted already, as from one's own disk; what a desk tells goes through [`Follower::covers`].
    ///
    /// # Errors
    /// [`Refusal`] for bytes that are no entry or do not chain; those before them have been folded, and
    /// [`Follower::size`] says how far.
    pub fn follow(&mut self, entries: &[Vec<u8>]) -> Result<Followed, Refusal> {
        if entries.len() > limits::ENTRIES_PER_FOLLOW_MAX {
            let next = format!("send at most {} at a time", limits::ENTRIES_PER_FOLLOW_MAX);
            return Err(Refusal::new("too_many", "too many entries came at once", next));
        }
        let mut followed = Followed::default();
        for bytes in entries {
            let entry = Entry::from_canonical(bytes)?;
            self.fold(entry, hash::leaf(bytes), &mut followed)?;
        }
        Ok(followed)
    }

    /// Folds one entry of what [`Follower::covers`] found to be covered, in its order.
    ///
    /// # Errors
    /// [`Refusal`] never happens for the next of those entries; nothing may be made durable should it.
    pub fn take(&mut self, news: &News) -> Result<Followed, Refusal> {
        let mut followed = Followed::default();
        self.fold(news.entry.clone(), news.leaf, &mut followed)?;
        Ok(followed)
    }

    fn fold(&mut self, entry: Entry, leaf: Digest, followed: &mut Followed) -> Result<(), Refusal> {
        let verdict = self.book.admit(&entry)?;
        self.push(leaf);
        match verdict {
            Verdict::Void(refusal) => {
                // A freeze under a seated key counts whatever is wrong with the entry that carries it.
                if let Body::Frozen(frozen) = &entry.body {
                    followed.freezes.extend(self.signed_freeze(frozen));
                }
                followed.voids.push((entry.index, refusal));
            }
            Verdict::Good => followed.note(entry),
        }
        Ok(())
    }

    fn signed_freeze(&self, frozen: &Frozen) -> Option<(Digest, Scope)> {
        let freeze = frozen.signed.as_ref()?;
        let digest = self.book.check_freeze(freeze).ok()?;
        Some((digest, freeze.body.scope.clone()))
    }

    fn push(&mut self, leaf: Digest) {
        self.frontier.append(leaf);
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((leaf, self.frontier.root()));
    }

    /// The newest entry at `index`: its leaf hash and the root after it.
    fn recall(&self, index: u64) -> Option<&(Digest, Digest)> {
        let first = self.size().saturating_sub(u64::try_from(self.recent.len()).ok()?);
        self.recent.get(usize::try_from(index.checked_sub(first)?).ok()?)
    }

    /// How many of these entries, the first of which is said to be number `from`, this replica has already.
    ///
    /// # Errors
    /// [`Refusal`]: `behind` when there is a gap or they are too old to compare; `fork` when one of them is not the entry
    /// that this replica has, which proves that the book was rewritten.
    pub fn known(&self, from: u64, entries: &[Vec<u8>]) -> Result<usize, Refusal> {
        let behind = || {
            let message = format!("this replica has {} entries", self.size());
            Refusal::new("behind", message, "send the entries from there")
        };
        let ahead = self.size().checked_sub(from).ok_or_else(behind)?;
        let known = usize::try_from(ahead).unwrap_or(usize::MAX).min(entries.len());
        for (index, bytes) in (from..).zip(entries.iter().take(known)) {
            let (leaf, _) = self.recall(index).ok_or_else(behind)?;
            if *leaf != hash::leaf(bytes) {
                let message = format!("entry {index} is not the one that this replica has");
                let next = "stop the desk, keep both books as evidence and call the operators";
                return Err(Refusal::new("fork", message, next));
            }
        }
        Ok(known)
    }

    /// Whether a signed root is this replica's own.
    ///
    /// # Errors
    /// [`Refusal`]: `behind` for a head that this replica cannot compare; `fork` for another root at the same size, which is
    /// proof of misbehaviour when the checkpoint is signed: keep it.
    pub fn agrees(&self, size: u64, root: &Digest) -> Result<(), Refusal> {
        let refuse = |code: &str, why: String| {
            Err(Refusal::new(code, why, "keep the checkpoint as evidence and call the operators"))
        };
        // Calls of the desk may overtake one another, so an older head is compared with the root that stood then.
        let own = match size.checked_sub(1) {
            _ if size == self.size() => Some(self.frontier.root()),
            Some(last) if size < self.size() => self.recall(last).map(|(_, root)| *root),
            _ => None,
        };
        let Some(own) = own else {
            let message =
                format!("the checkpoint is of {size} entries, this replica has {}", self.size());
            // Older than what is remembered, as after a restart: nothing is proven by it, so no alarm.
            return refuse("behind", message);
        };
        if *root != own {
            return refuse(
                "fork",
                format!("the checkpoint of {size} entries has another root than this replica"),
            );
        }
        Ok(())
    }

    /// How far the book's last entry is ahead of this party's own clock, in milliseconds.
    pub const fn ahead_of(&self, now: Timestamp) -> u64 {
        self.book.last_at().since(now)
    }
}

impl Followed {
    fn note(&mut self, entry: Entry) {
        match &entry.body {
            Body::Frozen(frozen) => self.freezes.push((frozen.freeze, frozen.scope.clone())),
            Body::Unfrozen(unfrozen) => self.lifted.extend(&unfrozen.lifts),
            Body::CharterApproved(_) => self.coming.push(entry),
            Body::Signed(signed) => {
                self.signed.push((signed.case, signed.cosigners.clone(), entry.at));
            }
            _ => {}
        }
    }
}
