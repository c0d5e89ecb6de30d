//! `SECURITY.md` and `THREATS.md` say "cannot" and name the test that shows it. The test must exist.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use super::Complaint;
use crate::Done;
use crate::house::House;

const PROMISING: [&str; 2] = ["SECURITY.md", "THREATS.md"];

/// Complaints about promised tests that no source holds.
pub(crate) fn promises(house: &House) -> Done<Vec<Complaint>> {
    let tests = tests(house);
    let mut found = Vec::new();
    for path in PROMISING {
        let text = house.texts.get(path).ok_or_else(|| format!("{path} is missing"))?;
        for (line, name) in named(text) {
            if !tests.contains(&name) {
                let what = format!("promises the test `{name}`, which does not exist");
                found.push(Complaint::new(path, line, what));
            }
        }
    }
    Ok(found)
}

/// Test names in a document: backticked snake case with at least three underscores.
fn named(text: &str) -> Vec<(usize, String)> {
    let is_name = |piece: &str| {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        piece.matches('_').count() >= 3 && piece.chars().all(letters)
    };
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2).filter(|piece| is_name(piece));
        found.extend(quoted.map(|name| (at.saturating_add(1), name.to_owned())));
    }
    found
}

fn tests(house: &House) -> BTreeSet<String> {
    let mut seen = Tests::default();
    for source in &house.sources {
        seen.visit_file(&source.syntax);
    }
    seen.names
}

/// Collects functions under a `test` attribute, those inside macros such as `proptest!` included.
#[derive(Default)]
struct Tests {
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test =
            |a: &syn::Attribute| a.path().segments.last().is_some_and(|s| s.ident == "test");
        if item.attrs.iter().any(is_test) {
            self.names.insert(item.sig.ident.to_string());
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let words = call.tokens.to_string();
        let mut pieces = words.split_whitespace();
        while let Some(word) = pieces.next() {
            if word == "fn"
                && let Some(name) = pieces.next()
            {
                self.names.insert(name.split('(').next().unwrap_or(name).to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_backticks() {
        let text =
            "Shown by `t29_a_thousand_at_the_cap` and `row_38_one_twice`, not by `two_words`.";
        let names: Vec<String> = named(text).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["t29_a_thousand_at_the_cap", "row_38_one_twice"]);
    }

    #[test]
    fn tests_are_found_in_modules_and_in_macros() {
        let text = "mod t { #[test] fn a_b_c_d() {} #[tokio::test] async fn e_f_g_h() {} fn not_a_test() {} }
            proptest! { #[test] fn i_j_k_l(x in 0..1) {} }";
        let mut seen = Tests::default();
        seen.visit_file(&syn::parse_file(text).unwrap());
        assert_eq!(seen.names.len(), 3, "{:?}", seen.names);
    }
}
