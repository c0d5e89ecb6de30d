//! What the desk records when it starts: which binary runs, under which settings, and who changed either.
//!
//! Names are those of the evidence model of the draft Wallet Security Standard; every value is what this build does.

use quorate_custody::Event;
use quorate_gateway::bands::Table;
use quorate_host::fault::Fault;
use quorate_host::machine;
use quorate_terms::charter::CharterText;
use quorate_terms::credential::Band;
use quorate_terms::digest::tag;
use quorate_terms::entry::{AdminActed, Body, ConfigurationCaptured, Deployed};
use quorate_terms::{Digest, PersonId, Timestamp};
use serde_json::{Map, Value, json};

use super::effects::pulse::SILENCE_S;
use super::engine::Engine;
use crate::config::DeskConfig;

/// Where the digests of the binary and of the settings that ran last are kept.
const BINARY: &str = "captured/binary";
const SETTINGS: &str = "captured/settings";
/// When settings were captured last.
const CAPTURED_AT: &str = "captured/at";
/// Seconds after which a start captures the settings again although they are the same: a word of long ago tells an auditor
/// nothing of today.
const FRESH_S: u64 = 43_200;

/// Records the start; the settings where they differ from those captured last, or were captured long ago; and that somebody
/// changed them, or the binary, if so.
///
/// # Errors
/// [`Fault`] when the ledger takes no entries.
pub(super) async fn record(
    engine: &Engine,
    config: &DeskConfig,
    charter: &CharterText,
    operator: &PersonId,
) -> Result<(), Fault> {
    let upgrade = engine.look(|book| book.upgrade()).await.map_err(|e| full(&e))?;
    let binary = machine::binary()?;
    let deployed = Deployed {
        host: machine::host(&charter.vault),
        role: "desk".to_owned(),
        binary,
        release: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut bodies: Vec<Body> = upgrade.into_iter().collect();
    bodies.push(Body::Deployed(Box::new(deployed)));
    let ran = known(engine, BINARY).await?;
    if ran.is_some_and(|ran| ran != binary) {
        bodies.push(acted(operator, "software_changed"));
    }
    let values = values(config, charter);
    let bytes = quorate_terms::canonical::to_bytes(&values, "configuration")
        .map_err(|e| Fault::new("desk.toml", e.to_string(), "report this"))?;
    let digest = Digest::of(tag::CONFIGURATION, &bytes);
    let previous = known(engine, SETTINGS).await?;
    let changed = previous != Some(digest);
    let now = engine.clock().now();
    let fresh = captured_at(engine).await?.is_some_and(|at| now < at.plus_s(FRESH_S));
    if changed || !fresh {
        let party = "desk".to_owned();
        let captured = ConfigurationCaptured { party, digest, previous, values };
        bodies.push(Body::ConfigurationCaptured(Box::new(captured)));
        bodies.extend(previous.filter(|_| changed).map(|_| acted(operator, "settings_changed")));
    }
    for body in bodies {
        engine.tell(Event::Noted(Box::new(body))).await.map_err(|e| full(&e))?;
    }
    keep(engine, BINARY, binary).await?;
    if changed || !fresh {
        let at = now.as_millis().to_be_bytes().to_vec();
        engine.store().put(CAPTURED_AT, at).await.map_err(|e| full(&e))?;
    }
    keep(engine, SETTINGS, digest).await
}

async fn captured_at(engine: &Engine) -> Result<Option<Timestamp>, Fault> {
    let bytes = engine.store().get(CAPTURED_AT).await?;
    let at = bytes.and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
    Ok(at.map(Timestamp::from_millis))
}

fn acted(person: &PersonId, action: &str) -> Body {
    let (person, action) = (person.clone(), action.to_owned());
    Body::AdminActed(AdminActed { person, party: "desk".to_owned(), action, case: None })
}

async fn known(engine: &Engine, key: &str) -> Result<Option<Digest>, Fault> {
    let bytes = engine.store().get(key).await?;
    Ok(bytes.and_then(|bytes| Some(Digest::from_bytes(bytes.try_into().ok()?))))
}

async fn keep(engine: &Engine, key: &str, digest: Digest) -> Result<(), Fault> {
    engine.store().put(key, digest.as_bytes().to_vec()).await.map_err(|e| full(&e))
}

fn full(why: &impl std::fmt::Display) -> Fault {
    Fault::new("ledger", why.to_string(), "free space and start again")
}

/// Every setting that could be another one. Addresses are digests of themselves: a change shows, the value does not.
fn values(config: &DeskConfig, charter: &CharterText) -> Map<String, Value> {
    let hidden = |text: &str| Digest::of(tag::CONFIGURATION, text.as_bytes());
    let http = config.http.as_ref();
    let (oauth, console) = (config.oauth.as_ref(), config.console.as_ref());
    let provider = console.and_then(|console| console.openid.as_ref());
    let off = || json!("off");
    let nodes: Map<String, Value> =
        config.chains.iter().map(|(id, node)| (id.to_string(), json!(hidden(&node.rpc)))).collect();
    let cosigners: Map<String, Value> =
        config.cosigners.iter().map(|(id, at)| (id.to_string(), json!(hidden(at)))).collect();
    let witnesses: Vec<Value> = charter
        .cosigners
        .iter()
        .map(|seat| json!({ "witness": seat.cosigner, "operator": seat.operator }))
        .collect();
    let views = charter.views.iter().map(
        |seat| json!({ "view": seat.view, "operator": seat.operator, "local": seat.is_local() }),
    );
    let values = json!({
        "agent.admin_tools": [],
        "agent.approve_tools": [],
        "approval.views": views.collect::<Vec<_>>(),
        "agent.bands": bands(),
        "agent.http_bands": http.map_or("off", |http| http.bands.as_str()),
        "agent.http_mode": http.map_or("off", |http| http.mode.as_str()),
        "agent.http_tls": http.is_some_and(|http| http.certificate.is_some()),
        "agent.http_origins": http.map_or(0, |http| http.origins.len()),
        "console.provider": provider.map_or_else(off, |openid| json!(hidden(&openid.issuer))),
        "cosigners": cosigners,
        "ledger.unrecorded_acts": [],
        "ledger.witness_quorum": charter.threshold,
        "ledger.witnesses": witnesses,
        "monitor.silence_limit_s": SILENCE_S,
        "monitor.sources": ["desk"],
        "monitor.model_may_loosen": false,
        "nodes": nodes,
        "oauth.demand_dpop": oauth.is_some_and(|oauth| oauth.demand_dpop),
        "oauth.issuer": oauth.map_or_else(off, |oauth| json!(hidden(&oauth.issuer))),
        "policy.default": "deny",
        "policy.delegatecall": "deny",
        "policy.no_expiry_signature": "deny",
        "policy.raw_hash_signing": false,
        "policy.unknown_call": "deny",
        "policy.unlimited_allowance": "deny",
        "poll_ms": config.poll_ms,
        "readers": config.readers.len(),
        "rules": quorate_terms::entry::RULES_VERSION,
        "screening.deny_list": config.deny_list.is_some(),
        "sources": config.sources.keys().collect::<Vec<_>>(),
    });
    match values {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}

/// The tools of each band, by name.
fn bands() -> Map<String, Value> {
    let all = [Band::Read, Band::Prepare, Band::Sign, Band::Broadcast];
    let tools = |band: Band| -> Vec<String> {
        Table::new(band, band).tools().iter().map(|tool| tool.name.to_string()).collect()
    };
    all.into_iter().map(|band| (band.to_string(), json!(tools(band)))).collect()
}
