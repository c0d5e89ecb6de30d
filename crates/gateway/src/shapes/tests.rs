//! Every shape against real values of the term that it describes: made as the terms' own types, so that a field which joins one
//! of them stops this file from compiling until somebody has shown it here.

use std::collections::BTreeSet;

use quorate_custody::book::OpenAlert as RealAlert;
use quorate_custody::{Phase as RealPhase, State as CaseState};
use quorate_terms::approval::{
    Approval as RealApproval, ApprovalBody as RealBody, Proof as RealProof, Verdict as RealVerdict,
};
use quorate_terms::charter::{CharterText, LogSeat};
use quorate_terms::commitment::Opening as RealOpening;
use quorate_terms::credential::{AgentCredential, Band as RealBand, Role as RealRole};
use quorate_terms::delegation::{Delegation as RealDelegation, StandIn as RealStandIn};
use quorate_terms::entry::{Outcome as RealOutcome, Severity as RealSeverity};
use quorate_terms::freeze::Scope as RealScope;
use quorate_terms::intent::{
    Action as RealAction, OpenWallet, OwnerKind as RealKind, SchemeName, Tier as RealTier, Transfer,
};
use quorate_terms::judgment::{Judgment as RealJudgment, Reason as RealReason};
use quorate_terms::parties::Parties as RealParties;
use quorate_terms::passkey::{
    Assertion as RealAssertion, Blob, Passkey as RealPasskey, PasskeyKey,
};
use quorate_terms::policy::{AddressRules, Administration, Limits, PolicyDocument};
use quorate_terms::quorum::{Quorum, Tally as RealTally};
use quorate_terms::{Amount, CaseId, Digest, PublicKey, Signature, Timestamp};
use quorate_terms::{checklist, entry};
use serde::Serialize;
use serde_json::json;

use super::*;
use crate::office::{
    AddressView, AlertView, CasePage, CaseView, CosignerView, CredentialView, DelegationView,
    FreezeView, StatusView, WalletView,
};
use crate::tools::schema_of;

/// What the values leave unshown of a schema: fields that none has, branches that none takes, words that none says.
fn unshown(schema: &Value, values: &[Value], at: &str, found: &mut Vec<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let inside: Vec<Value> = values.iter().filter_map(|v| v.get(name)).cloned().collect();
        if inside.is_empty() {
            found.push(format!("{at}.{name}"));
        }
        unshown(inner, &inside, &format!("{at}.{name}"), found);
    }
    for branch in ["oneOf", "anyOf"].iter().filter_map(|k| schema[*k].as_array()).flatten() {
        let fits = jsonschema::validator_for(branch).unwrap();
        let taken: Vec<Value> = values.iter().filter(|v| fits.is_valid(v)).cloned().collect();
        if taken.is_empty() && branch["type"] != "null" {
            found.push(format!("{at}: {branch}"));
        }
        unshown(branch, &taken, at, found);
    }
    let words = schema["enum"].as_array().into_iter().flatten().filter(|word| !word.is_null());
    found.extend(words.filter(|word| !values.contains(word)).map(|word| format!("{at} = {word}")));
    for key in ["items", "additionalProperties"] {
        let inside: Vec<Value> = values
            .iter()
            .flat_map(|v| match v {
                Value::Array(items) if key == "items" => items.clone(),
                Value::Object(map) if key != "items" => map.values().cloned().collect(),
                _ => Vec::new(),
            })
            .collect();
        if schema[key].is_object() && !inside.is_empty() {
            unshown(&schema[key], &inside, &format!("{at}[]"), found);
        }
    }
}

/// Every value fits the schema, and nothing in the schema is beyond all of them.
fn check<S: JsonSchema>(values: &[impl Serialize]) -> String {
    let values: Vec<Value> = values.iter().map(|v| serde_json::to_value(v).unwrap()).collect();
    let (name, schema) = (S::schema_name(), Value::Object(schema_of::<S>().as_ref().clone()));
    let fits = jsonschema::validator_for(&schema).unwrap();
    for value in &values {
        let wrong: Vec<_> = fits.iter_errors(value).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{name} does not describe {value}: {wrong:?}");
    }
    let mut found = Vec::new();
    unshown(&schema, &values, &name, &mut found);
    assert!(found.is_empty(), "{name} describes what no value has: {found:?}");
    name.into_owned()
}

fn set<T: Ord + std::str::FromStr<Err: std::fmt::Debug>>(one: &str) -> BTreeSet<T> {
    std::iter::once(one.parse().unwrap()).collect()
}

fn chain() -> quorate_terms::ChainId {
    "eip155:31337".parse().unwrap()
}

fn account() -> quorate_terms::AccountId {
    chain().account("0x00000000000000000000000000000000000000Aa").unwrap()
}

fn opening() -> RealOpening {
    RealOpening::new([7; 16], "intent.memo", "rent").unwrap()
}

fn quorum() -> Quorum {
    Quorum { name: "two".parse().unwrap(), m: 2, members: set("ann"), parties: Some(2) }
}

pub(crate) fn policy() -> PolicyDocument {
    let name = || quorum().name;
    PolicyDocument {
        v: 1,
        vault: "demo".parse().unwrap(),
        version: 1,
        previous: Some(Digest::ZERO),
        zone: "UTC".into(),
        currency: "USD".into(),
        assets: vec![],
        rules: vec![],
        quorums: vec![quorum()],
        budgets: vec![],
        addresses: AddressRules { wait_s: 1, deny: BTreeSet::new() },
        administration: Administration { wallets: name(), credentials: name(), addresses: name() },
        limits: Limits {
            open_cases: 1,
            pending_reservations: 1,
            case_ttl_s: 1,
            approval_ttl_s: 1,
            fact_age_s: 1,
        },
    }
}

fn charter() -> CharterText {
    let key: PublicKey = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".parse().unwrap();
    CharterText {
        v: 1,
        vault: "demo".parse().unwrap(),
        version: 1,
        previous: None,
        threshold: 2,
        cosigners: vec![],
        approvers: vec![],
        views: vec![],
        governance: quorum(),
        log: LogSeat { origin: "demo.example/log".into(), key, identity: key },
        sources: vec![],
        change_delay_s: 1,
        finality_depth: 2,
        policy: policy(),
    }
}

fn reason() -> RealReason {
    let [rule, code, message, next] = ["rule:x", "X", "why", "do"].map(str::to_owned);
    RealReason { rule, code, message, next }
}

fn judgments() -> Vec<RealJudgment> {
    let reasons = vec![reason()];
    vec![
        RealJudgment::Allow { because: reasons.clone() },
        RealJudgment::Deny { reasons: reasons.clone() },
        RealJudgment::Require { quorums: set("two"), reasons },
    ]
}

fn parties() -> RealParties {
    RealParties { need: 2, counted: std::iter::once("custody ltd".to_owned()).collect() }
}

fn tally() -> RealTally {
    RealTally { quorum: quorum().name, need: 2, counted: set("ann"), parties: Some(parties()) }
}

fn scopes() -> Vec<RealScope> {
    vec![
        RealScope::Vault,
        RealScope::Wallet { wallet: "ops".parse().unwrap() },
        RealScope::Agent { agent: "bot".parse().unwrap() },
    ]
}

const SEVERITIES: [RealSeverity; 3] =
    [RealSeverity::Low, RealSeverity::High, RealSeverity::Critical];

fn alerts() -> Vec<RealAlert> {
    let of = |severity| RealAlert {
        rule: "row_1".into(),
        severity,
        subject: "east".into(),
        raised_at: Timestamp::ZERO,
        taken_by: Some("per-1".parse().unwrap()),
    };
    SEVERITIES.map(of).to_vec()
}

const OUTCOMES: [RealOutcome; 9] = [
    RealOutcome::Settled,
    RealOutcome::Reverted,
    RealOutcome::Replaced,
    RealOutcome::Refused,
    RealOutcome::Rejected,
    RealOutcome::Aborted,
    RealOutcome::Expired,
    RealOutcome::Cancelled,
    RealOutcome::Done,
];

fn states() -> Vec<CaseState> {
    let open = [
        CaseState::AwaitJudgment,
        CaseState::AwaitApprovals,
        CaseState::AwaitAct,
        CaseState::AwaitSnapshot,
        CaseState::AwaitSignature,
        CaseState::AwaitCeremony,
        CaseState::AwaitBroadcast,
        CaseState::AwaitConfirmation,
        CaseState::AwaitDelay,
    ];
    open.into_iter().chain(OUTCOMES.map(CaseState::Closed)).collect()
}

/// One of each band and one of each role.
fn credentials() -> Vec<AgentCredential> {
    let of = |band, role| AgentCredential {
        credential: "bot-1".parse().unwrap(),
        agent: "bot".parse().unwrap(),
        owner: "per-1".parse().unwrap(),
        band,
        wallets: set("ops"),
        role,
        token: Digest::ZERO,
        expires_at: Timestamp::ZERO,
    };
    let agents = RealBand::ALL.into_iter().map(|band| of(band, None));
    agents.chain(RealRole::ALL.map(|role| of(RealBand::Read, Some(role)))).collect()
}

const CHANGES: [checklist::Change; 3] =
    [checklist::Change::Joiner, checklist::Change::Mover, checklist::Change::Leaver];
const POSTS: [checklist::Post; 6] = [
    checklist::Post::Approver,
    checklist::Post::Cosigner,
    checklist::Post::Operator,
    checklist::Post::Auditor,
    checklist::Post::Viewer,
    checklist::Post::AgentOwner,
];
const ENDS: [entry::ChecklistEnd; 2] = [entry::ChecklistEnd::Done, entry::ChecklistEnd::Withdrawn];
const KINDS: [RealKind; 3] = [RealKind::Own, RealKind::Client, RealKind::ThirdParty];
const TIERS: [RealTier; 3] = [RealTier::Hot, RealTier::Warm, RealTier::Cold];

fn actions() -> Vec<RealAction> {
    let (case, memo) = (CaseId::of_intent(Digest::ZERO), opening().commitment().unwrap());
    let mut made = vec![
        RealAction::Transfer(Transfer {
            wallet: "ops".parse().unwrap(),
            asset: "eip155:31337/slip44:60".parse().unwrap(),
            to: account(),
            amount: Amount::from_u128(u128::MAX),
            fee_ceiling: Amount::from_u128(0),
            memo: Some(memo),
        }),
        RealAction::Cancel { case },
        RealAction::ChangePolicy { policy: Box::new(policy()) },
        RealAction::ChangeCharter { charter: Box::new(charter()) },
        RealAction::RevokeCredential { credential: "bot-1".parse().unwrap() },
        RealAction::RemoveAddress { account: account() },
        RealAction::Delegate { delegation: Box::new(delegation()) },
        RealAction::EndDelegation { delegation: "leave-1".parse().unwrap() },
    ];
    made.extend(TIERS.map(|tier| {
        RealAction::OpenWallet(OpenWallet {
            wallet: "ops".parse().unwrap(),
            chains: set("eip155:31337"),
            scheme: SchemeName::Dkls23Secp256k1,
            tier,
            purpose: "payroll".into(),
        })
    }));
    made.extend(credentials().into_iter().map(|c| RealAction::IssueCredential { credential: c }));
    made.extend(KINDS.map(|owner_kind| RealAction::ListAddress {
        account: account(),
        beneficiary: memo,
        owner_kind,
    }));
    for scope in scopes() {
        made.push(RealAction::Freeze { scope: scope.clone() });
        let lifts = std::iter::once(Digest::ZERO).collect();
        made.push(RealAction::Unfreeze { scope, lifts });
    }
    made
}

fn delegation() -> RealDelegation {
    let key: PublicKey = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".parse().unwrap();
    RealDelegation {
        id: "leave-1".parse().unwrap(),
        seat: "ann".parse().unwrap(),
        stand_in: RealStandIn {
            person: "p-sam".parse().unwrap(),
            credential: "sam-key".parse().unwrap(),
            key,
            link: key,
            passkeys: vec![passkey()],
        },
        from: Timestamp::ZERO,
        until: Timestamp::from_millis(1),
        above: Some([("eip155:31337/slip44:60".parse().unwrap(), Amount::from_u128(7))].into()),
    }
}

fn passkey() -> RealPasskey {
    RealPasskey {
        credential: "sam-phone".parse().unwrap(),
        view: "home".parse().unwrap(),
        handle: Blob::new(vec![1; 16]).unwrap(),
        key: PasskeyKey::from_bytes([4; 65]).unwrap(),
    }
}

const PHASES: [RealPhase; 3] = [RealPhase::Granted, RealPhase::Standing, RealPhase::Ended];

fn delegation_views() -> Vec<DelegationView> {
    let of = |phase| DelegationView {
        id: "leave-1".parse().unwrap(),
        seat: "ann".parse().unwrap(),
        holder: Some("p-ann".parse().unwrap()),
        stand_in: "p-sam".parse().unwrap(),
        credential: "sam-key".parse().unwrap(),
        views: vec!["home".parse().unwrap()],
        from: Timestamp::ZERO,
        until: Timestamp::ZERO,
        above: delegation().above,
        phase,
        case: CaseId::of_intent(Digest::ZERO),
        granted_at: Timestamp::ZERO,
        ended_at: Some(Timestamp::ZERO),
        ended_by: Some("case".into()),
        cause: Some("taken_back".into()),
    };
    PHASES.map(of).to_vec()
}

const VERDICTS: [RealVerdict; 2] = [RealVerdict::Approve, RealVerdict::Reject];

fn bodies() -> Vec<RealBody> {
    let of = |verdict| RealBody {
        v: 1,
        vault: "demo".parse().unwrap(),
        intent: Digest::ZERO,
        policy: Digest::ZERO,
        approver: "ann".parse().unwrap(),
        credential: "ann-key".parse().unwrap(),
        verdict,
        issued_at: Timestamp::ZERO,
        expires_at: Timestamp::ZERO,
        display: Digest::ZERO,
    };
    VERDICTS.map(of).to_vec()
}

fn assertion() -> RealAssertion {
    let blob = || Blob::new(vec![1; 40]).unwrap();
    RealAssertion { authenticator_data: blob(), client_data: blob(), signature: blob() }
}

fn proofs() -> Vec<RealProof> {
    vec![
        RealProof::Ed25519 { signature: Signature::from_bytes([1; 64]) },
        RealProof::Passkey { view: "home".parse().unwrap(), assertion: assertion() },
    ]
}

fn approvals() -> Vec<RealApproval> {
    bodies().into_iter().zip(proofs()).map(|(body, proof)| RealApproval { body, proof }).collect()
}

#[test]
fn every_shape_describes_the_values_of_its_term_and_nothing_else() {
    let checked: BTreeSet<String> = [
        check::<Outcome>(&OUTCOMES),
        check::<Band>(&RealBand::ALL),
        check::<Role>(&RealRole::ALL),
        check::<Severity>(&SEVERITIES),
        check::<OwnerKind>(&KINDS),
        check::<Tier>(&TIERS),
        check::<Verdict>(&VERDICTS),
        check::<State>(&states()),
        check::<Reason>(&[reason()]),
        check::<Judgment>(&judgments()),
        check::<Tally>(&[tally()]),
        check::<Parties>(&[parties()]),
        check::<Scope>(&scopes()),
        check::<OpenAlert>(&alerts()),
        check::<Action>(&actions()),
        check::<Credential>(&credentials()),
        check::<Opening>(&[opening()]),
        check::<Approval>(&approvals()),
        check::<ApprovalBody>(&bodies()),
        check::<Proof>(&proofs()),
        check::<Assertion>(&[assertion()]),
        check::<Change>(&CHANGES),
        check::<Post>(&POSTS),
        check::<ChecklistEnd>(&ENDS),
        check::<Phase>(&PHASES),
        check::<Delegation>(&[delegation()]),
        check::<StandIn>(&[delegation().stand_in]),
        check::<Passkey>(&[passkey()]),
    ]
    .into();
    let all: BTreeSet<String> = WORDS.iter().chain(FORMS).map(|name| (*name).to_owned()).collect();
    assert_eq!(checked, all, "each shape is shown here");
    check::<Height>(&[Ok::<u64, &str>(7), Err("it is of another chain")]);
    check::<Pair>(&[(Digest::ZERO, 7)]);
    check::<Hash>(&[Digest::ZERO.to_string(), CaseId::of_intent(Digest::ZERO).to_string()]);
}

fn case_views() -> Vec<CaseView> {
    let of = |at: usize, state| CaseView {
        case: CaseId::of_intent(Digest::ZERO),
        kind: "transfer".into(),
        requester: "bot".into(),
        state,
        filed_at: Timestamp::ZERO,
        expires_at: Some(Timestamp::ZERO),
        judgment: judgments().into_iter().cycle().nth(at),
        tallies: vec![tally()],
        summary: "pays 1".into(),
        wallet: Some("ops".parse().unwrap()),
        txid: Some("0x1".into()),
        reason: Some("agreed".into()),
        outcome: OUTCOMES.into_iter().cycle().nth(at),
    };
    states().into_iter().enumerate().map(|(at, state)| of(at, state)).collect()
}

fn credential_views() -> Vec<CredentialView> {
    let of = |real: AgentCredential| CredentialView {
        credential: real.credential,
        agent: real.agent,
        owner: real.owner,
        band: real.band,
        wallets: real.wallets,
        role: real.role,
        expires_at: real.expires_at,
        revoked: true,
    };
    credentials().into_iter().map(of).collect()
}

fn alert_views() -> Vec<AlertView> {
    alerts().into_iter().map(|open| AlertView { alert: Digest::ZERO, open }).collect()
}

fn wallet_view() -> WalletView {
    WalletView {
        wallet: "ops".parse().unwrap(),
        accounts: [(chain(), account())].into(),
        holders: vec!["east".into()],
        backups: vec!["east".into()],
        barred: Some("west".into()),
    }
}

fn cosigner_view() -> CosignerView {
    CosignerView {
        cosigner: "east".into(),
        up: true,
        size: Some(7),
        clock_offset_ms: Some(-3),
        trouble: Some("it is behind".into()),
    }
}

fn status() -> StatusView {
    let digest = |n: u8| Digest::sha256(&[n]);
    StatusView {
        vault: "demo".into(),
        charter: Digest::ZERO,
        policy: (Digest::ZERO, 1),
        policy_document: policy(),
        charter_text: charter(),
        size: 7,
        checkpoint: Some("a note".into()),
        cosigners: vec![cosigner_view()],
        chains: [(chain(), Ok(7)), ("eip155:1".parse().unwrap(), Err("it is down".into()))].into(),
        wallets: vec![wallet_view()],
        freezes: scopes().into_iter().zip(1..).map(|(scope, n)| (digest(n), scope)).collect(),
        voids: vec![(7, Digest::ZERO)],
        open_cases: 1,
        now: Timestamp::ZERO,
        writes: true,
        alerts: alert_views(),
        credentials: credential_views(),
    }
}

#[test]
fn what_the_office_says_is_what_the_api_describes() {
    check::<CaseView>(&case_views());
    check::<CasePage>(&[CasePage {
        cases: case_views(),
        next_after: Some(CaseId::of_intent(Digest::ZERO)),
    }]);
    let freezes = scopes().into_iter().map(|scope| FreezeView { freeze: Digest::ZERO, scope });
    check::<FreezeView>(&freezes.collect::<Vec<_>>());
    check::<DelegationView>(&delegation_views());
    check::<AddressView>(&[AddressView { account: account(), listed_at: Timestamp::ZERO }]);
    check::<AlertView>(&alert_views());
    check::<CosignerView>(&[cosigner_view()]);
    check::<CredentialView>(&credential_views());
    check::<WalletView>(&[wallet_view()]);
    check::<StatusView>(&[status()]);
}

#[test]
fn a_field_that_a_shape_lacks_and_one_that_only_a_shape_has_are_both_seen() {
    let schema = json!({ "type": "object", "additionalProperties": false, "properties": {
        "a": { "type": "string" }, "b": { "enum": ["x", "y"] },
    } });
    let seen = |values: &[Value]| {
        let mut found = Vec::new();
        unshown(&schema, values, "It", &mut found);
        found
    };
    assert_eq!(seen(&[json!({ "a": "", "b": "x" }), json!({ "b": "y" })]), [""; 0]);
    assert_eq!(seen(&[json!({ "a": "", "b": "x" })]), ["It.b = \"y\""]);
    assert_eq!(seen(&[json!({ "b": "x" }), json!({ "b": "y" })]), ["It.a"]);
    assert!(!jsonschema::is_valid(&schema, &json!({ "c": 1 })));
}
