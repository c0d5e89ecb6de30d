//! What is struck out is gone, everywhere.

use proptest::prelude::*;
use quorate_terms::canonical;

use super::*;

fn report() -> Value {
    json!({
        "entity": "Brickmere",
        "findings": { "1.1": { "statement": "We saw the plates." }, "1.2": { "statement": "As said." } },
        "exhibits": {
            "INTERVIEW_1": { "name": "Greta Holm", "place": "Box 114", "minutes": 45, "topics": ["plates", "drills"] },
            "INTERVIEW_2": { "name": "Noor Idris", "place": "by call", "minutes": 30, "topics": ["access"] },
        },
    })
}

fn wish(at: &str, commit: bool) -> Wish {
    Wish { at: at.to_owned(), commit, why: "personal".to_owned() }
}

fn salts() -> impl FnMut() -> [u8; 16] {
    let mut next = 0_u8;
    move || {
        next = next.wrapping_add(1);
        [next; 16]
    }
}

fn scan(copy: &Value, secret: &str) -> bool {
    let bytes = canonical::to_bytes(copy, "copy").unwrap();
    String::from_utf8(bytes).unwrap().to_lowercase().contains(&secret.to_lowercase())
}

#[test]
fn nothing_that_is_struck_out_stands_in_the_bytes_of_the_copy() {
    let wishes = [wish("/exhibits/*/name", true), wish("/exhibits/*/place", false)];
    let made = redact(&report(), &wishes, &Openings::new(), &mut salts()).unwrap();
    for secret in ["Greta", "Holm", "Noor", "Idris", "Box 114", "by call"] {
        assert!(!scan(&made.copy, secret), "{secret}");
    }
    assert!(scan(&made.copy, "We saw the plates."), "the rest stays");
    assert_eq!((made.strokes.len(), made.openings.len()), (4, 2));
    assert_eq!(apply(&report(), &made.strokes).unwrap(), made.copy, "anyone makes the same copy");
}

#[test]
fn a_commitment_opens_to_the_value_and_hides_it_by_its_salt() {
    let of = |salt: u8| {
        redact(&report(), &[wish("/entity", true)], &Openings::new(), &mut || [salt; 16]).unwrap()
    };
    let (one, other) = (of(1), of(2));
    assert_ne!(one.copy, other.copy, "equal values under other salts look different");
    assert_eq!(one.openings[0].value, "Brickmere");
    assert_eq!(Some(one.openings[0].commitment().unwrap()), one.strokes[0].commitment);
}

#[test]
fn a_value_that_stands_elsewhere_is_a_leak_and_the_message_does_not_repeat_it() {
    let check = |statement: &str, leaks: bool| {
        let mut report = report();
        report["findings"]["1.1"]["statement"] = json!(statement);
        let made =
            redact(&report, &[wish("/exhibits/*/name", false)], &Openings::new(), &mut salts());
        assert_eq!(made.is_err(), leaks, "{statement}");
        if let Err(error) = made {
            let told = error.to_string();
            assert!(told.contains("/findings/1.1/statement") && !told.contains("Holm"), "{told}");
        }
    };
    check("Greta Holm said so.", true);
    check("GRETA   holm said so.", true);
    check("The custodian said so.", false);
}

#[test]
fn a_value_that_is_a_key_elsewhere_is_a_leak() {
    let mut report = report();
    report["holders"] = json!({ "Greta Holm": 1 });
    assert!(
        redact(&report, &[wish("/exhibits/*/name", false)], &Openings::new(), &mut salts())
            .is_err()
    );
}

#[test]
fn numbers_and_lists_of_texts_are_struck_out_whole() {
    let wishes = [wish("/exhibits/*/minutes", false), wish("/exhibits/*/topics", true)];
    let mut report = report();
    report["findings"]["1.1"]["statement"] = json!("It is so.");
    let made = redact(&report, &wishes, &Openings::new(), &mut salts()).unwrap();
    assert!(!scan(&made.copy, "drills") && !scan(&made.copy, "45"));
}

#[test]
fn a_wish_that_finds_nothing_or_a_whole_table_is_refused() {
    for at in ["/nothing", "entity", "", "/exhibits", "/exhibits/INTERVIEW_1", "/findings/*"] {
        assert!(
            redact(&report(), &[wish(at, false)], &Openings::new(), &mut salts()).is_err(),
            "{at}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_is_struck_out_is_not_found_in_the_copy(
        secret in "[a-zA-Z0-9 ]{1,12}", other in "[a-zA-Z0-9 ]{0,20}", commit in any::<bool>(),
    ) {
        let report = json!({ "a": secret, "b": other, "c": ["keep"] });
        if let Ok(made) = redact(&report, &[Wish { at: "/a".to_owned(), commit, why: "x".to_owned() }], &Openings::new(), &mut salts()) {
            let needle = even(&secret);
            if needle.chars().count() > 3 {
                prop_assert!(!even(made.copy["b"].as_str().unwrap()).contains(&needle));
            }
            prop_assert!(made.copy["a"].get("redacted").is_some());
        }
    }

    #[test]
    fn pointers_from_outside_never_panic(at in "[/*~a-z0-9]{0,20}") {
        let _ = redact(&report(), &[wish(&at, true)], &Openings::new(), &mut salts());
        let _ = places(&report(), &at);
    }
}
