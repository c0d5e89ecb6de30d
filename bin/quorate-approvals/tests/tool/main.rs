//! The built tool against a desk in this process: a real folded book behind a real mutual-TLS link, honest or lying.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests fail by panicking"
)]

#[path = "../../../../crates/terms/tests/passkeys/authenticator.rs"]
mod authenticator;
#[path = "../../../../crates/custody/tests/house/mod.rs"]
mod house;

mod delegation;
mod desk;
mod fido2;
mod inputs;
mod lies;
mod office;
mod served;
mod simulated;
mod soft_key;
mod view;
mod walk;
