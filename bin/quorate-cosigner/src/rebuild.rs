//! A cosigner from its disk: its charter and own ledger, its replica of the book, and the party that they make.

use std::sync::Arc;

use quorate_cosigner::Party;
use quorate_cosigner::dkls23::Dkls23;
use quorate_cosigner::party::{Keys, OwnBook};
use quorate_custody::{Book, Charter, Follower};
use quorate_host::{Fault, Store};
use quorate_ledger::Frontier;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Entry, Party as Seat};
use quorate_terms::{CosignerId, Digest, PublicKey, Timestamp};

use crate::files::{Home, LocalKeys};
use crate::settings::Settings;
use crate::snapshot;
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
    pub(crate) charter: Charter,
    pub(crate) book: OwnBook,
    /// Digest of the configuration that was captured last.
    pub(crate) configuration: Option<Digest>,
    /// What has to be told to the book until the book says it.
    remembered: Vec<Entry>,
}

impl Own {
    /// Folds the whole own ledger.
    pub(crate) async fn replay(
        store: &Store,
        me: &CosignerId,
        text: &CharterText,
    ) -> Result<Self, Fault> {
        let seat = Seat::Cosigner { cosigner: me.clone() };
        let charter = Charter::new(seat, text.clone()).map_err(|e| refused("charter", &e))?;
        let book = OwnBook::new(text.vault.clone());
        let mut own = Self { charter, book, configuration: None, remembered: Vec::new() };
        while own.book.size() < store.size() {
            let page = store.read(own.book.size(), PAGE).await?;
            if page.is_empty() {
                return Err(fault(
                    "own.db",
                    "ends before its last entry",
                    "restore this directory",
                ));
            }
            for bytes in page {
                own.fold(&bytes)?;
            }
        }
        Ok(own)
    }

    fn fold(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let entry = Entry::from_canonical(bytes).map_err(|e| malformed("own.db", &e))?;
        self.book.replay(&entry).map_err(|e| malformed("own.db", &e))?;
        self.charter.fold(&entry);
        match &entry.body {
            Body::ConfigurationCaptured(captured) => self.configuration = Some(captured.digest),
            Body::BackupVerified(_) | Body::Frozen(_) | Body::PeerBanned(_) => {
                self.remembered.push(entry);
            }
            _ => {}
        }
        Ok(())
    }

    /// The party that this ledger and that replica make.
    pub(crate) fn party(
        mut self,
        me: &CosignerId,
        keys: Arc<dyn Keys>,
        follower: Follower,
        now: Timestamp,
    ) -> Party {
        let book = follower.book();
        let (text, digest) = (book.charter().clone(), book.charter_digest());
        // Refused until its delay has passed on our own clock; warrants say so until then.
        let _not_yet = self.charter.adopt(&text, digest, now);
        let mut party =
            Party::new(me.clone(), keys, Arc::new(Dkls23), follower, self.charter, self.book);
        for entry in &self.remembered {
            party.remember(entry);
        }
        party
    }
}

/// Folds the replica: from our own snapshot where there is one, else whole. Verdicts come out as at first replay. Gives also
/// how many entries the snapshot held.
pub(crate) async fn follow(
    store: &Store,
    founding: &CharterText,
    owner: &PublicKey,
) -> Result<(Follower, u64), Fault> {
    let restored = snapshot::restore(store, founding, owner).await?;
    let mut follower = match restored {
        Some(follower) => follower,
        None => {
            let book = Book::new(founding.clone()).map_err(|e| refused("charter", &e))?;
            Follower::new(book, Frontier::default())
        }
    };
    let held = follower.size();
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
    Ok((follower, held))
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
    let own = Own::replay(&stores.own, &settings.cosigner, &founding).await?;
    let party = own.party(&settings.cosigner, Arc::new(keys), follower, now);
    Ok((settings, stores, party))
}
