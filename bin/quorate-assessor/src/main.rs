//! The auditor's office: follows the book read-only, with its own key, ledger, command line and origin.

fn main() {}
