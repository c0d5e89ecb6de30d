//! What liars do: a desk that writes and tells what it likes, and a cosigner that says what it likes.

use quorate_cosigner::session::{Envelope, Identity};
use quorate_custody::protocol::{Answer, Ask, Came};
use quorate_custody::{Case, State};
use quorate_terms::entry::{Body, Closed, Filed, Outcome, Party, Refused, Resumed, Warranted};
use quorate_terms::fact::{CounterpartyCheck, Fact, FactBody, SignedFact};
use quorate_terms::intent::{Action, Intent};
use quorate_terms::judgment::{Judgment, Reason};
use quorate_terms::{Amount, CaseId, CosignerId, Digest};
use zeroize::Zeroizing;

use crate::folk::transfer;
use crate::people::{
    AGENTS, COSIGNERS, FRIENDS, MILLI, THIEF, VAULT, agent, coin, cosigner, id, sign_bytes, signed,
};
use crate::watch::wallet_account;
use crate::world::{Adversary, Ev, Node, World};

/// Every lie of the desk, by name.
pub const LIES: [&str; 16] = [
    "backdate", "forth", "fork", "hide", "swap", "price", "release", "replay", "truncate",
    "stranger", "again", "allow", "overdraw", "unfork", "resume", "junk",
];

impl World {
    /// The liar's turn.
    pub fn lie(&mut self) {
        if !self.faults {
            return;
        }
        match self.adversary {
            Adversary::Desk if self.desk.up => {
                let lie = self.rng.pick(&LIES).unwrap();
                self.desk_lies(lie);
            }
            Adversary::Cosigner => self.cosigner_repeats(),
            _ => {}
        }
        let wait = 5_000 + self.rng.below(25_000);
        self.after(wait, Ev::Lie);
    }

    /// One lie of the desk.
    pub fn desk_lies(&mut self, lie: &str) {
        self.say(&format!("the desk lies: {lie}"));
        match lie {
            "backdate" => self.desk.skew_ms = -3_600_000,
            "forth" => self.desk.skew_ms = 3_600_000,
            "fork" => self.desk.fork = Some(self.desk.line.clone()),
            "unfork" => self.desk.fork = None,
            "hide" => self.desk.hides_freezes = !self.desk.hides_freezes,
            "swap" => self.swap_draft(),
            "price" => self.name_a_price(),
            "release" => self.release(),
            "replay" => self.replay_approval(),
            "truncate" => self.truncate(),
            "stranger" => self.file_raw("nobody", 50, false),
            "allow" => self.file_raw(AGENTS[0], 3_000, true),
            "overdraw" => {
                for _ in 0..4 {
                    let intent = self.pay(AGENTS[0], MILLI * 999, FRIENDS[0]);
                    self.file(&intent);
                }
            }
            "again" => self.call_again(),
            "junk" => self.tell_junk(),
            _ => self.resume_all(),
        }
    }

    fn waiting(&self, state: State) -> Option<Case> {
        let waits = |case: &&Case| case.state == state && case.transfer().is_some();
        self.desk.line.book.open_cases().find(waits).cloned()
    }

    /// Bytes that pay the thief, in the place of a case's draft.
    pub fn swap_draft(&mut self) {
        let case = self.waiting(State::AwaitSnapshot).or(self.waiting(State::AwaitSignature));
        let (Some(case), Some(account)) = (case, wallet_account(&self.desk.line.book)) else {
            return;
        };
        let amount = case.transfer().map_or(1, |t| crate::chain::wei(t.amount));
        let now = self.clock(0);
        let mut snapshot = self.chain.snapshot(&account, now);
        snapshot.nonce = self.desk.line.book.free_nonce(&account, snapshot.nonce);
        let to = if self.rng.chance(500) { THIEF } else { FRIENDS[0] };
        let Ok(draft) = quorate_chains::draft(&transfer(amount * 2, to), &account, &snapshot)
        else {
            return;
        };
        let warranted = Warranted {
            case: case.id,
            party: Party::Desk,
            draft: draft.digest(),
            bytes: hex::encode(draft.bytes()),
            chain: draft.chain().clone(),
            decoders: vec![quorate_chains::DECODER.to_owned()],
            decoded_intent: case.id.intent(),
            account,
            nonce: draft.meaning().nonce,
            fee_max: draft.meaning().fee_max,
            replaces: case.live_draft().map(|live| live.draft),
        };
        self.write(vec![Body::Warranted(Box::new(warranted))]);
        self.convene(case.id);
    }

    /// A price under the desk's own key, on which a judgment is said to rest.
    pub fn name_a_price(&mut self) {
        let intent = self.pay(AGENTS[0], MILLI * 500, THIEF);
        let now = self.clock(self.desk.skew_ms);
        let fact = Fact::Price { asset: coin(), decimals: 18, micro: Amount::from_u128(1) };
        let body = FactBody { v: 1, vault: id(VAULT), source: id("prices"), at: now, fact };
        let fact = SignedFact { signature: signed("log", &body), body };
        self.judge_raw(&intent, vec![fact], true);
    }

    /// Filed and judged as the desk likes.
    pub fn file_raw(&mut self, name: &str, milli: u128, allow: bool) {
        let intent = self.pay(name, MILLI * milli, THIEF);
        self.judge_raw(&intent, Vec::new(), allow);
    }

    fn judge_raw(&mut self, intent: &Intent, facts: Vec<SignedFact>, allow: bool) {
        let book = &self.desk.line.book;
        let now = self.clock(self.desk.skew_ms).max(book.last_at());
        let screening = CounterpartyCheck::NotPerformed;
        let outside = quorate_custody::rulings::Outside { facts: &[], screening: &screening };
        let Ok(mut judged) = book.judged(intent, &outside, now) else { return };
        judged.facts = facts;
        if allow {
            judged.judgment = Judgment::Allow { because: Vec::new() };
            judged.reasons = Vec::new();
        }
        let case = judged.case;
        let filed = Filed { case, intent: intent.clone() };
        self.write(vec![Body::Filed(Box::new(filed)), Body::Judged(Box::new(judged))]);
    }

    /// Says that both cosigners refused and left nothing, so that the reservation is released; then spends it again.
    pub fn release(&mut self) {
        let case = self.waiting(State::AwaitSignature).map(|case| case.id);
        let signed = self.waiting(State::AwaitConfirmation).map(|case| case.id);
        let Some(case) = case.or(signed) else { return };
        let refused = |name: &CosignerId| {
            Body::Refused(Refused {
                case,
                party: Party::Cosigner { cosigner: name.clone() },
                reason: Reason {
                    rule: "check:none".to_owned(),
                    code: "none".to_owned(),
                    message: "none".to_owned(),
                    next: "none".to_owned(),
                },
                left: false,
            })
        };
        let closed = Closed {
            case,
            outcome: Outcome::Refused,
            reason: "none".to_owned(),
            culprits: Default::default(),
            txid: None,
            amount: None,
            fee: None,
            finality: None,
        };
        let east = cosigner(0);
        let west = cosigner(1);
        self.write(vec![refused(&east), refused(&west), Body::Closed(Box::new(closed))]);
    }

    fn replay_approval(&mut self) {
        let Some(case) = self.waiting(State::AwaitApprovals) else { return };
        let at = self.rng.below(self.folk.approvals.len() as u64);
        let Some(approval) = self.folk.approvals.get(usize::try_from(at).unwrap()).cloned() else {
            return;
        };
        let body = &approval.body;
        let approved = quorate_terms::entry::Approved {
            case: case.id,
            intent: case.id.intent(),
            policy: body.policy,
            approver: body.approver.clone(),
            credential: body.credential.clone(),
            verdict: body.verdict,
            device: None,
            display_digest: body.display,
            user_verified: true,
            expires_at: body.expires_at,
            approval: approval.clone(),
        };
        self.write(vec![Body::Approved(Box::new(approved))]);
    }

    /// Tells a book that ends earlier.
    fn truncate(&mut self) {
        let keep = self.desk.line.disk.len().saturating_sub(2);
        let told = self.desk.line.cut(keep);
        let call = quorate_custody::protocol::Call { told, ask: Ask::Follow };
        let ev = Ev::Call(0, 0, Box::new(call));
        self.post(Node::Desk, Node::Cosigner(0), ev);
    }

    /// Repeats a call that was made before.
    fn call_again(&mut self) {
        let at = usize::try_from(self.rng.below(self.calls.len() as u64)).unwrap();
        if let Some((to, call)) = self.calls.get(at).cloned() {
            self.post(Node::Desk, Node::Cosigner(to), Ev::Call(to, 0, Box::new(call)));
        }
    }

    /// The governors agree to go on after every void entry.
    pub fn resume_all(&mut self) {
        let voids: Vec<(u64, Digest)> = self.desk.line.book.voids().collect();
        for (voided, entry) in voids {
            let resumes = self.resumes(voided, entry);
            self.write(vec![Body::Resumed(Box::new(Resumed { voided, entry, resumes }))]);
        }
    }

    /// What a cosigner puts on the wire in the place of what the product wanted to say.
    pub fn said(&mut self, number: usize, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if !self.lies(number) || !self.faults {
            return Some(bytes);
        }
        match self.rng.below(10) {
            0 => None,
            1 => {
                let old = Envelope::from_bytes(&bytes).unwrap();
                let mut payload = old.payload().to_vec();
                payload[0] ^= 1;
                let payload = Zeroizing::new(payload);
                let me = |digest: &Digest| sign_bytes(COSIGNERS[1], digest.as_bytes());
                let me: &dyn Identity = &me;
                let to = old.to();
                Some(
                    Envelope::sign(old.session(), old.from(), to, old.round(), payload, me)
                        .to_bytes()
                        .to_vec(),
                )
            }
            _ => Some(bytes),
        }
    }

    /// What a cosigner answers in the place of what the product wanted to answer.
    pub fn answer_of(&mut self, number: usize, mut answer: Answer) -> Answer {
        if !self.lies(number) || !self.faults {
            return answer;
        }
        if let (Came::Signed { session, rs, recovery, .. }, true) =
            (&answer.came, self.rng.chance(300))
        {
            // It has the signature; it publishes by itself and says that it never began.
            let signature = (*session, rs.clone(), *recovery);
            self.publishes_alone(&signature);
            answer.came = refused(false);
            return answer;
        }
        match self.rng.below(20) {
            0 => answer.came = refused(self.rng.chance(500)),
            1 => answer.size += 1 + self.rng.below(3),
            2 => {
                let rs = hex::encode([7; 64]);
                let session = Digest::ZERO;
                answer.came = Came::Signed { session, rs, recovery: 1, checkpoint_size: 1 };
            }
            3 => answer.outbox.barred.push((id("ops"), cosigner(1), "spite".to_owned())),
            _ => {}
        }
        answer
    }

    fn publishes_alone(&mut self, (_, rs, recovery): &(Digest, String, u8)) {
        let Some(party) = &self.seats[1].party else { return };
        let book = party.follower().book();
        let Some(wallet) = book.wallet(&id("ops")) else { return };
        let mut key = [0; 33];
        hex::decode_to_slice(&wallet.public_key, &mut key).unwrap();
        let mut raw = [0; 64];
        hex::decode_to_slice(rs, &mut raw).unwrap();
        let drafts = book.open_cases().flat_map(|case| case.drafts.clone());
        let signed: Vec<Vec<u8>> = drafts
            .filter_map(|live| {
                let bytes = hex::decode(&live.bytes).unwrap();
                let draft = quorate_chains::read_back(&live.chain, &bytes).ok()?;
                quorate_chains::sign(&draft, raw, *recovery, &key).ok().map(|signed| signed.bytes)
            })
            .collect();
        for bytes in signed {
            self.say("west publishes by itself");
            self.chain.submit(&bytes);
        }
    }

    /// Old bytes again, and bytes for a session that is not.
    fn cosigner_repeats(&mut self) {
        let own: Vec<Vec<u8>> = self
            .wire
            .iter()
            .filter(|(from, _)| *from == 1)
            .map(|(_, bytes)| bytes.clone())
            .collect();
        let at = usize::try_from(self.rng.below(own.len() as u64)).unwrap();
        let Some(bytes) = own.get(at).cloned() else { return };
        self.post(Node::Cosigner(1), Node::Cosigner(0), Ev::Peer(0, 1, bytes));
    }

    /// An intent to give a case up.
    pub fn cancel(&mut self, case: CaseId) -> Intent {
        self.intent(agent(AGENTS[0]), Action::Cancel { case })
    }
}

fn refused(left: bool) -> Came {
    let reason = Reason {
        rule: "check:warrant".to_owned(),
        code: "no".to_owned(),
        message: "no".to_owned(),
        next: "no".to_owned(),
    };
    Came::Refused { reason, left }
}
