//! Cosigners' own ledgers: a second book of the same vault, each under its cosigner's key, each believed about itself only.

use quorate_assessor::pack::{Pins, verify};
use quorate_ledger::{Checkpoint, KeyKind, VerifierKey};
use quorate_terms::Digest;
use serde_json::json;

use super::desk::Desk;
use super::room::Room;
use super::vault::{COSIGNERS, Vault};

/// What only these tests need of a vault.
impl Vault {
    /// A ledger that begins with nothing, as a cosigner's own does.
    pub(crate) fn own(name: &str) -> Self {
        let mut vault = Self::found(name);
        (vault.entries, vault.prev) = (Vec::new(), Digest::ZERO);
        vault
    }

    /// Opens a wallet whose key is there.
    pub(crate) fn open_wallet(&mut self, wallet: &str) {
        self.add(json!({
            "type": "WalletOpened", "wallet": wallet, "case": "c", "tier": "hot", "chains": [], "accounts": [],
            "reason": "treasury",
        }));
    }

    /// Says where a share runs.
    pub(crate) fn place(&mut self, wallet: &str, holder: &str, host: &str) {
        self.add(json!({
            "type": "PlacementAttested", "wallet": wallet, "holder": holder, "host": host,
            "operator": format!("{holder} ltd"), "hardware": "process",
        }));
    }

    /// The note that a cosigner puts under its own ledger.
    pub(crate) fn own_note(&self, who: &str) -> String {
        let (key, name) = (self.key(who), format!("{}/{who}", self.origin()));
        let verifier = VerifierKey::new(name.clone(), KeyKind::Log, key.public_key()).unwrap();
        let head = Checkpoint { origin: name, ..self.head() };
        head.sign(&verifier, |bytes| key.sign_bytes(bytes)).to_string()
    }
}

/// No two shares of a wallet on one host.
const APART: &str = "ccss 9.0 1.05.9.1";

fn vault() -> Vault {
    let mut vault = Vault::found("house");
    vault.add_key("w-1", "dkg");
    vault.open_wallet("w-1");
    vault
}

/// An office that has the vault's book and somebody's word on the hosts, but no cosigner's ledger.
fn room(vault: &Vault) -> Room {
    let room = Room::pinned(vault);
    room.take_in(vault);
    room.good(&["evidence", APART, "--tag", "INSPECTION_1", "--by", "p-ann"]);
    room
}

/// Takes in an own ledger as that of a cosigner; gives the code if it is refused.
fn hand_over(room: &Room, cosigner: &str, own: &Vault, note: &str) -> Result<u64, String> {
    let (export, note) = room.exported(own, note);
    let words =
        ["import", "--vault", "house", "--cosigner", cosigner, &export, "--checkpoint", &note];
    let output = room.run(&words);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    if output.status.success() {
        return Ok(value["head"]["size"].as_u64().unwrap());
    }
    Err(value["error"]["code"].as_str().unwrap().to_owned())
}

fn own(holder: &str, host: &str) -> Vault {
    let mut own = Vault::own("house");
    own.place("w-1", holder, host);
    own
}

#[test]
fn where_shares_run_is_decided_by_the_ledgers_of_those_who_hold_them() {
    let vault = vault();
    let room = room(&vault);
    assert_eq!(room.state(APART), "unproven", "nobody handed a ledger over");
    let (east, west) = (own("east", "h-1"), own("west", "h-2"));
    assert_eq!(hand_over(&room, "east", &east, &east.own_note("east")), Ok(1));
    assert_eq!(room.state(APART), "unproven", "one of two");
    assert_eq!(hand_over(&room, "west", &west, &west.own_note("west")), Ok(1));
    assert_eq!(room.state(APART), "met");
    let shown = room.answer(&["show", APART]);
    let heads = shown["finding"]["machine"]["heads"].as_array().unwrap();
    let books: Vec<&str> = heads.iter().map(|head| head["book"].as_str().unwrap()).collect();
    let origins = ["house.example/book", "house.example/book/east", "house.example/book/west"];
    assert_eq!(books, [&origins[..], &["auditor.example/office"]].concat());
    let mut moved = west;
    moved.place("w-1", "west", "h-1");
    assert_eq!(hand_over(&room, "west", &moved, &moved.own_note("west")), Ok(2));
    assert_eq!(room.state(APART), "gap", "it moved to the other's host");
    assert_eq!(room.good(&["doctor"])["healthy"], true);
    assert_eq!(room.good(&["status"])["books"].as_array().unwrap().len(), 3);
}

#[test]
fn row_74_a_cosigner_is_believed_about_itself_and_nothing_else() {
    let vault = vault();
    let room = room(&vault);
    let mut east = own("east", "h-1");
    // About the other holder's host, and about a key made by its holders together.
    east.place("w-1", "west", "h-2");
    east.add_key("w-1", "dealer");
    assert_eq!(hand_over(&room, "east", &east, &east.own_note("east")), Ok(3));
    assert_eq!(room.state(APART), "unproven", "the other's word is still missing");
    let made = room.answer(&["show", "ccss 9.0 1.01.1.1"]);
    assert_eq!(made["finding"]["state"], "met", "what it says of keys is no evidence");
    assert_eq!(made["finding"]["machine"]["population"], 1);
}

#[test]
fn row_74_an_own_ledger_that_is_forged_foreign_or_forked_is_refused() {
    let vault = vault();
    let room = room(&vault);
    let east = own("east", "h-1");
    let note = east.own_note("east");
    let mut flipped = east.clone();
    let at = flipped.entries[0].len() / 2;
    flipped.entries[0][at] ^= 1;
    let mut thief = east.clone();
    thief.keys = "thief".into();
    let mut stranger = Vault::own("other");
    stranger.keys = "house".into();
    stranger.place("w-1", "east", "h-1");
    let witnessed = east.note(&COSIGNERS);
    for (what, cosigner, own, note) in [
        ("another cosigner's", "west", &east, &note),
        ("nobody's", "north", &east, &note),
        ("under a stranger's key", "east", &thief, &thief.own_note("east")),
        ("a flipped byte", "east", &flipped, &note),
        ("another vault's", "east", &stranger, &stranger.own_note("east")),
        ("the vault's own note", "east", &east, &witnessed),
    ] {
        let refused = hand_over(&room, cosigner, own, note).unwrap_err();
        let codes = ["refuted", "malformed", "unknown_cosigner"];
        assert!(codes.contains(&refused.as_str()), "{what}: {refused}");
    }
    assert_eq!(room.state(APART), "unproven");
    assert_eq!(hand_over(&room, "east", &east, &note), Ok(1));
    let fork = own("east", "h-9");
    assert_eq!(hand_over(&room, "east", &fork, &fork.own_note("east")), Err("refuted".into()));
    let cut = Vault::own("house");
    assert_eq!(hand_over(&room, "east", &cut, &cut.own_note("east")), Err("shrunk".into()));
    // The vault's book is not taken for a cosigner's, nor the other way round.
    let (export, file) = room.exported(&east, &note);
    let words = ["import", "--vault", "house", &export, "--checkpoint", &file];
    assert_eq!(room.refused(&words).0, "refuted");
}

#[test]
fn a_ledger_that_is_handed_over_while_watching_counts_at_once() {
    let vault = vault();
    let room = room(&vault);
    let desk = Desk::open(vault, room.key());
    room.follow(&desk);
    let mut watch = room.watch();
    for (holder, host) in [("east", "h-1"), ("west", "h-1")] {
        let own = own(holder, host);
        assert_eq!(hand_over(&room, holder, &own, &own.own_note(holder)), Ok(1));
    }
    let event = watch.wait(|event| {
        event["event"] == "finding_changed" && event["finding"]["control"]["id"] == "1.05.9.1"
    });
    assert_eq!((&event["finding"]["state"], &event["alert"]), (&"gap".into(), &true.into()));
}

#[test]
fn an_evidence_pack_proves_what_cosigners_own_ledgers_say() {
    let vault = vault();
    let room = room(&vault);
    let (mut later, mut west) = (own("east", "h-1"), own("west", "h-2"));
    for (holder, own) in [("east", &mut later), ("west", &mut west)] {
        own.place("w-1", holder, &format!("{holder}-new"));
        assert_eq!(hand_over(&room, holder, own, &own.own_note(holder)), Ok(2));
    }
    // Whether the hosts that were left are wiped is asked of the cosigners' own entries.
    room.answer(&["assess", "ccss 9.0"]);
    // What came later changes no proof of what was assessed.
    later.place("w-1", "east", "newest");
    assert_eq!(hand_over(&room, "east", &later, &later.own_note("east")), Ok(3));
    let out = room.path("evidence.pack");
    let made = room.good(&["pack", "--out", &out.display().to_string()]);
    let office: VerifierKey = made["office"].as_str().unwrap().parse().unwrap();
    let pack = std::fs::read(&out).unwrap();
    let verified = verify(&pack, &Pins { office: office.clone(), books: vec![vault.policy()] });
    assert!(verified.stands(), "{verified:?}");
    let said: String = verified.checks.iter().filter_map(|c| c.outcome.clone().ok()).collect();
    for book in ["east`: 1 cited of 3", "west`: 1 cited of 2"] {
        assert!(said.contains(&format!("`house.example/book/{book} entries")), "{said}");
    }
    let mut unseated = vault.policy();
    unseated.witnesses.pop();
    unseated.quorum = 1;
    assert!(!verify(&pack, &Pins { office, books: vec![unseated] }).stands());
    std::fs::remove_file(room.path("office/books/house@west.checkpoint")).unwrap();
    let again = room.path("again.pack").display().to_string();
    assert_eq!(room.refused(&["pack", "--out", &again]).0, "no_book");
}

#[test]
fn what_a_finding_cites_is_written_out_with_proofs() {
    let vault = vault();
    let room = room(&vault);
    let dir = room.path("proofs").display().to_string();
    let shown = room.answer(&["show", "ccss 9.0 1.01.1.1", "--proofs", &dir]);
    assert_eq!(shown["proofs"]["entries"], 1);
    let entry = std::fs::read(room.path("proofs/entry-1.json")).unwrap();
    let proof = std::fs::read_to_string(room.path("proofs/entry-1.tlog-proof")).unwrap();
    let proof: quorate_ledger::TlogProof = proof.parse().unwrap();
    let witnessed = proof.verify(&entry, &vault.policy()).unwrap();
    assert_eq!(witnessed.witnesses.len(), 2);
}
