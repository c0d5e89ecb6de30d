//! Founding a vault: answers from flags, a file or a person become a charter, the desk's keys and its configuration.
//!
//! Reading order: the answers, asking for those that are missing, the plan that checks them all, what is written.

pub(crate) mod answers;
mod ask;
pub(crate) mod plan;
pub(crate) mod write;

use quorate_host::ui::Ui;

pub(crate) use answers::InitArgs;

use super::Ended;
use super::trouble::{Tried, Trouble};

/// Founds a vault. Nothing is written before everything was checked, and nothing is ever overwritten.
pub(crate) fn obey(ui: &Ui, args: &InitArgs) -> Tried<Ended> {
    write::refuse_overwrite(&args.dir)?;
    let mut answers = args.answers()?;
    let missing = answers.missing();
    if let Some(first) = missing.first() {
        if args.yes || ui.is_json() || !ask::is_terminal() {
            let mend = format!("give `--{first}`, or run it on a terminal to be guided");
            return Err(Trouble::new(*first, "is missing", mend));
        }
        ask::fill(&mut answers)?;
    }
    let plan = plan::Plan::of(&answers)?;
    write::write(ui, &args.dir, &plan)
}
