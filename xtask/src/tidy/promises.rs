//! `SECURITY.md`, `THREATS.md` and the pages of `docs/adr` and `docs/spec` say "cannot" and name the test that shows it. The test
//! must exist.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use super::Complaint;
use crate::Done;
use crate::house::House;

/// Where every such name is a test's.
const PROMISING: [&str; 2] = ["SECURITY.md", "THREATS.md"];
/// Where codes and fields look like names of tests. A text of the program that is just this word tells them apart.
const FOLDERS: [&str; 2] = ["docs/adr/", "docs/spec/"];

/// Complaints about promised tests that no source holds.
pub(crate) fn promises(house: &House) -> Done<Vec<Complaint>> {
    let tests = tests(house);
    let mut found = Vec::new();
    for path in PROMISING {
        let text = house.texts.get(path).ok_or_else(|| format!("{path} is missing"))?;
        found.extend(broken(path, text, |name| tests.contains(name)));
    }
    let pages = house.texts.iter().filter(|(path, _)| is_page(path));
    for (path, text) in pages {
        found.extend(broken(path, text, |name| tests.contains(name) || is_said(house, name)));
    }
    Ok(found)
}

fn is_page(path: &str) -> bool {
    path.ends_with(".md") && FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// Whether a source holds this very word as a text: a code or a field, and no test.
fn is_said(house: &House, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    house.sources.iter().any(|source| source.text.contains(&quoted))
}

fn broken(path: &str, text: &str, is_known: impl Fn(&str) -> bool) -> Vec<Complaint> {
    let lost = named(text).into_iter().filter(|(_, name)| !is_known(name));
    let complain = |(line, name): (usize, String)| {
        Complaint::new(path, line, format!("promises the test `{name}`, which does not exist"))
    };
    lost.map(complain).collect()
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
    use crate::house::Source;

    #[test]
    fn names_are_read_from_backticks() {
        let text =
            "Shown by `t29_a_thousand_at_the_cap` and `row_38_one_twice`, not by `two_words`.";
        let names: Vec<String> = named(text).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["t29_a_thousand_at_the_cap", "row_38_one_twice"]);
    }

    #[test]
    fn a_page_promises_tests_that_exist_and_codes_are_no_promise() {
        let text = "#[test] fn a_test_that_exists() {} fn code() -> &'static str { \"a_code_and_no_test\" }";
        let source = Source {
            path: "crates/x/src/lib.rs".to_owned(),
            text: text.to_owned(),
            syntax: syn::parse_file(text).unwrap(),
        };
        let words = "`a_test_that_exists`, `a_code_and_no_test`\n`a_test_that_is_gone`";
        let pages = ["SECURITY.md", "THREATS.md", "docs/adr/1.md", "docs/spec/a.md", "docs/b.md"];
        let texts = pages.map(|path| (path.to_owned(), words.to_owned())).into();
        let found = promises(&House { texts, sources: vec![source] }).unwrap();
        let places: Vec<(&str, usize)> =
            found.iter().map(|found| (found.path.as_str(), found.line)).collect();
        let [strict, also] = ["SECURITY.md", "THREATS.md"].map(|path| [(path, 1), (path, 2)]);
        let pages = [("docs/adr/1.md", 2), ("docs/spec/a.md", 2)];
        assert_eq!(places, [strict, also, pages].concat());
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
