//! A dossier: a case as folded from the book, with all that a stranger needs to reach the same answer.

use quorate_terms::CaseId;

use crate::book::{Book, Wallet};
use crate::case::Case;
use crate::refusal::Refusal;

/// A case and the book in which it stands. Dossiers travel, as entries; warrants do not.
#[derive(Clone, Copy, Debug)]
pub struct Dossier<'a> {
    book: &'a Book,
    case: &'a Case,
}

impl<'a> Dossier<'a> {
    /// The dossier of an open case.
    ///
    /// # Errors
    /// [`Refusal`] when the book knows no such open case.
    pub fn of(book: &'a Book, case: &CaseId) -> Result<Self, Refusal> {
        let case = book.case(case).ok_or_else(|| {
            let next =
                "send the entries up to the case's warrant, or look whether the case is closed";
            Refusal::new("unknown_case", "this party's book has no such open case", next)
        })?;
        Ok(Self { book, case })
    }

    /// The book.
    pub const fn book(&self) -> &'a Book {
        self.book
    }

    /// The case.
    pub const fn case(&self) -> &'a Case {
        self.case
    }

    /// The wallet that the case spends from.
    pub fn wallet(&self) -> Option<&'a Wallet> {
        self.case.transfer().and_then(|transfer| self.book.wallet(&transfer.wallet))
    }
}
