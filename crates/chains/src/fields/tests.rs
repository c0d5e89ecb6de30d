use proptest::prelude::*;
use secp256k1::PublicKey;

use super::*;
use crate::testing::{honest, honest_erc20, json, raw, vectors};

fn refused(bytes: &[u8], code: Code) {
    let refusal = read_unsigned(bytes).unwrap_err();
    assert_eq!(refusal.code, code, "{} {refusal}", hex::encode(bytes));
}

/// An honest EIP-1559 transaction with one item spoiled, by position.
fn spoiled(at: usize, with: &[u8]) -> Vec<u8> {
    let fields = honest();
    let max = fields.max_fee.to_be_bytes_trimmed_vec();
    let mut items: Vec<&[u8]> = vec![
        &[0x7a, 0x69],
        &[7],
        &[0x3b, 0x9a, 0xca, 0],
        &max,
        &[0x52, 0x08],
        &fields.to,
        &[5],
        &[],
    ];
    items[at] = with;
    raw(Some(EIP1559), &items, true)
}

#[test]
fn fields_come_back_from_the_bytes_they_were_written_to() {
    for fields in [honest(), honest_erc20()] {
        for mode in [FeeMode::Eip1559, FeeMode::Legacy] {
            let mut fields = Fields { mode, ..fields.clone() };
            if mode == FeeMode::Legacy {
                fields.priority_fee = fields.max_fee;
            }
            assert_eq!(read_unsigned(&fields.unsigned()).unwrap(), fields);
            for odd in [false, true] {
                let seal = Seal { odd, r: U256::from(9), s: U256::from(8) };
                let bytes = fields.signed(&seal).unwrap();
                assert_eq!(read_signed(&bytes).unwrap(), (fields.clone(), seal));
                refused(&bytes, Code::AlreadySigned);
            }
        }
    }
}

#[test]
fn integers_have_one_form_and_fit_their_field() {
    assert!(read_unsigned(&spoiled(1, &[7])).is_ok(), "the frame itself is honest");
    for (at, with, code) in [
        (1, &[0x00][..], Code::NonMinimalInteger),
        (1, &[0x00, 0x07], Code::NonMinimalInteger),
        (6, &[0x00, 0x05], Code::NonMinimalInteger),
        (3, &[0x00, 0xff], Code::NonMinimalInteger),
        (1, &[1; 9], Code::IntegerOverflow),
        (4, &[1; 9], Code::IntegerOverflow),
        (0, &[1; 9], Code::IntegerOverflow),
        (6, &[1; 33], Code::IntegerOverflow),
        (0, &[], Code::WrongChain),
        (0, &[0xff; 8], Code::WrongChain),
        (5, &[], Code::ContractCreation),
        (5, &[1; 19], Code::MalformedBytes),
        (5, &[1; 21], Code::MalformedBytes),
    ] {
        refused(&spoiled(at, with), code);
    }
}

#[test]
fn row_32_other_types_and_unprotected_transactions_are_refused() {
    for kind in [0x01, 0x03, 0x04, 0x05, 0x7e, 0x7f, 0x80, 0x00, 0xbf] {
        let mut bytes = honest().unsigned();
        bytes[0] = kind;
        refused(&bytes, Code::UnsupportedType);
    }
    let to = honest().to;
    let six: [&[u8]; 6] = [&[7], &[1], &[0x52, 0x08], &to, &[5], &[]];
    refused(&raw(None, &six, false), Code::Unprotected);
    let zero_chain: [&[u8]; 9] = [&[7], &[1], &[0x52, 0x08], &to, &[5], &[], &[], &[], &[]];
    refused(&raw(None, &zero_chain, false), Code::WrongChain);
    let v27: [&[u8]; 9] = [&[7], &[1], &[0x52, 0x08], &to, &[5], &[], &[27], &[1], &[1]];
    assert_eq!(read_signed(&raw(None, &v27, false)).unwrap_err().code, Code::Unprotected);
}

#[test]
fn an_access_list_and_bytes_beyond_the_end_are_refused() {
    let mut list = RlpStream::new_list(9);
    list.append(&31_337_u64).append(&7_u64).append(&1_u64).append(&2_u64).append(&21_000_u64);
    list.append(&honest().to.as_slice()).append(&5_u64).append_empty_data();
    list.begin_list(1).begin_list(2).append(&honest().to.as_slice()).begin_list(0);
    refused(&typed(list), Code::AccessList);

    let mut longer = honest().unsigned();
    longer.push(0);
    refused(&longer, Code::TrailingBytes);
    let mut inside = honest().unsigned();
    inside[1] += 1; // the list claims one byte more, which the reader would otherwise not look at
    inside.push(0x80);
    assert!(read_unsigned(&inside).is_err());
}

#[test]
fn lengths_that_are_not_in_their_shortest_form_are_refused() {
    let honest = honest().unsigned();
    assert_eq!(honest[1], 0xc0 + (honest.len() as u8 - 2), "a short list");
    let long_form: Vec<u8> =
        [EIP1559, 0xf8, honest.len() as u8 - 2].into_iter().chain(honest[2..].to_vec()).collect();
    refused(&long_form, Code::MalformedBytes);
    let mut indirect = honest.clone();
    let at = 5; // the nonce 0x07 stands after 0x82 0x7a 0x69
    assert_eq!(indirect[at], 7);
    indirect.splice(at..=at, [0x81, 0x07]);
    indirect[1] += 1;
    refused(&indirect, Code::MalformedBytes);
}

#[test]
fn v_of_a_signed_legacy_transaction_carries_chain_and_parity() {
    for (v, expected) in [
        (37, Some((1, false))),
        (38, Some((1, true))),
        (62_709, Some((31_337, false))),
        (26, None),
        (27, None),
        (28, None),
        (34, None),
    ] {
        assert_eq!(from_v(v).ok(), expected, "{v}");
    }
    assert_eq!(to_v(31_337, true).unwrap(), 62_710);
    assert!(to_v(u64::MAX, true).is_err());
}

/// The example of alloy-consensus's own tests (`recover_signer_eip1559`), hashes and signature as published there.
#[test]
fn a_published_eip_1559_transaction_gives_its_published_hashes() {
    let word = |text: &str| U256::from_str_radix(text, 16).unwrap();
    let fields = Fields {
        mode: FeeMode::Eip1559,
        chain: 1,
        nonce: 0x42,
        priority_fee: U256::from(0x3b9a_ca00_u64),
        max_fee: U256::from(0x4_a817_c800_u64),
        gas_limit: 44_386,
        to: hex::decode("6069a6c32cf691f5982febae4faf8a6f3ab2f0f6").unwrap().try_into().unwrap(),
        value: U256::ZERO,
        data: hex::decode(concat!(
            "a22cb4650000000000000000000000005eee75727d804a2b13038928d36f8b188945a57a",
            "0000000000000000000000000000000000000000000000000000000000000000"
        ))
        .unwrap(),
    };
    let seal = Seal {
        odd: false,
        r: word("840cfc572845f5786e702984c2a582528cad4b49b2a10b9db1be7fca90058565"),
        s: word("25e7109ceb98168d95b09b18bbf6b685130e0562f233877d492b94eee0c5b6d1"),
    };
    assert_eq!(
        hex::encode(fields.sighash()),
        "0d5688ac3897124635b6cf1bc0e29d6dfebceebdc10a54d74f2ef8b56535b682"
    );
    let bytes = fields.signed(&seal).unwrap();
    assert_eq!(
        crate::sign::txid(&bytes),
        "0x0ec0b6a2df4d87424e5f6ad2a654e27aaeb7dac20ae9e8385cc09087ad532ee0"
    );
    assert_eq!(read_signed(&bytes).unwrap(), (fields, seal));
    let refusal = crate::read_signed(&"eip155:1".parse().unwrap(), &bytes).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownCall, "it is setApprovalForAll");
}

/// One case of ethereum/tests: what the fork after Shanghai says, against what this reader says.
fn check_published(name: &str, case: &serde_json::Value) -> bool {
    let bytes = hex::decode(case["txbytes"].as_str().unwrap().trim_start_matches("0x")).unwrap();
    let result = case["result"].get("Cancun").unwrap_or(&case["result"]["Shanghai"]);
    let read = read_signed(&bytes);
    let Some(sender) = result["sender"].as_str() else {
        // What is wrong with gas or value is for `meaning`; the whole path must refuse.
        let chain = "eip155:1".parse().unwrap();
        assert!(crate::read_signed(&chain, &bytes).is_err(), "{name} is invalid");
        return false;
    };
    let (fields, seal) = match read {
        Ok(read) => read,
        Err(refusal) => {
            let known = [Code::Unprotected, Code::ContractCreation];
            assert!(known.contains(&refusal.code), "{name} is valid: {refusal}");
            return false;
        }
    };
    let id = secp256k1::ecdsa::RecoveryId::from_u8_masked(u8::from(seal.odd));
    let rs = [seal.r.to_be_bytes::<32>(), seal.s.to_be_bytes::<32>()].concat();
    let signature = secp256k1::ecdsa::RecoverableSignature::from_compact(&rs, id).unwrap();
    let message = secp256k1::Message::from_digest(fields.sighash());
    let key: PublicKey = signature.recover_ecdsa(message).unwrap();
    let address = hex::encode(&keccak(&key.serialize_uncompressed()[1..])[12..]);
    assert_eq!(format!("0x{address}"), sender.to_ascii_lowercase(), "{name}: the sighash is right");
    assert_eq!(crate::sign::txid(&bytes), result["hash"].as_str().unwrap(), "{name}");
    true
}

#[test]
fn row_32_published_transactions_are_valid_here_only_if_they_are_valid_there() {
    let Some(root) = vectors("ethereum-tests") else { return };
    let (mut cases, mut agreed) = (0, 0);
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder).unwrap() {
            let file = json(&file.unwrap().path());
            for (name, case) in file.as_object().unwrap() {
                cases += 1;
                agreed += usize::from(check_published(name, case));
            }
        }
    }
    assert!(cases >= 60 && agreed >= 4, "{cases} cases, {agreed} read in full");
}

proptest! {
    #[test]
    fn reading_never_panics_on_arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read_unsigned(&bytes));
        drop(read_signed(&bytes));
        for kind in [0x02, 0xf8, 0xf9, 0xfb, 0xff, 0xc0] {
            let framed: Vec<u8> = [kind].into_iter().chain(bytes.iter().copied()).collect();
            drop(read_unsigned(&framed));
            drop(read_signed(&framed));
        }
    }

    #[test]
    fn reading_never_panics_on_mutated_bytes_and_accepts_one_form(
        at: proptest::sample::Index, with: u8, cut: proptest::sample::Index, token: bool
    ) {
        let mut bytes = if token { honest_erc20() } else { honest() }.unsigned();
        let place = at.index(bytes.len());
        bytes[place] = with;
        drop(read_unsigned(&bytes[..cut.index(bytes.len())]));
        if let Ok(fields) = read_unsigned(&bytes) {
            prop_assert_eq!(fields.unsigned(), bytes);
        }
    }
}
