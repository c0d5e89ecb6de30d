//! Decisions against the model of evidence.

use super::*;

const MODEL: &str = r#"
id = "m"
version = "1"
[[configuration]]
key = "door.idle"
meaning = "m"
[[kind]]
name = "KeyGenerated"
origin = "system"
meaning = "m"
recorded = "written"
fields = ["wallet"]
unrecorded = ["colour"]
[[kind]]
name = "CeremonyHeld"
origin = "system"
meaning = "m"
recorded = "no"
fields = ["room"]
"#;

#[test]
fn a_decision_speaks_only_of_what_the_model_knows_and_asks_only_what_is_recorded() {
    let model = crate::evidence::Model::load(MODEL).unwrap();
    let with = |good: &str, bad: &str| {
        let mut files = files();
        let text = files.get_mut("toy/1.0/decisions.toml").unwrap();
        assert!(text.contains(good), "{good}");
        *text = text.replacen(good, bad, 1);
        lint::inputs(&load(&files).unwrap(), &model)
    };
    assert_eq!(with("gap", "gap"), []);
    let predicate = "Every key is at most";
    for good in ["`KeyGenerated.wallet`", "`KeyGenerated.colour`", "`colour`", "`door.idle`"] {
        assert_eq!(with(predicate, &format!("{good} Every key is at most")), [], "{good}");
    }
    let from = "FROM KeyGenerated\"";
    for fine in ["WHERE at > :from AND at < :age", "WHERE 'CeremonyHeld' <> :age_s -- CeremonyHeld"]
    {
        assert_eq!(with(from, &format!("FROM KeyGenerated {fine}\"")), [], "{fine}");
    }
    for (good, bad, field, why) in [
        ("[\"KeyGenerated\"]", "[\"KeyMade\"]", "g.1.entries", "`KeyMade`, which is no kind"),
        (
            "entries",
            "configuration = [\"door.idel\"]\nentries",
            "g.1.configuration",
            "no configuration key",
        ),
        (predicate, "`KeyMade` Every key is at most", "g.1.predicate", "`KeyMade`"),
        (
            predicate,
            "`KeyGenerated.size` Every key is at most",
            "g.1.predicate",
            "`KeyGenerated.size`",
        ),
        (
            "exceptions",
            "unknown = \"SELECT room FROM CeremonyHeld\"\nexceptions",
            "g.1.unknown",
            "nothing records",
        ),
        (from, "FROM CeremonyHeld\"", "g.1.population", "`CeremonyHeld`, which nothing records"),
        (
            from,
            "FROM KeyGenerated WHERE at > :since\"",
            "g.1.population",
            "`:since`, which is not set",
        ),
    ] {
        let problems = with(good, bad);
        let found = problems.iter().any(|p| p.field == field && p.why.contains(why));
        assert!(found, "{field}, {why}: {problems:?}");
    }
}

#[test]
fn what_is_shipped_asks_only_for_what_this_build_records() {
    let text = include_str!("../../../../../standards/evidence/model.toml");
    let model = crate::evidence::Model::load(text).unwrap();
    let problems = lint::inputs(&shipped(), &model);
    assert!(
        problems.is_empty(),
        "{}",
        problems.iter().map(|p| format!("{p}\n")).collect::<String>()
    );
}
