mod doors;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use quorate_gateway::tokens::Proof;
use quorate_terms::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::dpop::tests::{made, print, public};
use super::*;

const ISSUER: &str = "https://as.example";
const HERE: &str = "https://desk.example/mcp";
pub(super) const NOW_S: u64 = 1_800_000_000;

/// A clock that stands.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW_S.saturating_mul(1000))
    }

    fn take_jumps(&self) -> Vec<quorate_host::clock::Jump> {
        Vec::new()
    }
}

/// An authorization server's keys, in memory.
pub(super) struct Server {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

/// A key that `ring` cannot draw; it signs in tests and nowhere else.
const RSA: &str = include_str!("../../../tests/keys/rsa.pem");

pub(super) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Server {
    pub(super) fn new(seed: u8) -> Self {
        let random = SystemRandom::new();
        let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).unwrap();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        Self {
            ed: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(how, pkcs8.as_ref(), &random).unwrap(),
            rsa: RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap(),
        }
    }

    pub(super) fn jwks(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let ed = b64(self.ed.public_key());
        let of: RsaPublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        let (n, e) = (b64(of.n), b64(of.e));
        json!({ "keys": [
            { "kty": "RSA", "kid": "rsa", "use": "sig", "n": n, "e": e },
            { "kty": "RSA", "kid": "rsa-ps", "alg": "PS256", "n": n, "e": e },
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "alg": "EdDSA", "x": ed },
            { "kty": "EC", "crv": "P-256", "kid": "ec", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
            { "kty": "oct", "kid": "shared", "alg": "HS256", "k": b64([7; 32]) },
            { "kty": "OKP", "crv": "Ed25519", "kid": "other-use", "use": "enc", "x": ed },
            { "kty": "new", "kid": "later" },
        ] })
    }

    fn by_rsa(&self, how: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(how, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }

    pub(super) fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = match header["alg"].as_str() {
            Some("ES256") => {
                self.ec.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Some("HS256") => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
                ring::hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
            Some("RS256") => self.by_rsa(&RSA_PKCS1_SHA256, &message),
            Some("PS256") => self.by_rsa(&RSA_PSS_SHA256, &message),
            Some("none") => Vec::new(),
            _ => self.ed.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", b64(signature))
    }
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "ed" })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "bot", "aud": HERE, "client_id": "bot", "jti": "1",
        "iat": NOW_S, "exp": NOW_S + 600, "scope": "read sign",
    })
}

async fn oauth(server: &Server) -> Oauth {
    oauth_that(server, false).await
}

async fn oauth_that(server: &Server, demand_dpop: bool) -> Oauth {
    let room = tempfile::tempdir().unwrap();
    let keys = Some(room.path().join("keys.json"));
    std::fs::write(keys.as_ref().unwrap(), server.jwks().to_string()).unwrap();
    let config = OauthConfig { issuer: ISSUER.into(), keys, public_url: None, demand_dpop };
    let oauth = Oauth::start(&config, Path::to_path_buf, Arc::new(Stopped)).await.unwrap();
    // It runs for a while already.
    Oauth { seen: dpop::Seen::since(NOW_S - 60), ..oauth }
}

async fn check(changes: &[(&str, Value)], expected: Result<(), No>) {
    let server = Server::new(1);
    let (mut header, mut claims) = (header(), claims());
    for (name, value) in changes {
        match name.strip_prefix("header.") {
            Some(name) => header[name] = value.clone(),
            None if value.is_null() => drop(claims.as_object_mut().unwrap().remove(*name)),
            None => claims[*name] = value.clone(),
        }
    }
    let token = server.signed(&header, &claims);
    let read = oauth(&server).await.checked(&token, HERE, How::Bearer).await;
    assert_eq!(read.map(drop), expected, "{changes:?}");
}

#[tokio::test]
async fn a_token_of_the_server_for_this_door_says_who_and_how_far() {
    let server = Server::new(1);
    let read = oauth(&server)
        .await
        .read(&server.signed(&header(), &claims()), HERE, How::Bearer)
        .await
        .unwrap();
    assert_eq!(read.subject, subject_digest(ISSUER, "bot").unwrap());
    assert_eq!(read.scopes, ["read", "sign"].map(str::to_owned).into());
    assert_eq!(read.lasts, Duration::from_secs(600 + LEEWAY_S));
    check(&[("aud", json!([HERE]))], Ok(())).await;
    check(&[("header.typ", json!("application/AT+JWT"))], Ok(())).await;
    check(&[("header.alg", json!("ES256")), ("header.kid", json!("ec"))], Ok(())).await;
    check(&[("exp", json!(NOW_S - 29)), ("iat", json!(NOW_S - 600))], Ok(())).await;
    check(&[("scope", Value::Null)], Ok(())).await;
}

#[tokio::test]
async fn a_token_for_elsewhere_of_somebody_else_or_of_another_time_is_refused() {
    for (name, value, no) in [
        ("aud", json!("https://desk.example/api/v1"), No::Audience),
        ("aud", json!("https://desk.example/mcp/"), No::Audience),
        ("aud", json!([HERE, "https://other.example"]), No::Audience),
        ("aud", json!([]), No::Audience),
        ("aud", Value::Null, No::Form),
        ("iss", json!("https://as.example/"), No::Issuer),
        ("iss", json!("https://evil.example"), No::Issuer),
        ("iss", json!([ISSUER, "https://evil.example"]), No::Form),
        ("iss", Value::Null, No::Form),
        ("sub", Value::Null, No::Form),
        ("sub", json!(""), No::Form),
        ("exp", json!(NOW_S - 30), No::Expired),
        ("exp", json!(0), No::Expired),
        ("exp", json!(-1), No::Form),
        ("exp", json!("1800000600"), No::Form),
        ("exp", Value::Null, No::Form),
        ("exp", json!(NOW_S + 86_401), No::Long),
        ("nbf", json!(NOW_S + 31), No::Early),
        ("iat", json!(NOW_S + 31), No::Early),
        ("iat", Value::Null, No::Form),
        ("jti", Value::Null, No::Form),
        ("client_id", Value::Null, No::Form),
        ("cnf", json!({ "jkt": "x" }), No::Bare),
        ("cnf", json!({ "x5t#S256": "x" }), No::Bound),
        ("cnf", json!({ "jkt": "x", "x5t#S256": "x" }), No::Bound),
        ("cnf", json!({ "jkt": 7 }), No::Bound),
        ("cnf", json!({}), No::Bound),
        ("cnf", json!("x"), No::Bound),
        ("header.typ", json!("JWT"), No::Type),
        ("header.typ", Value::Null, No::Type),
        ("header.kid", json!("nobody"), No::Key),
        ("header.kid", Value::Null, No::Key),
        ("header.kid", json!("later"), No::Key),
        ("header.kid", json!("other-use"), No::Key),
        ("header.crit", json!(["exp"]), No::Form),
    ] {
        check(&[(name, value)], Err(no)).await;
    }
}

/// The claims of a token that is bound to a key.
fn bound_to(key: &Value) -> Value {
    let mut claims = claims();
    claims["cnf"] = json!({ "jkt": print(key) });
    claims
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_opens_with_a_proof_of_it_and_each_proof_once() {
    let server = Server::new(1);
    let oauth = oauth(&server).await;
    let token = server.signed(&header(), &bound_to(&public(&server, "ec")));
    let shown = async |token: &str, text: &str| {
        let proof = Proof { text, method: "GET", url: HERE };
        oauth.read(token, HERE, How::Proved(proof)).await
    };
    let text = made(&server, &token, &[("htu", json!(HERE))]);
    let proven = shown(&token, &text).await.unwrap().proof.unwrap();
    let subject = subject_digest(ISSUER, "bot").unwrap();
    assert!(oauth.spend(subject, proven).is_ok());
    let again = shown(&token, &text).await.unwrap().proof.unwrap();
    assert_eq!(oauth.spend(subject, again).unwrap_err().code, Code::ProofInvalid);
    // A proof for another token, or by another key, is none for this one.
    let other = server.signed(&header(), &bound_to(&public(&server, "ed")));
    assert_eq!(shown(&other, &text).await.unwrap_err().code, Code::ProofInvalid);
    let by_other = made(&server, &other, &[("htu", json!(HERE))]);
    assert_eq!(shown(&other, &by_other).await.unwrap_err().code, Code::ProofInvalid);
    // As a bearer's it opens nothing, and a token that no key is bound to takes no proof.
    assert_eq!(oauth.checked(&token, HERE, How::Bearer).await.unwrap_err(), No::Bare);
    let loose = server.signed(&header(), &claims());
    let text = made(&server, &loose, &[("htu", json!(HERE))]);
    let how = How::Proved(Proof { text: &text, method: "GET", url: HERE });
    assert_eq!(oauth.checked(&loose, HERE, how).await.unwrap_err(), No::Keyless);
}

#[tokio::test]
async fn where_keys_are_demanded_a_token_without_one_opens_nothing() {
    let server = Server::new(1);
    let oauth = oauth_that(&server, true).await;
    assert!(oauth.demands_proof());
    let loose = server.signed(&header(), &claims());
    let text = made(&server, &loose, &[("htu", json!(HERE))]);
    let how = How::Proved(Proof { text: &text, method: "GET", url: HERE });
    for how in [How::Bearer, how] {
        assert_eq!(oauth.checked(&loose, HERE, how).await.unwrap_err(), No::Unbound);
    }
    let token = server.signed(&header(), &bound_to(&public(&server, "ec")));
    let text = made(&server, &token, &[("htu", json!(HERE))]);
    let how = How::Proved(Proof { text: &text, method: "GET", url: HERE });
    assert!(oauth.checked(&token, HERE, how).await.is_ok());
}

#[tokio::test]
async fn whoever_signs_in_another_way_than_the_keys_own_is_refused() {
    let other = |alg: &str, kid: &str| [("header.alg", json!(alg)), ("header.kid", json!(kid))];
    for (alg, kid, no) in [
        ("HS256", "shared", No::Algorithm),
        ("HS256", "ed", No::Algorithm),
        ("none", "ed", No::Form),
        ("RS256", "ed", No::Algorithm),
        ("ES256", "ed", No::Algorithm),
        ("EdDSA", "ec", No::Algorithm),
        ("PS256", "ec", No::Algorithm),
        ("ES384", "ec", No::Algorithm),
        ("EdDSA", "shared", No::Key),
        ("ES256", "rsa", No::Algorithm),
        ("RS256", "rsa-ps", No::Algorithm),
    ] {
        check(&other(alg, kid), Err(no)).await;
    }
}

#[tokio::test]
async fn each_algorithm_that_is_taken_holds_under_its_own_key_and_breaks_with_one_bit() {
    let server = Server::new(1);
    let oauth = oauth(&server).await;
    for (alg, kid) in
        [("RS256", "rsa"), ("PS256", "rsa"), ("PS256", "rsa-ps"), ("ES256", "ec"), ("EdDSA", "ed")]
    {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        let token = server.signed(&header, &claims());
        assert!(oauth.checked(&token, HERE, How::Bearer).await.is_ok(), "{alg} {kid}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[40] ^= 1;
        let broken = format!("{message}.{}", b64(bytes));
        assert_eq!(
            oauth.checked(&broken, HERE, How::Bearer).await.unwrap_err(),
            No::Signature,
            "{alg}"
        );
    }
    // The two of RSA are not each other's.
    let claims = claims();
    let by_other = |alg: &str, how: &'static dyn RsaEncoding| {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": "rsa" });
        let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        format!("{message}.{}", b64(server.by_rsa(how, &message)))
    };
    for token in [by_other("RS256", &RSA_PSS_SHA256), by_other("PS256", &RSA_PKCS1_SHA256)] {
        assert_eq!(oauth.checked(&token, HERE, How::Bearer).await.unwrap_err(), No::Signature);
    }
}

#[tokio::test]
async fn a_token_that_was_changed_or_signed_by_another_is_refused() {
    let (server, other) = (Server::new(1), Server::new(2));
    let oauth = oauth(&server).await;
    let forged = other.signed(&header(), &claims());
    assert_eq!(oauth.checked(&forged, HERE, How::Bearer).await.unwrap_err(), No::Signature);
    let token = server.signed(&header(), &claims());
    let parts: Vec<&str> = token.split('.').collect();
    let mut more = claims();
    more["scope"] = json!("broadcast");
    let swapped = format!("{}.{}.{}", parts[0], b64(more.to_string()), parts[2]);
    assert_eq!(oauth.checked(&swapped, HERE, How::Bearer).await.unwrap_err(), No::Signature);
    let twice = r#"{"iss":"https://as.example","iss":"https://as.example","sub":"bot"}"#;
    let message = format!("{}.{}", parts[0], b64(twice));
    let signed = format!("{message}.{}", b64(server.ed.sign(message.as_bytes())));
    assert_eq!(oauth.checked(&signed, HERE, How::Bearer).await.unwrap_err(), No::Form);
    let short = token.strip_suffix(|_: char| true).unwrap();
    for cut in ["", ".", "..", "...", "a.b.c", short, parts[0]] {
        assert!(oauth.checked(cut, HERE, How::Bearer).await.is_err(), "{cut}");
    }
}

#[test]
fn a_refusal_is_of_one_kind_and_names_the_resource_to_ask_for() {
    let no = No::Audience.complaint(HERE);
    assert_eq!(no.code, Code::CredentialInvalid);
    assert!(no.message.contains(HERE), "{}", no.message);
    assert_eq!(No::Unavailable.complaint(HERE).code, Code::DeskUnavailable);
}

#[tokio::test]
async fn an_issuer_off_tls_and_files_without_a_key_stop_the_start() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("keys.json");
    for (issuer, keys) in [
        ("http://as.example", None),
        ("https://as.example?x=1", None),
        ("as.example", None),
        (ISSUER, Some("{}")),
        (ISSUER, Some(r#"{"keys":[]}"#)),
        (ISSUER, Some(r#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#)),
        (ISSUER, Some("not json")),
    ] {
        if let Some(keys) = keys {
            std::fs::write(&file, keys).unwrap();
        }
        let keys = keys.map(|_| file.clone());
        let issuer_given = issuer.into();
        let (public_url, demand_dpop) = (None, false);
        let config = OauthConfig { issuer: issuer_given, keys, public_url, demand_dpop };
        let started = Oauth::start(&config, Path::to_path_buf, Arc::new(Stopped)).await;
        assert!(started.is_err(), "{issuer}");
    }
}

#[test]
fn two_keys_of_one_name_are_no_set() {
    let key = Server::new(1).jwks()["keys"][0].clone();
    let twice = json!({ "keys": [key, key] }).to_string();
    assert!(keys::keys(twice.as_bytes()).is_err());
    let many: Vec<Value> = (0..33)
        .map(|n| {
            let mut one = key.clone();
            one["kid"] = json!(n.to_string());
            one
        })
        .collect();
    assert!(keys::keys(json!({ "keys": many }).to_string().as_bytes()).is_err());
}

proptest! {
    #[test]
    fn reading_a_token_or_a_set_of_keys_never_panics(
        text in "\\PC{0,64}",
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        fields in proptest::collection::btree_map("(alg|typ|kid|crit|iss|aud|exp|iat)", "\\PC{0,8}", 0..6),
    ) {
        let fields: BTreeMap<String, String> = fields;
        let part = b64(serde_json::to_string(&fields).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let oauth = oauth(&Server::new(1)).await;
            let good = b64(header().to_string());
            for token in [
                text.clone(),
                format!("{part}.{part}.{part}"),
                format!("{good}.{part}.{}", b64(&bytes)),
                format!("{}.{}.{}", b64(&bytes), b64(&bytes), b64(&bytes)),
            ] {
                prop_assert!(oauth.checked(&token, HERE, How::Bearer).await.is_err());
            }
            Ok(())
        })?;
        let _ = keys::keys(&bytes);
        let _ = keys::keys(text.as_bytes());
    }
}
