//! What stands around the directory, and what the ledgers say: peers, address, clock, freezes, bans, void entries, backups.

use std::net::{TcpListener, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use quorate_custody::limits::CLOCK_SKEW_MAX_S;
use quorate_host::clock::JUMP_MS;
use quorate_host::findings::{Findings, Grade};
use quorate_host::link::{Client, Silent};
use quorate_terms::Timestamp;
use quorate_terms::freeze::Scope;

use super::disk::Known;
use crate::daemon::limits;
use crate::files::LocalKeys;
use crate::settings::PeerSettings;
use crate::status::{Status, WalletView};

/// How long a peer may take to prove its key.
const PEER_WITHIN: Duration = Duration::from_secs(3);

/// The address that this cosigner listens at, and whether each peer proves the key that it was paired with.
pub(super) async fn around(
    known: &Known,
    status: Option<&Status>,
    running: bool,
    found: &mut Findings,
) {
    match running {
        true => found.ok("daemon", "runs"),
        false => {
            let mend = "start it with `quorate-cosigner run`";
            found.add(Grade::Warn, "daemon", "does not run, so nothing is signed here", mend);
            listen(&known.settings.listen, found);
        }
    }
    for (name, peer) in &known.settings.peers {
        let state = match (status.filter(|_| running), &known.keys) {
            (Some(status), _) => status.peers.get(name).cloned(),
            (None, Some(keys)) => Some(dialled(peer, keys).await),
            (None, None) => None,
        };
        let what = format!("peer {name}");
        match state.as_deref() {
            Some("up") => found.ok(&what, "up, under the key that it was paired with"),
            Some(why) => found.add(Grade::Bad, &what, why, mend_of_peer(why)),
            None => {
                let mend = "stop and start this cosigner: it reads its pins at the start";
                found.add(Grade::Bad, &what, "was paired and the daemon does not know it", mend);
            }
        }
    }
}

async fn dialled(peer: &PeerSettings, keys: &LocalKeys) -> String {
    let (address, pin) = (&peer.address, peer.identity);
    match Client::start(address, &keys.identity, pin, Arc::new(Silent), limits()) {
        Err(fault) => fault.to_string(),
        Ok(client) => match client.link(PEER_WITHIN).await {
            Ok(_) => "up".to_owned(),
            Err(error) => client.status().err().unwrap_or_else(|| error.to_string()),
        },
    }
}

fn mend_of_peer(why: &str) -> &'static str {
    let lower = why.to_lowercase();
    if ["certificate", "another key", "welcome"].iter().any(|word| lower.contains(word)) {
        return "compare both identities by voice, as `pair --show` prints them, and pair anew on the side that has the wrong one";
    }
    "start the peer, and check its address: `pair --peer ID --address HOST:PORT --identity KEY`"
}

fn listen(address: &str, found: &mut Findings) {
    let bound = address.to_socket_addrs().and_then(|at| {
        let all: Vec<_> = at.collect();
        TcpListener::bind(all.as_slice())
    });
    match bound {
        Ok(_) => found.ok("address", format!("{address} is free")),
        Err(error) => {
            let mend =
                "end what listens there, or change `listen` in cosigner.toml and tell the others";
            found.add(Grade::Bad, "address", format!("{address}: {error}"), mend);
        }
    }
}

/// What the ledgers of this cosigner say.
pub(super) fn state(status: &Status, now: Timestamp, found: &mut Findings) {
    found.ok("ledgers", format!("{} entries of the book, {} of its own", status.size, status.own));
    clock(status, now, found);
    for freeze in &status.freezes {
        let scope = scope_words(&freeze.scope);
        let mend = format!(
            "when the cause is gone: `quorate unfreeze --scope {scope}`, which the quorum approves"
        );
        found.add(Grade::Warn, "freeze", format!("{scope} is frozen"), mend);
    }
    for index in &status.voids {
        let mend = "find out who wrote it; then the approvers sign `quorate-approvals resume`";
        found.add(Grade::Bad, "book", format!("entry {index} is void; nothing is signed"), mend);
    }
    if status.forgotten_until.is_some() {
        let mend = "nothing, once the quorum has lifted the freeze; what was signed before is counted as the book says";
        found.add(
            Grade::Warn,
            "restore",
            "a share was restored without the record of what it signed",
            mend,
        );
    }
    status.wallets.iter().for_each(|wallet| self::wallet(wallet, status.running, found));
    for (rule, count) in &status.alarms {
        let found_here = format!("{rule}, {count} times since the start");
        found.add(Grade::Warn, "alarm", found_here, mend_of_alarm(rule));
    }
}

fn clock(status: &Status, now: Timestamp, found: &mut Findings) {
    let own = status.own_at.since(now);
    let book = status.book_at.since(now);
    if own > JUMP_MS {
        let why = format!("this clock is {} s behind this cosigner's own ledger", own / 1000);
        let mend = "set the clock by NTP; if it ran ahead before, wait until it has caught up";
        found.add(Grade::Bad, "clock", why, mend);
    } else if book > CLOCK_SKEW_MAX_S.saturating_mul(1000) {
        let why =
            format!("the book is {} s ahead of this clock, so nothing is signed", book / 1000);
        let mend = "set this clock and the desk's by NTP";
        found.add(Grade::Bad, "clock", why, mend);
    } else {
        found.ok("clock", "not behind the ledgers");
    }
}

fn wallet(wallet: &WalletView, running: bool, found: &mut Findings) {
    let what = format!("wallet {}", wallet.wallet);
    if wallet.barred {
        let mend = "never use this key again: open another wallet and move what it holds by the recovery plan";
        found.add(Grade::Bad, &what, "its key is frozen here: a peer was barred", mend);
    }
    if running && !wallet.share && wallet.public_key.is_some() {
        let mend =
            "stop this cosigner and put the share back with `quorate-cosigner backup restore`";
        found.add(Grade::Bad, &what, "this cosigner holds no share that is its key", mend);
    }
    if !wallet.backup && wallet.public_key.is_some() {
        let mend =
            "run `quorate-cosigner backup make`, then `backup verify` while all cosigners run";
        let why = "its share here has no proven backup: it signs on development chains only";
        found.add(Grade::Warn, &what, why, mend);
    } else {
        found.ok(&what, "known to the book");
    }
}

/// What to do about an alarm, by the rule that fired.
fn mend_of_alarm(rule: &str) -> &'static str {
    match rule {
        "book_refused" => {
            "ask the desk's operator: it told what its signed checkpoint does not cover; keep this directory as evidence"
        }
        "void_entry" => {
            "find out who wrote the entry; then the approvers sign `quorate-approvals resume`"
        }
        "clock_jump" => "set the clock by NTP",
        "two_messages" | "peer_banned" => {
            "call the peer's operator; it lied in a protocol or was impersonated"
        }
        "own_ledger_behind" => {
            "keep this directory as evidence; see what the quorum says before it is lifted"
        }
        "snapshot_refused" | "own_snapshot_refused" => "find out who changed this disk",
        "frozen" => "see who froze, and why",
        _ => "see this cosigner's log",
    }
}

fn scope_words(scope: &Scope) -> String {
    match scope {
        Scope::Vault => "vault".to_owned(),
        Scope::Wallet { wallet } => format!("wallet:{wallet}"),
        Scope::Agent { agent } => format!("agent:{agent}"),
    }
}
