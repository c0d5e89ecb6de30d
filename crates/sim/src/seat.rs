//! A cosigner's machine: the product's [`Party`] on a disk that can be lost between record and effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_cosigner::party::{Effect, Event, OwnBook, Step, Work};
use quorate_cosigner::share::Expected;
use quorate_cosigner::{Party, RawKeyShare};
use quorate_custody::{Charter, Follower};
use quorate_ledger::Frontier;
use quorate_terms::Timestamp;
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Entry, Party as Name};

use crate::people::{COSIGNERS, Ring, VAULT, WALLET, charter, cosigner, empty_book, id};
use crate::scheme::Simulated;

/// What survives a crash.
#[derive(Clone, Default)]
pub struct Disk {
    /// Canonical bytes of the replica.
    pub replica: Vec<Vec<u8>>,
    /// Canonical bytes of the cosigner's own ledger.
    pub own: Vec<Vec<u8>>,
    /// Its share, as it would be sealed.
    pub share: Option<Vec<u8>>,
}

/// A cosigner's machine.
pub struct Seat {
    number: usize,
    /// What is running, if it is.
    pub party: Option<Party>,
    /// What survives.
    pub disk: Disk,
    /// How far its clock is from the true time, in milliseconds.
    pub skew_ms: i64,
    /// What its other threads work on, by number; lost with the process.
    works: BTreeMap<u64, Work>,
}

impl Seat {
    /// A machine with this disk, started.
    pub fn start(number: usize, disk: Disk) -> Self {
        let mut seat = Self { number, party: None, disk, skew_ms: 0, works: BTreeMap::new() };
        seat.restart();
        seat
    }

    /// Folds the disk again, as after a crash.
    pub fn restart(&mut self) {
        let me = cosigner(self.number);
        let mut follower = Follower::new(empty_book(), Frontier::default());
        for part in self.disk.replica.chunks(1024) {
            follower.follow(part).unwrap();
        }
        let name = Name::Cosigner { cosigner: me.clone() };
        let mut accepted = Charter::new(name, charter()).unwrap();
        let mut own = OwnBook::new(id(VAULT));
        let read = |bytes: &Vec<u8>| Entry::from_canonical(bytes).unwrap();
        let entries: Vec<Entry> = self.disk.own.iter().map(read).collect();
        for entry in &entries {
            own.replay(entry).unwrap();
            accepted.fold(entry);
        }
        let keys = Arc::new(Ring(COSIGNERS[self.number]));
        let mut party = Party::new(me, keys, Arc::new(Simulated), follower, accepted, own);
        entries.iter().for_each(|entry| party.remember(entry));
        if let Some(bytes) = &self.disk.share {
            let wallet = id(WALLET);
            let party_number = u8::try_from(self.number).unwrap() + 1;
            let expected = Expected { wallet: &wallet, epoch: 0, party: party_number };
            party
                .load(RawKeyShare::decode(bytes).unwrap().validate(&Simulated, &expected).unwrap());
        }
        self.party = Some(party.working_apart());
        self.works.clear();
    }

    /// Takes work on, under a number that was never used.
    pub fn takes_on(&mut self, number: u64, work: Work) {
        self.works.insert(number, work);
    }

    /// Does a piece of work; none if the process died since.
    pub fn works(&mut self, number: u64) -> Option<Event> {
        Some(Event::Worked(Box::new(self.works.remove(&number)?.run())))
    }

    /// What follows from an event; nothing of it is durable yet.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Option<Step> {
        Some(self.party.as_mut()?.step(event, now))
    }

    /// One transaction: replica and own ledger.
    pub fn commit(&mut self, step: &Step) {
        self.disk.replica.extend(step.replica.iter().cloned());
        self.disk.own.extend(step.records.iter().map(|entry| entry.to_canonical().unwrap()));
    }

    /// Seals and syncs a share.
    pub fn seal(&mut self, effect: &Effect) {
        if let Effect::Seal { share } = effect {
            self.disk.share = Some(share.encode().unwrap().to_vec());
        }
    }
}
