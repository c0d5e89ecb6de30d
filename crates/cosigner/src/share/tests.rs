use proptest::prelude::*;

use super::*;
use crate::dkls23::Dkls23;
use crate::fixture::{sealed, shares};

fn open(bytes: &[u8], wallet: &str, epoch: u64, party: u8) -> Result<KeyShare, Malformed> {
    let wallet = WalletId::new(wallet).unwrap();
    RawKeyShare::decode(bytes)?.validate(&Dkls23, &Expected { wallet: &wallet, epoch, party })
}

#[test]
fn a_share_comes_back_as_it_was_put_away() {
    let bytes = &sealed()[&1];
    let share = open(bytes, "wallet", 0, 1).unwrap();
    assert_eq!(*share.encode().unwrap(), *bytes);
    assert!(bytes.len() < 64 * 1024, "{}", bytes.len());
}

#[test]
fn row_12_a_share_of_another_wallet_epoch_or_party_is_refused() {
    let bytes = &sealed()[&1];
    for (wallet, epoch, party) in
        [("other", 0, 1), ("wallet", 1, 1), ("wallet", 0, 2), ("wallet", 0, 0)]
    {
        assert!(open(bytes, wallet, epoch, party).is_err(), "{wallet} {epoch} {party}");
    }
    let wallet = WalletId::new("wallet").unwrap();
    let other = WalletId::new("other").unwrap();
    let base = associated_data(&wallet, 0, 1).unwrap();
    for swapped in [(&other, 0, 1), (&wallet, 1, 1), (&wallet, 0, 2)] {
        assert_ne!(associated_data(swapped.0, swapped.1, swapped.2).unwrap(), base);
    }
    let text = String::from_utf8(base).unwrap();
    assert_eq!(text, "quorate/share/v1\n{\"epoch\":0,\"party\":1,\"wallet\":\"wallet\"}");
}

/// The share of party 1 with one thing changed in its facts or its secret part.
fn changed(facts: impl FnOnce(&mut ShareFacts), material: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut raw = RawKeyShare::decode(&sealed()[&1]).unwrap();
    facts(&mut raw.facts);
    material(&mut raw.material);
    let stored = Stored { v: 1, facts: raw.facts.clone(), material: &raw.material };
    encode_secret(&stored, SHARE_BYTES_MAX).unwrap().to_vec()
}

#[test]
fn a_share_whose_parts_do_not_belong_together_is_refused() {
    let two = RawKeyShare::decode(&sealed()[&2]).unwrap();
    let theirs = two.facts.public_shares[1];
    type Change = fn(&mut ShareFacts, WalletKey);
    let facts: [Change; 10] = [
        |f, k| f.public_key = k,
        |f, k| f.public_shares[0] = k,
        |f, _| f.public_shares.swap(0, 1),
        |f, _| f.public_shares[1] = f.public_key,
        |f, _| f.public_shares.truncate(1),
        |f, _| f.holders.truncate(1),
        |f, _| f.holders[1] = f.holders[0].clone(),
        |f, _| f.threshold = 3,
        |f, _| f.ceremony = Digest::ZERO,
        |f, _| f.scheme = SchemeName::Simulated,
    ];
    for (i, change) in facts.into_iter().enumerate() {
        let bytes = changed(|f| change(f, theirs), |_| {});
        assert!(open(&bytes, "wallet", 0, 1).is_err(), "change {i}");
    }
    assert!(open(&changed(|f| f.party = 0, |_| {}), "wallet", 0, 0).is_err());
    assert!(open(&changed(|_| {}, |m| *m = two.material.to_vec()), "wallet", 0, 1).is_err());
    assert!(open(&changed(|_| {}, |m| m.push(0)), "wallet", 0, 1).is_err());
    assert!(open(&changed(|_| {}, |_| {}), "wallet", 0, 1).is_ok(), "unchanged it opens");
}

#[test]
fn row_30_public_keys_off_the_curve_and_the_identity_are_refused() {
    assert!(WalletKey::from_bytes([0; 33]).is_err());
    assert!(WalletKey::from_bytes([2; 33]).is_ok() || WalletKey::from_bytes([3; 33]).is_err());
    let mut off = *shares()[&1].facts().public_key.as_bytes();
    off[0] = 4;
    assert!(WalletKey::from_bytes(off).is_err());
    let mut over = [255; 33];
    over[0] = 2;
    assert!(WalletKey::from_bytes(over).is_err(), "x above the field's prime");
    let key = shares()[&1].facts().public_key;
    assert_eq!(key.to_string().parse::<WalletKey>().unwrap(), key);
    assert!(key.to_string().to_uppercase().parse::<WalletKey>().is_err());
}

#[test]
fn oversize_cut_and_trailing_share_bytes_are_refused() {
    let bytes = &sealed()[&1];
    assert!(RawKeyShare::decode(&vec![0; SHARE_BYTES_MAX + 1]).is_err());
    for cut in [0, 1, 10, 200, bytes.len() / 2, bytes.len() - 1] {
        assert!(RawKeyShare::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut long = bytes.clone();
    long.push(0);
    assert!(RawKeyShare::decode(&long).is_err());
    let mut version = bytes.clone();
    version[0] = 2;
    assert!(RawKeyShare::decode(&version).is_err());
}

#[test]
fn printing_a_share_shows_none_of_its_bytes() {
    let share = shares().remove(&1).unwrap();
    let raw = RawKeyShare::decode(&sealed()[&1]).unwrap();
    let shown = format!("{share:?} {share:#?} {raw:?} {raw:#?}");
    assert!(shown.len() < 1000, "{shown}");
    let secret = share.material.encode().unwrap();
    for window in secret.windows(6).step_by(3) {
        let list = window.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        assert!(!shown.contains(&hex::encode(window)) && !shown.contains(&list));
    }
    let error = open(&sealed()[&1], "other", 0, 1).unwrap_err().to_string();
    assert!(error.len() < 120, "{error}");
}

#[test]
fn a_frozen_share_gives_its_secret_to_nobody() {
    struct Foreign;
    impl Material for Foreign {
        fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Bug> {
            Err(Bug::new("foreign"))
        }
    }
    let share = shares().remove(&1).unwrap();
    assert!(share.material::<Foreign>().is_err(), "another scheme's");
    share.freeze();
    assert!(share.is_frozen());
    let error = share.material::<Foreign>().err().unwrap().to_string();
    assert!(error.contains("frozen"), "{error}");
}

proptest! {
    #[test]
    fn no_share_parser_panics_on_arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&bytes, "wallet", 0, 1).is_err());
    }

    #[test]
    fn row_11_no_flipped_bit_makes_a_share_parser_panic(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = sealed()[&1].clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(share) = open(&bytes, "wallet", 0, 1) {
            prop_assert_eq!(share.facts().party, 1);
        }
    }
}
