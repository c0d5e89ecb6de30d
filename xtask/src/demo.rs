//! `cargo xtask demo`: builds everything, starts it on this machine and tells the story of a transfer.
//!
//! The stage is set in [`crate::stage`]; here are the narrator and the story. Each claim is checked as it is told, so the
//! story is also the end-to-end test `walk`.

mod assessed;
mod leftovers;
mod narrate;
mod story;
mod takeover;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Done;
use crate::check::Verdict;
use crate::disk;
use crate::house;
use crate::stage::{Node, Office, Programs, Stage};
pub(crate) use narrate::Narrator;

/// What the command line asked for.
pub(crate) struct Wishes {
    /// End after the story, with exit code 0.
    pub(crate) once: bool,
    /// A node of one's own.
    pub(crate) rpc: Option<String>,
}

/// Runs the demonstration.
pub(crate) fn demo(flags: &[&str]) -> Done {
    let wishes = wishes(flags)?;
    disk::warn_if_small();
    let room = house::root().join(".demo");
    let _alone = leftovers::alone(&room)?;
    let mut narrator = Narrator::new();
    let stage = perform(&room, wishes.rpc.as_deref(), &mut narrator)?;
    if !wishes.once {
        places(&stage, &mut narrator);
        narrator.wait_for_return()?;
    }
    drop(stage);
    narrator.tell("all processes have ended");
    Ok(())
}

/// The end-to-end step: the whole story, and nothing is left running.
pub(crate) fn walk() -> Done<Verdict> {
    let _alone = walking();
    walk_alone()
}

/// A copy of the auditor's office as the walk leaves it; where nobody walked before, that is done first.
pub(crate) fn walked(programs: &Programs, to: String) -> Done<Office<'_>> {
    let _alone = walking();
    let left = house::root().join("target/walk/auditor");
    if !left.join("office.db").is_file() {
        walk_alone()?;
    }
    Office::at(programs, left.display().to_string()).copy(to)
}

/// Steps that go on beside each other share the room of the walk: one is in it at a time.
fn walking() -> MutexGuard<'static, ()> {
    static WALKING: Mutex<()> = Mutex::new(());
    WALKING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn walk_alone() -> Done<Verdict> {
    let mut narrator = Narrator::new();
    drop(perform(&house::root().join("target/walk"), None, &mut narrator)?);
    Ok(Verdict::Passed(narrator.claims()))
}

/// Tells the whole story in a fresh room, and gives the stage as it stands at the end.
fn perform(room: &Path, rpc: Option<&str>, narrator: &mut Narrator) -> Done<Stage> {
    narrator.chapter("The stage");
    let mut stage = set(room, rpc, narrator)?;
    story::tell(&mut stage, narrator)?;
    Ok(stage)
}

fn set(room: &Path, rpc: Option<&str>, narrator: &mut Narrator) -> Done<Stage> {
    // A node that will not do is told before minutes are spent on building.
    let own = rpc.map(Node::at).transpose()?;
    let room = fresh(room)?;
    narrator.tell("building every program (the first time takes minutes)");
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = match own {
        Some(node) => node,
        None => Node::start(&room.join("anvil.log"))?,
    };
    narrator.tell(&format!("a node answers at {} as {}", node.url(), node.chain()?));
    let stage = Stage::set(&room, programs, node)?;
    narrator.tell(&format!("a token, DEMO, lives on it at {}", stage.token.address));
    narrator.begin_the_clock();
    Ok(stage)
}

fn places(stage: &Stage, narrator: &mut Narrator) {
    narrator.place("node", stage.node.url());
    narrator.place("MCP", &format!("http://{}/mcp", stage.address("http")));
    narrator.place("token", &stage.at("agents/ops"));
    narrator.place("desk", &stage.at("desk"));
    narrator.place("cosigners", &stage.at("cosigners"));
    narrator.place("approvers", &stage.at("approvers"));
    narrator.place("receipts", &stage.at("receipts"));
    narrator.place("auditor", &stage.at("auditor"));
    narrator.place("logs", &stage.at("logs"));
    narrator.place("programs", &crate::build::target().display().to_string());
}

fn wishes(flags: &[&str]) -> Done<Wishes> {
    let mut wishes = Wishes { once: false, rpc: None };
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        match *word {
            "--once" => wishes.once = true,
            "--rpc" => {
                let url =
                    words.next().ok_or("`--rpc` needs a URL such as http://127.0.0.1:8545")?;
                wishes.rpc = Some((*url).to_owned());
            }
            other => return Err(format!("`{other}`: there are `--once` and `--rpc URL`")),
        }
    }
    Ok(wishes)
}

/// A room, empty, where nothing of a run before still lives. Logs and every process's own folder live below it.
pub(crate) fn fresh(room: &Path) -> Done<PathBuf> {
    let trouble = |e: std::io::Error| format!("{}: {e}", room.display());
    leftovers::end(room)?;
    if room.exists() {
        std::fs::remove_dir_all(room).map_err(trouble)?;
    }
    std::fs::create_dir_all(room).map_err(trouble)?;
    Ok(room.to_path_buf())
}
