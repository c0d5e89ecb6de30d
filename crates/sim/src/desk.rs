//! The desk's host: the product's book on a disk, calls to cosigners, the chain, and effects that are repeated until done.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chains::Snapshot;
use quorate_custody::protocol::{Answer, Ask, Call, Came};
use quorate_custody::{Effect, Event, State, Verdict};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, KeyStatement, Stage};
use quorate_terms::fact::{Fact, FactBody, SignedFact};
use quorate_terms::freeze::Freeze;
use quorate_terms::{Amount, CaseId, CosignerId, Digest};

use crate::chain::Place;
use crate::line::Line;
use crate::people::{COSIGNERS, VAULT, cosigner, id, signed};
use crate::watch::wallet_account;
use crate::world::{Adversary, Ev, Node, World};

/// Milliseconds after which an unanswered call is forgotten and made again.
const PATIENCE_MS: u64 = 45_000;

/// A call that waits for its answer.
#[derive(Clone)]
struct Asked {
    cosigner: usize,
    case: Option<CaseId>,
}

/// The desk's machine.
#[derive(Clone)]
pub struct Desk {
    /// Its story: the disk, and the fold of it.
    pub line: Line,
    /// Another story, told to the second cosigner by a desk that lies.
    pub fork: Option<Line>,
    /// Whether it runs.
    pub up: bool,
    /// How far its clock is from the true time, in milliseconds.
    pub skew_ms: i64,
    /// Whether it suppresses freezes.
    pub hides_freezes: bool,
    /// A lie about a draft that is told in place of the true one.
    pub swaps: bool,
    sizes: [u64; 2],
    calls: BTreeMap<u64, Asked>,
    next_call: u64,
    next_attempt: u64,
    convened: BTreeMap<CaseId, u64>,
    made: BTreeMap<CaseId, BTreeMap<CosignerId, (String, KeyStatement)>>,
    failed: BTreeSet<Digest>,
    noted: BTreeSet<(CaseId, CosignerId, String, bool)>,
    freezes: BTreeMap<Digest, Freeze>,
}

impl Desk {
    /// A desk with this story.
    pub fn new(line: Line) -> Self {
        Self {
            line,
            fork: None,
            up: true,
            skew_ms: 0,
            hides_freezes: false,
            swaps: false,
            sizes: [0; 2],
            calls: BTreeMap::new(),
            next_call: 1,
            next_attempt: 1,
            convened: BTreeMap::new(),
            made: BTreeMap::new(),
            failed: BTreeSet::new(),
            noted: BTreeSet::new(),
            freezes: BTreeMap::new(),
        }
    }

    /// The story that a cosigner is told.
    pub fn told_to(&self, number: usize) -> &Line {
        self.fork.as_ref().filter(|_| number == 1).unwrap_or(&self.line)
    }
}

impl World {
    /// Something happens at the desk: step, append, fold, effects; it may die between any two of them.
    pub fn desk_does(&mut self, event: Event) {
        if !self.desk.up {
            return;
        }
        if let Event::FreezeCame(freeze) = &event {
            if self.desk.hides_freezes {
                return;
            }
            let digest = freeze.body.digest().unwrap();
            self.desk.freezes.insert(digest, (**freeze).clone());
        }
        let now = self.clock(self.desk.skew_ms);
        match self.desk.line.book.step(event, now) {
            Err(refusal) => self.say(&format!("desk: {refusal}")),
            Ok(step) => self.desk_records(step.records, step.effects),
        }
    }

    /// Makes records durable, folds them, then acts.
    pub fn desk_records(&mut self, records: Vec<Body>, effects: Vec<Effect>) {
        if !records.is_empty() {
            if self.dies(Node::Desk) {
                return self.tear(records);
            }
            self.write(records);
            if self.dies(Node::Desk) {
                return;
            }
        }
        for effect in effects {
            if !self.desk.up || self.dies(Node::Desk) {
                return;
            }
            self.desk_acts(&effect);
        }
    }

    /// What was being written is torn; it was never acknowledged, and a restart drops it.
    fn tear(&mut self, records: Vec<Body>) {
        let now = self.clock(self.desk.skew_ms);
        let entries = self.desk.line.book.entries(records, now).unwrap();
        if let Some(entry) = entries.first() {
            let bytes = entry.to_canonical().unwrap();
            let some = usize::try_from(self.rng.below(bytes.len() as u64)).unwrap();
            self.desk.line.disk.push(bytes[..some].to_vec());
        }
    }

    /// Appends bodies to the desk's own story.
    pub fn write(&mut self, records: Vec<Body>) {
        let now = self.clock(self.desk.skew_ms);
        for (entry, verdict) in self.desk.line.append(records, now) {
            self.say(&format!("desk writes {} {}", entry.index, crate::kind(&entry.body)));
            match verdict {
                Verdict::Good => {
                    let held = self.watch.entry(&entry);
                    self.must(held);
                }
                Verdict::Void(refusal) => {
                    self.say(&format!("desk: void: {refusal}"));
                    if self.adversary != Adversary::Desk {
                        self.must(Err(format!("an honest desk wrote a void entry: {refusal}")));
                    }
                }
            }
        }
        let held = self.watch.reservations(&self.desk.line.book);
        self.must(held);
    }

    /// Starts from the disk.
    pub fn desk_starts(&mut self) {
        let line = Line::replay(&self.desk.line.disk);
        let same = line.book.to_snapshot().ok() == self.desk.line.book.to_snapshot().ok();
        self.must(if same { Ok(()) } else { Err("the disk folds to another book".to_owned()) });
        // An attempt's number need only be new; the true time is.
        let next_attempt = self.desk.next_attempt.max(self.now);
        let old = std::mem::replace(&mut self.desk, Desk::new(line));
        self.desk.fork = old.fork;
        self.desk.skew_ms = old.skew_ms;
        self.desk.hides_freezes = old.hides_freezes;
        self.desk.next_call = old.next_call;
        self.desk.next_attempt = next_attempt;
        self.pending();
    }

    fn pending(&mut self) {
        for effect in self.desk.line.book.pending_effects() {
            if !self.desk.up {
                return;
            }
            self.desk_acts(&effect);
        }
    }

    /// Time goes by: expiry, whatever is due, and news for the cosigners.
    pub fn desk_tick(&mut self) {
        self.desk_does(Event::Ticked);
        if self.desk.up {
            self.pending();
            for number in 0..if self.desk.up { COSIGNERS.len() } else { 0 } {
                let behind = self.desk.sizes[number] < self.desk.told_to(number).book.size();
                if behind || self.rng.chance(100) {
                    self.ask(number, Ask::Follow, None);
                }
            }
        }
        self.after(if self.faults { 5_000 } else { 10_000 }, Ev::DeskTick);
    }

    fn desk_acts(&mut self, effect: &Effect) {
        match effect {
            Effect::Fetch(case) => self.fetch(*case),
            Effect::Convene(case) | Effect::Generate(case) => self.convene(*case),
            Effect::Publish(case) => self.publish(*case),
            Effect::Watch(case) => self.follow_chain(*case),
            Effect::Spread(digest) => {
                let Some(freeze) = self.desk.freezes.get(digest).cloned() else { return };
                for number in 0..COSIGNERS.len() {
                    let ev = Ev::Freeze(number, Box::new(freeze.clone()));
                    self.post(Node::Desk, Node::Cosigner(number), ev);
                }
            }
            Effect::Notify(_) | Effect::Receipt(_) => {}
        }
    }

    fn fetch(&mut self, case: CaseId) {
        let Some(snapshot) = self.snapshot() else { return };
        let snapshot = Box::new(snapshot);
        let known = self.desk.line.book.case(&case).is_some_and(|case| !case.drafts.is_empty());
        let event = if known {
            Event::ReplacementAsked { case, snapshot }
        } else {
            Event::SnapshotCame { case, snapshot }
        };
        self.after(50, Ev::ToDesk(Box::new(event)));
    }

    /// What the desk's node says of the chain. A lying node says something else.
    pub fn snapshot(&mut self) -> Option<Snapshot> {
        let account = wallet_account(&self.desk.line.book)?;
        let mut snapshot = self.chain.snapshot(&account, self.clock(self.desk.skew_ms));
        if self.adversary == Adversary::Chain && self.faults {
            match self.rng.below(6) {
                0 => snapshot.nonce = snapshot.nonce.wrapping_sub(1),
                1 => snapshot.nonce += 1 + self.rng.below(5),
                2 => snapshot.base_fee = Amount::from_u128(1 << self.rng.below(120)),
                3 => snapshot.priority_fee = Amount::from_u128(1 << self.rng.below(120)),
                4 => snapshot.gas_limit = self.rng.below(2_000_000),
                _ => {}
            }
        }
        Some(snapshot)
    }

    /// Asks both cosigners for a signature or a key, unless they are being asked.
    pub fn convene(&mut self, case: CaseId) {
        let since = self.desk.convened.get(&case).copied().unwrap_or_default();
        if self.now < since + PATIENCE_MS {
            return;
        }
        self.convene_now(case);
    }

    fn convene_now(&mut self, case: CaseId) {
        let Some(known) = self.desk.line.book.case(&case) else { return };
        let generate = known.state == State::AwaitCeremony;
        self.desk.convened.insert(case, self.now);
        self.desk.calls.retain(|_, asked| asked.case != Some(case));
        self.desk.next_attempt += 1;
        let attempt = self.desk.next_attempt;
        let parties: BTreeSet<CosignerId> = (0..COSIGNERS.len()).map(cosigner).collect();
        for number in 0..COSIGNERS.len() {
            let ask = if generate {
                Ask::Generate { case, attempt }
            } else {
                Ask::Sign { case, attempt, parties: parties.clone() }
            };
            self.ask(number, ask, Some(case));
        }
    }

    /// One call.
    pub fn ask(&mut self, number: usize, ask: Ask, case: Option<CaseId>) {
        let id = self.desk.next_call;
        self.desk.next_call += 1;
        let told = self.desk.told_to(number).told(self.desk.sizes[number]);
        let call = Call { told, ask };
        self.desk.calls.insert(id, Asked { cosigner: number, case });
        if self.adversary == Adversary::Desk {
            self.calls.push((number, call.clone()));
        }
        self.post(Node::Desk, Node::Cosigner(number), Ev::Call(number, id, Box::new(call)));
    }

    /// An answer came back; one that is not awaited any more is dropped.
    pub fn answered(&mut self, id: u64, answer: Answer) {
        if !self.desk.up {
            return;
        }
        let Some(asked) = self.desk.calls.remove(&id) else { return };
        self.desk.sizes[asked.cosigner] = answer.size;
        for freeze in answer.outbox.freezes {
            self.desk_does(Event::FreezeCame(Box::new(freeze)));
        }
        let by = cosigner(asked.cosigner);
        for (wallet, holder, cause) in answer.outbox.barred {
            self.desk_does(Event::PeerBarred { wallet, holder, by: by.clone(), cause });
        }
        let Some(case) = asked.case else { return };
        self.came(case, by, answer.came);
    }

    fn came(&mut self, case: CaseId, by: CosignerId, came: Came) {
        match came {
            Came::Followed => {}
            Came::Behind => {
                // Its size is known now: ask again soon, with what it lacks.
                self.desk.convened.insert(case, self.now.saturating_sub(PATIENCE_MS));
            }
            Came::Signed { session, rs, recovery, checkpoint_size } => {
                let mut raw = [0; 64];
                if hex::decode_to_slice(&rs, &mut raw).is_err() {
                    return;
                }
                let cosigners = (0..COSIGNERS.len()).map(cosigner).collect();
                let rs = raw;
                let event = Event::SignatureCame {
                    case,
                    session,
                    rs,
                    recovery,
                    cosigners,
                    checkpoint_size,
                };
                self.desk.convened.remove(&case);
                self.desk_does(event);
            }
            Came::Refused { reason, left } => {
                let key = (case, by.clone(), reason.code.clone(), left);
                if self.desk.noted.insert(key) {
                    let reason = Box::new(reason);
                    self.desk_does(Event::CosignerRefused { case, cosigner: by, reason, left });
                }
            }
            Came::Aborted { run, phase, cause, culprits } => {
                // Both parties tell of the same run; it failed once.
                if self.desk.failed.insert(run) {
                    self.desk.convened.remove(&case);
                    self.desk_does(Event::RunFailed { case, run, phase, cause, culprits });
                }
            }
            Came::KeyMade { library, statement } => {
                let made = self.desk.made.entry(case).or_default();
                made.insert(by, (library.clone(), *statement));
                let ceremonies: BTreeSet<Digest> =
                    made.values().map(|(_, statement)| statement.body.ceremony).collect();
                if made.len() == COSIGNERS.len() && ceremonies.len() == 1 {
                    let statements = made.values().map(|(_, said)| said.clone()).collect();
                    self.desk_does(Event::KeyCame { case, library, statements });
                }
            }
        }
    }

    fn publish(&mut self, case: CaseId) {
        let Some(known) = self.desk.line.book.case(&case) else { return };
        let Some(signed) = known.signed.last().cloned() else { return };
        let raw = hex::decode(&signed.transaction).unwrap();
        let lost = self.faults && self.rng.chance(100);
        if !lost {
            self.chain.submit(&raw);
        }
        self.desk_does(Event::Published { case, txid: signed.txid });
    }

    fn follow_chain(&mut self, case: CaseId) {
        let Some(known) = self.desk.line.book.case(&case) else { return };
        let Some(live) = known.live_draft().cloned() else { return };
        let ours: Vec<String> = known.signed.iter().map(|signed| signed.txid.clone()).collect();
        if let Some(fact) = self.finality(&live.account, live.nonce, &ours) {
            let fact = Box::new(fact);
            return self.desk_does(Event::FinalityCame { case, fact });
        }
        let Some(txid) = ours.last().cloned() else { return };
        let other = self.chain.at_nonce(&live.account, live.nonce).is_some();
        let (stage, block) = match self.chain.place(&txid) {
            Place::Block { number, .. } => (Stage::Included, Some(number)),
            Place::Pool => (Stage::Pending, None),
            Place::Nowhere if other => (Stage::Replaced, None),
            Place::Nowhere => (Stage::Dropped, None),
        };
        self.desk_does(Event::Observed { case, txid, stage, block });
    }

    /// The source's word. A lying node makes one up, and cannot sign it.
    fn finality(
        &mut self,
        account: &quorate_terms::AccountId,
        nonce: u64,
        ours: &[String],
    ) -> Option<SignedFact> {
        let mut fact = self.chain.finality(account, nonce, ours);
        let mut signer = "watch";
        if self.adversary == Adversary::Chain && self.faults && self.rng.chance(100) {
            signer = "impostor";
            fact = Some(Fact::Finality {
                chain: id(crate::people::CHAIN),
                account: account.clone(),
                nonce,
                txid: ours.last()?.clone(),
                block: 1,
                depth: 64,
                fate: quorate_terms::fact::Fate::Settled,
                fee: Amount::ZERO,
            });
        }
        let at = self.clock(0);
        let body = FactBody { v: 1, vault: id(VAULT), source: id("watch"), at, fact: fact? };
        let signature = signed(signer, &body);
        Some(SignedFact { body, signature })
    }
}
