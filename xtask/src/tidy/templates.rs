//! Templates of pages escape what they are given, and hold nothing inline that a page's policy would refuse.

use super::Complaint;
use crate::Done;
use crate::house::House;

/// Complaints about ways around the escaping, and about inline scripts, handlers and styles.
pub(crate) fn templates(house: &House) -> Done<Vec<Complaint>> {
    let is_template = |path: &str, text: &str| {
        (path.contains("/templates/") && path.ends_with(".html"))
            || (path.ends_with(".rs") && text.contains(&mark()))
    };
    let templates = house.texts.iter().filter(|(path, text)| is_template(path, text));
    Ok(templates.flat_map(|(path, text)| search(path, text)).collect())
}

// Written in pieces, so that this file is no template.
fn mark() -> String {
    ["#[temp", "late("].concat()
}

fn search(path: &str, text: &str) -> Vec<Complaint> {
    let banned = [
        ("|safe", "text would become markup; give the template a `Markup`"),
        ("escape = \"none\"", "text would become markup; leave the escaping on"),
        ("ext = \"txt\"", "a template of plain text does not escape; say `html`"),
        ("<style", "the policy of the page refuses it; use the style sheet"),
        (" style=\"", "the policy of the page refuses it; use the style sheet"),
        ("<script>", "the policy of the page refuses it; use a file"),
        (" onclick=", "the policy of the page refuses it; use a file"),
        (" onsubmit=", "the policy of the page refuses it; use a file"),
    ];
    let is_markup = path.ends_with(".html");
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let tight = line.replace("| ", "|").replace(" |", "|");
        for (way, why) in banned {
            // In Rust only the ways around the escaping count: a test may well name a style.
            let counts = is_markup || !why.starts_with("the policy");
            if counts && (tight.contains(way) || line.contains(way)) {
                let what = format!("`{way}`: {why}");
                found.push(Complaint::new(path, at.saturating_add(1), what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_around_the_escaping_is_told() {
        for (path, text, complaints) in [
            ("c/templates/a.html", "<p>{{ words }}</p>", 0),
            ("c/templates/a.html", "<p>{{ words | safe }}</p>", 1),
            ("c/templates/a.html", "<p style=\"x\">", 1),
            ("c/templates/a.html", "<script>", 1),
            ("c/src/a.rs", "(source = \"{{ words|safe }}\", ext = \"html\")", 1),
            ("c/src/a.rs", "(source = \"\", escape = \"none\", ext = \"html\")", 1),
            ("c/src/a.rs", "assert!(!page.contains(\"<style\"));", 0),
        ] {
            assert_eq!(search(path, text).len(), complaints, "{text}");
        }
    }
}
