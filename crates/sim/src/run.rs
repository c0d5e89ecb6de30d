//! One seed, from the founding to the last open case.

use std::sync::OnceLock;

use quorate_terms::entry::Outcome;
use quorate_terms::intent::Action;

use crate::people::{AGENTS, APPROVERS, COSIGNERS, credential, operator, wallet};
use crate::seat::{Disk, Seat};
use crate::world::{Adversary, Ev, World};

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What must not have happened, if it did.
    pub broken: Option<String>,
    /// Entries in the book.
    pub entries: usize,
    /// Cases that moved money.
    pub settled: usize,
    /// The last lines of the log.
    pub tail: Vec<String>,
}

/// Where a founded house stands, on its disks.
struct Ground {
    desk: Vec<Vec<u8>>,
    seats: Vec<Disk>,
    now: u64,
    keys: u64,
    watch: crate::watch::Watch,
}

fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let mut world = World::bare(0, Adversary::Nobody);
        let charter = crate::people::charter();
        world.write(vec![quorate_terms::entry::Body::Founded(Box::new(
            quorate_terms::entry::Founded { charter },
        ))]);
        timers(&mut world);
        let open = world.intent(operator(), Action::OpenWallet(wallet()));
        world.file(&open);
        let until = world.clock(0).plus_s(30 * 86_400);
        for name in AGENTS {
            let action = Action::IssueCredential { credential: credential(name, until) };
            let issue = world.intent(operator(), action);
            world.file(&issue);
        }
        let done = world.run(1_800, |world| world.watch.ended(Outcome::Done) == 3);
        assert!(done && world.broken.is_none(), "the house cannot be founded: {:#?}", world.log);
        Ground {
            desk: world.desk.line.disk.clone(),
            seats: world.seats.iter().map(|seat| seat.disk.clone()).collect(),
            now: world.now,
            keys: world.folk.keys,
            watch: world.watch,
        }
    })
}

/// A founded house with a wallet and two agents, everything quiet, started from its disks.
pub fn founded(seed: u64, adversary: Adversary) -> World {
    let ground = ground();
    let mut world = World::bare(seed, adversary);
    world.now = ground.now;
    world.folk.keys = ground.keys;
    world.watch = ground.watch.clone();
    world.desk.line.disk.clone_from(&ground.desk);
    world.desk.line = crate::line::Line::replay(&ground.desk);
    let seat = |(number, disk): (usize, &Disk)| Seat::start(number, disk.clone());
    world.seats = ground.seats.iter().enumerate().map(seat).collect();
    timers(&mut world);
    world
}

fn timers(world: &mut World) {
    world.after(12_000, Ev::Block);
    world.after(1_000, Ev::DeskTick);
    world.after(5_000, Ev::OperatorTick);
    (0..COSIGNERS.len()).for_each(|number| world.after(7_000, Ev::SeatTick(number)));
    (0..APPROVERS.len()).for_each(|number| world.after(3_000, Ev::ApproverTick(number)));
}

/// Runs one seed: minutes of faults, then quiet until nothing is open.
pub fn run_seed(seed: u64, adversary: Adversary, trace: bool) -> Report {
    let mut world = founded(seed, adversary);
    world.trace = trace;
    world.faults = true;
    (0..AGENTS.len()).for_each(|number| world.after(2_000, Ev::AgentTick(number)));
    world.after(20_000, Ev::Chaos);
    world.after(15_000, Ev::Lie);
    let noisy = 45 + world.rng.below(90);
    world.run(noisy, |_| false);
    world.say("faults stop");
    world.faults = false;
    world.cut = None;
    for node in
        [crate::world::Node::Desk, crate::world::Node::Cosigner(0), crate::world::Node::Cosigner(1)]
    {
        world.skew(node, 0);
    }
    if adversary == Adversary::Nobody {
        let quiet = world.run(4 * 3_600, |world| {
            world.desk.up && world.desk.line.book.open_cases().next().is_none()
        });
        if !quiet && world.broken.is_none() {
            let open: Vec<String> = world
                .desk
                .line
                .book
                .open_cases()
                .map(|case| {
                    let nonce = case.live_draft().map(|live| live.nonce);
                    format!("{} {:?} {nonce:?} {}", case.id, case.state, case.signed.len())
                })
                .collect();
            let account = crate::watch::wallet_account(&world.desk.line.book).unwrap();
            let pool: Vec<u64> =
                world.chain.pool.iter().map(|(tx, _)| tx.draft.meaning().nonce).collect();
            let next = world.chain.nonce(&account);
            world.must(Err(format!(
                "these cases never close: {open:?}; chain at {next}, pool {pool:?}"
            )));
        }
    } else {
        world.run(120, |_| false);
    }
    Report {
        seed,
        entries: world.desk.line.disk.len(),
        settled: world.watch.ended(Outcome::Settled),
        broken: world.broken.clone(),
        tail: world.log.split_off(world.log.len().saturating_sub(60)),
    }
}

impl Report {
    /// The seed, what broke, the end of the log, and how to see it again.
    pub fn explain(&self, adversary: Adversary, why: &str) -> String {
        let seed = self.seed;
        let name = format!("{adversary:?}").to_lowercase();
        let tail = self.tail.join("\n");
        format!(
            "{tail}\nseed {seed}\n{why}\nagain: cargo run -p quorate-sim -- --seed {seed} --adversary {name} --trace"
        )
    }
}
