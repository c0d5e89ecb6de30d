//! The register of Trust Marks, for anybody: what each mark says, how it stands, where it is logged, and how to verify it.

use quorate_assessor::mark::page::standing;
use quorate_assessor::mark::{MarkFile, Register};
use quorate_pages::{
    Markup, Tone, badge, code_block, digest, empty, facts, link, outside, paragraph, section,
    shell_word, table, when,
};
use quorate_terms::{Timestamp, canonical};
use serde_json::{Value, json};

use super::hall::Seen;
use super::paper::{self, Page, path};
use crate::mark::publish::{self, Issued, issued};
use crate::trouble::{Done, Trouble};

/// What every page of the register says first.
const SAID: &str = "A mark says that a system was assessed on a day. It does not say that anything is secure, and this page \
                    proves nothing: verify the file.";

/// For how many hours a status list tells anything.
const HOURS: u64 = 24;

/// The register as it was read.
pub(super) struct Listed {
    all: Vec<Issued>,
    /// The name of its status list.
    list: Option<String>,
    size: u64,
    at: Timestamp,
}

/// Reads the register.
pub(super) fn listed(seen: &Seen<'_>) -> Done<Listed> {
    let register = Register::of(seen.office.lines());
    let all = issued(seen.home, &register)?;
    Ok(Listed { all, list: register.list, size: register.size, at: seen.office.now() })
}

/// The register as data, as `mark register` writes it.
pub(super) fn data(listed: &Listed) -> Value {
    let marks: Vec<Value> =
        listed.all.iter().map(|mark| publish::data(&mark.shown(), listed.at)).collect();
    json!({ "list": listed.list, "size": listed.size, "written": listed.at, "marks": marks })
}

/// One mark as data.
pub(super) fn one(listed: &Listed, name: &str) -> Done<Value> {
    Ok(publish::data(&find(listed, name)?.shown(), listed.at))
}

/// The register's status list, freshly signed, as `mark status` writes it.
pub(super) fn status(seen: &Seen<'_>) -> Done<Value> {
    let (sealed, _) = publish::listed(seen.home, seen.office, HOURS)?;
    Ok(canonical::from_bytes(&canonical::to_bytes(&sealed, "status list")?, "status list")?)
}

/// The one file of a mark, in the order of its bytes.
pub(super) fn whole(listed: &Listed, name: &str) -> Done<Value> {
    let (_, bytes) = file(listed, name)?;
    canonical::from_bytes(&bytes, "mark").map_err(Trouble::from).map_err(Trouble::damaged)
}

/// The register's page.
pub(super) fn marks(listed: &Listed) -> Page {
    let Listed { all, list, size, at: now } = listed;
    let mut page = Page::new("Trust Marks");
    page.push(paragraph(Markup::text(SAID)));
    if all.is_empty() {
        let next = "An issuer offers a place, an assessor claims, the issuer signs: see quorate-assessor mark --help.";
        page.push(empty("No mark was issued here.", next));
        return page;
    }
    let line = |mark: &Issued| {
        let claim = &mark.claim;
        let of = format!("{}, {}", claim.scope.entity, claim.scope.system);
        vec![
            link(&path("/marks", &claim.mark), &claim.mark),
            outside(&of),
            outside(&format!(
                "{} {}, level {}",
                claim.standard.id, claim.standard.version, claim.level
            )),
            stands(mark, *now),
            when(claim.valid_until),
        ]
    };
    let headings = ["Mark", "Of", "Standard", "It", "Until"];
    page.push(table("Issued here", &headings, all.iter().map(line).collect()));
    page.push(facts(vec![
        ("Status list", outside(list.as_deref().unwrap_or("none"))),
        ("Entries of the register", Markup::text(&size.to_string())),
        ("Written", when(*now)),
    ]));
    page.section("How to verify", how("MARK.json", "NAME", "NAME"));
    page
}

fn stands(mark: &Issued, now: Timestamp) -> Markup {
    let word = standing(&mark.shown(), now);
    let tone = match word {
        "stands" => Tone::Good,
        "revoked" | "expired" => Tone::Bad,
        _ => Tone::Warn,
    };
    badge(tone, word)
}

fn find<'a>(listed: &'a Listed, name: &str) -> Done<&'a Issued> {
    listed.all.iter().find(|mark| mark.claim.mark == name).ok_or_else(|| {
        Trouble::refused(
            "unknown_mark",
            "this register issued no such mark",
            "see the page `Marks`",
        )
    })
}

/// One mark.
pub(super) fn mark(listed: &Listed, name: &str) -> Done<Page> {
    let (mark, now) = (find(listed, name)?, listed.at);
    let mut page = Page::new(format!("Mark {}", mark.claim.mark));
    page.push(paragraph(Markup::text(SAID)));
    page.push(says(mark, now));
    if let Some(gone) = &mark.place.withdrawn {
        let text = format!("This mark is {}: {}", gone.standing.word(), gone.reason);
        page.alert(Tone::Bad, text);
        let since =
            vec![("Since", when(gone.at)), ("Entry", Markup::text(&gone.entry.to_string()))];
        page.section("Withdrawn", facts(since));
    }
    page.section("In the log", logged(mark)?);
    let scope = &mark.claim.scope;
    let file = format!("{}.json", mark.claim.mark);
    page.section("How to verify", how(&file, &scope.entity, &scope.system));
    Ok(page)
}

fn says(mark: &Issued, now: Timestamp) -> Markup {
    let claim = &mark.claim;
    let kind = if claim.standard.official { "" } else { " (unofficial working draft)" };
    let excluded = claim.exclusions.iter().map(String::as_str);
    facts(vec![
        ("It", stands(mark, now)),
        ("Entity", outside(&claim.scope.entity)),
        ("System", outside(&claim.scope.system)),
        ("Standard", outside(&format!("{} {}{kind}", claim.standard.id, claim.standard.version))),
        ("Level", outside(&claim.level)),
        ("Covers", outside(&claim.scope.description)),
        (
            "Leaves out",
            if claim.exclusions.is_empty() {
                Markup::text("nothing")
            } else {
                paper::listed(excluded)
            },
        ),
        ("Assessed on", when(claim.assessed_on)),
        ("Assessed by", outside(&claim.assessor.name)),
        ("The assessor's key", outside(&claim.assessor.key.to_string())),
        ("Issued by", outside(&claim.issuer.name)),
        ("The issuer's key", outside(&claim.issuer.key.to_string())),
        ("May be shown from", when(claim.valid_from)),
        ("May be shown until", when(claim.valid_until)),
        (
            "Registrar's certificate",
            claim
                .certificate
                .map_or_else(|| Markup::text("none on file"), |d| digest(&d.to_string())),
        ),
    ])
}

fn logged(mark: &Issued) -> Done<Markup> {
    let mut rows = Vec::new();
    if let Some(issued) = &mark.place.issued {
        rows.push(("Entry of the register", Markup::text(&issued.entry.to_string())));
        rows.push(("Issued", when(issued.at)));
        rows.push(("Digest of the envelope", digest(&issued.envelope.to_string())));
    }
    let mut parts = vec![facts(rows)];
    match &mark.file {
        None => parts.push(empty(
            "No witnessed proof is bound to it yet.",
            "The issuer finishes it: quorate-assessor mark finish",
        )),
        Some((_, bytes)) => {
            let read = MarkFile::from_bytes(bytes)?;
            parts
                .push(section("Its proof, signed by the log and its witnesses", Markup::default()));
            parts.push(code_block("Inclusion proof with its checkpoint", &read.proof));
            let href = format!("{}/file", path("/marks", &mark.claim.mark));
            parts.push(paragraph(link(
                &href,
                "The mark, one file with everything that a stranger checks",
            )));
        }
    }
    Ok(Markup::all(parts))
}

fn how(file: &str, entity: &str, system: &str) -> Markup {
    let said = "Get quorate-verify and this issuer's policy from somebody you trust, take the mark from here and a fresh status \
                list from its issuer, and run, offline:";
    let command = format!(
        "quorate-verify mark {} --policy POLICY.json --status status.json --entity {} --system {}",
        shell_word(file),
        shell_word(entity),
        shell_word(system)
    );
    Markup::all([paragraph(Markup::text(said)), code_block("The command", &command)])
}

/// The file of one mark.
pub(super) fn file(listed: &Listed, name: &str) -> Done<(String, Vec<u8>)> {
    find(listed, name)?.file.clone().ok_or_else(|| {
        let next = "ask the issuer to finish it";
        Trouble::refused("unknown_mark", "no witnessed proof is bound to this mark yet", next)
    })
}
