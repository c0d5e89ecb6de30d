//! Everything has a limit, and all of them stand here.

/// How far an entry's time may lie ahead of a party's own clock before the party stops issuing warrants, in seconds.
pub const CLOCK_SKEW_MAX_S: u64 = 120;
/// How old a signed fact may be at most, whatever the policy says, in seconds.
pub const FACT_AGE_MAX_S: u64 = 86_400;
/// Drafts per case: the first and its replacements.
pub const DRAFTS_PER_CASE_MAX: usize = 16;
/// Signed facts that one judgment may rest on.
pub const FACTS_PER_CASE_MAX: usize = 8;
/// Failed runs of one case before it is given up and an alarm is raised (T4).
pub const ABORTS_PER_CASE_MAX: u32 = 3;
/// Cases that one tick closes as expired: a wrong clock does harm slowly enough to be seen.
pub const CLOSED_PER_TICK_MAX: usize = 64;
/// Alerts that one tick raises to remind people.
pub const ALERTS_PER_TICK_MAX: usize = 64;
/// Checklists that are open at one time.
pub const CHECKLISTS_OPEN_MAX: usize = 256;
/// Entries that a follower takes in one message.
pub const ENTRIES_PER_FOLLOW_MAX: usize = 4096;
/// The longest delegation, in seconds.
pub use quorate_terms::delegation::DELEGATION_S_MAX;
/// Longest free text in an entry that a door passes on (`reason`, `cause`), in bytes.
pub const CAUSE_BYTES_MAX: usize = 512;
