//! Faults one at a time, named after the rows of the fault matrix and the incidents.
#![expect(clippy::unwrap_used, reason = "a test stops at whatever surprises it")]

mod common;

use common::{close, small};
use quorate_cosigner::party::Event as Heard;
use quorate_custody::protocol::{Ask, Call};
use quorate_custody::{Event, State};
use quorate_sim::folk::transfer;
use quorate_sim::people::*;
use quorate_sim::world::{Ev, Node};
use quorate_sim::{Adversary, World, founded};
use quorate_terms::entry::Outcome;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::{Action, Intent};
use quorate_terms::{CaseId, Digest};

fn quiet() -> World {
    founded(1, Adversary::Nobody)
}

fn lying() -> World {
    founded(1, Adversary::Desk)
}

fn awaits(world: &mut World, case: &CaseId, state: State) {
    let case = *case;
    let there = move |w: &World| w.desk.line.book.case(&case).is_some_and(|c| c.state == state);
    assert!(world.run(600, there), "{:#?}", world.log);
}

/// Crashes `node` at each of its points between record and effect in turn; the transfer is paid once, always.
fn survives_every_crash(node: Node, atleast: u64) {
    for point in 1.. {
        let mut world = quiet();
        world.crash_at = Some((node, point));
        let (intent, case) = small(&mut world);
        let mut world = repeat(world, &intent, &case);
        assert_eq!(close(&mut world, &case), Outcome::Settled, "crash at {point}");
        let moved = world.chain.included().count();
        assert_eq!(moved, 1, "crash at {point}: paid once");
        let passed = world.points.get(&node).copied().unwrap_or_default();
        if passed < point {
            assert!(passed >= atleast, "only {passed} points were tried");
            return;
        }
    }
}

/// The client repeats its request with the same key until the book knows it.
fn repeat(mut world: World, intent: &Intent, case: &CaseId) -> World {
    for _ in 0..40 {
        let known =
            |w: &World| w.desk.line.book.case(case).is_some() || w.watch.outcome(case).is_some();
        if world.run(20, known) && world.desk.up {
            break;
        }
        world.file(intent);
    }
    world
}

/// How much has left, in thousandths.
fn left(world: &World) -> u128 {
    let moved = world.chain.included().map(|tx| tx.reading.draft.meaning().amount);
    moved.map(|amount| u128::try_from(amount.units()).unwrap()).sum::<u128>() / MILLI
}

#[test]
fn row_01_a_desk_killed_before_or_after_any_record_pays_once() {
    survives_every_crash(Node::Desk, 10);
}

#[test]
fn row_02_a_cosigner_killed_between_mark_and_message_never_signs_another_draft() {
    survives_every_crash(Node::Cosigner(0), 5);
}

#[test]
fn row_03_a_cosigner_killed_after_its_message_left_signs_the_same_draft_again() {
    survives_every_crash(Node::Cosigner(1), 5);
}

#[test]
fn row_04_both_sides_killed_again_and_again_pay_once() {
    for wait in 1..12_u64 {
        let mut world = quiet();
        let (intent, case) = small(&mut world);
        world.run(0, |_| false);
        for _ in 0..3 {
            let now = world.now;
            world.run(1 + wait * 2, move |w| w.now >= now + wait * 37);
            if world.watch.outcome(&case).is_none() {
                for node in [Node::Desk, Node::Cosigner(0), Node::Cosigner(1)] {
                    world.crash(node);
                }
            }
        }
        let mut world = repeat(world, &intent, &case);
        assert_eq!(close(&mut world, &case), Outcome::Settled, "{wait}");
        assert_eq!(world.chain.included().count(), 1);
    }
}

#[test]
fn row_15_two_desks_on_one_vault_tell_two_stories_and_only_one_is_signed() {
    let mut world = lying();
    world.run(30, |_| false);
    world.desk.fork = Some(world.desk.line.clone());
    let _ = small(&mut world);
    world.run(600, |_| false);
    assert_eq!(world.chain.included().count(), 0, "the second cosigner was told another book");
    assert_eq!(world.broken, None);
}

#[test]
fn row_13_what_no_signed_checkpoint_covers_is_refused_whole_and_the_honest_book_is_signed() {
    for how in quorate_sim::junk::JUNK {
        let mut world = lying();
        let (_, case) = small(&mut world);
        awaits(&mut world, &case, State::AwaitSignature);
        for number in 0..2 {
            let before = world.seats[number].disk.clone();
            let parties = (0..2).map(cosigner).collect();
            let ask = Ask::Sign { case, attempt: 99, parties };
            let call = Box::new(world.junk(number, how, ask));
            world.seat(number, Heard::Called { id: 0, call });
            let seat = &world.seats[number];
            assert_eq!(seat.disk.replica, before.replica, "{how}: nothing of it is kept");
            let size = seat.party.as_ref().unwrap().follower().size();
            assert_eq!(size, before.replica.len() as u64, "{how}: nor remembered");
            assert!(world.alarmed(number, "book_refused") > 0, "{how}");
        }
        // Neither at once nor after a restart does any of it stand in the way.
        world.crash(Node::Cosigner(0));
        assert_eq!(close(&mut world, &case), Outcome::Settled, "{how}");
        let (_, next) = small(&mut world);
        assert_eq!(close(&mut world, &next), Outcome::Settled, "{how}");
    }
}

#[test]
fn row_17_a_clock_set_back_an_hour_extends_no_expiry() {
    let mut world = quiet();
    let intent = world.pay(AGENTS[0], 2_000 * MILLI, FRIENDS[0]);
    let case = world.file(&intent);
    awaits(&mut world, &case, State::AwaitSnapshot);
    // The cosigners' clocks run on; approvals lapse there whatever the desk's clock says.
    world.adversary = Adversary::Desk;
    world.desk.skew_ms = -3_600_000;
    world.cut = Some(Node::Desk);
    world.run(2_000, |_| false);
    world.cut = None;
    world.desk.skew_ms = -3_600_000;
    world.run(900, |_| false);
    // Whatever gives the case up moves nothing.
    assert_eq!(left(&world), 0);
    assert_eq!(world.broken, None);
}

#[test]
fn row_18_a_clock_set_forward_a_year_expires_what_waits_and_signs_nothing() {
    let mut world = quiet();
    let intent = world.pay(AGENTS[0], 2_000 * MILLI, THIEF);
    let case = world.file(&intent);
    awaits(&mut world, &case, State::AwaitApprovals);
    world.desk.skew_ms = 365 * 86_400_000;
    assert_eq!(close(&mut world, &case), Outcome::Expired);
    world.desk.skew_ms = 0;
    let (_, next) = small(&mut world);
    world.run(600, |_| false);
    assert!(world.desk.line.book.case(&next).is_none(), "the agent's credential has expired too");
    assert_eq!((world.watch.marks(0, &next), world.chain.included().count()), (0, 0));
    assert_eq!(world.broken, None);
}

#[test]
fn row_18_a_clock_set_forward_ten_days_leaves_a_book_that_no_cosigner_signs_for() {
    let mut world = quiet();
    world.desk.skew_ms = 10 * 86_400_000;
    for _ in 0..2 {
        let (_, case) = small(&mut world);
        assert_eq!(close(&mut world, &case), Outcome::Refused, "a book from the cosigners' future");
        assert_eq!(world.watch.marks(0, &case) + world.watch.marks(1, &case), 0);
        world.desk.skew_ms = 0;
    }
    assert_eq!(world.chain.included().count(), 0);
}

#[test]
fn row_19_skew_within_the_bound_is_borne_and_beyond_it_refused() {
    for (skew_s, outcome) in [
        (0, Outcome::Settled),
        (60, Outcome::Settled),
        (119, Outcome::Settled),
        (400, Outcome::Refused),
    ] {
        let mut world = quiet();
        world.desk.skew_ms = skew_s * 1_000;
        let (_, case) = small(&mut world);
        assert_eq!(close(&mut world, &case), outcome, "{skew_s}");
    }
}

#[test]
fn row_21_a_partition_in_mid_round_aborts_and_a_fresh_session_follows() {
    let mut world = quiet();
    let (_, case) = small(&mut world);
    let marked = |w: &World| w.watch.marks(0, &case) + w.watch.marks(1, &case) > 0;
    assert!(world.run(60, marked));
    world.cut = Some(Node::Cosigner(1));
    world.run(60, |_| false);
    world.cut = None;
    assert_eq!(close(&mut world, &case), Outcome::Settled);
    assert!(world.watch.marks(0, &case) > 1, "another session, another mark");
    assert_eq!(world.chain.included().count(), 1);
}

#[test]
fn row_22_every_message_twice_and_out_of_order_is_one_signature() {
    let mut world = quiet();
    let (_, case) = small(&mut world);
    for _ in 0..200 {
        world.run(1, |_| false);
        for (from, bytes) in std::mem::take(&mut world.wire).into_iter().rev() {
            let to = 1 - from;
            world.after(1, Ev::Peer(to, from, bytes.clone()));
            world.after(900, Ev::Peer(to, from, bytes));
        }
        if world.watch.outcome(&case).is_some() {
            break;
        }
        world.wire.clear();
    }
    assert_eq!(close(&mut world, &case), Outcome::Settled);
    assert_eq!((world.watch.marks(0, &case), world.watch.marks(1, &case)), (1, 1));
}

#[test]
fn row_24_a_message_of_an_old_session_changes_nothing_in_a_new_one() {
    let mut world = quiet();
    let (_, first) = small(&mut world);
    assert_eq!(close(&mut world, &first), Outcome::Settled);
    let old = world.wire.clone();
    let (_, second) = small(&mut world);
    for (from, bytes) in old {
        world.after(20, Ev::Peer(1 - from, from, bytes.clone()));
        world.after(120, Ev::Peer(1 - from, from, bytes));
    }
    assert_eq!(close(&mut world, &second), Outcome::Settled);
    assert_eq!((world.watch.marks(0, &second), world.chain.included().count()), (1, 2));
}

#[test]
fn row_27_a_session_is_marked_before_its_first_message_and_never_used_again() {
    let mut world = lying();
    let (_, case) = small(&mut world);
    assert_eq!(close(&mut world, &case), Outcome::Settled);
    let marks = world.watch.marks(0, &case);
    for (to, call) in world.calls.clone() {
        world.crash(Node::Cosigner(to));
        world.run(30, |_| false);
        world.seat(to, Heard::Called { id: 0, call: Box::new(call) });
    }
    assert_eq!(world.watch.marks(0, &case), marks, "an old call starts nothing");
    assert_eq!(world.broken, None);
}

#[test]
fn row_36_a_hundred_intents_of_sixty_percent_pass_once() {
    let mut world = quiet();
    // Past the thresholds people must agree; 950 six times is more than an agent's 5000.
    let cases: Vec<CaseId> = (0..100)
        .map(|_| {
            let intent = world.pay(AGENTS[0], 3_000 * MILLI, FRIENDS[0]);
            world.file(&intent)
        })
        .collect();
    world.run(600, |_| false);
    assert_eq!(world.broken, None);
    let settled = cases.iter().filter(|case| world.watch.outcome(case) == Some(Outcome::Settled));
    assert_eq!((settled.count(), left(&world)), (1, 3_000));
}

#[test]
fn row_40_a_policy_changed_in_mid_flight_stops_what_was_judged_under_the_old_one() {
    let mut world = quiet();
    let intent = world.pay(AGENTS[0], 2_000 * MILLI, THIEF);
    let case = world.file(&intent);
    awaits(&mut world, &case, State::AwaitApprovals);
    let waiting = world.desk.line.book.case(&case).unwrap().clone();
    let mut policy = policy();
    policy.version = 2;
    policy.previous = Some(world.desk.line.book.policy().digest());
    policy.limits.open_cases = 31;
    let change = world.intent(operator(), Action::ChangePolicy { policy: Box::new(policy) });
    let changed = world.file(&change);
    assert_eq!(close(&mut world, &changed), Outcome::Done);
    for number in 0..2 {
        world.approve(number, &waiting, quorate_terms::approval::Verdict::Approve);
    }
    assert_eq!(
        close(&mut world, &case),
        Outcome::Expired,
        "approvals under the old policy do not count"
    );
    assert_eq!(world.chain.included().count(), 0);
}

#[test]
fn row_72_a_reorg_returns_the_case_to_waiting_and_the_same_bytes_are_sent_again() {
    let mut world = quiet();
    let (_, case) = small(&mut world);
    assert!(world.run(120, |w| w.chain.included().count() == 1));
    let txid = world.chain.included().next().unwrap().reading.txid.clone();
    world.run(6, |_| false);
    world.chain.reorganise(2, || true);
    assert_eq!(world.chain.included().count(), 0);
    assert!(world.desk.line.book.case(&case).is_some(), "still open");
    assert_eq!(close(&mut world, &case), Outcome::Settled);
    let again: Vec<String> = world.chain.included().map(|tx| tx.reading.txid.clone()).collect();
    assert_eq!(again, [txid], "no new digest was signed");
    assert_eq!(world.watch.marks(0, &case), 1);
}

#[test]
fn row_73_a_node_that_says_settled_is_not_believed() {
    let mut world = founded(3, Adversary::Chain);
    let (_, case) = small(&mut world);
    awaits(&mut world, &case, State::AwaitConfirmation);
    // A node that cannot sign for the source says that it is final, until it is.
    let refused = |w: &World| w.log.iter().any(|line| line.contains("(bad_fact)"));
    let early = |w: &World| refused(w) && w.watch.outcome(&case).is_none();
    for _ in 0..200 {
        world.faults = true;
        world.desk_does(Event::Ticked);
        world.desk_tick();
        world.faults = false;
        if early(&world) {
            break;
        }
    }
    assert!(early(&world), "{:#?}", world.log);
    assert_eq!(close(&mut world, &case), Outcome::Settled);
}

#[test]
fn t04_three_failed_runs_stop_the_case_until_people_give_it_up() {
    let mut world = quiet();
    let (_, case) = small(&mut world);
    let stopped = |w: &World| w.desk.line.book.case(&case).is_some_and(|c| c.aborts >= 3);
    // Each time that the second cosigner has begun, the first one dies.
    let mut begun = 0;
    while world.run(300, |w| stopped(w) || w.watch.marks(1, &case) > begun) && !stopped(&world) {
        begun = world.watch.marks(1, &case);
        world.crash(Node::Cosigner(0));
    }
    assert!(stopped(&world), "{:#?}", world.log);
    assert!(world.desk.line.book.pending_effects().is_empty(), "nobody is asked to sign it again");
    // The first try of the draft that gives it up fails too: it must be asked for again.
    let ended = close(&mut world, &case);
    assert!(matches!(ended, Outcome::Replaced | Outcome::Cancelled), "{ended:?}");
}

#[test]
fn t29_a_thousand_requests_at_the_cap_spend_exactly_the_cap() {
    let mut world = quiet();
    let (_, first) = small(&mut world);
    assert_eq!(close(&mut world, &first), Outcome::Settled);
    // Each holds 480 and a fee ceiling of 10; ten of them and the first one's 60 are 4960 of 5000.
    for _ in 0..125 {
        for _ in 0..8 {
            let intent = world.pay(AGENTS[0], 480 * MILLI, FRIENDS[0]);
            world.file(&intent);
        }
        world.run(20, |_| false);
    }
    world.run(200, |_| false);
    assert_eq!(world.broken, None);
    assert_eq!(left(&world), 50 + 10 * 480);
}

#[test]
fn t30_a_retry_after_a_kill_in_mid_signature_pays_once() {
    for victim in [Node::Desk, Node::Cosigner(0), Node::Cosigner(1)] {
        let mut world = quiet();
        let (intent, case) = small(&mut world);
        assert!(world.run(60, |w| w.watch.marks(0, &case) > 0));
        world.crash(victim);
        for _ in 0..5 {
            world.file(&intent);
            world.run(10, |_| false);
        }
        assert_eq!(close(&mut world, &case), Outcome::Settled);
        assert_eq!(world.chain.included().count(), 1);
    }
}

#[test]
fn a_desk_that_backdates_entries_gets_no_signature() {
    let mut world = lying();
    let intent = world.pay(AGENTS[0], 2_000 * MILLI, FRIENDS[0]);
    let case = world.file(&intent);
    awaits(&mut world, &case, State::AwaitSnapshot);
    // Approved in time; the desk stops its clock and asks for the signature when the approvals have lapsed.
    world.run(0, |_| false);
    world.cut = Some(Node::Desk);
    world.desk.skew_ms = -2 * 3_600_000;
    world.run(1_000, |_| false);
    world.cut = None;
    world.run(1_000, |_| false);
    assert_eq!(world.chain.included().count(), 0);
    assert_eq!(world.broken, None);
}

#[test]
fn a_desk_that_forks_gets_no_signature_and_is_found_out() {
    let mut world = lying();
    world.run(20, |_| false);
    world.desk.fork = Some(world.desk.line.clone());
    let (_, case) = small(&mut world);
    world.run(120, |_| false);
    world.desk.fork = None;
    assert_eq!(world.chain.included().count(), 0);
    // The other story grew as well: whoever compares the two has proof.
    let mut other = quorate_sim::line::Line::replay(
        &world.desk.line.disk[..20.min(world.desk.line.disk.len())],
    );
    let alien = quorate_terms::entry::Body::Heartbeat(quorate_terms::entry::Heartbeat {
        source: "desk".to_owned(),
        sequence: 1,
    });
    other.append(vec![alien], world.clock(0));
    let call = Call { told: other.told(19), ask: Ask::Follow };
    let alarms = world.alarmed(0, "book_refused");
    world.seat(0, Heard::Called { id: 0, call: Box::new(call) });
    assert_eq!(world.alarmed(0, "book_refused"), alarms + 1, "{:#?}", world.log);
    assert_eq!(world.broken, None);
    let _ = case;
}

#[test]
fn a_desk_that_hides_a_freeze_hides_it_in_vain() {
    let mut world = lying();
    world.desk.hides_freezes = true;
    world.freeze(0);
    world.run(2, |_| false);
    assert_eq!(world.desk.line.book.freezes().count(), 0, "the book does not say it");
    let intent = world.pay(AGENTS[0], 50 * MILLI, FRIENDS[0]);
    let case = world.file(&intent);
    assert_eq!(close(&mut world, &case), Outcome::Refused);
    assert_eq!(world.watch.marks(0, &case) + world.watch.marks(1, &case), 0);
}

#[test]
fn a_freeze_in_a_void_entry_is_honoured_after_the_entry_is_resumed_from() {
    let mut world = lying();
    world.run(20, |_| false);
    let body = quorate_terms::freeze::FreezeBody {
        v: 1,
        vault: id(VAULT),
        by: quorate_terms::freeze::Freezer::Approver { approver: id(APPROVERS[0]) },
        scope: Scope::Vault,
        at: world.clock(0),
        cause: "drill".to_owned(),
    };
    let freeze = quorate_terms::freeze::Freeze { signature: signed(APPROVERS[0], &body), body };
    let digest = quorate_terms::Term::digest(&freeze.body).unwrap();
    let frozen = quorate_terms::entry::Frozen {
        scope: Scope::Vault,
        by: "nobody".to_owned(),
        cause: "drill".to_owned(),
        freeze: digest,
        signed: Some(freeze),
        case: None,
    };
    world.write(vec![quorate_terms::entry::Body::Frozen(Box::new(frozen))]);
    world.resume_all();
    let (_, case) = small(&mut world);
    assert_eq!(close(&mut world, &case), Outcome::Refused);
    assert_eq!(world.watch.marks(0, &case), 0);
}

#[test]
fn a_desk_that_founds_two_charters_is_followed_by_nobody_who_accepted_the_first() {
    let mut world = World::bare(1, Adversary::Desk);
    let mut other = charter();
    other.approvers.truncate(2);
    other.governance.members.pop_last();
    for quorum in &mut other.policy.quorums {
        quorum.members.pop_last();
    }
    let mut book = quorate_custody::Book::new(other.clone()).unwrap();
    let founded = quorate_terms::entry::Founded { charter: other };
    let body = quorate_terms::entry::Body::Founded(Box::new(founded));
    let entries = book.entries(vec![body], world.clock(0)).unwrap();
    assert_eq!(book.admit(&entries[0]).unwrap(), quorate_custody::Verdict::Good);
    world.desk.line.admit(&entries[0]);
    let call = Call { told: world.desk.line.told(0), ask: Ask::Follow };
    for number in 0..2 {
        world.seat(number, Heard::Called { id: 0, call: Box::new(call.clone()) });
        assert_eq!(world.alarmed(number, "void_entry"), 1);
        let party = world.seats[number].party.as_ref().unwrap();
        assert_eq!(party.follower().book().voids().count(), 1, "no warrant until resumed");
    }
}

#[test]
fn a_desk_that_names_its_own_price_is_void() {
    let mut world = lying();
    world.run(20, |_| false);
    world.name_a_price();
    world.run(30, |_| false);
    assert!(world.alarmed(0, "void_entry") > 0 && world.alarmed(1, "void_entry") > 0);
    let (_, case) = small(&mut world);
    assert_eq!(close(&mut world, &case), Outcome::Refused, "nothing is signed until resumed");
    world.resume_all();
    let (_, next) = small(&mut world);
    assert_eq!(close(&mut world, &next), Outcome::Settled);
}

#[test]
fn a_desk_that_swaps_a_draft_is_void_and_signs_nothing() {
    let mut world = lying();
    let (_, case) = small(&mut world);
    awaits(&mut world, &case, State::AwaitSignature);
    world.swap_draft();
    world.run(300, |_| false);
    let paid = world.chain.included().filter(|tx| tx.reading.draft.meaning().to == account(THIEF));
    assert_eq!((paid.count(), world.broken.clone()), (0, None));
}

#[test]
fn a_refusal_of_what_was_begun_never_says_that_nothing_left() {
    let mut world = lying();
    let (_, case) = small(&mut world);
    assert!(world.run(60, |w| w.watch.marks(0, &case) > 0));
    // The same question in a call that the cosigner cannot follow.
    let mut told = world.desk.line.told(world.seats[0].party.as_ref().unwrap().follower().size());
    told.entries.push("{}".to_owned());
    let ask = Ask::Sign { case, attempt: 9, parties: (0..2).map(cosigner).collect() };
    let call = Call { told, ask };
    let now = world.clock(0);
    let step = world.seats[0].step(Heard::Called { id: 0, call: Box::new(call) }, now).unwrap();
    let lefts: Vec<bool> = step
        .effects
        .iter()
        .filter_map(|effect| match effect {
            quorate_cosigner::party::Effect::Answer { answer, .. } => match &answer.came {
                quorate_custody::protocol::Came::Refused { left, .. } => Some(*left),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(lefts, [true]);
}

#[test]
fn the_simulated_scheme_has_a_name_that_no_product_runs() {
    use quorate_cosigner::scheme::Scheme as _;
    use quorate_terms::intent::SchemeName;
    assert_eq!(quorate_sim::scheme::Simulated.name(), SchemeName::Simulated);
    assert_ne!(quorate_cosigner::dkls23::Dkls23.name(), SchemeName::Simulated);
    let world = quiet();
    let open = &world.desk.line.book.wallet(&id(WALLET)).unwrap().open;
    assert_eq!(open.scheme, SchemeName::Simulated);
    let _ = (transfer(1, THIEF), Digest::ZERO, Event::Ticked);
}
