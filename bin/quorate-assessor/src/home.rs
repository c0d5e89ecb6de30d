//! The office's directory: what lies in it, with which modes, and one process at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quorate_host::config::Config;
use quorate_host::random::Random;
use quorate_host::{Fault, Identity, secret_file};
use quorate_ledger::LogPolicy;
use quorate_terms::{PublicKey, VaultId};
use serde::Deserialize;

use crate::trouble::{Done, Trouble};
use crate::trust::BookId;

/// The largest small file that is read whole, in bytes.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How often, and how long between, a process asks for a directory that another holds: ten seconds in all.
const TRIES: u32 = 500;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// `assessor.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where each pinned book's desk is, by vault.
    #[serde(default)]
    pub(crate) desks: BTreeMap<VaultId, DeskAt>,
}

/// A desk's door for those who follow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeskAt {
    /// Host and port.
    pub(crate) address: String,
    /// The link key that it must prove.
    pub(crate) identity: PublicKey,
}

/// Where programs' tokens are kept, by digest, in the folder of an office.
pub(crate) fn tokens_of(dir: &Path) -> PathBuf {
    dir.join("tokens.json")
}

/// Takes the tokens of an office for one command. It is no part of [`Home`]: a token is revoked while the office works too.
pub(crate) fn lock_tokens(dir: &Path) -> Done<File> {
    is_there(dir)?;
    let lock = lock_file(&dir.join("tokens.lock"))?;
    lock.lock().map_err(|e| Fault::at(dir, &e))?;
    Ok(lock)
}

fn is_there(dir: &Path) -> Done<()> {
    if dir.exists() {
        return Ok(secret_file::check_dir(dir)?);
    }
    let message = format!("there is no office in {}", dir.display());
    Err(Trouble::fault("no_office", message, "run `quorate-assessor init` first"))
}

fn lock_file(path: &Path) -> Done<File> {
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    Ok(open.map_err(|e| Fault::at(path, &e))?)
}

/// Where an office in this directory keeps evidence, for who does not hold the directory.
pub(crate) fn files_of(dir: &Path) -> PathBuf {
    dir.join("files")
}

/// The directory, held by this process alone until it is dropped.
pub(crate) struct Home {
    dir: PathBuf,
    _lock: File,
}

impl Home {
    /// As [`Home::open_now`], and waits a while for another process to be done with it.
    pub(crate) fn open(dir: &Path, make: bool) -> Done<Self> {
        for _ in 0..TRIES {
            match Self::open_now(dir, make) {
                Err(trouble) if trouble.code == "busy" => std::thread::sleep(BETWEEN_TRIES),
                outcome => return outcome,
            }
        }
        Self::open_now(dir, make)
    }

    /// Makes the directory, or opens the one that is there, and takes it for this process.
    pub(crate) fn open_now(dir: &Path, make: bool) -> Done<Self> {
        if make {
            secret_file::make_dir(dir)?;
        }
        is_there(dir)?;
        let lock = lock_file(&dir.join("lock"))?;
        if lock.try_lock().is_err() {
            let message = format!("another quorate-assessor works in {}", dir.display());
            return Err(Trouble::fault("busy", message, "wait until it is done"));
        }
        for part in ["books", "results"] {
            let path = dir.join(part);
            fs::create_dir_all(&path).map_err(|e| Fault::at(&path, &e))?;
        }
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    /// The office's ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir.join("office.db")
    }

    /// The office's key.
    pub(crate) fn identity(&self) -> Done<Identity> {
        Ok(Identity::load(&self.dir.join("office.key"))?)
    }

    /// The office's key, drawn if there is none.
    pub(crate) fn own_identity(&self, random: Random) -> Done<Identity> {
        let path = self.dir.join("office.key");
        if path.exists() { self.identity() } else { Ok(Identity::create(&path, random)?) }
    }

    /// Where copies of books lie.
    pub(crate) fn books(&self) -> PathBuf {
        self.dir.join("books")
    }

    fn config(&self) -> PathBuf {
        self.dir.join("assessor.toml")
    }

    /// The office's configuration; unknown fields are refused.
    pub(crate) fn settings(&self) -> Done<Settings> {
        let path = self.config();
        if !path.exists() {
            return Ok(Settings::default());
        }
        Ok(Config::<Settings>::load(&path)?.value)
    }

    /// Remembers where a book's desk is.
    pub(crate) fn write_desk(&self, vault: &VaultId, at: DeskAt) -> Done<()> {
        let mut settings = self.settings()?;
        settings.desks.insert(vault.clone(), at);
        let mut text = "# The auditor's office. Unknown fields are refused.\n".to_owned();
        for (vault, at) in &settings.desks {
            let address = toml_text(&at.address);
            let _infallible = write!(
                text,
                "\n[desks.{vault}]\naddress = {address}\nidentity = \"{}\"\n",
                at.identity
            );
        }
        let _read: Settings = quorate_host::config::parse(&text, "assessor.toml")?;
        write(&self.config(), text.as_bytes())
    }

    /// Where a book's copy lies.
    pub(crate) fn book(&self, id: &BookId) -> PathBuf {
        self.dir.join("books").join(format!("{id}.jsonl"))
    }

    /// Where the note of a book's head lies.
    pub(crate) fn head(&self, id: &BookId) -> PathBuf {
        self.dir.join("books").join(format!("{id}.checkpoint"))
    }

    /// The own ledgers of a vault's cosigners that were taken in.
    pub(crate) fn own_ledgers(&self, vault: &VaultId) -> Done<Vec<BookId>> {
        let policy = self.read_pin(vault)?;
        let prefix = format!("{}/", policy.log.name());
        let names = policy.witnesses.iter().filter_map(|w| w.key.name().strip_prefix(&prefix));
        let ids = names.filter_map(|name| {
            Some(BookId { vault: vault.clone(), cosigner: Some(name.parse().ok()?) })
        });
        Ok(ids.filter(|id| self.head(id).exists()).collect())
    }

    fn pin(&self, vault: &VaultId) -> PathBuf {
        self.dir.join("books").join(format!("{vault}.policy.json"))
    }

    /// Where results lie.
    pub(crate) fn results(&self, name: &str) -> PathBuf {
        self.dir.join("results").join(name)
    }

    /// Where evidence lies, sealed.
    pub(crate) fn files(&self) -> PathBuf {
        files_of(&self.dir)
    }

    /// Where the openings of a redacted copy lie, for the auditor's eyes.
    pub(crate) fn openings(&self) -> PathBuf {
        self.dir.join("openings")
    }

    /// Where an issuer keeps the marks that it signed.
    pub(crate) fn marks(&self) -> PathBuf {
        self.dir.join("marks")
    }

    /// Registrars whose signatures this office believes.
    pub(crate) fn registrars(&self) -> PathBuf {
        self.dir.join("registrars.json")
    }

    /// Pins a book. A pin is never changed: another charter is another book.
    pub(crate) fn write_pin(&self, policy: &LogPolicy) -> Done<()> {
        let path = self.pin(&policy.vault);
        if path.exists() {
            let message = format!("the book of `{}` is pinned already", policy.vault);
            let next = "a pin is never changed; open another office for another charter";
            return Err(Trouble::refused("pinned", message, next));
        }
        write(&path, &policy.to_json()?)
    }

    /// The policy of a pinned book.
    pub(crate) fn read_pin(&self, vault: &VaultId) -> Done<LogPolicy> {
        let path = self.pin(vault);
        if !path.exists() {
            let message = format!("the book of `{vault}` is not pinned");
            let next = "pin it first: quorate-assessor pin POLICY";
            return Err(Trouble::refused("not_pinned", message, next));
        }
        let read = LogPolicy::from_json(&read(&path)?).map_err(Trouble::from);
        read.map_err(Trouble::damaged)
    }

    /// The vaults whose books are pinned.
    pub(crate) fn pinned(&self) -> Done<Vec<VaultId>> {
        let dir = self.dir.join("books");
        let mut vaults = Vec::new();
        for entry in fs::read_dir(&dir).map_err(|e| Fault::at(&dir, &e))? {
            let name = entry.map_err(|e| Fault::at(&dir, &e))?.file_name();
            let name = name.to_string_lossy().into_owned();
            if let Some(vault) = name.strip_suffix(".policy.json") {
                vaults.push(vault.parse()?);
            }
        }
        vaults.sort();
        Ok(vaults)
    }
}

/// A text as TOML writes it; the escapes of JSON are among TOML's.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads a small file. A device or a pipe may have no end and no beginning, so only files are read.
pub(crate) fn read(path: &Path) -> Done<Vec<u8>> {
    let fault = |e: std::io::Error| Trouble::from(Fault::at(path, &e));
    if !fs::metadata(path).map_err(fault)?.is_file() {
        let message = format!("{} is no file", path.display());
        return Err(Trouble::refused("no_file", message, "give the right file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fault)?;
    file.take(TEXT_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(fault)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > TEXT_BYTES_MAX {
        let message = format!("{} is too large", path.display());
        return Err(Trouble::refused("too_large", message, "give the right file"));
    }
    Ok(bytes)
}

/// Reads a small file of text.
pub(crate) fn read_text(path: &Path) -> Done<String> {
    String::from_utf8(read(path)?).map_err(|_| {
        Trouble::refused("not_text", format!("{} is not text", path.display()), "give a text file")
    })
}

/// Writes a file so that a crash leaves the old one or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Done<()> {
    let new = path.with_extension("new");
    let attempt = || {
        fs::write(&new, bytes)?;
        File::open(&new)?.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    Ok(attempt().map_err(|e| Fault::at(path, &e))?)
}
