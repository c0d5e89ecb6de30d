//! Every ban and every denied lint has a bite: a file under `xtask/bites/` that clippy must refuse for that reason.
//!
//! The first line of a bite says what it shows: `//! Bites: method std::thread::spawn`, `type f64`, or
//! `lint clippy::unwrap_used`. The files become modules of a scratch crate that takes the root's `clippy.toml` and the
//! workspace's lints, so a ban that was dropped or misspelt shows as a bite that nobody felt.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Done;
use crate::house;
use crate::run;
use crate::say;

const HEAD: &str = "//! Bites: ";

/// What clippy said of one file: lint and message.
type Said = BTreeMap<String, BTreeSet<(String, String)>>;

/// Runs clippy over the bites; the error lists those that nobody felt.
pub(crate) fn bites() -> Done {
    let bites = committed()?;
    let scratch = house::root().join("target/bites");
    lay_out(&scratch, &bites)?;
    let said = clippy(&scratch)?;
    let shown: BTreeSet<String> = bites.values().cloned().collect();
    let bare = wanted()?;
    let bare = bare.difference(&shown);
    let mut missed: Vec<String> = bare.map(|what| format!("`{what}` has no bite")).collect();
    for (file, what) in &bites {
        if !is_felt(what, said.get(file)) {
            missed.push(format!("xtask/bites/{file}: `{what}` does not bite"));
        }
    }
    say::line(format!(
        "bites: {} felt, {} missed",
        bites.len().saturating_sub(missed.len()),
        missed.len()
    ));
    if missed.is_empty() { Ok(()) } else { Err(missed.join("\n")) }
}

/// The committed bites: file name and what it shows.
fn committed() -> Done<BTreeMap<String, String>> {
    let folder = house::root().join("xtask/bites");
    let list = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut bites = BTreeMap::new();
    for path in list.filter_map(Result::ok).map(|entry| entry.path()) {
        let text = run::read(&path)?;
        let what =
            text.lines().next().and_then(|line| line.strip_prefix(HEAD)).ok_or_else(|| {
                format!("{}: the first line must begin with `{HEAD}`", path.display())
            })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        bites.insert(name, what.trim().to_owned());
    }
    Ok(bites)
}

/// All that must bite, from `clippy.toml` and the workspace's lints.
fn wanted() -> Done<BTreeSet<String>> {
    let root = house::root();
    let clippy = table(&root.join("clippy.toml"))?;
    let mut all = BTreeSet::new();
    for (key, kind) in [("disallowed-methods", "method"), ("disallowed-types", "type")] {
        for ban in clippy.get(key).and_then(toml::Value::as_array).into_iter().flatten() {
            let path = ban.get("path").unwrap_or(ban).as_str().unwrap_or_default();
            all.insert(format!("{kind} {path}"));
        }
    }
    for (tool, lints) in workspace_lints()? {
        let names = lints.as_table().into_iter().flat_map(|lints| lints.keys());
        all.extend(names.map(|name| format!("lint {tool}::{name}")));
    }
    // These two are shown by each single ban.
    all.remove("lint clippy::disallowed_methods");
    all.remove("lint clippy::disallowed_types");
    Ok(all)
}

fn workspace_lints() -> Done<toml::Table> {
    let manifest = table(&house::root().join("Cargo.toml"))?;
    let lints = manifest.get("workspace").and_then(|w| w.get("lints")).and_then(|l| l.as_table());
    lints.cloned().ok_or_else(|| "Cargo.toml has no [workspace.lints]".to_owned())
}

fn table(path: &Path) -> Done<toml::Table> {
    run::read(path)?.parse().map_err(|e| format!("{}: {e}", path.display()))
}

fn lay_out(scratch: &Path, bites: &BTreeMap<String, String>) -> Done {
    let root = house::root();
    let src = scratch.join("src");
    if src.exists() {
        std::fs::remove_dir_all(&src).map_err(|e| format!("{}: {e}", src.display()))?;
    }
    let mut manifest: toml::Table =
        "[workspace]\n[package]\nname = \"bites\"\nedition = \"2024\"\n"
            .parse()
            .map_err(|e| format!("manifest of the bites: {e}"))?;
    manifest.insert("lints".to_owned(), workspace_lints()?.into());
    run::write(&scratch.join("Cargo.toml"), &manifest.to_string())?;
    run::write(&scratch.join("clippy.toml"), &run::read(&root.join("clippy.toml"))?)?;
    let mut lib = String::from("//! Files that must be refused.\n");
    for file in bites.keys() {
        let stem = file.trim_end_matches(".rs");
        lib.push_str(&format!("pub mod {stem};\n"));
        run::write(&src.join(file), &run::read(&root.join("xtask/bites").join(file))?)?;
    }
    run::write(&src.join("lib.rs"), &lib)
}

fn clippy(scratch: &Path) -> Done<Said> {
    let wanted = ["clippy", "--offline", "--quiet", "--message-format=json"];
    let mut command = run::cargo(&wanted);
    command.current_dir(scratch).env("CARGO_TARGET_DIR", scratch.join("target"));
    command.env_remove("RUSTFLAGS");
    let output = run::kept(&mut command)?;
    let said = messages(&String::from_utf8_lossy(&output.stdout));
    if said.is_empty() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("clippy said nothing of the bites:\n{}", why.trim_end()));
    }
    Ok(said)
}

fn messages(stdout: &str) -> Said {
    let mut said = Said::new();
    for line in stdout.lines() {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let Some(message) = value.get("message") else { continue };
        let lint = text_at(message, "/code/code");
        let file = PathBuf::from(text_at(message, "/spans/0/file_name"));
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !lint.is_empty() {
            said.entry(file).or_default().insert((lint, text_at(message, "/message")));
        }
    }
    said
}

fn text_at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_felt(what: &str, said: Option<&BTreeSet<(String, String)>>) -> bool {
    let (kind, name) = what.split_once(' ').unwrap_or((what, ""));
    let quoted = format!("`{name}`");
    said.into_iter().flatten().any(|(lint, message)| match kind {
        "method" => lint == "clippy::disallowed_methods" && message.contains(&quoted),
        "type" => lint == "clippy::disallowed_types" && message.contains(&quoted),
        "lint" => lint == name.trim_start_matches("rust::"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ban_and_every_lint_has_exactly_one_bite() {
        let committed: Vec<String> = committed().unwrap().into_values().collect();
        let distinct: BTreeSet<String> = committed.iter().cloned().collect();
        assert_eq!(committed.len(), distinct.len(), "one bite for each ban");
        assert_eq!(distinct, wanted().unwrap());
    }

    #[test]
    fn a_bite_is_felt_only_by_its_own_lint_and_path() {
        let said =
            |lint: &str, message: &str| BTreeSet::from([(lint.to_owned(), message.to_owned())]);
        let spawn =
            said("clippy::disallowed_methods", "use of a disallowed method `std::thread::spawn`");
        assert!(is_felt("method std::thread::spawn", Some(&spawn)));
        assert!(!is_felt("method std::thread::sleep", Some(&spawn)));
        assert!(!is_felt("type std::thread::spawn", Some(&spawn)));
        assert!(!is_felt("lint clippy::todo", Some(&spawn)));
        assert!(!is_felt("method std::thread::spawn", None));
        assert!(is_felt("lint rust::unsafe_code", Some(&said("unsafe_code", "no"))));
    }
}
