//! Passkeys: an assertion counts only for one digest, one page, one relying party, a verified holder and the seated key.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test stops at whatever surprises it"
)]

#[expect(dead_code, reason = "these tests need a part of it")]
mod authenticator;

use authenticator::{Authenticator, Said, view};
use proptest::prelude::*;
use quorate_terms::Digest;
use quorate_terms::passkey::{Assertion, Blob, PasskeyKey, ViewSeat};

fn digest() -> Digest {
    Digest::sha256(b"what is asked")
}

fn field(assertion: &Assertion, view: &ViewSeat, key: &PasskeyKey) -> String {
    let refused = assertion.check(view, key, &digest()).unwrap_err().to_string();
    refused.split('`').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn an_assertion_over_the_digest_at_the_view_by_the_seated_key_counts() {
    let (view, mut phone) = (view("home", 7800), Authenticator::new());
    let assertion = phone.asserts(&Said::at(&view, &digest()));
    assert_eq!(assertion.check(&view, &phone.key(), &digest()), Ok(1));
    let again = serde_json::to_string(&assertion).unwrap();
    assert_eq!(serde_json::from_str::<Assertion>(&again).unwrap(), assertion);
}

type Falsify = fn(&mut Said);

#[test]
fn whatever_browser_or_authenticator_say_otherwise_is_refused_and_named() {
    let falsified: [(&str, Falsify); 14] = [
        ("assertion.client_data.type", |said| said.kind = "webauthn.create".into()),
        ("assertion.client_data.type", |said| said.kind = "payment.get".into()),
        ("assertion.client_data.challenge", |said| said.challenge.push('A')),
        ("assertion.client_data.challenge", |said| said.challenge = "AAAA".into()),
        ("assertion.client_data.origin", |said| said.origin = "http://localhost:7801".into()),
        ("assertion.client_data.origin", |said| said.origin = "https://localhost:7800".into()),
        ("assertion.client_data.origin", |said| said.beside = r#","crossOrigin":true"#.into()),
        ("assertion.client_data.origin", |said| {
            said.beside = r#","topOrigin":"https://desk.example""#.into();
        }),
        ("assertion.client_data", |said| {
            said.beside = r#","origin":"http://localhost:7800""#.into()
        }),
        ("assertion.authenticator_data.rp_id_hash", |said| said.rp_id = "example.org".into()),
        ("assertion.authenticator_data.flags", |said| said.flags = 0x01),
        ("assertion.authenticator_data.flags", |said| said.flags = 0x04),
        ("assertion.authenticator_data.flags", |said| {
            (said.flags, said.tail) = (0x45, vec![0; 40]);
        }),
        ("assertion.authenticator_data", |said| said.tail = vec![0]),
    ];
    let (view, mut phone) = (view("home", 7800), Authenticator::new());
    for (at, (expected, falsify)) in falsified.into_iter().enumerate() {
        let mut said = Said::at(&view, &digest());
        falsify(&mut said);
        let assertion = phone.asserts(&said);
        assert_eq!(field(&assertion, &view, &phone.key()), expected, "row {at}");
    }
}

#[test]
fn extensions_are_allowed_where_the_flags_announce_them() {
    let (view, mut phone) = (view("home", 7800), Authenticator::new());
    let mut said = Said::at(&view, &digest());
    (said.flags, said.tail) = (0x85, vec![0xa0]);
    assert!(phone.asserts(&said).check(&view, &phone.key(), &digest()).is_ok());
    said.tail = vec![];
    assert_eq!(field(&phone.asserts(&said), &view, &phone.key()), "assertion.authenticator_data");
}

#[test]
fn another_key_and_a_mended_signature_are_refused() {
    let (view, mut phone, other) = (view("home", 7800), Authenticator::new(), Authenticator::new());
    let assertion = phone.asserts(&Said::at(&view, &digest()));
    assert_eq!(field(&assertion, &view, &other.key()), "assertion.signature");
    let mut off_curve = *phone.key().as_bytes();
    off_curve[40] ^= 1;
    let off_curve = PasskeyKey::from_bytes(off_curve).unwrap();
    assert_eq!(field(&assertion, &view, &off_curve), "assertion.signature");
}

#[test]
fn a_view_lives_at_a_secure_origin_under_its_relying_party() {
    for (origin, rp_id, sound) in [
        ("https://approve.example.org", "approve.example.org", true),
        ("https://approve.example.org:8443", "example.org", true),
        ("http://localhost:7800", "localhost", true),
        ("http://approve.example.org", "approve.example.org", false),
        ("http://localhost.example.org", "example.org", false),
        ("https://approve.example.org/", "approve.example.org", false),
        ("https://Approve.example.org", "approve.example.org", false),
        ("https://approve.example.org", "ample.org", false),
        ("https://approve.example.org", "", false),
        ("https://approve.example.org", "other.org", false),
        ("https://u@approve.example.org", "approve.example.org", false),
        ("https://", "", false),
    ] {
        let operator = "home ltd".to_owned();
        let (origin, rp_id) = (origin.to_owned(), rp_id.to_owned());
        let view = ViewSeat { origin, rp_id, operator, ..view("home", 7800) };
        assert_eq!(view.check().is_ok(), sound, "{view:?}");
    }
}

#[test]
fn a_view_is_local_where_its_name_is_this_machine_and_no_name_only_looks_so() {
    for (origin, local) in [
        ("http://localhost:7800", true),
        ("https://home.localhost", true),
        ("https://127.0.0.1:7800", true),
        ("https://127.example.org", false),
        ("https://127.0.0.1.example.org", false),
        ("https://notlocalhost", false),
        ("https://approve.example.org", false),
    ] {
        let view = ViewSeat { origin: origin.to_owned(), ..view("home", 7800) };
        assert_eq!(view.is_local(), local, "{origin}");
    }
}

#[test]
fn a_public_key_comes_back_from_its_text_and_from_what_browsers_give() {
    let key = Authenticator::new().key();
    assert_eq!(key.to_string().parse::<PasskeyKey>().unwrap(), key);
    let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let spki = [hex::decode(head).unwrap(), key.as_bytes().to_vec()].concat();
    assert_eq!(PasskeyKey::from_spki(&spki).unwrap(), key);
    assert!(PasskeyKey::from_spki(&spki[1..]).is_err());
    assert!(PasskeyKey::from_spki(&spki[..90]).is_err());
    for text in ["", "p256:", "ed25519:AAAA", "p256:AAAA", "p256:====", &key.to_string()[..90]] {
        assert!(text.parse::<PasskeyKey>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_from_outside_make_it_panic(
        data in prop::collection::vec(any::<u8>(), 0..200), client in prop::collection::vec(any::<u8>(), 0..300),
        signature in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let blob = |bytes: Vec<u8>| Blob::new(bytes).unwrap();
        let assertion = Assertion {
            authenticator_data: blob(data), client_data: blob(client), signature: blob(signature),
        };
        let key = PasskeyKey::from_bytes([4; 65]).unwrap();
        prop_assert!(assertion.check(&view("home", 7800), &key, &digest()).is_err());
        let _counter = assertion.counter();
    }

    #[test]
    fn every_changed_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8, part in 0usize..3) {
        let (view, mut phone) = (view("home", 7800), Authenticator::new());
        let mut assertion = phone.asserts(&Said::at(&view, &digest()));
        let parts = [&mut assertion.authenticator_data, &mut assertion.client_data, &mut assertion.signature];
        let blob = parts.into_iter().nth(part).unwrap();
        let mut bytes = blob.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        *blob = Blob::new(bytes).unwrap();
        prop_assert!(assertion.check(&view, &phone.key(), &digest()).is_err());
    }
}
