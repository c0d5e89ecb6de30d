//! The whole house on one thread: a queue of events in true time, and what each does.

use std::collections::{BTreeMap, BTreeSet};

use quorate_cosigner::party::{Effect, Event as Heard};
use quorate_custody::Event;
use quorate_custody::protocol::{Answer, Call, Came};
use quorate_terms::freeze::Freeze;
use quorate_terms::{CaseId, Timestamp};

use crate::chain::Chain;
use crate::desk::Desk;
use crate::folk::Folk;
use crate::people::{COSIGNERS, cosigner};
use crate::rng::Rng;
use crate::seat::Seat;
use crate::watch::Watch;

/// Monday, 5 January 2026, noon.
pub const NOON: u64 = 1_767_614_400_000;

/// Who lies, if anybody does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adversary {
    /// Everybody is honest; the world is faulty.
    Nobody,
    /// The desk lies.
    Desk,
    /// The second cosigner lies.
    Cosigner,
    /// The chain's node lies; the source that signs finality does not.
    Chain,
}

/// A machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Node {
    /// The desk.
    Desk,
    /// A cosigner, by number.
    Cosigner(usize),
    /// Somebody with a machine of their own.
    Outside,
}

/// What is under way.
#[derive(Clone)]
pub enum Ev {
    /// A block.
    Block,
    /// The desk's timer.
    DeskTick,
    /// A cosigner's timer.
    SeatTick(usize),
    /// An approver looks.
    ApproverTick(usize),
    /// An agent acts.
    AgentTick(usize),
    /// The operator looks.
    OperatorTick,
    /// Something goes wrong with a machine, a clock or a link.
    Chaos,
    /// The liar acts.
    Lie,
    /// A machine starts again.
    Start(Node),
    /// Something reaches the desk.
    ToDesk(Box<Event>),
    /// A cosigner's answer reaches the desk.
    Answer(u64, Box<Answer>),
    /// A call reaches a cosigner.
    Call(usize, u64, Box<Call>),
    /// A peer's bytes reach a cosigner.
    Peer(usize, usize, Vec<u8>),
    /// Another thread of a cosigner is done with a piece of work.
    Work(usize, u64),
    /// A freeze reaches a cosigner.
    Freeze(usize, Box<Freeze>),
}

/// The world.
pub struct World {
    /// True time, in milliseconds.
    pub now: u64,
    /// Chance.
    pub rng: Rng,
    queue: BTreeMap<(u64, u64), Ev>,
    tickets: u64,
    /// Whether things go wrong by themselves.
    pub faults: bool,
    /// Who lies.
    pub adversary: Adversary,
    /// The desk.
    pub desk: Desk,
    /// The cosigners.
    pub seats: Vec<Seat>,
    /// The chain.
    pub chain: Chain,
    /// Agents, approvers and the operator.
    pub folk: Folk,
    /// The watchman.
    pub watch: Watch,
    /// The machine that no message reaches.
    pub cut: Option<Node>,
    /// Crash this machine at its n-th point between record and effect.
    pub crash_at: Option<(Node, u64)>,
    /// How many such points each machine has passed.
    pub points: BTreeMap<Node, u64>,
    /// How often each cosigner has said these things of its own accord, by rule.
    pub alarms: BTreeMap<(usize, String), u32>,
    /// Every call that was made, for a desk that repeats them.
    pub calls: Vec<(usize, Call)>,
    /// Messages on the wire between cosigners, for one that repeats them.
    pub wire: Vec<(usize, Vec<u8>)>,
    /// What happened, newest last.
    pub log: Vec<String>,
    /// Print everything.
    pub trace: bool,
    /// The first thing that must not happen, and did.
    pub broken: Option<String>,
}

impl World {
    /// An empty house.
    pub fn bare(seed: u64, adversary: Adversary) -> Self {
        let seat = |number| Seat::start(number, crate::seat::Disk::default());
        Self {
            now: NOON,
            rng: Rng::new(seed),
            queue: BTreeMap::new(),
            tickets: 0,
            faults: false,
            adversary,
            desk: Desk::new(crate::line::Line::empty()),
            seats: (0..COSIGNERS.len()).map(seat).collect(),
            chain: Chain::new(40_000 * crate::people::MILLI),
            folk: Folk::default(),
            watch: Watch::default(),
            cut: None,
            crash_at: None,
            points: BTreeMap::new(),
            alarms: BTreeMap::new(),
            calls: Vec::new(),
            wire: Vec::new(),
            log: Vec::new(),
            trace: false,
            broken: None,
        }
    }

    /// True time with a machine's own error.
    pub fn clock(&self, skew_ms: i64) -> Timestamp {
        Timestamp::from_millis(self.now.saturating_add_signed(skew_ms))
    }

    /// Notes what happened.
    pub fn say(&mut self, what: &str) {
        let ms = self.now - NOON;
        let line = format!("{:>6}.{:03} {what}", ms / 1_000, ms % 1_000);
        if self.log.len() > 400 {
            self.log.drain(..200);
        }
        self.log.push(line);
        if self.trace {
            crate::show(self.log.last().map_or("", String::as_str));
        }
    }

    /// Notes that something must not have happened.
    pub fn must(&mut self, held: Result<(), String>) {
        if let Err(why) = held {
            self.say(&format!("BROKEN: {why}"));
            self.broken.get_or_insert(why);
        }
    }

    /// Puts an event into the queue.
    pub fn after(&mut self, ms: u64, ev: Ev) {
        self.tickets += 1;
        self.queue.insert((self.now + ms, self.tickets), ev);
    }

    /// Sends over the network: lost, late, twice, out of order or damaged while faults are on.
    pub fn post(&mut self, from: Node, to: Node, ev: Ev) {
        let latency = 10 + self.rng.below(60);
        if self.cut.is_some_and(|cut| cut == from || cut == to) {
            return;
        }
        if !self.faults {
            return self.after(latency, ev);
        }
        if self.rng.chance(25) {
            return;
        }
        let ev = match ev {
            Ev::Peer(to, from, bytes) if self.rng.chance(20) => {
                Ev::Peer(to, from, self.damaged(bytes))
            }
            other => other,
        };
        if self.rng.chance(40) {
            let again = self.rng.below(15_000);
            self.after(latency + again, ev.clone());
        }
        let late = if self.rng.chance(60) { self.rng.below(8_000) } else { 0 };
        self.after(latency + late, ev);
    }

    fn damaged(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = usize::try_from(self.rng.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1 << self.rng.below(8);
        bytes
    }

    /// Whether the machine dies here, between record and effect.
    pub fn dies(&mut self, node: Node) -> bool {
        let point = self.points.entry(node).or_default();
        *point += 1;
        let here = self.crash_at == Some((node, *point));
        let dies = here || (self.faults && self.rng.chance(4));
        if !dies {
            return false;
        }
        self.crash(node);
        true
    }

    /// A machine loses everything but its disk, and starts again in a while.
    pub fn crash(&mut self, node: Node) {
        self.say(&format!("{node:?} dies"));
        match node {
            Node::Desk => self.desk.up = false,
            Node::Cosigner(number) => self.seats[number].party = None,
            Node::Outside => {}
        }
        let down = 500 + self.rng.below(15_000);
        self.after(down, Ev::Start(node));
    }

    /// Runs until `until` says so or `seconds` have passed; gives whether it said so.
    pub fn run(&mut self, seconds: u64, mut until: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + seconds * 1_000;
        while self.broken.is_none() {
            if until(self) {
                return true;
            }
            match self.queue.first_key_value() {
                Some(((at, _), _)) if *at <= end => {}
                _ => break,
            }
            let Some(((at, _), ev)) = self.queue.pop_first() else { break };
            self.now = self.now.max(at);
            self.happen(ev);
        }
        if self.broken.is_none() {
            self.now = self.now.max(end);
        }
        until(self)
    }

    fn happen(&mut self, ev: Ev) {
        match ev {
            Ev::Block => self.block(),
            Ev::DeskTick => self.desk_tick(),
            Ev::SeatTick(number) => {
                self.seat(number, Heard::Ticked);
                self.after(10_000, Ev::SeatTick(number));
            }
            Ev::ApproverTick(number) => self.approver_looks(number),
            Ev::AgentTick(number) => self.agent_acts(number),
            Ev::OperatorTick => self.operator_looks(),
            Ev::Chaos => self.chaos(),
            Ev::Lie => self.lie(),
            Ev::Start(node) => self.start(node),
            Ev::ToDesk(event) => self.desk_does(*event),
            Ev::Answer(id, answer) => self.answered(id, *answer),
            Ev::Call(to, id, call) => self.seat(to, Heard::Called { id, call }),
            Ev::Peer(to, from, bytes) => {
                self.seat(to, Heard::PeerSpoke { from: cosigner(from), bytes });
            }
            Ev::Work(number, work) => {
                if let Some(worked) = self.seats[number].works(work) {
                    self.seat(number, worked);
                }
            }
            Ev::Freeze(to, freeze) => self.seat(to, Heard::FreezeCame(freeze)),
        }
    }

    fn start(&mut self, node: Node) {
        self.say(&format!("{node:?} starts"));
        match node {
            Node::Desk if !self.desk.up => self.desk_starts(),
            Node::Cosigner(number) if self.seats[number].party.is_none() => {
                self.seats[number].restart();
            }
            _ => {}
        }
    }

    fn block(&mut self) {
        if self.faults {
            let step = self.rng.below(9);
            let base = self.chain.base_fee;
            self.chain.base_fee =
                (base / 16 * u128::from(12 + step)).clamp(5_000_000_000, 90_000_000_000);
            if self.rng.chance(80) {
                let depth = 1 + usize::try_from(self.rng.below(2)).unwrap();
                let mut rng = Rng::new(self.rng.next());
                self.chain.reorganise(depth, || rng.chance(300));
                self.say(&format!("the chain loses {depth} blocks"));
                (0..depth).for_each(|_| self.chain.blocks.push(Vec::new()));
            }
            if self.rng.chance(50) {
                self.chain.pool.clear();
            }
        } else {
            self.chain.base_fee = 20_000_000_000;
        }
        self.chain.mine();
        let honest = self.honest_seats();
        let held = self.watch.chain(&self.chain, &honest);
        self.must(held);
        self.after(12_000, Ev::Block);
    }

    /// The cosigners that do not lie.
    pub fn honest_seats(&self) -> Vec<usize> {
        if self.adversary == Adversary::Cosigner { vec![0] } else { vec![0, 1] }
    }

    /// Whether a cosigner lies.
    pub fn lies(&self, number: usize) -> bool {
        self.adversary == Adversary::Cosigner && number == 1
    }

    fn chaos(&mut self) {
        if !self.faults {
            return;
        }
        let node = self.rng.pick(&[Node::Desk, Node::Cosigner(0), Node::Cosigner(1)]).unwrap();
        match self.rng.below(6) {
            0 => self.crash(node),
            1 | 2 => {
                let jump = i64::try_from(self.rng.below(1_200_000)).unwrap() - 600_000;
                self.say(&format!("the clock of {node:?} jumps by {jump} ms"));
                self.skew(node, jump);
            }
            3 => self.skew(node, 0),
            4 => self.cut = Some(node),
            _ => self.cut = None,
        }
        let wait = 15_000 + self.rng.below(60_000);
        self.after(wait, Ev::Chaos);
    }

    /// Sets how wrong a machine's clock is.
    pub fn skew(&mut self, node: Node, ms: i64) {
        match node {
            Node::Desk => self.desk.skew_ms = ms,
            Node::Cosigner(number) => self.seats[number].skew_ms = ms,
            Node::Outside => {}
        }
    }

    /// Something happens at a cosigner: step, one transaction, effects; it may die between any two of them.
    pub fn seat(&mut self, number: usize, event: Heard) {
        let node = Node::Cosigner(number);
        let now = self.clock(self.seats[number].skew_ms);
        let Some(mut step) = self.seats[number].step(event, now) else { return };
        for work in std::mem::take(&mut step.work) {
            // As long as a message takes, so that others come meanwhile.
            let ms = self.rng.below(60);
            self.after(ms, Ev::Work(number, self.tickets + 1));
            self.seats[number].takes_on(self.tickets, work);
        }
        if (!step.records.is_empty() || !step.replica.is_empty()) && self.dies(node) {
            return;
        }
        self.seats[number].commit(&step);
        self.judge_seat(number, &step, now);
        for effect in step.effects {
            if self.dies(node) {
                return;
            }
            self.seats[number].seal(&effect);
            self.seat_effect(number, effect);
        }
    }

    fn judge_seat(&mut self, number: usize, step: &quorate_cosigner::party::Step, now: Timestamp) {
        let Some(party) = &self.seats[number].party else { return };
        let voids: BTreeSet<u64> =
            party.follower().book().voids().map(|(index, _)| index).collect();
        self.watch.read(number, &step.replica, |index| !voids.contains(&index));
        let unsigned = step.replica.iter().any(|bytes| contains(bytes, crate::junk::MARK));
        self.must(if unsigned { Err(format!("replica {number} has junk")) } else { Ok(()) });
        let held = self.watch.wrote(number, &step.records, now);
        for entry in &step.records {
            let line = format!("{} writes {}", COSIGNERS[number], crate::kind(&entry.body));
            self.say(&line);
        }
        if !self.lies(number) {
            self.must(held);
        }
        if self.adversary != Adversary::Desk {
            let replica = &self.seats[number].disk.replica;
            let prefix = self.desk.line.disk.starts_with(replica);
            self.must(if prefix { Ok(()) } else { Err(format!("replica {number} is no prefix")) });
        }
    }

    fn seat_effect(&mut self, number: usize, effect: Effect) {
        let node = Node::Cosigner(number);
        match effect {
            Effect::Send { to, bytes } => {
                let to = COSIGNERS.iter().position(|name| *name == to.as_str()).unwrap();
                let Some(bytes) = self.said(number, bytes.to_vec()) else { return };
                self.wire.push((number, bytes.clone()));
                self.post(node, Node::Cosigner(to), Ev::Peer(to, number, bytes));
            }
            Effect::Answer { id, answer } => self.seat_answers(number, id, *answer),
            Effect::Banned { id, pending, answer } => {
                drop(pending.made_durable());
                if let (Some(id), Some(answer)) = (id, answer) {
                    self.seat_answers(number, id, *answer);
                }
            }
            Effect::Alarm { rule, subject } => self.alarm(number, rule, &subject),
            Effect::Halt => self.must(Err("a cosigner could not record what it did".to_owned())),
            Effect::Seal { .. } | Effect::AskDrill { .. } | Effect::Drilled { .. } => {}
        }
    }

    fn alarm(&mut self, number: usize, rule: &str, subject: &str) {
        self.say(&format!("{} alarms: {rule}: {subject}", COSIGNERS[number]));
        *self.alarms.entry((number, rule.to_owned())).or_default() += 1;
        let honest = self.adversary != Adversary::Desk && !self.lies(number);
        if honest && matches!(rule, "void_entry" | "bug") {
            self.must(Err(format!("{rule}: {subject}")));
        }
        if honest && rule == "book_refused" {
            self.must(Err(format!("an honest desk is refused: {subject}")));
        }
    }

    fn seat_answers(&mut self, number: usize, id: u64, answer: Answer) {
        let answer = self.answer_of(number, answer);
        let what = match &answer.came {
            Came::Refused { reason, left } => format!("refuses: {} (left {left})", reason.code),
            Came::Aborted { cause, .. } => format!("aborts: {cause}"),
            other => format!("{other:?}").chars().take(24).collect(),
        };
        self.say(&format!("{} answers {id}: {what}", COSIGNERS[number]));
        self.post(Node::Cosigner(number), Node::Desk, Ev::Answer(id, Box::new(answer)));
    }

    /// How many alarms of a rule a cosigner has raised.
    pub fn alarmed(&self, number: usize, rule: &str) -> u32 {
        self.alarms.get(&(number, rule.to_owned())).copied().unwrap_or_default()
    }

    /// An open or closed case in one word, for the log.
    pub fn state_of(&self, case: &CaseId) -> String {
        let book = &self.desk.line.book;
        let open = book.case(case).map(|case| format!("{:?}", case.state));
        open.unwrap_or_else(|| format!("{:?}", book.closed(case).map(|closed| closed.outcome)))
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}
