//! Backups as their files tell: what people say of each names the digest that the cosigners proved.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::readiness::{Day, Statement};
use crate::Done;
use crate::stage::{Stage, text};

/// Where each cosigner's backups lie: far from where its share runs.
const PLACES: [(&str, &str, &str); 2] =
    [("east", "Cedar Lane vault", "CH"), ("west", "Dogwood Quay vault", "JP")];

/// Each statement about each backup file of the stage, as of the day on which that was made where it names no day.
pub(super) fn each(stage: &Stage, said: &[Statement]) -> Done<Vec<Statement>> {
    let mut all = Vec::new();
    for file in files(stage)? {
        let path = file.display().to_string();
        let show = ["backup", "show", "--file", &path, "--json"];
        let shown = stage.programs.run("quorate-cosigner", &show)?.good()?;
        let made = shown.pointer("/facts/made_at").and_then(Value::as_i64);
        let made = made.ok_or_else(|| format!("{path} does not say when it was made"))?;
        let words = words(&file, &shown)?;
        all.extend(said.iter().map(|statement| statement.about(&words, Day::At(made))));
    }
    Ok(all)
}

/// What stands for a backup in a statement about it.
fn words(file: &Path, shown: &Value) -> Done<Vec<(&'static str, String)>> {
    let holder = text(shown, "/facts/cosigner")?;
    let place = PLACES.iter().find(|(name, ..)| *name == holder);
    let (_, location, region) = place.ok_or_else(|| format!("{holder} keeps no backups"))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(vec![
        ("{backup}", name),
        ("{wallet}", text(shown, "/facts/wallet")?),
        ("{digest}", text(shown, "/sha256")?),
        ("{holder}", holder),
        ("{location}", (*location).to_owned()),
        ("{region}", (*region).to_owned()),
    ])
}

fn files(stage: &Stage) -> Done<Vec<PathBuf>> {
    let folder = stage.room.join("backups");
    let found = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Ok(files)
}
