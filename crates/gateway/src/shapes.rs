//! The JSON forms of terms at the HTTP API, for its description only. The terms themselves read and write the values; nothing
//! here is ever made.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde_json::Value;

/// A digest, or the name of a case or an alert: 64 lower-case hex digits.
pub struct Hash;

impl JsonSchema for Hash {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

/// A digest and a number, in the order that the field's words say. Not `prefixItems`, which readers of descriptions stumble over.
pub struct Pair;

impl JsonSchema for Pair {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pair".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": { "anyOf": [
                { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                { "type": "integer", "minimum": 0 },
            ] },
        })
    }
}

/// A document whose form its own page under `docs/spec` gives.
pub type Document = BTreeMap<String, Value>;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident,)* })*) => {
        #[cfg(test)]
        const WORDS: &[&str] = &[$(stringify!($name),)*];

        $($(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the term of the same name documents it")]
        pub enum $name { $($variant,)* })*
    };
}

words! {
    /// How a case ended.
    Outcome { Settled, Reverted, Replaced, Refused, Rejected, Aborted, Expired, Cancelled, Done, }
    /// A band of tools; each includes those before it.
    Band { Read, Prepare, Sign, Broadcast, }
    /// What a person may do.
    Role { Viewer, Auditor, Operator, }
    /// How urgent an alert is.
    Severity { Low, High, Critical, }
    /// What a recipient is to us.
    OwnerKind { Own, Client, ThirdParty, }
    /// How exposed a wallet is.
    Tier { Hot, Warm, Cold, }
    /// Yes or no.
    Verdict { Approve, Reject, }
    /// What happens to a person.
    Change { Joiner, Mover, Leaver, }
    /// What a person does for the vault.
    Post { Approver, Cosigner, Operator, Auditor, Viewer, AgentOwner, }
    /// How a checklist ended.
    ChecklistEnd { Done, Withdrawn, }
    /// Where a delegation is in its life.
    Phase { Granted, Standing, Ended, }
}

/// A node's height, or why there is none.
#[derive(JsonSchema)]
#[expect(missing_docs, reason = "it is a result")]
pub enum Height {
    Ok(u64),
    Err(String),
}

macro_rules! forms {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident { $($body:tt)* })*) => {
        #[cfg(test)]
        const FORMS: &[&str] = &[$(stringify!($name),)*];

        $(#[derive(JsonSchema)]
        #[schemars(rename_all = "snake_case", deny_unknown_fields)]
        $(#[$meta])*
        #[expect(missing_docs, reason = "the term of the same name documents it")]
        pub $kind $name { $($body)* })*
    };
}

forms! {
    /// What a case awaits, or how it ended.
    pub enum State {
        AwaitJudgment,
        AwaitApprovals,
        AwaitAct,
        AwaitSnapshot,
        AwaitSignature,
        AwaitCeremony,
        AwaitBroadcast,
        AwaitConfirmation,
        AwaitDelay,
        Closed(Outcome),
    }

    /// Why, in words that people and programs can act on.
    pub struct Reason {
        pub rule: String,
        pub code: String,
        pub message: String,
        pub next: String,
    }

    /// What the policy says.
    #[schemars(tag = "answer")]
    pub enum Judgment {
        Allow { because: Vec<Reason> },
        Deny { reasons: Vec<Reason> },
        Require { quorums: BTreeSet<String>, reasons: Vec<Reason> },
    }

    /// How far a quorum has come.
    pub struct Tally {
        pub quorum: String,
        pub need: u32,
        pub counted: BTreeSet<String>,
        pub parties: Option<Parties>,
    }

    /// How far a quorum has come with the parties that it demands.
    pub struct Parties {
        pub need: u32,
        pub counted: BTreeSet<String>,
    }

    /// What is frozen.
    #[schemars(tag = "scope")]
    pub enum Scope {
        Vault,
        Wallet { wallet: String },
        Agent { agent: String },
    }

    /// An alert that nobody has closed.
    pub struct OpenAlert {
        pub rule: String,
        pub severity: Severity,
        pub subject: String,
        pub raised_at: u64,
        pub taken_by: Option<String>,
    }

    /// What is wanted (docs/spec/intent.md).
    #[schemars(tag = "kind")]
    pub enum Action {
        Transfer {
            wallet: String,
            asset: String,
            to: String,
            #[schemars(regex(pattern = "^(0|[1-9][0-9]{0,77})$"))]
            amount: String,
            #[schemars(regex(pattern = "^(0|[1-9][0-9]{0,77})$"))]
            fee_ceiling: String,
            memo: Option<Hash>,
        },
        Cancel { case: Hash },
        OpenWallet {
            wallet: String,
            chains: BTreeSet<String>,
            scheme: String,
            tier: Tier,
            purpose: String,
        },
        ChangePolicy { policy: Document },
        ChangeCharter { charter: Document },
        IssueCredential { credential: Credential },
        RevokeCredential { credential: String },
        ListAddress { account: String, beneficiary: Hash, owner_kind: OwnerKind },
        RemoveAddress { account: String },
        Delegate { delegation: Delegation },
        EndDelegation { delegation: String },
        Freeze { scope: Scope },
        Unfreeze { scope: Scope, lifts: BTreeSet<Hash> },
    }

    /// Who may speak for a seat, from when until when, and up to which amount (docs/spec/delegation.md).
    pub struct Delegation {
        pub id: String,
        pub seat: String,
        pub stand_in: StandIn,
        pub from: u64,
        pub until: u64,
        /// Base units by asset, fees included, above which the seat itself must speak, as on any other asset; none: any amount.
        pub above: Option<BTreeMap<String, String>>,
    }

    /// Whoever stands in.
    pub struct StandIn {
        pub person: String,
        pub credential: String,
        pub key: String,
        pub link: String,
        #[schemars(default, length(min = 1))]
        pub passkeys: Vec<Passkey>,
    }

    /// A passkey that may sign.
    pub struct Passkey {
        pub credential: String,
        pub view: String,
        pub handle: String,
        pub key: String,
    }

    /// A credential to admit; the token appears only as a tagged hash.
    pub struct Credential {
        pub credential: String,
        pub agent: String,
        pub owner: String,
        pub band: Band,
        pub wallets: BTreeSet<String>,
        pub role: Option<Role>,
        pub token: Hash,
        pub expires_at: u64,
    }

    /// What opens a commitment.
    pub struct Opening {
        #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
        pub salt: String,
        pub path: String,
        #[schemars(length(max = 4096))]
        pub value: String,
    }

    /// A signed approval or rejection (docs/spec/approval.md).
    pub struct Approval {
        pub body: ApprovalBody,
        pub proof: Proof,
    }

    /// What was signed.
    pub struct ApprovalBody {
        pub v: u8,
        pub vault: String,
        pub intent: Hash,
        pub policy: Hash,
        pub approver: String,
        pub credential: String,
        pub verdict: Verdict,
        pub issued_at: u64,
        pub expires_at: u64,
        pub display: Hash,
    }

    /// How the approver signed.
    #[schemars(tag = "kind")]
    pub enum Proof {
        Ed25519 { signature: String },
        Passkey { view: String, assertion: Assertion },
    }

    /// What an authenticator gave.
    pub struct Assertion {
        pub authenticator_data: String,
        pub client_data: String,
        pub signature: String,
    }
}

#[cfg(test)]
pub(crate) mod tests;
