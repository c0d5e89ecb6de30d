//! Every control once, counts that add up, no outside text as markup, and nothing of what was struck out.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quorate_terms::{Digest, Timestamp};

use super::plan::Plan;
use super::redacted::Source;
use super::standing::{Basis, counts};
use super::*;
use crate::assess;
use crate::finding::*;
use crate::record::Results;
use crate::standard::{Catalogue, Library, StandardKey};

const FILES: [(&str, &str); 14] = [
    ("ccss/9.0/catalogue.toml", include_str!("../../../../standards/ccss/9.0/catalogue.toml")),
    ("ccss/9.0/decisions.toml", include_str!("../../../../standards/ccss/9.0/decisions.toml")),
    ("wd/0.1.0/catalogue.toml", include_str!("../../../../standards/wd/0.1.0/catalogue.toml")),
    ("wd/0.1.0/decisions.toml", include_str!("../../../../standards/wd/0.1.0/decisions.toml")),
    (
        "eu/2026-11-20/catalogue.toml",
        include_str!("../../../../standards/eu/2026-11-20/catalogue.toml"),
    ),
    (
        "hkma/2026-11-20/catalogue.toml",
        include_str!("../../../../standards/hkma/2026-11-20/catalogue.toml"),
    ),
    (
        "mas/2026-11-20/catalogue.toml",
        include_str!("../../../../standards/mas/2026-11-20/catalogue.toml"),
    ),
    (
        "nydfs/2026-11-20/catalogue.toml",
        include_str!("../../../../standards/nydfs/2026-11-20/catalogue.toml"),
    ),
    (
        "sfc/2026-11-20/catalogue.toml",
        include_str!("../../../../standards/sfc/2026-11-20/catalogue.toml"),
    ),
    (
        "vara/2026-11-20/catalogue.toml",
        include_str!("../../../../standards/vara/2026-11-20/catalogue.toml"),
    ),
    (
        "iso27001/2022/catalogue.toml",
        include_str!("../../../../standards/iso27001/2022/catalogue.toml"),
    ),
    (
        "pci-dss/4.0.1/catalogue.toml",
        include_str!("../../../../standards/pci-dss/4.0.1/catalogue.toml"),
    ),
    (
        "soc2/2017-2022/catalogue.toml",
        include_str!("../../../../standards/soc2/2017-2022/catalogue.toml"),
    ),
    ("mappings/wd-0.1.0.toml", include_str!("../../../../standards/mappings/wd-0.1.0.toml")),
];
const HOSTILE: &str =
    "<script>alert(1)</script>\u{202e}\"'&]#panic()\\u{41}`${x}=cmd|' /C calc'!A0\u{2066}\u{0}";

static CATALOGUE: std::sync::OnceLock<Catalogue> = std::sync::OnceLock::new();

fn library() -> Library {
    let general = include_str!("../../../../standards/mappings/ccss-9.0-general.toml");
    Library::load(FILES.into_iter().chain([("mappings/ccss-9.0-general.toml", general)])).unwrap()
}

fn key(text: &str) -> StandardKey {
    text.parse().unwrap()
}

fn at(day: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000).plus_s(day.saturating_mul(86_400))
}

/// One finding for each control, every state among them, with `said` wherever outside text may stand.
fn results(catalogue: &Catalogue, said: &str) -> Results {
    let head =
        Head { book: format!("desk.example/{said}"), size: 9_000, root: Digest::sha256(b"root") };
    let findings: Vec<Finding> = catalogue
        .controls
        .iter()
        .enumerate()
        .map(|(place, control)| {
            let state = State::ALL[place.checked_rem(State::ALL.len()).unwrap()];
            let entry = |index| EntryRef { book: head.book.clone(), index };
            let exceptions: u64 = if state == State::Gap { 60 } else { 0 };
            let shown = (0..exceptions.min(50)).map(|n: u64| Exception {
                entry: (n > 0).then(|| entry(n.saturating_mul(3))),
                why: format!("{said}: person Wilhelmina moved case {n}"),
            });
            let machine = MachinePart {
                query: Digest::sha256(control.id.as_bytes()),
                population: 120,
                exceptions,
                shown: shown.collect(),
                cited: vec![entry(4), entry(5), entry(6), entry(9)],
                heads: vec![head.clone()],
            };
            let first = format!("{exceptions} exceptions, population 120");
            let more = machine.shown.iter().take(3).map(|e| e.why.clone());
            Finding {
                control: catalogue.key().control(&control.id),
                state,
                reasons: [first].into_iter().chain(more).collect(),
                machine: (place % 3 != 1).then_some(machine),
                evidence: vec![EvidenceRef {
                    tag: format!("DOCUMENT_{place}"),
                    digest: None,
                    expires: Some(at(9)),
                }],
                period: Period { from: at(0), to: at(365) },
                at: at(366),
            }
        })
        .collect();
    Results {
        v: 1,
        standard: catalogue.key(),
        catalogue: catalogue.digest().unwrap(),
        official: false,
        period: Period { from: at(0), to: at(365) },
        at: at(366),
        heads: vec![head],
        sought: Some(catalogue.levels[1].id.clone()),
        reached: assess::reached(catalogue, &findings, |state| state == State::Met),
        findings,
    }
}

fn plan(catalogue: &Catalogue) -> Plan {
    let step = |c: &crate::standard::Control| {
        format!(
            "[[step]]\ncontrol = \"{}\"\nowner = \"Wilhelmina Oak\"\ndue = \"2020-02-29\"\naction = \"write the runbook of cabinet nine\"\n",
            c.id
        )
    };
    let toml: String = catalogue.controls.iter().take(12).map(step).collect();
    Plan::from_toml(&toml, catalogue).unwrap()
}

fn basis<'a>(library: &'a Library, standard: &str, said: &str, redacted: bool) -> Basis<'a> {
    let catalogue = &library.catalogues[&key(standard)];
    let source = Source { results: results(catalogue, said), plan: plan(catalogue) };
    Basis::new(library, catalogue, source, redacted).unwrap()
}

fn every(library: &Library, said: &str, redacted: bool) -> Vec<Report> {
    let bases =
        || ["ccss 9.0", "wd 0.1.0"].map(|standard| basis(library, standard, said, redacted));
    let [ccss, wd] = bases();
    vec![
        standing::report(&ccss, "Readiness"),
        standing::report(&wd, "Wallet security, working draft"),
        gaps::report(&ccss),
        gaps::report(&wd),
        regulators::report(&bases()).unwrap(),
    ]
}

fn cards(report: &Report) -> Vec<&Card> {
    let blocks = report.sections.iter().flat_map(|section| &section.blocks);
    blocks
        .filter_map(|block| if let Block::Card(card) = block { Some(card) } else { None })
        .collect()
}

#[test]
fn each_control_of_the_standard_stands_exactly_once_and_counts_are_equal() {
    let library = library();
    for standard in ["ccss 9.0", "wd 0.1.0"] {
        let basis = basis(&library, standard, "plain", false);
        let report = standing::report(&basis, "Readiness");
        let catalogue = &library.catalogues[&key(standard)];
        let mut asked: Vec<&str> = catalogue.controls.iter().map(|c| c.id.as_str()).collect();
        let mut shown: Vec<&str> = cards(&report).iter().map(|card| card.id.as_str()).collect();
        let mut rows: Vec<&str> = report.sheet.rows.iter().map(|row| row[2].as_str()).collect();
        for list in [&mut asked, &mut shown, &mut rows] {
            list.sort_unstable();
        }
        assert_eq!(shown, asked);
        assert_eq!(rows, asked);
        let mut by_word: BTreeMap<&str, u64> = BTreeMap::new();
        for card in cards(&report) {
            *by_word.entry(card.word.as_str()).or_default() += 1;
        }
        for (state, many) in counts(basis.source().results.findings.iter()) {
            assert_eq!(by_word[state.words()], many);
            let Block::Table(table) = report.sections[0].blocks.last().unwrap() else { panic!() };
            let row = table.rows.iter().find(|row| row[0].text == state.words()).unwrap();
            assert_eq!(row[1].text, many.to_string());
        }
    }
}

#[test]
fn every_control_that_people_must_still_show_says_what_to_whom_sampled_how_and_what_is_rejected() {
    let library = library();
    for standard in ["ccss 9.0", "wd 0.1.0"] {
        let basis = basis(&library, standard, "plain", false);
        let shown = [standing::report(&basis, "Readiness"), gaps::report(&basis)];
        let unproven: Vec<_> =
            basis.controls().filter(|(_, finding)| finding.state == State::Unproven).collect();
        assert!(!unproven.is_empty());
        for (control, finding) in unproven {
            let decision = basis.decision(finding).unwrap();
            if decision.is_encoded() && decision.human.is_none() {
                continue;
            }
            for report in &shown {
                let all = cards(report);
                let card = all.iter().find(|card| card.id == control.id).unwrap();
                for label in ["Show", "Shown to", "Sampled", "Rejected"] {
                    let said = card.facts.iter().find(|fact| fact.label == label);
                    assert!(said.is_some_and(|fact| !fact.value.is_empty()), "{}", control.id);
                }
            }
        }
    }
}

#[test]
fn the_gap_report_holds_each_open_control_once_with_owner_date_and_remedy() {
    let library = library();
    let basis = basis(&library, "ccss 9.0", "plain", false);
    let report = gaps::report(&basis);
    let open = basis.controls().filter(|(_, finding)| {
        matches!(finding.state, State::Gap | State::Stale | State::Unproven)
    });
    let mut open: Vec<&str> = open.map(|(control, _)| control.id.as_str()).collect();
    let mut shown: Vec<&str> = cards(&report).iter().map(|card| card.id.as_str()).collect();
    open.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, open);
    let row = report.sheet.rows.iter().find(|row| row[5] == "Wilhelmina Oak").unwrap();
    assert_eq!((row[6].as_str(), row[7].as_str()), ("2020-02-29", "yes"), "an old day is overdue");
    assert!(report.sheet.rows.iter().any(|row| row[5] == "nobody yet" && row[7] == "no"));
    assert!(report.sections.iter().any(|section| section.title == "Planned, and no longer open"));
}

#[test]
fn each_demand_of_each_regulator_stands_once_and_is_met_only_through_a_control_that_covers_it() {
    let library = library();
    let bases = ["ccss 9.0", "wd 0.1.0"].map(|standard| basis(&library, standard, "plain", false));
    let report = regulators::report(&bases).unwrap();
    let mut rows: Vec<String> =
        report.sheet.rows.iter().map(|row| format!("{} {} {}", row[0], row[1], row[2])).collect();
    let mut asked: Vec<String> = library
        .catalogues
        .values()
        .filter(|catalogue| !["ccss", "wd"].contains(&catalogue.id.as_str()))
        .flat_map(|catalogue| {
            catalogue.controls.iter().map(|c| catalogue.key().control(&c.id).to_string())
        })
        .collect();
    rows.sort();
    asked.sort();
    assert_eq!(rows, asked);
    for catalogue in library.catalogues.values().filter(|c| library.clocks.contains_key(&c.key())) {
        dated(&library, catalogue, &report);
    }
    for row in &report.sheet.rows {
        assert_eq!(row[10].is_empty(), row[12].is_empty(), "{row:?}");
    }
    let met: Vec<_> = report.sheet.rows.iter().filter(|row| row[8] == "met").collect();
    assert!(!met.is_empty());
    for row in met {
        assert!(row[10].contains("(equal): met") || row[10].contains("(superset): met"), "{row:?}");
    }
}

/// Every line of a regulator gives citation, confidence, first day and day of review; every clock its limit, zone and citation.
fn dated(library: &Library, catalogue: &Catalogue, report: &Report) {
    let tables = report.sections.iter().map(|section| {
        let tables = section.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        });
        tables.collect::<Vec<_>>()
    });
    let first = catalogue.controls[0].id.as_str();
    let mut holds = tables.filter(|tables| {
        tables.first().is_some_and(|table| table.rows.iter().any(|row| row[0].text == first))
    });
    let tables = holds.next().unwrap();
    assert_eq!(tables[0].rows.len(), catalogue.controls.len());
    for (control, row) in catalogue.controls.iter().zip(&tables[0].rows) {
        let confidence =
            format!("[{:?}, {}]", control.confidence, control.binding.as_ref().unwrap());
        assert_eq!(row[2].text, format!("{} {confidence}", control.citation));
        let from = control.effective_from.as_deref().unwrap_or("no first day known");
        assert!(row[3].text.contains(from), "{}", row[3].text);
        assert!(row[3].text.contains(control.review_by.as_deref().unwrap()), "{}", row[3].text);
    }
    let clocks = &library.clocks[&catalogue.key()];
    for (clock, row) in clocks.clocks.iter().zip(&tables[1].rows) {
        assert_eq!(row[0].text, clock.template);
        let anchor = library.anchors[&clock.anchor].trim_end_matches('.');
        assert!(row[2].text.contains(anchor), "{}", row[2].text);
        assert!(row[4].text.starts_with(&clock.citation), "{}", row[4].text);
    }
    let page = html::page(report);
    assert!(page.contains(&clocks.zone));
}

#[test]
fn a_finding_is_traced_to_query_population_exceptions_entries_period_and_head() {
    let library = library();
    let basis = basis(&library, "ccss 9.0", "plain", false);
    let report = standing::report(&basis, "Readiness");
    let gap = cards(&report).into_iter().find(|c| c.word == "gap" && c.facts.len() > 40).unwrap();
    let text = format!("{:?}", gap.facts);
    let finding = basis.source().results.findings.iter().find(|f| f.control.id == gap.id).unwrap();
    for part in [
        finding.machine.as_ref().unwrap().query.to_string(),
        "120 rows".to_owned(),
        "60 rows".to_owned(),
        "desk.example/plain entry 3: plain: person Wilhelmina moved case 1".to_owned(),
        "and 10 more; the query gives them all".to_owned(),
        "desk.example/plain: 4-6, 9".to_owned(),
        "desk.example/plain@9000".to_owned(),
        cite::digest(finding).unwrap().to_string(),
        cite::period(finding.period),
    ] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
}

#[test]
fn a_report_says_ready_or_assessed_and_never_certified_or_a_percentage() {
    for report in every(&library(), "plain", false) {
        let page = html::page(&report).replace("not certified", "");
        for line in [&report.word, &report.title] {
            assert!(!line.contains("certified") && !line.contains('%'), "{line}");
        }
        for word in ["is certified", "was certified", ">certified<", "score of"] {
            assert!(!page.contains(word), "{word}");
        }
    }
    let library = library();
    let catalogue = &library.catalogues[&key("ccss 9.0")];
    let mut ready = results(catalogue, "plain");
    for finding in &mut ready.findings {
        finding.state = State::Met;
    }
    ready.reached = assess::reached(catalogue, &ready.findings, |state| state == State::Met);
    let source = Source { results: ready, plan: Plan::default() };
    let basis = Basis::new(&library, catalogue, source, false).unwrap();
    assert_eq!(standing::report(&basis, "Readiness").word, "ready for level II");
    assert_eq!(gaps::report(&basis).word, "nothing open");
}

#[test]
fn equal_findings_give_equal_bytes_and_other_texts_of_the_standard_are_refused() {
    let library = library();
    for (one, other) in every(&library, "x", false).iter().zip(every(&library, "x", false)) {
        assert_eq!(html::page(one), html::page(&other));
        assert_eq!(typst::markup(one), typst::markup(&other));
        assert_eq!(one.sheet.csv(), other.sheet.csv());
    }
    let (ccss, wd) = (&library.catalogues[&key("ccss 9.0")], &library.catalogues[&key("wd 0.1.0")]);
    let source = Source { results: results(wd, "x"), plan: Plan::default() };
    assert!(Basis::new(&library, ccss, source, false).is_err());
    let mut other = results(ccss, "x");
    other.catalogue = Digest::ZERO;
    assert!(
        Basis::new(&library, ccss, Source { results: other, plan: Plan::default() }, false)
            .is_err()
    );
}

/// What is left of a page when our own tags are taken away holds no sign of markup.
fn harmless(page: &str) {
    for raw in ["<script", "javascript:", "onerror", "\u{202e}", "\u{2066}", "\u{0}"] {
        assert!(!page.contains(raw), "{raw:?} stands in the page");
    }
    let known = [
        "!doctype html",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "header",
        "p",
        "h1",
        "h2",
        "h3",
        "span",
        "main",
        "aside",
        "nav",
        "ol",
        "li",
        "section",
        "dl",
        "dt",
        "dd",
        "code",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "svg",
        "desc",
        "rect",
        "text",
        "article",
        "footer",
    ];
    for tag in page.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
        assert!(known.contains(&name) || tag.starts_with("!doctype html>"), "a tag <{name}");
    }
}

#[test]
fn hostile_text_is_text_in_every_form() {
    for report in every(&library(), HOSTILE, false) {
        harmless(&html::page(&report));
        let sheet = report.sheet.csv();
        assert!(!sheet.contains('\u{202e}') && !sheet.contains('\u{0}'));
        let markup = typst::markup(&report);
        assert!(!markup.contains('\u{202e}'));
        assert_eq!(unliteral(&markup).matches("panic").count(), 0, "outside text left its literal");
    }
}

/// Typst markup with everything within string literals taken out.
fn unliteral(markup: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::new(), false, false);
    for c in markup.chars() {
        match (inside, escaped, c) {
            (true, true, _) => escaped = false,
            (true, false, '\\') => escaped = true,
            (_, _, '"') => inside = !inside,
            (false, _, c) => out.push(c),
            (true, false, _) => {}
        }
    }
    assert!(!inside, "a literal never ends");
    out
}

#[test]
fn the_redacted_edition_holds_none_of_what_was_struck_out() {
    for report in every(&library(), "Wallet 0xfeed", true) {
        assert_eq!(report.edition, Edition::Redacted);
        for form in [
            html::page(&report),
            typst::markup(&report),
            report.sheet.csv(),
            Sheet::of(&report.fields).csv(),
        ] {
            for secret in ["Wilhelmina", "moved case", "cabinet nine"] {
                assert!(!form.contains(secret), "{secret} stands in `{}`", report.title);
            }
        }
    }
    let library = library();
    let [full, copy] = [false, true].map(|redacted| basis(&library, "ccss 9.0", "x", redacted));
    let digests = |basis: &Basis<'_>| -> Vec<String> {
        standing::report(basis, "R").sheet.rows.iter().map(|row| row[15].clone()).collect()
    };
    assert_eq!(digests(&full), digests(&copy), "the copy names the findings by their own digests");
}

#[test]
fn a_plan_with_a_wrong_step_is_refused_by_name() {
    let library = library();
    let catalogue = &library.catalogues[&key("ccss 9.0")];
    let step = |control: &str, due: &str, owner: &str| {
        format!(
            "[[step]]\ncontrol = \"{control}\"\ndue = \"{due}\"\nowner = \"{owner}\"\naction = \"x\"\n"
        )
    };
    let good = step("1.01.1.1", "2026-12-31", "ann");
    assert_eq!(Plan::from_toml(&good, catalogue).unwrap().steps.len(), 1);
    for (bad, why) in [
        (step("9.99.9.9", "2026-12-31", "ann"), "no control"),
        (step("1.01.1.1", "2026-02-30", "ann"), "day that is none"),
        (step("1.01.1.1", "soon", "ann"), "day that is none"),
        (step("1.01.1.1", "2026-12-31", " "), "empty"),
        (format!("{good}{good}"), "twice"),
        ("[[step]]\nwhat = 1\n".to_owned(), "cannot be read"),
    ] {
        let no = Plan::from_toml(&bad, catalogue).unwrap_err().to_string();
        assert!(no.contains(why), "{no}");
    }
}

/// Reads CSV back as a strict reader of RFC 4180 does.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = csv.chars().peekable();
    while chars.peek().is_some() {
        assert_eq!(chars.next(), Some('"'));
        loop {
            match chars.next().unwrap() {
                '"' if chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
                '"' => break,
                c => cell.push(c),
            }
        }
        row.push(std::mem::take(&mut cell));
        match chars.next().unwrap() {
            ',' => {}
            '\r' => {
                assert_eq!(chars.next(), Some('\n'));
                rows.push(std::mem::take(&mut row));
            }
            c => panic!("{c:?} after a cell"),
        }
    }
    rows
}

proptest! {
    #[test]
    fn any_text_stays_text(said in any::<String>()) {
        let page = text::html(&said);
        let raw = page.contains(['<', '>', '"', '\'', '\n', '\u{202e}', '\u{2066}', '\u{200b}']);
        prop_assert!(!raw);
        let literal = text::typst(&said, 10);
        prop_assert_eq!(unliteral(&literal), "");
        let sheet = Sheet { columns: vec!["a".to_owned()], rows: vec![vec![said.clone(), "b".to_owned()]] };
        let read = rows(&sheet.csv());
        prop_assert_eq!(read.len(), 2);
        let cell = &read[1][0];
        prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠']));
        let plain = text::plain(&said);
        prop_assert_eq!(cell.trim_start_matches('\''), plain.trim_start_matches('\''));
    }

    #[test]
    fn a_plan_never_panics_on_any_text(toml in any::<String>()) {
        let catalogue = CATALOGUE.get_or_init(|| toml::from_str(FILES[0].1).unwrap());
        let _either = Plan::from_toml(&toml, catalogue);
    }

    #[test]
    fn places_of_entries_are_joined_and_none_is_lost(places in proptest::collection::btree_set(0_u64..200, 0..60)) {
        let cited: Vec<EntryRef> = places.iter().map(|i| EntryRef { book: "b".to_owned(), index: *i }).collect();
        let mut read = std::collections::BTreeSet::new();
        for line in cite::entries(&cited) {
            for run in line.strip_prefix("b: ").unwrap().split(", ") {
                let (a, b) = run.split_once('-').unwrap_or((run, run));
                read.extend(a.parse::<u64>().unwrap()..=b.parse::<u64>().unwrap());
            }
        }
        prop_assert_eq!(read, places);
    }
}
