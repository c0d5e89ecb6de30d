//! What each command shows of the standards that are shipped.

use std::path::Path;

use quorate_terms::Timestamp;

use super::*;
use crate::library;

fn shelf() -> Shelf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards");
    library::load(&dir)
        .unwrap_or_else(|trouble| panic!("{trouble}\n{}", trouble.problems.join("\n")))
}

fn shown(shelf: &Shelf, command: &Standards) -> Screen {
    run(shelf, &Ui::new(false, true), command).unwrap_or_else(|trouble| panic!("{trouble}"))
}

fn refused(command: &Standards) -> Trouble {
    match run(&shelf(), &Ui::new(false, true), command) {
        Ok(screen) => panic!("{}", screen.text),
        Err(trouble) => trouble,
    }
}

#[test]
fn each_command_shows_what_it_promises() {
    let shelf = shelf();
    let show = |what: &str| Standards::Show { what: what.into() };
    let due = |template: Option<&str>, at: Option<&str>| Standards::Due {
        template: template.map(Into::into),
        at: at.map(Into::into),
        also_at: None,
    };
    let evening = Some("2026-01-31T20:00:00Z");
    for (command, words) in [
        (Standards::List, vec!["ccss      9.0", "135", "33 clocks", "strictest-wins"]),
        (show("ccss 9.0"), vec!["our paraphrase", "2.04.2.1", "hybrid"]),
        (
            show("ccss 9.0 1.01.1.1"),
            vec![
                "decided by   ledger",
                "as SQL",
                "iso27001 2022 A.8.24",
                "from",
                "wd 0.1.0 WD-02.1",
            ],
        ),
        (
            show("sfc 2026-11-20 sfc-cold-98"),
            vec!["VATP Guidelines 10.6(c)", "cold_min_percent = 98", "wd 0.1.0 WD-05.2"],
        ),
        (
            Standards::Profile { id: "strictest-wins".into() },
            vec!["mas-cold-90 90", "each its own", "wd 0.1.0 WD-09.7 rto", "way through"],
        ),
        (due(None, None), vec!["vara-event-notice", "immediate", "Asia/Singapore"]),
        (due(None, None), vec!["T&I I.K.1", "DORA art 19 with 2025/301"]),
        (
            due(None, evening),
            vec![
                "at once",
                "2026-02-01 05:00:00 +08",
                "2026-02-02 00:00:00 +04",
                "2026-02-03 15:00:00 EST",
                "2026-02-01 01:00:00 CET",
            ],
        ),
        (due(Some("mas-initial-notice"), None), vec!["give --at", "discovery: "]),
        // Already the first of February in Singapore.
        (due(Some("mas-initial-notice"), evening), vec!["due          2026-02-01 05:00:00"]),
        (due(Some("sfc-hacking-notice"), evening), vec!["due          at once"]),
        (Standards::Lint { today: Some("2027-05-21".into()) }, vec!["has passed", "by machine"]),
    ] {
        let screen = shown(&shelf, &command);
        for word in words {
            assert!(screen.text.contains(word), "{word}: {}", screen.text);
        }
        assert!(screen.well && screen.json.is_object());
    }
}

#[test]
fn what_is_not_there_is_refused_with_what_to_do() {
    let due = |at: &str, also_at: Option<&str>| Standards::Due {
        template: Some("mas-initial-notice".into()),
        at: Some(at.into()),
        also_at: also_at.map(Into::into),
    };
    for command in [
        Standards::Show { what: "ccss 12".into() },
        Standards::Show { what: "ccss 9.0 9.99".into() },
        Standards::Show { what: "junk".into() },
        Standards::Profile { id: "laxest".into() },
        Standards::Diff { standard: "ccss".into(), old: "8.1".into(), new: "9.0".into() },
        Standards::Due { template: Some("nobody".into()), at: None, also_at: None },
        due("yesterday", None),
        due("2026-01-31", Some("2026-01-30")),
        Standards::Lint { today: Some("soon".into()) },
    ] {
        let trouble = refused(&command);
        assert!(trouble.to_string().contains("; "), "{trouble}");
    }
}

#[test]
fn a_difference_shows_both_texts_and_a_reused_id_is_not_well() {
    let mut shelf = shelf();
    let ccss: StandardKey = "ccss 9.0".parse().unwrap();
    let mut newer = shelf.library.catalogues[&ccss].clone();
    newer.version = "9.1".into();
    newer.controls[0].text.push_str(" Nobody else.");
    let mut added = newer.controls[0].clone();
    added.id = "1.05.2.3".into();
    newer.controls.push(added);
    shelf.library.catalogues.insert(newer.key(), newer.clone());
    let diff = Standards::Diff { standard: "ccss".into(), old: "9.0".into(), new: "9.1".into() };
    let screen = shown(&shelf, &diff);
    for word in
        ["1.01.1.1: text\n  - Whoever", "Nobody else.\n", "1.05.2.3: new", "1 new, 0 gone, 0 ids"]
    {
        assert!(screen.text.contains(word), "{word}: {}", screen.text);
    }
    assert!(screen.well);
    newer.controls[1].title = "References of staff".into();
    shelf.library.catalogues.insert(newer.key(), newer);
    let screen = shown(&shelf, &diff);
    assert!(!screen.well && screen.text.contains("1.01.1.2: REUSED"), "{}", screen.text);
}

#[test]
fn a_deadline_is_told_as_a_moment_to_programs() {
    let due = Standards::Due {
        template: Some("eu-dora-initial".into()),
        at: Some("2026-11-20T10:00:00Z".into()),
        also_at: Some("2026-11-19T08:00:00Z".into()),
    };
    let screen = shown(&shelf(), &due);
    let by: Timestamp = serde_json::from_value(screen.json["due"].clone()).unwrap();
    assert_eq!(by, crate::commands::moment("2026-11-20T08:00:00Z").unwrap());
}
