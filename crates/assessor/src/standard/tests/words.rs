//! Words that people lean on.

use super::*;

const PARTS: [&str; 4] = ["guide", "rejected", "sampled", "shown_to"];

/// The toy with a decision that people share, and without the lines of its guide that begin so.
fn shared(without: Option<&str>) -> Result<Library, Vec<Problem>> {
    let mut files = files();
    files.insert("toy/1.0/decisions.toml", DECISIONS.replace("\"ledger\"", "\"hybrid\""));
    let starts = without.map(|field| format!("{field} = "));
    let kept = CATALOGUE
        .lines()
        .filter(|line| !starts.as_deref().is_some_and(|start| line.starts_with(start)));
    files.insert("toy/1.0/catalogue.toml", kept.collect::<Vec<_>>().join("\n"));
    load(&files)
}

#[test]
fn what_people_share_in_is_refused_without_any_one_part_of_its_guide() {
    assert!(shared(None).is_ok());
    for field in PARTS {
        let problems = shared(Some(field)).unwrap_err();
        let named: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(named, [format!("g.1.{field}")]);
        assert!(problems[0].why.contains("is missing"), "{}", problems[0]);
    }
}

#[test]
fn a_guide_that_says_the_same_at_two_controls_is_refused() {
    let mut files = files();
    let (_, control) = CATALOGUE.split_once("[[control]]").unwrap();
    let again = control.replace("g.1", "g.2");
    files.insert("toy/1.0/catalogue.toml", format!("{CATALOGUE}[[control]]{again}"));
    let decisions = DECISIONS.replace("\"ledger\"", "\"hybrid\"");
    let (_, decision) = decisions.split_once("[[decision]]").unwrap();
    let again = decision.replace("g.1", "g.2");
    files.insert("toy/1.0/decisions.toml", format!("{decisions}[[decision]]{again}"));
    let problems = load(&files).unwrap_err();
    let named: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(named, ["g.2.guide", "g.2.rejected", "g.2.sampled"]);
    assert!(problems.iter().all(|problem| problem.why.contains("says the same as that of g.1")));
}

#[test]
fn every_control_that_people_share_in_is_guided_in_four_parts() {
    let library = shipped();
    let shared = library.decisions.iter().filter(|(_, decision)| {
        decision.automation == Automation::Human
            || decision.human.is_some()
            || !decision.is_encoded()
    });
    let mut count = 0;
    for (key, _) in shared {
        assert_eq!(library.control(key).unwrap().guided().count(), 4, "{key}");
        count += 1;
    }
    assert!(count > 150, "{count}");
}

/// The toy with `count` more controls, each mapped with the rationale that `said` gives for it.
fn mapped(count: usize, said: impl Fn(usize) -> String) -> Result<Library, Vec<Problem>> {
    let mut files = files();
    let mut catalogue = CATALOGUE.to_owned();
    let mut mappings = MAPPINGS.to_owned();
    for place in 1..=count {
        catalogue.push_str(&format!(
            "[[control]]\nid = \"h.{place}\"\ngroup = \"g\"\ntitle = \"Thing {place}\"\nlevel = \"I\"\n\
             text = \"A demand.\"\ncitation = \"toy\"\nconfidence = \"K\"\n"
        ));
        mappings.push_str(&format!(
            "[[map]]\ncontrol = \"g.1\"\nstandard = \"toy 1.0\"\nto = \"h.{place}\"\n\
             relation = \"intersects\"\nconfidence = \"K\"\nrationale = \"{}\"\n",
            said(place)
        ));
    }
    files.insert("toy/1.0/catalogue.toml", catalogue);
    files.insert("mappings/m.toml", mappings);
    load(&files)
}

#[test]
fn a_rationale_that_only_puts_in_other_titles_is_refused_when_more_than_a_few_maps_share_it() {
    let formula = |place: usize| format!("Keys are kept apart / Thing {place}: they overlap");
    assert!(mapped(3, formula).is_ok());
    let problems = mapped(4, formula).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].field, "g.1 to toy 1.0 h.1");
    assert!(problems[0].why.contains("shares its rationale with 3 other maps"), "{}", problems[0]);
    let by_id = |place: usize| format!("g.1 is about the same as h.{place}");
    assert!(mapped(4, by_id).is_err());
    let own = |place: usize| format!("It asks for {place} keys where the other asks for none.");
    assert!(mapped(4, own).is_ok());
}
