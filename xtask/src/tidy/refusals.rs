//! `docs/spec/refusals.md` has a row for each code that custody, cosigners and the desk give to a refusal, and for no other.

use std::collections::BTreeMap;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ItemConst, ItemMod, Lit, LitStr, Local, Member, Pat};

use super::Complaint;
use super::syntax::is_test_only;
use crate::Done;
use crate::house::House;

const PAGE: &str = "docs/spec/refusals.md";
/// Where the codes are given.
const ROOMS: [&str; 3] = ["crates/cosigner/src/", "crates/custody/src/", "bin/quorate/src/"];
/// What a short way of refusing is called. Where its first argument is a word, that is the code.
const SHORT: [&str; 2] = ["refuse", "refused"];
/// What a code is called that is not written where it is given.
const NAME: &str = "code";

/// Each code, with a place where it is given.
type Given = BTreeMap<String, (String, usize)>;

/// Complaints about codes without a row, rows without a code, and codes that nobody can read.
pub(crate) fn refusals(house: &House) -> Done<Vec<Complaint>> {
    let page = house.texts.get(PAGE).ok_or_else(|| format!("{PAGE} is missing"))?;
    let (mut given, mut found) = (Given::new(), Vec::new());
    for source in house.sources.iter().filter(|source| is_asked(&source.path)) {
        let codes = Codes::of(&source.syntax);
        for line in codes.unread {
            let what = "gives a code that nobody can read here; write it out, or call it `code`";
            found.push(Complaint::new(&source.path, line, what));
        }
        for (code, line) in codes.given {
            given.entry(code).or_insert_with(|| (source.path.clone(), line));
        }
    }
    found.extend(compared(page, &given));
    Ok(found)
}

fn is_asked(path: &str) -> bool {
    let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
    ROOMS.iter().any(|room| path.starts_with(room)) && !is_test
}

fn compared(page: &str, given: &Given) -> Vec<Complaint> {
    let rows = rows(page);
    let mut found = Vec::new();
    for (code, (path, line)) in given {
        if !rows.iter().any(|(_, row)| row == code) {
            let what = format!("gives the code `{code}`; add its row to {PAGE}");
            found.push(Complaint::new(path, *line, what));
        }
    }
    let mut before = "";
    for (line, code) in &rows {
        if !given.contains_key(code) {
            let what = format!("nobody gives the code `{code}`; take its row away");
            found.push(Complaint::new(PAGE, *line, what));
        }
        if code.as_str() <= before {
            let what = format!("`{code}` stands after `{before}`; sort the rows, each once");
            found.push(Complaint::new(PAGE, *line, what));
        }
        before = code.as_str();
    }
    found
}

/// The codes of the rows of a table, with their lines.
fn rows(page: &str) -> Vec<(usize, String)> {
    let code = |line: &str| {
        let (code, _) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some(code.to_owned())
    };
    page.lines().enumerate().filter_map(|(at, l)| Some((at.saturating_add(1), code(l)?))).collect()
}

fn is_word(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !text.is_empty() && text.chars().all(letters)
}

/// The codes of one file, each with its line.
#[derive(Default)]
struct Codes {
    given: Vec<(String, usize)>,
    /// Words of what is called `code`. They are codes where it is given.
    named: Vec<(String, usize)>,
    is_name_given: bool,
    consts: BTreeMap<String, String>,
    unread: Vec<usize>,
}

impl Codes {
    fn of(syntax: &syn::File) -> Self {
        let mut codes = Self::default();
        codes.visit_file(syntax);
        if codes.is_name_given {
            codes.given.append(&mut codes.named);
        }
        codes
    }

    /// What a refusal is given as its code. That of another refusal is passed on, and is read where it was given.
    fn give(&mut self, code: &Expr) {
        let line = code.span().start().line;
        match code {
            Expr::Reference(behind) => self.give(&behind.expr),
            Expr::Path(path) if path.path.is_ident(NAME) => self.is_name_given = true,
            Expr::MethodCall(call) if is_passed_on(&call.receiver) => {}
            _ if is_passed_on(code) => {}
            _ => match text(code).or_else(|| self.constant(code)) {
                Some(text) => self.given.push((text, line)),
                None => self.unread.push(line),
            },
        }
    }

    fn constant(&self, code: &Expr) -> Option<String> {
        let Expr::Path(path) = code else { return None };
        self.consts.get(&path.path.get_ident()?.to_string()).cloned()
    }
}

fn is_passed_on(code: &Expr) -> bool {
    let Expr::Field(field) = code else { return false };
    matches!(&field.member, Member::Named(name) if name == NAME)
}

fn text(expression: &Expr) -> Option<String> {
    let Expr::Lit(literal) = expression else { return None };
    let Lit::Str(text) = &literal.lit else { return None };
    Some(text.value())
}

/// Whether a pattern begins with what is called `code`.
fn names_a_code(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(one) => one.ident == NAME,
        Pat::Tuple(several) => several.elems.first().is_some_and(names_a_code),
        Pat::Type(typed) => names_a_code(&typed.pat),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Codes {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        if let Some(text) = text(&item.expr) {
            self.consts.insert(item.ident.to_string(), text);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let (true, Some(init)) = (names_a_code(&local.pat), &local.init) {
            let mut words = Words::default();
            words.visit_expr(&init.expr);
            self.named.append(&mut words.0);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let (Expr::Path(called), Some(first)) = (&*call.func, call.args.first()) {
            let mut names = called.path.segments.iter().rev().map(|part| part.ident.to_string());
            let (last, before) = (names.next().unwrap_or_default(), names.next());
            if last == "new" && before.as_deref() == Some("Refusal") {
                self.give(first);
            } else if SHORT.contains(&last.as_str()) {
                let code = text(first).filter(|code| is_word(code));
                self.given.extend(code.map(|code| (code, first.span().start().line)));
            }
        }
        visit::visit_expr_call(self, call);
    }
}

/// Texts that are one word.
#[derive(Default)]
struct Words(Vec<(String, usize)>);

impl<'ast> Visit<'ast> for Words {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        let value = text.value();
        if is_word(&value) {
            self.0.push((value, text.span().start().line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Source;

    const GIVES: &str = r#"
        const OTHER: &str = "other_form";
        fn one() -> Refusal { Refusal::new(
            "one_code", "why", "next") }
        fn two(x: X) -> Refusal {
            let refuse = |code: &str, why: &str| Err(Refusal::new(code, why, "next"));
            let (code, next) = match x { X::A => ("three", "do this"), _ => ("four", "do that") };
            let why = |why: &str| house::Refusal::new(OTHER, why, "next");
            refuse("two_code", "why")
        }
        fn passed(x: &Refusal) { Refusal::new(&x.code, "w", "n"); Refusal::new(x.code.as_str(), "w", "n"); }
        #[cfg(test)] mod tests { fn t() { Refusal::new("of_a_test", "why", "next"); } }
    "#;

    fn check(text: &str, page: &str) -> Vec<String> {
        let path = format!("{}x.rs", ROOMS[0]);
        let syntax = syn::parse_file(text).unwrap();
        let sources = vec![Source { path, text: text.to_owned(), syntax }];
        let texts = BTreeMap::from([(PAGE.to_owned(), page.to_owned())]);
        let found = refusals(&House { texts, sources }).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    fn page(codes: &[&str]) -> String {
        codes.iter().map(|code| format!("| `{code}` | what it means |\n")).collect()
    }

    #[test]
    fn codes_are_read_however_they_are_given_and_those_of_tests_are_not() {
        let all = ["four", "one_code", "other_form", "three", "two_code"];
        assert_eq!(check(GIVES, &page(&all)), [""; 0]);
        let text = r#"fn a() { let code = "word"; refuse("two words"); see(code) }"#;
        assert_eq!(check(text, ""), [""; 0], "it is given to no refusal");
    }

    #[test]
    fn a_missing_row_and_a_stale_one_are_named() {
        let found = check(GIVES, &page(&["four", "gone", "one_code", "other_form", "three"]));
        let [missing, stale] = &found[..] else { panic!("{found:?}") };
        assert!(missing.contains("cosigner/src/x.rs:9:") && missing.contains("`two_code`"));
        assert!(stale.contains("refusals.md:2:") && stale.contains("`gone`"), "{stale}");
    }

    #[test]
    fn rows_are_sorted_and_stand_once() {
        let text = r#"fn a() { Refusal::new("a", "w", "n"); Refusal::new("b", "w", "n"); }"#;
        for codes in [&["b", "a"][..], &["a", "a", "b"][..]] {
            assert_eq!(check(text, &page(codes)).len(), 1, "{codes:?}");
        }
    }

    #[test]
    fn a_code_that_nobody_can_read_is_told() {
        let text = r#"fn a(x: X) { Refusal::new(&format!("a{x}"), "w", "n"); Refusal::new(FAR, "w", "n"); }"#;
        assert_eq!(check(text, "").len(), 2);
    }
}
