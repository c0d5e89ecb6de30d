//! `cosigner.toml`: who this cosigner is, where it listens, and whom it was paired with. Unknown fields are refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quorate_host::config::Config;
use quorate_host::random::Random;
use quorate_host::telemetry::Format;
use quorate_host::{Fault, secret_file};
use quorate_terms::charter::CharterText;
use quorate_terms::{CosignerId, PublicKey};
use serde::{Deserialize, Serialize};

use crate::files::{Home, LocalKeys};
use crate::trouble::fault;

/// The file, typed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Its name in the charter.
    pub(crate) cosigner: CosignerId,
    /// The legal entity that runs it.
    pub(crate) operator: String,
    /// Where it listens: host and port.
    pub(crate) listen: String,
    /// The desk's identity, as pinned at pairing.
    pub(crate) desk_identity: Option<PublicKey>,
    /// How events are written: `text` or `json`.
    #[serde(default, skip_serializing)]
    pub(crate) log: Option<Format>,
    /// The other cosigners, as pinned at pairing.
    #[serde(default)]
    pub(crate) peers: BTreeMap<CosignerId, PeerSettings>,
}

/// One other cosigner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerSettings {
    /// Where it listens: host and port.
    pub(crate) address: String,
    /// Its identity.
    pub(crate) identity: PublicKey,
}

impl Settings {
    pub(crate) fn load(home: &Home) -> Result<Self, Fault> {
        let settings = Config::<Self>::load(&home.settings())?.value;
        is_address("cosigner.toml `listen`", &settings.listen)?;
        for (name, peer) in &settings.peers {
            is_address(&format!("cosigner.toml `peers.{name}.address`"), &peer.address)?;
        }
        Ok(settings)
    }

    pub(crate) fn store(&self, home: &Home, random: Random) -> Result<(), Fault> {
        secret_file::replace(&home.settings(), self.to_toml().as_bytes(), random)
    }

    /// The file's text. What is quoted holds no control character, so JSON's quoting is TOML's too.
    fn to_toml(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut text =
            String::from("# A cosigner of Quorate. `quorate-cosigner pair` writes the pins.\n");
        let mut line = |name: &str, value: &str| {
            let _infallible = writeln!(text, "{name} = {}", quoted(value));
        };
        line("cosigner", self.cosigner.as_str());
        line("operator", &self.operator);
        line("listen", &self.listen);
        if let Some(key) = &self.desk_identity {
            line("desk_identity", &key.to_string());
        }
        match self.log {
            Some(Format::Json) => line("log", "json"),
            Some(Format::Text) => line("log", "text"),
            None => {}
        }
        for (name, peer) in &self.peers {
            let _infallible = writeln!(
                text,
                "\n[peers.{}]\naddress = {}\nidentity = {}",
                quoted(name.as_str()),
                quoted(&peer.address),
                quoted(&peer.identity.to_string()),
            );
        }
        text
    }

    /// Whether the charter seats this cosigner under its own keys.
    pub(crate) fn agrees_in_own_seat(
        &self,
        keys: &LocalKeys,
        text: &CharterText,
    ) -> Result<(), Fault> {
        let own = text.cosigner(&self.cosigner).ok_or_else(|| {
            fault(
                "charter",
                "seats no cosigner of this name",
                "accept it on the machine that it seats",
            )
        })?;
        if own.identity != keys.identity.public_key() || own.witness != keys.witness.public_key() {
            return Err(differs("charter", "seats this cosigner with other keys than its own"));
        }
        Ok(())
    }

    /// Whether what was pinned at pairing is what the charter seats, and our own keys are in our own seat (row 61).
    ///
    /// # Errors
    /// [`Fault`] naming the first that differs.
    pub(crate) fn agrees(&self, keys: &LocalKeys, text: &CharterText) -> Result<(), Fault> {
        self.disagreements(keys, text).into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything in which pins and own seat differ from the charter.
    pub(crate) fn disagreements(&self, keys: &LocalKeys, text: &CharterText) -> Vec<Fault> {
        let own = self.agrees_in_own_seat(keys, text).err();
        let desk = self.desk_agrees(text).err();
        let others = text.cosigners.iter().filter(|seat| seat.cosigner != self.cosigner);
        let peers = others.filter_map(|seat| self.peer_agrees(&seat.cosigner, seat.identity).err());
        let strangers = self.peers.keys().filter(|name| text.cosigner(name).is_none());
        let strangers = strangers.map(|name| {
            differs(&format!("peer `{name}`"), "was paired and has no seat in the charter")
        });
        own.into_iter().chain(desk).chain(peers).chain(strangers).collect()
    }

    fn desk_agrees(&self, text: &CharterText) -> Result<(), Fault> {
        match &self.desk_identity {
            None => Err(fault("desk", "was not paired", "run `pair --desk-identity KEY`")),
            Some(key) if *key != text.log.identity => {
                Err(differs("desk", "was paired with another identity than the charter's"))
            }
            Some(_) => Ok(()),
        }
    }

    fn peer_agrees(&self, name: &CosignerId, identity: PublicKey) -> Result<(), Fault> {
        let what = format!("peer `{name}`");
        match self.peers.get(name) {
            None => {
                let mend = "run `pair --peer ID --address HOST:PORT --identity KEY`";
                Err(fault(&what, "was not paired", mend))
            }
            Some(peer) if peer.identity != identity => {
                Err(differs(&what, "was paired with another identity than the charter's"))
            }
            Some(_) => Ok(()),
        }
    }
}

fn differs(what: &str, why: &str) -> Fault {
    let mend = "compare the keys with their operators by voice; do not go on until they agree";
    fault(what, why, mend)
}

/// Refuses what nobody can listen at or dial.
pub(crate) fn is_address(what: &str, text: &str) -> Result<(), Fault> {
    if quorate_host::link::is_address(text) {
        return Ok(());
    }
    let mend = "give `HOST:PORT`, such as `127.0.0.1:7301`";
    Err(fault(what, &format!("`{text}` is not an address"), mend))
}

/// Refuses text that would not survive a line of the file.
pub(crate) fn plain(what: &str, text: &str) -> Result<(), Fault> {
    if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
        return Err(fault(
            what,
            "is empty, too long or not one line",
            "give 1 to 256 plain characters",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(operator: String) -> Settings {
        let key: PublicKey = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".parse().unwrap();
        let peer = PeerSettings { address: "127.0.0.1:1".to_owned(), identity: key };
        Settings {
            cosigner: CosignerId::new("east").unwrap(),
            operator,
            listen: "127.0.0.1:2".to_owned(),
            desk_identity: Some(key),
            log: Some(Format::Json),
            peers: BTreeMap::from([(CosignerId::new("we.st").unwrap(), peer)]),
        }
    }

    proptest! {
        #[test]
        fn settings_round_trip_whatever_the_operator_is_called(operator in "[^\\p{Cc}]{1,40}") {
            let settings = sample(operator);
            let read: Settings = quorate_host::config::parse(&settings.to_toml(), "t").unwrap();
            prop_assert_eq!(read.operator, settings.operator);
            prop_assert_eq!(read.peers, settings.peers);
            prop_assert_eq!(read.desk_identity, settings.desk_identity);
        }
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line() {
        let text = format!("{}\nspare = 1\n", sample("a".to_owned()).to_toml());
        let fault = quorate_host::config::parse::<Settings>(&text, "cosigner.toml").err().unwrap();
        assert!(fault.to_string().contains("unknown field"), "{fault}");
    }
}
