//! What a deployment must keep to when several regulators watch: the strictest value of each parameter, and the conflicts
//! that no value can settle.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalogue::Fixed;
use super::library::Library;
use super::measure::{seconds, strictest, tightened};
use super::{ControlKey, StandardKey};

/// A choice of standards with the strictest of their values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How firm it is.
    pub status: String,
    /// The rule in plain words.
    pub rule: String,
    /// The standards that it draws from: id and version.
    pub imports: Vec<String>,
    /// The strictest values.
    #[serde(default, rename = "setting")]
    pub settings: Vec<Setting>,
    /// What cannot be merged, and the way through.
    #[serde(default, rename = "conflict")]
    pub conflicts: Vec<Conflict>,
}

/// One parameter and its strictest value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name.
    pub parameter: String,
    /// Which value wins.
    pub merge: Merge,
    /// The value; none where each jurisdiction keeps its own.
    pub value: Option<Fixed>,
    /// What kind of value it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Words, the strictest first, where words are compared.
    #[serde(default)]
    pub order: Vec<Fixed>,
    /// The controls that it comes from.
    pub from: Vec<String>,
    /// What a control calls the parameter, where it has another name there; none is read where a control is not named.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Parameters of decisions that it tightens: `wd 0.1.0 WD-09.7 rto`.
    #[serde(default)]
    pub tightens: Vec<String>,
    /// What else to know.
    pub note: Option<String>,
}

/// Which of several values wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// The largest number or longest duration.
    Max,
    /// The smallest number or shortest duration; immediate comes before any duration.
    Min,
    /// The narrowest word, forbidden first.
    Strictest,
    /// They cannot be merged.
    None,
}

/// Demands that no single value satisfies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What kind of conflict.
    pub kind: String,
    /// What clashes.
    pub what: String,
    /// The controls that clash.
    pub controls: Vec<String>,
    /// The way through.
    pub way_through: String,
}

/// One setting worked out again from the controls that it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Resolved<'a> {
    /// The setting.
    pub setting: &'a Setting,
    /// What each control says. Where values cannot be merged, each jurisdiction keeps its own.
    pub sources: Vec<Source<'a>>,
    /// The strictest of them; none where they cannot be compared.
    pub strictest: Option<&'a Fixed>,
    /// The conflicts that touch one of these controls.
    pub conflicts: Vec<&'a Conflict>,
}

/// What one control says of a parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Source<'a> {
    /// The control.
    pub control: ControlKey,
    /// Where it applies (ISO 3166).
    pub jurisdiction: Option<&'a str>,
    /// What the parameter is called there.
    pub parameter: &'a str,
    /// Its value; none where the control fixes nothing.
    pub value: Option<&'a Fixed>,
}

impl Profile {
    /// Works every setting out again from the controls that it comes from.
    pub fn resolve<'a>(&'a self, library: &'a Library) -> Vec<Resolved<'a>> {
        self.settings.iter().map(|setting| self.resolved(setting, library)).collect()
    }

    fn resolved<'a>(&'a self, setting: &'a Setting, library: &'a Library) -> Resolved<'a> {
        let sources: Vec<_> =
            setting.from.iter().filter_map(|id| self.source(setting, id, library)).collect();
        let values = sources.iter().filter_map(|source| source.value);
        let strictest = match setting.merge {
            Merge::None => None,
            merge => strictest(values, merge, &setting.order),
        };
        let touches = |conflict: &&Conflict| {
            conflict.controls.iter().any(|control| setting.from.contains(control))
        };
        let conflicts = self.conflicts.iter().filter(touches).collect();
        Resolved { setting, sources, strictest, conflicts }
    }

    fn source<'a>(
        &self,
        setting: &'a Setting,
        id: &'a str,
        library: &'a Library,
    ) -> Option<Source<'a>> {
        let (key, control) = self.imports.iter().find_map(|import| {
            let key = import.parse::<StandardKey>().ok()?.control(id);
            library.control(&key).map(|control| (key, control))
        })?;
        let parameter = setting.names.get(id).unwrap_or(&setting.parameter);
        let fixed = control.parameters.iter().find(|p| p.name == *parameter);
        let jurisdiction = library.catalogues.get(&key.of())?.jurisdiction.as_deref();
        let value = fixed.and_then(|p| p.value.as_ref());
        Some(Source { control: key, jurisdiction, parameter, value })
    }

    /// Tightens the parameters of one control's decision. It never loosens one.
    pub fn tighten(&self, control: &ControlKey, parameters: &mut BTreeMap<String, Fixed>) {
        for setting in &self.settings {
            let Some(value) = &setting.value else { continue };
            for (key, name) in setting.tightens.iter().filter_map(|target| bound(target)) {
                let Some(own) = parameters.get_mut(name).filter(|_| key == *control) else {
                    continue;
                };
                *own = tightened(own, &in_unit(own, name, value), setting.merge);
            }
        }
    }
}

/// `wd 0.1.0 WD-09.7 rto`: the control and the parameter.
pub(super) fn bound(target: &str) -> Option<(ControlKey, &str)> {
    let (control, name) = target.rsplit_once(' ')?;
    let (standard, id) = control.rsplit_once(' ')?;
    Some((standard.parse::<StandardKey>().ok()?.control(id), name))
}

/// A duration for a parameter that counts seconds.
fn in_unit(own: &Fixed, name: &str, value: &Fixed) -> Fixed {
    match (own, value) {
        (Fixed::Integer(_), Fixed::Text(text)) if name.ends_with("_s") => {
            let whole = seconds(text).and_then(|s| i64::try_from(s).ok());
            whole.map_or_else(|| value.clone(), Fixed::Integer)
        }
        _ => value.clone(),
    }
}
