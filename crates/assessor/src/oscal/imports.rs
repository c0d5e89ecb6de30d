//! Which documents a document builds on, and whether a mapping's controls are there.

use serde_json::Value;

use super::Model;
use super::check::Checked;
use super::document::{Document, text};
use crate::standard::Problem;

/// Every reference to another document: imports, sources, resources of mappings.
pub(super) fn of(document: &Document) -> Vec<String> {
    let body = document.body();
    let mut hrefs = Vec::new();
    for key in ["import-profile", "import-ssp", "import-ap"] {
        hrefs.extend(body.get(key).and_then(|import| text(import, &["href"])));
    }
    for import in list(body.get("imports")) {
        hrefs.extend(text(import, &["href"]));
    }
    for holder in ["components", "capabilities"] {
        for one in list(body.get(holder)) {
            for implementation in list(one.get("control-implementations")) {
                hrefs.extend(text(implementation, &["source"]));
            }
        }
    }
    for mapping in mappings(document) {
        for end in ["source-resource", "target-resource"] {
            hrefs.extend(text(mapping, &[end, "href"]));
        }
    }
    hrefs.into_iter().map(|href| through(document, href)).collect()
}

/// The document that a reference names, by the name of its file.
pub(super) fn find<'d>(href: &str, others: &'d [Document]) -> Option<&'d Document> {
    let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let wanted = base(href.split('#').next().unwrap_or(href));
    others.iter().find(|other| base(&other.name) == wanted)
}

/// A reference to a resource of the same document leads where that resource leads.
fn through(document: &Document, href: &str) -> String {
    let Some(uuid) = href.strip_prefix('#') else { return href.to_owned() };
    let back = document.body().get("back-matter");
    let resource = list(back.and_then(|back| back.get("resources"))).iter().find(|resource| {
        text(resource, &["uuid"]).is_some_and(|own| own.eq_ignore_ascii_case(uuid))
    });
    let link = resource.and_then(|r| list(r.get("rlinks")).first());
    link.and_then(|link| text(link, &["href"])).unwrap_or(href).to_owned()
}

/// Each control that a mapping names is in the catalogue that it names.
pub(super) fn maps(document: &Document, others: &[Document], checked: &mut Checked) {
    if document.model != Model::Mapping {
        return;
    }
    for (place, mapping) in mappings(document).iter().enumerate() {
        for (end, items) in [("source-resource", "sources"), ("target-resource", "targets")] {
            let at = format!("/mapping-collection/mappings/{place}");
            let href = text(mapping, &[end, "href"]).unwrap_or_default();
            let Some(catalogue) = find(&through(document, href), others) else {
                checked.unsettled.push(format!("{at}/{end} `{href}`"));
                continue;
            };
            for map in list(mapping.get("maps")) {
                for id in list(map.get(items)).iter().filter_map(|item| text(item, &["id-ref"])) {
                    if !catalogue.ids.controls.contains_key(id) && catalogue.model == Model::Catalog
                    {
                        let why = format!(
                            "maps {} nothing (`{id}`)",
                            if items == "sources" { "from" } else { "to" }
                        );
                        let mend = format!("name a control of {}", catalogue.name);
                        checked.problems.push(Problem::new(&document.name, &at, why, mend));
                    }
                }
            }
        }
    }
}

/// The mappings: one or a list.
pub(super) fn mappings(document: &Document) -> &[Value] {
    match document.body().get("mappings") {
        Some(Value::Array(list)) => list,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// A list, or an empty one.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
