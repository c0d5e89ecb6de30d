//! Opening a browser. The address holds a word that lets in, and what stands on a command line every user of the machine can
//! read: so the browser is given a file of this user's that leads there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quorate_host::random::Random;
use quorate_host::secret_file;

use crate::cli::note;
use crate::cli::trouble::{Tried, Trouble};

/// Where the file lies within the folder of the founding.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("open.html")
}

/// Opens an address in the browser of whoever sits here. That none opens is no trouble: the address was printed.
pub(super) fn open(folder: &Path, url: &str) {
    if let Err(trouble) = lead(folder, url) {
        note(&format!(
            "no browser opened ({}: {}); open the address yourself",
            trouble.field, trouble.why
        ));
    }
}

fn lead(folder: &Path, url: &str) -> Tried<()> {
    let file = file(folder);
    // The address is ours: a loopback port and hexadecimal digits.
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={url}\"><title>Quorate</title>\n"
    );
    secret_file::replace(&file, page.as_bytes(), Random::start()?)?;
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let child = Command::new(opener)
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.map_err(|e| Trouble::new(opener, e.to_string(), "open it yourself"));
    let mut child = child?;
    // Whoever started it waits for it; a browser may stay for hours, so a thread does.
    drop(std::thread::spawn(move || child.wait()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_told_and_ends_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("gone");
        assert!(lead(&folder, "http://localhost:1/").is_err());
        open(&folder, "http://localhost:1/");
    }
}
