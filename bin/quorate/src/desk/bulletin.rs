//! The auditor's office as the console shows it: a bulletin from a file that the operators put there, believed under the key that
//! desk.toml pins and no other, and compared with this desk's own ledger.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use quorate_custody::Refusal;
use quorate_gateway::console::standing::{Against, Bulletins, Told};
use quorate_gateway::office::Reply;
use quorate_host::fault::Fault;
use quorate_ledger::tree::root_at;
use quorate_terms::PublicKey;
use quorate_terms::bulletin::{Assessed, BULLETIN_BYTES_MAX, SignedBulletin};

use super::effects::World;
use crate::config::ConsoleConfig;

const DAY_MS: u64 = 86_400_000;

/// The office that desk.toml names.
pub(crate) struct Pinned {
    origin: String,
    key: PublicKey,
    path: PathBuf,
    world: Arc<World>,
}

impl Pinned {
    /// The office of a configuration; none where none is named.
    ///
    /// # Errors
    /// [`Fault`] where only a part of it is named, or its address is no origin.
    pub(crate) fn of(
        config: &ConsoleConfig,
        resolve: impl Fn(&Path) -> PathBuf,
        world: &Arc<World>,
    ) -> Result<Option<Self>, Fault> {
        let bad = |why: &str, mend: &str| Fault::new("console.office", why, mend);
        match (&config.office, config.office_key, &config.bulletin) {
            (None, None, None) => Ok(None),
            (Some(origin), Some(key), Some(path)) => {
                if !is_origin(origin) {
                    let mend =
                        "write it as `https://office.example`; plain HTTP only for this machine";
                    return Err(bad("is no origin under TLS", mend));
                }
                let (origin, path) = (origin.clone(), resolve(path));
                Ok(Some(Self { origin, key, path, world: world.clone() }))
            }
            _ => {
                let mend = "name `office`, `office_key` and `bulletin`, or none of them";
                Err(bad("is named in part", mend))
            }
        }
    }

    /// The file's bytes; none when it is not there.
    fn bytes(&self) -> Reply<Option<Vec<u8>>> {
        let no = |why: String| {
            Refusal::new("unreadable", why, "look at the file that `bulletin` names in desk.toml")
        };
        let file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(no(format!("the bulletin cannot be read: {e}"))),
        };
        let mut bytes = Vec::new();
        let mut most = file.take(BULLETIN_BYTES_MAX.saturating_add(1));
        most.read_to_end(&mut bytes)
            .map_err(|e| no(format!("the bulletin cannot be read: {e}")))?;
        match u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BULLETIN_BYTES_MAX {
            true => Err(no("the bulletin is too large".to_owned())),
            false => Ok(Some(bytes)),
        }
    }

    async fn against(&self, one: &Assessed) -> Reply<Against> {
        let engine = &self.world.engine;
        let (ours, log) = (engine.head().size, engine.origin());
        let Some(head) = one.heads.iter().find(|head| head.book == log) else {
            return Ok(Against::Elsewhere);
        };
        if head.size > ours {
            return Ok(Against::Ahead);
        }
        let size = head.size;
        let root = engine.store().with_hashes(move |hashes| root_at(hashes, size)).await;
        let root = root.map_err(unread)?.map_err(unread)?;
        Ok(if root == head.root {
            Against::Behind(ours.saturating_sub(size))
        } else {
            Against::Other
        })
    }
}

#[async_trait]
impl Bulletins for Pinned {
    fn origin(&self) -> &str {
        &self.origin
    }

    async fn newest(&self) -> Reply<Option<Told>> {
        let Some(bytes) = self.bytes()? else { return Ok(None) };
        let bulletin = SignedBulletin::open(&bytes, &self.key)?;
        let now = self.world.engine.clock().now();
        let mut against = Vec::new();
        for one in &bulletin.standards {
            against.push(self.against(one).await?);
        }
        let days = now.since(bulletin.made_at).checked_div(DAY_MS).unwrap_or(0);
        Ok(Some(Told { bulletin, against, days }))
    }
}

fn unread(fault: Fault) -> Refusal {
    Refusal::new("not_now", fault.to_string(), "try again; if it stays so, run `quorate doctor`")
}

/// `https://host`, or plain HTTP on this machine.
fn is_origin(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let starts = ["https://", "http://localhost:", "http://127.0.0.1:"];
    let rest = starts.iter().find_map(|start| text.strip_prefix(start));
    rest.is_some_and(|host| !host.is_empty() && host.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_office_is_reached_under_tls_or_on_this_machine() {
        for (origin, good) in [
            ("https://office.example", true),
            ("https://office.example:8443", true),
            ("http://localhost:7900", true),
            ("http://office.example", false),
            ("https://office.example/path", false),
            ("https://user@office.example", false),
            ("https://", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_origin(origin), good, "{origin}");
        }
    }
}
