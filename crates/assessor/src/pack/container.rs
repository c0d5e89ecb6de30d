//! The container: a tar file (POSIX ustar) of regular files in one exact form, so that equal contents are equal bytes.

use std::collections::BTreeMap;
use std::io::Read as _;

use quorate_terms::Malformed;

/// The largest pack, in bytes.
pub const PACK_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The largest file of a pack, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most files of a pack.
pub const FILES_MAX: usize = 4096;
/// The longest name: what the oldest tar programs read.
const NAME_MAX: usize = 99;

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

fn bad(why: impl Into<String>) -> Malformed {
    Malformed::new("pack", why, "ask the office for the pack again")
}

/// A plain relative name of lower-case letters, digits, `.`, `-`, `_` and `/`, no part of which begins with a dot.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain);
    name.len() <= NAME_MAX && name.split('/').all(part)
}

/// The bytes of a container.
///
/// # Errors
/// [`Malformed`] for names and sizes that [`read`] would refuse.
pub fn write(files: &Files) -> Result<Vec<u8>, Malformed> {
    if files.len() > FILES_MAX {
        return Err(bad(format!("has more than {FILES_MAX} files")));
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !is_name(name) || size > FILE_BYTES_MAX {
            return Err(bad(format!(
                "cannot hold `{name}`: its name is not plain, or it is too large"
            )));
        }
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(size);
        header.set_path(name).map_err(|e| bad(e.to_string()))?;
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).map_err(|e| bad(e.to_string()))?;
    }
    let bytes = builder.into_inner().map_err(|e| bad(e.to_string()))?;
    if bytes.len() > PACK_BYTES_MAX { Err(bad("is too large")) } else { Ok(bytes) }
}

/// Reads a container. Nothing is written to a disk, and no name is ever used as a path.
///
/// # Errors
/// [`Malformed`] for anything but the exact form that [`write()`] gives.
pub fn read(bytes: &[u8]) -> Result<Files, Malformed> {
    if bytes.len() > PACK_BYTES_MAX {
        return Err(bad(format!("is larger than {PACK_BYTES_MAX} bytes")));
    }
    let mut archive = tar::Archive::new(bytes);
    let mut files = Files::new();
    for entry in archive.entries().map_err(|e| bad(e.to_string()))?.raw(true) {
        let mut entry = entry.map_err(|e| bad(format!("is no container ({e})")))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != tar::EntryType::Regular || !is_name(&name) {
            return Err(bad(format!("holds `{}`, which is no plain file", name.escape_default())));
        }
        if entry.size() > FILE_BYTES_MAX || files.len() >= FILES_MAX {
            return Err(bad("holds too many files, or one that is too large"));
        }
        let mut content = Vec::new();
        let read = entry.by_ref().take(FILE_BYTES_MAX).read_to_end(&mut content);
        read.map_err(|e| bad(format!("is cut short ({e})")))?;
        if files.insert(name.clone(), content).is_some() {
            return Err(bad(format!("holds `{name}` twice")));
        }
    }
    // Order, times, owners, padding and what follows the end: all of it is as written here, or it is refused.
    if write(&files)? == bytes { Ok(files) } else { Err(bad("is not in the one form of packs")) }
}
