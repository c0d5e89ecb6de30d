//! Who must agree to administration.

use quorate_terms::commitment::Commitment;
use quorate_terms::credential::AgentCredential;
use quorate_terms::delegation::{Delegation, StandIn};
use quorate_terms::entry::RiskClass;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::{OpenWallet, OwnerKind, SchemeName, Tier};

use super::*;

fn acts() -> Vec<(&'static str, Action, &'static [&'static str])> {
    let credential = AgentCredential {
        credential: "c".parse().unwrap(),
        agent: "bot".parse().unwrap(),
        owner: "ann".parse().unwrap(),
        band: Band::Sign,
        wallets: BTreeSet::new(),
        role: None,
        token: Digest::ZERO,
        expires_at: at(NOON),
    };
    let wallet = OpenWallet {
        wallet: "w".parse().unwrap(),
        chains: BTreeSet::new(),
        scheme: SchemeName::Simulated,
        tier: Tier::Hot,
        purpose: "ops".into(),
    };
    let commitment: Commitment = serde_json::from_value(serde_json::json!(Digest::ZERO)).unwrap();
    let list = Action::ListAddress {
        account: SHOP.parse().unwrap(),
        beneficiary: commitment,
        owner_kind: OwnerKind::Own,
    };
    let unfreeze = Action::Unfreeze { scope: Scope::Vault, lifts: BTreeSet::new() };
    vec![
        ("cancel", Action::Cancel { case: case(1) }, &["allow"]),
        ("revoke", Action::RevokeCredential { credential: "c".parse().unwrap() }, &["allow"]),
        ("remove", Action::RemoveAddress { account: SHOP.parse().unwrap() }, &["allow"]),
        ("freeze", Action::Freeze { scope: Scope::Vault }, &["allow"]),
        ("open", Action::OpenWallet(wallet), &["require", "treasury"]),
        ("issue", Action::IssueCredential { credential }, &["require", "treasury"]),
        ("list", list, &["require", "treasury"]),
        (
            "delegate",
            Action::Delegate { delegation: Box::new(delegation()) },
            &["require", "governance"],
        ),
        ("end", Action::EndDelegation { delegation: "leave".parse().unwrap() }, &["allow"]),
        ("unfreeze", unfreeze, &["require", "governance"]),
        (
            "policy",
            Action::ChangePolicy { policy: Box::new(successor()) },
            &["require", "governance"],
        ),
    ]
}

fn delegation() -> Delegation {
    let key = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    Delegation {
        id: "leave".parse().unwrap(),
        seat: "ann".parse().unwrap(),
        stand_in: StandIn {
            person: "p-sam".parse().unwrap(),
            credential: "key-sam".parse().unwrap(),
            key: key.parse().unwrap(),
            link: key.parse().unwrap(),
            passkeys: Vec::new(),
        },
        from: at(NOON),
        until: at(NOON).plus_s(60),
        above: None,
    }
}

fn successor() -> PolicyDocument {
    PolicyDocument { version: 2, previous: Some(load(&document()).digest()), ..document() }
}

fn house(requester: Requester, action: Action) -> House {
    let mut house = House::new();
    house.intent = intent(requester, action);
    house
}

#[test]
fn people_administer_with_the_quorum_that_the_policy_or_the_charter_names() {
    for (name, action, said) in acts() {
        let house = house(person(), action);
        assert_eq!(house.says(), said, "{name}");
        let high = said[0] == "require";
        assert_eq!(house.judge().risk_class == RiskClass::High, high, "{name}");
        assert_eq!(house.judge().quorum_m, high.then_some(2), "{name}");
    }
}

#[test]
fn whoever_must_ask_people_at_views_of_several_parties_is_told_so() {
    let mut policy = document();
    policy.quorums[0].parties = Some(2);
    let mut house = house(person(), acts().remove(4).1);
    house.policy = load(&policy);
    let judgment = house.judge().judgment;
    let next = &judgment.reasons()[0].next;
    assert!(next.contains("with passkeys at views of 2 parties"), "{next}");
}

#[test]
fn agents_administer_nothing_and_cancel_only_their_own() {
    for (name, action, _) in acts() {
        let said = house(agent(), action.clone()).knowing(|f| f.own_case = true).says();
        let expected = if name == "cancel" { "allow" } else { "agents_do_not_administer" };
        assert_eq!(said, [expected], "{name}");
    }
    assert_eq!(house(agent(), Action::Cancel { case: case(1) }).says(), ["not_own_case"]);
}

#[test]
fn a_freeze_stops_what_loosens_but_not_what_tightens_or_mends() {
    for (name, action, said) in acts() {
        let frozen =
            house(person(), action).knowing(|f| f.frozen = Some("the vault".into())).says();
        let stopped = ["open", "issue", "list"].contains(&name);
        assert_eq!(frozen, if stopped { &["frozen"] } else { said }, "{name}");
    }
}

#[test]
fn another_vault_is_refused_for_every_kind() {
    for (name, action, _) in acts() {
        let mut house = house(person(), action);
        house.intent.vault = "other".parse().unwrap();
        assert_eq!(house.says(), ["wrong_vault"], "{name}");
    }
}

#[test]
fn a_policy_that_does_not_follow_or_does_not_load_is_never_put_to_a_vote() {
    let check = |change: fn(&mut PolicyDocument)| {
        let mut next = successor();
        change(&mut next);
        let house = house(person(), Action::ChangePolicy { policy: Box::new(next) });
        assert_eq!(house.says(), ["policy_malformed"]);
    };
    check(|p| p.version = 3);
    check(|p| p.quorums[0].parties = Some(0));
    check(|p| p.quorums[0].parties = Some(3));
    check(|p| p.version = 1);
    check(|p| p.previous = Some(Digest::ZERO));
    check(|p| p.vault = "other".parse().unwrap());
    check(|p| p.rules.push(rule("bad", "permit all;")));
    check(|p| p.rules = vec![rule("r", "x"); 10_001]);
}

#[test]
fn a_policy_cannot_lower_the_quorum_of_governance() {
    let mut next = successor();
    next.quorums.push(Quorum {
        name: "governance".parse().unwrap(),
        m: 1,
        members: governance().members,
        parties: None,
    });
    let house = house(person(), Action::ChangePolicy { policy: Box::new(next) });
    assert_eq!(
        house.judge().quorum_m,
        Some(2),
        "the charter's quorum counts, whatever a policy calls so"
    );
}
