//! What is in the tree: files, their text, and the syntax of those that are Rust.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Done;
use crate::run;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the root.
    pub(crate) path: String,
    /// As it stands.
    pub(crate) text: String,
    /// Parsed.
    pub(crate) syntax: syn::File,
}

/// Every file that is or may be committed.
pub(crate) struct House {
    /// Text files by path relative to the root.
    pub(crate) texts: BTreeMap<String, String>,
    /// The Rust files of crates, binaries and automation; bites and compile-fail cases are data.
    pub(crate) sources: Vec<Source>,
}

impl House {
    /// Reads the tree: all that git tracks or would track.
    pub(crate) fn read() -> Done<Self> {
        let listing =
            run::text(&mut run::command("git", &["ls-files", "-co", "--exclude-standard"]))?;
        let root = root();
        let mut texts = BTreeMap::new();
        for path in listing.lines() {
            let full = root.join(path);
            if !full.is_file() {
                continue;
            }
            let bytes = std::fs::read(&full).map_err(|e| format!("{path}: {e}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.insert(path.to_owned(), text);
            }
        }
        let sources = parse_all(&texts)?;
        Ok(Self { texts, sources })
    }
}

fn parse_all(texts: &BTreeMap<String, String>) -> Done<Vec<Source>> {
    texts
        .iter()
        .filter(|(path, _)| is_source(path))
        .map(|(path, text)| {
            let syntax = syn::parse_file(text)
                .map_err(|e| format!("{path}:{}: is not Rust ({e})", e.span().start().line))?;
            Ok(Source { path: path.clone(), text: text.clone(), syntax })
        })
        .collect()
}

fn is_source(path: &str) -> bool {
    let data = path.starts_with("xtask/bites/") || path.contains("/compile_fail/");
    path.ends_with(".rs") && !data
}
