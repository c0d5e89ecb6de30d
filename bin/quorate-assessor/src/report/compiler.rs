//! The Typst compiler as a program of its own: markup in, PDF out, nothing else within reach.
//!
//! It is given an empty folder, an empty environment, no fonts but its own, a fixed date, and a limited time. Why it is not
//! linked: docs/adr.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use quorate_host::Fault;
use quorate_host::random::Random;
use quorate_terms::Timestamp;

use crate::trouble::{Done, Trouble};

/// A full report takes about two seconds.
const TIME_MAX: Duration = Duration::from_secs(60);
/// The largest PDF that is taken.
const PDF_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The most of the compiler's complaint that is shown.
const COMPLAINT_MAX: usize = 400;
const LOOK: Duration = Duration::from_millis(10);
/// Tagged, archivable, with the fonts inside.
const STANDARD: &str = "a-2a";

/// A folder that is gone when this is dropped.
struct Room(PathBuf);

impl Room {
    fn new() -> Done<Self> {
        let word: [u8; 16] = Random::start()?.bytes()?;
        let name: String = word.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("quorate-report-{name}"));
        quorate_host::secret_file::make_dir(&path)?;
        Ok(Self(path))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

/// Compiles markup.
pub(super) fn pdf(program: &Path, markup: &str, at: Timestamp) -> Done<Vec<u8>> {
    let room = Room::new()?;
    let (input, output, errors) = (room.at("report.typ"), room.at("report.pdf"), room.at("errors"));
    let put = |path: &Path, bytes: &[u8]| {
        File::create_new(path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|e| Fault::at(path, &e))
    };
    put(&input, markup.as_bytes())?;
    let complaints = File::create_new(&errors).map_err(|e| Fault::at(&errors, &e))?;
    let mut command = Command::new(found(program));
    command
        .arg("compile")
        .args(["--root".as_ref(), room.0.as_os_str()])
        .args([
            "--ignore-system-fonts",
            "--jobs",
            "1",
            "--format",
            "pdf",
            "--pdf-standard",
            STANDARD,
        ])
        .args(["--creation-timestamp", &(at.as_millis() / 1000).to_string()])
        .args(["--package-path".as_ref(), room.at("no-packages").as_os_str()])
        .args(["--package-cache-path".as_ref(), room.at("no-packages").as_os_str()])
        .args([&input, &output])
        .current_dir(&room.0)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(complaints);
    let child = command.spawn().map_err(|e| absent(program, &e))?;
    let well = waited(child)?;
    if !well || !output.is_file() {
        let mut said = String::new();
        let _unread =
            File::open(&errors).and_then(|file| file.take(65_536).read_to_string(&mut said));
        let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let said: String = said.chars().take(COMPLAINT_MAX).collect();
        let message = format!("the compiler made no PDF: {said}");
        return Err(Trouble::fault("typst", message, "use `--format html`, and report this"));
    }
    let size = fs::metadata(&output).map_err(|e| Fault::at(&output, &e))?.len();
    if size > PDF_BYTES_MAX {
        return Err(Trouble::fault("typst", "the PDF is too large", "use `--format html`"));
    }
    Ok(fs::read(&output).map_err(|e| Fault::at(&output, &e))?)
}

/// Where the program lies: on our own path, as the empty environment has none, and not seen from the empty folder.
fn found(program: &Path) -> PathBuf {
    if program.components().nth(1).is_some() {
        return std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| program.to_owned())
}

fn absent(program: &Path, error: &std::io::Error) -> Trouble {
    let message = format!("`{}` cannot be started ({error})", program.display());
    let next = "install Typst 0.14 or later (from source: `cargo xtask tools typst`, which says where it is), or name it with --typst; \
                `--format html` needs nothing";
    Trouble::fault("no_typst", message, next)
}

/// Whether it ended well, in time. What takes longer is ended.
fn waited(mut child: Child) -> Done<bool> {
    let begun = Instant::now();
    loop {
        let ended = child.try_wait();
        let lost = |e: std::io::Error| Trouble::fault("typst", e.to_string(), "try again");
        if let Some(status) = ended.map_err(lost)? {
            return Ok(status.success());
        }
        if begun.elapsed() > TIME_MAX {
            let _gone = child.kill();
            let _reaped = child.wait();
            let message = format!("the compiler took longer than {} seconds", TIME_MAX.as_secs());
            return Err(Trouble::fault("typst", message, "use `--format html`, and report this"));
        }
        std::thread::sleep(LOOK);
    }
}
