//! An auditor's office: a folder, a key and a ledger of its own, and books that people hand over.

use serde_json::Value;

use super::{Said, Stage, text};
use crate::Done;
use crate::house;
use crate::run;

/// One office.
pub(crate) struct Office<'a> {
    stage: &'a Stage,
    dir: String,
    standards: String,
}

impl<'a> Office<'a> {
    /// Opens an office in a folder of the room.
    pub(crate) fn open(stage: &'a Stage, name: &str) -> Done<Self> {
        let standards = house::root().join("standards").display().to_string();
        let office = Self { stage, dir: stage.at(name), standards };
        office.says(&["init", "--office", name, "--origin", &format!("{name}.example/office")])?;
        Ok(office)
    }

    /// The same office in another folder, for what must not touch this one.
    pub(crate) fn copy(&self, name: &str) -> Done<Self> {
        let dir = self.stage.at(name);
        run::text(&mut run::command("cp", &["-a", &self.dir, &dir]))?;
        Ok(Self { stage: self.stage, dir, standards: self.standards.clone() })
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &str {
        &self.dir
    }

    /// Runs a command, whatever it answers.
    pub(crate) fn run(&self, words: &[&str]) -> Done<Said> {
        let mut all = vec!["--json", "--dir", &self.dir, "--standards", &self.standards];
        all.extend(words);
        self.stage.programs.run("quorate-assessor", &all)
    }

    /// Runs a command that must go well.
    pub(crate) fn says(&self, words: &[&str]) -> Done<Value> {
        self.run(words)?.good()
    }

    /// Takes in the vault's book as it stands, and gives its size.
    pub(crate) fn take_book(&self) -> Done<u64> {
        let (book, note) = (format!("{}.jsonl", self.dir), format!("{}.checkpoint", self.dir));
        self.stage.desk(&["ledger", "export", "--out", &book, "--checkpoint-out", &note])?;
        let vault = text(&self.stage.status()?, "/vault")?;
        let reached = self.says(&["import", "--vault", &vault, &book, "--checkpoint", &note])?;
        Ok(reached.pointer("/head/size").and_then(Value::as_u64).unwrap_or_default())
    }

    /// Assesses against a standard; gaps are an answer too.
    pub(crate) fn assess(&self, standard: &str, more: &[&str]) -> Done<Value> {
        let said = self.run(&[&["assess", standard], more].concat())?;
        if matches!(said.code, Some(0 | 1)) { said.json() } else { Err(said.err) }
    }
}
