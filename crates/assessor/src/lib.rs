//! Controls, evidence, findings, assessment, mark. It reads what the ledger proves and says how a deployment stands.
//!
//! Nothing here reads a disk, a clock or a database: rows come through [`evidence::Rows`], time is an argument, and
//! standards are text that a caller has read. It may not import what it judges: no custody, no policy, no cosigner.
//!
//! Reading order: what a standard asks ([`standard`]); what is known ([`evidence`]); what the
//! office itself remembers ([`record`]); what follows from it ([`finding`],
//! [`assess`]); what CCSS adds ([`ccss`]); how people audit ([`audit`]); what may be shown of it ([`mark`], [`pack`], [`report`],
//! [`oscal`]).

pub mod standard;

pub mod evidence;
pub mod finding;

pub mod record;

pub mod assess;

pub mod ccss;

pub mod audit;

pub mod mark;

pub mod pack;

pub mod report;

pub mod oscal;
