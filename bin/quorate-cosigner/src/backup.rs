//! Backups of shares: a sealed file under a passphrase of its own that says what it is, and the drill that proves it.
//!
//! A file is the line `quorate-backup/1`, one line of facts (canonical JSON), and a sealed share (`host::seal`) to which
//! wallet, epoch, party and that line are bound. The facts can be read without the passphrase; they are believed only
//! once the file has been opened.

use std::path::{Path, PathBuf};

use quorate_cosigner::KeyShare;
use quorate_cosigner::share::{Expected, associated_data};
use quorate_host::random::Random;
use quorate_host::seal::{self, Cost, KeySource};
use quorate_host::ui::Ui;
use quorate_host::{Fault, Secret, harden, secret_file};
use quorate_terms::canonical;
use quorate_terms::entry::BackupStatement;
use quorate_terms::{CosignerId, Digest, Timestamp, VaultId, WalletId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::cli::Passphrase;
use crate::files::Home;
use crate::operate;
use crate::shares::{Cabinet, NotOpened, not_opened, open_share};
use crate::trouble::{fault, malformed};

const MAGIC: &[u8] = b"quorate-backup/1\n";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) vault: VaultId,
    pub(crate) wallet: WalletId,
    pub(crate) epoch: u64,
    pub(crate) cosigner: CosignerId,
    pub(crate) party: u8,
    pub(crate) public_key: String,
    pub(crate) ceremony: Digest,
    pub(crate) made_at: Timestamp,
}

/// A backup as read: cut up, not opened.
pub(crate) struct Sealed<'a> {
    pub(crate) facts: Facts,
    line: &'a [u8],
    blob: &'a [u8],
}

impl<'a> Sealed<'a> {
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, Fault> {
        let bad = || {
            fault(
                "backup",
                "is not a backup of a share, or is damaged",
                "give the file that `backup make` wrote",
            )
        };
        let rest = file.strip_prefix(MAGIC).ok_or_else(bad)?;
        let mut parts = rest.splitn(2, |byte| *byte == b'\n');
        let (line, blob) = parts.next().zip(parts.next()).ok_or_else(bad)?;
        let facts = canonical::from_bytes(line, "backup").map_err(|_| bad())?;
        Ok(Self { facts, line, blob })
    }

    /// Opens it, and believes it only if it is what its facts say.
    pub(crate) fn open(
        &self,
        source: &KeySource,
        expected: &Expected<'_>,
    ) -> Result<KeyShare, Fault> {
        let opened = open_share(source, &bound(self.line), expected, self.blob);
        let share = opened.map_err(|e| match e {
            NotOpened::Seal(error) => not_opened(Path::new("backup"), error),
            NotOpened::Share(error) => malformed("backup", &error),
        })?;
        if share.facts().public_key.to_string() != self.facts.public_key {
            return Err(fault("backup", "holds another key than it says", "make a new one"));
        }
        Ok(share)
    }
}

/// The bytes of a new backup.
fn write(
    share: &KeyShare,
    facts: &Facts,
    source: &KeySource,
    random: Random,
) -> Result<Vec<u8>, Fault> {
    let line = canonical::to_bytes(facts, "backup").map_err(|e| malformed("backup", &e))?;
    let mut aad = associated_data(&facts.wallet, facts.epoch, facts.party)
        .map_err(|e| malformed("backup", &e))?;
    aad.extend(bound(&line));
    let plain = share.encode().map_err(|e| fault("share", &e.to_string(), "report this"))?;
    let blob = seal::seal(source, &aad, &plain, random)?;
    Ok([MAGIC, &line, b"\n", &blob].concat())
}

fn bound(line: &[u8]) -> Vec<u8> {
    [b"\nbackup\n", line].concat()
}

/// SHA-256 of a backup file: what the drill's statement names.
pub(crate) fn digest(file: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(file).into())
}

/// Passphrase and file in one body, for the daemon.
fn pack(passphrase: &Secret, file: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(passphrase.expose().len()).unwrap_or(u32::MAX).to_be_bytes();
    Zeroizing::new([length.as_slice(), passphrase.expose(), file].concat())
}

/// What [`pack`] packed.
pub(crate) fn unpack(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// `backup make`: reads the share from disk, checks that it is the wallet's, and seals it anew.
pub(crate) async fn make(
    ui: Ui,
    home: Home,
    (wallet, out): (WalletId, PathBuf),
    (shares, backup): (Passphrase, Passphrase),
    now: Timestamp,
) -> Result<(), Fault> {
    let status = operate::status_of(&home, now).await?;
    let known = status.wallets.iter().find(|view| view.wallet == wallet);
    let key = known.and_then(|view| view.public_key.clone()).ok_or_else(|| {
        fault(
            "wallet",
            "is not known to this cosigner's replica",
            "open the wallet first, and let the desk tell its book",
        )
    })?;
    let random = Random::start()?;
    let number = operate::party_number(&home)?;
    let passphrase = shares.get("passphrase of this cosigner's shares", false, harden::harden)?;
    let cabinet = Cabinet::unseal(home.shares(), passphrase, number, random)?;
    let share = cabinet
        .all()?
        .into_iter()
        .find(|s| s.facts().wallet == wallet && s.facts().public_key.to_string() == key);
    let share =
        share.ok_or_else(|| fault("wallet", "has no share here", "look at the other cosigners"))?;
    let facts = Facts {
        vault: status.vault,
        wallet,
        epoch: share.facts().epoch,
        cosigner: status.cosigner,
        party: number,
        public_key: key,
        ceremony: share.facts().ceremony,
        made_at: now,
    };
    let passphrase = backup.get("passphrase of the backup", true, || Ok(()))?;
    let source = KeySource::Passphrase { passphrase, cost: Cost::STANDARD };
    let file = write(&share, &facts, &source, random)?;
    secret_file::create(&out, &file, random)?;
    let answer = json!({ "file": out, "sha256": digest(&file), "facts": facts });
    ui.answer(
        &answer,
        format!("backup of {} at {}; prove it with `backup verify`", facts.wallet, out.display()),
    )
}

/// `backup show`: what a file says of itself, without opening it.
pub(crate) fn show(ui: Ui, path: &Path) -> Result<(), Fault> {
    let file = secret_file::read(path)?;
    let facts = Sealed::parse(file.expose())?.facts;
    let text = serde_json::to_string_pretty(&facts).unwrap_or_default();
    ui.answer(&json!({ "sha256": digest(file.expose()), "facts": facts }), text)
}

/// `backup verify`: has the daemon open it and prove it in a drill with its peers.
pub(crate) async fn verify(
    ui: Ui,
    home: Home,
    path: &Path,
    passphrase: Passphrase,
) -> Result<(), Fault> {
    let file = secret_file::read(path)?;
    let facts = Sealed::parse(file.expose())?.facts;
    let passphrase = passphrase.get("passphrase of the backup", false, || Ok(()))?;
    let body = pack(&passphrase, file.expose());
    let answer = operate::ask(&home, "backup.verify", body.to_vec()).await?;
    let statement: Option<BackupStatement> = serde_json::from_slice(&answer)
        .map_err(|e| fault("backup", &e.to_string(), "compare the versions"))?;
    let statement = statement.ok_or_else(|| fault("backup", "gave no statement", "try again"))?;
    let text =
        format!("the backup of {} signs; drill {}", facts.wallet, statement.body.drill.short());
    ui.answer(&statement, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_panic_the_parsers(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _any = (unpack(&bytes), Sealed::parse(&bytes).is_ok());
            let with_magic = [MAGIC, &bytes].concat();
            let _any = Sealed::parse(&with_magic).is_ok();
        }
    }

    #[test]
    fn passphrase_and_file_come_apart_again() {
        let secret = Secret::new(b"two words".to_vec());
        let packed = pack(&secret, b"file");
        assert_eq!(unpack(&packed), Some((b"two words".as_slice(), b"file".as_slice())));
        assert_eq!(unpack(&packed[..6]), None);
    }
}
