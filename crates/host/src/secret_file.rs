//! Files that hold secrets: written whole or not at all, readable by their owner only, refused otherwise.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quorate_terms::Digest;
use quorate_terms::digest::tag;

use crate::fault::Fault;
use crate::random::Random;
use crate::secret::Secret;

/// The largest secret file, in bytes.
pub const SECRET_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Room for a token with its prefix, in bytes, so that none of it is copied while it grows.
const TOKEN_ROOM: usize = 64;

/// Makes a directory for secrets with mode 0700, and its parents, or checks the one that is there.
///
/// # Errors
/// [`Fault`] when it cannot be made, or is open to others.
pub fn make_dir(dir: &Path) -> Result<(), Fault> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| Fault::new(shown(dir), e.to_string(), "give a folder where you may write"))?;
    check_dir(dir)
}

/// Refuses a directory that others can enter, read or write, or that somebody else owns.
///
/// # Errors
/// [`Fault`] with the command that mends it.
pub fn check_dir(dir: &Path) -> Result<(), Fault> {
    let meta = fs::metadata(dir).map_err(|e| Fault::at(dir, &e))?;
    if !meta.is_dir() {
        return Err(Fault::new(shown(dir), "is not a directory", "give a directory"));
    }
    check_owner(dir, &meta)?;
    private(dir, &meta, "700")
}

/// Writes a new secret file; refuses to replace one.
///
/// # Errors
/// [`Fault`] when it exists, the directory is open to others, or the disk fails. After an error the path holds nothing
/// or the whole secret.
pub fn create(path: &Path, bytes: &[u8], random: Random) -> Result<(), Fault> {
    let temporary = write_beside(path, bytes, random)?;
    // A hard link fails when the name is taken; a rename would replace it.
    let linked = fs::hard_link(&temporary, path).map_err(|e| Fault::at(path, &e));
    let removed = fs::remove_file(&temporary).map_err(|e| Fault::at(&temporary, &e));
    linked.and(removed)?;
    sync_dir(path)
}

/// Draws a token of 256 bits after a prefix, writes it to a new file and gives its digest, which is all that is kept of it.
///
/// # Errors
/// As [`create`], and where chance fails.
pub fn create_token(path: &Path, prefix: &str, random: Random) -> Result<Digest, Fault> {
    let seed = random.secret::<32>()?;
    let mut text = Vec::with_capacity(TOKEN_ROOM);
    text.extend_from_slice(prefix.as_bytes());
    text.extend_from_slice(URL_SAFE_NO_PAD.encode(seed.as_slice()).as_bytes());
    let token = Secret::new(text);
    create(path, token.expose(), random)?;
    Ok(Digest::of(tag::TOKEN, token.expose()))
}

/// Writes a secret file, replacing the one that is there in one step.
///
/// # Errors
/// As [`create`], except that an existing file is no error; it stays as it was if this fails.
pub fn replace(path: &Path, bytes: &[u8], random: Random) -> Result<(), Fault> {
    let temporary = write_beside(path, bytes, random)?;
    if let Err(error) = fs::rename(&temporary, path) {
        let _left_behind = fs::remove_file(&temporary);
        return Err(Fault::at(path, &error));
    }
    sync_dir(path)
}

/// Reads a secret file.
///
/// # Errors
/// [`Fault`] when the file or its directory is open to group or world, belongs to somebody else, is a symbolic link, or
/// is larger than [`SECRET_BYTES_MAX`].
pub fn read(path: &Path) -> Result<Secret, Fault> {
    let linked = fs::symlink_metadata(path).map_err(|e| Fault::at(path, &e))?;
    check_dir(parent(path)).map_err(|fault| beside(path, &fault))?;
    if !linked.is_file() {
        return Err(Fault::new(shown(path), "is not a plain file", "give the file itself"));
    }
    let file = File::open(path).map_err(|e| Fault::at(path, &e))?;
    let meta = file.metadata().map_err(|e| Fault::at(path, &e))?;
    if (meta.dev(), meta.ino()) != (linked.dev(), linked.ino()) {
        return Err(Fault::new(shown(path), "was replaced while it was opened", "try again"));
    }
    check_owner(path, &meta)?;
    private(path, &meta, "600")?;
    if meta.len() > SECRET_BYTES_MAX {
        return Err(Fault::new(shown(path), "is too large", "give the right file"));
    }
    let size = usize::try_from(meta.len()).unwrap_or(0);
    // Room for all of it at once: a vector that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(size.saturating_add(1));
    file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes).map_err(|e| Fault::at(path, &e))?;
    Ok(Secret::new(bytes))
}

/// A folder that others can enter may be one that they must be able to enter: nobody is told to close `/etc` for a secret in it.
fn beside(path: &Path, fault: &Fault) -> Fault {
    let mend = format!(
        "{}, or move {} into a folder of its own",
        fault.mend(),
        path.file_name().unwrap_or_default().display()
    );
    let shared = fs::metadata(parent(path)).is_ok_and(|meta| meta.mode() & 0o007 != 0);
    match shared {
        true => Fault::new(fault.what(), fault.why(), mend),
        false => fault.clone(),
    }
}

fn write_beside(path: &Path, bytes: &[u8], random: Random) -> Result<PathBuf, Fault> {
    check_dir(parent(path))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(random.bytes()?)));
    let temporary = path.with_file_name(name);
    write_new(&temporary, bytes).map_err(|error| {
        let _left_behind = fs::remove_file(&temporary);
        Fault::at(&temporary, &error)
    })?;
    Ok(temporary)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir(path: &Path) -> Result<(), Fault> {
    let dir = parent(path);
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| Fault::at(dir, &e))
}

fn check_owner(path: &Path, meta: &fs::Metadata) -> Result<(), Fault> {
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() == me {
        return Ok(());
    }
    let why = format!("belongs to user {}, and this process runs as {me}", meta.uid());
    Err(Fault::new(shown(path), why, format!("chown {me} {}", path.display())))
}

fn private(path: &Path, meta: &fs::Metadata, mode: &str) -> Result<(), Fault> {
    if meta.mode() & 0o077 == 0 {
        return Ok(());
    }
    let why = format!("is open to others (mode {:04o})", meta.mode() & 0o7777);
    Err(Fault::new(shown(path), why, format!("chmod {mode} {}", path.display())))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn room() -> (tempfile::TempDir, PathBuf, Random) {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("share");
        (dir, path, Random::start().unwrap())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_secret_is_written_whole_with_mode_0600_and_read_back() {
        let (dir, path, random) = room();
        create(&path, b"one", random).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read(&path).unwrap().expose(), b"one");
        replace(&path, b"two", random).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read(&path).unwrap().expose(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_secret_that_exists_is_not_overwritten() {
        let (dir, path, random) = room();
        create(&path, b"one", random).unwrap();
        assert!(create(&path, b"two", random).is_err());
        assert_eq!(read(&path).unwrap().expose(), b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_or_directory_open_to_others_is_refused_with_the_mend() {
        for (file, dir, mend) in [
            (0o644, 0o700, Some("chmod 600")),
            (0o640, 0o700, Some("chmod 600")),
            (0o602, 0o700, Some("chmod 600")),
            (0o600, 0o755, Some("chmod 700")),
            (0o600, 0o710, Some("chmod 700")),
            (0o600, 0o700, None),
            (0o400, 0o500, None),
        ] {
            let (room, path, random) = room();
            create(&path, b"x", random).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
            fs::set_permissions(room.path(), fs::Permissions::from_mode(dir)).unwrap();
            let got = read(&path).err();
            assert_eq!(got.is_some(), mend.is_some(), "{file:o} in {dir:o}");
            if let (Some(fault), Some(mend)) = (got, mend) {
                assert!(fault.mend().starts_with(mend), "{fault}");
            }
        }
    }

    #[test]
    fn nothing_is_written_into_a_directory_that_others_can_read() {
        let (room, path, random) = room();
        fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(create(&path, b"x", random).is_err());
        assert!(replace(&path, b"x", random).is_err());
        assert_eq!(fs::read_dir(room.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let (room, path, random) = room();
        create(&path, b"x", random).unwrap();
        let link = room.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(read(&link).is_err());
    }

    #[test]
    fn a_file_of_another_owner_is_refused() {
        let (_room, path, random) = room();
        create(&path, b"x", random).unwrap();
        let mut meta = fs::metadata(&path).unwrap();
        assert!(check_owner(&path, &meta).is_ok());
        meta = fs::metadata("/proc/1/exe").or_else(|_| fs::metadata("/")).unwrap();
        if meta.uid() != rustix::process::geteuid().as_raw() {
            assert!(check_owner(&path, &meta).is_err());
        }
    }

    #[test]
    fn a_directory_for_secrets_is_made_private() {
        let (room, _, _) = room();
        let inner = room.path().join("a/b");
        make_dir(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(make_dir(&inner).unwrap_err().mend().starts_with("chmod 700"));
    }
}
