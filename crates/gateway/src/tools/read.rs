//! From arguments to a question: every field becomes a checked noun here or the call is refused.

use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

use quorate_terms::{AccountId, Amount, AssetId, CaseId, ChainId, Malformed, WalletId};

use super::{ToolName, input};
use crate::errors::{Code, Complaint};
use crate::question::{AssetBy, HowMuch, Memo, PriceOf, Question, SignAsk, TransferAsk};

type Read<T> = Result<T, Complaint>;

pub(super) fn question(tool: ToolName, arguments: JsonObject) -> Read<Question> {
    match tool {
        ToolName::GetBalance => parse(arguments).and_then(balance),
        ToolName::GetAllBalances => parse(arguments).and_then(all_balances),
        ToolName::GetPrice => parse(arguments).and_then(price),
        ToolName::GetFeeQuote => parse(arguments).and_then(fee_quote),
        ToolName::ResolveAsset => parse(arguments).and_then(resolve),
        ToolName::GetTxStatus => parse(arguments).and_then(tx_status),
        ToolName::GetTxHistory => parse(arguments).and_then(tx_history),
        ToolName::ListCases => parse(arguments).and_then(list_cases),
        ToolName::GetCase => parse(arguments)
            .and_then(|i: input::GetCase| Ok(Question::GetCase { case: case(&i.case)? })),
        ToolName::GetReceipt => parse(arguments)
            .and_then(|i: input::GetReceipt| Ok(Question::GetReceipt { case: case(&i.case)? })),
        ToolName::PrepareTransfer => {
            Ok(Question::PrepareTransfer { transfer: parse(arguments).and_then(transfer)? })
        }
        ToolName::PrepareSerializedUnsignedTx => Ok(Question::PrepareSerializedUnsignedTx {
            transfer: parse(arguments).and_then(transfer)?,
        }),
        ToolName::ExplainTransfer => {
            Ok(Question::ExplainTransfer { transfer: parse(arguments).and_then(transfer)? })
        }
        ToolName::GetWalletAddress => parse(arguments).and_then(wallet_address),
        ToolName::SignTransaction => {
            Ok(Question::SignTransaction { sign: parse(arguments).and_then(sign)? })
        }
        ToolName::SendTransaction => {
            Ok(Question::SendTransaction { sign: parse(arguments).and_then(send)? })
        }
    }
}

fn parse<T: DeserializeOwned>(arguments: JsonObject) -> Read<T> {
    serde_json::from_value(Value::Object(arguments)).map_err(|e| {
        Complaint::new(
            Code::InvalidInput,
            format!("the arguments do not fit: {e}; see the input schema"),
        )
    })
}

fn balance(i: input::GetBalance) -> Read<Question> {
    let chain = chain(&i.chain)?;
    Ok(Question::GetBalance {
        account: account(&chain, "address", &i.address)?,
        fiat: said(&i.fiat)?,
    })
}

fn all_balances(i: input::GetAllBalances) -> Read<Question> {
    let chain = chain(&i.chain)?;
    let account = account(&chain, "address", &i.address)?;
    let assets = i.asset_ids.map(|ids| {
        if ids.len() > 50 {
            return Err(invalid(
                "assetIds",
                "has more than 50 items",
                "ask for at most 50 at once",
            ));
        }
        ids.iter().map(|id| asset_or_contract(&chain, id)).collect()
    });
    Ok(Question::GetAllBalances {
        account,
        fiat: said(&i.fiat)?,
        assets: assets.transpose()?,
        include_native: i.include_native,
    })
}

fn price(i: input::GetPrice) -> Read<Question> {
    let of = match (i.symbol, i.contract_address, i.chain) {
        (Some(symbol), None, None) => PriceOf::Symbol(said(&symbol)?),
        (None, Some(contract), Some(on)) => {
            PriceOf::Asset(token(&chain(&on)?, "contractAddress", &contract)?)
        }
        _ => {
            let mend = "give `symbol` alone, or `contractAddress` with `chain`";
            return Err(invalid("symbol", "is not the only way in which the asset is named", mend));
        }
    };
    Ok(Question::GetPrice { of, base: said(&i.base)? })
}

fn fee_quote(i: input::GetFeeQuote) -> Read<Question> {
    let chain = chain(&i.chain)?;
    Ok(Question::GetFeeQuote {
        from: account(&chain, "from", &i.from)?,
        to: account(&chain, "to", &i.to)?,
        amount: units("amountWei", &i.amount_wei)?,
        token: token_if(&chain, i.token_contract.as_deref())?,
        memo: memo(i.memo)?,
        fiat: said(&i.fiat)?,
        chain,
    })
}

fn resolve(i: input::ResolveAsset) -> Read<Question> {
    let chain = chain(&i.chain)?;
    let by = match (i.token_contract, i.symbol, i.name) {
        (Some(contract), None, None) => {
            AssetBy::Contract(token(&chain, "tokenContract", &contract)?)
        }
        (None, Some(symbol), None) => AssetBy::Symbol(said(&symbol)?),
        (None, None, Some(name)) => AssetBy::Name(said(&name)?),
        _ => {
            let mend = "give exactly one of `tokenContract`, `symbol`, `name`";
            return Err(invalid(
                "tokenContract",
                "is not the only way in which the asset is named",
                mend,
            ));
        }
    };
    Ok(Question::ResolveAsset { chain, by, limit: limit(i.limit, 10)? })
}

fn tx_status(i: input::GetTxStatus) -> Read<Question> {
    Ok(Question::GetTxStatus {
        chain: chain(&i.chain)?,
        tx: said(&i.tx_hash.to_ascii_lowercase())?,
    })
}

fn tx_history(i: input::GetTxHistory) -> Read<Question> {
    let chain = chain(&i.chain)?;
    let account = account(&chain, "address", &i.address)?;
    Ok(Question::GetTxHistory { account, limit: limit(i.limit, 100)? })
}

fn list_cases(i: input::ListCases) -> Read<Question> {
    Ok(Question::ListCases {
        wallet: i.wallet.as_deref().map(wallet).transpose()?,
        open_only: i.open_only,
        limit: limit(i.limit, 100)?,
        after: i.after.as_deref().map(case).transpose()?,
    })
}

fn wallet_address(i: input::GetWalletAddress) -> Read<Question> {
    Ok(Question::GetWalletAddress { wallet: wallet(&i.wallet)?, chain: chain(&i.chain)? })
}

fn transfer(i: input::Transfer) -> Read<TransferAsk> {
    let chain = chain(&i.chain)?;
    Ok(TransferAsk {
        wallet: wallet(&i.wallet)?,
        to: account(&chain, "to", &i.to)?,
        how_much: how_much(i.amount.as_deref(), i.amount_wei.as_deref())?,
        token: token_if(&chain, i.token_contract.as_deref())?,
        memo: memo(i.memo)?,
        fee_ceiling: i.max_fee_wei.as_deref().map(|fee| units("maxFeeWei", fee)).transpose()?,
        chain,
    })
}

fn sign(i: input::SignTransaction) -> Read<SignAsk> {
    let key = i.idempotency_key;
    Ok(SignAsk {
        wallet: wallet(&i.wallet)?,
        chain: chain(&i.chain)?,
        draft: i.draft.parse().map_err(|e: Malformed| {
            invalid("draft", e.why(), "give the draft id that a prepare tool returned")
        })?,
        unsigned: i.unsigned_tx.as_deref().map(said).transpose()?,
        key: quorate_terms::IdempotencyKey::new(key)
            .map_err(|e| Complaint::malformed(Code::InvalidIdempotencyKey, &e))?,
    })
}

fn send(i: input::SendTransaction) -> Read<SignAsk> {
    if !i.confirm_broadcast {
        return Err(Complaint::first(
            Code::ConfirmationRequired,
            "`confirmBroadcast` is not true; nothing was filed",
            "show the review to whoever you act for, then call again with confirmBroadcast: true",
        ));
    }
    let input::SendTransaction { wallet, chain, draft, unsigned_tx, idempotency_key, .. } = i;
    sign(input::SignTransaction { wallet, chain, draft, unsigned_tx, idempotency_key })
}

fn how_much(amount: Option<&str>, base: Option<&str>) -> Read<HowMuch> {
    match (amount, base) {
        (Some(human), None) => human
            .parse()
            .map(HowMuch::Human)
            .map_err(|e| Complaint::malformed(Code::InvalidAmount, &e)),
        (None, Some(base)) => units("amountWei", base).map(HowMuch::Base),
        (Some(_), Some(_)) => {
            Err(invalid("amount", "and `amountWei` are both given", "give exactly one"))
        }
        (None, None) => {
            Err(invalid("amount", "and `amountWei` are both missing", "give exactly one"))
        }
    }
}

fn units(field: &str, text: &str) -> Read<Amount> {
    let bad = |why: &str| {
        let error =
            Malformed::new(field, why, "give base units as a decimal string such as `1500000`");
        Complaint::malformed(Code::InvalidAmountWei, &error)
    };
    let amount: Amount = text.parse().map_err(|e: Malformed| bad(e.why()))?;
    if amount.is_zero() { Err(bad("is zero")) } else { Ok(amount) }
}

fn limit(asked: u8, most: u8) -> Read<u8> {
    if (1..=most).contains(&asked) {
        return Ok(asked);
    }
    Err(invalid("limit", "is out of range", &format!("give 1 to {most}")))
}

fn memo(text: Option<String>) -> Read<Option<Memo>> {
    text.as_deref().map(said).transpose()
}

fn wallet(text: &str) -> Read<WalletId> {
    WalletId::new(text).map_err(|e| Complaint::malformed(Code::InvalidInput, &e))
}

fn case(text: &str) -> Read<CaseId> {
    said(text)
}

/// A chain by CAIP-2, or the one name that the catalogue's older users write.
fn chain(text: &str) -> Read<ChainId> {
    let caip = if text == "ethereum" { "eip155:1" } else { text };
    let chain: ChainId =
        caip.parse().map_err(|e: Malformed| Complaint::malformed(Code::UnknownChain, &e))?;
    if chain.namespace() == "eip155" && chain.reference().bytes().all(|b| b.is_ascii_digit()) {
        return Ok(chain);
    }
    let mend = "give an EVM chain such as `eip155:1`";
    Err(Complaint::malformed(
        Code::UnknownChain,
        &Malformed::new("chain", "is not an EVM chain", mend),
    ))
}

/// An address of an EVM chain; `0x` and 40 hex digits. Its checksum is for the desk, which knows Keccak.
fn address<'a>(field: &str, text: &'a str) -> Read<&'a str> {
    let hex = text.strip_prefix("0x").unwrap_or_default();
    if hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text);
    }
    let error = Malformed::new(field, "is not an EVM address", "give `0x` and 40 hex digits");
    Err(Complaint::malformed(Code::InvalidAddress, &error))
}

fn account(chain: &ChainId, field: &str, text: &str) -> Read<AccountId> {
    let named = chain.account(address(field, text)?);
    named.map_err(|e| Complaint::malformed(Code::InvalidAddress, &e))
}

fn token(chain: &ChainId, field: &str, text: &str) -> Read<AssetId> {
    let caip = format!("{chain}/erc20:{}", address(field, text)?);
    caip.parse().map_err(|e: Malformed| Complaint::malformed(Code::InvalidAddress, &e))
}

fn token_if(chain: &ChainId, text: Option<&str>) -> Read<Option<AssetId>> {
    text.map(|contract| token(chain, "tokenContract", contract)).transpose()
}

fn asset_or_contract(chain: &ChainId, text: &str) -> Read<AssetId> {
    if !text.contains('/') {
        return token(chain, "assetIds", text);
    }
    let asset: AssetId = said(text)?;
    if asset.chain() == *chain {
        return Ok(asset);
    }
    Err(invalid("assetIds", "names an asset of another chain", "ask for one chain at a time"))
}

fn said<T: std::str::FromStr<Err = Malformed>>(text: &str) -> Read<T> {
    text.parse().map_err(|e| Complaint::malformed(Code::InvalidInput, &e))
}

fn invalid(field: &str, why: &str, mend: &str) -> Complaint {
    Complaint::malformed(Code::InvalidInput, &Malformed::new(field, why, mend))
}
