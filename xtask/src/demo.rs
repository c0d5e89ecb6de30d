//! `cargo xtask demo`: builds everything, starts it on this machine and tells the story of a transfer.
//!
//! The stage is here: a node, processes with logs of their own, a narrator. The story is told on it.

mod json_rpc;
mod narrate;
mod node;

use std::path::PathBuf;

use crate::Done;
use crate::house;
use crate::run;
use narrate::Narrator;
use node::Node;

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
    let mut narrator = Narrator::new();
    narrator.chapter("The stage");
    let folder = fresh_folder()?;
    let node = match &wishes.rpc {
        Some(url) => Node::at(url)?,
        None => Node::start(&folder.join("anvil.log"))?,
    };
    narrator.tell(&format!("a node answers at {} as chain {}", node.url(), node.chain_id()?));
    fund_somebody(&node, &mut narrator)?;
    narrator.tell("building every binary");
    run::shown(&mut run::cargo(&["build", "--workspace", "--bins", "--locked", "--quiet"]))?;
    narrator.place("logs", &folder.display().to_string());
    narrator.place("node", node.url());
    if !wishes.once {
        narrator.wait_for_return()?;
    }
    Ok(())
}

/// Shows that the stage bears weight: an account that held nothing holds one coin.
fn fund_somebody(node: &Node, narrator: &mut Narrator) -> Done {
    let account = "0x000000000000000000000000000000000000c0de";
    let before = node.balance(account)?;
    node.fund(account, 1_000_000_000_000_000_000)?;
    let after = node.balance(account)?;
    narrator.tell(&format!("funded {account}: {before} wei before, {after} wei after"));
    narrator.expect(after > before, "the account holds more than before")?;
    node.mine(1)
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

/// `.demo/`, empty. Logs and every process's own folder live below it.
fn fresh_folder() -> Done<PathBuf> {
    let folder = house::root().join(".demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}
