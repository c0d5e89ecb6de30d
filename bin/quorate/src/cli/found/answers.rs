//! What a founding needs to know, from flags and `--answers FILE.toml`. A flag wins over the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::read;
use crate::cli::trouble::{Tried, Trouble};

/// The flags of `quorate init`.
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The desk's folder; made with mode 0700.
    #[arg(long, default_value = "quorate-desk")]
    pub(crate) dir: PathBuf,
    /// Answers from a TOML or JSON file; paths in it are relative to it. Flags win over it.
    #[arg(long)]
    answers: Option<PathBuf>,
    /// Never ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// The vault's name.
    #[arg(long)]
    vault: Option<String>,
    /// An approver's enrolment file (`quorate-approvals enrol`); repeat for each.
    #[arg(long = "approver")]
    approvers: Vec<PathBuf>,
    /// A view's seat file, where approvers use passkeys: name, origin, relying party and operator as JSON; repeat for more.
    #[arg(long = "view")]
    views: Vec<PathBuf>,
    /// A cosigner's seat file (`quorate-cosigner init`) and where it listens, `FILE@HOST:PORT`; repeat for each.
    #[arg(long = "cosigner")]
    cosigners: Vec<String>,
    /// A source's enrolment file (`quorate source init`) and where its facts come from: `FILE@HOST:PORT`,
    /// `FILE@file:PATH` or `FILE@URL`; repeat for more.
    #[arg(long = "source")]
    sources: Vec<String>,
    /// How many approvers must agree to changes of charter and policy and to unfreezing.
    #[arg(long)]
    governance: Option<u32>,
    /// How many cosigners must sign; more than half. All of two, or the smallest majority, by default.
    #[arg(long)]
    threshold: Option<u8>,
    /// A chain and its node, `CHAIN=URL`; repeat for more.
    #[arg(long = "chain")]
    chains: Vec<String>,
    /// An asset of the starter policy, in whole units; repeat for more:
    /// `SYMBOL=CAIP19,decimals=18,name=Ether,alone=0.1,strangers=0.01,agent-daily=1,vault-daily=10`.
    #[arg(long = "asset")]
    assets: Vec<String>,
    /// A policy file instead of the starter policy.
    #[arg(long, conflicts_with = "assets")]
    policy: Option<PathBuf>,
    /// Blocks that must stand on a transaction before it is final.
    #[arg(long)]
    finality_depth: Option<u64>,
    /// How long an agreed charter change waits, on each cosigner's own clock.
    #[arg(long)]
    change_delay: Option<String>,
    /// The name under which checkpoints are signed, such as `example.org/treasury`.
    #[arg(long)]
    origin: Option<String>,
    /// Where approvers' tools follow the book.
    #[arg(long)]
    book_listen: Option<String>,
    /// Where the console listens, a loopback address with its port; closed by default.
    #[arg(long)]
    console_listen: Option<String>,
}

/// All answers, each of which may be missing.
#[derive(Clone, Serialize, Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answers {
    pub(crate) vault: Option<String>,
    pub(crate) approvers: Vec<PathBuf>,
    pub(crate) views: Vec<PathBuf>,
    pub(crate) cosigners: Vec<CosignerAnswer>,
    pub(crate) sources: Vec<SourceAnswer>,
    pub(crate) governance: Option<u32>,
    pub(crate) threshold: Option<u8>,
    pub(crate) chains: BTreeMap<String, String>,
    pub(crate) assets: Vec<AssetAnswer>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) finality_depth: Option<u64>,
    pub(crate) change_delay: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) book_listen: Option<String>,
    pub(crate) console_listen: Option<String>,
}

/// A cosigner's seat file and its address.
#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct CosignerAnswer {
    pub(crate) seat: PathBuf,
    pub(crate) address: String,
}

/// A source's enrolment file and where its facts come from.
#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceAnswer {
    pub(crate) seat: PathBuf,
    pub(crate) from: String,
}

/// One asset of the starter policy; amounts in whole units.
#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) struct AssetAnswer {
    pub(crate) symbol: String,
    pub(crate) asset: String,
    #[serde(default = "decimals")]
    pub(crate) decimals: u8,
    pub(crate) name: Option<String>,
    #[serde(default = "alone")]
    pub(crate) alone: String,
    #[serde(default = "strangers")]
    pub(crate) strangers: String,
    #[serde(default = "agent_daily")]
    pub(crate) agent_daily: String,
    #[serde(default = "vault_daily")]
    pub(crate) vault_daily: String,
}

const fn decimals() -> u8 {
    18
}

fn alone() -> String {
    "0.1".to_owned()
}

fn strangers() -> String {
    "0.01".to_owned()
}

fn agent_daily() -> String {
    "1".to_owned()
}

fn vault_daily() -> String {
    "10".to_owned()
}

impl InitArgs {
    /// The file's answers under the flags.
    ///
    /// # Errors
    /// [`Trouble`] naming the flag, or the file and its line.
    pub(crate) fn answers(&self) -> Tried<Answers> {
        let mut answers = match &self.answers {
            Some(path) => Answers::load(path)?,
            None => Answers::default(),
        };
        replace(&mut answers.vault, &self.vault);
        replace(&mut answers.governance, &self.governance);
        replace(&mut answers.threshold, &self.threshold);
        replace(&mut answers.policy, &self.policy);
        replace(&mut answers.finality_depth, &self.finality_depth);
        replace(&mut answers.change_delay, &self.change_delay);
        replace(&mut answers.origin, &self.origin);
        replace(&mut answers.book_listen, &self.book_listen);
        replace(&mut answers.console_listen, &self.console_listen);
        if !self.approvers.is_empty() {
            answers.approvers.clone_from(&self.approvers);
        }
        if !self.views.is_empty() {
            answers.views.clone_from(&self.views);
        }
        if !self.cosigners.is_empty() {
            answers.cosigners = each(&self.cosigners, cosigner)?;
        }
        if !self.sources.is_empty() {
            answers.sources = each(&self.sources, source)?;
        }
        if !self.assets.is_empty() {
            answers.assets = each(&self.assets, asset)?;
        }
        if !self.chains.is_empty() {
            answers.chains = each(&self.chains, chain)?.into_iter().collect();
        }
        Ok(answers)
    }
}

fn replace<T: Clone>(answer: &mut Option<T>, flag: &Option<T>) {
    if flag.is_some() {
        answer.clone_from(flag);
    }
}

fn each<T>(texts: &[String], read: impl Fn(&str) -> Tried<T>) -> Tried<Vec<T>> {
    texts.iter().map(|text| read(text)).collect()
}

impl Answers {
    /// Reads a file of answers; paths in it are relative to it.
    ///
    /// # Errors
    /// [`Trouble`] naming the file and its line.
    pub(crate) fn load(path: &Path) -> Tried<Self> {
        let answers: Self = read::document(path)?;
        Ok(answers.based_on(path.parent().unwrap_or_else(|| Path::new("."))))
    }

    /// The same with paths that begin in this folder.
    pub(crate) fn based_on(mut self, base: &Path) -> Self {
        let answers = &mut self;
        let resolve = |path: &mut PathBuf| *path = base.join(&*path);
        answers.approvers.iter_mut().for_each(resolve);
        answers.views.iter_mut().for_each(resolve);
        answers.cosigners.iter_mut().for_each(|c| resolve(&mut c.seat));
        answers.sources.iter_mut().for_each(|s| resolve(&mut s.seat));
        answers.policy.iter_mut().for_each(resolve);
        self
    }

    /// Every file that they name.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &PathBuf> {
        let seats = self.cosigners.iter().map(|c| &c.seat);
        let seats = seats.chain(self.sources.iter().map(|s| &s.seat));
        self.approvers.iter().chain(&self.views).chain(seats).chain(&self.policy)
    }

    /// The flags that nothing has answered and that have no default.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("vault", self.vault.is_none()),
            ("approver", self.approvers.is_empty()),
            ("cosigner", self.cosigners.is_empty()),
            ("chain", self.chains.is_empty()),
            ("governance", self.governance.is_none()),
        ];
        all.into_iter().filter(|(_, missing)| *missing).map(|(flag, _)| flag).collect()
    }
}

fn at<'a>(field: &str, text: &'a str, form: &str) -> Tried<(&'a str, &'a str)> {
    match text.split_once('@') {
        Some((file, place)) if !file.is_empty() && !place.is_empty() => Ok((file, place)),
        _ => Err(Trouble::new(field, format!("`{text}` names no place"), format!("give {form}"))),
    }
}

/// A cosigner from `FILE@HOST:PORT`.
pub(crate) fn cosigner(text: &str) -> Tried<CosignerAnswer> {
    let (seat, address) = at("cosigner", text, "`FILE@HOST:PORT`")?;
    Ok(CosignerAnswer { seat: seat.into(), address: address.to_owned() })
}

/// A source from `FILE@HOST:PORT`, `FILE@file:PATH` or `FILE@URL`.
pub(crate) fn source(text: &str) -> Tried<SourceAnswer> {
    let form = "`FILE@HOST:PORT`, `FILE@file:PATH` or `FILE@URL`";
    let (seat, from) = at("source", text, form)?;
    Ok(SourceAnswer { seat: seat.into(), from: from.to_owned() })
}

/// A chain and its node from `CHAIN=URL`.
pub(crate) fn chain(text: &str) -> Tried<(String, String)> {
    let (chain, url) = read::pair("chain", text, "`CHAIN=URL`, such as `eip155:1=https://…`")?;
    Ok((chain.to_owned(), url.to_owned()))
}

fn asset(text: &str) -> Tried<AssetAnswer> {
    let form = "`SYMBOL=CAIP19,decimals=18,alone=0.1,…`";
    let mut parts = text.split(',');
    let (symbol, caip) = read::pair("asset", parts.next().unwrap_or_default(), form)?;
    let mut answer = AssetAnswer {
        symbol: symbol.to_owned(),
        asset: caip.to_owned(),
        decimals: decimals(),
        name: None,
        alone: alone(),
        strangers: strangers(),
        agent_daily: agent_daily(),
        vault_daily: vault_daily(),
    };
    for part in parts {
        let (name, value) = read::pair("asset", part, form)?;
        match name {
            "decimals" => {
                answer.decimals = value.parse().map_err(|_| {
                    Trouble::new("asset.decimals", "is not a number", "give 0 to 36")
                })?;
            }
            "name" => answer.name = Some(value.to_owned()),
            "alone" => answer.alone = value.to_owned(),
            "strangers" => answer.strangers = value.to_owned(),
            "agent-daily" => answer.agent_daily = value.to_owned(),
            "vault-daily" => answer.vault_daily = value.to_owned(),
            other => {
                let mend =
                    "give `decimals`, `name`, `alone`, `strangers`, `agent-daily`, `vault-daily`";
                return Err(Trouble::new("asset", format!("`{other}` is no part of it"), mend));
            }
        }
    }
    Ok(answer)
}

/// The coin of a chain with the starter's numbers.
pub(crate) fn coin(asset: String, symbol: String) -> AssetAnswer {
    AssetAnswer {
        symbol,
        asset,
        decimals: decimals(),
        name: None,
        alone: alone(),
        strangers: strangers(),
        agent_daily: agent_daily(),
        vault_daily: vault_daily(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_asset_is_one_flag_with_its_numbers() {
        let read = asset("USDC=eip155:1/erc20:0x0,decimals=6,alone=100,agent-daily=500").unwrap();
        assert_eq!((read.symbol.as_str(), read.decimals), ("USDC", 6));
        assert_eq!((read.alone.as_str(), read.strangers.as_str()), ("100", "0.01"));
        assert_eq!((read.agent_daily.as_str(), read.vault_daily.as_str()), ("500", "10"));
        for bad in
            ["", "USDC", "USDC=", "USDC=x,decimals=many", "USDC=x,colour=red", "USDC=x,alone"]
        {
            assert!(asset(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn flags_of_arbitrary_text_never_panic(text in "(?s).{0,80}") {
            let _ = asset(&text);
            let _ = cosigner(&text);
            let _ = source(&text);
            let _ = chain(&text);
        }
    }
}
