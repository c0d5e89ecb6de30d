//! Founding: keys of one's own, pins of the others, and one charter whose digest people have compared.

use std::path::Path;

use quorate_custody::Book;
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_host::{Fault, secret_file};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CosignerSeat;
use quorate_terms::{CosignerId, Digest, PublicKey};
use serde_json::json;

use crate::files::{Home, LocalKeys, read_charter};
use crate::settings::{PeerSettings, Settings, is_address, plain};
use crate::trouble::{fault, malformed, refused};

/// `init`: makes the directory, both keys and the settings; writes and prints the seat to put into the charter.
pub(crate) fn init(
    ui: Ui,
    dir: &Path,
    cosigner: CosignerId,
    operator: String,
    listen: String,
) -> Result<(), Fault> {
    plain("--operator", &operator)?;
    is_address("--listen", &listen)?;
    let random = Random::start()?;
    let home = Home::make(dir)?;
    let keys = LocalKeys::create(&home, random)?;
    let settings = Settings {
        cosigner,
        operator,
        listen,
        desk_identity: None,
        log: None,
        peers: std::collections::BTreeMap::new(),
    };
    settings.store(&home, random)?;
    let seat = seat(&settings, &keys);
    let text = serde_json::to_string_pretty(&seat).unwrap_or_default();
    let file = home.seat();
    secret_file::create(&file, format!("{text}\n").as_bytes(), random)?;
    let next = format!(
        "give {} to whoever founds the vault; it is public. Then run `pair` and `accept`",
        file.display()
    );
    ui.answer(&seat, format!("{text}\n\n{next}"))
}

fn seat(settings: &Settings, keys: &LocalKeys) -> CosignerSeat {
    CosignerSeat {
        cosigner: settings.cosigner.clone(),
        identity: keys.identity.public_key(),
        witness: keys.witness.public_key(),
        operator: settings.operator.clone(),
    }
}

/// What `pair` was asked.
pub(crate) enum Pairing {
    /// Pin another cosigner.
    Peer(CosignerId, PeerSettings),
    /// Pin the desk.
    Desk(PublicKey),
    /// Show everything, own seat included.
    Show,
}

/// `pair`: pins an identity that was compared, or shows what is pinned.
pub(crate) fn pair(ui: Ui, dir: &Path, pairing: Pairing) -> Result<(), Fault> {
    let home = Home::open(dir)?;
    let mut settings = Settings::load(&home)?;
    match pairing {
        Pairing::Peer(name, peer) => {
            is_address("--address", &peer.address)?;
            if name == settings.cosigner {
                return Err(fault("pair", "names this cosigner itself", "name another cosigner"));
            }
            settings.peers.insert(name, peer);
            settings.store(&home, Random::start()?)?;
        }
        Pairing::Desk(key) => {
            settings.desk_identity = Some(key);
            settings.store(&home, Random::start()?)?;
        }
        Pairing::Show => {}
    }
    let seat = seat(&settings, &LocalKeys::load(&home)?);
    let mut text = format!("this cosigner  {} {}\n", seat.cosigner, seat.identity);
    let desk =
        settings.desk_identity.map_or_else(|| "not paired".to_owned(), |key| key.to_string());
    text.push_str(&format!("desk           {desk}\n"));
    for (name, peer) in &settings.peers {
        text.push_str(&format!("peer           {name} {} {}\n", peer.address, peer.identity));
    }
    ui.answer(&json!({ "seat": seat, "settings": settings }), text)
}

/// `accept`: takes the founding charter, once.
pub(crate) fn accept(ui: Ui, dir: &Path, file: &Path, given: Digest) -> Result<(), Fault> {
    let home = Home::open(dir)?;
    let settings = Settings::load(&home)?;
    let keys = LocalKeys::load(&home)?;
    let text = read_charter(file)?;
    let digest = text.digest().map_err(|e| malformed("charter", &e))?;
    if digest != given {
        let why = format!("the file's digest is {digest}, and {given} was given");
        let mend = "have every operator and approver read the first and last eight digits aloud from their own copy; accept only what all of them read";
        return Err(fault("charter", &why, mend));
    }
    // Also compiles the policy, which may have problems of its own.
    Book::new(text.clone()).map_err(|e| refused("charter", &e))?;
    settings.agrees(&keys, &text)?;
    let path = home.charter();
    if path.exists() {
        let before = home.accepted()?.digest().map_err(|e| malformed("charter", &e))?;
        if before != digest {
            let why = format!("another charter, {before}, was accepted here");
            let mend = "a cosigner is founded once; find out who wrote the second charter, or use another directory";
            return Err(fault("charter", &why, mend));
        }
    } else {
        let bytes = text.to_canonical().map_err(|e| malformed("charter", &e))?;
        secret_file::create(&path, &bytes, Random::start()?)?;
    }
    let answer = json!({ "cosigner": settings.cosigner, "vault": text.vault, "charter": digest });
    ui.answer(
        &answer,
        format!("{} accepts charter {digest} of vault {}", settings.cosigner, text.vault),
    )
}
