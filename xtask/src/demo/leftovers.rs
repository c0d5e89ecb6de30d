//! What a run before left: its processes, when it was killed, and its claim on the room.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Done;
use crate::house;
use crate::run;
use crate::say;

/// Claims a room for this run, until the answer is dropped. The claim lies below `target`, so that it outlives the room.
pub(crate) fn alone(room: &Path) -> Done<File> {
    let name = room.file_name().unwrap_or_default().to_string_lossy().replace('.', "");
    let folder = house::root().join("target");
    let path = folder.join(format!("{name}.lock"));
    let trouble = |e: std::io::Error| format!("{}: {e}", path.display());
    std::fs::create_dir_all(&folder).map_err(trouble)?;
    let file = File::create(&path).map_err(trouble)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!(
            "another run holds {}; end it first, with return in its terminal",
            room.display()
        )),
        Err(TryLockError::Error(e)) => Err(trouble(e)),
    }
}

/// Ends what a run that was killed left running. A number counts only while it belongs to a program that was started from
/// this repository: another may have it since.
pub(crate) fn end(room: &Path) -> Done {
    let root = house::root().display().to_string();
    for folder in [room.to_path_buf(), room.join("logs")] {
        let Ok(found) = std::fs::read_dir(&folder) else { continue };
        for path in found.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|end| end == "pid") {
                end_one(run::read(&path)?.trim(), &root)?;
            }
        }
    }
    Ok(())
}

fn end_one(pid: &str, root: &str) -> Done {
    if pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let shown = run::kept(&mut run::command("ps", &["-o", "args=", "-p", pid]))?;
    let words = String::from_utf8_lossy(&shown.stdout).into_owned();
    if !words.contains(root) {
        return Ok(());
    }
    say::line(format!("   a run before left process {pid}; ending it"));
    run::text(&mut run::command("kill", &["-9", pid])).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Process;

    #[test]
    fn only_one_run_has_a_room() {
        let room = Path::new("/nowhere/.a-room-of-a-test");
        let first = alone(room).unwrap();
        assert!(alone(room).unwrap_err().contains("another run"));
        drop(first);
        drop(alone(room).unwrap());
    }

    #[test]
    fn a_process_that_a_killed_run_left_is_ended_and_one_of_somebody_else_is_not() {
        for (ours, words) in [(true, house::root().display().to_string()), (false, "/".to_owned())]
        {
            let room = tempfile::tempdir().unwrap();
            let mut command = run::command("sh", &["-c", "echo up; read line < /dev/zero", &words]);
            let log = room.path().join("someone.log");
            let mut process = Process::start("sh", &mut command, &log).unwrap();
            process.wait_for_line("up", std::time::Duration::from_secs(20)).unwrap();
            end(room.path()).unwrap();
            let is_gone = || process.alive().is_err();
            let gone = std::iter::repeat_with(is_gone).take(if ours { usize::MAX } else { 1 });
            assert_eq!(gone.into_iter().any(|gone| gone), ours);
        }
    }
}
