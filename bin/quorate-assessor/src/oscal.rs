//! OSCAL at the command line: what is loaded and what was found go out, a stranger's catalogue comes in, any document is
//! checked.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use quorate_assessor::oscal::out::{self, Assessed, Remedy};
use quorate_assessor::oscal::{Document, back};
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::{Library, Problem, StandardKey};
use quorate_host::Fault;
use quorate_host::telemetry::safe;
use quorate_host::ui::Table;
use quorate_terms::{Digest, Malformed};
use serde_json::json;

use crate::home::{self, Home};
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// The forms that standards are written in.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// OSCAL 1.2.1 in JSON.
    Oscal,
}

/// Where standards go.
#[derive(Args)]
pub(crate) struct Export {
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Oscal)]
    format: Format,
    /// The folder; made if it is not there.
    #[arg(long)]
    out: PathBuf,
    /// A results file of an office: its system, plan, results and plan of action are written too.
    #[arg(long, value_name = "FILE", requires = "system")]
    results: Option<PathBuf>,
    /// What the assessed system is called.
    #[arg(long)]
    system: Option<String>,
    /// Who assessed.
    #[arg(long, default_value = "not named", value_name = "NAME")]
    assessor: String,
    /// Who mends what by when: a JSON list of `control`, `what`, `owner`, `due` (milliseconds since 1970).
    #[arg(long, value_name = "FILE", requires = "results")]
    remedies: Option<PathBuf>,
}

/// Where an assessment goes.
#[derive(Args)]
pub(crate) struct ExportAssessment {
    /// The standard; the newest assessment of it is written.
    standard: StandardKey,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Oscal)]
    format: Format,
    /// The folder; made if it is not there.
    #[arg(long)]
    out: PathBuf,
    /// What the assessed system is called; the pinned vaults, when none.
    #[arg(long)]
    system: Option<String>,
    /// Who mends what by when: a JSON list of `control`, `what`, `owner`, `due` (milliseconds since 1970).
    #[arg(long, value_name = "FILE")]
    remedies: Option<PathBuf>,
}

/// What is checked.
#[derive(Args)]
pub(crate) struct Check {
    /// OSCAL documents in JSON. References between them are settled; what none of them holds stays unsettled.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What is taken in.
#[derive(Args)]
pub(crate) struct Import {
    /// An OSCAL catalogue in JSON.
    file: PathBuf,
    /// What the standard is called here: lower-case letters, digits, hyphens.
    #[arg(long)]
    id: String,
    /// Its version here; the catalogue's own, when none.
    #[arg(long)]
    version: Option<String>,
}

/// Writes every catalogue, baseline, profile and mapping, the component definition, and an assessment where one is given.
pub(crate) fn export(shelf: &Shelf, asked: &Export) -> Done<Screen> {
    let Format::Oscal = asked.format;
    let mut all = standards(&shelf.library)?;
    if let Some(file) = &asked.results {
        let results = read_results(&home::read(file)?)?;
        let system = asked.system.as_deref().unwrap_or_default();
        let by = (system, asked.assessor.as_str(), asked.remedies.as_deref());
        all.extend(assessed(shelf, &results, by)?);
    }
    let written = store(&asked.out, &all)?;
    Ok(listed(&asked.out, &written))
}

/// Writes the newest assessment of a standard, with everything that it refers to.
pub(crate) fn export_assessment(
    home: &Home,
    office: &Office,
    shelf: &Shelf,
    asked: &ExportAssessment,
) -> Done<Screen> {
    let Format::Oscal = asked.format;
    run::catalogue(&shelf.library, &asked.standard)?;
    let results = newest(home, office, &asked.standard)?;
    let pinned = home.pinned()?.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let system = asked.system.as_deref().unwrap_or(&pinned);
    let mut all = standards(&shelf.library)?;
    all.extend(assessed(shelf, &results, (system, office.origin(), asked.remedies.as_deref()))?);
    let written = store(&asked.out, &all)?;
    Ok(listed(&asked.out, &written))
}

/// The four documents of one assessment: of which system, by whom, and who mends what.
fn assessed(
    shelf: &Shelf,
    results: &Results,
    (system, assessor, owed): (&str, &str, Option<&Path>),
) -> Done<Vec<Document>> {
    let catalogue = run::catalogue(&shelf.library, &results.standard)?;
    if catalogue.digest()? != results.catalogue {
        let message = format!("`{}` has changed since it was assessed", results.standard);
        return Err(Trouble::refused("changed", message, "assess again, then export"));
    }
    let remedies = &remedies(owed)?;
    let library = &shelf.library;
    out::assessed(&Assessed { results, catalogue, library, system, assessor, remedies })
        .map_err(faults)
}

fn read_results(bytes: &[u8]) -> Done<Results> {
    let read = serde_json::from_slice(bytes);
    Ok(read.map_err(|e| {
        Malformed::new("results", e.to_string(), "give a results file of an office")
    })?)
}

/// Says what is wrong with documents, and what they leave open.
pub(crate) fn check(asked: &Check) -> Done<Screen> {
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for path in &asked.files {
        let name = path.display().to_string();
        match Document::read(&name, &home::read(path)?) {
            Ok(document) => documents.push(document),
            Err(found) => problems.extend(found),
        }
    }
    let mut table = Table::new(&["file", "model", "OSCAL", "problems", "unsettled"]);
    let mut open = Vec::new();
    for document in &documents {
        let checked = document.against(&documents);
        let (wrong, unsettled) = (checked.problems.len(), checked.unsettled.len());
        let cells = [&safe(&document.name), document.model.word(), &document.version];
        let counts = [wrong.to_string(), unsettled.to_string()];
        table.row(cells.into_iter().chain(counts.iter().map(String::as_str)).map(str::to_owned));
        problems.extend(checked.problems);
        open.extend(checked.unsettled.into_iter().map(|what| format!("{}: {what}", document.name)));
    }
    let said: Vec<String> = problems.iter().map(|problem| safe(&problem.to_string())).collect();
    let well = problems.is_empty();
    let end = if well { "nothing is wrong" } else { "mend what is wrong, then check again" };
    let text = format!(
        "{table}\n{}\n{} problems, {} unsettled; {end}",
        said.join("\n"),
        said.len(),
        open.len()
    );
    Ok(Screen { text, json: json!({ "problems": problems, "unsettled": open }), well })
}

/// Makes a stranger's catalogue a standard of this folder.
pub(crate) fn import(standards: &Path, asked: &Import) -> Done<Screen> {
    let name = asked.file.display().to_string();
    let document = Document::read(&name, &home::read(&asked.file)?).map_err(faults)?;
    let checked = document.against(&[]);
    if !checked.problems.is_empty() {
        return Err(faults(checked.problems));
    }
    let as_of = jiff::Zoned::now().date().to_string();
    let named = back::Named { id: asked.id.clone(), version: asked.version.clone(), as_of };
    let catalogue = back::foreign(&document, &named)?;
    let text = back::to_toml(&catalogue)?;
    let place = format!("{}/{}/catalogue.toml", catalogue.id, catalogue.version);
    // Loaded alone first: a name that leads out of the folder, and texts that hide something, are refused here.
    Library::load([(place.as_str(), text.as_str())]).map_err(faults)?;
    let path = standards.join(&place);
    if path.exists() {
        let next = "give another --version; a standard that is there is never replaced";
        return Err(Trouble::refused(
            "there",
            format!("{} is there already", path.display()),
            next,
        ));
    }
    make(path.parent().unwrap_or(standards))?;
    home::write(&path, text.as_bytes())?;
    let (key, count) = (catalogue.key(), catalogue.controls.len());
    let text =
        format!("`{key}`: {count} controls are at {}; not official, not decided", path.display());
    Ok(Screen::new(text, json!({ "standard": key, "controls": count, "file": path })))
}

/// Everything that does not need an assessment.
fn standards(library: &Library) -> Done<Vec<Document>> {
    let mut all = Vec::new();
    for catalogue in library.catalogues.values() {
        all.push(out::catalogue(catalogue).map_err(faults)?);
        all.push(out::baseline(catalogue, None).map_err(faults)?);
        for level in &catalogue.levels {
            all.push(out::baseline(catalogue, Some(&level.id)).map_err(faults)?);
        }
    }
    for profile in library.profiles.values() {
        all.push(out::profile(profile, library).map_err(faults)?);
    }
    for mappings in library.mappings.values() {
        all.push(out::mapping(mappings, library).map_err(faults)?);
    }
    all.push(out::component(library).map_err(faults)?);
    Ok(all)
}

/// The newest results of a standard, as the office's ledger names them.
fn newest(home: &Home, office: &Office, standard: &StandardKey) -> Done<Results> {
    let found = office.lines().iter().rev().find_map(|line| match &line.body {
        Record::Assessed { standard: of, results, .. } if of == standard => Some(*results),
        _ => None,
    });
    let digest = found.ok_or_else(|| {
        let next = format!("run `quorate-assessor assess \"{standard}\"` first");
        Trouble::refused("not_assessed", format!("`{standard}` was never assessed here"), next)
    })?;
    let bytes = home::read(&home.results(&format!("{digest}.json")))?;
    if Digest::sha256(&bytes) != digest {
        let next = "keep the file and restore it from a copy";
        return Err(Trouble::refused(
            "refuted",
            "the results are not those that the ledger names",
            next,
        ));
    }
    read_results(&bytes)
}

fn remedies(path: Option<&Path>) -> Done<Vec<Remedy>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let read = serde_json::from_slice(&home::read(path)?);
    Ok(read.map_err(|e| {
        Malformed::new("remedies", e.to_string(), "see `quorate-assessor export --help`")
    })?)
}

/// Writes documents; each must stand against the others first.
fn store(out: &Path, documents: &[Document]) -> Done<Vec<(String, &'static str)>> {
    let problems: Vec<Problem> =
        documents.iter().flat_map(|document| document.against(documents).problems).collect();
    if !problems.is_empty() {
        return Err(faults(problems));
    }
    make(out)?;
    let mut written = Vec::new();
    for document in documents {
        home::write(&out.join(&document.name), &document.write())?;
        written.push((document.name.clone(), document.model.word()));
    }
    Ok(written)
}

fn make(dir: &Path) -> Done<()> {
    Ok(fs::create_dir_all(dir).map_err(|e| Fault::at(dir, &e))?)
}

fn listed(out: &Path, written: &[(String, &'static str)]) -> Screen {
    let mut table = Table::new(&["file", "model"]);
    for (name, model) in written {
        table.row([name.as_str(), model]);
    }
    let text = format!("{table}\n{} OSCAL documents in {}", written.len(), out.display());
    let files: Vec<_> =
        written.iter().map(|(name, model)| json!({ "file": name, "model": model })).collect();
    Screen::new(text, json!({ "out": out, "written": files }))
}

fn faults(problems: Vec<Problem>) -> Trouble {
    let message = library::counted(problems.len());
    let mut trouble = Trouble::refused("oscal", message, "mend them; nothing was written");
    trouble.problems = problems.iter().map(ToString::to_string).collect();
    trouble
}
