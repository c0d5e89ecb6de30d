//! Profiles: a level of a standard, and the strictest of several standards.

use serde_json::{Value, json};

use super::catalogue::values;
use super::{Document, Done, Metadata, baseline_file, catalogue_file, close, put, token};
use crate::oscal::carry::{fields, props};
use crate::standard::profile::Profile;
use crate::standard::{Catalogue, Library, StandardKey};

/// Every control up to a level; all of them without one. Levels add up.
///
/// # Errors
/// What does not fit OSCAL.
pub fn baseline(catalogue: &Catalogue, level: Option<&str>) -> Done<Document> {
    let key = catalogue.key();
    let title = match level {
        Some(level) => format!("{}, level {level}", catalogue.title),
        None => format!("{}, every control", catalogue.title),
    };
    let metadata = maker(&title, &catalogue.version, &catalogue.as_of).json();
    let mut import = json!({ "href": catalogue_file(&key) });
    let rank = catalogue.rank(level);
    if level.is_none() {
        put(&mut import, "include-all", json!({}));
    } else {
        let asked =
            catalogue.controls.iter().filter(|c| catalogue.rank(c.level.as_deref()) <= rank);
        let ids: Vec<String> = asked.map(|control| token(&control.id)).collect();
        put(&mut import, "include-controls", json!([{ "with-ids": ids }]));
    }
    let body = json!({ "metadata": metadata, "imports": [import], "merge": { "as-is": true } });
    close(&baseline_file(&key, level), "profile", body)
}

/// A profile of ours: the controls that its settings come from, each parameter set to the strictest value.
///
/// # Errors
/// What does not fit OSCAL.
pub fn profile(profile: &Profile, library: &Library) -> Done<Document> {
    let keys: Vec<StandardKey> =
        profile.imports.iter().filter_map(|name| name.parse().ok()).collect();
    let newest =
        keys.iter().filter_map(|key| library.catalogues.get(key)).map(|c| c.as_of.as_str()).max();
    let mut metadata = maker(&profile.title, "1", newest.unwrap_or("2026-01-01")).json();
    let mut own = fields(profile);
    for native in ["title", "rule"] {
        own.remove(native);
    }
    put(&mut metadata, "props", json!(props(&own)));
    put(&mut metadata, "remarks", json!(profile.rule));
    let imports: Vec<Value> = keys.iter().filter_map(|key| import(profile, library, key)).collect();
    let mut body = json!({ "metadata": metadata, "imports": imports, "merge": { "as-is": true } });
    put(&mut body, "modify", json!({ "set-parameters": set(profile, library, &keys) }));
    close(&format!("{}.profile.json", profile.id), "profile", body)
}

fn maker<'a>(title: &'a str, version: &'a str, as_of: &str) -> Metadata<'a> {
    Metadata {
        title,
        version,
        modified: format!("{as_of}T00:00:00Z"),
        role: ("creator", "Who made this profile"),
        party: "Quorate",
    }
}

fn import(profile: &Profile, library: &Library, key: &StandardKey) -> Option<Value> {
    let catalogue = library.catalogues.get(key)?;
    let named = |id: &str| {
        let settings = profile.settings.iter().flat_map(|s| &s.from);
        let mut all = settings.chain(profile.conflicts.iter().flat_map(|c| &c.controls));
        all.any(|from| from == id)
    };
    let ids: Vec<String> =
        catalogue.controls.iter().filter(|c| named(&c.id)).map(|c| token(&c.id)).collect();
    let mut json = json!({ "href": catalogue_file(key) });
    if ids.is_empty() {
        put(&mut json, "include-all", json!({}));
    } else {
        put(&mut json, "include-controls", json!([{ "with-ids": ids }]));
    }
    Some(json)
}

/// One setting for each parameter of each control that it comes from.
fn set(profile: &Profile, library: &Library, keys: &[StandardKey]) -> Vec<Value> {
    let mut all = Vec::new();
    for setting in profile.settings.iter().filter(|setting| setting.value.is_some()) {
        for id in &setting.from {
            let name = setting.names.get(id).unwrap_or(&setting.parameter);
            let there = keys.iter().filter_map(|key| library.control(&key.control(id)));
            if there.flat_map(|control| &control.parameters).any(|p| p.name == *name) {
                let param = format!("{}_prm-{}", token(id), token(name));
                all.push(json!({ "param-id": param, "values": values(setting.value.as_ref()) }));
            }
        }
    }
    all
}
