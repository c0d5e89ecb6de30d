//! Who may import whom. The table is DESIGN's: imports go one way, and what is absent is an invariant.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Complaint;
use super::ratchet::Ratchet;
use crate::Done;
use crate::house::House;
use crate::run;

/// Package, and the packages of ours that it may import. In reading order; siblings never see each other.
const EDGES: [(&str, &[&str]); 18] = [
    ("quorate-terms", &[]),
    ("quorate-policy", &["quorate-terms"]),
    ("quorate-ledger", &["quorate-terms"]),
    ("quorate-chains", &["quorate-terms"]),
    ("quorate-custody", &["quorate-terms", "quorate-policy", "quorate-ledger", "quorate-chains"]),
    ("quorate-cosigner", &["quorate-terms", "quorate-custody"]),
    ("quorate-assessor", &["quorate-terms", "quorate-ledger"]),
    ("quorate-pages", &["quorate-terms"]),
    ("quorate-web", &["quorate-terms", "quorate-pages"]),
    ("quorate-gateway", &["quorate-terms", "quorate-custody", "quorate-pages", "quorate-web"]),
    ("quorate-host", &["quorate-terms", "quorate-ledger", "quorate-custody"]),
    (
        "quorate",
        &[
            "quorate-terms",
            "quorate-policy",
            "quorate-ledger",
            "quorate-chains",
            "quorate-custody",
            "quorate-pages",
            "quorate-web",
            "quorate-gateway",
            "quorate-host",
        ],
    ),
    (
        "quorate-cosigner-bin",
        &["quorate-terms", "quorate-ledger", "quorate-custody", "quorate-cosigner", "quorate-host"],
    ),
    (
        "quorate-approvals",
        &[
            "quorate-terms",
            "quorate-policy",
            "quorate-ledger",
            "quorate-chains",
            "quorate-custody",
            "quorate-pages",
            "quorate-web",
            "quorate-host",
        ],
    ),
    (
        "quorate-assessor-bin",
        &[
            "quorate-terms",
            "quorate-ledger",
            "quorate-assessor",
            "quorate-pages",
            "quorate-web",
            "quorate-host",
        ],
    ),
    ("quorate-verify", &["quorate-terms", "quorate-ledger", "quorate-assessor"]),
    (
        "quorate-sim",
        &[
            "quorate-terms",
            "quorate-policy",
            "quorate-ledger",
            "quorate-chains",
            "quorate-custody",
            "quorate-cosigner",
        ],
    ),
    ("xtask", &["quorate-terms"]),
];

/// Package, and packages that may not be anywhere in its tree: what a process does not link it cannot leak.
const UNLINKED: [(&str, &[&str]); 12] = [
    ("quorate-terms", RUNTIME),
    ("quorate-policy", RUNTIME),
    ("quorate-ledger", RUNTIME),
    ("quorate-chains", RUNTIME),
    ("quorate-custody", RUNTIME),
    ("quorate-cosigner", RUNTIME),
    ("quorate-assessor", RUNTIME),
    ("quorate-pages", RUNTIME),
    (
        "quorate-assessor-bin",
        // It serves pages, asks nobody, and knows nothing of what it judges.
        &[
            "quorate-cosigner",
            "quorate-gateway",
            "dkls23-core",
            "rmcp",
            "alloy-provider",
            "reqwest",
        ],
    ),
    (
        "quorate-cosigner-bin",
        &["alloy-provider", "reqwest", "hyper", "axum", "rmcp", "quorate-gateway"],
    ),
    (
        "quorate-approvals",
        // It serves pages, and knows no desk.
        &["quorate-cosigner", "quorate-gateway", "dkls23-core", "rmcp", "alloy-provider"],
    ),
    (
        "quorate-verify",
        &[
            "tokio",
            "sqlx",
            "rusqlite",
            "reqwest",
            "axum",
            "typst",
            "quorate-custody",
            "quorate-policy",
            "quorate-host",
        ],
    ),
];

const RUNTIME: &[&str] = &["tokio", "hyper", "reqwest", "axum", "sqlx", "rustls", "rmcp"];

/// A primitive, and the packages that may name it. Everything else goes through `terms` or `cosigner`.
const PRIMITIVES: [(&str, &[&str]); 14] = [
    ("rand", &[]),
    ("rand_core", &[]),
    // The gateway draws names for requests; nothing secret comes from there.
    ("getrandom", &["quorate-host", "quorate-gateway"]),
    (
        "sha2",
        &[
            "quorate-terms",
            "quorate-ledger",
            "quorate-cosigner",
            "quorate-cosigner-bin",
            // Integrity of the files that a page loads (SHA-384), and nothing else.
            "quorate-pages",
            "quorate-host",
        ],
    ),
    ("sha3", &["quorate-terms", "quorate-chains", "quorate-verify"]),
    ("dkls23-core", &["quorate-cosigner"]),
    ("frost-ed25519", &["quorate-cosigner"]),
    ("frost-secp256k1-tr", &["quorate-cosigner"]),
    ("k256", &["quorate-cosigner"]),
    ("secp256k1", &["quorate-chains", "quorate-cosigner", "quorate-sim", "quorate-verify"]),
    ("curve25519-dalek", &["quorate-cosigner"]),
    (
        "ed25519-dalek",
        &[
            "quorate-terms",
            "quorate-ledger",
            "quorate-cosigner",
            "quorate-host",
            "quorate",
            "quorate-cosigner-bin",
            "quorate-approvals",
            "quorate-sim",
        ],
    ),
    ("argon2", &["quorate-cosigner", "quorate-host"]),
    ("aes-gcm-siv", &["quorate-cosigner", "quorate-host"]),
];

/// Binary, and how many packages its tree must stay under.
pub(crate) const PACKAGES_UNDER: [(&str, usize); 2] =
    [("quorate-cosigner-bin", 300), ("quorate-verify", 100)];

/// One dependency as a manifest states it.
struct Edge {
    from: String,
    to: String,
    is_dev: bool,
    manifest: String,
}

/// Complaints about imports between our packages that the table does not have.
pub(crate) fn edges(_: &House) -> Done<Vec<Complaint>> {
    // Tests may stand on more of the house than what ships: what a process links is what it can leak.
    let shipped: Vec<Edge> = declared()?.into_iter().filter(|edge| !edge.is_dev).collect();
    Ok(stray(&shipped, &EDGES))
}

fn stray(edges: &[Edge], table: &[(&str, &[&str])]) -> Vec<Complaint> {
    let row = |name: &str| table.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let mut found = Vec::new();
    for Edge { from, to, manifest, .. } in edges {
        match (row(from), row(to)) {
            (None, _) => found.push(Complaint::new(
                manifest,
                1,
                format!("`{from}` has no row in the table of edges"),
            )),
            (Some(allowed), Some(_)) if !allowed.contains(&to.as_str()) => {
                let what = format!("`{from}` may not import `{to}`");
                found.push(Complaint::new(manifest, 1, what));
            }
            _ => {}
        }
    }
    found
}

/// Complaints about primitives that a package may not name. Tests may name what they compare with.
pub(crate) fn primitives(_: &House) -> Done<Vec<Complaint>> {
    Ok(misnamed(&declared()?))
}

fn misnamed(edges: &[Edge]) -> Vec<Complaint> {
    let mut found = Vec::new();
    for Edge { from, to, manifest, .. } in edges.iter().filter(|edge| !edge.is_dev) {
        let owners = PRIMITIVES.iter().find(|(name, _)| name == to).map(|(_, owners)| *owners);
        if owners.is_some_and(|owners| !owners.contains(&from.as_str())) {
            let what = format!("`{from}` may not name the primitive `{to}`");
            found.push(Complaint::new(manifest, 1, what));
        }
    }
    found
}

/// Complaints about packages that must not be linked, and about trees that grew.
pub(crate) fn links(_: &House) -> Done<Vec<Complaint>> {
    let mut found = Vec::new();
    for (package, banned) in UNLINKED {
        let tree = tree(package)?;
        for name in banned.iter().filter(|name| tree.contains(**name)) {
            let what =
                format!("`{package}` links `{name}`; `cargo tree -p {package} -i {name}` says how");
            found.push(Complaint::new("Cargo.lock", 1, what));
        }
    }
    let ratchet = Ratchet::load()?;
    for (package, count) in counts()? {
        let under = PACKAGES_UNDER.iter().find(|(name, _)| *name == package).map(|(_, n)| *n);
        let ceiling = ratchet.packages.get(&package).copied().or(under).unwrap_or(count);
        if count > ceiling || under.is_some_and(|under| count >= under) {
            let what =
                format!("the tree of `{package}` has {count} packages; the ceiling is {ceiling}");
            found.push(Complaint::new("Cargo.lock", 1, what));
        }
    }
    Ok(found)
}

/// The number of packages in the tree of each binary whose number is bounded.
pub(crate) fn counts() -> Done<BTreeMap<String, usize>> {
    let count = |(package, _): &(&str, usize)| {
        Ok((package.to_string(), tree_with_versions(package)?.len()))
    };
    PACKAGES_UNDER.iter().map(count).collect()
}

fn tree(package: &str) -> Done<BTreeSet<String>> {
    let lines = tree_with_versions(package)?;
    Ok(lines.iter().filter_map(|l| l.split_whitespace().next()).map(str::to_owned).collect())
}

/// Names and versions of what a package links, itself included. Build scripts and procedural macros are not linked.
fn tree_with_versions(package: &str) -> Done<BTreeSet<String>> {
    let wanted =
        ["tree", "-p", package, "-e", "normal,no-proc-macro", "--prefix", "none", "--locked"];
    let text = run::text(&mut run::cargo(&wanted))?;
    let clean = |line: &str| line.trim_end_matches("(*)").trim_end().to_owned();
    Ok(text.lines().map(clean).filter(|line| !line.is_empty()).collect())
}

fn declared() -> Done<Vec<Edge>> {
    let wanted = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let text = run::text(&mut run::cargo(&wanted))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let root = crate::house::root();
    let mut edges = Vec::new();
    for package in list(&metadata, "packages") {
        let manifest = package.get("manifest_path").and_then(Value::as_str).unwrap_or_default();
        let manifest =
            std::path::Path::new(manifest).strip_prefix(&root).unwrap_or(manifest.as_ref());
        for dependency in list(package, "dependencies") {
            edges.push(Edge {
                from: text_of(package, "name"),
                to: text_of(dependency, "name"),
                is_dev: text_of(dependency, "kind") == "dev",
                manifest: manifest.display().to_string(),
            });
        }
    }
    if edges.is_empty() { Err("cargo metadata names no dependency".to_owned()) } else { Ok(edges) }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text_of(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, is_dev: bool) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), is_dev, manifest: "Cargo.toml".to_owned() }
    }

    #[test]
    fn an_edge_that_the_table_lacks_is_told_for_tests_too() {
        for is_dev in [false, true] {
            let check = |from: &str, to: &str, complaints: usize| {
                assert_eq!(
                    stray(&[edge(from, to, is_dev)], &EDGES).len(),
                    complaints,
                    "{from} {to}"
                );
            };
            check("quorate-custody", "quorate-policy", 0);
            check("quorate-policy", "quorate-ledger", 1);
            check("quorate-cosigner", "quorate-chains", 1);
            check("quorate-newcomer", "quorate-terms", 1);
            check("quorate-policy", "serde", 0);
        }
    }

    #[test]
    fn the_table_goes_one_way() {
        for (at, (from, allowed)) in EDGES.iter().enumerate() {
            for to in *allowed {
                let place = EDGES.iter().position(|(name, _)| name == to).unwrap();
                assert!(place < at, "{from} imports {to}, which comes later");
            }
        }
    }

    #[test]
    fn only_the_owners_name_a_primitive() {
        assert_eq!(misnamed(&[edge("quorate-cosigner", "dkls23-core", false)]).len(), 0);
        assert_eq!(misnamed(&[edge("quorate-gateway", "dkls23-core", false)]).len(), 1);
        assert_eq!(misnamed(&[edge("quorate-gateway", "dkls23-core", true)]).len(), 0);
    }
}
