//! Links between documents lead somewhere.

use std::collections::BTreeMap;

use super::Complaint;
use crate::Done;
use crate::house::{self, House};

/// Complaints about relative links whose file or heading does not exist.
pub(crate) fn links(house: &House) -> Done<Vec<Complaint>> {
    let mut found = Vec::new();
    for (path, text) in house.texts.iter().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in targets(text) {
            if let Some(what) = broken(path, &target, &house.texts) {
                found.push(Complaint::new(path, line, what));
            }
        }
    }
    Ok(found)
}

fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for piece in line.split("](").skip(1) {
            if let Some((target, _)) = piece.split_once(')') {
                found.push((at.saturating_add(1), target.to_owned()));
            }
        }
    }
    found
}

fn broken(from: &str, target: &str, texts: &BTreeMap<String, String>) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { from.to_owned() } else { joined(from, file) };
    if !texts.contains_key(&path) && !house::root().join(&path).exists() {
        return Some(format!("`{target}` leads nowhere"));
    }
    let has_heading =
        |text: &String| text.lines().any(|line| slug(line).as_deref() == Some(heading));
    let well = heading.is_empty() || texts.get(&path).is_none_or(has_heading);
    (!well).then(|| format!("`{target}`: no heading of that name"))
}

fn joined(from: &str, file: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn slug(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = title.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, well: bool) {
        let texts = [("docs/a.md", "# One two\n"), ("README.md", "")]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into();
        assert_eq!(broken("docs/b.md", target, &texts).is_none(), well, "{target}");
    }

    #[test]
    fn a_link_needs_its_file_and_its_heading() {
        check("a.md", true);
        check("a.md#one-two", true);
        check("../README.md", true);
        check("a.md#three", false);
        check("missing.md", false);
        check("https://example.invalid/x", true);
    }
}
