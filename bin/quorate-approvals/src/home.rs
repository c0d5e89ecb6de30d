//! The approver's directory: what lies in it, with which modes, and one process at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use quorate_host::config::Config;
use quorate_host::random::Random;
use quorate_host::{Identity, secret_file};
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::{CosignerId, Digest, Malformed, PublicKey, Term as _};
use serde::Deserialize;

use crate::trouble::{Done, Trouble};

/// The largest file of text that is read whole, in bytes.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The one configuration file. Unknown fields are refused.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the desk gives out the book, host and port.
    pub(crate) desk: Option<String>,
    /// Where each cosigner listens, for freezes.
    #[serde(default)]
    pub(crate) cosigners: BTreeMap<CosignerId, String>,
    /// How long a peer may take to answer, in seconds.
    pub(crate) timeout_s: Option<u64>,
}

/// The directory, held by this process alone until it is dropped.
pub(crate) struct Home {
    dir: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes the directory, or opens the one that is there, and takes it for this process.
    pub(crate) fn open(dir: &Path, make: bool) -> Done<Self> {
        if make {
            secret_file::make_dir(dir)?;
        }
        if !dir.exists() {
            let message = format!("{} is not there", dir.display());
            let next = "run `quorate-approvals enrol` first, or give the right --dir";
            return Err(Trouble::fault("fault", message, next));
        }
        secret_file::check_dir(dir)?;
        let path = dir.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        if lock.try_lock().is_err() {
            let message = format!("another quorate-approvals works in {}", dir.display());
            return Err(Trouble::fault("busy", message, "wait until it is done"));
        }
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The sealed signing key.
    pub(crate) fn key(&self) -> PathBuf {
        self.dir.join("key.sealed")
    }

    /// The identity on links.
    pub(crate) fn link(&self) -> PathBuf {
        self.dir.join("link.identity")
    }

    /// The enrolment: the public seat.
    pub(crate) fn enrolment(&self) -> PathBuf {
        self.dir.join("enrolment.json")
    }

    /// The opening of the device's commitment. Stays here.
    pub(crate) fn device(&self) -> PathBuf {
        self.dir.join("device.json")
    }

    /// The accepted charter.
    pub(crate) fn charter(&self) -> PathBuf {
        self.dir.join("charter.json")
    }

    /// The replica: one canonical entry a line.
    pub(crate) fn book(&self) -> PathBuf {
        self.dir.join("book.jsonl")
    }

    /// The last checkpoints that were verified here.
    pub(crate) fn memory(&self) -> PathBuf {
        self.dir.join("checkpoints.json")
    }

    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("approvals.toml")
    }

    /// Where proof of a desk's misbehaviour is kept.
    pub(crate) fn evidence(&self, note: &str) -> PathBuf {
        let name = Digest::of(quorate_terms::digest::tag::DISPLAY, note.as_bytes()).short();
        self.dir.join(format!("evidence-{name}.txt"))
    }

    /// This approver's public seat.
    pub(crate) fn seat(&self) -> Done<ApproverSeat> {
        let text = read_text(&self.enrolment()).map_err(|trouble| Trouble {
            next: "run `quorate-approvals enrol` first, or give the right --dir".to_owned(),
            ..trouble
        })?;
        parse_seat(&text).map_err(Into::into)
    }

    /// The accepted charter.
    pub(crate) fn accepted(&self) -> Done<CharterText> {
        if !self.charter().exists() {
            let next = "compare the digest out of band and run `quorate-approvals accept`";
            return Err(Trouble::refused("no_charter", "no charter was accepted here", next));
        }
        Ok(CharterText::from_canonical(read_text(&self.charter())?.as_bytes())?)
    }

    /// The link identity.
    pub(crate) fn identity(&self) -> Done<Identity> {
        Ok(Identity::load(&self.link())?)
    }

    /// The configuration; nothing set where there is no file.
    pub(crate) fn settings(&self) -> Done<Settings> {
        if !self.config().exists() {
            return Ok(Settings::default());
        }
        Ok(Config::<Settings>::load(&self.config())?.value)
    }

    /// Writes the configuration.
    pub(crate) fn write_settings(&self, settings: &Settings, random: Random) -> Done<()> {
        let text = settings_text(settings)?;
        Ok(secret_file::replace(&self.config(), text.as_bytes(), random)?)
    }
}

/// Reads an enrolment.
pub(crate) fn parse_seat(text: &str) -> Result<ApproverSeat, Malformed> {
    serde_json::from_str(text).map_err(|e| {
        let why = format!("cannot be read ({e})");
        Malformed::new("enrolment", why, "give the file that `quorate-approvals enrol` wrote")
    })
}

/// Reads a text file of bounded size.
pub(crate) fn read_text(path: &Path) -> Done<String> {
    let trouble = |e: std::io::Error| Trouble::from(quorate_host::Fault::at(path, &e));
    // A device has no length and no end either.
    let mut text = String::new();
    let file = File::open(path).map_err(trouble)?;
    let most = TEXT_BYTES_MAX.saturating_add(1);
    file.take(most).read_to_string(&mut text).map_err(trouble)?;
    if u64::try_from(text.len()).is_ok_and(|length| length == most) {
        let message = format!("{} is too large", path.display());
        return Err(Trouble::fault("fault", message, "give the right file"));
    }
    Ok(text)
}

fn settings_text(settings: &Settings) -> Result<String, Malformed> {
    let mut text =
        String::from("# quorate-approvals: where the others are. Keys come from the charter.\n");
    if let Some(desk) = &settings.desk {
        let _infallible = writeln!(text, "desk = \"{}\"", address(desk)?);
    }
    if let Some(timeout) = settings.timeout_s {
        let _infallible = writeln!(text, "timeout_s = {timeout}");
    }
    if !settings.cosigners.is_empty() {
        text.push_str("\n[cosigners]\n");
    }
    for (cosigner, at) in &settings.cosigners {
        let _infallible = writeln!(text, "\"{cosigner}\" = \"{}\"", address(at)?);
    }
    Ok(text)
}

/// Checks that an address is host and port.
pub(crate) fn address(text: &str) -> Result<&str, Malformed> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b".-:[]_%".contains(&b);
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_some() && text.bytes().all(good) {
        return Ok(text);
    }
    Err(Malformed::new("address", "is not host and port", "give for example `10.0.0.7:7443`"))
}

/// Reads `ID=ADDR`.
pub(crate) fn cosigner_address(text: &str) -> Result<(CosignerId, String), String> {
    let (id, at) = text.split_once('=').ok_or("give `cosigner=host:port`")?;
    let id = id.parse().map_err(|e: Malformed| e.to_string())?;
    Ok((id, address(at).map_err(|e| e.to_string())?.to_owned()))
}

/// Reads a public key for the command line.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    text.parse().map_err(|e: Malformed| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were_written() {
        let settings = Settings {
            desk: Some("127.0.0.1:7443".to_owned()),
            cosigners: BTreeMap::from([("east.1".parse().unwrap(), "[::1]:7444".to_owned())]),
            timeout_s: Some(5),
        };
        let text = settings_text(&settings).unwrap();
        let read: Settings = quorate_host::config::parse(&text, "test").unwrap();
        assert_eq!(read, settings);
    }

    #[test]
    fn unknown_fields_of_the_configuration_are_refused() {
        let refused = quorate_host::config::parse::<Settings>("desks = \"a:1\"\n", "test");
        assert!(refused.unwrap_err().to_string().contains("unknown field"));
    }

    #[test]
    fn an_address_that_could_break_out_of_its_quotes_is_refused() {
        for bad in ["", "host", "host:port", "a\"b:1", "a b:1", "host:99999", "a\n:1"] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert!(cosigner_address("east=127.0.0.1:1").is_ok());
        assert!(cosigner_address("127.0.0.1:1").is_err());
    }
}
