//! What a cosigner writes in its own ledger when it starts: which binary runs, and under which settings.
//!
//! Names are those of the evidence model of the draft Wallet Security Standard; every value is what this build does.

use quorate_cosigner::dkls23::Dkls23;
use quorate_cosigner::limits::ABORTS_MAX;
use quorate_cosigner::party::Placement;
use quorate_cosigner::scheme::Scheme as _;
use quorate_custody::Charter;
use quorate_host::{Fault, Store, machine};
use quorate_terms::canonical;
use quorate_terms::digest::tag;
use quorate_terms::entry::{Body, ConfigurationCaptured, Deployed};
use quorate_terms::{Digest, Timestamp};
use serde_json::{Map, Value, json};

use crate::rebuild::Own;
use crate::settings::Settings;
use crate::trouble::{malformed, not_appended};

/// Seconds without an entry after which a start captures the settings again although they are the same: a word of long ago
/// tells an auditor nothing of today.
const FRESH_S: u64 = 43_200;

/// Records the start, and the configuration where it differs from the one captured last or nothing was said for long.
pub(crate) async fn record(
    own: &mut Own,
    store: &Store,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Fault> {
    let party = format!("cosigner:{}", settings.cosigner);
    let deployed = Deployed {
        host: machine::host(&own.fold.charter.text().vault),
        role: party.clone(),
        binary: machine::binary()?,
        release: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut bodies = vec![Body::Deployed(Box::new(deployed))];
    let values = values(settings, &own.fold.charter);
    let bytes =
        canonical::to_bytes(&values, "configuration").map_err(|e| malformed("settings", &e))?;
    let digest = Digest::of(tag::CONFIGURATION, &bytes);
    let previous = own.fold.notes.configuration();
    let silent = now > own.fold.book.last_at().plus_s(FRESH_S);
    if previous != Some(digest) || silent {
        let captured = ConfigurationCaptured { party, digest, previous, values };
        bodies.push(Body::ConfigurationCaptured(Box::new(captured)));
    }
    let size = own.fold.book.size();
    let entries: Result<_, _> = bodies.into_iter().map(|body| own.next(body, now)).collect();
    let entries = entries?;
    store.append(size, entries).await.map(drop).map_err(not_appended)
}

fn values(settings: &Settings, charter: &Charter) -> Map<String, Value> {
    let text = charter.text();
    let origin = &text.log.origin;
    let values = json!({
        "cosigner.requires_log_proof": true,
        "cosigner.judges_alone": true,
        "cosigner.decodes_bytes": true,
        "cosigner.isolation": "process",
        "cosigner.operator": settings.operator,
        "cosigner.allowed_schemes": [{ "scheme": Dkls23.name(), "library": Dkls23.library() }],
        "cosigner.presignatures": false,
        "cosigner.abort_limit": ABORTS_MAX,
        "cosigner.peer_authentication": "mutual_tls",
        "cosigner.signed_transcript": true,
        "storage.share_cipher": "AES-256-GCM-SIV",
        "storage.share_wrap": "passphrase",
        "storage.bound_context": ["wallet", "epoch", "party"],
        "storage.core_dumps": false,
        "ledger.origin": origin,
        "charter": charter.digest(),
        "listen": settings.listen,
        "rules": quorate_terms::entry::RULES_VERSION,
    });
    match values {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}

/// Where shares run here: what goes with every share that this cosigner comes to hold.
pub(crate) fn placement(charter: &Charter, settings: &Settings) -> Placement {
    let host = machine::host(&charter.text().vault);
    Placement { host, operator: settings.operator.clone(), hardware: "process".to_owned() }
}
