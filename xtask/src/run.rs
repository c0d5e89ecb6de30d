//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Done;
use crate::house;

/// A command that starts in the root of the repository.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(house::root());
    command
}

/// The cargo that runs us. It does not learn in which package it was told to run: a build script that looks at that would make
/// everything above it again whenever somebody builds by hand in between.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = command(program, arguments);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs to the end, showing what it prints.
pub(crate) fn shown(command: &mut Command) -> Done {
    let name = name_of(command);
    let status = command.status().map_err(|e| format!("`{name}` did not start ({e})"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` failed ({status})")) }
}

/// Runs to the end and keeps what it prints, whether or not it succeeds.
pub(crate) fn kept(command: &mut Command) -> Done<Output> {
    let name = name_of(command);
    command.stdin(Stdio::null()).output().map_err(|e| format!("`{name}` did not start ({e})"))
}

/// Runs to the end and gives its standard output, or its standard error as the reason.
pub(crate) fn text(command: &mut Command) -> Done<String> {
    let name = name_of(command);
    let output = kept(command)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{name}` failed ({}):\n{}", output.status, why.trim_end()))
}

/// Whether a program can be found on the path.
pub(crate) fn is_there(program: &str) -> bool {
    found(program).is_some()
}

/// Where a program lies on the path.
pub(crate) fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Reads a text file, naming it when that fails.
pub(crate) fn read(path: &Path) -> Done<String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: cannot be read ({e})", path.display()))
}

/// Writes a text file and the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> Done {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|e| format!("{}: cannot be made ({e})", folder.display()))?;
    }
    std::fs::write(path, text).map_err(|e| format!("{}: cannot be written ({e})", path.display()))
}

/// A command as it is called where it fails: the program and its first words.
pub(crate) fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let stem = program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    let mut name = stem.into_owned();
    for argument in command.get_args().take(6) {
        name.push(' ');
        name.push_str(&argument.to_string_lossy());
    }
    name
}
