//! Standards from disk: the folder is read, checked and handed on whole.

use std::fs;
use std::path::{Path, PathBuf};

use quorate_assessor::evidence::Model;
use quorate_assessor::standard::{Library, Problem, lint};
use quorate_host::Fault;

use crate::home::read_text;
use crate::trouble::{Done, Trouble};

/// Folders within folders are followed no deeper.
const DEPTH_MAX: usize = 4;

/// What a folder of standards holds.
pub(crate) struct Shelf {
    /// Catalogues, decisions, mappings, profiles, clocks.
    pub(crate) library: Library,
    /// The tables of evidence.
    pub(crate) model: Model,
    /// The views over them.
    pub(crate) views: String,
}

/// Reads a folder of standards.
pub(crate) fn load(dir: &Path) -> Done<Shelf> {
    if !dir.join("evidence/model.toml").exists() {
        let message = format!("{} holds no standards", dir.display());
        let next = "give the folder with --standards; it comes with the source";
        return Err(Trouble::fault("no_standards", message, next));
    }
    let mut files = Vec::new();
    walk(dir, dir, 0, &mut files)?;
    let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let library = Library::load(texts).map_err(|problems| faults(dir, &problems))?;
    let model = Model::load(&read_text(&dir.join("evidence/model.toml"))?)
        .map_err(|problem| faults(dir, &[problem]))?;
    let problems = lint::inputs(&library, &model);
    if !problems.is_empty() {
        return Err(faults(dir, &problems));
    }
    Ok(Shelf { library, model, views: read_text(&dir.join("evidence/views.sql"))? })
}

fn faults(dir: &Path, problems: &[Problem]) -> Trouble {
    let message = format!("{} in {}", counted(problems.len()), dir.display());
    let mut trouble = Trouble::refused("standards", message, "mend them; nothing was loaded");
    trouble.problems = problems.iter().map(ToString::to_string).collect();
    trouble
}

/// So many faults, in words.
pub(crate) fn counted(count: usize) -> String {
    if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") }
}

fn walk(root: &Path, dir: &Path, depth: usize, files: &mut Vec<(String, String)>) -> Done<()> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| Fault::at(dir, &e))? {
        paths.push(entry.map_err(|e| Fault::at(dir, &e))?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() && depth < DEPTH_MAX {
            walk(root, &path, depth.saturating_add(1), files)?;
        } else if path.extension().is_some_and(|end| end == "toml") {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.push((name, read_text(&path)?));
        }
    }
    Ok(())
}
