//! Golden files: what programs outside rely on is generated, committed and compared.
//!
//! Examples generate them: each takes a folder and writes its files there, under the paths that they have in the repository. In
//! a folder named `golden` there is nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Done;
use crate::build;
use crate::house;
use crate::run;
use crate::say;

/// The examples: of the desk's library, and of the office, which is a program alone.
const WRITERS: [&str; 2] = ["write_schemas", "write_office_api"];

/// Files by path, with their bytes.
type Files = BTreeMap<String, Vec<u8>>;

/// Writes the golden files again.
pub(crate) fn write() -> Done {
    generate(&house::root())?;
    say::line("schemas: written");
    Ok(())
}

/// Compares fresh files with the committed ones; gives how many there are.
pub(crate) fn compare() -> Done<usize> {
    let fresh = tempfile::tempdir().map_err(|e| format!("no temporary folder ({e})"))?;
    generate(fresh.path())?;
    let made = files(fresh.path())?;
    let kept = kept(&house::root(), &made)?;
    let stale = differing(&made, &kept);
    if stale.is_empty() {
        return Ok(made.len());
    }
    Err(format!("stale: {}; run `cargo xtask schemas` and read the diff", stale.join(", ")))
}

/// The committed copies of what was made, and whatever else lies in a folder of golden files.
fn kept(root: &Path, made: &Files) -> Done<Files> {
    let mut kept = Files::new();
    for name in made.keys() {
        let path = root.join(name);
        if path.is_file() {
            kept.insert(name.clone(), bytes(&path)?);
        }
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        if folder.ends_with("golden") {
            for (inner, bytes) in files(&root.join(folder))? {
                kept.insert(folder.join(inner).display().to_string(), bytes);
            }
        }
    }
    Ok(kept)
}

/// Packages with an example of this name, by the folder that holds it.
pub(crate) fn packages_with_example(name_matches: fn(&str) -> bool) -> Done<Vec<(String, String)>> {
    let mut found = Vec::new();
    for folder in ["crates", "bin"] {
        for package in entries(&house::root().join(folder))? {
            for example in entries(&package.join("examples")).unwrap_or_default() {
                let stem = example.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let is_rust = example.extension().is_some_and(|e| e == "rs")
                    || example.join("main.rs").is_file();
                if is_rust && name_matches(&stem) {
                    found.push((package_name(&package)?, stem));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

fn generate(to: &Path) -> Done {
    build::everything()?;
    std::fs::create_dir_all(to).map_err(|e| format!("{}: {e}", to.display()))?;
    let to = to.to_string_lossy();
    for writer in WRITERS {
        run::shown(&mut run::command(build::example(writer), &[&to]))?;
    }
    Ok(())
}

fn package_name(folder: &Path) -> Done<String> {
    let text = run::read(&folder.join("Cargo.toml"))?;
    let manifest: toml::Table =
        text.parse().map_err(|e| format!("{}/Cargo.toml: {e}", folder.display()))?;
    let name = manifest.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str());
    name.map(str::to_owned).ok_or_else(|| format!("{}: no package name", folder.display()))
}

fn entries(folder: &Path) -> Done<Vec<PathBuf>> {
    let list = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(list.filter_map(Result::ok).map(|entry| entry.path()).collect())
}

/// Every file below a folder by its path within, with its bytes. A folder that is not there holds none.
fn files(folder: &Path) -> Done<Files> {
    let mut found = Files::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for path in entries(&next).unwrap_or_default() {
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            found.insert(name, bytes(&path)?);
        }
    }
    Ok(found)
}

fn bytes(path: &Path) -> Done<Vec<u8>> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn differing(made: &Files, kept: &Files) -> Vec<String> {
    let mut names: Vec<&String> = made.keys().chain(kept.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().filter(|name| made.get(*name) != kept.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_a_left_over_file_are_stale() {
        let of = |pairs: &[(&str, &str)]| -> Files {
            pairs.iter().map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec())).collect()
        };
        let made = of(&[("same", "x"), ("changed", "x"), ("new", "x")]);
        let kept = of(&[("same", "x"), ("changed", "y"), ("old", "x")]);
        assert_eq!(differing(&made, &kept), ["changed", "new", "old"]);
    }

    #[test]
    fn a_left_over_file_counts_only_where_all_is_golden() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a/golden/made", "a/golden/left", "docs/made", "docs/other"] {
            run::write(&root.path().join(name), "x").unwrap();
        }
        let made: Files = ["a/golden/made", "docs/made", "docs/missing"]
            .map(|name| (name.to_owned(), b"x".to_vec()))
            .into();
        let kept = kept(root.path(), &made).unwrap();
        assert_eq!(differing(&made, &kept), ["a/golden/left", "docs/missing"]);
    }
}
