//! An auditor's office: a folder, a key and a ledger of its own, and books that people hand over.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Programs, Said, Stage, text};
use crate::Done;
use crate::house;
use crate::run;

/// One office.
pub(crate) struct Office<'a> {
    programs: &'a Programs,
    dir: String,
    standards: String,
}

impl<'a> Office<'a> {
    /// The office that lies in a folder, or will.
    pub(crate) fn at(programs: &'a Programs, dir: String) -> Self {
        Self { programs, dir, standards: house::root().join("standards").display().to_string() }
    }

    /// Opens an office in a folder of a stage's room, and pins the vault's keys.
    pub(crate) fn open(stage: &'a Stage, name: &str) -> Done<Self> {
        let office = Self::at(&stage.programs, stage.at(name));
        office.says(&["init", "--office", name, "--origin", &format!("{name}.example/office")])?;
        office.says(&["pin", &stage.at("desk/verify.json")])?;
        Ok(office)
    }

    /// The same office in another folder, for what must not touch this one.
    pub(crate) fn copy(&self, to: String) -> Done<Self> {
        run::text(&mut run::command("cp", &["-a", &self.dir, &to]))?;
        Ok(Self { programs: self.programs, dir: to, standards: self.standards.clone() })
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &str {
        &self.dir
    }

    /// Where the export lies that [`Office::take_book`] took in.
    pub(crate) fn book(&self) -> String {
        format!("{}.jsonl", self.dir)
    }

    /// Where the export lies that [`Office::own_ledger`] took in.
    pub(crate) fn own_book(&self, cosigner: &str, claimed: &str) -> String {
        format!("{}-{cosigner}-as-{claimed}.jsonl", self.dir)
    }

    /// Runs a command, whatever it answers.
    pub(crate) fn run(&self, words: &[&str]) -> Done<Said> {
        let mut all = vec!["--json", "--dir", &self.dir, "--standards", &self.standards];
        all.extend(words);
        self.programs.run("quorate-assessor", &all)
    }

    /// Runs a command that must go well.
    pub(crate) fn says(&self, words: &[&str]) -> Done<Value> {
        self.run(words)?.good()
    }

    /// Takes in an export of a vault's book.
    pub(crate) fn import(&self, vault: &str, book: &str, note: &str) -> Done<Value> {
        self.says(&["import", "--vault", vault, book, "--checkpoint", note])
    }

    /// Takes in the vault's book as it stands, and gives its size.
    pub(crate) fn take_book(&self, stage: &Stage) -> Done<u64> {
        let (book, note) = (self.book(), format!("{}.checkpoint", self.dir));
        stage.desk(&["ledger", "export", "--out", &book, "--checkpoint-out", &note])?;
        Ok(size(&self.import(&stage.vault()?, &book, &note)?))
    }

    /// A cosigner, which runs, exports its own ledger, and it is taken in as that of `claimed`. Gives its size.
    pub(crate) fn own_ledger(&self, stage: &Stage, cosigner: &str, claimed: &str) -> Done<u64> {
        let out = self.own_book(cosigner, claimed);
        let head = format!("{out}.checkpoint");
        stage.cosigner(cosigner, &["export", "--out", &out, "--checkpoint-out", &head])?;
        let vault = stage.vault()?;
        let words =
            ["import", "--vault", &vault, "--cosigner", claimed, &out, "--checkpoint", &head];
        self.says(&words).map(|taken| size(&taken))
    }

    /// Assesses against a standard; gaps are an answer too.
    pub(crate) fn assess(&self, standard: &str, more: &[&str]) -> Done<Value> {
        let said = self.run(&[&["assess", standard], more].concat())?;
        if matches!(said.code, Some(0 | 1)) { said.json() } else { Err(said.err) }
    }

    /// How many rows a control speaks about, and how many of them break it.
    pub(crate) fn counted(&self, control: &str) -> Done<(u64, u64)> {
        let shown = self.run(&["show", control])?.json()?;
        let count = |name: &str| {
            let count = shown.pointer(&format!("/finding/machine/{name}")).and_then(Value::as_u64);
            count.ok_or_else(|| format!("{control} has no {name}"))
        };
        Ok((count("population")?, count("exceptions")?))
    }
}

/// The findings of a run.
pub(crate) fn findings(results: &Value) -> impl Iterator<Item = &Value> {
    results.pointer("/results/findings").and_then(Value::as_array).into_iter().flatten()
}

/// The state of each control in the results of a run.
pub(crate) fn states(results: &Value) -> BTreeMap<String, String> {
    let state = |f: &Value| Some((text(f, "/control/id").ok()?, text(f, "/state").ok()?));
    findings(results).filter_map(state).collect()
}

/// How far a book reached.
fn size(taken: &Value) -> u64 {
    taken.pointer("/head/size").and_then(Value::as_u64).unwrap_or_default()
}
