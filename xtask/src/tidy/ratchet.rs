//! Ceilings that only fall. What stood above a ceiling when it was set is listed in `xtask/ratchet.toml` with its size;
//! it may shrink, never grow, and nothing new may join.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Done;
use crate::house;
use crate::run;

const HEAD: &str =
    "# Ceilings that only fall: `cargo xtask tidy --ratchet` lowers them and never raises one.\n\n";

/// The committed exceptions.
#[derive(Serialize, Deserialize, Default, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ratchet {
    /// Files above the ceiling, with their lines.
    pub(crate) files: BTreeMap<String, usize>,
    /// Functions above the ceiling (`path::name`), with their lines.
    pub(crate) functions: BTreeMap<String, usize>,
    /// Packages in the tree of a binary.
    pub(crate) packages: BTreeMap<String, usize>,
}

impl Ratchet {
    pub(crate) fn load() -> Done<Self> {
        let text = run::read(&house::root().join("xtask/ratchet.toml"))?;
        toml::from_str(&text).map_err(|e| format!("xtask/ratchet.toml: {e}"))
    }

    pub(crate) fn store(&self) -> Done {
        let body = toml::to_string(self).map_err(|e| format!("xtask/ratchet.toml: {e}"))?;
        run::write(&house::root().join("xtask/ratchet.toml"), &format!("{HEAD}{body}"))
    }

    /// The same ceilings, each at most what is true today; what is gone is dropped.
    pub(crate) fn lowered(&self, over: &Over, packages: &BTreeMap<String, usize>) -> Self {
        Self {
            files: lower(&self.files, &over.files),
            functions: lower(&self.functions, &over.functions),
            packages: lower(&self.packages, packages),
        }
    }
}

/// What stands above a ceiling today.
#[derive(Default)]
pub(crate) struct Over {
    pub(crate) files: BTreeMap<String, usize>,
    pub(crate) functions: BTreeMap<String, usize>,
}

fn lower(
    ceilings: &BTreeMap<String, usize>,
    today: &BTreeMap<String, usize>,
) -> BTreeMap<String, usize> {
    ceilings
        .iter()
        .filter_map(|(name, ceiling)| Some((name.clone(), *today.get(name)?.min(ceiling))))
        .collect()
}

/// Complaints about what is above `ceiling` and grew, is new, or could be lowered.
pub(crate) fn compare(
    ceiling: usize,
    allowed: &BTreeMap<String, usize>,
    today: &BTreeMap<String, usize>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, lines) in today {
        match allowed.get(name) {
            None => found.push((
                name.clone(),
                format!("{lines} lines; the ceiling is {ceiling}, so cut it"),
            )),
            Some(was) if lines > was => {
                found.push((name.clone(), format!("grew from {was} to {lines} lines; cut it")));
            }
            Some(was) if lines < was => found.push((name.clone(), slack(*was, *lines))),
            Some(_) => {}
        }
    }
    for (name, was) in allowed {
        if !today.contains_key(name) {
            found.push((name.clone(), slack(*was, 0)));
        }
    }
    found
}

fn slack(was: usize, is: usize) -> String {
    let now = if is == 0 { "gone".to_owned() } else { format!("at {is}") };
    format!("the ratchet says {was} and it is {now}; run `cargo xtask tidy --ratchet`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
        pairs.iter().map(|(name, lines)| ((*name).to_owned(), *lines)).collect()
    }

    fn check(allowed: &[(&str, usize)], today: &[(&str, usize)], complaints: usize) {
        assert_eq!(compare(600, &map(allowed), &map(today)).len(), complaints);
    }

    #[test]
    fn a_new_a_grown_and_a_shrunk_thing_are_each_told() {
        check(&[], &[], 0);
        check(&[("a", 700)], &[("a", 700)], 0);
        check(&[], &[("a", 601)], 1);
        check(&[("a", 700)], &[("a", 701)], 1);
        check(&[("a", 700)], &[("a", 650)], 1);
        check(&[("a", 700)], &[], 1);
    }

    #[test]
    fn lowering_never_raises_and_never_adds() {
        let allowed = map(&[("a", 700), ("gone", 650), ("grown", 610)]);
        let today = map(&[("a", 690), ("grown", 800), ("new", 900)]);
        assert_eq!(lower(&allowed, &today), map(&[("a", 690), ("grown", 610)]));
    }
}
