//! Secrets of the stage: where they lie, and a search that finds them wherever they do not belong.

use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use std::io::Write as _;

use super::Stage;
use crate::Done;
use crate::run;

/// Makes a folder that only this user may enter.
pub(super) fn own_folder(path: &Path) -> Done {
    let trouble = |e: std::io::Error| format!("{}: {e}", path.display());
    std::fs::create_dir_all(path).map_err(trouble)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(trouble)
}

/// Writes a passphrase for somebody, which nobody else has and no log may ever hold.
pub(super) fn passphrase(stage: &Stage, who: &str) -> Done<String> {
    let path = stage.room.join("secrets").join(who);
    let trouble = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut noise = [0_u8; 12];
    let mut source = std::fs::File::open("/dev/urandom").map_err(trouble)?;
    std::io::Read::read_exact(&mut source, &mut noise).map_err(trouble)?;
    let hex: String = noise.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(trouble)?;
    file.write_all(format!("canary-{who}-{hex}\n").as_bytes()).map_err(trouble)?;
    Ok(path.display().to_string())
}

/// What must be found nowhere but where it lies: passphrases, tokens, seeds.
fn canaries(stage: &Stage) -> Done<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut take = |name: String, bytes: Vec<u8>| {
        if bytes.len() >= 16 {
            found.push((name, bytes));
        }
    };
    for folder in ["secrets", "agents"] {
        for path in files(&stage.room.join(folder))? {
            let text = run::read(&path)?;
            take(path.display().to_string(), text.trim().as_bytes().to_vec());
        }
    }
    for path in files(&stage.room)? {
        let is_seed =
            path.extension().is_some_and(|ending| ending == "seed" || ending == "identity");
        if !is_seed {
            continue;
        }
        let seed = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        take(path.display().to_string(), seed);
        take(format!("{} in hex", path.display()), hex.into_bytes());
    }
    Ok(found)
}

/// Every file below a folder.
fn files(folder: &Path) -> Done<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        let list = std::fs::read_dir(&next).map_err(|e| format!("{}: {e}", next.display()))?;
        for path in list.filter_map(Result::ok).map(|entry| entry.path()) {
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                waiting.push(path)
            } else if path.is_file() {
                found.push(path)
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Stage {
    /// Searches every file for secrets that do not belong there: logs, answers, ledgers, databases (row 46).
    ///
    /// Gives how many secrets were looked for, and in how many files.
    pub(crate) fn no_secret_leaked(&self) -> Done<(usize, usize)> {
        let canaries = canaries(self)?;
        let places = files(&self.room)?;
        for path in &places {
            let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
            for (whose, canary) in &canaries {
                let home = whose.starts_with(&path.display().to_string());
                if !home && holds(&bytes, canary) {
                    return Err(format!("{} holds the secret of {whose}", path.display()));
                }
            }
        }
        Ok((canaries.len(), places.len()))
    }
}

/// Whether some bytes stand in others.
fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_46_a_planted_secret_is_found_wherever_it_stands() {
        assert!(holds(b"log: token qrt_abcdef was used", b"qrt_abcdef"));
        assert!(!holds(b"log: token qrt_abcdex was used", b"qrt_abcdef"));
        assert!(!holds(b"", b"qrt_abcdef"));
    }
}
