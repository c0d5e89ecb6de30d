//! Against a real node: the pinned anvil of `cargo xtask tools anvil`. Where it is not installed, they say that they were
//! skipped.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use quorate_chains::{draft, native_asset, sign};
use secp256k1::{Message, SecretKey, ecdsa::RecoverableSignature};

use super::*;

/// Anvil's first account: a published key of a published test phrase.
const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const PAYER_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const PAYEE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

const OTHER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

struct Anvil {
    process: Child,
    url: String,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn anvil(arguments: &[&str]) -> Option<Anvil> {
    let machine = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let system = if std::env::consts::OS == "macos" { "darwin" } else { "linux" };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../.tools/anvil/node_modules/@foundry-rs");
    let binary = root.join(format!("anvil-{system}-{machine}/bin/anvil"));
    if !binary.is_file() {
        assert!(std::env::var_os("CI").is_none(), "no anvil, and nothing is skipped in CI");
        eprintln!("skipped: no anvil; run `cargo xtask tools anvil`");
        return None;
    }
    let mut command = Command::new(binary);
    command.args(["--host", "127.0.0.1", "--port", "0"]).args(arguments);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let listening =
        lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("Listening on "));
    // The node must never wait for a reader of its log.
    std::thread::spawn(move || lines.for_each(drop));
    let address = listening.unwrap().trim_start_matches("Listening on ").to_owned();
    Some(Anvil { process, url: format!("http://{address}") })
}

fn id() -> ChainId {
    "eip155:31337".parse().unwrap()
}

fn account(address: &str) -> AccountId {
    id().account(address).unwrap()
}

fn payment(amount: u128) -> Transfer {
    Transfer {
        wallet: "ops".parse().unwrap(),
        asset: native_asset(&id()).unwrap(),
        to: account(PAYEE),
        amount: Amount::from_u128(amount),
        fee_ceiling: Amount::from_u128(10_u128.pow(16)),
        memo: None,
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_767_614_400_000)
}

/// One block, at once. A node that mines by itself does so some time after it took a transaction, and a test that looks in
/// between fails now and then.
async fn mine(chain: &Chain) {
    chain.node.ask("anvil_mine", json!(["0x1"])).await.unwrap();
}

/// A payment, drafted from a snapshot and signed with anvil's own key: bytes and transaction id.
async fn signed(chain: &Chain, amount: u128) -> (Vec<u8>, String) {
    let payment = payment(amount);
    let snapshot = chain.snapshot(&account(PAYER), Some(&payment), now()).await.unwrap();
    signed_from(&payment, &snapshot)
}

fn signed_from(payment: &Transfer, snapshot: &Snapshot) -> (Vec<u8>, String) {
    let draft = draft(payment, &account(PAYER), snapshot).unwrap();
    let key =
        SecretKey::from_secret_bytes(hex::decode(PAYER_KEY).unwrap().try_into().unwrap()).unwrap();
    let message = Message::from_digest(draft.meaning().sighash);
    let (recovery, rs) =
        RecoverableSignature::sign_ecdsa_recoverable(message, &key).serialize_compact();
    let public = secp256k1::PublicKey::from_secret_key(&key).serialize();
    let signed = sign(&draft, rs, recovery.to_u8(), &public).unwrap();
    (signed.bytes, signed.txid)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_drafted_published_twice_and_seen_in_its_block() {
    let Some(node) = anvil(&["--no-mining"]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    assert_eq!(chain.height().await.unwrap(), 0);
    let native = native_asset(&id()).unwrap();
    let before = chain.balance(&account(PAYEE), &native).await.unwrap();
    let (raw, txid) = signed(&chain, 5).await;
    assert_eq!(chain.sighting(&txid).await.unwrap(), Sighting::Unknown);
    chain.publish(&raw).await.unwrap();
    chain.publish(&raw).await.unwrap();
    mine(&chain).await;
    let Sighting::Included { block, depth, success, fee } = chain.sighting(&txid).await.unwrap()
    else {
        panic!("mined")
    };
    assert_eq!((block, depth, success, fee.is_zero()), (1, 1, true, false));
    let after = chain.balance(&account(PAYEE), &native).await.unwrap();
    assert_eq!(after.checked_sub(before), Some(Amount::from_u128(5)));
    assert_eq!(chain.nonce(&account(PAYER)).await.unwrap(), 1);
    let taker = chain.transaction_with_nonce(&account(PAYER), 0, 0).await.unwrap();
    assert_eq!(taker.as_deref(), Some(txid.as_str()));
    assert_eq!(chain.transaction_with_nonce(&account(PAYER), 1, 0).await.unwrap(), None);
    let past = chain.history(&account(PAYER), &[], 10).await.unwrap();
    assert_eq!((past.len(), past[0].outgoing, past[0].amount), (1, true, Amount::from_u128(5)));
    assert_eq!(past[0].counterparty, Some(account(PAYEE)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_waits_is_pending_and_is_taken_twice() {
    let Some(node) = anvil(&["--no-mining"]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    let (raw, txid) = signed(&chain, 5).await;
    chain.publish(&raw).await.unwrap();
    chain.publish(&raw).await.unwrap();
    assert_eq!(chain.sighting(&txid).await.unwrap(), Sighting::Pending);
    assert_eq!(chain.nonce(&account(PAYER)).await.unwrap(), 0, "only mined transactions count");
    // Another transaction takes the nonce: ours is refused then, and is not known.
    let (rival, _) = signed(&chain, 6).await;
    chain.node.ask("anvil_dropTransaction", json!([txid])).await.unwrap();
    chain.publish(&rival).await.unwrap();
    mine(&chain).await;
    assert!(chain.publish(&raw).await.is_err());
    assert_eq!(chain.sighting(&txid).await.unwrap(), Sighting::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_refused_before_anything_is_asked() {
    let Some(node) = anvil(&["--chain-id", "1337"]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    let upset = chain.height().await.unwrap_err().to_string();
    assert!(upset.contains("1337"), "{upset}");
    assert!(chain.nonce(&account(PAYER)).await.is_err());
    assert!(chain.publish(&[1]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_would_fail_and_an_asset_that_is_none_are_upsets_with_a_way_on() {
    let Some(node) = anvil(&[]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    let token: AssetId = format!("{}/erc20:{PAYEE}", id()).parse().unwrap();
    let nothing_there = chain.balance(&account(PAYER), &token).await.unwrap_err();
    assert_eq!(nothing_there.why(), Why::NoToken, "{nothing_there}");
    assert_eq!(chain.claims(&token).await.unwrap(), Claims::default());
    // Code that always reverts.
    chain.node.ask("anvil_setCode", json!([PAYEE, "0x60006000fd"])).await.unwrap();
    let reverted = chain.balance(&account(PAYER), &token).await.unwrap_err();
    assert_eq!(reverted.why(), Why::NoToken, "{reverted}");
    let transfer = Transfer { asset: token, ..payment(5) };
    let upset = chain.snapshot(&account(PAYER), Some(&transfer), now()).await.unwrap_err();
    assert!(upset.to_string().contains("check what the wallet holds"), "{upset}");
    assert_eq!(upset.why(), Why::WouldFail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_without_a_base_fee_is_drafted_for_in_the_old_form() {
    let Some(node) = anvil(&["--no-mining", "--hardfork", "berlin"]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    let snapshot = chain.snapshot(&account(PAYER), None, now()).await.unwrap();
    assert_eq!((snapshot.fee_mode, snapshot.gas_limit), (FeeMode::Legacy, 21_000));
    let (raw, txid) = signed(&chain, 5).await;
    chain.publish(&raw).await.unwrap();
    mine(&chain).await;
    assert!(matches!(
        chain.sighting(&txid).await.unwrap(),
        Sighting::Included { success: true, .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_failed_on_chain_is_told_with_the_contracts_own_words() {
    let Some(node) = anvil(&["--no-mining"]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    let said = format!("08c379a0{:064x}{:064x}{:0<64}", 32, 4, "6e6f7065");
    // Copies what stands after the code into memory, and reverts with it.
    let (code, size) = ("6064600c60003960646000fd", 0x64);
    assert_eq!((said.len() / 2, code.len() / 2), (size, 12));
    let transfer =
        Transfer { asset: format!("{}/erc20:{OTHER}", id()).parse().unwrap(), ..payment(5) };
    let mut snapshot = chain.snapshot(&account(PAYER), None, now()).await.unwrap();
    snapshot.gas_limit = 100_000;
    for (after, reason) in [(said.as_str(), "nope"), ("", "error 0x00000000 of the contract's own")]
    {
        chain.node.ask("anvil_setCode", json!([OTHER, format!("0x{code}{after}")])).await.unwrap();
        mine(&chain).await;
        let (raw, txid) = signed_from(&transfer, &snapshot);
        chain.publish(&raw).await.unwrap();
        mine(&chain).await;
        let sighting = chain.sighting(&txid).await.unwrap();
        assert!(matches!(sighting, Sighting::Included { success: false, .. }), "{sighting:?}");
        assert_eq!(chain.revert_reason(&txid).await.unwrap().as_deref(), Some(reason));
        snapshot.nonce += 1;
    }
    let (_, txid) = signed(&chain, 7).await;
    assert_eq!(chain.revert_reason(&txid).await.unwrap(), None, "nobody knows it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transfer_would_change_is_simulated_and_a_token_that_takes_more_is_found_out() {
    let Some(node) = anvil(&["--no-mining"]) else { return };
    let chain = Chain::connect(&id(), &node.url).unwrap();
    let told = async |wanted: &Transfer| {
        let attempt = Attempt::of_transfer(&account(PAYER), wanted).unwrap();
        let found = chain.simulate(&attempt).await?;
        Ok::<_, Unsimulated>(attempt.tell(&found, &[]).warnings.join("\n"))
    };
    assert_eq!(told(&payment(5)).await.unwrap(), "");
    let poor = told(&payment(u128::MAX)).await.unwrap_err();
    assert!(poor.warns && poor.words.contains("too little"), "{poor:?}");

    let code = include_str!("../../../../../xtask/contracts/greedy_token.hex");
    let code: String = code.split_whitespace().collect();
    let send = async |to: Option<&str>, data: String| {
        let mut call = json!({ "from": OTHER, "data": data, "gas": "0x200000" });
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        let sent = chain.node.ask("eth_sendTransaction", json!([call])).await.unwrap();
        mine(&chain).await;
        chain.node.ask("eth_getTransactionReceipt", json!([sent])).await.unwrap()
    };
    let receipt = send(None, format!("0x{code}")).await;
    let contract = account_of(&id(), field(&receipt, "contractAddress").unwrap()).unwrap();
    let gift = transfer_data(&account(PAYER), Amount::from_u128(100)).unwrap();
    send(Some(contract.address()), gift).await;
    let asset = quorate_chains::asset_of(&contract).unwrap();
    let warned = told(&Transfer { asset: asset.clone(), ..payment(20) }).await.unwrap();
    for part in [
        "the wallet's balance changes by -40 ",
        "somebody else receives",
        "lets somebody take more",
        "by the token's own books",
    ] {
        assert!(warned.contains(part), "{part}: {warned}");
    }
    let warned = told(&Transfer { asset, ..payment(99) }).await.unwrap();
    assert!(warned.ends_with("the contract says: the keeper gets nothing"), "{warned}");
}

/// A node that answers every question with this.
async fn answering(body: String) -> Chain {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move || {
        let body = body.clone();
        async move { body }
    };
    let app = axum::Router::new().route("/", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Chain::connect(&id(), &format!("http://{address}/")).unwrap()
}

#[tokio::test]
async fn an_answer_that_cannot_be_right_warns_and_a_node_that_is_away_does_not() {
    let attempt = Attempt::of_transfer(&account(PAYER), &payment(5)).unwrap();
    let of_another = json!({ "jsonrpc": "2.0", "id": 1, "result": "0x1" }).to_string();
    for (body, part) in [
        (of_another, "is of chain 1;"),
        ("<html>".to_owned(), "makes no sense"),
        (" ".repeat(17 << 20), "too large"),
    ] {
        let no = answering(body).await.simulate(&attempt).await.unwrap_err();
        assert!(no.warns && no.words.contains(part), "{part}: {no:?}");
    }
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    drop(socket);
    let no = Chain::connect(&id(), &url).unwrap().simulate(&attempt).await.unwrap_err();
    assert!(!no.warns && no.words.contains("cannot be reached"), "{no:?}");
}

#[test]
fn what_the_chain_finds_is_told_from_a_node_that_does_not_answer() {
    for (code, message, of_the_chain) in [
        (3, "execution reverted: nope", true),
        (3, "", true),
        (-32000, "execution reverted", true),
        (-32000, "insufficient funds for gas * price + value", true),
        (-32003, "Insufficient funds", true),
        (-32000, "invalid opcode: INVALID", true),
        (-32603, "Error: VM Exception: reverted without a reason", true),
        (-32005, "limit exceeded", false),
        (-32005, "daily request count exceeded, request rate limited", false),
        (429, "Too Many Requests: insufficient compute units", false),
        (-32601, "the method eth_estimateGas does not exist", false),
        (-32000, "header not found", false),
        (-32603, "internal error", false),
    ] {
        assert_eq!(is_of_the_chain(code, message), of_the_chain, "{code} {message}");
    }
}
