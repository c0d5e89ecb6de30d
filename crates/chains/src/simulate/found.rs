//! What a simulation found. Every number is a whole one, of base units.

use std::fmt;

use quorate_terms::{AccountId, Amount, AssetId};

/// What the transaction would change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulated {
    /// The block in which the node put it.
    pub block: u64,
    /// Gas that it used.
    pub gas: u64,
    /// Why nothing would happen at all, if it would fail. Outside text.
    pub fails: Option<String>,
    /// Who gains and loses what, by events and traced transfers, each account and asset once.
    pub changes: Vec<Change>,
    /// Who may take something later.
    pub allowances: Vec<Allowance>,
    /// What the token itself says that wallet and recipient hold.
    pub held: Vec<TokenSays>,
    /// Everything else.
    pub notes: Vec<Note>,
}

/// One account and one asset, all in all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// By how much, never by nothing.
    pub by: Signed,
}

/// A whole number of base units with a sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// So much comes.
    Plus(Amount),
    /// So much goes.
    Minus(Amount),
}

impl Signed {
    /// What comes less what goes; nothing is `Plus`.
    pub(super) fn of(comes: Amount, goes: Amount) -> Self {
        match comes.checked_sub(goes) {
            Some(more) => Self::Plus(more),
            None => Self::Minus(goes.checked_sub(comes).unwrap_or(goes)),
        }
    }

    /// How much, without the sign.
    pub const fn size(self) -> Amount {
        match self {
            Self::Plus(size) | Self::Minus(size) => size,
        }
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plus(size) => write!(f, "+{size}"),
            Self::Minus(size) => write!(f, "-{size}"),
        }
    }
}

/// Somebody may take something of somebody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Whose.
    pub owner: AccountId,
    /// Who may take.
    pub spender: AccountId,
    /// What; an allowance of nothing takes one back.
    pub what: Allowed,
}

/// What may be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// So much of a token.
    Amount(AssetId, Amount),
    /// One token with a number, of this contract.
    Unique(AccountId, Amount),
    /// Everything at this contract, or no longer anything.
    Everything(AccountId, bool),
}

/// What a token says that an account holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenSays {
    /// Whose.
    pub account: AccountId,
    /// Before and after; none where the token gives no number.
    pub told: Option<(Amount, Amount)>,
}

/// Something that is no change of a balance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// A token with a number moves.
    Unique {
        /// Its contract.
        contract: AccountId,
        /// Its number.
        number: Amount,
        /// From whom.
        from: AccountId,
        /// To whom.
        to: AccountId,
    },
    /// An event that is not understood here.
    Unknown {
        /// Whose event.
        contract: AccountId,
        /// Its first topic, by which people look events up.
        topic: Option<String>,
    },
}
