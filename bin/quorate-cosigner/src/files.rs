//! What lies in a cosigner's directory, and under which names. The directory is its owner's alone (0700), and so is
//! everything in it that matters (0600).

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use quorate_cosigner::party::Keys;
use quorate_host::random::Random;
use quorate_host::{Fault, Identity, secret_file};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::{Digest, Signature};

use crate::trouble::{fault, malformed};

/// The largest charter file, in bytes.
const CHARTER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A cosigner's directory.
#[derive(Clone, Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// The directory at `dir`, which must be there and private.
    pub(crate) fn open(dir: &Path) -> Result<Self, Fault> {
        secret_file::check_dir(dir)?;
        Ok(Self(dir.to_owned()))
    }

    /// The directory at `dir`, to be looked at and not to be trusted.
    pub(crate) fn unchecked(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }

    /// A directory that is made if need be.
    pub(crate) fn make(dir: &Path) -> Result<Self, Fault> {
        secret_file::make_dir(dir)?;
        let home = Self(dir.to_owned());
        secret_file::make_dir(&home.shares())?;
        Ok(home)
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.0.join("identity.key")
    }

    pub(crate) fn witness(&self) -> PathBuf {
        self.0.join("witness.key")
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.0.join("cosigner.toml")
    }

    /// The seat that goes into the charter. It is public.
    pub(crate) fn seat(&self) -> PathBuf {
        self.0.join("seat.json")
    }

    pub(crate) fn charter(&self) -> PathBuf {
        self.0.join("charter.json")
    }

    pub(crate) fn book(&self) -> PathBuf {
        self.0.join("book.db")
    }

    pub(crate) fn own(&self) -> PathBuf {
        self.0.join("own.db")
    }

    pub(crate) fn shares(&self) -> PathBuf {
        self.0.join("shares")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// The charter that was accepted here.
    pub(crate) fn accepted(&self) -> Result<CharterText, Fault> {
        let path = self.charter();
        if !path.exists() {
            let mend = "run `accept` with the charter whose digest the operators have compared";
            return Err(fault(&path.display().to_string(), "no charter was accepted here", mend));
        }
        read_charter(&path)
    }
}

/// Reads a charter and checks what must hold of any.
pub(crate) fn read_charter(path: &Path) -> Result<CharterText, Fault> {
    let name = path.display().to_string();
    // A device has no length and no end either.
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|e| Fault::at(path, &e))?;
    let most = CHARTER_BYTES_MAX.saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|e| Fault::at(path, &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length == most) {
        return Err(fault(&name, "is too large for a charter", "give the charter's JSON file"));
    }
    let text = CharterText::from_canonical(bytes.trim_ascii()).map_err(|e| malformed(&name, &e))?;
    text.check().map_err(|e| malformed(&name, &e))?;
    Ok(text)
}

/// The two keys with which a cosigner speaks.
pub(crate) struct LocalKeys {
    /// Links and statements.
    pub(crate) identity: Identity,
    /// Cosignatures on checkpoints.
    pub(crate) witness: Identity,
}

impl LocalKeys {
    pub(crate) fn create(home: &Home, random: Random) -> Result<Self, Fault> {
        Ok(Self {
            identity: Identity::create(&home.identity(), random)?,
            witness: Identity::create(&home.witness(), random)?,
        })
    }

    pub(crate) fn load(home: &Home) -> Result<Self, Fault> {
        Ok(Self {
            identity: Identity::load(&home.identity())?,
            witness: Identity::load(&home.witness())?,
        })
    }
}

impl Keys for LocalKeys {
    fn identity(&self, digest: &Digest) -> Signature {
        self.identity.sign(digest)
    }

    fn witness(&self, bytes: &[u8]) -> Signature {
        self.witness.sign_bytes(bytes)
    }
}
