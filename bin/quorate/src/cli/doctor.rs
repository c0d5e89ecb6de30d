//! What is wrong, or soon will be, and how to mend it. Each finding is `ok`, `warn` or `bad`.

mod views;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use quorate_host::config::Config;
use quorate_host::findings::{Findings, Grade};
use quorate_host::ui::Ui;
use quorate_host::{Clock as _, Fault, Identity, SystemClock, https, secret_file};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::Severity;
use quorate_terms::fact::FactKind;
use quorate_terms::{ChainId, Digest, Term as _};
use serde_json::{Value, json};

use super::client::Desk;
use super::filing::At;
use super::trouble::Tried;
use super::{Ended, charter, read};
use crate::bounded::bounded;
use crate::config::DeskConfig;
use crate::desk::balances;
use crate::desk::files::Files;
use quorate_gateway::office::StatusView;

/// Clocks further apart than this make approvals and facts lapse early.
const CLOCK_MS_MAX: u64 = 2_000;

/// How long a node may take to answer.
const NODE_PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer about a chain's number that is read, in bytes.
const NODE_ANSWER_MAX: usize = 64 * 1024;

/// Looks everywhere and answers with what it found.
pub(crate) async fn obey(ui: &Ui, at: &At) -> Tried<Ended> {
    let mut found = Findings::default();
    files(&at.dir, &mut found);
    let config = configuration(&at.dir, &mut found);
    let accepted = config.as_ref().and_then(|config| founding(&at.dir, config, &mut found));
    if let Some(config) = &config {
        certificates(config, &mut found);
        history(&config.resolve(&config.value.data), &mut found);
        for (chain, node) in &config.value.chains {
            self::node(chain, &node.rpc, &mut found).await;
        }
    }
    let own = config.as_ref().and_then(|config| config.value.operator.as_deref());
    match desk(&at.dir).await {
        Ok(status) => {
            views::look(&status.charter_text, &status.policy_document, own, &mut found);
            views::certificates(&status.charter_text, &mut found).await;
            running(&status, accepted.map(|(digest, _)| digest), &mut found);
        }
        Err(trouble) => {
            if let Some((_, text)) = &accepted {
                views::look(text, &text.policy, own, &mut found);
                views::certificates(text, &mut found).await;
            }
            found.bad("desk", &trouble);
        }
    }
    Ok(if found.answer(ui)? { Ended::Well } else { Ended::Badly })
}

/// Whether the doors' certificates can be used, and go on to be.
fn certificates(config: &Config<DeskConfig>, found: &mut Findings) {
    let http = config.value.http.as_ref().map(|http| (&http.certificate, &http.key));
    let console = config.value.console.as_ref().map(|own| (&own.certificate, &own.key));
    for (name, pair) in [("certificate", http), ("certificate of the console", console)] {
        let Some((Some(certificate), Some(key))) = pair else { continue };
        let now = SystemClock::new().now();
        match https::look(&config.resolve(certificate), &config.resolve(key), now) {
            Ok(until) if until < now.plus_s(https::RENEW_S) => {
                let mend = "renew it and put it in place; the desk takes it up without a restart";
                found.add(Grade::Warn, name, format!("runs out at {}", until.utc()), mend);
            }
            Ok(until) => found.ok(name, format!("valid until {}", until.utc())),
            Err(fault) => found.bad(name, &fault),
        }
    }
}

/// Whether what nodes said of balances can be read, and whether it ever could not.
fn history(data: &Path, found: &mut Findings) {
    let path = Files::balances(data);
    if let Err(fault) = balances::look(&path) {
        let why = format!("{}: {}", fault.what(), fault.why());
        found.add(Grade::Warn, "balances", why, fault.mend());
    }
    let aside = balances::put_aside_at(&path);
    if aside.exists() {
        let why = format!("{} could not be read, and began anew", path.display());
        let mend = format!("find out what changed it, then delete {}", aside.display());
        found.add(Grade::Warn, "balances", why, mend);
    }
}

async fn desk(dir: &Path) -> Tried<StatusView> {
    Desk::at(dir).await?.status().await
}

fn files(dir: &Path, found: &mut Findings) {
    for folder in [dir.to_owned(), dir.join("keys")] {
        match secret_file::check_dir(&folder) {
            Ok(()) => found.ok("folder", folder.display().to_string()),
            Err(fault) => found.bad("folder", &fault),
        }
    }
    for key in ["keys/log.seed", "keys/link.seed"] {
        let path = dir.join(key);
        match Identity::load(&path) {
            Ok(_) => found.ok("key", path.display().to_string()),
            Err(fault) => found.bad("key", &fault),
        }
    }
    let path = dir.join("desk.toml");
    match path.metadata() {
        // Who can write it can point the desk at other nodes and cosigners.
        Ok(meta) if meta.mode() & 0o022 != 0 => {
            let mend = format!("chmod 600 {}", path.display());
            found.add(
                Grade::Bad,
                "file",
                format!("{} can be written by others", path.display()),
                mend,
            );
        }
        Ok(_) => found.ok("file", path.display().to_string()),
        Err(error) => found.bad("file", &Fault::at(&path, &error)),
    }
}

fn configuration(dir: &Path, found: &mut Findings) -> Option<Config<DeskConfig>> {
    match Config::<DeskConfig>::load(&dir.join("desk.toml")) {
        Ok(config) => {
            found.ok("configuration", "every field is known");
            Some(config)
        }
        Err(fault) => {
            found.bad("configuration", &fault);
            None
        }
    }
}

/// The charter on this disk, and its digest.
fn founding(
    _dir: &Path,
    config: &Config<DeskConfig>,
    found: &mut Findings,
) -> Option<(Digest, CharterText)> {
    let path = config.resolve(&config.value.charter);
    let read = read::document::<CharterText>(&path)
        .and_then(|text| charter::check(&text).and(Ok(text)))
        .and_then(|text| Ok((text.digest()?, text)));
    match read {
        Ok((digest, text)) => {
            found.ok("charter", format!("{digest}, as on this disk"));
            sources(&text, config, found);
            Some((digest, text))
        }
        Err(trouble) => {
            found.bad("charter", &trouble);
            None
        }
    }
}

fn sources(text: &CharterText, config: &Config<DeskConfig>, found: &mut Findings) {
    let speaks = |kind: FactKind| {
        let mut named = text.sources.iter().filter(move |seat| seat.kinds.contains(&kind));
        named.any(|seat| config.value.sources.contains_key(seat.source.as_str()))
    };
    if speaks(FactKind::Finality) {
        found.ok("finality", "a source is named and configured");
    } else {
        let mend = "make one with `quorate source init`, and name it by `quorate charter propose`";
        let why = "no source is named and configured, so nothing that was signed can close";
        found.add(Grade::Bad, "finality", why, mend);
    }
    if !speaks(FactKind::Price) {
        let mend = "nothing, unless rules weigh values; then name a source of prices";
        found.add(Grade::Warn, "prices", "no source is named and configured", mend);
    }
}

async fn node(chain: &ChainId, url: &str, found: &mut Findings) {
    let what = format!("node {chain}");
    match chain_id(url).await {
        Ok(number) if number == chain.reference() => found.ok(what, format!("is chain {number}")),
        Ok(number) => {
            let mend = "point `desk.toml` at a node of the right chain";
            found.add(Grade::Bad, what, format!("the node is of chain {number}"), mend);
        }
        // The URL may hold a key, so it is not repeated.
        Err(why) => {
            found.add(Grade::Bad, what, why, "start the node, or mend its address in desk.toml")
        }
    }
}

/// The number of a node's chain, in decimal.
pub(super) async fn chain_id(url: &str) -> Result<String, String> {
    // Once per process; a provider that is there already is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    // The address may have come from a browser: it sends nobody elsewhere.
    let client = reqwest::Client::builder()
        .timeout(NODE_PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|e| e.without_url().to_string())?;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
    let sent = client.post(url).json(&call).send().await;
    let answer = sent.map_err(|e| format!("cannot be reached ({})", e.without_url()))?;
    if !answer.status().is_success() {
        return Err(format!("answers with status {}", answer.status().as_u16()));
    }
    let bytes = bounded(answer, NODE_ANSWER_MAX).await?;
    let answer: Value = serde_json::from_slice(&bytes).map_err(|_| "gave no JSON".to_owned())?;
    let digits = answer.get("result").and_then(Value::as_str).and_then(|t| t.strip_prefix("0x"));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.map(|number| number.to_string()).ok_or_else(|| "told no chain id".to_owned())
}

fn running(status: &StatusView, accepted: Option<Digest>, found: &mut Findings) {
    found.ok("desk", format!("runs vault {}, {} entries", status.vault, status.size));
    match accepted {
        Some(digest) if digest == status.charter => found.ok("charter", "in force as founded"),
        Some(_) if status.charter_text.version > 1 => {
            found.ok("charter", format!("version {} in force", status.charter_text.version));
        }
        Some(digest) => {
            let mend = "stop the desk; find out who changed charter.json";
            let why = format!("in force is {}, on disk lies {digest}", status.charter);
            found.add(Grade::Bad, "charter", why, mend);
        }
        None => {}
    }
    match status.writes {
        true => found.ok("disk", "takes writes"),
        false => found.add(
            Grade::Bad,
            "disk",
            "takes no writes",
            "free space; the desk notices within a second and goes on",
        ),
    }
    if status.checkpoint.is_none() {
        let mend = "start the cosigners; they witness the book as they follow it";
        found.add(Grade::Warn, "checkpoint", "there is none yet", mend);
    }
    cosigners(status, found);
    for (chain, height) in &status.chains {
        match height {
            Ok(height) => {
                found.ok(format!("chain {chain}"), format!("the desk is at block {height}"))
            }
            Err(why) => found.add(
                Grade::Bad,
                format!("chain {chain}"),
                why.as_str(),
                "check the node and its address",
            ),
        }
    }
    wallets(status, found);
    trouble(status, found);
}

fn cosigners(status: &StatusView, found: &mut Findings) {
    for cosigner in &status.cosigners {
        let what = format!("cosigner {}", cosigner.cosigner);
        if !cosigner.up {
            let mend = "start it with `quorate-cosigner run`, and check its address in desk.toml";
            found.add(Grade::Bad, what, "its link is down", mend);
            continue;
        }
        let offset = cosigner.clock_offset_ms.unwrap_or(0);
        if offset.unsigned_abs() > CLOCK_MS_MAX {
            let mend =
                "set both clocks by NTP; approvals and facts lapse by each party's own clock";
            found.add(Grade::Bad, &what, format!("its clock is off by {offset} ms"), mend);
        }
        let behind = cosigner.size.is_none_or(|size| size < status.size);
        match (&cosigner.trouble, behind) {
            (Some(trouble), _) => {
                let mend = "ask its operator for `quorate-cosigner status`";
                found.add(Grade::Warn, what, format!("last refused: {trouble}"), mend);
            }
            (None, true) => {
                found.add(Grade::Warn, what, "follows behind the book", "wait; then look again");
            }
            (None, false) => found.ok(what, format!("up, clock {offset:+} ms")),
        }
    }
}

fn wallets(status: &StatusView, found: &mut Findings) {
    for wallet in &status.wallets {
        let what = format!("wallet {}", wallet.wallet);
        if let Some(who) = &wallet.barred {
            let mend = "move what it holds by the recovery plan; a barred key is never used again";
            found.add(Grade::Bad, &what, format!("its key is frozen: {who} is barred"), mend);
        }
        let real = wallet.accounts.keys().any(|chain| !quorate_chains::is_development(chain));
        let missing: Vec<&str> = wallet
            .holders
            .iter()
            .filter(|holder| !wallet.backups.contains(holder))
            .map(String::as_str)
            .collect();
        match (missing.as_slice(), real) {
            ([], _) => found.ok(what, "every share has a proven backup"),
            (_, false) => found.ok(what, "on development chains only; backups are not asked for"),
            (missing, true) => {
                let who = missing.join(", ");
                let mend = format!("run `quorate-cosigner backup make` and `verify` at {who}");
                let why = format!("refused until a backup is proven by {who}");
                found.add(Grade::Bad, what, why, mend);
            }
        }
    }
}

fn trouble(status: &StatusView, found: &mut Findings) {
    for scope in status.freezes.values() {
        let scope = read::scope_words(scope);
        let mend = format!("when the cause is gone: `quorate unfreeze --scope {scope}`");
        found.add(Grade::Warn, "freeze", format!("{scope} is frozen"), mend);
    }
    for (index, entry) in &status.voids {
        let mend = "find out why; then the approvers sign `quorate-approvals resume`";
        let why = format!("entry {index} ({}) is void; nothing is signed", entry.short());
        found.add(Grade::Bad, "book", why, mend);
    }
    for alert in &status.alerts {
        let open = &alert.open;
        let grade = if open.severity == Severity::Low { Grade::Warn } else { Grade::Bad };
        let short = alert.alert.short();
        let mend = format!("{}; then `quorate alert close {short}`", mend_of(&open.rule));
        found.add(grade, "alert", format!("{} about {}", open.rule, open.subject), mend);
    }
    if status.voids.is_empty() {
        found.ok("book", "no void entries");
    }
}

/// What to do about an alert, by the rule that fired.
fn mend_of(rule: &str) -> &'static str {
    match rule {
        "void_entry" => {
            "find out who wrote the entry; the approvers sign `quorate-approvals resume`"
        }
        "rollback" => "stop the desk and restore its ledger from a cosigner's replica",
        "clock_skew" | "clock_jump" => "set the clocks by NTP",
        "silence" => "find out why the desk stood still, and what it missed",
        "tools_changed" => "compare the tool list with the release that you installed",
        "repeated_abort" => "ask the cosigners' operators for `quorate-cosigner status`",
        "foreign_session" | "beyond_scope" => "find out what the agent did; revoke it if in doubt",
        "finality_disputed" => "compare the source's node with another",
        _ => "find out why it fired",
    }
}
