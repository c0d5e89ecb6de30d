//! People and programs: agents that file, repeat and give up; approvers that look and sign; an operator who keeps house.

use std::collections::BTreeSet;

use quorate_custody::{Case, Event, State};
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict};
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Resume, ResumeBody, Scope};
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::{Amount, CaseId, Digest, IdempotencyKey};

use crate::people::{
    AGENTS, APPROVAL_TTL_S, APPROVERS, CASE_TTL_S, COSIGNERS, FEE_CEILING, FRIENDS, MILLI, THIEF,
    VAULT, WALLET, account, agent, coin, id, operator, signed,
};
use crate::watch::wallet_account;
use crate::world::{Ev, Node, World};

/// What people remember.
#[derive(Clone, Default)]
pub struct Folk {
    /// Everything that agents have filed.
    pub filed: Vec<Intent>,
    /// How many intents there were: keys are numbered.
    pub keys: u64,
    /// What approvers have signed, for a desk that replays it.
    pub approvals: Vec<Approval>,
    spoken: BTreeSet<(usize, CaseId)>,
}

/// A transfer of so much to an address.
pub fn transfer(amount: u128, to: &str) -> Transfer {
    Transfer {
        wallet: id(WALLET),
        asset: coin(),
        to: account(to),
        amount: Amount::from_u128(amount),
        fee_ceiling: Amount::from_u128(FEE_CEILING),
        memo: None,
    }
}

impl World {
    /// A new intent.
    pub fn intent(&mut self, requester: Requester, action: Action) -> Intent {
        self.folk.keys += 1;
        let key = IdempotencyKey::new(format!("key-{}", self.folk.keys)).unwrap();
        Intent { v: 1, vault: id(VAULT), requester, key, action }
    }

    /// Files an intent over the network, with a snapshot at hand half of the time.
    pub fn file(&mut self, intent: &Intent) -> CaseId {
        let snapshot = if self.rng.chance(500) { self.snapshot().map(Box::new) } else { None };
        let event = Event::Filed {
            intent: Box::new(intent.clone()),
            facts: Vec::new(),
            screening: CounterpartyCheck::NotPerformed,
            snapshot,
        };
        self.post(Node::Outside, Node::Desk, Ev::ToDesk(Box::new(event)));
        intent.case().unwrap()
    }

    /// An agent's new transfer.
    pub fn pay(&mut self, name: &str, amount: u128, to: &str) -> Intent {
        self.intent(agent(name), Action::Transfer(transfer(amount, to)))
    }

    /// An agent does one of the things that agents do.
    pub fn agent_acts(&mut self, number: usize) {
        let name = AGENTS[number];
        let friend = self.rng.pick(&FRIENDS).unwrap();
        let amount = MILLI * u128::from(1 + self.rng.below(90));
        let large = MILLI * u128::from(1_001 + self.rng.below(1_500));
        let intent = match self.rng.below(12) {
            // A retry with the same key, which is the same case; or with another body, which is refused.
            0..=2 if !self.folk.filed.is_empty() => {
                let at = usize::try_from(self.rng.below(self.folk.filed.len() as u64)).unwrap();
                let mut again = self.folk.filed[at].clone();
                if self.rng.chance(200) {
                    again.action = Action::Transfer(transfer(amount, friend));
                }
                again
            }
            3 => match self.own_case(name) {
                Some(case) => self.intent(agent(name), Action::Cancel { case }),
                None => self.pay(name, amount, friend),
            },
            4 => self.pay(name, MILLI * 900, friend),
            5 => self.pay(name, large, friend),
            6 => self.pay(name, MILLI * 6_000, friend),
            7 => self.intent(operator(), Action::Transfer(transfer(amount, friend))),
            8 => self.pay(name, MILLI * 3_000, THIEF),
            _ => self.pay(name, amount, friend),
        };
        self.say(&format!("{name} files {}", intent.case().unwrap()));
        self.file(&intent);
        self.folk.filed.push(intent);
        if self.faults {
            let wait = 4_000 + self.rng.below(40_000);
            self.after(wait, Ev::AgentTick(number));
        }
    }

    fn own_case(&self, name: &str) -> Option<CaseId> {
        let of = |case: &&Case| case.transfer().is_some() && case.intent.requester == agent(name);
        self.desk.line.book.open_cases().find(of).map(|case| case.id)
    }

    /// An approver reads the book and speaks on what waits for people.
    pub fn approver_looks(&mut self, number: usize) {
        let wait = 8_000 + self.rng.below(25_000);
        self.after(wait, Ev::ApproverTick(number));
        if !self.desk.up {
            return;
        }
        let waits = |case: &&Case| case.state == State::AwaitApprovals;
        let cases: Vec<Case> = self.desk.line.book.open_cases().filter(waits).cloned().collect();
        for case in cases {
            let fresh = !self.folk.spoken.contains(&(number, case.id));
            let known = case.transfer().is_none_or(|t| t.to != account(THIEF));
            if fresh && known && (!self.faults || self.rng.chance(800)) {
                let verdict = if self.faults && self.rng.chance(60) {
                    Verdict::Reject
                } else {
                    Verdict::Approve
                };
                self.folk.spoken.insert((number, case.id));
                self.approve(number, &case, verdict);
            }
        }
        if self.faults && self.rng.chance(15) {
            self.freeze(number);
        }
    }

    /// One approver's word on a case, sent to the desk; the sender repeats it, as clients do.
    pub fn approve(&mut self, number: usize, case: &Case, verdict: Verdict) {
        let now = self.clock(0);
        let body = ApprovalBody {
            v: 1,
            vault: id(VAULT),
            intent: case.id.intent(),
            policy: case.policy().unwrap(),
            approver: id(APPROVERS[number]),
            credential: id(&format!("key-{}", APPROVERS[number])),
            verdict,
            issued_at: now,
            expires_at: now.plus_s(APPROVAL_TTL_S),
            display: Digest::ZERO,
        };
        if verdict == Verdict::Approve {
            let until = body.expires_at;
            self.watch.given.push((body.intent, body.approver.clone(), until));
        }
        let signature = signed(APPROVERS[number], &body);
        let approval = Approval { proof: Proof::Ed25519 { signature }, body };
        self.folk.approvals.push(approval.clone());
        for _ in 0..2 {
            let event = Event::ApprovalCame(Box::new(approval.clone()));
            self.post(Node::Outside, Node::Desk, Ev::ToDesk(Box::new(event)));
        }
    }

    /// An approver freezes something, and tells everybody at once.
    pub fn freeze(&mut self, number: usize) -> Freeze {
        let scope =
            if self.rng.chance(500) { Scope::Vault } else { Scope::Agent { agent: id(AGENTS[0]) } };
        let body = FreezeBody {
            v: 1,
            vault: id(VAULT),
            by: Freezer::Approver { approver: id(APPROVERS[number]) },
            scope,
            at: self.clock(0),
            cause: "drill".to_owned(),
        };
        let freeze = Freeze { signature: signed(APPROVERS[number], &body), body };
        self.say(&format!("{} freezes {:?}", APPROVERS[number], freeze.body.scope));
        for seat in 0..COSIGNERS.len() {
            let ev = Ev::Freeze(seat, Box::new(freeze.clone()));
            self.post(Node::Outside, Node::Cosigner(seat), ev);
        }
        let event = Ev::ToDesk(Box::new(Event::FreezeCame(Box::new(freeze.clone()))));
        self.post(Node::Outside, Node::Desk, event);
        freeze
    }

    /// Two governors agree to go on after a void entry.
    pub fn resumes(&self, voided: u64, entry: Digest) -> Vec<Resume> {
        let resume = |name: &&str| {
            let body = ResumeBody {
                v: 1,
                vault: id(VAULT),
                charter: self.desk.line.book.charter_digest(),
                index: voided,
                entry,
                approver: id(name),
                expires_at: self.clock(0).plus_s(600),
            };
            Resume { signature: signed(name, &body), body }
        };
        APPROVERS.iter().take(2).map(resume).collect()
    }

    /// The operator: unfreezes, gives up what is stuck, fills gaps in the nonces, raises fees.
    pub fn operator_looks(&mut self) {
        self.after(30_000, Ev::OperatorTick);
        if !self.desk.up || (self.faults && !self.rng.chance(150)) {
            return;
        }
        self.unfreeze();
        self.give_up();
        if !self.faults {
            self.fill_gap();
        }
        self.speed_up();
    }

    fn unfreeze(&mut self) {
        let mut frozen: Vec<(Digest, Scope)> =
            self.desk.line.book.freezes().map(|(d, s)| (*d, s.clone())).collect();
        for seat in &self.seats {
            let own = seat.party.iter().flat_map(|party| party.charter().freezes());
            frozen.extend(own.map(|(d, s)| (*d, s.clone())));
        }
        let asked = |case: &Case| matches!(case.intent.action, Action::Unfreeze { .. });
        if frozen.is_empty() || self.desk.line.book.open_cases().any(asked) {
            return;
        }
        let scope = frozen[0].1.clone();
        let same = frozen.iter().filter(|(_, other)| *other == scope);
        let lifts = same.map(|(digest, _)| *digest).collect();
        let intent = self.intent(operator(), Action::Unfreeze { scope, lifts });
        self.say(&format!("op asks to unfreeze in {}", intent.case().unwrap()));
        self.file(&intent);
    }

    fn give_up(&mut self) {
        let now = self.clock(0);
        let stuck = |case: &&Case| {
            let old = now > case.filed_at.plus_s(CASE_TTL_S);
            let waits = case.state == State::AwaitSignature && case.signed.is_empty();
            case.transfer().is_some() && case.cancel.is_none() && waits && (case.aborts >= 3 || old)
        };
        let cases: Vec<CaseId> =
            self.desk.line.book.open_cases().filter(stuck).map(|case| case.id).collect();
        for case in cases {
            let intent = self.intent(operator(), Action::Cancel { case });
            self.say(&format!("op gives up {case}"));
            self.file(&intent);
        }
    }

    /// A transaction that waits for a lower nonce waits for ever, unless something uses that nonce.
    fn fill_gap(&mut self) {
        let Some(account) = wallet_account(&self.desk.line.book) else { return };
        let next = self.chain.nonce(&account);
        let nonces: BTreeSet<u64> = self
            .desk
            .line
            .book
            .open_cases()
            .filter_map(|case| case.live_draft())
            .map(|live| live.nonce)
            .collect();
        if nonces.iter().any(|nonce| *nonce > next) && !nonces.contains(&next) {
            let intent = self.pay(AGENTS[1], 1, FRIENDS[0]);
            self.say("op fills a gap");
            self.file(&intent);
        }
    }

    fn speed_up(&mut self) {
        let waits = |case: &&Case| case.state == State::AwaitConfirmation;
        let lowest = |case: &&Case| case.live_draft().map(|live| live.nonce);
        let waiting = self.desk.line.book.open_cases().filter(waits).min_by_key(lowest);
        let case = waiting.map(|case| case.id);
        let base = self.chain.base_fee;
        let slow = |(tx, _): &(quorate_chains::SignedReading, Vec<u8>)| {
            crate::chain::wei(tx.draft.meaning().max_fee_per_gas) < base
        };
        let due = self.chain.pool.iter().any(slow) || (self.faults && self.rng.chance(500));
        if let (Some(case), true) = (case, due) {
            let Some(snapshot) = self.snapshot() else { return };
            let event = Event::ReplacementAsked { case, snapshot: Box::new(snapshot) };
            self.desk_does(event);
        }
    }
}
