//! What the answers come to: a charter without its log seat, and the desk's configuration. Everything is checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use quorate_host::Identity;
use quorate_host::random::Random;
use quorate_policy::{StarterAsset, starter};
use quorate_terms::charter::{ApproverSeat, CharterText, CosignerSeat, LogSeat, SourceSeat};
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{Amount, ApproverId, AssetId, ChainId, CosignerId, PersonId, VaultId};

use super::answers::{Answers, AssetAnswer, SourceAnswer, coin};
use crate::cli::source::SourceEnrolment;
use crate::cli::trouble::{Tried, Trouble};
use crate::cli::{charter, policy, read};
use crate::config::SourceConfig;

/// A founding, checked.
pub(crate) struct Plan {
    draft: CharterText,
    pub(crate) cosigners: BTreeMap<CosignerId, String>,
    pub(crate) chains: BTreeMap<ChainId, String>,
    pub(crate) sources: BTreeMap<String, SourceConfig>,
    pub(crate) book_listen: String,
    pub(crate) console_listen: Option<String>,
}

impl Plan {
    /// Checks all answers together.
    ///
    /// # Errors
    /// [`Trouble`] naming the first answer that cannot stand, why, and how to mend it.
    pub(crate) fn of(answers: &Answers) -> Tried<Self> {
        let vault: VaultId = answers.vault.as_deref().unwrap_or_default().parse()?;
        let approvers = approvers(answers)?;
        let seats: BTreeSet<ApproverId> = approvers.iter().map(|a| a.approver.clone()).collect();
        let governance = governance(answers.governance.unwrap_or(0), &approvers)?;
        let chains = chains(answers)?;
        let (cosigners, cosigner_places) = cosigners(answers)?;
        let (sources, source_places) = sources(answers)?;
        let policy = rules(answers, &vault, &seats, &chains)?;
        for quorum in &policy.quorums {
            reachable(&format!("quorum `{}`", quorum.name), quorum, &approvers)?;
        }
        let book_listen =
            answers.book_listen.clone().unwrap_or_else(|| "127.0.0.1:7400".to_owned());
        read::address("book-listen", &book_listen)?;
        let console_listen = answers.console_listen.clone();
        if let Some(listen) = &console_listen {
            loopback("console-listen", listen)?;
        }
        // Keys are made only when all else is known to be right; these two stand in for them in the check.
        let random = Random::start()?;
        let stand_in = LogSeat {
            origin: answers.origin.clone().unwrap_or_else(|| format!("quorate.local/{vault}")),
            key: Identity::generate(random)?.public_key(),
            identity: Identity::generate(random)?.public_key(),
        };
        let draft = CharterText {
            v: 1,
            vault,
            version: 1,
            previous: None,
            threshold: threshold(answers.threshold, cosigners.len())?,
            cosigners,
            approvers,
            views: answers.views.iter().map(|path| read::document(path)).collect::<Tried<_>>()?,
            governance,
            log: stand_in,
            sources,
            change_delay_s: read::seconds(
                "change-delay",
                answers.change_delay.as_deref().unwrap_or("24h"),
            )?,
            finality_depth: finality(answers.finality_depth.unwrap_or(12))?,
            policy,
        };
        charter::check(&draft)?;
        let (cosigners, sources) = (cosigner_places, source_places);
        Ok(Self { draft, cosigners, chains, sources, book_listen, console_listen })
    }

    /// The charter as it will be, but for the desk's own keys: two stand in for them.
    pub(crate) const fn draft(&self) -> &CharterText {
        &self.draft
    }

    /// The charter with the desk's own keys in it.
    ///
    /// # Errors
    /// [`Trouble`] never, unless the keys are ones that the charter already names.
    pub(crate) fn charter(&self, log: &Identity, link: &Identity) -> Tried<CharterText> {
        let mut text = self.draft.clone();
        text.log.key = log.public_key();
        text.log.identity = link.public_key();
        charter::check(&text)?;
        Ok(text)
    }
}

/// An address of this machine with a port: what is served there without TLS is for nobody else.
pub(crate) fn loopback(field: &str, listen: &str) -> Tried<SocketAddr> {
    let mend = "give one such as `127.0.0.1:7420`";
    let address: SocketAddr =
        listen.parse().map_err(|_| Trouble::new(field, "is no address with a port", mend))?;
    if address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    let why = format!("is {address}, which is not loopback");
    Err(Trouble::new(field, why, "listen on 127.0.0.1; open it to others in desk.toml, under TLS"))
}

pub(crate) fn finality(depth: u64) -> Tried<u64> {
    if depth == 0 {
        let mend = "give at least 1: the transaction's own block";
        return Err(Trouble::new("finality-depth", "is zero", mend));
    }
    Ok(depth)
}

pub(crate) fn threshold(asked: Option<u8>, seats: usize) -> Tried<u8> {
    let majority = u8::try_from(seats / 2).unwrap_or(u8::MAX).saturating_add(1);
    let threshold = asked.unwrap_or(majority);
    if seats < 2 {
        let mend = "give at least two with `--cosigner FILE@HOST:PORT`: nobody signs alone";
        return Err(Trouble::new("cosigner", format!("there is {seats} of at least 2"), mend));
    }
    if threshold < majority || usize::from(threshold) > seats {
        let why = format!("{threshold} of {seats} is not more than half, or more than all");
        let mend = format!("give {majority} to {seats}, so that any two quorums share a cosigner");
        return Err(Trouble::new("threshold", why, mend));
    }
    Ok(threshold)
}

pub(crate) fn approvers(answers: &Answers) -> Tried<Vec<ApproverSeat>> {
    let mut seats: Vec<ApproverSeat> = Vec::new();
    for path in &answers.approvers {
        let seat: ApproverSeat = read::document(path)?;
        if seats.iter().any(|other| other.approver == seat.approver) {
            let why = format!("{} seats `{}` again", path.display(), seat.approver);
            return Err(Trouble::new("approver", why, "give each enrolment file once"));
        }
        seats.push(seat);
    }
    Ok(seats)
}

pub(crate) fn governance(m: u32, approvers: &[ApproverSeat]) -> Tried<Quorum> {
    let members: BTreeSet<ApproverId> = approvers.iter().map(|a| a.approver.clone()).collect();
    let quorum = Quorum { name: "governance".parse()?, m, members, parties: None };
    reachable("governance", &quorum, approvers)?;
    Ok(quorum)
}

/// A person counts once, in however many seats.
fn reachable(field: &str, quorum: &Quorum, approvers: &[ApproverSeat]) -> Tried<()> {
    let seated = approvers.iter().filter(|seat| quorum.members.contains(&seat.approver));
    let people: BTreeSet<&PersonId> = seated.map(|seat| &seat.person).collect();
    if quorum.m == 0 || usize::try_from(quorum.m).is_ok_and(|m| m > people.len()) {
        let why = format!("asks for {} of {} people", quorum.m, people.len());
        let mend = "ask for at least 1 and at most as many as there are people; one person in two seats counts once";
        return Err(Trouble::new(field, why, mend));
    }
    Ok(())
}

fn chains(answers: &Answers) -> Tried<BTreeMap<ChainId, String>> {
    let mut chains = BTreeMap::new();
    for (name, url) in &answers.chains {
        read::rpc("chain", url)?;
        chains.insert(read::chain(name)?, url.clone());
    }
    Ok(chains)
}

pub(crate) type Seated<S, P> = (Vec<S>, BTreeMap<P, String>);

pub(crate) fn cosigners(answers: &Answers) -> Tried<Seated<CosignerSeat, CosignerId>> {
    let (mut seats, mut places) = (Vec::<CosignerSeat>::new(), BTreeMap::new());
    for answer in &answers.cosigners {
        read::address("cosigner", &answer.address)?;
        let seat: CosignerSeat = read::document(&answer.seat)?;
        if places.insert(seat.cosigner.clone(), answer.address.clone()).is_some() {
            let why = format!("{} seats `{}` again", answer.seat.display(), seat.cosigner);
            return Err(Trouble::new("cosigner", why, "give each seat file once"));
        }
        seats.push(seat);
    }
    Ok((seats, places))
}

pub(crate) fn sources(
    answers: &Answers,
) -> Tried<(Vec<SourceSeat>, BTreeMap<String, SourceConfig>)> {
    let (mut seats, mut places) = (Vec::new(), BTreeMap::new());
    for answer in &answers.sources {
        let enrolment: SourceEnrolment = read::document(&answer.seat)?;
        let name = enrolment.seat.source.to_string();
        if places.insert(name.clone(), place(answer, &enrolment)?).is_some() {
            let why = format!("{} names `{name}` again", answer.seat.display());
            return Err(Trouble::new("source", why, "give each enrolment file once"));
        }
        seats.push(enrolment.seat);
    }
    Ok((seats, places))
}

pub(crate) fn place(answer: &SourceAnswer, enrolment: &SourceEnrolment) -> Tried<SourceConfig> {
    if let Some(path) = answer.from.strip_prefix("file:") {
        let path = std::path::absolute(Path::new(path))
            .map_err(|e| Trouble::new("source", e.to_string(), "give `FILE@file:PATH`"))?;
        return Ok(SourceConfig::File { path });
    }
    if answer.from.contains("://") {
        read::rpc("source", &answer.from)?;
        return Ok(SourceConfig::Http { url: answer.from.clone() });
    }
    read::address("source", &answer.from)?;
    Ok(SourceConfig::Link { address: answer.from.clone(), identity: enrolment.identity })
}

fn rules(
    answers: &Answers,
    vault: &VaultId,
    seats: &BTreeSet<ApproverId>,
    chains: &BTreeMap<ChainId, String>,
) -> Tried<PolicyDocument> {
    let document = match &answers.policy {
        Some(path) => policy::sound(path)?,
        None => {
            let all = assets(answers)?;
            let all: Vec<_> = all.iter().map(starter_asset).collect::<Tried<_>>()?;
            starter(vault.clone(), seats, &all)?
        }
    };
    if document.version != 1 || document.previous.is_some() {
        let mend = "set `version` to 1 and leave `previous` out";
        return Err(Trouble::new("policy.version", "is not that of a first policy", mend));
    }
    for info in &document.assets {
        let chain = info.asset.chain();
        if !chains.contains_key(&chain) {
            let why = format!("`{}` is on `{chain}`, which has no node", info.symbol);
            return Err(Trouble::new("asset", why, format!("give `--chain {chain}=URL`")));
        }
    }
    for chain in chains.keys() {
        let coin = quorate_chains::native_asset(chain)?;
        if !document.assets.iter().any(|info| info.asset == coin) {
            let why = format!("the coin of `{chain}` is missing, and fees are paid in it");
            return Err(Trouble::new("asset", why, format!("give `--asset SYMBOL={coin},…`")));
        }
    }
    Ok(document)
}

/// What stands in the starter policy: what was answered, and the coins that fees are paid in with the starter's numbers.
///
/// # Errors
/// [`Trouble`] for an asset or a network that cannot be read.
pub(crate) fn assets(answers: &Answers) -> Tried<Vec<AssetAnswer>> {
    let mut all = answers.assets.clone();
    all.extend(missing_coins(answers)?);
    Ok(all)
}

/// The coins that fees are paid in and that nothing was answered for, with the starter's numbers.
///
/// # Errors
/// [`Trouble`] for an asset or a network that cannot be read.
pub(crate) fn missing_coins(answers: &Answers) -> Tried<Vec<AssetAnswer>> {
    let known = answers.assets.iter().map(|one| quorate_chains::parse_asset(&one.asset));
    let known: BTreeSet<AssetId> = known.collect::<Result<_, _>>()?;
    let mut missing = Vec::new();
    for chain in answers.chains.keys() {
        let native = quorate_chains::native_asset(&read::chain(chain)?)?;
        if !known.contains(&native) {
            missing.push(coin(native.to_string(), "ETH".to_owned()));
        }
    }
    Ok(missing)
}

pub(crate) fn starter_asset(answer: &AssetAnswer) -> Tried<StarterAsset> {
    let amount = |field: &str, text: &str| {
        Amount::from_decimal(text, answer.decimals)
            .map_err(|e| Trouble::new(format!("asset.{field}"), e.why(), e.mend()))
    };
    if answer.decimals > 36 {
        return Err(Trouble::new("asset.decimals", "is more than 36", "give 0 to 36"));
    }
    Ok(StarterAsset {
        info: AssetInfo {
            asset: quorate_chains::parse_asset(&answer.asset)?,
            symbol: answer.symbol.clone(),
            name: answer.name.clone().unwrap_or_else(|| answer.symbol.clone()),
            decimals: answer.decimals,
        },
        alone: amount("alone", &answer.alone)?,
        alone_to_strangers: amount("strangers", &answer.strangers)?,
        agent_daily: amount("agent-daily", &answer.agent_daily)?,
        vault_daily: amount("vault-daily", &answer.vault_daily)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_tls_listens_on_this_machine_only() {
        for (listen, good) in [
            ("127.0.0.1:7420", true),
            ("[::1]:0", true),
            ("[::ffff:127.0.0.1]:7420", true),
            ("0.0.0.0:7420", false),
            ("192.0.2.1:7420", false),
            ("localhost:7420", false),
            ("7420", false),
        ] {
            assert_eq!(loopback("console-listen", listen).is_ok(), good, "{listen}");
        }
    }
}
