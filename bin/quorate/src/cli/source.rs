//! A source of signed facts, on a machine of its own: made before the founding, bound to its vault and desk after it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_host::{Clock as _, Fault, Identity, SystemClock, config, secret_file};
use quorate_terms::charter::{CharterText, SourceSeat};
use quorate_terms::fact::{Fact, FactBody, FactKind, SignedFact};
use quorate_terms::{Amount, ChainId, Digest, PublicKey, SourceId, Term as _, VaultId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::trouble::{Tried, Trouble};
use super::{Ended, charter, quoted, read};
use crate::config::ChainConfig;

/// What to do with a source.
#[derive(Subcommand, Debug)]
pub(crate) enum SourceCommand {
    /// Make a source's keys and its seat for the charter.
    Init(InitArgs),
    /// Bind it to the vault whose charter names it, once the digest was compared out of band.
    Accept(AcceptArgs),
    /// Answer the desk until stopped.
    Run {
        /// The source's folder.
        #[arg(long, default_value = "quorate-source")]
        dir: PathBuf,
    },
    /// Sign a price and append it to a file of facts, one JSON object a line.
    Price(PriceArgs),
}

/// What `source init` needs.
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The source's folder.
    #[arg(long, default_value = "quorate-source")]
    dir: PathBuf,
    /// Its name in the charter.
    #[arg(long)]
    source: String,
    /// What it speaks on: `finality`, `price`, `screening`, with commas.
    #[arg(long, default_value = "finality")]
    kinds: String,
    /// A node of its own for a chain, `CHAIN=URL`; repeat for more.
    #[arg(long = "chain")]
    chains: Vec<String>,
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:7450")]
    listen: String,
}

/// What `source accept` needs.
#[derive(Args, Debug)]
pub(crate) struct AcceptArgs {
    /// The source's folder.
    #[arg(long, default_value = "quorate-source")]
    dir: PathBuf,
    /// The founding charter.
    #[arg(long)]
    charter: PathBuf,
    /// Its digest, as you were told it out of band.
    #[arg(long)]
    digest: String,
}

/// What `source price` needs.
#[derive(Args, Debug)]
pub(crate) struct PriceArgs {
    /// The source's folder.
    #[arg(long, default_value = "quorate-source")]
    dir: PathBuf,
    /// The asset, CAIP-19.
    #[arg(long)]
    asset: String,
    /// Decimal places of its whole unit.
    #[arg(long)]
    decimals: u8,
    /// The price of one whole unit in the policy's currency, at most six decimal places.
    #[arg(long)]
    price: String,
    /// The vault it is told to; needed only before `source accept`.
    #[arg(long)]
    vault: Option<String>,
    /// The file of facts to append to.
    #[arg(long)]
    out: PathBuf,
}

/// `source.toml` as it stands at any time: before the founding, vault and desk are not known yet.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Draft {
    source: SourceId,
    vault: Option<VaultId>,
    listen: String,
    kinds: BTreeSet<FactKind>,
    #[serde(default)]
    chains: BTreeMap<ChainId, ChainConfig>,
    desk_identity: Option<PublicKey>,
}

/// What a source hands to the founders.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceEnrolment {
    /// Its seat.
    pub(crate) seat: SourceSeat,
    /// Its identity on mutual-TLS links.
    pub(crate) identity: PublicKey,
}

/// Obeys a `source` command.
pub(crate) async fn obey(ui: &Ui, command: &SourceCommand) -> Tried<Ended> {
    match command {
        SourceCommand::Init(args) => init(ui, args),
        SourceCommand::Accept(args) => accept(ui, args),
        SourceCommand::Run { dir } => {
            let draft = config::Config::<Draft>::load(&settings(dir))?.value;
            if draft.vault.is_none() || draft.desk_identity.is_none() {
                let mend = "run `quorate source accept` with the founding charter first";
                return Err(Trouble::new("source", "knows neither vault nor desk yet", mend));
            }
            crate::desk::source_run(dir).await?;
            Ok(Ended::Well)
        }
        SourceCommand::Price(args) => price(ui, args),
    }
}

fn settings(dir: &Path) -> PathBuf {
    dir.join("source.toml")
}

fn key(dir: &Path) -> PathBuf {
    dir.join("keys/source.seed")
}

fn link(dir: &Path) -> PathBuf {
    dir.join("keys/link.seed")
}

fn init(ui: &Ui, args: &InitArgs) -> Tried<Ended> {
    let mut draft = Draft {
        source: args.source.parse()?,
        vault: None,
        listen: args.listen.clone(),
        kinds: kinds(&args.kinds)?,
        chains: BTreeMap::new(),
        desk_identity: None,
    };
    read::address("listen", &draft.listen)?;
    for pair in &args.chains {
        let (chain, url) = read::pair("chain", pair, "`CHAIN=URL`, such as `eip155:1=https://…`")?;
        read::rpc("chain", url)?;
        draft.chains.insert(read::chain(chain)?, ChainConfig { rpc: url.to_owned() });
    }
    if draft.kinds.contains(&FactKind::Finality) && draft.chains.is_empty() {
        let mend = "give a node of its own for each chain with `--chain CHAIN=URL`";
        return Err(Trouble::new("chain", "is missing, and finality is read from a chain", mend));
    }
    for path in [settings(&args.dir), key(&args.dir), link(&args.dir)] {
        if path.exists() {
            let mend = "give another --dir; a source's keys are made once";
            return Err(Trouble::new(path.display().to_string(), "exists", mend));
        }
    }
    let random = Random::start()?;
    secret_file::make_dir(&args.dir)?;
    secret_file::make_dir(&args.dir.join("keys"))?;
    let signing = Identity::create(&key(&args.dir), random)?;
    let linking = Identity::create(&link(&args.dir), random)?;
    secret_file::create(&settings(&args.dir), draft.to_toml().as_bytes(), random)?;
    let seat = SourceSeat { source: draft.source, key: signing.public_key(), kinds: draft.kinds };
    let enrolment = SourceEnrolment { seat, identity: linking.public_key() };
    let text = super::policy::pretty(&enrolment)?;
    secret_file::create(&args.dir.join("enrolment.json"), text.as_bytes(), random)?;
    let told = format!(
        "{text}\nhand {} to the founders; then run `quorate source accept`",
        args.dir.join("enrolment.json").display()
    );
    ui.answer(&enrolment, told)?;
    Ok(Ended::Well)
}

fn kinds(text: &str) -> Tried<BTreeSet<FactKind>> {
    text.split(',')
        .map(|word| match word.trim() {
            "finality" => Ok(FactKind::Finality),
            "price" => Ok(FactKind::Price),
            "screening" => Ok(FactKind::Screening),
            other => Err(Trouble::new(
                "kinds",
                format!("`{other}` is no kind of fact"),
                "give `finality`, `price`, `screening`, with commas",
            )),
        })
        .collect()
}

fn accept(ui: &Ui, args: &AcceptArgs) -> Tried<Ended> {
    let mut draft: Draft = config::Config::load(&settings(&args.dir))?.value;
    let text: CharterText = read::document(&args.charter)?;
    charter::check(&text)?;
    let (given, found): (Digest, Digest) = (args.digest.parse()?, text.digest()?);
    if given != found {
        let why = format!("the file's digest is {found}");
        let mend = "do not accept; ask the founders on another channel which charter is meant";
        return Err(Trouble::new("digest", why, mend));
    }
    let own = Identity::load(&key(&args.dir))?.public_key();
    let seat = text.sources.iter().find(|seat| seat.source == draft.source);
    if seat.is_none_or(|seat| seat.key != own || seat.kinds != draft.kinds) {
        let mend = "have the founders take this source's enrolment.json";
        return Err(Trouble::new("charter.sources", "does not seat this source", mend));
    }
    draft.vault = Some(text.vault.clone());
    draft.desk_identity = Some(text.log.identity);
    secret_file::replace(&settings(&args.dir), draft.to_toml().as_bytes(), Random::start()?)?;
    let value = json!({ "source": draft.source, "vault": text.vault, "charter": found });
    ui.answer(&value, format!("{} speaks to vault {} from now on", draft.source, text.vault))?;
    Ok(Ended::Well)
}

fn price(ui: &Ui, args: &PriceArgs) -> Tried<Ended> {
    let draft: Draft = config::Config::load(&settings(&args.dir))?.value;
    if !draft.kinds.contains(&FactKind::Price) {
        let mend = "use a source that was made with `--kinds price`";
        return Err(Trouble::new("kinds", "this source does not speak on prices", mend));
    }
    let vault = match (&args.vault, draft.vault) {
        (None, Some(vault)) => vault,
        (Some(given), known) => {
            let given: VaultId = given.parse()?;
            if known.is_some_and(|known| known != given) {
                let mend = "leave out --vault; this source speaks to one vault";
                return Err(Trouble::new("vault", "is another than was accepted", mend));
            }
            given
        }
        (None, None) => {
            return Err(Trouble::new(
                "vault",
                "is not known",
                "run `quorate source accept` or give --vault",
            ));
        }
    };
    let micro = Amount::from_decimal(&args.price, 6)
        .map_err(|e| Trouble::new("price", e.why(), e.mend()))?;
    let fact = Fact::Price {
        asset: quorate_chains::parse_asset(&args.asset)?,
        decimals: args.decimals,
        micro,
    };
    let at = SystemClock::new().now();
    let body = FactBody { v: 1, vault, source: draft.source, at, fact };
    let signature = Identity::load(&key(&args.dir))?.sign(&body.digest()?);
    let signed = SignedFact { body, signature };
    append(&args.out, &signed)?;
    let out = args.out.display().to_string();
    ui.answer(&signed, format!("1 {} = {} in {out}", args.asset, args.price))?;
    Ok(Ended::Well)
}

/// One line in one write, so that a reader never sees half a fact.
fn append(path: &Path, fact: &SignedFact) -> Tried<()> {
    let mut line = quorate_terms::canonical::to_bytes(fact, "fact")?;
    line.push(b'\n');
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let mut file = file.map_err(|e| Fault::at(path, &e))?;
    file.write_all(&line).and_then(|()| file.sync_all()).map_err(|e| Fault::at(path, &e))?;
    Ok(())
}

impl Draft {
    fn to_toml(&self) -> String {
        let mut text = "# A source of signed facts. Unknown fields are refused.\n".to_owned();
        let kinds: Vec<&str> = self
            .kinds
            .iter()
            .map(|kind| match kind {
                FactKind::Price => "\"price\"",
                FactKind::Finality => "\"finality\"",
                FactKind::Screening => "\"screening\"",
            })
            .collect();
        let _infallible = writeln!(text, "source = {}", quoted(self.source.as_str()));
        let _infallible = writeln!(text, "listen = {}", quoted(&self.listen));
        let _infallible = writeln!(text, "kinds = [{}]", kinds.join(", "));
        match (&self.vault, &self.desk_identity) {
            (Some(vault), Some(desk)) => {
                let _infallible = writeln!(text, "vault = {}", quoted(vault.as_str()));
                let _infallible = writeln!(text, "desk_identity = {}", quoted(&desk.to_string()));
            }
            _ => text.push_str("# `quorate source accept` adds `vault` and `desk_identity`.\n"),
        }
        for (chain, node) in &self.chains {
            let chain = quoted(chain.as_str());
            let _infallible = writeln!(text, "\n[chains.{chain}]\nrpc = {}", quoted(&node.rpc));
        }
        text
    }
}
