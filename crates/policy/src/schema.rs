//! The Cedar schema: who asks, of what, with which facts.

/// The schema against which every rule is validated, strictly (`docs/spec/reasons.md` names the facts in words).
///
/// Amounts are millionths of the asset's whole unit, **rounded up**: Cedar's integers have 64 bits, wei does not fit.
/// The exact check is the budget's. `value_cents` and `balance_share_bp` are missing when nobody vouches for them, so
/// a rule must guard them with `has` in a place where missing means no.
pub const SCHEMA: &str = r"
entity Agent;
entity Person;
entity Wallet;

type Recipient = {
    account: String,
    chain: String,
    listed: Bool,
    usable: Bool,
    known: Bool,
};

type Facts = {
    amount: Long,
    fee: Long,
    value_cents?: Long,
    balance_share_bp?: Long,
    asset: String,
    symbol: String,
    native: Bool,
    chain: String,
    recipient: Recipient,
    hour: Long,
    weekday: Long,
    band: String,
    screening: String,
    approved_by: Set<String>,
};

action transfer appliesTo {
    principal: [Agent, Person],
    resource: [Wallet],
    context: Facts,
};
";

/// Decimal places of the amounts that rules see.
pub const SCALE: u8 = 6;
