use super::*;

const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const PAYEE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const NOON: Timestamp = Timestamp::from_millis(1_767_614_400_000);

fn chain() -> ChainId {
    "eip155:31337".parse().unwrap()
}

fn payment(nonce: u64) -> (Transfer, AccountId, Snapshot) {
    let from = chain().account(PAYER).unwrap();
    let transfer = Transfer {
        wallet: "ops".parse().unwrap(),
        asset: native_asset(&chain()).unwrap(),
        to: chain().account(PAYEE).unwrap(),
        amount: Amount::from_u128(5),
        fee_ceiling: Amount::MAX,
        memo: None,
    };
    let snapshot = Snapshot {
        chain: chain(),
        account: from.clone(),
        nonce,
        base_fee: Amount::from_u128(100),
        priority_fee: Amount::from_u128(10),
        gas_limit: 21_000,
        fee_mode: FeeMode::Eip1559,
        block: 7,
        at: NOON,
    };
    (transfer, from, snapshot)
}

fn prepared(nonce: u64, now: Timestamp) -> Prepared {
    let (transfer, from, snapshot) = payment(nonce);
    let draft = draft(&transfer, &from, &snapshot).unwrap();
    Prepared {
        transfer,
        memo: None,
        own_ceiling: false,
        draft,
        forgotten_at: now.plus_s(REMEMBERED_S),
    }
}

fn owner(name: &str) -> CredentialId {
    name.parse().unwrap()
}

#[test]
fn a_draft_is_known_to_its_own_credential_until_it_is_forgotten() {
    let drafts = Drafts::default();
    let one = prepared(1, NOON);
    let id = one.draft.digest();
    drafts.put(&owner("mine"), one, NOON);
    assert!(drafts.get(&owner("mine"), id, NOON).is_some());
    assert!(drafts.get(&owner("yours"), id, NOON).is_none());
    assert!(drafts.get(&owner("mine"), id, NOON.plus_s(REMEMBERED_S)).is_none());
}

#[test]
fn a_credential_that_prepares_without_end_pushes_out_only_its_own_oldest() {
    let drafts = Drafts::default();
    let theirs = prepared(0, NOON);
    drafts.put(&owner("yours"), theirs.clone(), NOON);
    let first = prepared(1, NOON);
    let first_id = first.draft.digest();
    drafts.put(&owner("mine"), first, NOON);
    for nonce in 2..=65 {
        let now = NOON.plus_s(nonce);
        drafts.put(&owner("mine"), prepared(nonce, now), now);
    }
    let now = NOON.plus_s(66);
    assert!(drafts.get(&owner("mine"), first_id, now).is_none(), "the oldest made room");
    assert!(drafts.get(&owner("yours"), theirs.draft.digest(), now).is_some());
    assert_eq!(drafts.lock().len(), DRAFTS_EACH_MAX + 1);
}

#[test]
fn the_default_fee_ceiling_leaves_the_most_room_that_costs_no_better_answer() {
    let tried = ceilings(Amount::from_u128(100)).unwrap();
    assert_eq!(tried.map(|ceiling| ceiling.to_string()), ["200", "150", "100"]);
    let with = |ranks: [u8; 3]| most_room(&tried.into_iter().zip(ranks).collect::<Vec<_>>());
    for (ranks, ceiling) in [
        ([2, 2, 2], 200),
        ([1, 2, 2], 150),
        ([0, 1, 2], 100),
        ([1, 1, 1], 200),
        ([0, 0, 1], 100),
        ([0, 0, 0], 200),
    ] {
        assert_eq!(with(ranks), Some(Amount::from_u128(ceiling)), "{ranks:?}");
    }
    assert_eq!(ceilings(Amount::MAX), None, "fees that cannot be");
}

#[test]
fn an_address_without_its_checksum_is_an_invalid_address() {
    for bad in [PAYEE.to_ascii_lowercase(), PAYEE.replace("C51812", "c51812")] {
        let complaint = checked(&chain().account(&bad).unwrap()).unwrap_err();
        assert_eq!(complaint.code, Code::InvalidAddress, "{bad}");
        let token = format!("{}/erc20:{bad}", chain()).parse().unwrap();
        assert_eq!(asset_of(&chain(), Some(&token)).unwrap_err().code, Code::InvalidAddress);
    }
    assert!(checked(&chain().account(PAYEE).unwrap()).is_ok());
}

#[test]
fn the_parts_of_a_token_transfer_are_those_of_its_bytes() {
    let (transfer, from, snapshot) = payment(0);
    let asset: AssetId = format!("{}/erc20:{PAYER}", chain()).parse().unwrap();
    let other = chain().account("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC").unwrap();
    let transfer = Transfer { asset, to: other, ..transfer };
    let snapshot = Snapshot { gas_limit: 60_000, ..snapshot };
    let from = chain().account(PAYEE).map(|account| (account, from)).unwrap().0;
    let snapshot = Snapshot { account: from.clone(), ..snapshot };
    let draft = draft(&transfer, &from, &snapshot).unwrap();
    let data = transfer_data(&transfer.to, transfer.amount).unwrap();
    let inside = hex::encode(draft.bytes());
    assert!(
        inside.contains(data.trim_start_matches("0x")),
        "the parts and the bytes are one transaction"
    );
}
