//! What is refused, with its field and reason.

use super::*;

/// File, text, what it becomes; the field and the reason that must be named.
const FAULTS: [(&str, &str, &str, &str, &str); 40] = [
    ("toy/1.0/catalogue.toml", "id = \"toy\"", "id = \"Toy\"", "id", "does not fit the folder"),
    (
        "toy/1.0/catalogue.toml",
        "version = \"1.0\"",
        "version = \"x\"",
        "id",
        "does not fit the folder",
    ),
    ("toy/1.0/catalogue.toml", "as_of = \"2026-11-20\"", "as_of = \"today\"", "as_of", "is no day"),
    ("toy/1.0/catalogue.toml", "rank = 1", "rank = 2", "level", "ranks do not run"),
    ("toy/1.0/catalogue.toml", "group = \"g\"", "group = \"h\"", "g.1.group", "names no group"),
    ("toy/1.0/catalogue.toml", "level = \"I\"", "level = \"II\"", "g.1.level", "names no level"),
    ("toy/1.0/catalogue.toml", "level = \"I\"\n", "", "g.1.level", "names no level"),
    (
        "toy/1.0/catalogue.toml",
        "citation = \"toy, g.1\"",
        "citation = \"\"",
        "g.1.citation",
        "is empty",
    ),
    (
        "toy/1.0/catalogue.toml",
        "review_by = \"2027-05-20\"",
        "review_by = \"2027-13-01\"",
        "g.1.review_by",
        "is no day",
    ),
    (
        "toy/1.0/catalogue.toml",
        "confidence = \"K\"",
        "confidence = \"K\"\ndepends_on = [\"g.9\"]",
        "g.1.depends_on",
        "names no control",
    ),
    (
        "toy/1.0/catalogue.toml",
        "confidence = \"K\"",
        "confidence = \"Z\"",
        "line 24",
        "unknown variant",
    ),
    (
        "toy/1.0/catalogue.toml",
        "note = \"for tests\"",
        "note = \"for tests\"\nextra = 1",
        "line 10",
        "unknown field",
    ),
    (
        "toy/1.0/catalogue.toml",
        "note = \"for tests\"",
        "note = \"for\u{202e}tests\"",
        "file",
        "cannot be seen",
    ),
    (
        "toy/1.0/decisions.toml",
        "control = \"g.1\"",
        "control = \"g.2\"",
        "g.2.control",
        "names no control",
    ),
    ("toy/1.0/decisions.toml", "{age}", "{years}", "g.1.parameters", "lack `years`"),
    ("toy/1.0/decisions.toml", "on_empty = \"gap\"\n", "", "g.1.on_empty", "is missing"),
    (
        "toy/1.0/decisions.toml",
        "on_empty = \"gap\"",
        "on_empty = \"met\"",
        "line 8",
        "unknown variant",
    ),
    (
        "toy/1.0/decisions.toml",
        "\"ledger\"",
        "\"human\"",
        "g.1.population",
        "decides what a person must",
    ),
    (
        "toy/1.0/decisions.toml",
        "population = \"SELECT book, idx FROM KeyGenerated\"\n",
        "",
        "g.1.population",
        "without its pair",
    ),
    (
        "toy/1.0/decisions.toml",
        "population = ",
        "unknown = \"SELECT 1\"\nnote = ",
        "g.1.unknown",
        "without its pair",
    ),
    ("mappings/m.toml", "to = \"g.1\"", "to = \"g.2\"", "g.1 to toy 1.0 g.2", "maps to nothing"),
    ("mappings/m.toml", "from = \"toy 1.0\"", "from = \"toy 3\"", "from", "names no standard"),
    (
        "mappings/m.toml",
        "rationale = \"itself\"",
        "rationale = \"\"",
        "g.1 to toy 1.0 g.1",
        "gives no rationale",
    ),
    (
        "toy/1.0/catalogue.toml",
        "note = \"for tests\"",
        "note = \"for\\u202etests\"",
        "note",
        "U+202E, which cannot be seen",
    ),
    (
        "toy/1.0/catalogue.toml",
        "text = \"Keep keys apart.\"",
        "text = \"Keep\\u0000 keys\"",
        "control[0].text",
        "U+0000",
    ),
    ("toy/1.0/decisions.toml", "\"P90D\"", "0.5", "decision[0].parameters.age", "is a float"),
    (
        "toy/1.0/clocks.toml",
        "standard = \"toy\"",
        "standard = \"toi\"",
        "standard",
        "is not loaded",
    ),
    (
        "mappings/m.toml",
        "control = \"g.1\"",
        "control = \"g.3\"",
        "g.3 to toy 1.0 g.1",
        "from nothing",
    ),
    (
        "toy/1.0/decisions.toml",
        "predicate = \"Every",
        "note = \"Every",
        "g.1.predicate",
        "does not fit",
    ),
    ("profiles/p.toml", "[\"toy 1.0\"]", "[\"toy 7\"]", "imports", "not loaded"),
    ("profiles/p.toml", "controls = [\"g.1\"]", "controls = []", "c", "is between no controls"),
    ("profiles/p.toml", "\"P30D\"", "\"P60D\"", "age", "is not the strictest"),
    ("profiles/p.toml", "value = \"P30D\"\n", "", "age", "is not the strictest"),
    ("profiles/p.toml", "merge = \"min\"", "merge = \"none\"", "age", "cannot be merged"),
    (
        "profiles/p.toml",
        "tightens",
        "names = { \"g.1\" = \"years\" }\ntightens",
        "age",
        "fixes none",
    ),
    ("profiles/p.toml", "toy 1.0 g.1 age", "toy 1.0 g.1 years", "age", "which no decision has"),
    ("profiles/p.toml", "from = [\"g.1\"]", "from = [\"g.2\"]", "age", "comes from no control"),
    ("toy/1.0/clocks.toml", "Asia/Singapore", "Asia/Nowhere", "zone", "is no time zone"),
    (
        "toy/1.0/clocks.toml",
        "anchor = \"discovery\"",
        "anchor = \"dream\"",
        "notice",
        "starts from no anchor",
    ),
    ("toy/1.0/clocks.toml", "limit = \"PT1H\"", "limit = \"soon\"", "line 11", "is no duration"),
];

#[test]
fn each_fault_of_a_file_is_named_with_its_field() {
    for (file, good, bad, field, why) in FAULTS {
        let mut files = files();
        let text = files.get_mut(file).unwrap();
        assert!(text.contains(good), "{good}");
        *text = text.replacen(good, bad, 1);
        let problems = load(&files).unwrap_err();
        let found =
            problems.iter().any(|p| p.field == field && p.why.contains(why) && !p.mend.is_empty());
        assert!(found, "{field}, {why}: {problems:?}");
    }
}

#[test]
fn an_id_that_is_given_twice_is_refused_in_one_file_and_in_two() {
    let mut inside = files();
    let control = CATALOGUE.split_once("[[control]]").unwrap().1;
    inside.get_mut("toy/1.0/catalogue.toml").unwrap().push_str(&format!("[[control]]{control}"));
    assert!(load(&inside).unwrap_err().iter().any(|p| p.why == "is given twice"));
    let mut across = files();
    across.insert("more/toy/1.0/catalogue.toml", CATALOGUE.into());
    assert!(load(&across).unwrap_err()[0].why.contains("was given before"));
}

#[test]
fn an_oversize_file_is_refused_before_it_is_read() {
    let mut files = files();
    files.insert("toy/9/catalogue.toml", "#".repeat(guard::FILE_BYTES_MAX + 1));
    assert_eq!(load(&files).unwrap_err()[0].why, "is too large");
}

#[test]
fn a_key_that_hides_a_character_is_refused() {
    let mut files = files();
    let text = files.get_mut("toy/1.0/catalogue.toml").unwrap();
    *text = text.replacen("id =", "\"i\\u2060d\" =", 1);
    assert!(load(&files).unwrap_err()[0].why.contains("U+2060"));
}

#[test]
fn long_texts_long_lists_and_deep_nesting_are_refused_in_words() {
    let deep = 50_000;
    for text in [
        format!("a = {}1{}", "[".repeat(deep), "]".repeat(deep)),
        format!("a = {}1{}", "{b=".repeat(deep), "}".repeat(deep)),
        format!("{} = 1", vec!["a"; deep].join(".")),
        format!("[{}]\nb = 1", vec!["a"; deep].join(".")),
        format!("x = \"{}\"", "y".repeat(guard::TEXT_BYTES_MAX + 1)),
        format!("x = [{}]", "0,".repeat(guard::ITEMS_MAX + 1)),
        "[[control]]\n".repeat(guard::ITEMS_MAX + 1),
    ] {
        let mut files = files();
        files.insert("toy/9/catalogue.toml", text);
        let problems = load(&files).unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(problem.why.len() < 100 && !problem.why.contains('\n'), "{problem}");
    }
}

#[test]
fn complaints_about_a_hostile_catalogue_have_an_end() {
    let control =
        CATALOGUE.split_once("[[control]]").unwrap().1.replace("group = \"g\"", "group = \"h\"");
    let mut files = files();
    let text = files.get_mut("toy/1.0/catalogue.toml").unwrap();
    for _ in 0..2 * guard::PROBLEMS_MAX {
        text.push_str("[[control]]");
        text.push_str(&control);
    }
    assert_eq!(load(&files).unwrap_err().len(), guard::PROBLEMS_MAX);
}
