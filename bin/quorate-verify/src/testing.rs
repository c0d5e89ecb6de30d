//! A small vault with real keys, whose one case the tests tell truly and falsely.

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use quorate_ledger::{Checkpoint, LogPolicy, Receipt, Tree, cosignature, hash, policy};
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict};
use quorate_terms::charter::{ApproverSeat, CharterText, CosignerSeat, LogSeat, SourceSeat};
use quorate_terms::digest::tag;
use quorate_terms::entry::*;
use quorate_terms::fact::{CounterpartyCheck, Fact, FactBody, FactKind, Fate, SignedFact};
use quorate_terms::intent::{Action, Intent, Requester, SchemeName, Transfer};
use quorate_terms::judgment::{Judgment, Reason};
use quorate_terms::policy::{AddressRules, Administration, Limits, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::*;
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::json;

use crate::signed::keccak;
use crate::transaction::{Seal, Transaction};

pub(crate) const RECIPIENT: [u8; 20] = [0x22; 20];

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn key(seed: u8) -> PublicKey {
    PublicKey::from_bytes(secret(seed).verifying_key().to_bytes()).unwrap()
}

pub(crate) fn sign(seed: u8, bytes: &[u8]) -> Signature {
    Signature::from_bytes(secret(seed).sign(bytes).to_bytes())
}

pub(crate) fn id<T: std::str::FromStr<Err = Malformed>>(text: &str) -> T {
    text.parse().unwrap()
}

fn quorum(name: &str) -> Quorum {
    let members = ["ann", "bo", "cy"].into_iter().map(id).collect();
    Quorum { name: id(name), m: 2, members, parties: None }
}

fn document() -> PolicyDocument {
    PolicyDocument {
        v: 1,
        vault: id("acme"),
        version: 1,
        previous: None,
        zone: "UTC".into(),
        currency: "EUR".into(),
        assets: vec![],
        rules: vec![],
        quorums: vec![quorum("treasury")],
        budgets: vec![],
        addresses: AddressRules { wait_s: 0, deny: BTreeSet::new() },
        administration: Administration {
            wallets: id("treasury"),
            credentials: id("treasury"),
            addresses: id("treasury"),
        },
        limits: Limits {
            open_cases: 1,
            pending_reservations: 1,
            case_ttl_s: 60,
            approval_ttl_s: 60,
            fact_age_s: 60,
        },
    }
}

fn seat(name: &str, seed: u8) -> ApproverSeat {
    ApproverSeat {
        approver: id(name),
        person: id(&format!("p-{name}")),
        credential: id(&format!("k-{name}")),
        key: key(seed),
        link: key(seed.wrapping_add(100)),
        device: None,
        passkeys: Vec::new(),
    }
}

fn cosigner(name: &str, seed: u8) -> CosignerSeat {
    let (identity, witness) = (key(seed), key(seed.wrapping_add(100)));
    CosignerSeat { cosigner: id(name), identity, witness, operator: format!("{name} ltd") }
}

pub(crate) fn charter() -> CharterText {
    CharterText {
        v: 1,
        vault: id("acme"),
        version: 1,
        previous: None,
        threshold: 2,
        cosigners: vec![cosigner("c1", 31), cosigner("c2", 32)],
        approvers: vec![seat("ann", 41), seat("bo", 42), seat("cy", 43)],
        views: Vec::new(),
        governance: quorum("governors"),
        log: LogSeat { origin: "example.org/acme".into(), key: key(51), identity: key(52) },
        sources: vec![SourceSeat {
            source: id("node"),
            key: key(61),
            kinds: [FactKind::Finality].into(),
        }],
        change_delay_s: 0,
        finality_depth: 3,
        policy: document(),
    }
}

pub(crate) fn intent() -> Intent {
    Intent {
        v: 1,
        vault: id("acme"),
        requester: Requester::Agent { agent: id("bot"), credential: id("tok") },
        key: IdempotencyKey::new("k1").unwrap(),
        action: Action::Transfer(Transfer {
            wallet: id("ops"),
            asset: id("eip155:31337/slip44:60"),
            to: id(&format!("eip155:31337:0x{}", hex::encode(RECIPIENT))),
            amount: Amount::from_u128(1_000_000),
            fee_ceiling: Amount::from_u128(100_000),
            memo: None,
        }),
    }
}

/// An unsigned EIP-1559 transaction: chain 31337, nonce 7, fees 2 and 4, gas 21,000.
pub(crate) fn unsigned(to: &[u8; 20], value: u64, data: &[u8]) -> Vec<u8> {
    let mut rlp = rlp::RlpStream::new_list(9);
    for n in [31337u64, 7, 2, 4, 21_000] {
        rlp.append(&n);
    }
    rlp.append(&to.as_slice()).append(&value).append(&data).begin_list(0);
    [&[2], rlp.out().as_ref()].concat()
}

pub(crate) fn unsigned_legacy(to: &[u8; 20], value: u64) -> Vec<u8> {
    let mut rlp = rlp::RlpStream::new_list(9);
    for n in [7u64, 4, 21_000] {
        rlp.append(&n);
    }
    rlp.append(&to.as_slice()).append(&value).append(&"");
    rlp.append(&31337u64).append(&0u8).append(&0u8);
    rlp.out().to_vec()
}

fn wallet_secret() -> SecretKey {
    SecretKey::from_secret_bytes([9; 32]).unwrap()
}

fn wallet_key() -> [u8; 33] {
    secp256k1::PublicKey::from_secret_key(&wallet_secret()).serialize()
}

fn account() -> AccountId {
    let whole = secp256k1::PublicKey::from_secret_key(&wallet_secret()).serialize_uncompressed();
    let hash = keccak(&whole[1..]);
    id(&format!("eip155:31337:0x{}", hex::encode(&hash[12..])))
}

pub(crate) fn reason() -> Reason {
    Reason {
        rule: "rule:large".into(),
        code: "quorum".into(),
        message: "large".into(),
        next: "wait".into(),
    }
}

pub(crate) fn case() -> CaseId {
    intent().case().unwrap()
}

pub(crate) fn judged(judgment: Judgment) -> Body {
    Body::Judged(Box::new(Judged {
        case: case(),
        intent: case().intent(),
        kind: "transfer".into(),
        principal: "bot".into(),
        principal_kind: PrincipalKind::Agent,
        policy: document().digest().unwrap(),
        quorum_m: Some(2),
        quorum_members: quorum("treasury").members,
        reasons: judgment.reasons().to_vec(),
        judgment,
        wallet: Some(id("ops")),
        chain: None,
        asset: None,
        amount: None,
        value: None,
        decimals: None,
        recipient: None,
        budget: vec![],
        reserved: vec![],
        idempotency_key: IdempotencyKey::new("k1").unwrap(),
        risk_class: RiskClass::Standard,
        facts: vec![],
        counterparty_check: CounterpartyCheck::NotPerformed,
        expires_at: Timestamp::from_millis(90_000),
    }))
}

pub(crate) fn approved(name: &str, seed: u8, verdict: Verdict, expires: u64) -> Body {
    let body = ApprovalBody {
        v: 1,
        vault: id("acme"),
        intent: case().intent(),
        policy: document().digest().unwrap(),
        approver: id(name),
        credential: id(&format!("k-{name}")),
        verdict,
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(expires),
        display: Digest::ZERO,
    };
    let signature = sign(seed, body.digest().unwrap().as_bytes());
    Body::Approved(Box::new(Approved {
        case: case(),
        intent: body.intent,
        policy: body.policy,
        approver: body.approver.clone(),
        credential: body.credential.clone(),
        verdict,
        device: None,
        display_digest: body.display,
        user_verified: true,
        expires_at: body.expires_at,
        approval: Approval { body, proof: Proof::Ed25519 { signature } },
    }))
}

/// The same approval from the file of whoever bears the seed 42, under another policy.
pub(crate) fn resigned(approved: &mut Approved, policy: Digest) {
    approved.policy = policy;
    approved.approval.body.policy = policy;
    let signature = sign(42, approved.approval.body.digest().unwrap().as_bytes());
    approved.approval.proof = Proof::Ed25519 { signature };
}

fn generated() -> Body {
    let statement = |name: &str, seed| {
        let body = KeyStatementBody {
            v: 1,
            vault: id("acme"),
            wallet: id("ops"),
            epoch: 0,
            cosigner: id(name),
            ceremony: Digest::ZERO,
            public_key: hex::encode(wallet_key()),
            transcript: Digest::ZERO,
        };
        let signature = sign(seed, body.digest().unwrap().as_bytes());
        KeyStatement { body, signature }
    };
    Body::KeyGenerated(Box::new(KeyGenerated {
        wallet: id("ops"),
        case: CaseId::of_intent(Digest::ZERO),
        ceremony: Digest::ZERO,
        method: "dkg".into(),
        scheme: SchemeName::Dkls23Secp256k1,
        library: "dkls23-core 0.6.2".into(),
        threshold: 2,
        shares: 2,
        holders: ["c1", "c2"].into_iter().map(id).collect(),
        public_key: hex::encode(wallet_key()),
        statements: vec![statement("c1", 31), statement("c2", 32)],
        purpose: "transfers".into(),
    }))
}

pub(crate) fn warranted(bytes: &[u8]) -> Body {
    let chain: ChainId = id("eip155:31337");
    let named = json!({ "bytes": hex::encode(bytes), "chain": chain });
    let form = canonical::to_bytes(&named, "draft").unwrap();
    Body::Warranted(Box::new(Warranted {
        case: case(),
        party: Party::Desk,
        draft: Digest::of(tag::DRAFT, &form),
        bytes: hex::encode(bytes),
        chain,
        decoders: vec![],
        decoded_intent: case().intent(),
        account: account(),
        nonce: 7,
        fee_max: Amount::from_u128(84_000),
        replaces: None,
    }))
}

pub(crate) fn signed(bytes: &[u8]) -> Body {
    let Body::Warranted(warranted) = warranted(bytes) else { panic!("not a warrant") };
    let sighash = keccak(bytes);
    let signature = RecoverableSignature::sign_ecdsa_recoverable(
        Message::from_digest(sighash),
        &wallet_secret(),
    );
    let (recovery, rs) = signature.serialize_compact();
    let parity = u8::from(recovery);
    let transaction = Transaction::read(bytes).unwrap().attach(&Seal { rs, odd: parity == 1 });
    Body::Signed(Box::new(Signed {
        case: case(),
        wallet: id("ops"),
        key_epoch: 0,
        scheme: SchemeName::Dkls23Secp256k1,
        library: "dkls23-core 0.6.2".into(),
        draft: warranted.draft,
        sighash: hex::encode(sighash),
        signature: hex::encode([rs.as_slice(), &[parity]].concat()),
        public_key: hex::encode(wallet_key()),
        txid: format!("0x{}", hex::encode(keccak(&transaction))),
        transaction: hex::encode(transaction),
        cosigners: ["c1", "c2"].into_iter().map(id).collect(),
        session: Digest::ZERO,
        checkpoint_size: 1,
        verified_by: "libsecp256k1".into(),
        purpose: "transfer".into(),
    }))
}

fn txid_of(signed: &Body) -> String {
    let Body::Signed(signed) = signed else { panic!("not signed") };
    signed.txid.clone()
}

pub(crate) fn finality(txid: &str, depth: u64, seed: u8) -> SignedFact {
    let fact = Fact::Finality {
        chain: id("eip155:31337"),
        account: account(),
        nonce: 7,
        txid: txid.to_owned(),
        block: 12,
        depth,
        fate: Fate::Settled,
        fee: Amount::from_u128(50_000),
    };
    let body = FactBody { v: 1, vault: id("acme"), source: id("node"), at: Timestamp::ZERO, fact };
    let signature = sign(seed, body.digest().unwrap().as_bytes());
    SignedFact { body, signature }
}

pub(crate) fn closed(outcome: Outcome, txid: Option<String>, finality: Option<SignedFact>) -> Body {
    Body::Closed(Box::new(Closed {
        case: case(),
        outcome,
        reason: "final".into(),
        culprits: BTreeSet::new(),
        txid,
        amount: None,
        fee: None,
        finality,
    }))
}

/// The true story: founded, key made, filed, judged, approved twice, warranted, signed, broadcast, settled.
pub(crate) fn story() -> Vec<Body> {
    story_of(&unsigned(&RECIPIENT, 1_000_000, &[]))
}

pub(crate) fn story_of(bytes: &[u8]) -> Vec<Body> {
    let signed = signed(bytes);
    let txid = txid_of(&signed);
    let require = Judgment::Require { quorums: [id("treasury")].into(), reasons: vec![reason()] };
    vec![
        Body::Founded(Box::new(Founded { charter: charter() })),
        generated(),
        Body::Filed(Box::new(Filed { case: case(), intent: intent() })),
        judged(require),
        approved("ann", 41, Verdict::Approve, 80_000),
        approved("bo", 42, Verdict::Approve, 80_000),
        warranted(bytes),
        signed,
        Body::Broadcast(Broadcast { case: case(), txid: txid.clone() }),
        closed(Outcome::Settled, Some(txid.clone()), Some(finality(&txid, 3, 61))),
    ]
}

/// Canonical entries of these bodies, each followed by a heartbeat that no receipt shows.
pub(crate) fn entries(bodies: Vec<Body>) -> Vec<Vec<u8>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let beat = |sequence| Body::Heartbeat(Heartbeat { source: "desk".into(), sequence });
    for (body, n) in bodies.into_iter().zip(0u64..) {
        for body in [body, beat(n)] {
            let index = u64::try_from(entries.len()).unwrap();
            let prev = entries.last().map_or(Digest::ZERO, |e| Digest::of(tag::ENTRY, e));
            let at = Timestamp::from_millis(index.wrapping_mul(1000));
            let rules = RULES_VERSION.to_owned();
            let entry = Entry { v: 1, vault: id("acme"), index, prev, at, rules, body };
            entries.push(entry.to_canonical().unwrap());
        }
    }
    entries
}

fn tree(entries: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::new();
    entries.iter().for_each(|entry| tree.push(hash::leaf(entry)));
    tree
}

/// The checkpoint over these entries, signed by the log and cosigned by both cosigners.
pub(crate) fn checkpoint(entries: &[Vec<u8>]) -> quorate_ledger::Note {
    let (charter, tree) = (charter(), tree(entries));
    let checkpoint =
        Checkpoint { origin: charter.log.origin.clone(), size: tree.size(), root: tree.root() };
    let mut note = checkpoint.sign(&pinned().log, |m| sign(51, m));
    for (seat, seed) in charter.cosigners.iter().zip([131, 132]) {
        let key = policy::witness_key(&charter.log.origin, seat).unwrap();
        let line = cosignature::cosign(&key, 1_700_000_000, &note.text, |m| sign(seed, m));
        note.signatures.push(line);
    }
    note
}

pub(crate) fn pinned() -> LogPolicy {
    LogPolicy::of_founding(&charter()).unwrap()
}

/// A receipt of all these bodies in one witnessed book.
pub(crate) fn receipt(bodies: Vec<Body>) -> Vec<u8> {
    let all = entries(bodies);
    let shown: Vec<(u64, Vec<u8>)> = (0u64..).zip(all.iter().cloned()).step_by(2).collect();
    let names = (id("acme"), case());
    Receipt::make(&tree(&all), names, &shown, &checkpoint(&all)).unwrap().to_bytes().unwrap()
}
