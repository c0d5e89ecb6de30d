//! A lying cosigner: a real share, a real link and a real session, and one changed bit in what it says.
#![cfg(test)]

mod house;

use std::collections::BTreeMap;
use std::sync::Arc;

use house::*;
use quorate_cosigner::dkls23::Dkls23;
use quorate_cosigner::session::{CheckpointMark, Envelope, Purpose, Seat, SessionTerms, Task};
use quorate_cosigner::share::{Expected, RawKeyShare};
use quorate_cosigner::{Parcel, SignRun, State};
use quorate_custody::protocol::{Answer, Ask, Came};
use quorate_host::Identity;
use quorate_host::link::{BoxFuture, Client, Handler, Pins, Request, Server, Silent};
use quorate_terms::canonical::Term;
use quorate_terms::entry::Body;
use quorate_terms::{CaseId, CosignerId, Digest, PublicKey};
use tokio::sync::mpsc;

/// West, played by the test with west's own keys and share.
struct Liar {
    run: SignRun,
    first: Vec<Parcel>,
    keys: Identity,
    east: Client,
    heard: mpsc::Receiver<Vec<u8>>,
    server: Server,
}

struct Ears(mpsc::Sender<Vec<u8>>);

impl Handler for Ears {
    fn notice(&self, request: Request) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _gone = self.0.send(request.body).await;
        })
    }
}

/// The terms that both sides would make of this request.
fn terms(house: &House, case: &CaseId, attempt: u64) -> SessionTerms {
    let live = house.live(case);
    let seat = |(party, name): (u8, &&str)| Seat { party, cosigner: id(name) };
    SessionTerms {
        v: 1,
        vault: id(VAULT),
        intent: case.intent(),
        purpose: Purpose::Sign {
            draft: live.digest(),
            sighash: Digest::from_bytes(live.meaning().sighash),
        },
        charter: house.founding.digest().unwrap(),
        checkpoint: CheckpointMark { size: house.book.size(), root: house.frontier.root() },
        wallet: id("ops"),
        epoch: 0,
        attempt,
        threshold: 2,
        shares: 2,
        parties: (1..).zip(&COSIGNERS).map(seat).collect(),
    }
}

impl Liar {
    /// Takes west's place at its address. The request must be `attempt` of `case`, and the book must stand still from here.
    async fn sit_down(house: &mut House, case: &CaseId, attempt: u64) -> Self {
        let west = &house.cosigners["west"];
        let keys = Identity::load(&west.dir.join("identity.key")).unwrap();
        let expected = Expected { wallet: &id("ops"), epoch: 0, party: 2 };
        let share = RawKeyShare::decode(&west.share_bytes()).unwrap();
        let share = share.validate(&Dkls23, &expected).unwrap().shared();
        let seats = &house.founding.cosigners;
        let pinned: BTreeMap<CosignerId, PublicKey> =
            seats.iter().map(|seat| (seat.cosigner.clone(), seat.identity)).collect();
        let task = Task::new(terms(house, case, attempt), &id("west")).unwrap();
        let sign = |digest: &Digest| keys.sign(digest);
        let (run, first) = SignRun::start(&Dkls23, share, task, &pinned, &sign).unwrap();
        let (said, heard) = mpsc::channel(16);
        let pins = Pins::default();
        pins.set([house.cosigners["east"].seat.identity]);
        let ears = Arc::new(Ears(said));
        let server = Server::bind(&west.address, &keys, pins, ears, limits()).await.unwrap();
        let east = &house.cosigners["east"];
        let east =
            Client::start(&east.address, &keys, east.seat.identity, Arc::new(Silent), limits())
                .unwrap();
        Self { run, first, keys, east, heard, server }
    }

    /// Says the protocol's true messages, but for one bit in the payload of `round` at `place` of its length in thousandths.
    async fn lie(&mut self, round: u8, place: usize) {
        let mut next = std::mem::take(&mut self.first);
        loop {
            for parcel in next {
                let bytes = self.change(&parcel.bytes, round, place);
                self.east.notify("cosigner.round", bytes, WITHIN).await.unwrap();
                if Envelope::from_bytes(&parcel.bytes).unwrap().round() == round {
                    return;
                }
            }
            let heard = self.heard.recv().await.unwrap();
            let keys = &self.keys;
            let progress = self.run.receive(&heard, &|digest: &Digest| keys.sign(digest));
            assert!(matches!(progress.state, State::Waiting | State::Duplicate));
            next = progress.send;
        }
    }

    fn change(&self, bytes: &[u8], round: u8, place: usize) -> Vec<u8> {
        let true_one = Envelope::from_bytes(bytes).unwrap();
        if true_one.round() != round {
            return bytes.to_vec();
        }
        let mut payload = true_one.payload().to_vec();
        let at = payload.len().checked_mul(place).unwrap() / 1000;
        payload[at] ^= 1;
        let (session, from, to) = (true_one.session(), true_one.from(), true_one.to());
        let sign = |digest: &Digest| self.keys.sign(digest);
        Envelope::sign(session, from, to, round, payload.into(), &sign).to_bytes().to_vec()
    }
}

/// East is asked to sign with a west that lies; gives what east says to the desk.
async fn lied_to(house: &mut House, case: &CaseId, (round, place): (u8, usize)) -> Answer {
    house.follow("east").await;
    let ask = house.sign_ask(case);
    let Ask::Sign { attempt, .. } = ask else { panic!() };
    let mut liar = Liar::sit_down(house, case, attempt).await;
    let (answer, ()) = tokio::join!(house.ask("east", ask), liar.lie(round, place));
    // Links that are open stay open otherwise, and east would go on speaking to nobody.
    liar.server.close();
    answer.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_25_a_lying_peer_is_barred_on_disk_before_anybody_hears_of_it() {
    // In round 1 a check on oblivious transfer fails, in round 2 the check on the products.
    for lie in [(1, 400), (2, 500)] {
        let mut house = House::open().await;
        house.cosigners.get_mut("west").unwrap().stop();
        let case = house.pay(10 * MILLI);
        let answer = lied_to(&mut house, &case, lie).await;
        let Came::Aborted { phase, culprits, .. } = &answer.came else {
            panic!("{lie:?}: {:?}", answer.came)
        };
        assert_eq!((phase.as_str(), culprits), ("banned", &[id("west")].into()), "{lie:?}");
        // The desk has the answer, so the disk has the ban: whatever happens to the process now.
        house.cosigners.get_mut("east").unwrap().kill();
        let entries = house.cosigners["east"].own_entries().await;
        let bodies: Vec<&Body> = entries.iter().map(|entry| &entry.body).collect();
        let barred = |body: &&&Body| matches!(body, Body::PeerBanned(b) if b.holder == id("west") && b.wallet == id("ops"));
        assert_eq!(bodies.iter().filter(barred).count(), 1, "{lie:?}");
        let alarm = |body: &&&Body| matches!(body, Body::AlertRaised(a) if a.rule == "peer_banned");
        assert_eq!(bodies.iter().filter(alarm).count(), 1, "{lie:?}");
        // The key is frozen after the restart, for the honest west too; the book hears who was barred.
        house.start_all().await;
        assert_eq!(house.cosigners["east"].status()["wallets"][0]["barred"], true);
        let ask = house.sign_ask(&case);
        let answer = house.ask("east", ask).await.unwrap();
        assert_eq!(refusal(&answer), "key_barred");
        assert_eq!(answer.outbox.barred.len(), 1);
        assert_eq!(answer.outbox.barred[0].1, id("west"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_25_a_lie_in_the_last_round_costs_the_run_and_names_the_liar() {
    let mut house = House::open().await;
    house.cosigners.get_mut("west").unwrap().stop();
    let case = house.pay(10 * MILLI);
    let answer = lied_to(&mut house, &case, (3, 500)).await;
    let Came::Aborted { phase, culprits, .. } = &answer.came else { panic!("{:?}", answer.came) };
    assert_eq!((phase.as_str(), culprits), ("sign 3", &[id("west")].into()));
    house.start("west").await;
    // Nothing is frozen: a fresh session draws everything anew, and signs the same draft.
    house.signs(&case).await;
    let east = house.cosigners.get_mut("east").unwrap();
    east.stop();
    let entries = east.own_entries().await;
    assert!(entries.iter().any(|entry| matches!(entry.body, Body::RunAborted(_))));
    assert!(!entries.iter().any(|entry| matches!(entry.body, Body::PeerBanned(_))));
}
