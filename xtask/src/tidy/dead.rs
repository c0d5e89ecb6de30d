//! Files that no module declares are not compiled, whatever they promise.

use std::collections::BTreeSet;

use syn::{Item, ItemMod};

use super::Complaint;
use crate::Done;
use crate::house::House;

/// Complaints about Rust files that no root reaches.
pub(crate) fn dead(house: &House) -> Done<Vec<Complaint>> {
    let files: BTreeSet<&str> = house.sources.iter().map(|s| s.path.as_str()).collect();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> =
        files.iter().filter(|path| is_root(path)).map(|path| (*path).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        let Some(source) = house.sources.iter().find(|s| s.path == path) else { continue };
        if reached.insert(path.clone()) {
            declared(&source.syntax.items, &home(&path), folder(&path), &mut waiting);
        }
    }
    let lost = files.iter().filter(|path| !reached.contains(**path));
    Ok(lost.map(|path| Complaint::new(path, 1, "no module declares this file")).collect())
}

fn is_root(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let parent = folder(path);
    // A folder `tests` inside `src` holds modules like any other.
    let outside = !parent.contains("/src/") || parent.ends_with("/src/bin");
    let targets = ["/tests", "/examples", "/benches", "/src/bin"];
    let is_target = outside && targets.iter().any(|d| parent.ends_with(d));
    let in_src = parent.ends_with("/src") && (name == "lib.rs" || name == "main.rs");
    let is_folder_target = name == "main.rs" && targets.iter().any(|d| folder(parent).ends_with(d));
    in_src || is_target || is_folder_target || name == "build.rs"
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder in which the children of a file live.
fn home(path: &str) -> String {
    let parent = folder(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.trim_end_matches(".rs");
    if is_root(path) || stem == "mod" { parent.to_owned() } else { format!("{parent}/{stem}") }
}

fn declared(items: &[Item], home: &str, folder: &str, out: &mut Vec<String>) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        match (&module.content, path_of(module)) {
            (Some((_, inner)), _) => declared(inner, &format!("{home}/{name}"), folder, out),
            (None, Some(path)) => out.push(plain(&format!("{folder}/{path}"))),
            (None, None) => {
                out.push(format!("{home}/{name}.rs"));
                out.push(format!("{home}/{name}/mod.rs"));
            }
        }
    }
}

/// The path without `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

fn path_of(module: &ItemMod) -> Option<String> {
    let attribute = module.attrs.iter().find(|a| a.path().is_ident("path"))?;
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(literal) = &pair.value else { return None };
    let syn::Lit::Str(text) = &literal.lit else { return None };
    Some(text.value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Source;
    use std::collections::BTreeMap;

    fn check(files: &[(&str, &str)], lost: &[&str]) {
        let sources = files
            .iter()
            .map(|(path, text)| Source {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
                syntax: syn::parse_file(text).unwrap(),
            })
            .collect();
        let house = House { texts: BTreeMap::new(), sources };
        let found: Vec<String> = dead(&house).unwrap().into_iter().map(|c| c.path).collect();
        assert_eq!(found, lost);
    }

    #[test]
    fn a_file_without_a_declaration_is_found() {
        check(&[("c/x/src/lib.rs", "mod a;"), ("c/x/src/a.rs", "")], &[]);
        check(&[("c/x/src/lib.rs", ""), ("c/x/src/a.rs", "")], &["c/x/src/a.rs"]);
    }

    #[test]
    fn a_folder_of_tests_inside_src_holds_no_targets() {
        let lib = ("c/x/src/lib.rs", "mod tests;");
        let world = ("c/x/src/tests/world.rs", "mod people;");
        let people = ("c/x/src/tests/world/people.rs", "");
        check(&[lib, ("c/x/src/tests.rs", "mod world;"), world, people], &[]);
        check(&[lib, ("c/x/src/tests.rs", ""), world], &["c/x/src/tests/world.rs"]);
    }

    #[test]
    fn children_folders_paths_and_targets_are_followed() {
        check(
            &[
                ("c/x/src/lib.rs", "mod a; mod b { mod c; } #[path = \"odd.rs\"] mod d;"),
                ("c/x/src/a.rs", "#[cfg(test)] mod tests;"),
                ("c/x/src/a/tests.rs", ""),
                ("c/x/src/b/c.rs", ""),
                ("c/x/src/odd.rs", ""),
                ("c/x/tests/walk.rs", "mod help;"),
                ("c/x/tests/help/mod.rs", ""),
                ("c/x/src/bin/tool.rs", ""),
            ],
            &[],
        );
    }
}
