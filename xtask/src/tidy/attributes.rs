//! Attributes that hide things: tests that do not run, lints that do not speak.

use syn::visit::{self, Visit};
use syn::{Attribute, Meta};

use super::Complaint;
use crate::Done;
use crate::house::{House, Source};

/// Complaints about ignored tests, `allow`, `expect` without a reason, and crates without a word about themselves.
pub(crate) fn attributes(house: &House) -> Done<Vec<Complaint>> {
    let mut found = Vec::new();
    for source in &house.sources {
        found.extend(hidden(&source.path, &source.syntax));
        found.extend(undocumented(source));
    }
    found.extend(manifests(house));
    Ok(found)
}

fn hidden(path: &str, syntax: &syn::File) -> Vec<Complaint> {
    let mut seen = Attributes { path: path.to_owned(), found: Vec::new() };
    seen.visit_file(syntax);
    seen.found
}

fn undocumented(source: &Source) -> Option<Complaint> {
    let is_root = source.path.ends_with("src/lib.rs") || source.path.ends_with("src/main.rs");
    let has_doc = source.syntax.attrs.iter().any(|a| a.path().is_ident("doc"));
    (is_root && !has_doc)
        .then(|| Complaint::new(&source.path, 1, "says nothing of itself; begin with `//!`"))
}

/// Every crate takes the lints of the workspace, and no more folders lift the bans than DESIGN allows.
fn manifests(house: &House) -> Vec<Complaint> {
    let lifts = ["", "crates/host/", "crates/web/", "crates/gateway/", "xtask/", "bin/"];
    let mut found = Vec::new();
    for (path, text) in &house.texts {
        let is_member = path.ends_with("/Cargo.toml") && !path.starts_with("xtask/bites/");
        if is_member && !text.contains("[lints]\nworkspace = true") {
            found.push(Complaint::new(path, 1, "add `[lints]` with `workspace = true`"));
        }
        if let Some(folder) = path.strip_suffix("clippy.toml") {
            let lifted =
                lifts.iter().any(|l| folder == *l || (*l == "bin/" && folder.starts_with(l)));
            if !lifted {
                let what = "lifts the bans of the root; only host, web, gateway, bin and xtask may";
                found.push(Complaint::new(path, 1, what));
            }
        }
    }
    found
}

struct Attributes {
    path: String,
    found: Vec<Complaint>,
}

impl<'ast> Visit<'ast> for Attributes {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        // What several test roots share cannot expect what each of them leaves unused.
        let is_shared = self.path.contains("/tests/") && self.path.ends_with("/mod.rs");
        let is_reasoned = matches!(&attribute.meta, Meta::List(list)
            if list.path.is_ident("allow") && list.tokens.to_string().contains("reason"));
        if is_shared && is_reasoned {
            return;
        }
        if let Some(what) = objection(&attribute.meta) {
            let line = attribute.pound_token.span.start().line;
            self.found.push(Complaint::new(&self.path, line, what));
        }
        visit::visit_attribute(self, attribute);
    }
}

fn objection(meta: &Meta) -> Option<&'static str> {
    let words = match meta {
        Meta::List(list) => list.tokens.to_string(),
        _ => String::new(),
    };
    let path = meta.path();
    if path.is_ident("ignore") {
        return Some(
            "a test that does not run; assert the present behaviour and say that it is wrong",
        );
    }
    if path.is_ident("should_panic") && !words.contains("expected") {
        return Some("any panic would do; name the `expected` one");
    }
    if path.is_ident("allow") || (path.is_ident("cfg_attr") && words.contains("allow (")) {
        return Some("`allow` outlives its cause; use `#[expect(.., reason = \"..\")]`");
    }
    if path.is_ident("expect") && !words.contains("reason") {
        return Some("`expect` without a `reason`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, complaints: usize) {
        let syntax = syn::parse_file(text).unwrap();
        assert_eq!(hidden("x.rs", &syntax).len(), complaints, "{text}");
    }

    #[test]
    fn hidden_tests_and_silent_lints_are_told_wherever_they_stand() {
        check("#[test] fn f() {}", 0);
        check("#[test] #[ignore] fn f() {}", 1);
        check("#[test] #[ignore = \"slow\"] fn f() {}", 1);
        check("#![allow(dead_code)]", 1);
        check("mod m { impl S { #[allow(dead_code)] fn f() {} } }", 1);
        check("#[cfg_attr(test, allow(dead_code))] fn f() {}", 1);
        check("#[expect(dead_code)] fn f() {}", 1);
        check("#[expect(dead_code, reason = \"read by a macro\")] fn f() {}", 0);
        check("#[test] #[should_panic] fn f() {}", 1);
        check("fn f() { #[allow(unused)] let x = 1; }", 1);
    }
}
