//! Sealed shares on disk: one file for each ceremony, `<wallet>-<epoch>-<ceremony>.share`, opened only where it belongs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_cosigner::KeyShare;
use quorate_cosigner::dkls23::Dkls23;
use quorate_cosigner::share::{Expected, RawKeyShare, associated_data};
use quorate_host::random::Random;
use quorate_host::seal::{self, Cost, KeySource, SealError};
use quorate_host::{Fault, Secret, secret_file};
use quorate_terms::WalletId;

use crate::trouble::{fault, malformed};

/// What the file `unseal.check` is sealed for: a wrong passphrase is refused before there is any share.
const CHECK_CONTEXT: &[u8] = b"quorate/seal-context/v1\nunseal-check";
/// What it holds.
const CHECK: &[u8] = b"this passphrase opens the shares of this directory\n";

/// The shares' directory with what opens it.
pub(crate) struct Cabinet {
    dir: PathBuf,
    source: KeySource,
    random: Random,
    party: u8,
}

impl Cabinet {
    /// Whether a passphrase was set for this directory.
    pub(crate) fn is_set(dir: &Path) -> bool {
        check_path(dir).exists()
    }

    /// Opens the cabinet; sets the passphrase if none was.
    pub(crate) fn unseal(
        dir: PathBuf,
        passphrase: Secret,
        party: u8,
        random: Random,
    ) -> Result<Self, Fault> {
        secret_file::check_dir(&dir)?;
        let source = KeySource::Passphrase { passphrase, cost: Cost::STANDARD };
        let path = check_path(&dir);
        if path.exists() {
            let blob = secret_file::read(&path)?;
            seal::open(&source, CHECK_CONTEXT, blob.expose()).map_err(|e| not_opened(&path, e))?;
        } else {
            secret_file::create(
                &path,
                &seal::seal(&source, CHECK_CONTEXT, CHECK, random)?,
                random,
            )?;
        }
        Ok(Self { dir, source, random, party })
    }

    /// Seals a share and syncs it to disk.
    pub(crate) fn put(&self, share: &KeyShare) -> Result<PathBuf, Fault> {
        let facts = share.facts();
        let aad = associated_data(&facts.wallet, facts.epoch, facts.party)
            .map_err(|e| malformed("share", &e))?;
        let plain = share.encode().map_err(|e| fault("share", &e.to_string(), "report this"))?;
        let blob = seal::seal(&self.source, &aad, &plain, self.random)?;
        let ceremony = facts.ceremony.short();
        let path = self.dir.join(format!("{}-{}-{ceremony}.share", facts.wallet, facts.epoch));
        secret_file::create(&path, &blob, self.random)?;
        Ok(path)
    }

    /// Whether any share lies here.
    pub(crate) fn holds_any(&self) -> Result<bool, Fault> {
        Ok(!share_files(&self.dir)?.is_empty())
    }

    /// Opens every share file, the oldest first. Any that does not open stops the start: a damaged or swapped share is never
    /// passed over.
    pub(crate) fn all(&self) -> Result<Vec<KeyShare>, Fault> {
        share_files(&self.dir)?.iter().map(|path| self.open(path)).collect()
    }

    fn open(&self, path: &Path) -> Result<KeyShare, Fault> {
        let name = path.display().to_string();
        let (wallet, epoch) = parse_name(path).ok_or_else(|| {
            fault(
                &name,
                "is not named as a share",
                "give it back the name under which it was sealed",
            )
        })?;
        let expected = Expected { wallet: &wallet, epoch, party: self.party };
        let blob = secret_file::read(path)?;
        open_share(&self.source, &[], &expected, blob.expose()).map_err(|e| match e {
            NotOpened::Seal(error) => not_opened(path, error),
            NotOpened::Share(error) => malformed(&name, &error),
        })
    }
}

/// Why a sealed share is not one.
pub(crate) enum NotOpened {
    Seal(SealError),
    Share(quorate_terms::Malformed),
}

/// Opens a sealed share and believes it only if it is what was expected. `extra` is bound to it as well.
pub(crate) fn open_share(
    source: &KeySource,
    extra: &[u8],
    expected: &Expected<'_>,
    blob: &[u8],
) -> Result<KeyShare, NotOpened> {
    let mut aad = associated_data(expected.wallet, expected.epoch, expected.party)
        .map_err(NotOpened::Share)?;
    aad.extend_from_slice(extra);
    let plain = seal::open(source, &aad, blob).map_err(NotOpened::Seal)?;
    let raw = RawKeyShare::decode(plain.expose()).map_err(NotOpened::Share)?;
    raw.validate(&Dkls23, expected).map_err(NotOpened::Share)
}

/// One line on a file that does not open.
pub(crate) fn not_opened(path: &Path, error: SealError) -> Fault {
    let text = error.to_string();
    let (why, mend) = text.split_once("; ").unwrap_or((&text, "restore it from a backup"));
    Fault::new(path.display().to_string(), why, mend)
}

/// The shares in a directory, the oldest first.
pub(crate) fn share_files(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    for found in fs::read_dir(dir).map_err(|e| Fault::at(dir, &e))? {
        let path = found.map_err(|e| Fault::at(dir, &e))?.path();
        if path.extension().is_some_and(|ending| ending == "share") {
            let written = fs::metadata(&path).and_then(|m| m.modified());
            files.push((written.map_err(|e| Fault::at(&path, &e))?, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// The file of a share of this wallet and epoch, whatever its ceremony, if one lies here.
pub(crate) fn present(dir: &Path, wallet: &WalletId, epoch: u64) -> Result<Option<PathBuf>, Fault> {
    let same = |path: &PathBuf| parse_name(path).is_some_and(|(w, e)| w == *wallet && e == epoch);
    Ok(share_files(dir)?.into_iter().find(same))
}

fn check_path(dir: &Path) -> PathBuf {
    dir.join("unseal.check")
}

/// Wallet and epoch from `<wallet>-<epoch>-<ceremony>.share`.
fn parse_name(path: &Path) -> Option<(WalletId, u64)> {
    let stem = path.file_stem()?.to_str()?;
    let mut parts = stem.rsplitn(3, '-');
    let _ceremony = parts.next()?;
    let epoch = parts.next()?.parse().ok()?;
    Some((WalletId::new(parts.next()?).ok()?, epoch))
}

/// A share behind a counter.
pub(crate) type Shared = Arc<KeyShare>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wallet_with_dashes_and_dots_is_read_back_from_its_file_name() {
        let (wallet, epoch) = parse_name(Path::new("/x/a-b.c-1-7-12ab34cd.share")).unwrap();
        assert_eq!((wallet.as_str(), epoch), ("a-b.c-1", 7));
        for bad in ["x.share", "a-b.share", "a-b-c.share", "-1-2.share"] {
            assert!(parse_name(Path::new(bad)).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_file_name_panics(name in ".*") {
            let _any = parse_name(Path::new(&name));
        }
    }
}
