//! One typed TOML file for each binary. Unknown fields are refused; paths in it are relative to it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::fault::Fault;

/// The largest configuration file, in bytes.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// A configuration, and where it was read: the base of the paths in it.
#[derive(Clone, Debug)]
pub struct Config<T> {
    /// The fields.
    pub value: T,
    /// The file's text as read, for the entry that captures it.
    pub text: String,
    base: PathBuf,
}

impl<T: DeserializeOwned> Config<T> {
    /// Reads a file into `T`, which must carry `#[serde(deny_unknown_fields)]`.
    ///
    /// # Errors
    /// [`Fault`] naming the file, the line and the field, and how to mend it.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let meta = fs::metadata(path).map_err(|e| Fault::at(path, &e))?;
        if meta.len() > CONFIG_BYTES_MAX {
            return Err(Fault::new(path.display().to_string(), "is too large", "give a TOML file"));
        }
        let text = fs::read_to_string(path).map_err(|e| Fault::at(path, &e))?;
        let value = parse(&text, &path.display().to_string())?;
        let base = path.parent().unwrap_or_else(|| Path::new(".")).to_owned();
        Ok(Self { value, text, base })
    }

    /// A path from the file: absolute as it is, relative from the file's directory.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }
}

/// Reads TOML text; `name` stands before the line in an error.
///
/// # Errors
/// As [`Config::load`].
pub fn parse<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Fault> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        // The first line says what and which field; the rest quotes the file, which may hold a secret by mistake.
        let why = error.message().lines().next().unwrap_or("cannot be read").to_owned();
        Fault::new(format!("{name}:{line}"), why, mend(error.message()))
    })
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count().saturating_add(1)
}

fn mend(message: &str) -> &'static str {
    if message.starts_with("unknown field") {
        "remove the field, or spell it as one of those"
    } else if message.starts_with("missing field") {
        "add the field"
    } else if message.starts_with("duplicate") {
        "keep one of the two"
    } else {
        "mend this line"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Desk {
        listen: String,
        ledger: PathBuf,
        retries: Option<u32>,
    }

    fn refusal(text: &str) -> String {
        parse::<Desk>(text, "desk.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_bad_field_is_refused_with_its_line_its_name_and_the_mend() {
        let good = "listen = \"127.0.0.1:1\"\nledger = \"l\"\n";
        for (text, line, says, mend) in [
            ("lisen = \"x\"\n", "desk.toml:1", "`lisen`", "spell it"),
            ("listen = \"x\"\n", "desk.toml:1", "`ledger`", "add the field"),
            (&format!("{good}retries = \"3\"\n"), "desk.toml:3", "u32", "mend this line"),
            (&format!("{good}retries = -1\n"), "desk.toml:3", "u32", "mend this line"),
            (&format!("{good}ledger = \"m\"\n"), "desk.toml:3", "duplicate", "keep one"),
            (&format!("{good}[extra]\na = 1\n"), "desk.toml:3", "`extra`", "spell it"),
        ] {
            let refused = refusal(text);
            assert!(!refused.contains('\n'), "{refused}");
            for part in [line, says, mend] {
                assert!(refused.contains(part), "{part:?} in {refused:?}");
            }
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desk.toml");
        fs::write(&path, "listen = \"x\"\nledger = \"data/ledger.db\"\n").unwrap();
        let config = Config::<Desk>::load(&path).unwrap();
        assert_eq!(config.resolve(&config.value.ledger), dir.path().join("data/ledger.db"));
        assert_eq!(config.resolve(Path::new("/x")), Path::new("/x"));
        assert_eq!((config.value.listen.as_str(), config.value.retries), ("x", None));
        assert!(Config::<Desk>::load(&dir.path().join("none")).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(?s).{0,200}") {
            let _ = parse::<Desk>(&text, "desk.toml");
        }
    }
}
