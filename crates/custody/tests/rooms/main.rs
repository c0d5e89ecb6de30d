//! The rules of custody, room by room, in one house (`tests/house`).

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that overflows or slices amiss fails, which is what it is for"
)]

#[cfg(test)]
#[path = "../house/mod.rs"]
mod house;

#[cfg(test)]
#[path = "../../../terms/tests/passkeys/authenticator.rs"]
mod authenticator;

#[cfg(test)]
mod budgets;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod checklists;
#[cfg(test)]
mod covered;
#[cfg(test)]
mod delegations;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod parties;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod people;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod walk;
#[cfg(test)]
mod warrant;
