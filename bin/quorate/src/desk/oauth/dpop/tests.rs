use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{NOW_S, Server, b64};
use super::*;

const URL: &str = "https://desk.example/api/v1/me";
const TOKEN: &str = "header.claims.signature";
/// What RFC 9449 shows in figures 12 and 13: a token, its proof for a resource, and the thumbprint of the key.
const EXAMPLE: (&str, &str, &str) = (
    "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
    concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.",
        "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.",
        "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
    ),
    "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
);

/// The public half of a key, and nothing of how it is used.
pub(in crate::desk::oauth) fn public(server: &Server, name: &str) -> Value {
    let set = server.jwks();
    let keys = set["keys"].as_array().unwrap();
    let mut key = keys.iter().find(|key| key["kid"] == json!(name)).unwrap().clone();
    for name in ["kid", "use", "alg"] {
        key.as_object_mut().unwrap().remove(name);
    }
    key
}

/// The thumbprint of a key.
pub(in crate::desk::oauth) fn print(key: &Value) -> String {
    signature::install();
    let key: Jwk = serde_json::from_value(key.clone()).unwrap();
    key.thumbprint(ThumbprintHash::SHA256).unwrap()
}

fn put(into: &mut Value, name: &str, value: &Value) {
    match value {
        Value::Null => drop(into.as_object_mut().unwrap().remove(name)),
        value => into[name] = value.clone(),
    }
}

/// A proof by the server's key for elliptic curves, with changes: `header.` and `jwk.` change the header and its key.
pub(in crate::desk::oauth) fn made(
    server: &Server,
    token: &str,
    changes: &[(&str, Value)],
) -> String {
    let ath = b64(Digest::sha256(token.as_bytes()).as_bytes());
    let mut header = json!({ "typ": KIND, "alg": "ES256", "jwk": public(server, "ec") });
    let mut claims = json!({ "jti": "1", "htm": "GET", "htu": URL, "iat": NOW_S, "ath": ath });
    for (name, value) in changes {
        match (name.strip_prefix("header."), name.strip_prefix("jwk.")) {
            (Some(name), _) => put(&mut header, name, value),
            (None, Some(name)) => put(&mut header["jwk"], name, value),
            (None, None) => put(&mut claims, name, value),
        }
    }
    server.signed(&header, &claims)
}

fn held(text: &str, thumbprint: &str) -> Result<(), Bad> {
    let proof = Proof { text, method: "GET", url: URL };
    check(&proof, TOKEN, thumbprint, NOW_S).map(drop)
}

fn changed(changes: &[(&str, Value)], expected: Result<(), Bad>) {
    let server = Server::new(1);
    let text = made(&server, TOKEN, changes);
    assert_eq!(held(&text, &print(&public(&server, "ec"))), expected, "{changes:?}");
}

#[test]
fn the_proof_that_the_standard_shows_holds_for_its_request_and_no_other() {
    let (token, text, thumbprint) = EXAMPLE;
    let url = "https://resource.example.org/protectedresource";
    let proof = Proof { text, method: "GET", url };
    let made_s = 1_562_262_618;
    let proven = check(&proof, token, thumbprint, made_s).unwrap();
    assert_eq!(proven, Proven { name: Digest::sha256(b"e1j3V_bKic8-LAEB"), made_s });
    let later = check(&proof, token, thumbprint, NOW_S);
    assert_eq!(later, Err(Bad::Old));
    let posted = Proof { method: "POST", ..proof };
    assert_eq!(check(&posted, token, thumbprint, made_s), Err(Bad::Method));
    assert_eq!(check(&proof, "another", thumbprint, made_s), Err(Bad::Token));
    assert_eq!(check(&proof, token, "another", made_s), Err(Bad::Other));
}

#[test]
fn the_thumbprint_is_the_one_of_the_standard() {
    // RFC 7638 section 3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let key = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
    assert_eq!(print(&key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn a_proof_says_for_which_request_token_and_moment_it_was_made() {
    for (name, value, expected) in [
        ("jti", json!("any"), Ok(())),
        ("jti", json!(""), Err(Bad::Form)),
        ("jti", json!(7), Err(Bad::Form)),
        ("jti", Value::Null, Err(Bad::Form)),
        ("htm", json!("POST"), Err(Bad::Method)),
        ("htm", json!("get"), Err(Bad::Method)),
        ("htm", Value::Null, Err(Bad::Form)),
        ("htu", json!("HTTPS://Desk.Example:443/api/v1/me"), Ok(())),
        ("htu", json!("https://desk.example/api/v1/me?x=1#y"), Ok(())),
        ("htu", json!("http://desk.example/api/v1/me"), Err(Bad::Place)),
        ("htu", json!("https://desk.example:8443/api/v1/me"), Err(Bad::Place)),
        ("htu", json!("https://evil.example/api/v1/me"), Err(Bad::Place)),
        ("htu", json!("https://ann@desk.example/api/v1/me"), Err(Bad::Place)),
        ("htu", json!("https://desk.example/api/v1/me/"), Err(Bad::Place)),
        ("htu", json!("https://desk.example/mcp"), Err(Bad::Place)),
        ("htu", json!("/api/v1/me"), Err(Bad::Place)),
        ("htu", json!([URL]), Err(Bad::Form)),
        ("htu", Value::Null, Err(Bad::Form)),
        ("ath", json!(b64([0; 32])), Err(Bad::Token)),
        ("ath", json!(""), Err(Bad::Token)),
        ("ath", Value::Null, Err(Bad::Form)),
        ("iat", json!(NOW_S - 60), Ok(())),
        ("iat", json!(NOW_S - 61), Err(Bad::Old)),
        ("iat", json!(0), Err(Bad::Old)),
        ("iat", json!(NOW_S + 5), Ok(())),
        ("iat", json!(NOW_S + 6), Err(Bad::Early)),
        ("iat", json!(u64::MAX), Err(Bad::Early)),
        ("iat", json!(-1), Err(Bad::Form)),
        ("iat", json!("1800000000"), Err(Bad::Form)),
        ("iat", Value::Null, Err(Bad::Form)),
    ] {
        changed(&[(name, value)], expected);
    }
}

#[test]
fn a_proofs_header_is_of_its_type_and_holds_a_public_key_that_signs_so() {
    for (name, value, expected) in [
        ("header.typ", json!("JWT"), Err(Bad::Type)),
        ("header.typ", json!("at+jwt"), Err(Bad::Type)),
        ("header.typ", Value::Null, Err(Bad::Type)),
        ("header.crit", json!(["exp"]), Err(Bad::Form)),
        ("header.zip", json!("DEF"), Err(Bad::Form)),
        ("header.alg", json!("none"), Err(Bad::Form)),
        ("header.alg", json!("HS256"), Err(Bad::Algorithm)),
        ("header.alg", json!("ES384"), Err(Bad::Algorithm)),
        ("header.alg", json!("EdDSA"), Err(Bad::Key)),
        ("header.alg", json!("RS256"), Err(Bad::Key)),
        ("header.jwk", Value::Null, Err(Bad::Key)),
        ("header.jwk", json!({}), Err(Bad::Key)),
        ("header.jwk", json!("x"), Err(Bad::Form)),
        ("header.jwk", json!({ "kty": "oct", "k": b64([7; 32]) }), Err(Bad::Private)),
        ("header.kid", json!("ec"), Ok(())),
        ("jwk.d", json!(b64([7; 32])), Err(Bad::Private)),
        ("jwk.k", json!(b64([7; 32])), Err(Bad::Private)),
        ("jwk.p", json!("AA"), Err(Bad::Private)),
        ("jwk.oth", json!([]), Err(Bad::Private)),
        ("jwk.what", json!("is this"), Err(Bad::Private)),
        ("jwk.ext", json!(true), Ok(())),
        ("jwk.key_ops", json!(["verify"]), Ok(())),
        ("jwk.kid", json!("mine"), Ok(())),
        ("jwk.use", json!("sig"), Ok(())),
        ("jwk.use", json!("enc"), Err(Bad::Key)),
        ("jwk.alg", json!("ES256"), Ok(())),
        ("jwk.alg", json!("ES384"), Err(Bad::Key)),
        ("jwk.crv", json!("P-384"), Err(Bad::Key)),
        ("jwk.crv", json!("Ed25519"), Err(Bad::Key)),
        ("jwk.kty", json!("oct"), Err(Bad::Key)),
        ("jwk.x", json!("not base64!"), Err(Bad::Key)),
        ("jwk.y", Value::Null, Err(Bad::Key)),
    ] {
        changed(&[(name, value)], expected);
    }
}

#[test]
fn only_the_key_that_the_token_is_bound_to_proves_and_only_what_it_signed() {
    let (ours, theirs) = (Server::new(1), Server::new(2));
    let thumbprint = print(&public(&ours, "ec"));
    let another = made(&theirs, TOKEN, &[]);
    assert_eq!(held(&another, &print(&public(&theirs, "ec"))), Ok(()));
    assert_eq!(held(&another, &thumbprint), Err(Bad::Other));
    let forged = made(&theirs, TOKEN, &[("header.jwk", public(&ours, "ec"))]);
    assert_eq!(held(&forged, &thumbprint), Err(Bad::Signature));
    let (good, posted) = (made(&ours, TOKEN, &[]), made(&ours, TOKEN, &[("jti", json!("2"))]));
    assert_eq!(held(&good, &thumbprint), Ok(()));
    let (parts, others) = (good.split('.').collect::<Vec<_>>(), posted.split('.').nth(1).unwrap());
    let swapped = format!("{}.{others}.{}", parts[0], parts[2]);
    assert_eq!(held(&swapped, &thumbprint), Err(Bad::Signature));
    for cut in ["", ".", "..", "a.b.c", parts[0], &format!("{}.{}", parts[0], parts[1])] {
        assert_eq!(held(cut, &thumbprint), Err(Bad::Form), "{cut}");
    }
}

#[test]
fn each_algorithm_that_is_taken_proves_its_own_key() {
    let server = Server::new(1);
    for (alg, name) in [("RS256", "rsa"), ("PS256", "rsa"), ("ES256", "ec"), ("EdDSA", "ed")] {
        let key = public(&server, name);
        let thumbprint = print(&key);
        let text = made(&server, TOKEN, &[("header.alg", json!(alg)), ("header.jwk", key)]);
        assert_eq!(held(&text, &thumbprint), Ok(()), "{alg}");
        let (message, signature) = text.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[40] ^= 1;
        let broken = format!("{message}.{}", b64(bytes));
        assert_eq!(held(&broken, &thumbprint), Err(Bad::Signature), "{alg}");
    }
    let named = signature::NAMES.map(|name| name.parse::<Algorithm>().unwrap());
    assert_eq!(named, signature::ALLOWED);
}

#[test]
fn a_refusal_says_what_to_do_and_a_full_memory_when_to_ask_again() {
    for bad in [Bad::Form, Bad::Private, Bad::Other, Bad::Old, Bad::Shown] {
        assert_eq!(bad.complaint().code, Code::ProofInvalid);
    }
    let full = Bad::Full.complaint();
    assert_eq!((full.code, full.retry_after), (Code::RateLimited, Some(AGE_S)));
}

proptest! {
    #[test]
    fn reading_a_proof_never_panics(
        text in "\\PC{0,64}",
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        fields in proptest::collection::btree_map("(alg|typ|jwk|crit|jti|htm|htu|iat|ath)", "\\PC{0,8}", 0..6),
        key in proptest::collection::btree_map("(kty|crv|x|y|n|e|d|k|use|alg)", "(EC|RSA|OKP|oct|P-256|Ed25519|\\PC{0,8})", 0..6),
        url in "\\PC{0,32}",
    ) {
        let fields: BTreeMap<String, String> = fields;
        let key: BTreeMap<String, String> = key;
        let part = b64(serde_json::to_string(&fields).unwrap());
        let header = b64(json!({ "typ": KIND, "alg": "ES256", "jwk": key }).to_string());
        for text in [
            text.clone(),
            format!("{part}.{part}.{part}"),
            format!("{header}.{part}.{}", b64(&bytes)),
            format!("{}.{}.{}", b64(&bytes), b64(&bytes), b64(&bytes)),
        ] {
            let proof = Proof { text: &text, method: "GET", url: &url };
            prop_assert!(check(&proof, TOKEN, "", NOW_S).is_err());
            let _ = is_public(&text);
        }
        prop_assert!(!is_same(&text, "https://desk.example/api/v1/me"));
        let _ = is_same(&text, &url);
    }
}
