//! Ceilings: 600 lines a file without its inline tests, 70 lines a function, 100 columns a line.

use quote::ToTokens as _;
use syn::visit::{self, Visit};

use super::Complaint;
use super::ratchet::{Over, Ratchet, compare};
use super::syntax::{is_test_only, lines_of};
use crate::Done;
use crate::house::{House, Source};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
/// An inline test module above this moves to `tests.rs` beside the code.
const INLINE_TEST_LINES_MAX: usize = 200;
const CODE_COLUMNS_MAX: usize = 100;
/// Prose is not broken by `rustfmt`, so a comment may be a little wider than code.
const COMMENT_COLUMNS_MAX: usize = 130;
/// A string is data: `rustfmt` leaves its line alone, up to here.
const DATA_COLUMNS_MAX: usize = 400;

/// Complaints about files, functions, inline tests and lines.
pub(crate) fn sizes(house: &House) -> Done<Vec<Complaint>> {
    let ratchet = Ratchet::load()?;
    let over = over(house);
    let files = compare(FILE_LINES_MAX, &ratchet.files, &over.files);
    let functions = compare(FUNCTION_LINES_MAX, &ratchet.functions, &over.functions);
    let mut found: Vec<Complaint> = files
        .into_iter()
        .chain(functions)
        .map(|(name, what)| Complaint::new(&name, 1, what))
        .collect();
    for source in &house.sources {
        found.extend(inline_tests(source));
        found.extend(lines(source));
    }
    Ok(found)
}

/// What stands above a ceiling today.
pub(crate) fn over(house: &House) -> Over {
    let mut over = Over::default();
    for source in &house.sources {
        let lines = file_lines(source);
        if lines > FILE_LINES_MAX {
            over.files.insert(source.path.clone(), lines);
        }
        let mut functions = Functions::default();
        functions.visit_file(&source.syntax);
        for (name, lines) in functions.long {
            over.functions.insert(format!("{}::{name}", source.path), lines);
        }
    }
    over
}

/// Lines without tests: a file under `tests/` has none.
fn file_lines(source: &Source) -> usize {
    if source.path.contains("/tests/") {
        return 0;
    }
    let tests: usize = test_modules(source).map(lines_of).sum();
    source.text.lines().count().saturating_sub(tests)
}

fn test_modules(source: &Source) -> impl Iterator<Item = &syn::ItemMod> {
    source.syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_some() && is_test_only(&module.attrs) => {
            Some(module)
        }
        _ => None,
    })
}

fn inline_tests(source: &Source) -> Vec<Complaint> {
    test_modules(source)
        .filter(|module| lines_of(module) > INLINE_TEST_LINES_MAX)
        .map(|module| {
            let what = format!(
                "{} lines of inline tests; above {INLINE_TEST_LINES_MAX} they move to `tests.rs` beside",
                lines_of(module)
            );
            Complaint::new(&source.path, module.mod_token.span.start().line, what)
        })
        .collect()
}

fn lines(source: &Source) -> Vec<Complaint> {
    let mut left_alone = LeftAlone::default();
    left_alone.visit_file(&source.syntax);
    let mut found = Vec::new();
    for (at, text) in source.text.lines().enumerate() {
        let line = at.saturating_add(1);
        let columns = text.chars().count();
        let ceiling = if text.trim_start().starts_with("//") {
            COMMENT_COLUMNS_MAX
        } else if left_alone.holds(line) {
            DATA_COLUMNS_MAX
        } else {
            CODE_COLUMNS_MAX
        };
        if columns > ceiling {
            let what = format!("{columns} columns; the ceiling here is {ceiling}");
            found.push(Complaint::new(&source.path, line, what));
        }
    }
    found
}

/// Lines that `rustfmt` leaves alone: those with literals, and the bodies of macros.
#[derive(Default)]
struct LeftAlone {
    ranges: Vec<(usize, usize)>,
}

impl LeftAlone {
    fn note(&mut self, span: proc_macro2::Span) {
        self.ranges.push((span.start().line, span.end().line));
    }

    fn holds(&self, line: usize) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }
}

impl<'ast> Visit<'ast> for LeftAlone {
    fn visit_lit(&mut self, literal: &'ast syn::Lit) {
        let is_data =
            |text: &str| text.starts_with(['"', 'r', 'b', '\'']) || text.starts_with("0x");
        if is_data(&literal.to_token_stream().to_string()) {
            self.note(literal.span());
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.note(call.delimiter.span().join());
    }
}

/// Collects functions above the ceiling, from the signature to the closing brace, with the path of their names.
#[derive(Default)]
struct Functions {
    within: Vec<String>,
    long: Vec<(String, usize)>,
}

impl Functions {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        let lines = last.saturating_sub(first).saturating_add(1);
        if lines > FUNCTION_LINES_MAX {
            let mut name = self.within.join("::");
            if !name.is_empty() {
                name.push_str("::");
            }
            name.push_str(&signature.ident.to_string());
            self.long.push((name, lines));
        }
    }

    fn inside(&mut self, name: String, go_on: impl FnOnce(&mut Self)) {
        self.within.push(name);
        go_on(self);
        self.within.pop();
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        self.inside(item.sig.ident.to_string(), |inner| visit::visit_item_fn(inner, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let name = name.unwrap_or_else(|| "impl".to_owned());
        self.inside(name, |inner| visit::visit_item_impl(inner, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inside(item.ident.to_string(), |inner| visit::visit_item_mod(inner, item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: String) -> Source {
        let syntax = syn::parse_file(&text).unwrap();
        Source { path: "x.rs".to_owned(), text, syntax }
    }

    fn long_functions(text: &str) -> Vec<(String, usize)> {
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(text).unwrap());
        functions.long
    }

    #[test]
    fn a_function_of_seventy_one_lines_is_too_long_wherever_it_stands() {
        let body = |lines: usize| "\n".repeat(lines);
        assert!(long_functions(&format!("fn f() {{{}}}", body(69))).is_empty());
        let shapes = [
            format!("fn f() {{{}}}", body(70)),
            format!("struct S; impl S {{ fn f() {{{}}} }}", body(70)),
            format!("trait T {{ fn f() {{{}}} }}", body(70)),
            format!("mod m {{ fn f() {{{}}} }}", body(70)),
            format!("fn g() {{ fn f() {{{}}} }}", body(70)),
        ];
        for shape in shapes {
            assert!(!long_functions(&shape).is_empty(), "{shape}");
        }
    }

    #[test]
    fn inline_tests_do_not_count_towards_the_file() {
        let tests = format!("#[cfg(test)]\nmod tests {{{}}}\n", "\n".repeat(300));
        let source = source(format!("fn f() {{}}\n{tests}"));
        assert_eq!(file_lines(&source), 1);
        assert_eq!(inline_tests(&source).len(), 1);
    }

    #[test]
    fn code_has_a_hundred_columns_and_data_some_more() {
        let check = |line: String, ok: bool| {
            assert_eq!(lines(&source(line.clone())).is_empty(), ok, "{line}");
        };
        check(format!("type {};", "x".repeat(100)), false);
        check(format!("// {}", "x".repeat(127)), true);
        check(format!("// {}", "x".repeat(128)), false);
        check(format!("const X: &str = \"{}\";", "x".repeat(120)), true);
        check(format!("const X: &str = \"{}\";", "x".repeat(400)), false);
        check(format!("m! {{ {} }}", "x".repeat(120)), true);
        check(
            format!(
                "fn f() {{
    {};
}}",
                "x".repeat(120)
            ),
            false,
        );
    }
}
