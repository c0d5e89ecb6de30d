//! Small questions to a syntax tree.

use syn::spanned::Spanned as _;
use syn::{Attribute, ItemMod, Meta};

/// Whether the item is compiled for tests only: `#[cfg(test)]`, or `#[cfg(all(test, ..))]`.
pub(crate) fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let words = list.tokens.to_string();
            words == "test" || (words.starts_with("all") && words.contains("test"))
        }
        _ => false,
    })
}

/// The lines that an item takes, from first to last.
pub(crate) fn lines_of(item: &ItemMod) -> usize {
    let span = item.span();
    span.end().line.saturating_sub(span.start().line).saturating_add(1)
}
