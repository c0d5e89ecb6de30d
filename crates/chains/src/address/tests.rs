use proptest::prelude::*;

use super::*;
use crate::testing::{RECIPIENT, chain, public_key, recipient};

/// The test cases of EIP-55.
const EIP55: [&str; 8] = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];

#[test]
fn eip_55_test_cases_are_accepted_and_every_change_of_case_is_not() {
    for text in EIP55 {
        assert_eq!(checksummed(&parse(text).unwrap()), text);
        for at in 2..text.len() {
            let flip = |c: char| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            };
            let flipped: String =
                text.chars().enumerate().map(|(i, c)| if i == at { flip(c) } else { c }).collect();
            assert_eq!(parse(&flipped).is_ok(), flipped == text, "{flipped}");
        }
    }
}

#[test]
fn addresses_without_or_with_a_failing_checksum_are_refused_with_the_mend() {
    let lower = RECIPIENT.to_ascii_lowercase();
    let upper = format!("0x{}", RECIPIENT.get(2..).unwrap().to_ascii_uppercase());
    for unchecked in [&lower, &upper] {
        let error = parse(unchecked).unwrap_err();
        assert!(error.why().contains("no EIP-55"), "{error}");
        assert!(error.mend().contains(RECIPIENT), "the form to give is named: {error}");
    }
    let error = parse(&RECIPIENT.replace("fB", "fb")).unwrap_err();
    assert!(error.why().contains("fails"), "{error}");
    assert!(!error.mend().contains("0x"), "a mistyped address is not mended: {error}");
    let no_prefix = RECIPIENT.get(2..).unwrap();
    let upper_prefix = RECIPIENT.replace("0x", "0X");
    let spaced = format!(" {RECIPIENT}");
    for bad in ["", "0x", no_prefix, &upper_prefix, &spaced, "0x12", &format!("{RECIPIENT}0"), "é"]
    {
        assert!(parse(bad).is_err(), "{bad}");
    }
    assert!(parse("0x0000000000000000000000000000000000000001").is_ok(), "one form, no letters");
}

#[test]
fn accounts_are_read_on_their_own_chain_only() {
    let full = recipient().to_string();
    assert_eq!(parse_account(RECIPIENT, &chain()).unwrap(), recipient());
    assert_eq!(parse_account(&full, &chain()).unwrap(), recipient());
    for bad in [full.replace("31337", "1"), full.to_ascii_lowercase(), format!(":{RECIPIENT}")] {
        assert!(parse_account(&bad, &chain()).is_err(), "{bad}");
    }
    for chain in ["eip155:0", "eip155:18446744073709551616", "solana:1"] {
        assert!(parse_account(RECIPIENT, &chain.parse().unwrap()).is_err(), "{chain}");
    }
}

#[test]
fn assets_are_the_chains_coin_or_a_checksummed_token() {
    for (text, good) in [
        ("eip155:1/slip44:60", true),
        ("eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7", true),
        ("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", false),
        ("eip155:1/erc721:0xdAC17F958D2ee523a2206206994597C13D831ec7", false),
        ("eip155:56/slip44:714", false),
        ("solana:1/slip44:501", false),
        ("", false),
    ] {
        assert_eq!(parse_asset(text).is_ok(), good, "{text}");
    }
}

#[test]
fn an_account_is_the_hash_of_its_public_key() {
    // The private key of EIP-155's example, 0x46 repeated.
    let address = account(&"eip155:1".parse().unwrap(), &public_key()).unwrap();
    assert_eq!(address.address(), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
}

#[test]
fn row_30_keys_off_the_curve_and_the_identity_have_no_account() {
    let mut off_curve = [0; 33];
    off_curve[0] = 2;
    off_curve[32] = 5; // x = 5 has no y on secp256k1
    let mut wide = [0xff; 33];
    wide[0] = 3;
    let mut odd_prefix = public_key();
    odd_prefix[0] = 4;
    for bad in [[0; 33], off_curve, wide, odd_prefix] {
        let refusal = account(&chain(), &bad).unwrap_err();
        assert_eq!(refusal.code, Code::BadPublicKey, "{}", hex::encode(bad));
    }
}

fn check_look_alike(a: &str, b: &str, expected: bool) {
    let account = |text: &str| chain().account(text).unwrap();
    assert_eq!(look_alike(&account(a), &account(b)), expected, "{a} {b}");
    assert_eq!(look_alike(&account(b), &account(a)), expected, "{b} {a}");
}

#[test]
fn row_35_t22_look_alikes_are_told_from_the_same_and_from_others() {
    let own = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
    check_look_alike(own, "0xfb69000000000000000000000000000000005359", false);
    check_look_alike(own, "0xfb6900000000000000000000000000000000d359", true);
    check_look_alike(own, "0xFB6900000000000000000000000000000000D359", true);
    check_look_alike(own, "0xfb6800000000000000000000000000000000d359", false);
    check_look_alike(own, own, false);
    check_look_alike(own, &own.to_ascii_lowercase(), false);
    check_look_alike("0x", "0", false);
}

proptest! {
    #[test]
    fn parsing_never_panics_and_accepts_one_text_for_an_address(text in "\\PC{0,60}", bytes: [u8; 20]) {
        drop(parse_account(&text, &chain()));
        drop(parse_asset(&text));
        let written = checksummed(&bytes);
        prop_assert_eq!(parse(&written).unwrap(), bytes);
        prop_assert_eq!(parse(&text).is_ok(), hex::decode(text.get(2..).unwrap_or(""))
            .is_ok_and(|b| Address::try_from(b).is_ok_and(|b| checksummed(&b) == text)));
    }
}
