//! What a cosigner knows of its own accord: its ledger, the snapshot of it, and the time that it has seen.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at whatever surprises it"
)]

use quorate_cosigner::party::{Event, snapshot};
use quorate_custody::{Charter, Refusal};
use quorate_sim::people::*;
use quorate_sim::{Adversary, World, founded};
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{Body, Entry, Outcome, Party, ShareRestored};
use quorate_terms::freeze::Scope;
use quorate_terms::{CaseId, Digest, Timestamp};

fn close(world: &mut World, case: &CaseId) -> Outcome {
    let closed = world.run(4 * 3_600, |world| world.watch.outcome(case).is_some());
    assert!(closed, "{:?} {}\n{:#?}", world.broken, world.state_of(case), world.log);
    world.watch.outcome(case).unwrap()
}

fn small(world: &mut World) -> CaseId {
    let intent = world.pay(AGENTS[0], 50 * MILLI, FRIENDS[0]);
    world.file(&intent)
}

fn read(bytes: &[u8], number: usize) -> Result<snapshot::OwnFold, Refusal> {
    let me = cosigner(number);
    let owner = charter().cosigner(&me).unwrap().identity;
    let fresh = Charter::new(Party::Cosigner { cosigner: me.clone() }, charter()).unwrap();
    snapshot::read(&me, fresh, &owner, bytes)
}

fn own_entries(world: &World, number: usize) -> Vec<Entry> {
    world.seats[number].disk.own.iter().map(|b| Entry::from_canonical(b).unwrap()).collect()
}

/// A cosigner that has marked, frozen and noted something, and the snapshot of that.
fn lived() -> (World, Vec<u8>) {
    let mut world = founded(1, Adversary::Nobody);
    let case = small(&mut world);
    assert_eq!(close(&mut world, &case), Outcome::Settled);
    let scope = Scope::Agent { agent: id("buyer") };
    world.seat(0, Event::FreezeHere { scope, cause: "drill".to_owned() });
    let bytes = world.seats[0].party.as_ref().unwrap().own_snapshot().unwrap();
    (world, bytes)
}

#[test]
fn a_snapshot_of_the_own_ledger_holds_what_the_whole_ledger_says() {
    let (mut world, bytes) = lived();
    let fold = read(&bytes, 0).unwrap();
    let folded = &own_entries(&world, 0);
    assert_eq!(fold.book.size(), u64::try_from(folded.len()).unwrap());
    assert!(folded.iter().any(|entry| matches!(entry.body, Body::Marked(_))));
    world.seats[0].restart();
    let whole = world.seats[0].party.as_ref().unwrap();
    assert_eq!(fold.charter.memory(), whole.charter().memory());
    assert_eq!(fold.charter.freezes().count(), 1);
    assert_eq!(&fold.book, whole.own());
    assert_eq!(whole.own_snapshot().unwrap(), bytes, "equal folds have equal bytes");
}

#[test]
fn no_flipped_or_missing_byte_of_an_own_snapshot_is_believed_and_nobody_else_s_is() {
    let (mut world, bytes) = lived();
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(read(&bad, 0).is_err(), "byte {at}");
    }
    for cut in (0..bytes.len()).step_by(7) {
        assert!(read(&bytes[..cut], 0).is_err(), "cut {cut}");
    }
    assert!(read(&bytes, 1).is_err(), "another cosigner's");
    world.run(5, |_| false);
    let other = world.seats[1].party.as_ref().unwrap().own_snapshot().unwrap();
    assert!(read(&other, 0).is_err());
    // Another body under a signature that this cosigner made for something else.
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let body = other.iter().position(|byte| *byte == b'\n').unwrap();
    assert!(read(&[&bytes[..line], &other[body..]].concat(), 0).is_err());
}

#[test]
fn row_17_a_cosigner_s_clock_set_back_makes_nothing_live_longer_even_over_a_restart() {
    let mut world = founded(1, Adversary::Nobody);
    let case = small(&mut world);
    // An hour ahead this cosigner notes something; then its clock is set right and it starts again.
    let later = Timestamp::from_millis(world.now + 3_600_000);
    let jump = Event::ClockJumped { expected: Timestamp::from_millis(world.now), found: later };
    let step = world.seats[0].step(jump, later).unwrap();
    world.seats[0].commit(&step);
    world.seats[0].restart();
    assert_ne!(close(&mut world, &case), Outcome::Settled);
    assert_eq!(world.watch.marks(0, &case), 0, "the case had expired by the latest time it knew");
    let alarms: Vec<String> = own_entries(&world, 0)
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::AlertRaised(alert) if alert.rule == "clock_jump" => Some(alert.subject),
            _ => None,
        })
        .collect();
    assert!(matches!(&alarms[..], [one] if one.contains("forward")), "{alarms:?}");
}

#[test]
fn what_a_cosigner_cannot_record_it_neither_does_nor_says() {
    let mut world = founded(1, Adversary::Nobody);
    world.run(5, |_| false);
    // A number this large does not come back from an entry as it went in, so nothing may follow from it.
    let restored = ShareRestored {
        wallet: id(WALLET),
        epoch: u64::MAX,
        holder: cosigner(0),
        backup: Digest::ZERO,
        made_at: Timestamp::ZERO,
        record_kept: true,
    };
    let now = Timestamp::from_millis(world.now);
    let step = world.seats[0].step(Event::Restored(restored), now).unwrap();
    assert!(step.records.is_empty());
    // Nor from anything after it: what this party thinks is no longer what its disk says.
    let freeze = Event::FreezeHere { scope: Scope::Vault, cause: "drill".to_owned() };
    let later = world.seats[0].step(freeze, now).unwrap();
    assert!(matches!(&later.effects[..], [quorate_cosigner::party::Effect::Halt]));
    assert!(matches!(&step.effects[..], [quorate_cosigner::party::Effect::Halt]));
}

#[test]
fn row_59_a_peer_that_makes_noise_fills_no_ledger() {
    let mut world = founded(1, Adversary::Nobody);
    world.run(5, |_| false);
    let now = Timestamp::from_millis(world.now);
    let before = own_entries(&world, 0).len();
    for _ in 0..1_000 {
        let noise = Event::Noticed { rule: "noise", subject: "again".to_owned() };
        let step = world.seats[0].step(noise, now).unwrap();
        assert_eq!(step.effects.len(), 1, "counted and logged, each one");
        world.seats[0].commit(&step);
    }
    assert_eq!(own_entries(&world, 0).len() - before, 32);
}
