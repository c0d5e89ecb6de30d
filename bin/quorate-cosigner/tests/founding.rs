//! Founding and starting: what is refused before anything is signed.
#![cfg(test)]

mod house;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use house::*;
use quorate_terms::canonical::Term;

#[test]
fn a_charter_of_another_digest_is_refused_and_the_operator_is_told_how_to_compare() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    let file = charter_file(&house.file("again.json"), &house.founding);
    let wrong = "0".repeat(64);
    let why = east.accept(&file, &wrong).unwrap_err();
    assert!(why.contains("aloud") && why.contains(&wrong), "{why}");
    let right = house.founding.digest().unwrap().to_string();
    assert_eq!(
        east.accept(&file, &right).unwrap()["charter"],
        right,
        "the same again is no change"
    );
}

#[test]
fn a_desk_that_founds_two_charters_founds_one() {
    let house = House::founded();
    let mut second = house.founding.clone();
    second.finality_depth += 1;
    let file = charter_file(&house.file("second.json"), &second);
    let digest = second.digest().unwrap().to_string();
    for cosigner in house.cosigners.values() {
        let why = cosigner.accept(&file, &digest).unwrap_err();
        assert!(why.contains("another charter"), "{why}");
        let kept = fs::read(cosigner.dir.join("charter.json")).unwrap();
        assert_eq!(kept, house.founding.to_canonical().unwrap());
    }
}

#[test]
fn row_61_a_charter_that_disagrees_with_a_pin_is_refused() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    let file = charter_file(&house.file("again.json"), &house.founding);
    let digest = house.founding.digest().unwrap().to_string();
    east.pair("west", "127.0.0.1:9", &public("mallory").to_string());
    let why = east.accept(&file, &digest).unwrap_err();
    assert!(why.contains("peer `west`") && why.contains("voice"), "{why}");
    let why = east.fails_to_start();
    assert!(why.contains("peer `west`"), "{why}");
    east.pair("west", "127.0.0.1:9", &house.cosigners["west"].seat.identity.to_string());
    east.told(&["pair", "--desk-identity", &public("mallory").to_string()]).unwrap();
    let why = east.accept(&file, &digest).unwrap_err();
    assert!(why.contains("desk"), "{why}");
}

#[test]
fn a_charter_that_seats_this_cosigner_under_another_key_is_refused() {
    let house = House::founded();
    let mut other = house.founding.clone();
    other.cosigners[0].witness = public("mallory");
    let file = charter_file(&house.file("other.json"), &other);
    let why =
        house.cosigners["east"].accept(&file, &other.digest().unwrap().to_string()).unwrap_err();
    assert!(why.contains("other keys than its own"), "{why}");
}

#[test]
fn a_directory_or_key_that_others_can_read_is_refused() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    for (path, open, closed) in
        [("", 0o755, 0o700), ("identity.key", 0o644, 0o600), ("shares", 0o755, 0o700)]
    {
        let path = east.dir.join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let why = east.fails_to_start();
        assert!(why.contains("is open to others") && why.contains("chmod"), "{why}");
        fs::set_permissions(&path, fs::Permissions::from_mode(closed)).unwrap();
    }
}

#[test]
fn an_unknown_setting_stops_the_start_with_its_line() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    let path = east.dir.join("cosigner.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("sparse = true\n{text}")).unwrap();
    let why = east.fails_to_start();
    assert!(why.contains("unknown field") && why.contains("cosigner.toml:1"), "{why}");
}

#[test]
fn a_second_init_overwrites_nothing() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    let why = east.told(&["init", "--cosigner", "east", "--operator", "x"]).unwrap_err();
    assert!(why.contains("identity.key"), "{why}");
    assert_eq!(east.told(&["pair", "--show"]).unwrap()["seat"]["operator"], "east ltd");
}

#[test]
fn every_command_answers_in_json_and_completions_come_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = program(&["completions", shell]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("quorate-cosigner"));
    }
    let house = House::founded();
    let status = house.cosigners["west"].status();
    assert_eq!(
        (&status["running"], &status["size"], &status["own"]),
        (&false.into(), &0.into(), &0.into())
    );
}
