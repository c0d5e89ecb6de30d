//! `auditors`: people of the story `cargo xtask story audit`. A provider is audited from engagement to a registrar's
//! certificate, then a customer whose audit inherits from it; the registrar is a test's, and says so.
//!
//! Everything goes through the office's own command line. What was seen is printed as JSON lines, `tell` or `claim`.
//! Development only.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a story may end at the first surprise, and prints what it tells"
)]

mod audit;
mod comparable;
mod mark;
mod people;

use std::path::PathBuf;

use audit::{Case, Course};
use people::Office;
use serde_json::json;

fn main() {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let mut next =
        || words.next().unwrap_or_else(|| panic!("auditors PROGRAM OFFICE STANDARDS ROOM"));
    let office = Office::at(next(), next(), next(), next());
    let provider = Case::provider();
    let certified = audit::run(&office, &provider, None);
    tell(&format!(
        "{}: {} findings, reviewed by another firm",
        provider.entity, certified.findings
    ));
    conceded(&certified);
    claim(
        certified.words.0 == "assessed",
        "until the registrar's certificate is on file the record says `assessed` of it",
    );
    claim(
        is_certified(&certified),
        "the provider's system is certified at level II, by a test registrar's signature on file",
    );
    let report = certified.provider_report(&office, &provider);
    let customer = Case::customer();
    let course = audit::run(&office, &customer, Some(&report));
    inherits(&certified, &course);
    conceded(&course);
    claim(is_certified(&course), "the customer's full system is certified at level II");
    mark::run(&office);
}

fn is_certified(course: &Course) -> bool {
    course.words.1 == "certified" && course.level == 2
}

/// Tells where the machine found a gap and the auditor accepts another control in its place.
fn conceded(course: &Course) {
    let conceded = &course.comparable;
    let which = if conceded.is_empty() { "none" } else { &conceded.join(", ") };
    tell(&format!(
        "gaps of the machine's that pass by a comparable control, each for its own reason: {which}"
    ));
}

fn inherits(provider: &Course, customer: &Course) {
    tell(&format!(
        "the customer's auditor had {} requirements left; {} are the provider's",
        customer.findings, customer.inherited
    ));
    claim(
        customer.inherited > 0 && customer.findings + customer.inherited == provider.findings,
        "what the provider owns needs no finding of the customer's",
    );
}

/// Tells one thing.
fn tell(text: &str) {
    println!("{}", json!({ "tell": text }));
}

/// Claims one thing.
fn claim(holds: bool, text: &str) {
    println!("{}", json!({ "claim": text, "holds": holds }));
}
