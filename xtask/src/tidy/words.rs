//! Words that do not stand in this repository.

use super::Complaint;
use crate::Done;
use crate::house::House;

/// A word, why it may not stand, and whether only the whole word counts.
struct Banned {
    word: String,
    why: &'static str,
}

/// Complaints about marks of unfinished work and names of registry hosts, in every text file.
pub(crate) fn words(house: &House) -> Done<Vec<Complaint>> {
    let banned = banned();
    let mut found = Vec::new();
    for (path, text) in &house.texts {
        if !is_data(path) {
            found.extend(search(path, text, &banned));
        }
    }
    Ok(found)
}

// Written in pieces, so that this file does not break its own rule.
fn banned() -> Vec<Banned> {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]];
    let hosts = [["crates.", "io"], ["npm", "js"], ["py", "pi.org"], ["pythonhosted", ".org"]];
    let mark = |pieces: [&str; 2]| Banned {
        word: pieces.concat(),
        why: "marks unfinished work; finish it or open an issue",
    };
    let host = |pieces: [&str; 2]| Banned {
        word: pieces.concat(),
        why: "names a registry host; the ordinary client knows where to look",
    };
    marks.into_iter().map(mark).chain(hosts.into_iter().map(host)).collect()
}

/// Lock files name the registry because Cargo writes it there; catalogues and vectors are other people's words.
fn is_data(path: &str) -> bool {
    path == "Cargo.lock" || path.starts_with("standards/") || path.contains("/vectors/")
}

fn search(path: &str, text: &str, banned: &[Banned]) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for Banned { word, why } in banned {
            if holds(line, word) {
                let what = format!("`{word}` {why}");
                found.push(Complaint::new(path, at.saturating_add(1), what));
            }
        }
    }
    found
}

fn holds(line: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|left| left.chars().next_back());
        let after = line.get(at.saturating_add(word.len())..).and_then(|r| r.chars().next());
        !letter(before) && !letter(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_banned_word_is_found_as_a_word_of_its_own() {
        for Banned { word, .. } in banned() {
            assert!(holds(&format!("// {word}: later"), &word));
            assert!(!holds(&format!("// a{word}b"), &word));
        }
    }
}
