//! Every size and count that this crate enforces, in one place.

/// The most parties that one key may have. DKLs23's cost grows with the square.
pub const PARTIES_MAX: u8 = 16;

/// Most bytes of an encoded key share. Two parties take 53 KB; each further party adds as much.
pub const SHARE_BYTES_MAX: usize = 1024 * 1024;

/// Most payload bytes of each round of key generation: fragment, commitments, openings, confirmation.
pub const GENERATE_BYTES_MAX: [usize; 4] = [64, 256, 192 * 1024, 64];

/// Most payload bytes of each round of signing: 26,754 and 55,388 and 66 in practice.
pub const SIGN_BYTES_MAX: [usize; 3] = [32 * 1024, 64 * 1024, 128];

/// Recoverable aborts at one peer's fault, per wallet, after which the pair is locked until people have looked.
///
/// A peer that aborts selectively learns at most what a failed check tells it; this bounds how often it may ask.
pub const ABORTS_MAX: u32 = 10;

/// Most bytes of any message of any round, its envelope included.
pub const MESSAGE_BYTES_MAX: usize = 192 * 1024 + crate::session::ENVELOPE_OVERHEAD;
