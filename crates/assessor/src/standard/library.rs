//! Everything that was loaded, by key.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::catalogue::{Catalogue, Control};
use super::clock::{Anchors, Clocks};
use super::decision::{Decision, Decisions};
use super::guard::{self, FILES_MAX, PROBLEMS_MAX};
use super::mapping::{Map, Mappings};
use super::problem::Problem;
use super::profile::Profile;
use super::{ControlKey, StandardKey, lint, version_order};

/// Catalogues, decisions, mappings, profiles and clocks that fit one another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Library {
    /// Catalogues.
    pub catalogues: BTreeMap<StandardKey, Catalogue>,
    /// Decisions, by control.
    pub decisions: BTreeMap<ControlKey, Decision>,
    /// Mappings, by id.
    pub mappings: BTreeMap<String, Mappings>,
    /// Profiles, by id.
    pub profiles: BTreeMap<String, Profile>,
    /// Clocks, by standard.
    pub clocks: BTreeMap<StandardKey, Clocks>,
    /// Anchors of clocks: id and meaning.
    pub anchors: BTreeMap<String, String>,
    /// The file that each thing came from, for complaints.
    pub(super) files: BTreeMap<String, String>,
    /// Where each control stands in its catalogue.
    places: BTreeMap<ControlKey, usize>,
}

impl Library {
    /// Loads files, given as path below `standards/` and text. Which kind a file is, its name says: `catalogue.toml`,
    /// `decisions.toml`, `clocks.toml`, `clocks/anchors.toml`, `mappings/*.toml`, `profiles/*.toml`. Others are left alone.
    ///
    /// # Errors
    /// Every [`Problem`], sorted. Nothing is half loaded.
    pub fn load<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Problem>> {
        let mut library = Self::default();
        let mut problems = Vec::new();
        for (count, (path, text)) in files.into_iter().enumerate() {
            if count >= FILES_MAX {
                let mend = "load fewer standards at a time";
                problems.push(Problem::new(path, "file", "is one of too many", mend));
                break;
            }
            if let Err(problem) = library.add(path, text) {
                problems.push(problem);
            }
        }
        if problems.is_empty() {
            problems = lint::structure(&library);
        }
        if problems.is_empty() {
            return Ok(library);
        }
        problems.sort();
        problems.truncate(PROBLEMS_MAX);
        Err(problems)
    }

    fn add(&mut self, path: &str, text: &str) -> Result<(), Problem> {
        let mut parts = path.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or(path), parts.next().unwrap_or_default());
        match (folder, name) {
            ("mappings", _) => self.add_mappings(path, read(path, text)?),
            ("profiles", _) => self.add_profile(path, read(path, text)?),
            ("clocks", "anchors.toml") => self.add_anchors(path, read(path, text)?),
            (_, "catalogue.toml") => self.add_catalogue(path, read(path, text)?),
            (_, "decisions.toml") => self.add_decisions(path, read(path, text)?),
            (_, "clocks.toml") => self.add_clocks(path, read(path, text)?),
            _ => Ok(()),
        }
    }

    fn add_catalogue(&mut self, path: &str, catalogue: Catalogue) -> Result<(), Problem> {
        let key = catalogue.key();
        let expected = format!("{}/{}/catalogue.toml", key.standard, key.version);
        if !path.ends_with(&expected) {
            let mend = format!("put it at {expected}");
            return Err(Problem::new(path, "id", "does not fit the folder", mend));
        }
        self.once(path, format!("catalogue {key}"))?;
        for (place, control) in catalogue.controls.iter().enumerate() {
            self.places.insert(key.control(&control.id), place);
        }
        self.catalogues.insert(key, catalogue);
        Ok(())
    }

    fn add_decisions(&mut self, path: &str, decisions: Decisions) -> Result<(), Problem> {
        let key = StandardKey { standard: decisions.standard, version: decisions.version };
        for decision in decisions.decisions {
            let control = key.control(&decision.control);
            self.once(path, format!("decision {control}"))?;
            self.decisions.insert(control, decision);
        }
        Ok(())
    }

    fn add_mappings(&mut self, path: &str, mappings: Mappings) -> Result<(), Problem> {
        self.once(path, format!("mapping {}", mappings.id))?;
        self.mappings.insert(mappings.id.clone(), mappings);
        Ok(())
    }

    fn add_profile(&mut self, path: &str, profile: Profile) -> Result<(), Problem> {
        self.once(path, format!("profile {}", profile.id))?;
        self.profiles.insert(profile.id.clone(), profile);
        Ok(())
    }

    fn add_clocks(&mut self, path: &str, clocks: Clocks) -> Result<(), Problem> {
        let key =
            StandardKey { standard: clocks.standard.clone(), version: clocks.version.clone() };
        self.once(path, format!("clocks {key}"))?;
        self.clocks.insert(key, clocks);
        Ok(())
    }

    fn add_anchors(&mut self, path: &str, anchors: Anchors) -> Result<(), Problem> {
        for anchor in anchors.anchors {
            self.once(path, format!("anchor {}", anchor.id))?;
            self.anchors.insert(anchor.id, anchor.meaning);
        }
        Ok(())
    }

    /// A thing has one file and one place in it.
    fn once(&mut self, path: &str, what: String) -> Result<(), Problem> {
        let Some(before) = self.files.insert(what.clone(), path.to_owned()) else { return Ok(()) };
        let why = format!("was given before, in {before}");
        Err(Problem::new(path, what, why, "give each id once"))
    }

    /// The control of a key.
    pub fn control(&self, key: &ControlKey) -> Option<&Control> {
        let place = self.places.get(key)?;
        self.catalogues.get(&key.of())?.controls.get(*place)
    }

    /// The newest version of a standard: numbers in versions count as numbers, so that 10.0 comes after 9.1.
    pub fn newest(&self, standard: &str) -> Option<&Catalogue> {
        let of_it = self.catalogues.values().filter(|catalogue| catalogue.id == standard);
        of_it.max_by(|one, other| version_order(&one.version, &other.version))
    }

    /// Every map that leads from this control.
    pub fn maps_from<'a>(
        &'a self,
        key: &'a ControlKey,
    ) -> impl Iterator<Item = (ControlKey, &'a Map)> {
        let from = key.of().to_string();
        let files = self.mappings.values().filter(move |mappings| mappings.from == from);
        let maps = files.flat_map(|mappings| mappings.maps.iter());
        maps.filter(|map| map.control == key.id).filter_map(|map| {
            let standard: StandardKey = map.standard.parse().ok()?;
            Some((standard.control(&map.to), map))
        })
    }

    /// Every map that leads to this control, with the control that it comes from.
    pub fn maps_to<'a>(
        &'a self,
        key: &'a ControlKey,
    ) -> impl Iterator<Item = (ControlKey, &'a Map)> {
        let to = key.of().to_string();
        self.mappings.values().flat_map(move |mappings| {
            let to = to.clone();
            let maps = mappings.maps.iter().filter(move |m| m.standard == to && m.to == key.id);
            maps.filter_map(|map| {
                let from: StandardKey = mappings.from.parse().ok()?;
                Some((from.control(&map.control), map))
            })
        })
    }

    /// Where a thing came from, for complaints.
    pub(super) fn file(&self, what: &str) -> String {
        self.files.get(what).cloned().unwrap_or_default()
    }
}

fn read<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Problem> {
    guard::check(path, text)?;
    toml::from_str(text).map_err(|e| guard::unread(path, text, &e))
}
