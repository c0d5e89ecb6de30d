//! Profiles: what they draw from must be there, and the value that they state must be the strictest of it.

use crate::standard::StandardKey;
use crate::standard::catalogue::Fixed;
use crate::standard::library::Library;
use crate::standard::problem::Problem;
use crate::standard::profile::{Merge, Profile, Resolved, bound};

use super::known;

pub(super) fn check(library: &Library, problems: &mut Vec<Problem>) {
    for (id, profile) in &library.profiles {
        let file = library.file(&format!("profile {id}"));
        let mut say = |field: &str, why: String, mend: &str| {
            problems.push(Problem::new(&file, field, why, mend));
        };
        sources(library, profile, &mut say);
        for resolved in profile.resolve(library) {
            values(&resolved, &mut say);
            targets(library, &resolved, &mut say);
        }
    }
}

type Say<'a> = dyn FnMut(&str, String, &str) + 'a;

fn sources(library: &Library, profile: &Profile, say: &mut Say<'_>) {
    let imports: Vec<StandardKey> =
        profile.imports.iter().filter_map(|name| known(library, name)).collect();
    if imports.len() != profile.imports.len() {
        say(
            "imports",
            "name a standard that is not loaded".into(),
            "load it too, or mend the name",
        );
    }
    let exists = |control: &String| {
        imports.iter().any(|key| library.control(&key.control(control)).is_some())
    };
    for setting in &profile.settings {
        if setting.from.is_empty() || !setting.from.iter().all(exists) {
            let mend = "name controls of the imports";
            say(&setting.parameter, "comes from no control".into(), mend);
        }
        if let Some(other) = setting.names.keys().find(|id| !setting.from.contains(id)) {
            let why = format!("names `{other}`, which it does not come from");
            say(&setting.parameter, why, "add it to `from`, or leave it out");
        }
    }
    for conflict in &profile.conflicts {
        if conflict.controls.is_empty() || !conflict.controls.iter().all(exists) {
            say(&conflict.id, "is between no controls".into(), "name controls of the imports");
        }
    }
}

fn values(resolved: &Resolved<'_>, say: &mut Say<'_>) {
    let setting = resolved.setting;
    let field = setting.parameter.as_str();
    for source in &resolved.sources {
        if source.value.is_none() && setting.names.contains_key(&source.control.id) {
            let why =
                format!("reads `{}` of {}, which fixes none", source.parameter, source.control);
            say(field, why, "mend the name in `names`");
        }
    }
    if setting.merge == Merge::None {
        if setting.value.is_some() {
            let mend = "remove the value: each jurisdiction keeps its own";
            say(field, "cannot be merged and has one value".into(), mend);
        }
        return;
    }
    match (&setting.value, resolved.strictest) {
        (Some(stated), Some(found)) if stated == found => {}
        (_, Some(found)) => {
            let why = format!("is not the strictest, which is {}", said(found));
            say(field, why, "set that value, or mend what it comes from");
        }
        (_, None) if resolved.sources.is_empty() => {}
        (_, None) => {
            let why = "has no strictest value: its controls fix none, or they cannot be compared";
            say(field, why.into(), "mend `names`, or give an `order` of words");
        }
    }
}

fn targets(library: &Library, resolved: &Resolved<'_>, say: &mut Say<'_>) {
    for target in &resolved.setting.tightens {
        let found = bound(target).is_some_and(|(key, name)| {
            library.decisions.get(&key).is_some_and(|d| d.parameters.contains_key(name))
        });
        if !found {
            let why = format!("tightens `{target}`, which no decision has");
            say(&resolved.setting.parameter, why, "write it as `wd 0.1.0 WD-09.7 rto`");
        }
    }
}

fn said(value: &Fixed) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
