//! `GLOSSARY.md` is the only place where a word is defined; its last column holds the words that we do not use.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use super::Complaint;
use crate::Done;
use crate::house::House;

/// Complaints about types whose names use a word of the column "Not".
pub(crate) fn names(house: &House) -> Done<Vec<Complaint>> {
    let text = house.texts.get("GLOSSARY.md").ok_or("GLOSSARY.md is missing")?;
    let instead = unwanted(text);
    if instead.is_empty() {
        return Err("GLOSSARY.md has no table with a column `Not`".to_owned());
    }
    let mut found = Vec::new();
    for source in &house.sources {
        let mut types = Types::default();
        types.visit_file(&source.syntax);
        for (name, line) in types.names {
            for word in camel_words(&name) {
                if let Some(term) = instead.get(&word) {
                    let what = format!("type `{name}` says `{word}`; GLOSSARY.md: {term}");
                    found.push(Complaint::new(&source.path, line, what));
                }
            }
        }
    }
    Ok(found)
}

/// Words that we do not use, each with the row that says so. A word that is itself a term may be used.
fn unwanted(glossary: &str) -> BTreeMap<String, String> {
    let rows: Vec<Vec<&str>> = glossary.lines().filter_map(cells).collect();
    let terms: BTreeSet<String> = rows.iter().filter_map(|row| term(row)).collect();
    let mut words = BTreeMap::new();
    for row in &rows {
        let (Some(term), Some(last)) = (term(row), row.last()) else { continue };
        for word in last.split(',').map(|word| word.trim().to_lowercase()) {
            if !word.is_empty() && !word.contains(' ') && !terms.contains(&word) {
                words.insert(word, format!("say `{term}`"));
            }
        }
    }
    words
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    (cells.len() == 4 && cells.first()?.starts_with("**")).then_some(cells)
}

fn term(row: &[&str]) -> Option<String> {
    Some(row.first()?.trim_matches('*').to_lowercase())
}

fn camel_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_lowercase().to_string()),
        }
    }
    words
}

#[derive(Default)]
struct Types {
    names: Vec<(String, usize)>,
}

impl Types {
    fn note(&mut self, name: &syn::Ident) {
        self.names.push((name.to_string(), name.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.note(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.note(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.note(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.note(&item.ident);
        visit::visit_item_type(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| Term | Means | Lives in | Not |\n|---|---|---|---|\n\
        | **Case** | one intent in motion | custody | workflow, job, session |\n\
        | **Session** | one run of a protocol | cosigner | round trip |\n";

    #[test]
    fn the_last_column_is_read_and_a_term_is_never_unwanted() {
        let words: Vec<String> = unwanted(TABLE).into_keys().collect();
        assert_eq!(words, ["job", "workflow"]);
    }

    #[test]
    fn a_name_is_cut_at_its_capitals() {
        assert_eq!(camel_words("JobQueue"), ["job", "queue"]);
        assert_eq!(camel_words("Jobless"), ["jobless"]);
    }
}
