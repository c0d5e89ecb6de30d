//! A cosigner from its disk: its charter and own ledger, its replica of the book, and the party that they make.

use std::sync::Arc;

use quorate_cosigner::Party;
use quorate_cosigner::dkls23::Dkls23;
use quorate_cosigner::party::snapshot::OwnFold;
use quorate_cosigner::party::{Keys, Notes, OwnBook};
use quorate_custody::{Book, Charter, Follower};
use quorate_host::{Fault, Store};
use quorate_ledger::Frontier;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Entry, Party as Seat};
use quorate_terms::{CosignerId, PublicKey, Timestamp};

use crate::files::{Home, LocalKeys};
use crate::settings::Settings;
use crate::snapshot::{self, Start};
use crate::trouble::{fault, malformed, refused};

/// Entries read from disk at once.
const PAGE: u64 = 4096;

/// The two ledgers of a cosigner, open for this process alone.
pub(crate) struct Stores {
    /// Its replica of the book.
    pub(crate) book: Store,
    /// Its own ledger.
    pub(crate) own: Store,
}

impl Stores {
    pub(crate) async fn open(home: &Home) -> Result<Self, Fault> {
        Ok(Self { book: Store::open(&home.book()).await?, own: Store::open(&home.own()).await? })
    }

    pub(crate) async fn close(self) {
        self.book.close().await;
        self.own.close().await;
    }
}

/// What the own ledger says, folded.
pub(crate) struct Own {
    pub(crate) fold: OwnFold,
    /// How it was folded.
    pub(crate) start: Start,
}

impl Own {
    /// Folds the own ledger: from our own snapshot where there is one, else whole.
    pub(crate) async fn replay(
        store: &Store,
        me: &CosignerId,
        text: &CharterText,
        owner: &PublicKey,
    ) -> Result<Self, Fault> {
        let seat = Seat::Cosigner { cosigner: me.clone() };
        let charter = Charter::new(seat, text.clone()).map_err(|e| refused("charter", &e))?;
        let restored = snapshot::own(store, me, charter.clone(), owner).await?;
        let (fold, trouble) = restored.map_or_else(
            |why| {
                let book = OwnBook::new(text.vault.clone());
                (OwnFold { book, charter, notes: Notes::default() }, why)
            },
            |fold| (fold, None),
        );
        let start = Start { held: fold.book.size(), trouble };
        let mut own = Self { fold, start };
        while own.fold.book.size() < store.size() {
            let page = store.read(own.fold.book.size(), PAGE).await?;
            if page.is_empty() {
                return Err(fault("own.db", "ends before its last entry", snapshot::LOST));
            }
            for bytes in page {
                own.replay_one(&bytes)?;
            }
        }
        Ok(own)
    }

    fn replay_one(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let entry = Entry::from_canonical(bytes).map_err(|e| malformed("own.db", &e))?;
        self.fold.book.replay(&entry).map_err(|e| malformed("own.db", &e))?;
        self.fold.charter.fold(&entry);
        self.fold.notes.fold(&entry);
        Ok(())
    }

    /// Makes the next entry.
    pub(crate) fn next(&mut self, body: Body, now: Timestamp) -> Result<Vec<u8>, Fault> {
        let fold = &mut self.fold;
        let entry = fold.book.next(body, now).map_err(|e| malformed("own.db", &e))?;
        fold.charter.fold(&entry);
        fold.notes.fold(&entry);
        entry.to_canonical().map_err(|e| malformed("own.db", &e))
    }

    /// The party that this ledger and that replica make.
    pub(crate) fn party(
        self,
        me: &CosignerId,
        keys: Arc<dyn Keys>,
        follower: Follower,
        now: Timestamp,
    ) -> Party {
        let OwnFold { book: own, mut charter, notes } = self.fold;
        let book = follower.book();
        let (text, digest) = (book.charter().clone(), book.charter_digest());
        // Refused until its delay has passed on our own clock; warrants say so until then.
        let _not_yet = charter.adopt(&text, digest, now.max(own.last_at()));
        Party::new(me.clone(), keys, Arc::new(Dkls23), follower, charter, own).remembering(notes)
    }
}

/// Folds the replica: from our own snapshot where there is one, else whole. Verdicts come out as at first replay.
pub(crate) async fn follow(
    store: &Store,
    founding: &CharterText,
    owner: &PublicKey,
) -> Result<(Follower, Start), Fault> {
    let (mut follower, trouble) = match snapshot::replica(store, founding, owner).await? {
        Ok(follower) => (follower, None),
        Err(why) => {
            let book = Book::new(founding.clone()).map_err(|e| refused("charter", &e))?;
            (Follower::new(book, Frontier::default()), why)
        }
    };
    let start = Start { held: follower.size(), trouble };
    while follower.size() < store.size() {
        let page = store.read(follower.size(), PAGE).await?;
        if page.is_empty() {
            return Err(fault(
                "book.db",
                "ends before its last entry",
                "remove it; the desk sends the book again",
            ));
        }
        follower.follow(&page).map_err(|e| refused("book.db", &e))?;
    }
    Ok((follower, start))
}

/// Everything at once, without shares: for the commands that work while no daemon runs.
pub(crate) async fn offline(
    home: &Home,
    now: Timestamp,
) -> Result<(Settings, Stores, Party), Fault> {
    let settings = Settings::load(home)?;
    let keys = LocalKeys::load(home)?;
    let founding = home.accepted()?;
    settings.agrees_in_own_seat(&keys, &founding)?;
    let owner = keys.identity.public_key();
    let stores = Stores::open(home).await?;
    let (follower, _) = follow(&stores.book, &founding, &owner).await?;
    let own = Own::replay(&stores.own, &settings.cosigner, &founding, &owner).await?;
    let party = own.party(&settings.cosigner, Arc::new(keys), follower, now);
    Ok((settings, stores, party))
}
