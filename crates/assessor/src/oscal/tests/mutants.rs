//! One fault at a time: the eight mutants that show what a checker really catches, and those that we add.

use super::*;

pub(super) const BASE: &str = r##"{ "catalog": {
  "uuid": "550e8400-e29b-41d4-a716-446655440000",
  "metadata": {
    "title": "A foreign catalogue", "last-modified": "2026-08-07T10:00:00.123+02:00", "version": "rev 5.1",
    "oscal-version": "1.2.3",
    "roles": [{ "id": "creator", "title": "Creator" }],
    "parties": [{ "uuid": "650e8400-e29b-41d4-a716-446655440001", "type": "organization", "name": "Somebody" }],
    "responsible-parties": [
      { "role-id": "creator", "party-uuids": ["650e8400-e29b-41d4-a716-446655440001"] }
    ]
  },
  "groups": [{ "id": "ac", "title": "Access", "controls": [{
    "id": "ac-1", "title": "Policy", "params": [{ "id": "ac-1_prm_1", "label": "often", "values": ["yearly"] }],
    "props": [{ "name": "label", "value": "AC-1" }],
    "links": [{ "href": "#ac-2", "rel": "related" }, { "href": "#750e8400-e29b-41d4-a716-446655440002" }],
    "parts": [
      { "id": "ac-1_smt", "name": "statement", "prose": "Review it {{ insert: param, ac-1_prm_1 }}:",
        "parts": [{ "id": "ac-1_smt.a", "name": "item", "prose": "by\ttwo people." ,
                    "props": [{ "name": "label", "value": "a." }] }] },
      { "id": "ac-1_gdn", "name": "guidance", "prose": "Ask who does it." }
    ],
    "controls": [{ "id": "ac-1.1", "title": "More", "parts": [{ "id": "ac-1.1_smt", "name": "statement", "prose": "More." }] }]
  }, { "id": "ac-2", "title": "Gone", "props": [{ "name": "status", "value": "withdrawn" }] }] }],
  "back-matter": { "resources": [{ "uuid": "750e8400-e29b-41d4-a716-446655440002", "title": "A paper" }] }
} }"##;

fn read(text: &str) -> Result<Document, Vec<crate::standard::Problem>> {
    Document::read("x.json", text.as_bytes())
}

/// What is wrong with the base once `from` is replaced, at the first place, by `to`.
fn mutant(from: &str, to: &str) -> Vec<String> {
    assert!(BASE.contains(from), "{from}");
    let text = BASE.replacen(from, to, 1);
    let problems = match read(&text) {
        Err(problems) => problems,
        Ok(document) => document.against(&[]).problems,
    };
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn each_of_the_eight_mutants_of_a_sound_catalogue_is_refused() {
    let sound = read(BASE).unwrap();
    assert_eq!(sound.against(&[]), Checked::default());
    for (what, from, to, at) in [
        ("missing uuid", r#""uuid": "550e8400-e29b-41d4-a716-446655440000","#, "", "/catalog/uuid"),
        ("malformed uuid", "550e8400-e29b-41d4-a716-446655440000", "550e8400", "/catalog/uuid"),
        (
            "unknown field",
            r#""title": "Access""#,
            r#""title": "Access", "colour": "red""#,
            "groups/0/colour",
        ),
        (
            "bad date-time",
            "2026-08-07T10:00:00.123+02:00",
            "7 August 2026",
            "metadata/last-modified",
        ),
        ("duplicate control id", r#""id": "ac-2""#, r#""id": "ac-1""#, "groups/0/controls/1"),
        ("dangling link", "#ac-2", "#ac-9", "controls/0/links/0/href"),
        (
            "party that nobody is",
            r#"["650e8400-e29b-41d4-a716-446655440001"]"#,
            r#"["650e8400-e29b-41d4-a716-446655440009"]"#,
            "responsible-parties/0/party-uuids",
        ),
        (
            "nonsense version",
            r#""oscal-version": "1.2.3""#,
            r#""oscal-version": "9.9.9""#,
            "metadata/oscal-version",
        ),
    ] {
        let problems = mutant(from, to);
        assert!(problems.iter().any(|problem| problem.contains(at)), "{what}: {problems:?}");
        assert_eq!(problems.len(), 1, "{what}: {problems:?}");
    }
}

#[test]
fn further_mutants_are_refused_too() {
    for (from, to) in [
        ("#750e8400-e29b-41d4-a716-446655440002", "#750e8400-e29b-41d4-a716-446655440003"),
        ("param, ac-1_prm_1", "param, ac-1_prm_2"),
        (r#""id": "ac-1_smt.a""#, r#""id": "ac-1_gdn""#),
        (
            r#""uuid": "750e8400-e29b-41d4-a716-446655440002""#,
            r#""uuid": "550e8400-e29b-41d4-a716-446655440000""#,
        ),
        (r#""role-id": "creator""#, r#""role-id": "nobody""#),
        (r#""type": "organization""#, r#""type": "club""#),
        (r#""oscal-version": "1.2.3""#, r#""oscal-version": "1.1.1""#),
        (r#""oscal-version": "1.2.3","#, ""),
        (r#""id": "ac-1", "title": "Policy""#, r#""id": "1 ac", "title": "Policy""#),
        (r#""title": "Policy""#, r#""title": """#),
        (r#""values": ["yearly"]"#, r#""values": []"#),
        (r#""values": ["yearly"]"#, r#""values": "yearly""#),
        (r#""props": [{ "name": "label", "value": "AC-1" }]"#, r#""props": {}"#),
        (r#""title": "Access""#, r#""title": "Access", "title": "Twice""#),
        ("\"catalog\"", "\"catalogue\""),
        ("{ \"catalog\"", "{ \"profile\": {}, \"catalog\""),
    ] {
        assert!(!mutant(from, to).is_empty(), "{from} as {to}");
    }
}

#[test]
fn versions_from_1_1_2_to_1_2_3_are_read_and_mappings_begin_with_1_2_0() {
    for version in VERSIONS {
        let text = BASE
            .replace("\"oscal-version\": \"1.2.3\"", &format!("\"oscal-version\": \"{version}\""));
        let document = read(&text).unwrap();
        assert_eq!(document.version, version);
        let again = Document::read("x.json", &document.write()).unwrap();
        assert_eq!(again.json(), &serde_json::from_str::<Value>(&text).unwrap());
    }
    let mut mapping =
        out::mapping(&LIBRARY.mappings["ccss-to-mas"], &LIBRARY).unwrap().json().clone();
    mapping["mapping-collection"]["metadata"]["oscal-version"] = json!("1.1.3");
    assert!(Document::of("m.json", mapping).is_err());
}

#[test]
fn row_54_oversize_deep_and_duplicate_key_documents_are_refused() {
    let deep = format!("{{\"catalog\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let large = vec![b' '; DOCUMENT_BYTES_MAX + 1];
    for bytes in
        [deep.as_bytes(), &large, b"{\"catalog\":{},\"catalog\":{}}", b"", b"[]", b"\xff\xfe"]
    {
        let problems = Document::read("x", bytes).unwrap_err();
        assert!(problems.iter().all(|problem| problem.to_string().len() < 400), "{problems:?}");
    }
}

#[test]
fn a_mapping_to_nothing_is_found_and_a_catalogue_that_was_not_given_leaves_it_unsettled() {
    let all = all();
    let mapping = all.iter().find(|document| document.model == Model::Mapping).unwrap();
    let mut json = mapping.json().clone();
    let target = &mut json["mapping-collection"]["mappings"][0]["maps"][0]["targets"][0]["id-ref"];
    *target = json!("mas-of-nowhere");
    let broken = Document::of(&mapping.name, json).unwrap();
    let checked = broken.against(&all);
    assert_eq!(checked.problems.len(), 1, "{checked:?}");
    assert!(checked.problems[0].why.contains("maps to nothing"), "{checked:?}");
    let alone = mapping.against(&[]);
    assert!(alone.problems.is_empty());
    assert_eq!(alone.unsettled.len(), 2, "{alone:?}");
}

#[test]
fn references_between_documents_are_settled_or_refused_once_the_documents_are_there() {
    let all = all();
    for (model, pointer, value) in [
        (Model::Profile, "/profile/imports/0/include-controls/0/with-ids/0", "nowhere"),
        (
            Model::Ssp,
            "/system-security-plan/control-implementation/implemented-requirements/0/control-id",
            "nowhere",
        ),
        (Model::Results, "/assessment-results/results/0/findings/0/target/target-id", "nowhere"),
        (
            Model::Plan,
            "/assessment-plan/assessment-subjects/0/include-subjects/0/subject-uuid",
            "650e8400-e29b-41d4-a716-446655440009",
        ),
        (
            Model::Component,
            "/component-definition/components/0/control-implementations/0/implemented-requirements/0/control-id",
            "nowhere",
        ),
    ] {
        let sound =
            all.iter().find(|d| d.model == model && d.json().pointer(pointer).is_some()).unwrap();
        let mut json = sound.json().clone();
        *json.pointer_mut(pointer).unwrap() = json!(value);
        let broken = Document::of(&sound.name, json).unwrap();
        assert_eq!(broken.against(&all).problems.len(), 1, "{pointer}");
        assert!(broken.against(&[]).problems.is_empty());
        assert!(!broken.against(&[]).unsettled.is_empty(), "{pointer}");
    }
    let results = all.iter().find(|document| document.model == Model::Results).unwrap();
    for field in ["related-observations/0/observation-uuid", "related-risks/0/risk-uuid"] {
        let mut json = results.json().clone();
        let findings = json["assessment-results"]["results"][0]["findings"].as_array_mut().unwrap();
        let place = findings
            .iter_mut()
            .find_map(|finding| finding.pointer_mut(&format!("/{field}")))
            .unwrap();
        *place = json!("650e8400-e29b-41d4-a716-446655440009");
        assert!(Document::of("r.json", json).is_err(), "{field}");
    }
}
