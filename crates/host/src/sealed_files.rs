//! A folder of sealed files, each under the SHA-256 of what it holds: documents and photographs at rest.
//!
//! A file is written beside its place, made durable, and only then named, so after a crash it is there whole or not at all.
//! Whoever writes a register records the digest after [`SealedFiles::put`] has returned; a file without a line in the register
//! is a leftover, and a line without a file is a loss: [`SealedFiles::compare`] tells both.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quorate_terms::Digest;

use crate::fault::Fault;
use crate::random::Random;
use crate::seal::{self, KeySource, SealError};
use crate::secret::Secret;
use crate::secret_file;

/// The largest file, in bytes. Sealing adds less than a tenth of the room that is left below
/// [`secret_file::SECRET_BYTES_MAX`].
pub const FILE_BYTES_MAX: usize = 15 * 1024 * 1024;
/// How a sealed file's name ends.
const ENDING: &str = ".sealed";
/// How the name of a file that is being written ends.
const BESIDE: &str = ".new";

/// The folder.
pub struct SealedFiles {
    dir: PathBuf,
}

/// What differs between a register and the folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// In the register and not in the folder.
    pub lost: Vec<Digest>,
    /// In the folder and not in the register: an upload whose record was never written. Put it again, or leave it.
    pub leftover: Vec<Digest>,
}

impl SealedFiles {
    /// Opens the folder, or makes it with mode 0700, and removes what a crash left half written. What another process writes
    /// at this moment looks the same: only who holds the folder alone may open it so.
    ///
    /// # Errors
    /// [`Fault`] when the folder is open to others or the disk fails.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        secret_file::make_dir(dir)?;
        for path in paths(dir)? {
            if path.to_string_lossy().ends_with(BESIDE) {
                fs::remove_file(&path).map_err(|e| Fault::at(&path, &e))?;
            }
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// The folder for who only reads in it, beside whoever holds it: nothing is made and nothing removed.
    pub fn beside(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Seals a file under its digest. It is durable when this returns. Putting the same bytes again is no error and mends
    /// a damaged copy.
    ///
    /// # Errors
    /// [`SealError`] for a file that is empty or too large, and when the disk fails.
    pub fn put(&self, key: &KeySource, bytes: &[u8], random: Random) -> Result<Digest, SealError> {
        if bytes.is_empty() || bytes.len() > FILE_BYTES_MAX {
            let why = format!("holds {} bytes", bytes.len());
            let mend = format!("give 1 to {FILE_BYTES_MAX} bytes; split what is larger");
            return Err(Fault::new("the file", why, mend).into());
        }
        let digest = Digest::sha256(bytes);
        if self.holds(&digest) && self.get(key, &digest).is_ok() {
            return Ok(digest);
        }
        let sealed = seal::seal(key, &context(&digest), bytes, random)?;
        secret_file::replace(&self.path(&digest), &sealed, random)?;
        Ok(digest)
    }

    /// The file under that digest, whole and as it was put.
    ///
    /// # Errors
    /// [`SealError`] when it is not there, was changed, or is another one.
    pub fn get(&self, key: &KeySource, digest: &Digest) -> Result<Secret, SealError> {
        let sealed = secret_file::read(&self.path(digest))?;
        let plain = seal::open(key, &context(digest), sealed.expose())?;
        if Digest::sha256(plain.expose()) == *digest { Ok(plain) } else { Err(SealError::Damaged) }
    }

    /// Whether something lies under that digest; only [`SealedFiles::get`] knows whether it is whole.
    pub fn holds(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// The digests under which something lies, in order.
    ///
    /// # Errors
    /// [`Fault`] when the folder cannot be read.
    pub fn list(&self) -> Result<BTreeSet<Digest>, Fault> {
        let name = |path: PathBuf| {
            let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?.to_owned();
            name.parse().ok()
        };
        Ok(paths(&self.dir)?.into_iter().filter_map(name).collect())
    }

    /// Compares the folder with what a register says is on file.
    ///
    /// # Errors
    /// As [`SealedFiles::list`].
    pub fn compare(&self, register: &BTreeSet<Digest>) -> Result<Difference, Fault> {
        let here = self.list()?;
        Ok(Difference {
            lost: register.difference(&here).copied().collect(),
            leftover: here.difference(register).copied().collect(),
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{digest}{ENDING}"))
    }
}

/// A file opens only under its own digest: one put in another's place is refused before it is read.
fn context(digest: &Digest) -> Vec<u8> {
    format!("quorate/sealed-file/v1\n{digest}").into_bytes()
}

fn paths(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let at = |e| Fault::at(dir, &e);
    fs::read_dir(dir).map_err(at)?.map(|entry| entry.map(|e| e.path()).map_err(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn key(fill: u8) -> KeySource {
        KeySource::Key { id: "office".to_owned(), key: Zeroizing::new([fill; 32]) }
    }

    fn folder() -> (tempfile::TempDir, SealedFiles, Random) {
        let dir = tempfile::tempdir().unwrap();
        let files = SealedFiles::open(&dir.path().join("files")).unwrap();
        (dir, files, Random::start().unwrap())
    }

    const BYTES: &[u8] = b"%PDF-1.7 the backup policy of Brickmere";

    #[test]
    fn a_file_comes_back_as_it_was_put_and_lies_encrypted() {
        let (_dir, files, random) = folder();
        let digest = files.put(&key(1), BYTES, random).unwrap();
        assert_eq!(digest, Digest::sha256(BYTES));
        assert_eq!(files.get(&key(1), &digest).unwrap().expose(), BYTES);
        assert_eq!(files.put(&key(1), BYTES, random).unwrap(), digest);
        let stored = fs::read(files.path(&digest)).unwrap();
        assert!(!stored.windows(9).any(|part| part == b"Brickmere"));
        assert!(matches!(files.get(&key(2), &digest), Err(SealError::WrongKey)));
    }

    #[test]
    fn every_changed_byte_is_found_and_putting_the_file_again_mends_it() {
        let (_dir, files, random) = folder();
        let digest = files.put(&key(1), BYTES, random).unwrap();
        let good = fs::read(files.path(&digest)).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(files.path(&digest), &bad).unwrap();
            assert!(files.get(&key(1), &digest).is_err(), "byte {at}");
        }
        fs::write(files.path(&digest), &good[..good.len() / 2]).unwrap();
        assert!(files.get(&key(1), &digest).is_err(), "cut short");
        files.put(&key(1), BYTES, random).unwrap();
        assert_eq!(files.get(&key(1), &digest).unwrap().expose(), BYTES);
    }

    #[test]
    fn a_file_in_anothers_place_is_refused() {
        let (_dir, files, random) = folder();
        let one = files.put(&key(1), BYTES, random).unwrap();
        let other = files.put(&key(1), b"another document", random).unwrap();
        fs::copy(files.path(&one), files.path(&other)).unwrap();
        assert!(matches!(files.get(&key(1), &other), Err(SealError::OtherContext)));
    }

    #[test]
    fn a_crash_in_the_middle_of_an_upload_leaves_nothing_half() {
        let (dir, files, random) = folder();
        let digest = files.put(&key(1), BYTES, random).unwrap();
        let half = files.dir.join(format!("{}.sealed.00ff.new", Digest::sha256(b"half")));
        fs::write(&half, b"quorate-sealed/1\n").unwrap();
        let beside = SealedFiles::beside(&dir.path().join("files"));
        assert_eq!(beside.get(&key(1), &digest).unwrap().expose(), BYTES);
        assert!(half.exists(), "a reader takes nobody's work for a leftover");
        let again = SealedFiles::open(&dir.path().join("files")).unwrap();
        assert!(!half.exists());
        assert_eq!(again.list().unwrap(), BTreeSet::from([digest]));
    }

    #[test]
    fn what_the_register_and_the_folder_say_is_compared() {
        let (_dir, files, random) = folder();
        let kept = files.put(&key(1), BYTES, random).unwrap();
        let unrecorded = files.put(&key(1), b"a crash before the record", random).unwrap();
        let gone = Digest::sha256(b"gone");
        let found = files.compare(&BTreeSet::from([kept, gone])).unwrap();
        assert_eq!(found, Difference { lost: vec![gone], leftover: vec![unrecorded] });
    }

    #[test]
    fn a_file_that_is_empty_or_too_large_is_refused() {
        let (_dir, files, random) = folder();
        assert!(files.put(&key(1), b"", random).is_err());
        assert!(files.put(&key(1), &vec![0; FILE_BYTES_MAX + 1], random).is_err());
        assert_eq!(files.list().unwrap(), BTreeSet::new());
    }

    #[test]
    fn a_folder_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let (dir, files, _) = folder();
        fs::set_permissions(&files.dir, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(SealedFiles::open(&dir.path().join("files")).is_err());
    }
}
