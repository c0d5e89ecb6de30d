//! What a process gives up at start, so that a crash or a neighbour learns nothing from it.

use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};

use crate::fault::Fault;

/// No core dumps, no reading of this process by others of the same user, and files for their owner only.
///
/// # Errors
/// [`Fault`] when the system refuses; the process must not go on.
pub fn harden() -> Result<(), Fault> {
    let refused = |error: rustix::io::Errno| {
        Fault::new("process", error.to_string(), "run it where it may limit itself")
    };
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(refused)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(refused)?;
    umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit};

    #[test]
    fn row_46_a_hardened_process_leaves_no_core_and_no_open_files() {
        harden().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(umask(Mode::RWXG | Mode::RWXO), Mode::RWXG | Mode::RWXO);
    }
}
